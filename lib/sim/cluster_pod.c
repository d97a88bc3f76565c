/* ReplicaSets, the scheduler, kubelets: where pods come from and go. Each look does the one next thing. */
#include "lib/sim/cluster.h"

#include <kube/client.h>
#include <stdio.h>
#include <string.h>

static bool finished(const cJSON *pod)
{
	const char *phase = cluster_text(pod, "status.phase");
	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static bool deleting(const cJSON *pod)
{
	return kube_json_get(pod, "metadata.deletionTimestamp") != NULL;
}

static const char *target_of(const cJSON *pod, const char *subresource, char out[TARGET_SIZE])
{
	snprintf(out, TARGET_SIZE, "/api/v1/namespaces/%s/pods/%s%s%s", cluster_text(pod, "metadata.namespace"),
	         cluster_text(pod, "metadata.name"), *subresource ? "/" : "", subresource);
	return out;
}

/* ---- the scheduler ---- */

static bool takes_pods(const cJSON *node)
{
	const cJSON *taint;

	if (!api_is_ready(node) || cJSON_IsTrue(kube_json_get(node, "spec.unschedulable")) || deleting(node))
		return false;
	cJSON_ArrayForEach (taint, kube_json_get(node, "spec.taints"))
		if (strcmp(cluster_text(taint, "effect"), "NoSchedule") == 0)
			return false;
	return true;
}

static size_t pods_on(const struct api_kind *pods, const char *node)
{
	size_t count = 0;
	for (size_t i = 0; i < pods->count; i++)
		count += strcmp(cluster_text(pods->objects[i].json, "spec.nodeName"), node) == 0;
	return count;
}

static void schedule(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	const struct api_kind *nodes = api_kind_of(cluster->api, &kube_nodes);
	const struct api_kind *pods = api_kind_of(cluster->api, &kube_pods);
	const char *best = NULL;
	size_t fewest = SIZE_MAX;
	char target[TARGET_SIZE];

	for (size_t i = 0; i < nodes->count; i++) {
		size_t count = takes_pods(nodes->objects[i].json) ? pods_on(pods, nodes->objects[i].key) : SIZE_MAX;
		if (count >= fewest)
			continue;
		fewest = count;
		best = nodes->objects[i].key;
	}
	if (best) /* without one it waits for a change of nodes */
		kube_sim_api_do(cluster->api, "POST", target_of(pod, "binding", target), NULL,
		                "{'target':{'kind':'Node','name':'%s'}}", best);
}

/* ---- kubelets, and what is done where there is none any more ---- */

static void set_ready(struct kube_sim_cluster *cluster, const cJSON *pod, bool ready)
{
	char target[TARGET_SIZE], now[32];

	api_now(cluster->api, now);
	kube_sim_api_do(
	    cluster->api, "PATCH", target_of(pod, "status", target), KUBE_PATCH_STRATEGIC,
	    "{'status':{'phase':'Running','conditions':[{'type':'Ready','status':'%s','lastTransitionTime':'%s'}]"
	    "}}",
	    ready ? "True" : "False", now);
}

static void delete_now(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	char target[TARGET_SIZE];

	kube_sim_api_do(cluster->api, "DELETE", target_of(pod, "", target), NULL,
	                "{'gracePeriodSeconds':0,'preconditions':{'uid':'%s'}}", cluster_text(pod, "metadata.uid"));
}

/* K8S pkg/controller/podgc: a pod whose node is gone has failed, and goes. */
static void collect_pod(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	char target[TARGET_SIZE];
	_cleanup_json_ cJSON *copy = api_must(cJSON_Duplicate(pod, true));

	if (!finished(pod))
		kube_sim_api_do(cluster->api, "PATCH", target_of(pod, "status", target), KUBE_PATCH_MERGE,
		                "{'status':{'phase':'Failed'}}");
	delete_now(cluster, copy);
}

static const cJSON *node_of(const struct kube_sim_cluster *cluster, const cJSON *pod)
{
	return kube_sim_api_get(cluster->api, &kube_nodes, NULL, cluster_text(pod, "spec.nodeName"));
}

static bool is_job(const cJSON *pod)
{
	return strcmp(cluster_text(pod, "spec.restartPolicy"), "Never") == 0;
}

void cluster_pod(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	const cJSON *node = node_of(cluster, pod);

	if (!*cluster_text(pod, "spec.nodeName")) {
		if (!deleting(pod))
			schedule(cluster, pod);
	} else if (!node) {
		collect_pod(cluster, pod);
	} else if (!api_is_ready(node)) {
		if (api_is_ready(pod))
			set_ready(cluster, pod, false);
	} else if (deleting(pod)) {
		if (!finished(pod) || cluster_number(pod, "metadata.deletionGracePeriodSeconds", 0) > 0)
			delete_now(cluster, pod);
	} else if (!finished(pod) && !is_job(pod) && !api_is_ready(pod)) {
		set_ready(cluster, pod, true);
	}
}

void cluster_touch_pod(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	const struct kube_sim_cluster_options *options = &cluster->options;
	char key[TARGET_SIZE];
	int64_t max_ms = options->start_ms;

	if (!*cluster_text(pod, "spec.nodeName"))
		max_ms = options->schedule_ms;
	else if (!node_of(cluster, pod))
		max_ms = options->collect_ms;
	else if (deleting(pod))
		max_ms = options->stop_ms;
	cluster_touch(cluster, "pod", cluster_key(pod, key, sizeof(key)), max_ms);
}

/* ---- ReplicaSets ---- */

static bool belongs(const cJSON *pod, const char *uid)
{
	const cJSON *owner = cJSON_GetArrayItem(kube_json_get(pod, "metadata.ownerReferences"), 0);
	return strcmp(cluster_text(owner, "uid"), uid) == 0;
}

static void create_pod(struct kube_sim_cluster *cluster, const cJSON *set)
{
	_cleanup_json_ cJSON *body = api_must(cJSON_Duplicate(kube_json_get(set, "spec.template"), true));
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(body, "metadata");
	cJSON *owner = cJSON_CreateObject();
	char text[TARGET_SIZE];

	cJSON_AddStringToObject(body, "apiVersion", "v1");
	cJSON_AddStringToObject(body, "kind", "Pod");
	snprintf(text, sizeof(text), "%s-%05u", cluster_text(set, "metadata.name"), ++cluster->next_pod);
	cJSON_AddStringToObject(metadata, "name", text);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(metadata, "ownerReferences"), owner);
	cJSON_AddStringToObject(owner, "apiVersion", "apps/v1");
	cJSON_AddStringToObject(owner, "kind", "ReplicaSet");
	cJSON_AddStringToObject(owner, "name", cluster_text(set, "metadata.name"));
	cJSON_AddStringToObject(owner, "uid", cluster_text(set, "metadata.uid"));
	cJSON_AddTrueToObject(owner, "controller");
	cJSON_AddTrueToObject(owner, "blockOwnerDeletion");
	snprintf(text, sizeof(text), "/api/v1/namespaces/%s/pods", cluster_text(set, "metadata.namespace"));
	kube_sim_api_call(cluster->api, "POST", text, NULL, body, NULL);
}

void cluster_replica_set(struct kube_sim_cluster *cluster, const cJSON *set)
{
	const struct api_kind *pods = api_kind_of(cluster->api, &kube_pods);
	int64_t missing = cluster_number(set, "spec.replicas", 1);
	_cleanup_json_ cJSON *copy = api_must(cJSON_Duplicate(set, true));

	for (size_t i = 0; i < pods->count; i++) {
		const cJSON *pod = pods->objects[i].json;
		missing -= belongs(pod, cluster_text(set, "metadata.uid")) && !deleting(pod) && !finished(pod);
	}
	while (missing-- > 0)
		create_pod(cluster, copy);
}
