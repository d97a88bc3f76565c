/* The other rollouts: what of them is on the way, and for which nodes they are planned. */
#include "controller/cmd/snapshot.h"
#include <string.h>

static bool is_done(const struct rollout *rollout)
{
	return rollout->status.outcome != OUTCOME_NONE && !rollout->finalizer;
}

static bool is_plan_page(const struct rollout *rollout, const struct revision *page)
{
	return !page->ledger && page->plan_hash && strcmp(page->plan_hash, rollout->status.plan_hash) == 0;
}

static size_t add_nodes(const struct kube_store *nodes, const struct revision *page, const struct node **out)
{
	size_t count = 0;
	for (size_t i = 0; i < page->targets.count; i++) {
		const struct target *target = &page->targets.items[i];
		const struct kube_object *node = kube_store_get(nodes, target->node);
		if (node && strcmp(node->uid, target->node_uid) == 0)
			out[count++] = (const struct node *)node;
	}
	return count;
}

static struct node_list nodes_of(const struct controller *controller, const struct rollout *rollout,
                                 struct kube_arena *arena)
{
	const struct kube_store *revisions = controller->caches[CACHE_REVISIONS].store;
	const struct kube_store *nodes = controller->caches[CACHE_NODES].store;
	const char *uid = rollout->object.uid;
	int index = controller->revisions_by_rollout;
	const struct kube_object *o;
	size_t room = 0, count = 0;
	for (o = kube_store_index_next(revisions, index, uid, NULL); o; o = kube_store_index_next(revisions, index, uid, o))
		room += ((const struct revision *)o)->targets.count;
	const struct node **items = plan_alloc(arena, room * sizeof(*items));
	for (o = kube_store_index_next(revisions, index, uid, NULL); o; o = kube_store_index_next(revisions, index, uid, o))
		if (is_plan_page(rollout, (const struct revision *)o))
			count += add_nodes(nodes, (const struct revision *)o, items + count);
	return (struct node_list){.nodes = items, .count = count};
}

static void note_busy(const struct controller *controller, const struct rollout *other, struct rollout_snapshot *s)
{
	if (other->status.outcome != OUTCOME_NONE ||
	    !kube_pending_busy(controller->caches[CACHE_ROLLOUTS].pending, other->object.key))
		return;
	if (other->status.plan_hash)
		s->others_busy = true;
	else
		s->others_planning = true;
}

void snapshot_others(const struct controller *controller, const struct world *world, struct kube_arena *arena,
                     struct rollout_snapshot *s)
{
	const struct rollout **others = plan_alloc(arena, world->rollout_count * sizeof(*others));
	struct node_list *planned = plan_alloc(arena, world->rollout_count * sizeof(*planned));
	for (size_t i = 0; i < world->rollout_count; i++) {
		const struct rollout *other = world->rollouts[i];
		if (other == s->rollout)
			continue;
		if (!s->rollout->status.plan_hash && other->status.plan_hash && !is_done(other))
			planned[s->other_count] = nodes_of(controller, other, arena);
		others[s->other_count++] = other;
		note_busy(controller, other, s);
	}
	s->rollouts = others;
	s->planned_nodes = planned;
}
