/*
 * drain.requireCapacity: no node is started whose pods have no place elsewhere. Looked at when the request is sent:
 * then the caches of its sender are what it was decided by. How the pods are placed is the planner's affair: what must
 * hold is that each of them finds a node with room for it alone, and all of them no less room than they need.
 */
#include "test/sim/check.h"

#include <kube/json.h>
#include <kube/time.h>
#include <string.h>

static const struct kube_store *store_of(const struct replica *replica, enum cache_id id)
{
	return replica->controller->caches[id].store;
}

static struct resources room_on(const struct replica *replica, const struct node *node)
{
	const struct kube_store *pods = store_of(replica, CACHE_PODS);
	struct resources left = node->allocatable;

	for (const struct kube_object *o = kube_store_next(pods, NULL); o; o = kube_store_next(pods, o)) {
		const struct pod *pod = (const struct pod *)o;
		if (strcmp(pod->node_name, node->object.name) != 0 || pod_finished(pod))
			continue;
		left.cpu_m -= pod->cpu_m;
		left.memory -= (int64_t)pod->memory_kib * 1024;
		left.pods--;
	}
	return left;
}

static bool is_in(const cJSON *active, const char *node_uid)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, active)
		if (strcmp(text_at(item, "nodeUID"), node_uid) == 0)
			return true;
	return false;
}

static bool fits(const struct resources *room, const struct resources *wanted)
{
	return room->pods >= wanted->pods && room->cpu_m >= wanted->cpu_m && room->memory >= wanted->memory;
}

/* Whether one of the open nodes has room for this; that of all of them is added up. */
static bool has_place(const struct replica *replica, const cJSON *active, const struct resources *wanted,
                      struct resources *ret_all)
{
	const struct kube_store *nodes = store_of(replica, CACHE_NODES);
	bool found = false;

	*ret_all = (struct resources){0};
	for (const struct kube_object *o = kube_store_next(nodes, NULL); o; o = kube_store_next(nodes, o)) {
		const struct node *node = (const struct node *)o;
		if (!node->ready || node->unschedulable || is_in(active, o->uid))
			continue;
		struct resources left = room_on(replica, node);
		found |= fits(&left, wanted);
		ret_all->pods += left.pods > 0 ? left.pods : 0;
		ret_all->cpu_m += left.cpu_m > 0 ? left.cpu_m : 0;
		ret_all->memory += left.memory > 0 ? left.memory : 0;
	}
	return found;
}

/* Somebody starts it again elsewhere. */
static bool moves(const struct rules *rules, const struct pod *pod)
{
	return *pod->owner_kind && strcmp(pod->owner_kind, "DaemonSet") != 0 && !pod->mirror && !pod_finished(pod) &&
	       pod->object.deleted_ms == KUBE_TIME_NONE &&
	       (!rules->drain.pod_selector || kube_selector_matches(rules->drain.pod_selector, &pod->labels));
}

static void check_start(struct checks *checks, const struct replica *replica, const struct rules *rules,
                        const cJSON *active, const char *node)
{
	const struct kube_store *pods = store_of(replica, CACHE_PODS);
	struct resources all = {0}, room = {0};

	for (const struct kube_object *o = kube_store_next(pods, NULL); o; o = kube_store_next(pods, o)) {
		const struct pod *pod = (const struct pod *)o;
		const struct resources wanted = {pod->cpu_m, (int64_t)pod->memory_kib * 1024, 1};
		if (strcmp(pod->node_name, node) != 0 || !moves(rules, pod))
			continue;
		all = (struct resources){all.cpu_m + wanted.cpu_m, all.memory + wanted.memory, all.pods + 1};
		if (!has_place(replica, active, &wanted, &room) || !fits(&room, &all))
			world_fail(checks->world, "node %s is started, but its pod %s finds no place elsewhere", node, o->name);
	}
}

/* A state that is there already was lost from the status, and no node is started. */
static bool is_start(const struct replica *replica, const struct rollout *rollout, const cJSON *grant)
{
	const struct node *node =
	    (const struct node *)kube_store_get(store_of(replica, CACHE_NODES), text_at(grant, "node"));

	return !is_granted(rollout, text_at(grant, "nodeUID")) && node &&
	       (!node->state || strcmp(node->state->rollout_uid, rollout->object.uid) != 0);
}

/* What is repeated has the same version: it was decided long ago. */
static bool is_repeated(struct seen_rollout *seen, const char *version)
{
	bool repeated = strcmp(seen->sent_version, version) == 0;

	snprintf(seen->sent_version, sizeof(seen->sent_version), "%s", version);
	return repeated;
}

/* That a request to this rollout, or to its status, goes to; NULL: to something else. */
static const struct kube_object *addressed(const struct replica *replica, const char *target)
{
	char name[128];

	if (strncmp(target, ROLLOUTS "/", strlen(ROLLOUTS "/")) != 0)
		return NULL;
	target += strlen(ROLLOUTS "/");
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(target, "/?"), target);
	return kube_store_get(store_of(replica, CACHE_ROLLOUTS), name);
}

void check_sending(struct checks *checks, const struct replica *replica, const struct kube_request *request)
{
	bool put = strcmp(request->method, "PUT") == 0;
	const struct kube_object *cached = put ? addressed(replica, request->target) : NULL;
	struct seen_rollout *seen = cached ? seen_rollout(checks, cached->uid) : NULL;
	const struct rules *rules = seen ? rules_of(seen) : NULL;

	if (!rules || !rules->drain.enabled || !rules->drain.require_capacity)
		return;
	_cleanup_json_ cJSON *body = cJSON_ParseWithLength(request->body, request->body_len);
	const cJSON *active = kube_json_get(body, "status.active"), *grant;
	if (is_repeated(seen, text_at(body, "metadata.resourceVersion")))
		return;
	cJSON_ArrayForEach (grant, active)
		if (is_start(replica, (const struct rollout *)cached, grant))
			check_start(checks, replica, rules, active, text_at(grant, "node"));
}
