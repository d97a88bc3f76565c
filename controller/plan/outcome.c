/* The outcome of a rollout, and what is said of it. */
#include "controller/plan/internal.h"
#include <string.h>

enum outcome outcome_now(const struct pass *pass, bool halted)
{
	const struct counts *counts = &pass->want->counts;

	if (pass->aborting)
		return OUTCOME_ABORTED;
	if (halted && !wave_failed(pass))
		return OUTCOME_NONE; /* which wave failed is decided when the failure stands in the status */
	if (halted)
		return counts->rolled_back > 0 && counts->failed == 0 && counts->patched == 0 ? OUTCOME_ROLLED_BACK
		                                                                              : OUTCOME_FAILED;
	if (pass->superseded && !pass->paused) /* the next one would begin what the pause has stopped */
		return OUTCOME_SUPERSEDED;
	if (!waves_all_passed(pass))
		return OUTCOME_NONE;
	/* What the budget tolerated is unpatched all the same, and not tried again by itself. */
	return counts->failed + counts->rolled_back > 0 ? OUTCOME_FAILED : OUTCOME_SUCCEEDED;
}

static const char *ending(const struct pass *pass, enum outcome outcome)
{
	const struct rollout_status *want = pass->want;
	const struct counts *c = &want->counts;
	const char *numbers =
	    plan_printf(pass->arena, "%lld patched, %lld failed, %lld rolled back, %lld skipped, %lld not started",
	                (long long)c->patched, (long long)c->failed, (long long)c->rolled_back, (long long)c->skipped,
	                (long long)c->pending);
	const char *first = want->failed.count ? plan_printf(pass->arena, "; %s: %s", want->failed.items[0].node,
	                                                     want->failed.items[0].message)
	                                       : "";

	if (outcome == OUTCOME_ABORTED)
		return plan_printf(pass->arena, "%s; %s", pass->abort_reason, numbers);
	if (outcome == OUTCOME_SUPERSEDED)
		return plan_printf(pass->arena, "the policy was changed: the next PatchRollout goes on; %s", numbers);
	return plan_printf(pass->arena, "%s%s", numbers, first);
}

void want_outcome(struct pass *pass, enum outcome outcome)
{
	struct rollout_status *want = pass->want;
	bool good = outcome == OUTCOME_SUCCEEDED;
	const char *word = outcome_names[outcome], *text = ending(pass, outcome);

	want->outcome = outcome;
	want->finished_ms = pass->s->now_ms;
	want->current_wave = "";
	want->summary = text;
	decide(pass, DECISION_FINISH, pass->s->rollout->object.name, 1, "outcome", word, text);
	emit_event(pass, &pass->s->rollout->object, !good, word, "Finish", text);
	if (pass->s->policy)
		emit_event(pass, &pass->s->policy->object, !good, plan_printf(pass->arena, "Rollout%s", word), "Finish",
		           plan_printf(pass->arena, "PatchRollout %s: %s", pass->s->rollout->object.name, text));
	want_anew(want);
	plan_want(&want->conditions, "Progressing", CONDITION_FALSE, word, text);
	plan_want(&want->conditions, "Ready", good ? CONDITION_TRUE : CONDITION_FALSE, word, text);
	plan_want(&want->conditions, "Healthy", first_failure(want) ? CONDITION_FALSE : CONDITION_TRUE,
	          first_failure(want) ? "TargetsFailed" : "NoFailures", text);
	if (!good)
		plan_want(&want->conditions, "Stalled", CONDITION_TRUE, word, text);
	if (want->counts.rolled_back)
		plan_want(&want->conditions, "RolledBack", CONDITION_TRUE, "TargetsRolledBack",
		          plan_printf(pass->arena, "%lld targets show their earlier versions again",
		                      (long long)want->counts.rolled_back));
}
