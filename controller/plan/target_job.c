/* The job of the step that a target is in: Preparing, Patching, Verifying. */
#include "controller/plan/step.h"
#include <string.h>

bool patch_unusable(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	if ((size_t)target->state->patch < pass->rules->patches.count)
		return false;
	fail_target(pass, target, entry, "StateUnusable", "the node's state names a patch that the plan does not have");
	return true;
}

/* A job that failed, or did not end in time, may be tried again; one that is lost may not. */
static bool may_retry(const struct pass *pass, const struct target_pass *target, const struct job_view *job,
                      const char *step)
{
	const struct patch *patch = &pass->rules->patches.items[target->state->patch];
	bool ended = job->exists && (!strcmp(job->reason, "JobFailed") || !strcmp(job->reason, "JobTimeout"));

	return ended && !pass->aborting && target->state->attempt <= job_template_of(patch, step)->retries;
}

/* The next attempt is another pod: it stands on the node before it is made. */
bool job_retried(struct pass *pass, const struct target_pass *target, const struct job_view *job)
{
	const char *step = job_word((enum step)target->state->step);

	if (!may_retry(pass, target, job, step))
		return false;
	struct node_state *state = state_next(pass, target, (enum step)target->state->step);
	state->attempt = target->state->attempt + 1;
	state_add_exit(pass, state, step, (size_t)state->patch, job->exit_code);
	write_node(pass, target, state, CHANGE_NONE);
	write_event(pass, target, true, "JobRetried",
	            plan_printf(pass->arena, "%s; attempt %lld follows", job->message, (long long)state->attempt));
	return true;
}

static void job_failed(struct pass *pass, const struct target_pass *target, struct active *entry,
                       const struct job_view *job)
{
	const struct patch *patch = &pass->rules->patches.items[target->state->patch];

	if (target->state->step == STEP_PATCHING && patch->reboot_expected && died_with_node(target, job))
		begin_rebooting(pass, target, job);
	else if (!job_retried(pass, target, job))
		fail_target(pass, target, entry, job->reason, job->message);
}

bool target_job_done(struct pass *pass, const struct target_pass *target, struct active *entry,
                     struct job_view *ret_job)
{
	const char *step = job_word((enum step)target->state->step);

	job_run(pass, target, (size_t)target->state->patch, step, ret_job);
	entry_note_job(entry, ret_job);
	if (ret_job->progress == JOB_FAILED) {
		job_failed(pass, target, entry, ret_job);
		return false;
	}
	entry_block(pass, target, entry, &ret_job->blocker);
	if (pass->aborting && (ret_job->absent || ret_job->progress == JOB_DONE)) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return false;
	}
	return ret_job->progress == JOB_DONE;
}
