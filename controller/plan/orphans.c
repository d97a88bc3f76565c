/* Nodes that carry the state of a rollout that no longer works: nothing that we cordoned is forgotten. */
#include "controller/plan/internal.h"
#include <string.h>

/* The list of rollouts may come from a server's cache that lags behind that of the nodes: a rollout that is not there
 * may be newer than it. */
#define SURE_AFTER_MS (2 * 60 * 1000)

/* One that is done has let all its nodes go, as far as it saw them. */
static bool working(const char *uid, const struct rollout *const *rollouts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rollouts[i]->object.uid, uid))
			return !rollout_done(rollouts[i]);
	return false;
}

void plan_orphans(const struct node *const *nodes, size_t node_count, const struct rollout *const *rollouts,
                  size_t rollout_count, int64_t now_ms, struct kube_arena *arena, struct actions *ret_actions,
                  int64_t *ret_look_again_ms)
{
	*ret_actions = (struct actions){0};
	*ret_look_again_ms = KUBE_TIME_NONE;
	for (size_t i = 0; i < node_count; i++) {
		const struct node_state *state = nodes[i]->state;
		if (!state || nodes[i]->quarantined || working(state->rollout_uid, rollouts, rollout_count))
			continue;
		int64_t sure_ms = state->started_ms + SURE_AFTER_MS;
		if (now_ms >= sure_ms)
			release_node(nodes[i], arena, ret_actions);
		else if (*ret_look_again_ms == KUBE_TIME_NONE || sure_ms < *ret_look_again_ms)
			*ret_look_again_ms = sure_ms;
	}
}
