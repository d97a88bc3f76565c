/* strategy.order: which target comes before which. Decided once, at planning. */
#include "controller/model/names.h"
#include "controller/plan/freeze.h"
#include <string.h>

struct candidate {
	const struct node *node;
	int criticality;
	const char *zone;
	size_t pods;
};

/* Unknown words count as critical: what somebody took the trouble to mark goes last. */
static int criticality_rank(const struct node *node)
{
	static const char *const ranks[] = {"low", "normal", "high", "critical"};
	const char *word = kube_strmap_get(&node->annotations, PW_ANNOTATION_CRITICALITY);

	if (!word)
		word = kube_strmap_get(&node->labels, PW_ANNOTATION_CRITICALITY);
	if (!word)
		return 1;
	for (int rank = 0; rank < (int)KUBE_ARRAY_LEN(ranks); rank++)
		if (!strcmp(word, ranks[rank]))
			return rank;
	return (int)KUBE_ARRAY_LEN(ranks) - 1;
}

static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_by(enum order_key key, const struct candidate *x, const struct candidate *y)
{
	switch (key) {
	case ORDER_CRITICALITY: return compare_numbers((size_t)x->criticality, (size_t)y->criticality);
	case ORDER_ZONE: return strcmp(x->zone, y->zone);
	case ORDER_POD_COUNT: return compare_numbers(x->pods, y->pods);
	case ORDER_NAME: return strcmp(x->node->object.name, y->node->object.name);
	case ORDER_COUNT: break;
	}
	return 0;
}

/* All keys, and then the name, so that the order is total. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct order *order = arg;
	int result = 0;

	for (size_t i = 0; !result && i < order->count; i++)
		result = compare_by((enum order_key)order->keys[i], a, b);
	return result ? result : compare_by(ORDER_NAME, a, b);
}

static struct candidate candidate_of(const struct rollout_snapshot *s, size_t index)
{
	const struct node *node = s->nodes[index];
	const char *zone = kube_strmap_get(&node->labels, "topology.kubernetes.io/zone");
	return (struct candidate){
	    .node = node,
	    .criticality = criticality_rank(node),
	    .zone = zone ? zone : "",
	    .pods = s->pods_per_node ? s->pods_per_node[index] : 0,
	};
}

const struct node **order_nodes(const struct rollout_snapshot *s, const size_t *chosen, size_t count,
                                const struct order *order, struct kube_arena *arena)
{
	struct order keys = *order;
	struct candidate *candidates = plan_alloc(arena, count * sizeof(*candidates));
	const struct node **nodes = plan_alloc(arena, count * sizeof(*nodes));

	for (size_t i = 0; i < count; i++)
		candidates[i] = candidate_of(s, chosen[i]);
	qsort_r(candidates, count, sizeof(*candidates), compare, &keys);
	for (size_t i = 0; i < count; i++)
		nodes[i] = candidates[i].node;
	return nodes;
}
