/* The step Draining: until the pods have left, or until its time is up, and then what drain.onTimeout says. */
#include "controller/plan/drain.h"
#include "controller/plan/step.h"
#include <string.h>

bool left_behind(const char *reason)
{
	return reason && (!strcmp(reason, REASON_NOT_DRAINED) || !strcmp(reason, REASON_FOREIGN_UNCORDON));
}

static const char *why_late(const struct pass *pass, const struct drain_view *drain)
{
	char limit[KUBE_DURATION_TEXT_SIZE];

	return plan_printf(pass->arena, "%zu %s after %s%s%s", drain->remaining ? drain->remaining : drain->attached,
	                   drain->remaining ? "pods had not left" : "volumes were still attached",
	                   kube_duration_format(pass->rules->drain.timeout_ms, limit),
	                   drain->blocker.kind ? "; in the way is " : "",
	                   drain->blocker.kind ? blocker_text(pass, &drain->blocker) : "");
}

/* The names of the pods that are to be deleted, as many as evidence has room for. */
static const char *names_of(struct pass *pass, const struct target_pass *target, size_t most)
{
	const struct target_view *view = target->view;
	const char *names = "";
	size_t found = 0;

	for (size_t i = 0; i < view->pod_count; i++) {
		const char *why = NULL;
		if (drain_verdict(pass, target, &view->pods[i], &why) != POD_GOES || found++ >= most)
			continue;
		names = plan_printf(pass->arena, "%s%s%s", names, *names ? ", " : "", view->pods[i].pod->object.key);
	}
	return found > most ? plan_printf(pass->arena, "%s and %zu more", names, found - most) : names;
}

/* Decided once, in the status, before a pod is deleted: PodDisruptionBudgets are passed over by nothing else. */
static void force(struct pass *pass, const struct target_pass *target, struct active *entry,
                  const struct drain_view *drain)
{
	const char *late = why_late(pass, drain);
	const char *evidence = drain->forcible ? plan_printf(pass->arena, "%s; now deleted without the Eviction API: %s",
	                                                     late, names_of(pass, target, MAX_NAMED_PODS))
	                                       : plan_printf(pass->arena, "%s; the node is patched nevertheless", late);

	decide(pass, DECISION_OVERRIDE, entry->node, entry->attempt, "drain.onTimeout", "Force", evidence);
	write_event(pass, target, true, "DrainForced", evidence);
	entry->forced = true;
	look_again_at(pass->out, target->state->since_ms + 2 * pass->rules->drain.timeout_ms);
}

/* The rollout goes on: nothing was changed on the node, and no patch is to blame. */
static void leave_behind(struct pass *pass, const struct target_pass *target, struct active *entry, enum step step,
                         const char *message)
{
	bool quarantine = step == STEP_QUARANTINED;

	list_failure(pass, target, REASON_NOT_DRAINED, message);
	decide(pass, quarantine ? DECISION_QUARANTINE : DECISION_SKIP, entry->node, entry->attempt, "drain.onTimeout",
	       REASON_NOT_DRAINED, message);
	entry_settle(entry, step, REASON_NOT_DRAINED, message);
	write_event(pass, target, true, REASON_NOT_DRAINED, message);
}

static void out_of_time(struct pass *pass, const struct target_pass *target, struct active *entry,
                        const struct drain_view *drain)
{
	const char *message = why_late(pass, drain);

	switch ((enum drain_timeout)pass->rules->drain.on_timeout) {
	case DRAIN_FORCE:
		if (!entry->forced && (drain->forcible || drain->attached)) {
			force(pass, target, entry, drain);
			return;
		}
		fail_target(pass, target, entry, "DrainTimeout", message);
		return;
	case DRAIN_ABORT: fail_target(pass, target, entry, "DrainTimeout", message); return;
	case DRAIN_SKIP: leave_behind(pass, target, entry, STEP_SKIPPED, message); return;
	case DRAIN_QUARANTINE: leave_behind(pass, target, entry, STEP_QUARANTINED, message); return;
	}
}

/* Force has its time once more for the pods to end. */
static int64_t deadline_of(const struct pass *pass, const struct target_pass *target)
{
	int64_t timeout_ms = pass->rules->drain.timeout_ms;
	return target->state->since_ms + (target->granted->forced ? 2 * timeout_ms : timeout_ms);
}

/* It is listed as left behind, so that the next rollout does not take the node again at once. */
static void taken_back(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	static const char message[] = "somebody uncordoned the node before it was patched";

	list_failure(pass, target, REASON_FOREIGN_UNCORDON, message);
	give_back(pass, entry, REASON_FOREIGN_UNCORDON, message);
}

void step_draining(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	struct drain_view drain;

	if (!target->view->node->unschedulable) {
		taken_back(pass, target, entry);
		return;
	}
	if (pass->aborting) {
		give_back(pass, entry, "Aborted", pass->abort_reason);
		return;
	}
	if (target_rebooted(target)) {
		fail_rebooted(pass, target, entry);
		return;
	}
	drain_target(pass, target, &drain);
	if (pass->superseded && drain.blocker.kind) { /* what is in the way may be what the policy was changed for */
		give_back(pass, entry, "Superseded", "the policy was changed while pods were in the way of the drain");
		return;
	}
	entry_block(pass, target, entry, &drain.blocker);
	if (drain.remaining + drain.attached == 0) {
		write_node(pass, target, state_next(pass, target, STEP_PATCHING), CHANGE_NONE);
		return;
	}
	if (pass->s->now_ms < deadline_of(pass, target))
		look_again_at(pass->out, deadline_of(pass, target));
	else
		out_of_time(pass, target, entry, &drain);
}
