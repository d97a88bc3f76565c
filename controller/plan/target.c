/*
 * One target's life: Claimed → Draining → Patching → Verifying → Settling → Patched, and the ways out.
 *
 * The step on the node's annotation is the truth. Steps forward are one write to the node. A way out (failure,
 * roll-back, quarantine, skip) is decided in status.active first (entry_settle), with its decision, and written to the
 * node when the snapshot shows that.
 */
#include "controller/plan/internal.h"
#include <string.h>

/* A drain that is blocked for this long is told as a decision and an Event, not only in blockedBy. */
#define WAIT_DECISION_AFTER_MS (10 * 1000)

/* ---- small pieces ---- */

bool patch_needed(const struct pass *pass, const struct node_state *state, size_t patch)
{
	const char *from = patch < state->from.count ? state->from.items[patch] : NULL;
	return version_standing(from, &pass->rules->patches.items[patch]) == STANDING_OUTDATED;
}

static size_t next_patch(const struct pass *pass, const struct node_state *state, size_t from)
{
	size_t patch = from;
	while (patch < pass->rules->patches.count && !patch_needed(pass, state, patch))
		patch++;
	return patch;
}

struct node_state *state_next(const struct pass *pass, const struct target_pass *target, enum step step)
{
	struct node_state *state = plan_alloc(pass->arena, sizeof(*state));
	*state = *target->state;
	state->step = step;
	state->since_ms = pass->s->now_ms;
	if (state->times[step] == KUBE_TIME_NONE)
		state->times[step] = pass->s->now_ms;
	return state;
}

void state_add_exit(const struct pass *pass, struct node_state *state, const char *step, size_t patch,
                    int64_t exit_code)
{
	const char **items = plan_alloc(pass->arena, (state->exits.count + 1) * sizeof(*items));
	if (state->exits.count)
		memcpy(items, state->exits.items, state->exits.count * sizeof(*items));
	items[state->exits.count++] = plan_printf(pass->arena, "%s/%zu=%lld", step, patch, (long long)exit_code);
	state->exits.items = items;
}

struct action *write_node(struct pass *pass, const struct target_pass *target, const struct node_state *state,
                          enum change cordon)
{
	struct action *action = plan_add_action(&pass->out->actions, ACTION_PATCH_NODE, pass->arena);
	action->node = (struct node_write){.node = target->view->node, .state = state, .cordon = cordon};
	return action;
}

void entry_keep(struct pass *pass, const struct active *entry)
{
	pass->want->active.items[pass->want->active.count++] = *entry;
	if (!entry->blocked_by.kind)
		return;
	pass->waiting_on++;
	if (!pass->first_blocker)
		pass->first_blocker = &pass->want->active.items[pass->want->active.count - 1].blocked_by;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Blocked by the same object on the same pod: it has been so since then. */
static bool same_blocker(const struct blocker *a, const struct blocker *b)
{
	return a->kind && b->kind && same_text(a->kind, b->kind) && same_text(a->namespace_, b->namespace_) &&
	       same_text(a->name, b->name) && same_text(a->pod, b->pod);
}

static const char *blocker_text(const struct pass *pass, const struct blocker *b)
{
	const char *slash = b->namespace_ && *b->namespace_ ? "/" : "";
	return plan_printf(pass->arena, "%s %s%s%s: %s", b->kind, b->namespace_ ? b->namespace_ : "", slash,
	                   b->name ? b->name : "", b->message);
}

void entry_block(struct pass *pass, const struct target_pass *target, struct active *entry,
                 const struct blocker *blocker)
{
	const struct blocker *before = target->granted ? &target->granted->blocked_by : NULL;
	entry->blocked_by = *blocker;
	if (!blocker->kind)
		return;
	entry->blocked_by.since_ms = before && same_blocker(before, blocker) ? before->since_ms : pass->s->now_ms;
	if (pass->s->now_ms - entry->blocked_by.since_ms < WAIT_DECISION_AFTER_MS) {
		look_again_at(pass->out, entry->blocked_by.since_ms + WAIT_DECISION_AFTER_MS);
		return;
	}
	decide(pass, DECISION_WAIT, entry->node, entry->attempt, "drain", "DrainBlocked",
	       plan_printf(pass->arena, "pod %s on %s cannot leave, by %s", blocker->pod ? blocker->pod : "", entry->node,
	                   blocker_text(pass, blocker)));
}

void entry_settle(struct active *entry, enum step step, const char *reason, const char *message)
{
	entry->step = (int)step;
	entry->reason = reason;
	entry->message = message;
	entry->blocked_by = (struct blocker){0};
}

static void write_event(struct pass *pass, const struct target_pass *target, bool warning, const char *reason,
                        const char *note)
{
	emit_event(pass, &target->view->node->object, warning, reason, "Patch", note);
}

/* ---- failure ---- */

/* Whether a job may have changed the host: before that, undoing the cordon is all there is to do. */
static bool host_touched(const struct target_pass *target, const char *reason)
{
	if (target->state->step == STEP_DRAINING)
		return false;
	return strcmp(reason, "JobNotCreated") != 0 || target->state->exits.count > 0;
}

static enum step way_out(const struct pass *pass, const struct target_pass *target, const char *reason)
{
	if (!host_touched(target, reason))
		return STEP_FAILED;
	if (!pass->aborting && rollback_first(pass, target) >= 0)
		return STEP_ROLLING_BACK;
	if (pass->aborting || pass->rules->on_failure == ON_FAILURE_UNCORDON)
		return STEP_FAILED;
	return STEP_QUARANTINED;
}

static void add_failure(struct pass *pass, const struct target_pass *target, const char *reason, const char *message)
{
	struct rollout_wanted *want = pass->want;
	if (want->failed.count == MAX_FAILED)
		return;
	want->failed.items[want->failed.count++] = (struct failure){
	    .node = target->view->target->node,
	    .node_uid = target->view->target->node_uid,
	    .wave = target->wave->name,
	    .step = target->state->step,
	    .reason = reason,
	    .message = message,
	    .at_ms = pass->s->now_ms,
	};
}

static void fail_target(struct pass *pass, const struct target_pass *target, struct active *entry, const char *reason,
                        const char *message)
{
	enum step next = way_out(pass, target, reason);
	const char *rule = step_names[target->state->step];

	add_failure(pass, target, reason, message);
	decide(pass, DECISION_FAIL, entry->node, entry->attempt, rule, reason, message);
	if (next == STEP_ROLLING_BACK)
		decide(pass, DECISION_ROLL_BACK, entry->node, entry->attempt, "rollback", reason,
		       "the patches have rollback jobs");
	if (next == STEP_QUARANTINED)
		decide(pass, DECISION_QUARANTINE, entry->node, entry->attempt, "onFailure", reason,
		       "no rollback job: the node stays cordoned and is tainted " PW_TAINT_QUARANTINED);
	entry_settle(entry, next, reason, message);
	write_event(pass, target, true, reason, message);
	emit_event(pass, &pass->s->rollout->object, true, "TargetFailed", "Fail",
	           plan_printf(pass->arena, "%s: %s", entry->node, message));
}

/* Gives a target back that is not to be carried on. */
static void give_back(struct pass *pass, struct active *entry, const char *reason, const char *message)
{
	decide(pass, DECISION_SKIP, entry->node, entry->attempt, "target", reason, message);
	entry_settle(entry, STEP_SKIPPED, reason, message);
}

/* ---- the node follows what was decided ---- */

static enum change undo_cordon(const struct target_pass *target)
{
	return target->state->foreign_cordon || target->view->node->quarantined ? CHANGE_NONE : CHANGE_OFF;
}

/* A job that failed is there still: its finalizer stays on until the node has followed. */
static void note_exit(const struct pass *pass, const struct target_pass *target, struct node_state *state)
{
	int64_t exit_code = 0;
	const char *step = target->state->step == STEP_PATCHING       ? "job"
	                   : target->state->step == STEP_ROLLING_BACK ? "rollback"
	                                                              : NULL;

	if (step && job_exit_code(pass, target, (size_t)target->state->patch, step, &exit_code))
		state_add_exit(pass, state, step, (size_t)target->state->patch, exit_code);
}

static void follow_decision(struct pass *pass, const struct target_pass *target)
{
	const struct active *granted = target->granted;
	struct node_state *state = state_next(pass, target, (enum step)granted->step);
	struct action *action = write_node(pass, target, state, CHANGE_ON);

	state->reason = granted->reason;
	state->message = granted->message;
	if (target->state->failed_step == STEP_NONE)
		state->failed_step = target->state->step;
	note_exit(pass, target, state);
	if (granted->step == STEP_ROLLING_BACK) {
		state->patch = rollback_first(pass, target);
		state->attempt = 1;
		return;
	}
	if (granted->step == STEP_QUARANTINED) {
		action->node.quarantine = CHANGE_ON;
		return;
	}
	action->node.cordon = undo_cordon(target);
}

/* ---- steps ---- */

const struct rollout *record_holder(const struct pass *pass, const struct node *node)
{
	for (size_t i = 0; node->state && i < pass->s->other_count; i++)
		if (!strcmp(pass->s->rollouts[i]->object.uid, node->state->rollout_uid))
			return rollout_done(pass->s->rollouts[i]) ? NULL : pass->s->rollouts[i];
	return NULL;
}

/* Another rollout still holds the node, or its record of it; or there is a state that nobody can read. */
static bool held_by_other(struct pass *pass, const struct target_pass *target, struct blocker *ret_blocker)
{
	const struct node *node = target->view->node;
	if (node->state_text && !node->state) {
		*ret_blocker = (struct blocker){
		    .kind = "Node",
		    .name = node->object.name,
		    .message =
		        plan_printf(pass->arena,
		                    "its annotation " PW_ANNOTATION_STATE
		                    " cannot be read (%s): remove the annotation, and uncordon the node if nobody else did",
		                    node->state_error ? node->state_error : "unknown reason"),
		};
		return true;
	}
	const struct rollout *other = record_holder(pass, node);
	if (!other)
		return false;
	*ret_blocker = (struct blocker){
	    .kind = "PatchRollout",
	    .name = other->object.name,
	    .message = plan_printf(pass->arena, "works on this node (%s)", step_names[node->state->step]),
	};
	return true;
}

static struct node_state *first_state(struct pass *pass, const struct target_pass *target)
{
	const struct node *node = target->view->node;
	struct node_state *state = plan_alloc(pass->arena, sizeof(*state));
	const char **from = plan_alloc(pass->arena, pass->rules->patches.count * sizeof(*from));
	/* A state that nobody works on any more may have been left behind with our cordon. */
	bool our_cordon = node->state && !node->state->foreign_cordon &&
	                  (explains_quarantine(node) || !step_ended((enum step)node->state->step));

	for (size_t i = 0; i < pass->rules->patches.count; i++) {
		const char *shown = node_observed(node, &pass->rules->patches.items[i].observed);
		from[i] = shown ? shown : "";
	}
	*state = (struct node_state){
	    .node_uid = node->object.uid,
	    .rollout_uid = pass->s->rollout->object.uid,
	    .rollout = pass->s->rollout->object.name,
	    .wave = target->wave->name,
	    .step = pass->rules->drain.enabled ? STEP_DRAINING : STEP_PATCHING,
	    .attempt = 1,
	    .since_ms = pass->s->now_ms,
	    .started_ms = pass->s->now_ms,
	    .foreign_cordon = node->unschedulable && !our_cordon,
	    .boot_id = node->boot_id,
	    .from = {.items = from, .count = pass->rules->patches.count},
	};
	for (size_t i = 0; i < STEP_COUNT; i++)
		state->times[i] = KUBE_TIME_NONE;
	state->times[STEP_CLAIMED] = state->times[state->step] = pass->s->now_ms;
	state->patch = (int64_t)next_patch(pass, state, 0);
	return state;
}

/* Where a node goes on whose state somebody took away. What it showed before is lost, so nothing can be rolled back. */
static enum step step_without_state(const struct pass *pass, const struct target_pass *target)
{
	const struct active *granted = target->granted;
	if (granted->reason)
		return granted->step == STEP_ROLLING_BACK ? STEP_QUARANTINED : (enum step)granted->step;
	if (pass->aborting)
		return STEP_SKIPPED;
	if (node_standing(target->view->node, pass->rules) != STANDING_OUTDATED)
		return STEP_SETTLING;
	return pass->rules->drain.enabled ? STEP_DRAINING : STEP_PATCHING;
}

/* The grant still knows whose the cordon is. */
static void claim_again(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct node *node = target->view->node;
	struct node_state *state = first_state(pass, target);
	struct action *action = write_node(pass, target, state, CHANGE_ON);

	action->node.claim = true;
	state->step = (int)step_without_state(pass, target);
	state->times[state->step] = pass->s->now_ms;
	state->foreign_cordon = target->granted->foreign_cordon;
	state->reason = target->granted->reason;
	state->message = target->granted->message;
	if ((size_t)state->patch >= pass->rules->patches.count)
		state->patch = 0;
	if (state->step == STEP_QUARANTINED) {
		action->node.quarantine = CHANGE_ON;
		decide(pass, DECISION_ROLLBACK_IMPOSSIBLE, entry->node, entry->attempt, "rollback", "StateLost",
		       "somebody removed the annotation " PW_ANNOTATION_STATE ", and with it the earlier versions");
	} else if (state->step != STEP_DRAINING && state->step != STEP_PATCHING) {
		action->node.cordon = state->foreign_cordon || node->quarantined ? CHANGE_NONE : CHANGE_OFF;
	}
	entry_keep(pass, entry);
}

/* The claim and the cordon are one write, with the node's resourceVersion. */
static void claim(struct pass *pass, struct target_pass *target, struct active *entry)
{
	struct blocker blocker = {0};

	bool began = target->granted->step != STEP_CLAIMED;
	bool overdrawn = target->granted->foreign_cordon && !target->view->node->unschedulable;
	if (began && !target->view->node->state_text) {
		claim_again(pass, target, entry);
		return;
	}
	/* Nothing was touched: the grant just goes. One that cost nothing, because the node was cordoned, is asked for anew
	 * when it is not any more. */
	if (pass->aborting || pass->stopping || overdrawn)
		return;
	if (node_standing(target->view->node, pass->rules) != STANDING_OUTDATED) {
		decide(pass, DECISION_SKIP, entry->node, entry->attempt, "target", "NotOutdated",
		       "the node shows the wanted version, or a newer one, by now");
		return;
	}
	if (held_by_other(pass, target, &blocker)) {
		entry_block(pass, target, entry, &blocker);
		entry_keep(pass, entry);
		return;
	}
	struct action *action = write_node(pass, target, first_state(pass, target), CHANGE_ON);
	action->node.claim = true;
	entry_keep(pass, entry);
}

static bool rebooted(const struct target_pass *target)
{
	const char *before = target->state->boot_id, *now = target->view->node->boot_id;
	return before && *before && now && *now && strcmp(before, now) != 0;
}

static void fail_rebooted(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	fail_target(pass, target, entry, "UnexpectedReboot",
	            plan_printf(pass->arena, "the node was rebooted while it was patched: boot ID %s became %s",
	                        target->state->boot_id, target->view->node->boot_id));
}

static void step_draining(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct node_state *state = target->state;
	struct drain_view drain;

	if (!target->view->node->unschedulable) {
		give_back(pass, entry, "ForeignUncordon", "somebody uncordoned the node before it was patched");
		return;
	}
	if (pass->aborting) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return;
	}
	if (rebooted(target)) {
		fail_rebooted(pass, target, entry);
		return;
	}
	drain_target(pass, target, &drain);
	if (pass->superseded && drain.blocker.kind) { /* what is in the way may be what the policy was changed for */
		give_back(pass, entry, "Superseded", "the policy was changed while pods were in the way of the drain");
		return;
	}
	entry_block(pass, target, entry, &drain.blocker);
	if (drain.remaining == 0) {
		write_node(pass, target, state_next(pass, target, STEP_PATCHING), CHANGE_NONE);
		return;
	}
	if (pass->s->now_ms - state->since_ms < pass->rules->drain.timeout_ms) {
		look_again_at(pass->out, state->since_ms + pass->rules->drain.timeout_ms);
		return;
	}
	char limit[KUBE_DURATION_TEXT_SIZE];
	fail_target(pass, target, entry, "DrainTimeout",
	            plan_printf(pass->arena, "%zu pods had not left after %s%s%s", drain.remaining,
	                        kube_duration_format(pass->rules->drain.timeout_ms, limit),
	                        drain.blocker.kind ? "; in the way is " : "",
	                        drain.blocker.kind ? blocker_text(pass, &drain.blocker) : ""));
}

/* Every patch that was to be done shows its version. */
static bool verified(const struct pass *pass, const struct target_pass *target)
{
	for (size_t i = 0; i < pass->rules->patches.count; i++)
		if (patch_needed(pass, target->state, i) &&
		    patch_standing(target->view->node, &pass->rules->patches.items[i]) != STANDING_UP_TO_DATE)
			return false;
	return true;
}

static void tell_patched(struct pass *pass, const struct target_pass *target)
{
	const struct node_state *state = target->state;
	const struct patch *first = &pass->rules->patches.items[next_patch(pass, state, 0) % pass->rules->patches.count];
	char took[KUBE_DURATION_TEXT_SIZE];

	write_event(pass, target, false, "Patched",
	            plan_printf(pass->arena, "%s is at %s after %s (PatchRollout %s, wave %s)",
	                        component_names[first->component], shown_version(target->view->node, first),
	                        kube_duration_format((pass->s->now_ms - state->started_ms) / 1000 * 1000, took),
	                        pass->s->rollout->object.name, state->wave));
}

/* Where a node goes that shows its versions and is Ready: Settling, which takes no time when nothing is asked for. */
static enum step after_verifying(struct pass *pass, const struct target_pass *target)
{
	if (pass->rules->settle_ready_for_ms > 0)
		return STEP_SETTLING;
	tell_patched(pass, target);
	return STEP_PATCHED;
}

/* Open for pods again, also out of an earlier quarantine: it shows its versions. */
static void write_patched(struct pass *pass, const struct target_pass *target, const struct node_state *state)
{
	struct action *action = write_node(pass, target, state, target->state->foreign_cordon ? CHANGE_NONE : CHANGE_OFF);
	action->node.quarantine = target->view->node->quarantined ? CHANGE_OFF : CHANGE_NONE;
}

/* Onwards with the uncordon, at once where the version shows already: a step that has nothing to wait for costs no
 * write. */
static void leave_patching(struct pass *pass, const struct target_pass *target, int64_t exit_code)
{
	size_t done = (size_t)target->state->patch, next = next_patch(pass, target->state, done + 1);
	bool more = next < pass->rules->patches.count;
	bool settled = !more && verified(pass, target) && target->view->node->ready;
	struct node_state *state = state_next(pass, target,
	                                      more      ? STEP_PATCHING
	                                      : settled ? after_verifying(pass, target)
	                                                : STEP_VERIFYING);

	if (more)
		state->patch = (int64_t)next;
	state_add_exit(pass, state, "job", done, exit_code);
	if (settled)
		write_patched(pass, target, state);
	else
		write_node(pass, target, state, CHANGE_NONE);
}

/* Pods may come while the host is being changed; whoever uncordoned the node has decided that. */
static void note_uncordon(struct pass *pass, const struct target_pass *target, const struct active *entry)
{
	if (!target->view->node->unschedulable)
		decide(pass, DECISION_OVERRIDE, entry->node, entry->attempt, "cordon", "ForeignUncordon",
		       "somebody uncordoned the node while it is patched: it goes on, and is not cordoned again");
}

static void step_patching(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	struct job_view job;

	if ((size_t)target->state->patch >= pass->rules->patches.count) {
		fail_target(pass, target, entry, "StateUnusable", "the node's state names a patch that the plan does not have");
		return;
	}
	if (rebooted(target)) { /* before the job: what dies with its node has not failed by itself */
		fail_rebooted(pass, target, entry);
		return;
	}
	note_uncordon(pass, target, entry);
	job_run(pass, target, (size_t)target->state->patch, "job", &job);
	if (job.exists) {
		entry->job_name = job.name;
		entry->job_uid = job.uid;
	}
	if (job.progress == JOB_FAILED) {
		fail_target(pass, target, entry, job.reason, job.message);
		return;
	}
	bool may_come = !job.exists && target->view->job_busy;
	if (pass->aborting && !may_come && (!job.exists || job.progress == JOB_DONE)) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return;
	}
	if (job.progress == JOB_DONE)
		leave_patching(pass, target, job.exit_code);
}

static int64_t observe_timeout(const struct pass *pass, const struct node_state *state)
{
	int64_t longest = 0;
	for (size_t i = 0; i < pass->rules->patches.count; i++) {
		int64_t timeout = pass->rules->patches.items[i].observe_timeout_ms;
		if (patch_needed(pass, state, i) && timeout > longest)
			longest = timeout;
	}
	return longest;
}

static void fail_not_observed(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	for (size_t i = 0; i < pass->rules->patches.count; i++) {
		const struct patch *patch = &pass->rules->patches.items[i];
		if (!patch_needed(pass, target->state, i) || patch_standing(target->view->node, patch) == STANDING_UP_TO_DATE)
			continue;
		fail_target(pass, target, entry, "VersionNotObserved",
		            plan_printf(pass->arena, "the job ended well, but %s is not at %s: the node shows %s",
		                        component_names[patch->component], patch->version,
		                        shown_version(target->view->node, patch)));
		return;
	}
	fail_target(pass, target, entry, "NodeNotReady",
	            "the node shows the wanted version, but did not become Ready in time");
}

static void step_verifying(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	int64_t deadline = target->state->since_ms + observe_timeout(pass, target->state);

	if (pass->aborting) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return;
	}
	if (rebooted(target)) {
		fail_rebooted(pass, target, entry);
		return;
	}
	note_uncordon(pass, target, entry);
	if (verified(pass, target) && target->view->node->ready) {
		write_patched(pass, target, state_next(pass, target, after_verifying(pass, target)));
		return;
	}
	if (pass->s->now_ms >= deadline)
		fail_not_observed(pass, target, entry);
	else
		look_again_at(pass->out, deadline);
}

static void patched(struct pass *pass, const struct target_pass *target)
{
	write_node(pass, target, state_next(pass, target, STEP_PATCHED), CHANGE_NONE);
	tell_patched(pass, target);
}

static void step_settling(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct node *node = target->view->node;
	const struct node_state *state = target->state;
	int64_t deadline = state->since_ms + pass->rules->settle_timeout_ms;
	int64_t quiet_since = node->ready_since_ms > state->since_ms ? node->ready_since_ms : state->since_ms;
	int64_t settled_at = quiet_since + pass->rules->settle_ready_for_ms;

	if (!verified(pass, target)) {
		fail_not_observed(pass, target, entry);
		return;
	}
	if (node->ready && pass->s->now_ms >= settled_at) {
		patched(pass, target);
		return;
	}
	if (pass->aborting) { /* it is uncordoned already */
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return;
	}
	if (pass->s->now_ms >= deadline) {
		fail_target(pass, target, entry, "NotSettled",
		            node->ready ? "the node was not Ready for long enough in a row" : "the node is not Ready");
		return;
	}
	look_again_at(pass->out, node->ready && settled_at < deadline ? settled_at : deadline);
}

/* ---- the whole ---- */

static struct active entry_of(const struct target_pass *target)
{
	const struct node_state *state = target->state;
	struct active entry = {0};

	if (target->granted)
		entry = *target->granted;
	else
		entry = (struct active){.node = target->view->target->node,
		                        .node_uid = target->view->target->node_uid,
		                        .wave = target->wave->name,
		                        .attempt = 1};
	entry.blocked_by = (struct blocker){0};
	if (!state)
		return entry;
	bool decided = target->granted && target->granted->reason;
	if (!decided)
		entry.step = state->step;
	entry.since_ms = state->since_ms;
	entry.attempt = state->attempt;
	entry.foreign_cordon = state->foreign_cordon;
	if (!decided && state->reason) {
		entry.reason = state->reason;
		entry.message = state->message;
	}
	if (state->step != STEP_PATCHING && state->step != STEP_ROLLING_BACK)
		entry.job_name = entry.job_uid = NULL;
	return entry;
}

static void take_step(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	switch ((enum step)target->state->step) {
	case STEP_DRAINING: step_draining(pass, target, entry); break;
	case STEP_PATCHING: step_patching(pass, target, entry); break;
	case STEP_VERIFYING: step_verifying(pass, target, entry); break;
	case STEP_SETTLING: step_settling(pass, target, entry); break;
	case STEP_ROLLING_BACK: target_roll_back(pass, target, entry); break;
	case STEP_NONE:
	case STEP_CLAIMED:
		give_back(pass, entry, "StateUnusable", "the node's state names a step that no node is ever in");
		break;
	case STEP_PATCHED:
	case STEP_FAILED:
	case STEP_ROLLED_BACK:
	case STEP_QUARANTINED:
	case STEP_SKIPPED:
	case STEP_COUNT: break;
	}
}

void target_advance(struct pass *pass, struct target_pass *target)
{
	struct active entry = entry_of(target);

	if (!target->granted || target->view->busy) {
		if (target->granted)
			entry.blocked_by = target->granted->blocked_by;
		entry_keep(pass, &entry); /* a grant that was lost with a status is written again before anything is done */
		return;
	}
	if (!target->state) {
		claim(pass, target, &entry);
		return;
	}
	if (target->granted->reason && target->granted->step != target->state->step)
		follow_decision(pass, target);
	else
		take_step(pass, target, &entry);
	entry_keep(pass, &entry);
}

/* The job that a target works with now: its result is not on the node yet. */
static const char *current_job(const struct pass *pass, const struct target_pass *target)
{
	const struct node_state *state = target->state;
	if (!state || target->kind != TARGET_WORKING || state->patch < 0)
		return "";
	if (state->step == STEP_PATCHING)
		return job_pod_name(pass->s->rollout, target->view->target->node_uid, (size_t)state->patch, "job",
		                    state->attempt, pass->arena);
	if (state->step == STEP_ROLLING_BACK)
		return job_pod_name(pass->s->rollout, target->view->target->node_uid, (size_t)state->patch, "rollback",
		                    state->attempt, pass->arena);
	return "";
}

void target_release_jobs(struct pass *pass, const struct target_pass *target)
{
	const char *current = target->view->job_count ? current_job(pass, target) : "";

	for (size_t i = 0; i < target->view->job_count; i++) {
		const struct pod_view *job = &target->view->jobs[i];
		if (!job->pod->job_finalizer || job->busy || !strcmp(job->pod->object.name, current))
			continue;
		plan_add_action(&pass->out->actions, ACTION_RELEASE_JOB, pass->arena)->pod = job->pod;
	}
}
