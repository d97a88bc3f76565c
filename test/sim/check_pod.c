/* Invariants of pods: one job pod an attempt, bound and bounded; nothing else is removed but by eviction, as ruled. */
#include "test/sim/check.h"

#include <kube/time.h>
#include <string.h>

static const struct node *node_named(struct checks *checks, const char *name)
{
	for (size_t i = 0; i < checks->node_count; i++)
		if (checks->nodes[i].now && strcmp(checks->nodes[i].name, name) == 0)
			return checks->nodes[i].now;
	return NULL;
}

/* At work in one of these steps, with a grant. */
static bool may_work_on(struct checks *checks, const struct node *node, unsigned steps)
{
	if (!node || !node->state || !(steps & (1u << node->state->step)))
		return false;
	const struct seen_rollout *rollout = seen_rollout(checks, node->state->rollout_uid);
	return rollout->now && is_granted(rollout->now, node->object.uid);
}

static bool is_true(const cJSON *pod, const char *path)
{
	return cJSON_IsTrue(kube_json_get(pod, path));
}

/* Its kubelet should have ended it long ago, and does when it is back. */
static bool is_overdue(struct checks *checks, const cJSON *pod)
{
	int64_t created_ms = 0;

	kube_time_parse(text_at(pod, "metadata.creationTimestamp"), &created_ms, NULL);
	const cJSON *limit = kube_json_get(pod, "spec.activeDeadlineSeconds");
	return limit && world_now_ms(checks->world) > created_ms + (int64_t)limit->valuedouble * 1000;
}

static void check_job_is_alone(struct checks *checks, const cJSON *pod)
{
	const struct kube_sim_api *api = checks->world->api;

	for (size_t i = 0; i < kube_sim_api_count(api, &kube_pods); i++) {
		const cJSON *other = kube_sim_api_at(api, &kube_pods, i);
		const char *phase = text_at(other, "status.phase");
		bool over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0 || is_overdue(checks, other);
		if (other != pod && is_job_pod(other) && !over && !kube_json_get(other, "metadata.deletionTimestamp") &&
		    strcmp(text_at(other, "spec.nodeName"), text_at(pod, "spec.nodeName")) == 0)
			world_fail(checks->world, "job pods %s and %s are on node %s at the same time",
			           text_at(other, "metadata.name"), text_at(pod, "metadata.name"), text_at(pod, "spec.nodeName"));
	}
}

static void check_job(struct checks *checks, const cJSON *pod)
{
	const char *name = text_at(pod, "metadata.name"), *node = text_at(pod, "spec.nodeName");
	const cJSON *deadline = kube_json_get(pod, "spec.activeDeadlineSeconds");

	for (size_t i = 0; i < checks->job_count; i++)
		if (strcmp(checks->jobs[i], name) == 0)
			world_fail(checks->world, "job pod %s is created a second time", name);
	if (checks->job_count < MAX_JOBS)
		snprintf(checks->jobs[checks->job_count++], sizeof(checks->jobs[0]), "%s", name);
	if (!*node || !cJSON_IsNumber(deadline) || deadline->valuedouble <= 0 ||
	    is_true(pod, "spec.automountServiceAccountToken"))
		world_fail(checks->world, "job pod %s is not bound to a node, has no deadline or has an API token", name);
	/* One that was on its way when its node vanished comes late, perhaps to another machine of that name. */
	const struct node *machine = node_named(checks, node);
	const cJSON *meant =
	    cJSON_GetObjectItemCaseSensitive(kube_json_get(pod, "metadata.annotations"), PW_ANNOTATION_NODE);
	bool vanished = !checks->world->calm && (!machine || strcmp(machine->object.uid, cJSON_GetStringValue(meant)) != 0);
	if (!vanished && !may_work_on(checks, machine, 1u << STEP_PATCHING | 1u << STEP_ROLLING_BACK))
		world_fail(checks->world, "job pod %s is created, but node %s is not at that step, or not granted", name, node);
	check_job_is_alone(checks, pod);
}

static bool was_drained(struct checks *checks, const char *name)
{
	for (size_t i = 0; i < checks->node_count; i++) {
		const struct seen_node *node = &checks->nodes[i];
		if (strcmp(node->name, name) == 0 && node->drained_ms != INT64_MIN &&
		    world_now_ms(checks->world) - node->drained_ms <= checks->world->knowledge_ms)
			return true;
	}
	return false;
}

/* kubectl's filters, seen from the outside. */
static void check_eviction(struct checks *checks, const cJSON *pod)
{
	const struct node *node = node_named(checks, text_at(pod, "spec.nodeName"));
	const cJSON *owner = cJSON_GetArrayItem(kube_json_get(pod, "metadata.ownerReferences"), 0);
	const char *name = text_at(pod, "metadata.name"), *phase = text_at(pod, "status.phase");
	bool over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;

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
	if (rules && !over && kube_json_get(pod, "spec.volumes") && !rules->drain.delete_empty_dir_data)
		world_fail(checks->world, "pod %s is evicted, but it has data in an emptyDir", name);
}

void check_pod(struct checks *checks, const cJSON *old, const cJSON *now, bool by_controller)
{
	if (!by_controller)
		return;
	if (!old && is_job_pod(now))
		check_job(checks, now);
	if (!old || is_job_pod(old))
		return;
	if (!now || (!kube_json_get(old, "metadata.deletionTimestamp") && kube_json_get(now, "metadata.deletionTimestamp")))
		check_eviction(checks, old);
}

/* Pods leave through the Eviction API, which guards their budgets; only job pods are deleted, and only by their label.
 */
void check_request(void *arg, const struct kube_request *request, int status)
{
	struct checks *checks = arg;
	struct world *world = checks->world;

	if (status >= 400)
		world_trace(world, "server: %s %s is answered %d", request->method, request->target, status);
	if (strcmp(request->method, "DELETE") != 0 || !strstr(request->target, "/pods"))
		return;
	if (strncmp(request->target, "/api/v1/namespaces/" JOB_NAMESPACE "/pods?labelSelector=",
	            strlen("/api/v1/namespaces/" JOB_NAMESPACE "/pods?labelSelector=")) != 0)
		world_fail(world, "a pod is deleted and not evicted: %s", request->target);
}
