/*
 * spec.intent: what people want of a rollout that is there. Pause: what is in work goes on, nothing new begins. Abort
 * gives back what is in work, as deletion does, and the rollout stays. Each is a decision with who and why.
 */
#include "controller/plan/internal.h"
#include <string.h>

#define RULE "intent"

/* "paused by alice: disks are being replaced" */
static const char *words(const struct rollout_snapshot *s, const char *done, struct kube_arena *arena)
{
	const struct intent *intent = &s->rollout->intent;
	const char *colon = *intent->reason ? ": " : "";

	return plan_printf(arena, "%s by %s%s%s", done, *intent->by ? intent->by : "somebody", colon, intent->reason);
}

/* Only a change of the intent changes the generation, deletion aside: each is a decision of its own. */
static void decide_intent(struct pass *pass, enum decision_type type, int64_t attempt, const char *reason,
                          const char *evidence)
{
	const struct rollout *rollout = pass->s->rollout;

	decide_as(pass, *rollout->intent.by ? rollout->intent.by : "unknown", type, rollout->object.name, attempt, RULE,
	          reason, evidence);
}

static const struct decision *later_of(const struct rollout *rollout, const struct decision *newest,
                                       const struct decision *decision)
{
	bool about = (decision->type == DECISION_PAUSE || decision->type == DECISION_RESUME) &&
	             !strcmp(decision->subject, rollout->object.name) && !strcmp(decision->rule, RULE);

	return about && (!newest || decision->seq > newest->seq) ? decision : newest;
}

/* The ledger says that it was paused, and not yet that it goes on. */
static bool pause_stands(const struct rollout_snapshot *s)
{
	const struct rollout_status *status = &s->rollout->status;
	const struct decision *newest = NULL;

	for (size_t page = 0; page < s->ledger_count; page++)
		for (size_t i = 0; i < s->ledger[page]->decisions.count; i++)
			newest = later_of(s->rollout, newest, &s->ledger[page]->decisions.items[i]);
	for (size_t i = 0; i < status->decisions.count; i++)
		newest = later_of(s->rollout, newest, &status->decisions.items[i]);
	return newest && newest->type == DECISION_PAUSE;
}

void intent_look(struct pass *pass)
{
	const struct rollout_snapshot *s = pass->s;

	switch ((enum intent_action)s->rollout->intent.action) {
	case INTENT_RUN:
		if (pause_stands(s))
			decide_intent(pass, DECISION_RESUME, s->rollout->object.generation, "IntentRun",
			              words(s, "resumed", pass->arena));
		break;
	case INTENT_PAUSE:
		pass->paused = words(s, "paused", pass->arena);
		decide_intent(pass, DECISION_PAUSE, s->rollout->object.generation, "IntentPause", pass->paused);
		break;
	case INTENT_ABORT:
		pass->abort_reason = words(s, "aborted", pass->arena);
		decide_intent(pass, DECISION_ABORT, 1, "IntentAbort", pass->abort_reason);
		break;
	}
}

bool intent_before_plan(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct pass pass = {.s = s, .arena = arena, .out = out, .want = &out->wanted};

	intent_look(&pass);
	pass.aborting = pass.abort_reason != NULL;
	if (pass.aborting && !s->rollout->finalizer) { /* its end is reported */
		finalize_rollout(s, arena, out, true);
	} else if (pass.aborting) {
		if (s->policy) /* it is not made anew at once, as long as the policy says the same */
			out->wanted.policy_hash = s->policy->hash;
		want_outcome(&pass, OUTCOME_ABORTED);
		out->write_status = true;
	} else if (pass.paused) {
		want_waiting(out, "Paused", pass.paused);
	}
	return pass.aborting || pass.paused;
}
