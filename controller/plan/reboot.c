/*
 * Reboots (api.md, "Jobs"). The boot ID is recorded at the claim. Where one is expected, a job that dies with its node
 * decides nothing: a new boot ID and Ready do, and then the version. A new one that nobody expected fails the target.
 */
#include "controller/plan/step.h"
#include <string.h>

bool target_rebooted(const struct target_pass *target)
{
	const char *before = target->state->boot_id, *now = target->view->node->boot_id;
	return before && *before && now && *now && strcmp(before, now) != 0;
}

void fail_rebooted(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	fail_target(pass, target, entry, "UnexpectedReboot",
	            plan_printf(pass->arena, "the node was rebooted while it was patched: boot ID %s became %s",
	                        target->state->boot_id, target->view->node->boot_id));
}

/* Killed by a signal, never seen to end, or on a node that is away: a container that ended by itself says its code.
 * What a kubelet that is there has ended at its deadline died of that. */
bool died_with_node(const struct target_pass *target, const struct job_view *job)
{
	bool timed_out = !strcmp(job->reason, "JobTimeout") && target->view->node->ready;

	if (!job->exists || !strcmp(job->reason, "JobLost") || timed_out)
		return false;
	return job->exit_code < 0 || job->exit_code > 128 || !target->view->node->ready;
}

void begin_rebooting(struct pass *pass, const struct target_pass *target, const struct job_view *job)
{
	struct node_state *state = state_next(pass, target, STEP_REBOOTING);

	if (job)
		state_add_exit(pass, state, "job", (size_t)state->patch, job->exit_code);
	write_node(pass, target, state, CHANGE_NONE);
}

static const char *why_late(const struct pass *pass, const struct target_pass *target, int64_t timeout_ms)
{
	const struct node_state *state = target->state;
	const char *exit = state->exits.count ? state->exits.items[state->exits.count - 1] : "none seen";
	char limit[KUBE_DURATION_TEXT_SIZE];

	kube_duration_format(timeout_ms, limit);
	if (target_rebooted(target))
		return plan_printf(pass->arena, "the node was rebooted, but did not become Ready within %s", limit);
	return plan_printf(pass->arena, "the node was not rebooted within %s: its boot ID is still %s (exit code: %s)",
	                   limit, state->boot_id, exit);
}

void step_rebooting(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct node *node = target->view->node;
	const struct node_state *state = target->state;

	if (patch_unusable(pass, target, entry))
		return;
	int64_t timeout_ms = pass->rules->patches.items[state->patch].reboot_timeout_ms;
	bool late = pass->s->now_ms >= state->since_ms + timeout_ms;
	if (pass->aborting && (node->ready || late)) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
	} else if (target_rebooted(target) && node->ready) {
		struct node_state *next = state_next(pass, target, STEP_REBOOTING);
		next->boot_id = node->boot_id;
		leave_patch(pass, target, next);
	} else if (late) {
		fail_target(pass, target, entry, "RebootTimeout", why_late(pass, target, timeout_ms));
	} else {
		look_again_at(pass->out, state->since_ms + timeout_ms);
	}
}
