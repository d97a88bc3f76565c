/* plan_rollout(): from the freezing of the plan to the outcome. Each pass looks at everything anew. */
#include "controller/model/names.h"
#include "controller/plan/internal.h"
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* ---- what stays as it is, unless a pass says otherwise ---- */

static void carry_over(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	const struct rollout_status *status = &s->rollout->status;
	struct rollout_status *want = &out->wanted;

	*want = *status;
	want->observed_generation = s->rollout->object.generation;
	want->epoch = s->epoch;
	want->decisions.items = NULL;
	want->decisions.count = 0;
	want->conditions = plan_conditions(arena);
	for (size_t i = 0; i < status->conditions.count; i++) {
		const struct condition *c = &status->conditions.items[i];
		plan_want(&want->conditions, c->type, c->status, c->reason, c->message);
	}
}

void want_anew(struct rollout_status *want)
{
	want->conditions.count = 0;
}

void want_waiting(struct rollout_result *out, const char *reason, const char *message)
{
	want_anew(&out->wanted);
	out->wanted.summary = message;
	plan_want(&out->wanted.conditions, "Progressing", CONDITION_FALSE, reason, message);
	plan_want(&out->wanted.conditions, "Reconciling", CONDITION_TRUE, reason, message);
	plan_want(&out->wanted.conditions, "Ready", CONDITION_FALSE, reason, message);
	out->write_status = true;
}

void want_stall(struct rollout_result *out, const char *reason, const char *message)
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

enum standing target_standing(struct pass *pass, const struct node *node)
{
	return node_standing_of_many(node, pass->rules, pass->s->server_version, &pass->standings);
}

static enum target_kind kind_of(struct pass *pass, const struct target_pass *target)
{
	if (!target->view->node)
		return TARGET_GONE;
	if (target->state)
		return step_ended((enum step)target->state->step) ? TARGET_ENDED : TARGET_WORKING;
	if (target->granted)
		return TARGET_WORKING;
	if (failure_listed(&pass->s->rollout->status, target->view->target->node_uid))
		return TARGET_ENDED; /* somebody took its state away, to free the node: it has failed all the same */
	if (target->view->target->exception)
		return TARGET_EXCEPTED;
	if (target_standing(pass, target->view->node) != STANDING_OUTDATED)
		return TARGET_UP_TO_DATE;
	return target_exception(pass->s, target->view) ? TARGET_EXCEPTED : TARGET_PENDING;
}

/* One that turned bad while its wave soaked has failed all the same. */
bool target_patched(const struct pass *pass, const struct target_pass *target)
{
	return target->kind == TARGET_ENDED && target->ended == STEP_PATCHED &&
	       !failure_listed(pass->want, target->view->target->node_uid);
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
		target->state = node_state_of(view->node, uid);
		target->kind = kind_of(pass, target);
		if (target->kind == TARGET_ENDED)
			target->ended = target->state ? (enum step)target->state->step : STEP_FAILED;
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
		bool patched = target_patched(pass, target), bad = target_bad(pass, target);
		counts.patched += patched;
		counts.failed += (bad && ended != STEP_ROLLED_BACK) || (ended == STEP_PATCHED && !patched);
		counts.rolled_back += bad && ended == STEP_ROLLED_BACK;
		counts.skipped += ended == STEP_SKIPPED || (step_bad(ended) && !bad) || target->kind == TARGET_GONE ||
		                  target->kind == TARGET_UP_TO_DATE;
		counts.excepted += target->kind == TARGET_EXCEPTED;
	}
	counts.pending = counts.total - counts.active - counts.patched - counts.failed - counts.rolled_back -
	                 counts.skipped - counts.excepted;
	if (counts.pending < 0)
		counts.pending = 0;
	pass->want->counts = counts;
	pass->want->progress = plan_printf(pass->arena, "%lld/%lld", (long long)counts.patched, (long long)counts.total);
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

static void make_room(struct pass *pass, size_t working)
{
	struct rollout_status *want = pass->want;
	const struct rollout_status *status = &pass->s->rollout->status;

	want->active.items = plan_alloc(pass->arena, (working + MAX_ACTIVE) * sizeof(*want->active.items));
	want->active.count = 0;
	want->failed.items = plan_alloc(pass->arena, MAX_FAILED * sizeof(*want->failed.items));
	want->failed.count = status->failed.count < MAX_FAILED ? status->failed.count : MAX_FAILED;
	if (want->failed.count)
		memcpy(want->failed.items, status->failed.items, want->failed.count * sizeof(*want->failed.items));
}

/* What people, and the policy, want of it now. */
static void set_course(struct pass *pass)
{
	const struct rollout_snapshot *s = pass->s;
	const char *name = s->rollout->object.name;

	pass->superseded = s->policy && strcmp(s->policy->hash, s->plan->policy_hash) != 0;
	pass->suspended = s->policy && s->policy->suspend;
	pass->abort_reason = why_abort(s);
	if (pass->abort_reason)
		decide(pass, DECISION_ABORT, name, 1, "deletion", "Deleted", pass->abort_reason);
	else
		intent_look(pass);
	pass->aborting = pass->abort_reason != NULL;
	if (pass->superseded && !pass->aborting)
		decide(pass, DECISION_SUPERSEDE, name, 1, "policyHash", "PolicyChanged",
		       plan_printf(pass->arena, "policy hash %.12s became %.12s", s->plan->policy_hash, s->policy->hash));
}

static bool resting(const struct pass *pass)
{
	return pass->superseded || pass->suspended || pass->paused;
}

/* The first that applies of what lets nothing new begin. */
static void tell_running(struct pass *pass, bool halted)
{
	if (pass->aborting)
		want_running(pass, "Aborting", "Aborting");
	else if (halted)
		want_running(pass, "Halted", "Halted");
	else if (pass->paused)
		want_running(pass, "Paused", pass->paused);
	else if (pass->superseded)
		want_running(pass, "Superseded", "Superseded");
	else if (pass->suspended)
		want_running(pass, "Suspended", "Suspended");
	else
		want_running(pass, NULL, NULL);
}

static void run(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct pass pass = {.s = s, .rules = s->plan->rules, .arena = arena, .out = out, .want = &out->wanted};

	set_course(&pass);
	if (!s->rollout->finalizer && s->rollout->object.deleted_ms == KUBE_TIME_NONE)
		finalize_rollout(s, arena, out, true); /* somebody took it off, and there is still something to put away */
	make_room(&pass, look_at_targets(&pass));
	exceptions_tell(&pass);
	rooms_init(&pass);
	start_look(&pass);
	pass.stopping = resting(&pass) || rollout_halted(&pass);
	advance_targets(&pass);
	pass.stopping = resting(&pass) || rollout_halted(&pass);
	waves_advance(&pass);
	approvals_look(&pass);

	bool halted = rollout_halted(&pass);
	pass.stopping = resting(&pass) || halted;
	if (!pass.aborting && !pass.stopping)
		grant_targets(&pass);
	count_targets(&pass);
	enum outcome outcome = pass.want->active.count ? OUTCOME_NONE : outcome_now(&pass, halted);
	if (outcome != OUTCOME_NONE)
		want_outcome(&pass, outcome);
	else
		tell_running(&pass, halted);
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

	carry_over(s, arena, &out);
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
		want_stall(
		    &out, "Restored",
		    "this PatchRollout was made from a copy of another one's status: delete it, a new one is planned from "
		    "the policy");
	} else if (problem) {
		want_stall(&out, "PlanUnreadable", plan_printf(arena, "the frozen plan cannot be used: %s", problem));
	} else {
		run(s, arena, &out);
	}
	*ret_result = out;
}
