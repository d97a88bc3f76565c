/* All pods by their nodes: for plans that look for room (drain.requireCapacity). */
#include "controller/cmd/snapshot.h"

static struct node_load load_of(const struct controller *controller, const char *node, struct kube_arena *arena)
{
	const struct kube_store *pods = controller->caches[CACHE_PODS].store;
	int index = controller->pods_by_node;
	const struct kube_object *o;
	const struct pod **items = plan_alloc(arena, kube_store_index_count(pods, index, node) * sizeof(*items));
	size_t count = 0;
	for (o = kube_store_index_next(pods, index, node, NULL); o; o = kube_store_index_next(pods, index, node, o))
		items[count++] = (const struct pod *)o;
	return (struct node_load){.pods = items, .count = count};
}

void snapshot_loads(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	if (!s->plan || !s->plan->rules->drain.require_capacity || s->rollout->status.outcome != OUTCOME_NONE)
		return;
	struct node_load *loads = plan_alloc(arena, s->node_count * sizeof(*loads));
	for (size_t i = 0; i < s->node_count; i++)
		loads[i] = load_of(controller, s->nodes[i]->object.name, arena);
	s->loads = loads;
	s->unscheduled = load_of(controller, "", arena);
}
