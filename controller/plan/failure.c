/*
 * Ways out of a target: a failure (roll-back, quarantine or uncordon), or giving it back. Each is decided in
 * status.active first, with its decision; the node follows when the snapshot shows that.
 */
#include "controller/plan/step.h"
#include <string.h>

static bool job_ran(const struct node_state *state)
{
	for (size_t i = 0; i < state->exits.count; i++)
		if (!strncmp(state->exits.items[i], "job/", strlen("job/")))
			return true;
	return false;
}

/* Whether a job may have changed the host: before that, undoing the cordon is all there is to do. */
static bool host_touched(const struct target_pass *target, const char *reason)
{
	if (target->state->step == STEP_DRAINING || target->state->step == STEP_PREPARING)
		return false;
	return strcmp(reason, "JobNotCreated") != 0 || job_ran(target->state);
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

/* Where there is no room, a failure takes the place of a target that was left behind: only the first of these is asked
 * for, by the policy. */
static struct failure *room_for(struct rollout_status *want, const char *reason)
{
	if (want->failed.count < MAX_FAILED)
		return &want->failed.items[want->failed.count++];
	for (size_t i = want->failed.count - 1; i > 0 && !left_behind(reason); i--)
		if (left_behind(want->failed.items[i].reason))
			return &want->failed.items[i];
	return NULL;
}

bool list_failure(struct pass *pass, const struct target_pass *target, const char *reason, const char *message)
{
	struct failure *failure = room_for(pass->want, reason);
	if (!failure)
		return false;
	*failure = (struct failure){
	    .node = target->view->target->node,
	    .node_uid = target->view->target->node_uid,
	    .wave = target->wave->name,
	    .step = target->state->step,
	    .reason = reason,
	    .message = message,
	    .at_ms = pass->s->now_ms,
	};
	return true;
}

void fail_target(struct pass *pass, const struct target_pass *target, struct active *entry, const char *reason,
                 const char *message)
{
	enum step next = way_out(pass, target, reason);
	const char *rule = step_names[target->state->step];

	list_failure(pass, target, reason, message);
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
void give_back(struct pass *pass, struct active *entry, const char *reason, const char *message)
{
	decide(pass, DECISION_SKIP, entry->node, entry->attempt, "target", reason, message);
	entry_settle(entry, STEP_SKIPPED, reason, message);
}

/* ---- the node follows what was decided ---- */

static enum change undo_cordon(const struct target_pass *target)
{
	return cordon_ours(target->state) && !target->view->node->quarantined ? CHANGE_OFF : CHANGE_NONE;
}

/* A job that failed is there still: its finalizer stays on until the node has followed. */
static void note_exit(const struct pass *pass, const struct target_pass *target, struct node_state *state)
{
	int64_t exit_code = 0;
	bool noted = target->state->step == STEP_REBOOTING; /* when that began */
	const char *step = noted ? NULL : job_word((enum step)target->state->step);

	if (step && job_exit_code(pass, target, (size_t)target->state->patch, step, &exit_code))
		state_add_exit(pass, state, step, (size_t)target->state->patch, exit_code);
}

void follow_decision(struct pass *pass, const struct target_pass *target)
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
	if (target->view->node->quarantined)
		state->message = plan_printf(pass->arena, "it was quarantined before, and stays so%s%s",
		                             granted->message ? "; " : "", granted->message ? granted->message : "");
}
