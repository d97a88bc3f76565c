/* The step Preparing: jobs on a node that is neither cordoned nor drained yet (pre-pull, snapshot). */
#include "controller/plan/step.h"
#include <string.h>

/* The cordon comes now. Whoever cordoned the node while it was prepared wants to keep it so. */
static void begin_draining(struct pass *pass, const struct target_pass *target, struct node_state *state)
{
	enter_step(pass, state, pass->rules->drain.enabled ? STEP_DRAINING : STEP_PATCHING);
	state->patch = (int64_t)next_patch(pass, state, 0);
	state->foreign_cordon =
	    state->foreign_cordon || (target->view->node->unschedulable && !target->view->node->quarantined);
	write_node(pass, target, state, CHANGE_ON);
}

void step_preparing(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	struct job_view job;

	if (patch_unusable(pass, target, entry))
		return;
	if (target_rebooted(target)) {
		fail_rebooted(pass, target, entry);
		return;
	}
	if (!target_job_done(pass, target, entry, &job))
		return;
	size_t done = (size_t)target->state->patch, next = next_with_job(pass, target->state, "prepare", done + 1);
	struct node_state *state = state_next(pass, target, STEP_PREPARING);
	state_add_exit(pass, state, "prepare", done, job.exit_code);
	state->attempt = 1;
	if (next == pass->rules->patches.count) {
		begin_draining(pass, target, state);
		return;
	}
	state->patch = (int64_t)next;
	write_node(pass, target, state, CHANGE_NONE);
}
