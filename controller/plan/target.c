/*
 * One target's life: Claimed → Draining → Patching → Verifying → Settling → Patched, and the ways out.
 *
 * The step on the node's annotation is the truth. Steps forward are one write to the node. A way out (failure,
 * roll-back, quarantine, skip) is decided in status.active first (entry_settle), with its decision, and written to the
 * node when the snapshot shows that.
 */
#include "controller/plan/internal.h"
#include <string.h>

/* ---- steps ---- */

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
	if (target_rebooted(target)) { /* before the job: what dies with its node has not failed by itself */
		fail_rebooted(pass, target, entry);
		return;
	}
	note_uncordon(pass, target, entry);
	job_run(pass, target, (size_t)target->state->patch, "job", &job);
	if (job.uid) {
		entry->job_name = job.name;
		entry->job_uid = job.uid;
	}
	if (job.progress == JOB_FAILED) {
		fail_target(pass, target, entry, job.reason, job.message);
		return;
	}
	entry_block(pass, target, entry, &job.blocker);
	if (pass->aborting && (job.absent || job.progress == JOB_DONE)) {
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
	if (target_rebooted(target)) {
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
	entry.forced = entry.forced && state->step == STEP_DRAINING;
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
	if (hold_target(pass, target, &entry))
		return;
	if (!target->state) {
		target_claim(pass, target, &entry);
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
