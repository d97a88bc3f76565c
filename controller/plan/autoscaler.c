/*
 * Autoscalers: a node that was drained for a patch looks like one that nobody needs. Two annotations keep
 * cluster-autoscaler and Karpenter away from the claim to the end; what stood there before is remembered in the node's
 * state, and put back with it (controller/act/node_patch.c).
 */
#include "controller/plan/internal.h"
#include <string.h>

/* The state has little room, and what is neither a word nor a duration no autoscaler understands: it is left alone. */
#define MAX_VALUE_BYTES 32
#define VALUE_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static bool is_plain(const char *value)
{
	size_t len = strlen(value);
	return len <= MAX_VALUE_BYTES && strspn(value, VALUE_CHARS) == len;
}

static const char *remember(struct pass *pass, const struct node *node, size_t which, bool ours)
{
	const char *before = node_state_held(node->state, which);
	const char *value = kube_strmap_get(&node->annotations, held_annotations[which]);

	if (before) /* a rollout that is gone left it so */
		return before;
	if (!value)
		return HELD_ABSENT;
	if (!strcmp(value, HELD_VALUE))
		return ours ? HELD_ABSENT : HELD_BY_OTHERS;
	if (!is_plain(value))
		return HELD_BY_OTHERS;
	return plan_printf(pass->arena, HELD_BEFORE "%s", value);
}

struct kube_strlist hold_off_autoscalers(struct pass *pass, const struct node *node, bool ours)
{
	const char **items = plan_alloc(pass->arena, HELD_COUNT * sizeof(*items));

	for (size_t i = 0; i < HELD_COUNT; i++)
		items[i] = remember(pass, node, i, ours);
	return (struct kube_strlist){.items = items, .count = HELD_COUNT};
}
