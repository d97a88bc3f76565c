/* The step Verifying: the node shows its versions and is Ready, then the verify job of each patch in turn. */
#include "controller/plan/step.h"
#include <string.h>

/* A patch whose version no node shows is verified by its job alone. */
static bool shows(const struct pass *pass, const struct target_pass *target, size_t index)
{
	const struct patch *patch = &pass->rules->patches.items[index];

	return !patch_needed(pass, target->state, index) || patch->applied ||
	       patch_standing(target->view->node, patch) == STANDING_UP_TO_DATE;
}

bool verified(const struct pass *pass, const struct target_pass *target)
{
	for (size_t i = 0; i < pass->rules->patches.count; i++)
		if (!shows(pass, target, i))
			return false;
	return true;
}

void tell_patched(struct pass *pass, const struct target_pass *target)
{
	const struct node_state *state = target->state;
	const struct patch *first = &pass->rules->patches.items[next_patch(pass, state, 0) % pass->rules->patches.count];
	char took[KUBE_DURATION_TEXT_SIZE];

	write_event(pass, target, false, "Patched",
	            plan_printf(pass->arena, "%s is at %s after %s (PatchRollout %s, wave %s)",
	                        component_names[first->component],
	                        first->applied ? first->version : shown_version(target->view->node, first),
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

/* A step that has nothing to wait for costs no write. */
void enter_verifying(struct pass *pass, const struct target_pass *target, struct node_state *state)
{
	size_t first = next_with_job(pass, state, "verify", 0);
	bool seen = verified(pass, target) && target->view->node->ready;

	if (first < pass->rules->patches.count)
		state->patch = (int64_t)first;
	if (first == pass->rules->patches.count && seen) {
		enter_step(pass, state, after_verifying(pass, target));
		write_patched(pass, target, state);
		return;
	}
	enter_step(pass, state, STEP_VERIFYING);
	write_node(pass, target, state, CHANGE_NONE);
}

int64_t observe_timeout(const struct rules *rules)
{
	int64_t longest = 0;
	for (size_t i = 0; i < rules->patches.count; i++)
		if (rules->patches.items[i].observe_timeout_ms > longest)
			longest = rules->patches.items[i].observe_timeout_ms;
	return longest;
}

void fail_not_observed(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	for (size_t i = 0; i < pass->rules->patches.count; i++) {
		const struct patch *patch = &pass->rules->patches.items[i];
		if (shows(pass, target, i))
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

/* The version shows: the verify jobs, then the uncordon. */
static void run_verify_jobs(struct pass *pass, const struct target_pass *target, struct active *entry, size_t patch)
{
	struct job_view job = {0};

	if (patch < pass->rules->patches.count && !target_job_done(pass, target, entry, &job))
		return;
	size_t next = patch < pass->rules->patches.count ? next_with_job(pass, target->state, "verify", patch + 1) : patch;
	bool more = next < pass->rules->patches.count;
	struct node_state *state = state_next(pass, target, more ? STEP_VERIFYING : after_verifying(pass, target));
	if (job.exists)
		state_add_exit(pass, state, "verify", patch, job.exit_code);
	state->attempt = 1;
	if (more) {
		state->patch = (int64_t)next;
		write_node(pass, target, state, CHANGE_NONE);
	} else {
		write_patched(pass, target, state);
	}
}

void step_verifying(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	int64_t deadline = target->state->since_ms + observe_timeout(pass->rules);
	size_t patch = next_with_job(pass, target->state, "verify", (size_t)target->state->patch);
	bool job_began = entry->job_uid != NULL;

	if (pass->aborting && !job_began) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return;
	}
	if (target_rebooted(target)) {
		fail_rebooted(pass, target, entry);
		return;
	}
	note_uncordon(pass, target, entry);
	if (job_began || (verified(pass, target) && target->view->node->ready))
		run_verify_jobs(pass, target, entry, patch);
	else if (pass->s->now_ms >= deadline)
		fail_not_observed(pass, target, entry);
	else
		look_again_at(pass->out, deadline);
}
