/* Where pods of a drained node can go: some other node has to take them. */
#include "controller/plan/internal.h"
#include <string.h>

/* We have it, and give it back. */
static bool in_work(const struct node *node)
{
	return node->state && !step_ended((enum step)node->state->step) && !node->state->foreign_cordon;
}

/* A taint keeps out all but those that tolerate it, and whether these pods do is not known. */
static bool is_tainted(const struct node *node)
{
	for (size_t i = 0; i < node->taints.count; i++)
		if (!strcmp(node->taints.items[i].effect, "NoSchedule") || !strcmp(node->taints.items[i].effect, "NoExecute"))
			return true;
	return false;
}

static bool takes_pods(const struct node *node)
{
	if (!strcmp(node->os, "windows") || node->object.deleted_ms != KUBE_TIME_NONE)
		return false;
	return in_work(node) || (node->ready && !node->unschedulable && !is_tainted(node));
}

struct refuges refuges_of(const struct node *const *nodes, size_t count)
{
	struct refuges refuges = {0};

	for (size_t i = 0; i < count && refuges.count < 2; i++)
		if (takes_pods(nodes[i]))
			refuges.nodes[refuges.count++] = nodes[i];
	return refuges;
}

bool has_refuge(const struct refuges *refuges, const struct node *drained)
{
	return refuges->count == 2 || (refuges->count == 1 && refuges->nodes[0] != drained);
}

const char *drain_goes_nowhere(const struct policy_snapshot *s, struct kube_arena *arena)
{
	if (!s->policy->rules.drain.enabled)
		return NULL;
	struct refuges refuges = refuges_of(s->nodes, s->node_count);
	for (size_t i = 0; i < s->node_count; i++)
		if (!has_refuge(&refuges, s->nodes[i]) && node_selected(s->nodes[i], &s->policy->rules))
			return plan_printf(arena,
			                   "there is no other Ready, schedulable node without taints for the pods of %s: once "
			                   "evicted they may stay Pending until it is uncordoned (drain.enabled: false leaves them "
			                   "where they are)",
			                   s->nodes[i]->object.name);
	return NULL;
}
