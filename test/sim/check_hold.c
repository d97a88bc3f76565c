/* patchwright.io/hold: nothing is done to a node that every controller's own cache shows to be held. And none is
 * granted that another operator works on. */
#include "test/sim/check.h"
#include "test/sim/replica.h"

#include <string.h>

#define NEVER INT64_MAX
/* A request that was under way when the cache saw the hold comes late, and may be repeated for 15 s. */
#define UNDER_WAY_MS 25000

static bool shows(const struct controller *controller, const struct seen_node *seen, const char *annotation)
{
	const struct kube_object *object = kube_store_get(controller->caches[CACHE_NODES].store, seen->name);
	const struct node *node = (const struct node *)object;

	return object && strcmp(object->uid, seen->uid) == 0 && kube_strmap_get(&node->annotations, annotation);
}

static bool known(const struct replicas *replicas, const struct seen_node *seen, const char *annotation)
{
	size_t knowing = 0, running = 0;

	for (size_t i = 0; i < replicas->count; i++) {
		const struct controller *controller = replicas->items[i].controller;
		running += controller != NULL;
		knowing += controller && shows(controller, seen, annotation);
	}
	return running > 0 && knowing == running;
}

static void note(const struct checks *checks, const struct seen_node *seen, const char *annotation, int64_t *since_ms)
{
	if (!known(checks->world->replicas, seen, annotation))
		*since_ms = NEVER;
	else if (*since_ms == NEVER)
		*since_ms = world_now_ms(checks->world);
}

void hold_look(struct checks *checks)
{
	if (!checks->world->replicas)
		return; /* the cluster is being drawn */
	for (size_t i = 0; i < checks->node_count; i++) {
		struct seen_node *seen = &checks->nodes[i];
		note(checks, seen, PW_ANNOTATION_HOLD, &seen->held_since_ms);
		note(checks, seen, REBOOT_MARK, &seen->marked_since_ms);
	}
}

/* What is in work already is carried on. */
void neighbour_check(struct checks *checks, const struct seen_node *seen)
{
	if (seen->marked_since_ms != NEVER && world_now_ms(checks->world) - seen->marked_since_ms > UNDER_WAY_MS)
		world_fail(checks->world, "node %s is granted, and another operator works on it", seen->name);
}

void hold_check(struct checks *checks, const struct seen_node *seen, const char *what)
{
	if (seen->held_since_ms != NEVER && world_now_ms(checks->world) - seen->held_since_ms > UNDER_WAY_MS)
		world_fail(checks->world, "node %s is held, and %s", seen->name, what);
}

void hold_check_named(struct checks *checks, const char *name, const char *what)
{
	for (size_t i = 0; i < checks->node_count; i++)
		if (checks->nodes[i].now && strcmp(checks->nodes[i].name, name) == 0)
			hold_check(checks, &checks->nodes[i], what);
}
