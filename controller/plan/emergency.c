/*
 * spec.emergency of a rollout: it does not wait for what its policy lets emergencies pass by. That it passes something
 * by is decided, once, with who and why, in the status that has the first consequence of it. Health, budgets, gates and
 * the way back are never passed by.
 */
#include "controller/plan/internal.h"

static const char *const rules_of_bypass[] = {"windows", "freezes", "soak", "approval"}; /* by enum bypass */

const char *emergency_refusal(const struct rollout *rollout, const struct policy *policy, struct kube_arena *arena)
{
	if (!rollout->emergency.enabled)
		return NULL;
	if (!policy->rules.emergency.allow)
		return plan_printf(arena,
		                   "PatchPolicy %s allows no emergencies: set its emergency.allow to true, or delete this "
		                   "PatchRollout and create one without spec.emergency",
		                   policy->object.name);
	if (!*rollout->author)
		return plan_printf(arena,
		                   "nobody knows who made PatchRollout %s, and somebody answers for an emergency: who made it "
		                   "sets the annotation " PW_ANNOTATION_AUTHOR,
		                   rollout->object.name);
	return NULL;
}

bool may_bypass(const struct pass *pass, enum bypass what)
{
	const struct rollout *rollout = pass->s->rollout;
	const struct emergency_rules *rules = &pass->rules->emergency;

	return rollout->emergency.enabled && *rollout->author && rules->allow && (rules->bypass & UINT32_C(1) << what);
}

const char *emergency_text(const struct pass *pass)
{
	const struct rollout *rollout = pass->s->rollout;
	return plan_printf(pass->arena, "emergency by %s: %s", rollout->author, rollout->emergency.reason);
}

void decide_override(struct pass *pass, enum bypass what, const char *in_the_way)
{
	const char *rule = rules_of_bypass[what];

	decide_as(pass, pass->s->rollout->author, DECISION_OVERRIDE, plan_printf(pass->arena, "emergency/%s", rule), 1,
	          rule, "Emergency", plan_printf(pass->arena, "%s; in its way: %s", emergency_text(pass), in_the_way));
}
