/*
 * The node that this controller runs on. It is the last of its wave, and our own pod is the last one that leaves it: by
 * then the lease is given back, and the next leader goes on from the node's state (controller/cmd/leave.c). Where no
 * other node could take the controller it is not started: nobody would uncordon it.
 */
#include "controller/plan/drain.h"
#include <string.h>

bool is_self(const struct pass *pass, const struct pod *pod)
{
	return pass->s->self && !strcmp(pass->s->self->object.uid, pod->object.uid);
}

bool hosts_self(const struct pass *pass, const struct node *node)
{
	return pass->s->self && !strcmp(pass->s->self->node_name, node->object.name);
}

/* A drain leaves it where it is: it comes back with its node. */
static bool stays(struct pass *pass)
{
	const struct drain_rules *drain = &pass->rules->drain;
	const struct pod *self = pass->s->self;

	return !drain->enabled || self->mirror || !strcmp(self->owner_kind, "DaemonSet") ||
	       (drain->pod_selector && !kube_selector_matches(drain->pod_selector, &self->labels));
}

const char *self_drain_unsafe(struct pass *pass, const struct node *node)
{
	if (!hosts_self(pass, node) || stays(pass))
		return NULL;
	struct refuges refuges = refuges_of(pass->s->nodes, pass->s->node_count);
	if (has_refuge(&refuges, node))
		return NULL;
	return plan_printf(pass->arena,
	                   "node %s runs this controller (pod %s), and no other node is Ready, schedulable and without "
	                   "taints to take it: add one, or set drain.enabled to false",
	                   node->object.name, pass->s->self->object.key);
}
