/* Nodes that carry the state of a rollout that no longer exists: nothing that we cordoned is forgotten. */
#include "controller/plan/internal.h"
#include <string.h>

static bool known(const char *uid, const struct rollout *const *rollouts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rollouts[i]->object.uid, uid))
			return true;
	return false;
}

void plan_orphans(const struct node *const *nodes, size_t node_count, const struct rollout *const *rollouts,
                  size_t rollout_count, struct kube_arena *arena, struct actions *ret_actions)
{
	*ret_actions = (struct actions){0};
	for (size_t i = 0; i < node_count; i++) {
		const struct node_state *state = nodes[i]->state;
		if (state && !nodes[i]->quarantined && !known(state->rollout_uid, rollouts, rollout_count))
			release_node(nodes[i], arena, ret_actions);
	}
}
