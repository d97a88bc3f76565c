/* Policies that select some of the same nodes: nothing is wrong with that, but people should know. */
#include "controller/plan/internal.h"

/* What a policy has in common with another one. */
struct shared {
	const struct node *first;
	size_t count;
};

static struct shared *count_shared(const struct policy_snapshot *s, struct kube_arena *arena)
{
	struct shared *shared = plan_alloc(arena, s->policy_count * sizeof(*shared));

	for (size_t n = 0; n < s->node_count; n++) {
		if (!node_selected(s->nodes[n], &s->policy->rules))
			continue;
		for (size_t i = 0; i < s->policy_count; i++)
			if (s->policies[i] != s->policy && node_selected(s->nodes[n], &s->policies[i]->rules) &&
			    shared[i].count++ == 0)
				shared[i].first = s->nodes[n];
	}
	return shared;
}

const char *policy_overlap(const struct policy_snapshot *s, struct kube_arena *arena)
{
	const char *text = NULL;
	size_t others = 0;

	if (s->policy_count < 2)
		return NULL;
	const struct shared *shared = count_shared(s, arena);
	for (size_t i = 0; i < s->policy_count; i++)
		if (shared[i].count > 0 && others++ == 0)
			text = plan_printf(arena,
			                   "PatchPolicy %s selects %zu of the same nodes (%s): a rollout of the one waits for a "
			                   "rollout of the other",
			                   s->policies[i]->object.name, shared[i].count, shared[i].first->object.name);
	return others > 1 ? plan_printf(arena, "%s; so do %zu more policies", text, others - 1) : text;
}
