/*
 * Neighbours: other operators that work on nodes, and people who drain one. A node that one of them works on is not
 * started, and the wait names who. What is in work already is carried on: it is theirs to wait then.
 */
#include "controller/plan/internal.h"
#include <string.h>

/* A pod that should have been gone for so long is stuck; it does not say that somebody drains the node. */
#define DRAINS_AT_MOST_MS (10 * 60 * 1000)

enum place { PLACE_TAINT, PLACE_ANNOTATION };

/* Marks on the node itself. A candidate for removal by an autoscaler is none: it may stay one for ever, and we hold the
 * removal off. */
static const struct mark {
	enum place place;
	const char *key, *value; /* value NULL: any */
	const char *who;
} marks[] = {
    {PLACE_ANNOTATION, "weave.works/kured-reboot-in-progress", NULL, "kured, which is to reboot it"},
    {PLACE_ANNOTATION, "flatcar-linux-update.v1.flatcar-linux.net/reboot-in-progress", "true",
     "flatcar-linux-update-operator, which reboots it"},
    {PLACE_ANNOTATION, "machineconfiguration.openshift.io/state", "Working", "machine-config-operator"},
    {PLACE_TAINT, "ToBeDeletedByClusterAutoscaler", NULL, "cluster-autoscaler, which removes it"},
    {PLACE_TAINT, "karpenter.sh/disrupted", NULL, "Karpenter, which removes it"},
    {PLACE_TAINT, "karpenter.sh/disruption", NULL, "Karpenter, which removes it"},
    {PLACE_TAINT, "medik8s.io/drain", NULL, "node-maintenance-operator"},
};

static bool is_marked(const struct node *node, const struct mark *mark)
{
	if (mark->place == PLACE_ANNOTATION) {
		const char *value = kube_strmap_get(&node->annotations, mark->key);
		return value && (!mark->value || !strcmp(value, mark->value));
	}
	for (size_t i = 0; i < node->taints.count; i++)
		if (!strcmp(node->taints.items[i].key, mark->key))
			return true;
	return false;
}

static const char *by_mark(const struct pass *pass, const struct node *node)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(marks); i++)
		if (is_marked(node, &marks[i]))
			return plan_printf(pass->arena, "%s (%s %s)", marks[i].who,
			                   marks[i].place == PLACE_TAINT ? "taint" : "annotation", marks[i].key);
	return NULL;
}

/* A lock that has run out is none: its holder may be gone for good. */
static const char *by_lock(const struct pass *pass, const struct node *node)
{
	for (size_t d = 0; d < pass->s->locker_count; d++) {
		const struct daemon_set *locker = pass->s->lockers[d];
		for (size_t i = 0; i < locker->locks.count; i++) {
			const struct reboot_lock *lock = &locker->locks.items[i];
			bool over = lock->until_ms != KUBE_TIME_NONE && pass->s->now_ms >= lock->until_ms;
			if (over || strcmp(lock->node, node->object.name) != 0)
				continue;
			if (lock->until_ms != KUBE_TIME_NONE)
				look_again_at(pass->out, lock->until_ms);
			return plan_printf(pass->arena, "kured, which holds its lock for the node (DaemonSet %s)",
			                   locker->object.key);
		}
	}
	return NULL;
}

static bool leaves(struct pass *pass, const struct pod *pod)
{
	int64_t until_ms = pod->object.deleted_ms + DRAINS_AT_MOST_MS;

	if (pod->object.deleted_ms == KUBE_TIME_NONE || pod->mirror || !strcmp(pod->owner_kind, "DaemonSet") ||
	    pass->s->now_ms >= until_ms)
		return false;
	look_again_at(pass->out, until_ms);
	return true;
}

/* Cordoned by somebody else, and pods leave it. A cordon alone says nothing: the node may be patched under it. */
static const char *by_drain(struct pass *pass, const struct target_view *view)
{
	if (!view->node->unschedulable || view->node->state)
		return NULL;
	for (size_t i = 0; i < view->pod_count; i++)
		if (leaves(pass, view->pods[i].pod))
			return plan_printf(pass->arena, "somebody who drains it (pod %s is leaving)",
			                   view->pods[i].pod->object.key);
	return NULL;
}

const char *neighbour_at_work(struct pass *pass, const struct target_view *view)
{
	const struct node *node = view->node;
	const char *who = by_mark(pass, node);

	who = who ? who : by_lock(pass, node);
	if (!who && view->upgrade_pod)
		who = plan_printf(pass->arena, "system-upgrade-controller (pod %s)", view->upgrade_pod->object.key);
	who = who ? who : by_drain(pass, view);
	return who ? plan_printf(pass->arena, "node %s is worked on by %s", node->object.name, who) : NULL;
}
