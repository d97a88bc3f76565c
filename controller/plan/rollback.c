/*
 * Taking one target back: the rollback jobs of the patches that were attempted, last first, on a drained node, until
 * the node shows what it showed at the claim. Bounded as a whole by rollback.timeout; what fails here ends in
 * quarantine.
 */
#include "controller/model/version.h"
#include "controller/plan/step.h"
#include <string.h>

/* The last patch at or below `highest` that was attempted and can be taken back. */
static int64_t rollback_below(const struct pass *pass, const struct node_state *state, int64_t highest)
{
	for (int64_t i = highest; i >= 0; i--)
		if ((size_t)i < pass->rules->patches.count && patch_needed(pass, state, (size_t)i) &&
		    pass->rules->patches.items[i].rollback)
			return i;
	return -1;
}

int64_t rollback_first(const struct pass *pass, const struct target_pass *target)
{
	const struct node_state *state = target->state;
	bool all = state->step == STEP_VERIFYING || state->step == STEP_SETTLING; /* there it names no patch in work */

	return rollback_below(pass, state, all ? (int64_t)pass->rules->patches.count - 1 : state->patch);
}

/* Every patch that can be taken back shows its old version. What no node shows was not noted yet. */
static bool returned(const struct pass *pass, const struct target_pass *target, const char **ret_wrong)
{
	const struct node_state *state = target->state;
	for (size_t i = 0; i < pass->rules->patches.count; i++) {
		const struct patch *patch = &pass->rules->patches.items[i];
		if (!patch_needed(pass, state, i) || !patch->rollback || patch->applied)
			continue;
		const char *shown = shown_version(target->view->node, patch);
		if (version_equal(shown, state->from.items[i]))
			continue;
		*ret_wrong = plan_printf(pass->arena, "%s shows %s, not %s", component_names[patch->component], shown,
		                         state->from.items[i]);
		return false;
	}
	return true;
}

static void fail_rollback(struct pass *pass, const struct target_pass *target, struct active *entry, const char *reason,
                          const char *message)
{
	decide(pass, DECISION_ROLL_BACK_FAILED, entry->node, entry->attempt, "rollback", reason, message);
	decide(pass, DECISION_QUARANTINE, entry->node, entry->attempt, "rollback", reason,
	       "the node stays cordoned and is tainted " PW_TAINT_QUARANTINED);
	emit_event(pass, &target->view->node->object, true, reason, "RollBack", message);
	entry_settle(entry, STEP_QUARANTINED, reason, message);
}

static void finish_rollback(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	decide(pass, DECISION_ROLL_BACK_DONE, entry->node, entry->attempt, "rollback",
	       target->state->reason ? target->state->reason : "Failed",
	       "the rollback jobs ended well and the node shows its earlier versions");
	emit_event(pass, &target->view->node->object, false, "RolledBack", "RollBack",
	           "the node shows its earlier versions again");
	entry_settle(entry, STEP_ROLLED_BACK, target->state->reason ? target->state->reason : "Failed",
	             target->state->message);
}

static void after_job(struct pass *pass, const struct target_pass *target, struct active *entry, int64_t exit_code,
                      const char **ret_wrong)
{
	size_t done = (size_t)target->state->patch;
	int64_t next = rollback_below(pass, target->state, target->state->patch - 1);

	if (next >= 0) {
		struct node_state *state = state_next(pass, target, STEP_ROLLING_BACK);
		state->patch = next;
		state->attempt = 1;
		state_add_exit(pass, state, "rollback", done, exit_code);
		write_node(pass, target, state, CHANGE_NONE);
		return;
	}
	if (target->view->node->ready && returned(pass, target, ret_wrong))
		finish_rollback(pass, target, entry);
}

void target_roll_back(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct node_state *state = target->state;
	int64_t began = state->times[STEP_ROLLING_BACK]; /* absent where the annotation had no room for it */
	int64_t deadline = (began == KUBE_TIME_NONE ? state->since_ms : began) + pass->rules->rollback_timeout_ms;
	const char *wrong = "the rollback jobs have not ended";
	struct drain_view drain = {0};
	struct job_view job = {.progress = JOB_WAIT};

	if (state->patch < 0 || (size_t)state->patch >= pass->rules->patches.count ||
	    !pass->rules->patches.items[state->patch].rollback) {
		fail_rollback(pass, target, entry, "StateUnusable", "the node's state names no patch that has a rollback job");
		return;
	}
	if (pass->rules->drain.enabled)
		drain_target(pass, target, &drain);
	if (!drain.remaining)
		job_run(pass, target, (size_t)state->patch, "rollback", &job);
	entry_block(pass, target, entry, job.blocker.kind ? &job.blocker : &drain.blocker);
	entry_note_job(entry, &job);
	if (job.progress == JOB_FAILED && pass->s->now_ms < deadline && job_retried(pass, target, &job))
		return;
	if (job.progress == JOB_FAILED) {
		fail_rollback(pass, target, entry, job.reason, job.message);
		return;
	}
	if (job.progress == JOB_DONE)
		after_job(pass, target, entry, job.exit_code, &wrong);
	if (entry->step == STEP_ROLLING_BACK && pass->s->now_ms >= deadline)
		fail_rollback(pass, target, entry, "RollbackTimeout", wrong);
	else
		look_again_at(pass->out, deadline);
}
