/*
 * spec.emergency of a rollout: it does not wait for what its policy lets emergencies pass by. That it passes something
 * by is decided, once, with who and why, in the status that has the first consequence of it. Health, budgets, gates and
 * the way back are never passed by.
 */
#include "controller/plan/internal.h"

static const char *const rules_of_bypass[] = {"windows", "freezes", "soak", "approval"}; /* by enum bypass */

#define REFUSAL(its_reason, ...) ((struct refusal){.reason = (its_reason), .text = plan_printf(arena, __VA_ARGS__)})

struct refusal emergency_refusal(const struct rollout_snapshot *s, const struct rollout *rollout,
                                 const struct rules *rules, struct kube_arena *arena)
{
	if (!rollout->emergency.enabled)
		return (struct refusal){0};
	if (!rules->emergency.allow)
		return REFUSAL("EmergencyNotAllowed",
		               "PatchPolicy %s allows no emergencies: set its emergency.allow to true, or delete this "
		               "PatchRollout and create one without spec.emergency",
		               rollout->policy_name);
	if (!*rollout->author)
		return REFUSAL("EmergencyNotAllowed",
		               "nobody knows who made PatchRollout %s, and somebody answers for an emergency: who made it "
		               "sets the annotation " PW_ANNOTATION_AUTHOR,
		               rollout->object.name);
	if (s->emergency_guard.problem)
		return (struct refusal){"EmergencyUnprotected", s->emergency_guard.problem};
	if (s->author_guard.problem)
		return (struct refusal){"EmergencyUnprotected", s->author_guard.problem};
	if (older_than_guard(&s->emergency_guard, &rollout->object) || older_than_guard(&s->author_guard, &rollout->object))
		return REFUSAL("EmergencyUnprotected",
		               "PatchRollout %s is older than the admission policy that says who may make an emergency, or in "
		               "whose name: delete it, and create another one",
		               rollout->object.name);
	return (struct refusal){0};
}

bool may_bypass(const struct pass *pass, enum bypass what)
{
	const struct rollout *rollout = pass->s->rollout;
	const struct emergency_rules *rules = &pass->rules->emergency;

	return rollout->emergency.enabled && !emergency_refusal(pass->s, rollout, pass->rules, pass->arena).text &&
	       (rules->bypass & UINT32_C(1) << what);
}

void emergency_want(struct pass *pass)
{
	struct conditions *conditions = &pass->want->conditions;
	struct refusal refusal = emergency_refusal(pass->s, pass->s->rollout, pass->rules, pass->arena);

	if (refusal.text && !condition_get(conditions, "Stalled"))
		plan_want(conditions, "Stalled", CONDITION_TRUE, refusal.reason, refusal.text);
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
