/* Invariants of pods that are no jobs: nothing is removed but by eviction, as ruled. */
#include "test/sim/check.h"

#include <kube/time.h>
#include <string.h>

const struct node *node_named(struct checks *checks, const char *name)
{
	for (size_t i = 0; i < checks->node_count; i++)
		if (checks->nodes[i].now && strcmp(checks->nodes[i].name, name) == 0)
			return checks->nodes[i].now;
	return NULL;
}

static bool lately(const struct checks *checks, int64_t at_ms)
{
	return at_ms != INT64_MIN && world_now_ms(checks->world) - at_ms <= checks->world->knowledge_ms;
}

bool may_work_on(struct checks *checks, const struct node *node, unsigned steps)
{
	if (!node || !node->state || !(steps & (1u << node->state->step)))
		return false;
	const struct seen_rollout *rollout = seen_rollout(checks, node->state->rollout_uid);
	if (!rollout->now) /* somebody took it away past its finalizer: what was decided before comes late */
		return lately(checks, rollout->gone_ms);
	return is_granted(rollout->now, node->object.uid);
}

static bool was_drained(struct checks *checks, const char *name)
{
	for (size_t i = 0; i < checks->node_count; i++)
		if (strcmp(checks->nodes[i].name, name) == 0 && lately(checks, checks->nodes[i].drained_ms))
			return true;
	return false;
}

static bool is_forced(struct checks *checks, const struct seen_node *node)
{
	for (size_t i = 0; i < checks->rollout_count; i++) {
		const struct rollout *rollout = checks->rollouts[i]->now;
		for (size_t k = 0; rollout && k < rollout->status.active.count; k++)
			if (rollout->status.active.items[k].forced &&
			    strcmp(rollout->status.active.items[k].node_uid, node->uid) == 0)
				return true;
	}
	return lately(checks, node->forced_ms);
}

/* Past the Eviction API only where that was decided, and stands in the status. */
static void check_deletion(struct checks *checks, const struct kube_request *request)
{
	const char *name = strrchr(request->target, '/') + 1;

	for (size_t i = 0; i < checks->node_count; i++)
		if (strcmp(checks->leaving, name) == 0 && strcmp(checks->nodes[i].name, checks->leaving_node) == 0 &&
		    is_forced(checks, &checks->nodes[i]))
			return;
	world_fail(checks->world, "a pod is deleted and not evicted: %s", request->target);
}

static bool has_empty_dir(const cJSON *pod)
{
	return kube_json_get(cJSON_GetArrayItem(kube_json_get(pod, "spec.volumes"), 0), "emptyDir") != NULL;
}

/* kubectl's filters, seen from the outside. */
static void check_eviction(struct checks *checks, const cJSON *pod)
{
	const struct node *node = node_named(checks, text_at(pod, "spec.nodeName"));
	const cJSON *owner = cJSON_GetArrayItem(kube_json_get(pod, "metadata.ownerReferences"), 0);
	const char *name = text_at(pod, "metadata.name"), *phase = text_at(pod, "status.phase");
	bool over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;

	hold_check_named(checks, text_at(pod, "spec.nodeName"), "a pod is evicted from it");
	/* An eviction that was on its way, or was decided before the watch told of the end, comes late. */
	if (was_drained(checks, text_at(pod, "spec.nodeName")) && (!node || !node->state))
		return;
	if (!may_work_on(checks, node, 1u << STEP_DRAINING | 1u << STEP_ROLLING_BACK) &&
	    !was_drained(checks, text_at(pod, "spec.nodeName"))) {
		world_fail(checks->world, "pod %s is evicted from node %s, which is not being drained", name,
		           text_at(pod, "spec.nodeName"));
		return;
	}
	const struct rules *rules = rules_of(seen_rollout(checks, node->state->rollout_uid));
	if (strcmp(text_at(owner, "kind"), "DaemonSet") == 0 ||
	    cJSON_GetObjectItemCaseSensitive(kube_json_get(pod, "metadata.annotations"), "kubernetes.io/config.mirror"))
		world_fail(checks->world, "pod %s is evicted, but it belongs to its node", name);
	if (rules && !over && !owner && rules->drain.unmanaged_pods == UNMANAGED_BLOCK)
		world_fail(checks->world, "pod %s is evicted, but nobody starts it again", name);
	if (rules && rules->drain.pod_selector && strcmp(text_at(pod, "metadata.labels.app"), "app1") == 0)
		world_fail(checks->world, "pod %s is evicted, but podSelector leaves it out", name);
	if (rules && !over && rules->drain.local_volumes == LOCAL_VOLUMES_BLOCK &&
	    disks_are_local(checks->world->disks, name))
		world_fail(checks->world, "pod %s is evicted, but its volume is on its node only", name);
	if (rules && !over && has_empty_dir(pod) && !rules->drain.delete_empty_dir_data)
		world_fail(checks->world, "pod %s is evicted, but it has data in an emptyDir", name);
}

void check_pod(struct checks *checks, const struct kube_sim_change *change)
{
	const cJSON *old = change->old_json, *now = change->new_json;

	if (is_job_pod(now ? now : old)) {
		check_job(checks, change);
		return;
	}
	if (change->sender == 0 || !old)
		return;
	if (!now || (!kube_json_get(old, "metadata.deletionTimestamp") && kube_json_get(now, "metadata.deletionTimestamp")))
		check_eviction(checks, old);
	snprintf(checks->leaving, sizeof(checks->leaving), "%s", text_at(old, "metadata.name"));
	snprintf(checks->leaving_node, sizeof(checks->leaving_node), "%s", text_at(old, "spec.nodeName"));
}

/* Pods leave through the Eviction API, which guards their budgets; only job pods are deleted, and only by their label.
 */
void check_request(void *arg, const struct kube_sim_served *served)
{
	const struct kube_request *request = served->request;
	struct checks *checks = arg;
	struct world *world = checks->world;

	if (served->status >= 400)
		world_trace(world, "server: %s %s is answered %d", request->method, request->target, served->status);
	check_job_answer(checks, served);
	if (strcmp(request->method, "DELETE") != 0 || !strstr(request->target, "/pods"))
		return;
	if (served->status < 400 && strncmp(request->target, "/api/v1/namespaces/" JOB_NAMESPACE "/pods?labelSelector=",
	                                    strlen("/api/v1/namespaces/" JOB_NAMESPACE "/pods?labelSelector=")) != 0)
		check_deletion(checks, request);
}
