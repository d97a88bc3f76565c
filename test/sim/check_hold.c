/* patchwright.io/hold: nothing is done to a node that every controller's own cache shows to be held. And none is
 * granted that another operator works on. */
#include "test/sim/check.h"
#include "test/sim/replica.h"

#include <string.h>

#define NEVER INT64_MAX

static const struct node *node_in(const struct controller *controller, const struct seen_node *seen)
{
	const struct kube_object *object = kube_store_get(controller->caches[CACHE_NODES].store, seen->name);
	return object && strcmp(object->uid, seen->uid) == 0 ? (const struct node *)object : NULL;
}

static void note(bool known, int64_t now_ms, int64_t *since_ms)
{
	if (!known)
		*since_ms = NEVER;
	else if (*since_ms == NEVER)
		*since_ms = now_ms;
}

/* What every process that runs has been told. */
static void look_at(const struct checks *checks, struct seen_node *seen)
{
	const struct replicas *replicas = checks->world->replicas;
	size_t running = 0, held = 0, marked = 0;

	for (size_t i = 0; i < replicas->count; i++) {
		const struct controller *controller = replicas->items[i].controller;
		const struct node *node = controller ? node_in(controller, seen) : NULL;
		running += controller != NULL;
		held += node && kube_strmap_get(&node->annotations, PW_ANNOTATION_HOLD);
		marked += node && kube_strmap_get(&node->annotations, REBOOT_MARK);
	}
	note(running > 0 && held == running, world_now_ms(checks->world), &seen->held_since_ms);
	note(running > 0 && marked == running, world_now_ms(checks->world), &seen->marked_since_ms);
}

void hold_look(struct checks *checks)
{
	if (!checks->world->replicas)
		return; /* the cluster is being drawn */
	for (size_t i = 0; i < checks->node_count; i++)
		look_at(checks, &checks->nodes[i]);
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
