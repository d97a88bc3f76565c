/* The step Patching: the job of each patch in turn. */
#include "controller/plan/step.h"
#include <string.h>

void note_uncordon(struct pass *pass, const struct target_pass *target, const struct active *entry)
{
	if (!target->view->node->unschedulable)
		decide(pass, DECISION_OVERRIDE, entry->node, entry->attempt, "cordon", REASON_FOREIGN_UNCORDON,
		       "somebody uncordoned the node while it is patched: it goes on, and is not cordoned again");
}

void leave_patch(struct pass *pass, const struct target_pass *target, struct node_state *state)
{
	size_t next = next_patch(pass, target->state, (size_t)target->state->patch + 1);

	state->attempt = 1;
	if (next == pass->rules->patches.count) {
		enter_verifying(pass, target, state);
		return;
	}
	enter_step(pass, state, STEP_PATCHING);
	state->patch = (int64_t)next;
	write_node(pass, target, state, CHANGE_NONE);
}

/* Before the job is looked at: what dies with its node has not failed by itself. */
static bool seen_rebooted(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	if (!target_rebooted(target))
		return false;
	if (pass->rules->patches.items[target->state->patch].reboot_expected)
		begin_rebooting(pass, target, NULL);
	else
		fail_rebooted(pass, target, entry);
	return true;
}

void step_patching(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	struct job_view job;

	if (patch_unusable(pass, target, entry) || seen_rebooted(pass, target, entry))
		return;
	note_uncordon(pass, target, entry);
	if (!target_job_done(pass, target, entry, &job))
		return;
	if (pass->rules->patches.items[target->state->patch].reboot_expected) {
		begin_rebooting(pass, target, &job);
		return;
	}
	struct node_state *state = state_next(pass, target, STEP_PATCHING);
	state_add_exit(pass, state, "job", (size_t)target->state->patch, job.exit_code);
	leave_patch(pass, target, state);
}
