/* plan_rollout(): from the freezing of the plan to the outcome. Each pass looks at everything anew. */
#include "controller/model/names.h"
#include "controller/plan/internal.h"
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* ---- what stays as it is, unless a pass says otherwise ---- */

static void carry_over(const struct rollout_snapshot *s, struct rollout_result *out)
{
	const struct rollout_status *status = &s->rollout->status;
	struct rollout_wanted *want = &out->wanted;

	want->observed_generation = s->rollout->object.generation;
	want->plan_hash = status->plan_hash;
	want->policy_hash = status->policy_hash;
	want->for_uid = status->for_uid;
	want->revisions = status->revisions;
	want->epoch = s->epoch;
	want->outcome = status->outcome;
	want->summary = status->summary;
	want->progress = status->progress;
	want->current_wave = status->current_wave;
	want->counts = status->counts;
	want->versions.items = status->versions.items;
	want->versions.count = status->versions.count;
	want->waves.items = status->waves.items;
	want->waves.count = status->waves.count;
	want->active.items = status->active.items;
	want->active.count = status->active.count;
	want->failed.items = status->failed.items;
	want->failed.count = status->failed.count;
	want->started_ms = status->started_ms;
	want->finished_ms = status->finished_ms;
	for (size_t i = 0; i < status->conditions.count; i++) {
		const struct condition *c = &status->conditions.items[i];
		plan_want(&want->conditions, c->type, c->status, c->reason, c->message);
	}
}

static void want_anew(struct rollout_wanted *want)
{
	want->conditions.count = 0;
}

static void wait_for(struct rollout_result *out, const char *reason, const char *message)
{
	want_anew(&out->wanted);
	out->wanted.summary = message;
	plan_want(&out->wanted.conditions, "Progressing", CONDITION_FALSE, reason, message);
	plan_want(&out->wanted.conditions, "Reconciling", CONDITION_TRUE, reason, message);
	plan_want(&out->wanted.conditions, "Ready", CONDITION_FALSE, reason, message);
	out->write_status = true;
}

static void stall(struct rollout_result *out, const char *reason, const char *message)
{
	want_anew(&out->wanted);
	out->wanted.summary = message;
	plan_want(&out->wanted.conditions, "Stalled", CONDITION_TRUE, reason, message);
	plan_want(&out->wanted.conditions, "Progressing", CONDITION_FALSE, reason, message);
	plan_want(&out->wanted.conditions, "Ready", CONDITION_FALSE, reason, message);
	out->write_status = true;
}

void finalize_rollout(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out, bool on)
{
	struct action *action = plan_add_action(&out->actions, ACTION_FINALIZE_ROLLOUT, arena);
	action->finalize.rollout = s->rollout;
	action->finalize.on = on;
}

/* ---- freezing the plan ---- */

/* What an earlier rollout waits for may be gone without a change to it: its policy suspended, its nodes relabelled. */
#define OVERLAP_LOOK_MS (30 * 1000)

/* Of two rollouts the planned one goes first, then the older, then by name. */
static bool goes_before(const struct rollout *a, const struct rollout *b)
{
	bool a_planned = a->status.plan_hash != NULL, b_planned = b->status.plan_hash != NULL;
	if (a_planned != b_planned)
		return a_planned;
	if (a->object.created_ms != b->object.created_ms)
		return a->object.created_ms < b->object.created_ms;
	return strcmp(a->object.name, b->object.name) < 0;
}

static const struct policy *policy_of(const struct rollout_snapshot *s, const struct rollout *rollout)
{
	for (size_t i = 0; i < s->policy_count; i++)
		if (!strcmp(s->policies[i]->object.name, rollout->policy_name))
			return s->policies[i];
	return NULL;
}

/*
 * Rollouts that share nodes go one after the other, as a whole: each would hold its record on nodes that the other
 * still waits for. One that was not planned and cannot be for now is in nobody's way.
 */
static bool shares_nodes(const struct rollout_snapshot *s, const struct rollout *other)
{
	const struct policy *policy = policy_of(s, other);

	if (!policy || (!other->status.plan_hash && (policy->suspend || rules_check(&policy->rules, NULL) != 0)))
		return false;
	for (size_t i = 0; i < s->node_count; i++)
		if (node_selected(s->nodes[i], &policy->rules) && node_selected(s->nodes[i], &s->policy->rules))
			return true;
	return false;
}

static const struct rollout *earlier_rollout(const struct rollout_snapshot *s)
{
	for (size_t i = 0; i < s->other_count; i++) {
		const struct rollout *other = s->rollouts[i];
		if (rollout_done(other) || !goes_before(other, s->rollout))
			continue;
		if (!strcmp(other->policy_name, s->rollout->policy_name) || shares_nodes(s, other))
			return other;
	}
	return NULL;
}

static bool page_exists(const struct rollout_snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->page_count; i++)
		if (!strcmp(s->page_names[i], name))
			return true;
	return false;
}

/* Creates the pages that are missing; true when all are there. */
static bool write_pages(const struct rollout_snapshot *s, const struct frozen_plan *plan, struct kube_arena *arena,
                        struct rollout_result *out)
{
	size_t pages = freeze_pages(plan);
	const char **names = plan_alloc(arena, pages * sizeof(*names));
	bool complete = true;

	for (size_t page = 1; page <= pages; page++) {
		names[page - 1] = freeze_page_name(s->rollout, plan, page, arena);
		if (page_exists(s, names[page - 1]))
			continue;
		complete = false;
		struct action *action = plan_add_action(&out->actions, ACTION_CREATE_REVISION, arena);
		action->create_revision.name = names[page - 1];
		action->create_revision.rollout = s->rollout;
		action->create_revision.ledger = false;
		action->create_revision.number = (int64_t)page;
		action->create_revision.data = freeze_page_data(plan, s->policy, page, arena);
	}
	out->wanted.revisions = (struct kube_strlist){.items = names, .count = pages};
	return complete;
}

static void want_versions(const struct rules *rules, struct kube_arena *arena, struct rollout_wanted *want)
{
	want->versions.items = plan_alloc(arena, rules->patches.count * sizeof(*want->versions.items));
	want->versions.count = rules->patches.count;
	for (size_t i = 0; i < rules->patches.count; i++)
		want->versions.items[i] = (struct version_of){.component = rules->patches.items[i].component,
		                                              .version = rules->patches.items[i].version};
}

static void freeze(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct frozen_plan plan;

	freeze_targets(s, &s->policy->rules, s->policy->hash, arena, &plan);
	if (plan.selected == 0) {
		char selector[200];
		stall(out, "NoTargets",
		      plan_printf(arena,
		                  "no node matches the selector %s of PatchPolicy %s: label nodes, or change the selector",
		                  kube_selector_format(&s->policy->rules.selector, selector, sizeof(selector)),
		                  s->policy->object.name));
		return;
	}
	struct kube_strlist before = out->wanted.revisions;
	if (!write_pages(s, &plan, arena, out)) {
		out->wanted.revisions = before;
		return;
	}
	out->wanted.plan_hash = plan.hash;
	out->wanted.policy_hash = s->policy->hash;
	out->wanted.for_uid = s->rollout->object.uid;
	out->wanted.started_ms = s->now_ms;
	out->wanted.counts = (struct counts){.total = (int64_t)plan.count, .pending = (int64_t)plan.count};
	out->wanted.progress = plan_printf(arena, "0/%zu", plan.count);
	want_versions(&s->policy->rules, arena, &out->wanted);
	wait_for(out, "Planned",
	         plan_printf(arena, "planned: %zu of %zu nodes are to be patched", plan.count, plan.selected));
}

static void plan_first(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct kube_err err = {0};

	if (!s->policy || s->policy_replaced) {
		stall(out, "PolicyNotFound",
		      plan_printf(arena, "there is no PatchPolicy %s: create it, or delete this PatchRollout",
		                  s->rollout->policy_name));
		return;
	}
	if (rules_check(&s->policy->rules, &err) != 0) {
		stall(out, "PolicyNotAccepted",
		      plan_printf(arena, "PatchPolicy %s is not acceptable: %s", s->policy->object.name, err.message));
		return;
	}
	if (s->policy->suspend) {
		wait_for(out, "Suspended", plan_printf(arena, "PatchPolicy %s is suspended", s->policy->object.name));
		return;
	}
	const struct rollout *earlier = earlier_rollout(s);
	if (earlier) {
		wait_for(out, "WaitingForRollout",
		         plan_printf(arena,
		                     "waiting for PatchRollout %s of PatchPolicy %s, which is for some of the same nodes",
		                     earlier->object.name, earlier->policy_name));
		look_again_at(out, s->now_ms + OVERLAP_LOOK_MS);
		return;
	}
	if (!s->rollout->finalizer)
		finalize_rollout(s, arena, out, true);
	else
		freeze(s, arena, out);
	if (!out->wanted.plan_hash && s->effect_error)
		stall(out, s->effect_error->reason,
		      plan_printf(arena, "%s: %s", s->effect_error->what, s->effect_error->message));
}

/* ---- a pass over the targets ---- */

struct granted {
	const struct active *entry;
	UT_hash_handle hh;
};

static struct granted *index_grants(const struct pass *pass)
{
	const struct rollout_status *status = &pass->s->rollout->status;
	struct granted *index = NULL;

	for (size_t i = 0; i < status->active.count; i++) {
		struct granted *item = plan_alloc(pass->arena, sizeof(*item));
		item->entry = &status->active.items[i];
		HASH_ADD_KEYPTR(hh, index, item->entry->node_uid, strlen(item->entry->node_uid), item);
	}
	return index;
}

static enum standing standing_of(struct pass *pass, const struct node *node)
{
	const struct patch *patch = &pass->rules->patches.items[0];
	const char *shown = node_observed(node, &patch->observed);

	if (pass->rules->patches.count > 1 || !shown)
		return node_standing(node, pass->rules);
	if (!pass->shown || strcmp(pass->shown, shown) != 0) {
		pass->shown = shown;
		pass->standing = version_standing(shown, patch);
	}
	return pass->standing;
}

static enum target_kind kind_of(struct pass *pass, const struct target_pass *target)
{
	if (!target->view->node)
		return TARGET_GONE;
	if (target->state)
		return step_ended((enum step)target->state->step) ? TARGET_ENDED : TARGET_WORKING;
	if (target->granted)
		return TARGET_WORKING;
	return standing_of(pass, target->view->node) == STANDING_OUTDATED ? TARGET_PENDING : TARGET_UP_TO_DATE;
}

static size_t look_at_targets(struct pass *pass)
{
	struct granted *index = index_grants(pass);
	const char *uid = pass->s->rollout->object.uid;
	size_t working = 0;

	pass->targets = plan_alloc(pass->arena, pass->s->target_count * sizeof(*pass->targets));
	for (size_t i = 0; i < pass->s->target_count; i++) {
		struct target_pass *target = &pass->targets[i];
		const struct target_view *view = &pass->s->targets[i];
		struct granted *granted = NULL;

		HASH_FIND(hh, index, view->target->node_uid, strlen(view->target->node_uid), granted);
		target->view = view;
		target->wave = &pass->rules->waves.items[view->target->wave];
		target->granted = granted ? granted->entry : NULL;
		if (view->node && view->node->state && !strcmp(view->node->state->rollout_uid, uid))
			target->state = view->node->state;
		target->kind = kind_of(pass, target);
		if (target->kind == TARGET_ENDED)
			target->ended = (enum step)target->state->step;
		working += target->kind == TARGET_WORKING;
	}
	HASH_CLEAR(hh, index);
	return working;
}

static void release_strays(struct pass *pass)
{
	for (size_t i = 0; i < pass->s->stray_job_count; i++) {
		const struct pod_view *job = &pass->s->stray_jobs[i];
		if (job->pod->job_finalizer && !job->busy)
			plan_add_action(&pass->out->actions, ACTION_RELEASE_JOB, pass->arena)->pod = job->pod;
	}
}

static void advance_targets(struct pass *pass)
{
	for (size_t i = 0; i < pass->s->target_count; i++) {
		struct target_pass *target = &pass->targets[i];
		target_release_jobs(pass, target);
		if (target->kind == TARGET_WORKING)
			target_advance(pass, target);
		if (target->kind == TARGET_GONE && target->granted)
			decide(pass, DECISION_SKIP, target->granted->node, target->granted->attempt, "target", "NodeGone",
			       "the node was deleted, or came back as another one");
	}
	release_strays(pass);
}

static void count_targets(struct pass *pass)
{
	struct counts counts = {.total = (int64_t)pass->s->target_count, .active = (int64_t)pass->want->active.count};

	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		enum step ended = target->kind == TARGET_ENDED ? target->ended : STEP_NONE;
		counts.patched += ended == STEP_PATCHED;
		counts.failed += ended == STEP_FAILED || ended == STEP_QUARANTINED;
		counts.rolled_back += ended == STEP_ROLLED_BACK;
		counts.skipped += ended == STEP_SKIPPED || target->kind == TARGET_GONE || target->kind == TARGET_UP_TO_DATE;
	}
	counts.pending =
	    counts.total - counts.active - counts.patched - counts.failed - counts.rolled_back - counts.skipped;
	if (counts.pending < 0)
		counts.pending = 0;
	pass->want->counts = counts;
	pass->want->progress = plan_printf(pass->arena, "%lld/%lld", (long long)counts.patched, (long long)counts.total);
}

/* ---- what a person reads ---- */

static const char *steps_in_work(const struct pass *pass)
{
	int by_step[STEP_COUNT] = {0};
	const char *text = "";

	for (size_t i = 0; i < pass->want->active.count; i++)
		by_step[pass->want->active.items[i].step]++;
	for (int step = STEP_CLAIMED; step < STEP_COUNT; step++)
		if (by_step[step])
			text = plan_printf(pass->arena, "%s, %d %s", text, by_step[step], step_names[step]);
	return text;
}

static const char *waiting_text(const struct pass *pass)
{
	const struct blocker *b = pass->first_blocker;
	if (b)
		return plan_printf(pass->arena, ", waiting for %s %s%s%s", b->kind, b->namespace_ ? b->namespace_ : "",
		                   b->namespace_ && *b->namespace_ ? "/" : "", b->name ? b->name : "");
	if (pass->held_back && pass->want->active.count == 0)
		return plan_printf(pass->arena, ", waiting: %s", pass->held_back);
	return "";
}

static const char *summarize(struct pass *pass)
{
	size_t current = waves_current(pass);
	char until[KUBE_TIME_TEXT_SIZE];

	if (current == pass->want->waves.count)
		return "every wave has passed";
	const struct wave_status *wave = &pass->want->waves.items[current];
	pass->want->current_wave = wave->name;
	if (wave->state == WAVE_SOAKING && wave->soak_until_ms != KUBE_TIME_NONE)
		return plan_printf(pass->arena, "wave %s %lld/%lld, soaking until %s", wave->name, (long long)wave->patched,
		                   (long long)wave->total, kube_time_format(wave->soak_until_ms, until));
	if (wave->state == WAVE_SOAKING)
		return plan_printf(pass->arena, "wave %s %lld/%lld, its soak waits for a node to be Ready", wave->name,
		                   (long long)wave->patched, (long long)wave->total);
	return plan_printf(pass->arena, "wave %s %lld/%lld%s%s", wave->name, (long long)wave->patched,
	                   (long long)wave->total, steps_in_work(pass), waiting_text(pass));
}

static void want_running(struct pass *pass, const char *pause_reason)
{
	struct rollout_wanted *want = pass->want;
	const struct effect_error *error = pass->s->effect_error;
	bool moving = want->active.count > pass->waiting_on || (!pass->held_back && !pause_reason);

	want_anew(want);
	want->summary = pause_reason ? plan_printf(pass->arena, "%s: %s", pause_reason, summarize(pass)) : summarize(pass);
	plan_want(&want->conditions, "Progressing", moving ? CONDITION_TRUE : CONDITION_FALSE,
	          moving         ? "Working"
	          : pause_reason ? pause_reason
	                         : "Waiting",
	          want->summary);
	plan_want(&want->conditions, "Reconciling", CONDITION_TRUE, "Working", want->summary);
	plan_want(&want->conditions, "Ready", CONDITION_FALSE, "Working", want->summary);
	plan_want(&want->conditions, "Healthy", want->failed.count ? CONDITION_FALSE : CONDITION_TRUE,
	          want->failed.count ? "TargetsFailed" : "NoFailures",
	          want->failed.count
	              ? plan_printf(pass->arena, "%s: %s", want->failed.items[0].node, want->failed.items[0].message)
	              : "no target has failed");
	if (error)
		plan_want(&want->conditions, "Stalled", CONDITION_TRUE, error->reason,
		          plan_printf(pass->arena, "%s: %s", error->what, error->message));
}

/* ---- the end ---- */

static enum outcome outcome_now(const struct pass *pass, bool halted, bool superseded)
{
	const struct counts *counts = &pass->want->counts;

	if (pass->aborting)
		return OUTCOME_ABORTED;
	if (halted)
		return counts->rolled_back > 0 && counts->failed == 0 && counts->patched == 0 ? OUTCOME_ROLLED_BACK
		                                                                              : OUTCOME_FAILED;
	if (superseded)
		return OUTCOME_SUPERSEDED;
	return waves_all_passed(pass) ? OUTCOME_SUCCEEDED : OUTCOME_NONE;
}

static const char *ending(const struct pass *pass, enum outcome outcome)
{
	const struct rollout_wanted *want = pass->want;
	const struct counts *c = &want->counts;
	const char *numbers =
	    plan_printf(pass->arena, "%lld patched, %lld failed, %lld rolled back, %lld skipped, %lld not started",
	                (long long)c->patched, (long long)c->failed, (long long)c->rolled_back, (long long)c->skipped,
	                (long long)c->pending);
	const char *first = want->failed.count ? plan_printf(pass->arena, "; %s: %s", want->failed.items[0].node,
	                                                     want->failed.items[0].message)
	                                       : "";

	if (outcome == OUTCOME_ABORTED)
		return plan_printf(pass->arena, "%s; %s", pass->abort_reason, numbers);
	if (outcome == OUTCOME_SUPERSEDED)
		return plan_printf(pass->arena, "the policy was changed: the next PatchRollout goes on; %s", numbers);
	return plan_printf(pass->arena, "%s%s", numbers, first);
}

static void finish(struct pass *pass, enum outcome outcome)
{
	struct rollout_wanted *want = pass->want;
	bool good = outcome == OUTCOME_SUCCEEDED;
	const char *word = outcome_names[outcome], *text = ending(pass, outcome);

	want->outcome = outcome;
	want->finished_ms = pass->s->now_ms;
	want->summary = text;
	decide(pass, DECISION_FINISH, pass->s->rollout->object.name, 1, "outcome", word, text);
	emit_event(pass, &pass->s->rollout->object, !good, word, "Finish", text);
	if (pass->s->policy)
		emit_event(pass, &pass->s->policy->object, !good, plan_printf(pass->arena, "Rollout%s", word), "Finish",
		           plan_printf(pass->arena, "PatchRollout %s: %s", pass->s->rollout->object.name, text));
	want_anew(want);
	plan_want(&want->conditions, "Progressing", CONDITION_FALSE, word, text);
	plan_want(&want->conditions, "Ready", good ? CONDITION_TRUE : CONDITION_FALSE, word, text);
	plan_want(&want->conditions, "Healthy", want->failed.count ? CONDITION_FALSE : CONDITION_TRUE,
	          want->failed.count ? "TargetsFailed" : "NoFailures", text);
	if (!good)
		plan_want(&want->conditions, "Stalled", CONDITION_TRUE, word, text);
	if (want->counts.rolled_back)
		plan_want(&want->conditions, "RolledBack", CONDITION_TRUE, "TargetsRolledBack",
		          plan_printf(pass->arena, "%lld targets show their earlier versions again",
		                      (long long)want->counts.rolled_back));
}

/* ---- running ---- */

static const char *why_abort(const struct rollout_snapshot *s)
{
	if (s->rollout->object.deleted_ms != KUBE_TIME_NONE)
		return "the PatchRollout was deleted";
	if (!s->policy || s->policy_replaced)
		return "the PatchPolicy was deleted";
	return NULL;
}

static bool any_failed(const struct pass *pass)
{
	if (pass->want->failed.count)
		return true;
	for (size_t i = 0; i < pass->s->target_count; i++)
		if (pass->targets[i].kind == TARGET_ENDED && step_bad(pass->targets[i].ended))
			return true;
	return false;
}

static void make_room(struct pass *pass, size_t working)
{
	struct rollout_wanted *want = pass->want;
	const struct rollout_status *status = &pass->s->rollout->status;

	want->active.items = plan_alloc(pass->arena, (working + MAX_ACTIVE) * sizeof(*want->active.items));
	want->active.count = 0;
	want->failed.items = plan_alloc(pass->arena, MAX_FAILED * sizeof(*want->failed.items));
	want->failed.count = status->failed.count < MAX_FAILED ? status->failed.count : MAX_FAILED;
	if (want->failed.count)
		memcpy(want->failed.items, status->failed.items, want->failed.count * sizeof(*want->failed.items));
}

static void run(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct pass pass = {.s = s,
	                    .rules = s->plan->rules,
	                    .arena = arena,
	                    .out = out,
	                    .want = &out->wanted,
	                    .abort_reason = why_abort(s)};
	bool superseded = s->policy && strcmp(s->policy->hash, s->plan->policy_hash) != 0;
	bool suspended = s->policy && s->policy->suspend;

	pass.aborting = pass.abort_reason != NULL;
	pass.superseded = superseded;
	if (pass.aborting)
		decide(&pass, DECISION_ABORT, s->rollout->object.name, 1, "deletion", "Deleted", pass.abort_reason);
	else if (superseded)
		decide(&pass, DECISION_SUPERSEDE, s->rollout->object.name, 1, "policyHash", "PolicyChanged",
		       plan_printf(arena, "policy hash %.12s became %.12s", s->plan->policy_hash, s->policy->hash));
	if (!s->rollout->finalizer && s->rollout->object.deleted_ms == KUBE_TIME_NONE)
		finalize_rollout(s, arena, out, true); /* somebody took it off, and there is still something to put away */
	make_room(&pass, look_at_targets(&pass));
	rooms_init(&pass);
	pass.stopping = superseded || suspended || any_failed(&pass);
	advance_targets(&pass);

	bool halted = any_failed(&pass);
	pass.stopping = halted || superseded || suspended;
	waves_advance(&pass);
	if (!pass.aborting && !pass.stopping)
		grant_targets(&pass);
	count_targets(&pass);
	enum outcome outcome = pass.want->active.count ? OUTCOME_NONE : outcome_now(&pass, halted, superseded);
	if (outcome != OUTCOME_NONE)
		finish(&pass, outcome);
	else
		want_running(&pass, pass.aborting ? "Aborting"
		                    : halted      ? "Halted"
		                    : superseded  ? "Superseded"
		                    : suspended   ? "Suspended"
		                                  : NULL);
	out->write_status = true;
}

/* A page knows the waves only if it is the first. */
static bool plan_sound(const struct plan *plan)
{
	for (size_t i = 0; i < plan->target_count; i++)
		if (plan->targets[i]->wave < 0 || (uint64_t)plan->targets[i]->wave >= plan->rules->waves.count)
			return false;
	return plan->rules->patches.count > 0;
}

static const char *plan_problem(const struct rollout_snapshot *s)
{
	if (!s->plan)
		return s->plan_error ? s->plan_error : "its ControllerRevisions are missing";
	return plan_sound(s->plan) ? NULL : "a target is in a wave that its rules do not have";
}

void plan_rollout(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *ret_result)
{
	const struct rollout *rollout = s->rollout;
	const char *problem = rollout->status.plan_hash ? plan_problem(s) : NULL;
	bool restored = rollout->status.for_uid && strcmp(rollout->status.for_uid, rollout->object.uid) != 0;
	struct rollout_result out = {.look_again_ms = KUBE_TIME_NONE};

	carry_over(s, &out);
	if (rollout_done(rollout))
		finish_leftovers(s, arena, &out);
	if (s->rollout_busy || rollout_done(rollout)) {
		*ret_result = out;
		return;
	}
	if (rollout->status.plan_hash && rollout->status.epoch < s->epoch) {
		out.write_status = true; /* the fence comes before anything else that a new leader does */
	} else if (rollout->status.outcome != OUTCOME_NONE) {
		finish_rollout(s, arena, &out);
	} else if (!rollout->status.plan_hash && rollout->object.deleted_ms != KUBE_TIME_NONE) {
		if (rollout->finalizer)
			finalize_rollout(s, arena, &out, false); /* nothing was planned, so nothing was touched */
	} else if (!rollout->status.plan_hash) {
		plan_first(s, arena, &out);
	} else if ((problem || restored) && rollout->object.deleted_ms != KUBE_TIME_NONE) {
		abandon_rollout(s, arena, &out);
	} else if (restored) {
		stall(&out, "Restored",
		      "this PatchRollout was made from a copy of another one's status: delete it, a new one is planned from "
		      "the policy");
	} else if (problem) {
		stall(&out, "PlanUnreadable", plan_printf(arena, "the frozen plan cannot be used: %s", problem));
	} else {
		run(s, arena, &out);
	}
	*ret_result = out;
}
