/* Policies that select some of the same nodes: nothing is wrong with that, but people should know. */
#include "controller/plan/internal.h"
#include <string.h>

static size_t shared_nodes(const struct policy_snapshot *s, const struct policy *other, const char **ret_first)
{
	size_t count = 0;

	for (size_t i = 0; i < s->node_count; i++) {
		if (!node_selected(s->nodes[i], &s->policy->rules) || !node_selected(s->nodes[i], &other->rules))
			continue;
		if (count++ == 0)
			*ret_first = s->nodes[i]->object.name;
	}
	return count;
}

const char *policy_overlap(const struct policy_snapshot *s, struct kube_arena *arena)
{
	const char *text = NULL;
	size_t others = 0;

	for (size_t i = 0; i < s->policy_count; i++) {
		const struct policy *other = s->policies[i];
		const char *first = NULL;
		size_t count = other == s->policy ? 0 : shared_nodes(s, other, &first);
		if (count > 0 && others++ == 0)
			text = plan_printf(arena,
			                   "PatchPolicy %s selects %zu of the same nodes (%s): a rollout of the one waits for a "
			                   "rollout of the other",
			                   other->object.name, count, first);
	}
	return others > 1 ? plan_printf(arena, "%s; so do %zu more policies", text, others - 1) : text;
}
