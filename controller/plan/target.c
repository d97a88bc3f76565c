/*
 * One target's life: Claimed → Preparing → Draining → Patching → Rebooting → Verifying → Settling → Patched, and the
 * ways out. Most steps have a file of their own.
 *
 * The step on the node's annotation is the truth. Steps forward are one write to the node. A way out (failure,
 * roll-back, quarantine, skip) is decided in status.active first (entry_settle), with its decision, and written to the
 * node when the snapshot shows that.
 */
#include "controller/plan/step.h"
#include <string.h>

/* ---- the last step ---- */

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

/* The job that a target works with now: its result is not on the node yet. */
static const char *current_job(const struct pass *pass, const struct target_pass *target)
{
	const struct node_state *state = target->state;
	const char *step = state && target->kind == TARGET_WORKING ? job_word((enum step)state->step) : NULL;
	if (!step)
		return "";
	return job_pod_name(pass->s->rollout, target->view->target->node_uid, (size_t)state->patch, step, state->attempt,
	                    pass->arena);
}

static struct active entry_of(const struct pass *pass, const struct target_pass *target)
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
	if (entry.job_name && strcmp(entry.job_name, current_job(pass, target)) != 0)
		entry.job_name = entry.job_uid = NULL;
	entry.forced = entry.forced && state->step == STEP_DRAINING;
	return entry;
}

static void take_step(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	switch ((enum step)target->state->step) {
	case STEP_PREPARING: step_preparing(pass, target, entry); break;
	case STEP_DRAINING: step_draining(pass, target, entry); break;
	case STEP_PATCHING: step_patching(pass, target, entry); break;
	case STEP_REBOOTING: step_rebooting(pass, target, entry); break;
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
	struct active entry = entry_of(pass, target);

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
