/* Gates of rollouts: from the observer into the snapshot, and from the plan to the observer. */
#include "controller/cmd/controller.h"

const struct gate_fact *gates_facts(const struct controller *controller, const struct rollout *rollout,
                                    const struct plan *plan, struct kube_arena *arena)
{
	size_t count = plan ? plan->rules->gates.count : 0;
	struct gate_fact *facts = plan_alloc(arena, count * sizeof(*facts));
	for (size_t i = 0; i < count; i++)
		facts[i] = observer_fact(controller->observer, rollout->object.uid, plan->rules->gates.items[i].name);
	return facts;
}

void gates_ask(struct controller *controller, const char *key, const struct rollout *rollout,
               const struct rollout_result *result)
{
	for (size_t i = 0; i < result->questions.count; i++)
		observer_ask(controller->observer, rollout->object.uid, key, &result->questions.items[i]);
}
