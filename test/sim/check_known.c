/*
 * What a process knows: invariants hold for what it was told, and a watch may be blind for minutes. Its caches are
 * looked at as they change.
 */
#include "test/sim/check.h"

#include <string.h>

/* From a look at the cache to the write that rests on it, with all its repetitions (10, of at most 5 s each). */
#define DECISION_MS 60000

static size_t slot_of(const struct replica *replica)
{
	return (size_t)(replica - replica->world->replicas->items);
}

static void on_pod(void *arg, const struct kube_change *change)
{
	struct replica *replica = arg;

	if (change->new_object)
		check_job_shown(replica->world->checks, (const struct pod *)change->new_object,
		                kube_sim_process_id(replica->process));
}

static void on_node(void *arg, const struct kube_change *change)
{
	struct replica *replica = arg;
	const struct node *node = (const struct node *)change->new_object;
	struct seen_node *seen = node ? seen_node(replica->world->checks, node->object.uid) : NULL;
	unsigned sender = kube_sim_process_id(replica->process);

	if (!seen)
		return;
	bool away = !node->ready || node->unschedulable;
	bool before = seen->known[slot_of(replica)].sender == sender && seen->known[slot_of(replica)].since_ms != INT64_MAX;
	seen->known[slot_of(replica)].sender = sender;
	if (!away)
		seen->known[slot_of(replica)].since_ms = INT64_MAX;
	else if (!before)
		seen->known[slot_of(replica)].since_ms = world_now_ms(replica->world);
}

void checks_watch(struct checks *checks, struct replica *replica)
{
	struct cache *caches = replica->controller->caches;

	if (kube_store_add_handler(caches[CACHE_PODS].store, on_pod, replica, NULL) != 0 ||
	    kube_store_add_handler(caches[CACHE_NODES].store, on_node, replica, NULL) != 0)
		world_fail(checks->world, "a store takes no more handlers");
}

static bool is_granted_anywhere(const struct checks *checks, const char *node_uid)
{
	for (size_t i = 0; i < checks->rollout_count; i++)
		if (checks->rollouts[i]->now && is_granted(checks->rollouts[i]->now, node_uid))
			return true;
	return false;
}

/* Its own grants count at once. What happens to a node counts when it is so, and the process was told in time. */
bool is_known_away(const struct checks *checks, const struct seen_node *node, unsigned sender)
{
	int64_t now_ms = world_now_ms(checks->world);

	if (is_granted_anywhere(checks, node->uid))
		return true;
	if (node->unavailable_since_ms == INT64_MAX || now_ms - node->unavailable_since_ms < DECISION_MS)
		return false;
	for (size_t i = 0; i < MAX_REPLICAS; i++)
		if (node->known[i].sender == sender && node->known[i].since_ms != INT64_MAX)
			return now_ms - node->known[i].since_ms >= DECISION_MS;
	return false;
}

/* A percentage is one of the nodes that there are, as far as that is known. */
bool is_counted(const struct checks *checks, const struct seen_node *node, const struct rules *rules)
{
	if (node->now)
		return node_selected(node->now, rules);
	return node_selected(node->last, rules) &&
	       world_now_ms(checks->world) - node->gone_ms < checks->world->knowledge_ms;
}
