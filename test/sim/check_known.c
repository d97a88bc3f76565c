/*
 * What a process knows: invariants hold for what it was told, and a watch may be blind for minutes. Its caches are
 * looked at as they change.
 */
#include "test/sim/check.h"
#include "test/sim/inside.h"

#include <kube/time.h>
#include <stdio.h>
#include <string.h>

static size_t slot_of(const struct replica *replica)
{
	return (size_t)(replica - replica->world->replicas->items);
}

static bool shows_enough(const struct replica *replica)
{
	const struct kube_store *pods = replica->controller->caches[CACHE_PODS].store;
	int64_t matching = 0, ready = 0;

	for (const struct kube_object *o = kube_store_next(pods, NULL); o; o = kube_store_next(pods, o)) {
		bool counts = strcmp(o->namespace_, INSIDE_NAMESPACE) == 0 && !pod_finished((const struct pod *)o);
		matching += counts;
		ready += counts && ((const struct pod *)o)->ready && o->deleted_ms == KUBE_TIME_NONE;
	}
	return inside_enough(replica->world->inside, matching, ready);
}

static void note_enough(struct replica *replica)
{
	struct known_enough *known = &replica->world->checks->enough[slot_of(replica)];
	unsigned process = kube_sim_process_id(replica->process);

	if (known->sender != process)
		*known = (struct known_enough){.sender = process, .until_ms = INT64_MIN};
	if (known->enough)
		known->until_ms = world_now_ms(replica->world);
	known->enough = shows_enough(replica);
}

static void on_pod(void *arg, const struct kube_change *change)
{
	struct replica *replica = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;

	if (strcmp(any->namespace_, INSIDE_NAMESPACE) == 0)
		note_enough(replica);
	if (change->new_object)
		check_job_shown(replica->world->checks, (const struct pod *)change->new_object,
		                kube_sim_process_id(replica->process));
}

static void note(int64_t *since_ms, bool holds, bool anew, int64_t now_ms)
{
	if (!holds)
		*since_ms = INT64_MAX;
	else if (anew || *since_ms == INT64_MAX)
		*since_ms = now_ms;
}

static void on_node(void *arg, const struct kube_change *change)
{
	struct replica *replica = arg;
	const struct node *node = (const struct node *)change->new_object;
	struct seen_node *seen = node ? seen_node(replica->world->checks, node->object.uid) : NULL;
	int64_t now_ms = world_now_ms(replica->world);

	if (!seen)
		return;
	struct known_node *known = &seen->known[slot_of(replica)];
	bool anew = known->sender != kube_sim_process_id(replica->process);
	known->sender = kube_sim_process_id(replica->process);
	const char *pool = kube_strmap_get(&node->labels, "pool");
	if (anew || strcmp(known->pool, pool ? pool : "") != 0) {
		snprintf(known->pool, sizeof(known->pool), "%s", pool ? pool : "");
		known->moved_ms = anew ? 0 : now_ms;
	}
	const char *firmware = firmware_of(replica->world, node);
	if (anew || strcmp(known->firmware, firmware ? firmware : "") != 0) {
		snprintf(known->firmware, sizeof(known->firmware), "%s", firmware ? firmware : "");
		known->firmware_ms = anew ? 0 : now_ms;
	}
	note(&known->away_ms, !node->ready || node->unschedulable, anew, now_ms);
	note(&known->open_ms, !node->unschedulable, anew, now_ms);
}

static int64_t *gone_ms(struct known_guard *guard, const char *admission)
{
	if (strcmp(admission, APPROVALS_ADMISSION) == 0)
		return &guard->approvals_gone_ms;
	return strcmp(admission, RIGHTS_ADMISSION) == 0 ? &guard->rights_gone_ms : &guard->authors_gone_ms;
}

/* Before its first list it knows nothing, and counts nothing. */
static void on_binding(void *arg, const struct kube_change *change)
{
	struct replica *replica = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	struct known_guard *guard = &replica->world->checks->guards[slot_of(replica)];
	unsigned process = kube_sim_process_id(replica->process);

	if (guard->sender != process)
		*guard = (struct known_guard){process, INT64_MAX, INT64_MAX, INT64_MAX};
	*gone_ms(guard, any->name) = change->new_object ? INT64_MAX : world_now_ms(replica->world);
}

void checks_watch(struct checks *checks, struct replica *replica)
{
	struct cache *caches = replica->controller->caches;

	if (kube_store_add_handler(caches[CACHE_PODS].store, on_pod, replica, NULL) != 0 ||
	    kube_store_add_handler(caches[CACHE_ADMISSION_BINDINGS].store, on_binding, replica, NULL) != 0 ||
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

void check_sender(void *arg, const struct kube_request *request, struct kube_sim_fate *fate)
{
	struct checks *checks = arg;
	const struct replica *replica = replicas_find(checks->world->replicas, fate->sender);
	const struct kube_elector *elector = replica ? replica->controller->elector : NULL;

	if (!elector || strcmp(request->method, "GET") == 0 || strstr(request->target, "/leases") ||
	    strstr(request->target, "events.k8s.io"))
		return;
	if (!kube_elector_held(elector))
		world_fail(checks->world, "controller %s sends %s %s without the lease", replica->identity, request->method,
		           request->target);
}

static const struct known_node *known_to(const struct seen_node *node, unsigned sender)
{
	for (size_t i = 0; i < MAX_REPLICAS; i++)
		if (node->known[i].sender == sender)
			return &node->known[i];
	return NULL;
}

static bool is_long_ago(const struct checks *checks, int64_t since_ms)
{
	return since_ms != INT64_MAX && world_now_ms(checks->world) - since_ms >= checks->world->decision_ms;
}

/* Its own grants count at once. What happens to a node counts when it is so, and the process was told in time. */
bool is_known_away(const struct checks *checks, const struct seen_node *node, unsigned sender)
{
	const struct known_node *known = known_to(node, sender);

	if (is_granted_anywhere(checks, node->uid))
		return true;
	return is_long_ago(checks, node->unavailable_since_ms) && known && is_long_ago(checks, known->away_ms);
}

/* Whose policy the node is for now: what was decided before its label changed comes late. */
bool is_known_here(const struct checks *checks, const struct seen_node *node, unsigned sender)
{
	const struct known_node *known = known_to(node, sender);
	const char *pool = kube_strmap_get(&node->now->labels, "pool");

	return known && strcmp(known->pool, pool ? pool : "") == 0 && is_long_ago(checks, known->moved_ms);
}

bool is_known_unguarded(const struct checks *checks, const char *admission, unsigned sender)
{
	for (size_t i = 0; i < MAX_REPLICAS; i++) {
		struct known_guard guard = checks->guards[i];
		if (guard.sender == sender)
			return is_long_ago(checks, *gone_ms(&guard, admission));
	}
	return false;
}

int64_t known_enough_ago_ms(const struct checks *checks, unsigned sender)
{
	const struct replica *replica = replicas_find(checks->world->replicas, sender);
	const struct known_enough *known = replica ? &checks->enough[slot_of(replica)] : NULL;

	if (!known || (known->sender == sender && known->enough))
		return 0;
	bool ever = known->sender == sender && known->until_ms != INT64_MIN;
	return ever ? world_now_ms(checks->world) - known->until_ms : INT64_MAX;
}

bool is_known_open(const struct checks *checks, const struct seen_node *node, unsigned sender)
{
	const struct known_node *known = known_to(node, sender);

	return node->now && !node->now->unschedulable && known && is_long_ago(checks, known->open_ms);
}

const char *firmware_of(const struct world *world, const struct node *node)
{
	return world->annotates ? kube_strmap_get(&node->annotations, FIRMWARE_SHOWN)
	                        : kube_strmap_get(&node->labels, "firmware");
}

bool is_known_firmware(const struct checks *checks, const struct seen_node *node, unsigned sender, const char *version)
{
	const struct known_node *known = known_to(node, sender);

	return known && strcmp(known->firmware, version) == 0 && is_long_ago(checks, known->firmware_ms);
}

/* A percentage is one of the nodes that there are, as far as that is known. */
bool is_counted(const struct checks *checks, const struct seen_node *node, const struct rules *rules)
{
	if (node->now)
		return !rules || node_selected(node->now, rules);
	return (!rules || node_selected(node->last, rules)) &&
	       world_now_ms(checks->world) - node->gone_ms < checks->world->knowledge_ms;
}
