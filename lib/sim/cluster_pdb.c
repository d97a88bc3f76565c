/* The disruption controller (K8S pkg/controller/disruption): what a budget's status says. */
#include "lib/sim/cluster.h"

#include <kube/client.h>
#include <kube/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISRUPTED_FOR_MS 120000 /* an eviction that led to no deletion by then did not happen */

struct tally {
	int64_t pods, healthy, replicas;
	cJSON *disrupted;
};

/* An evicted pod whose deletion is on its way is not healthy; true while that is so. */
static bool is_disrupted(struct kube_sim_cluster *cluster, const cJSON *pdb, const cJSON *pod)
{
	const cJSON *all = kube_json_get(pdb, "status.disruptedPods");
	const cJSON *since = cJSON_GetObjectItemCaseSensitive(all, cluster_text(pod, "metadata.name"));
	int64_t since_ms = 0;

	if (!cJSON_IsString(since) || kube_time_parse(since->valuestring, &since_ms, NULL) != 0)
		return false;
	return since_ms + DISRUPTED_FOR_MS > kube_sim_server_ms(cluster->api->sim);
}

/* The wanted number of the pods' owners, each counted once. */
static void add_owner(struct kube_sim_cluster *cluster, const cJSON *pod, struct tally *tally, const char *seen[],
                      size_t *seen_count, size_t seen_max)
{
	const cJSON *owner = cJSON_GetArrayItem(kube_json_get(pod, "metadata.ownerReferences"), 0);
	const char *name = cluster_text(owner, "name");

	for (size_t i = 0; i < *seen_count; i++)
		if (strcmp(seen[i], name) == 0)
			return;
	if (*seen_count == seen_max)
		return;
	seen[(*seen_count)++] = name;
	tally->replicas += cluster_number(
	    kube_sim_api_get(cluster->api, &kube_replica_sets, cluster_text(pod, "metadata.namespace"), name),
	    "spec.replicas", 0);
}

static void count_pods(struct kube_sim_cluster *cluster, const cJSON *pdb, struct tally *tally)
{
	const struct api_kind *pods = api_kind_of(cluster->api, &kube_pods);
	const char *seen[16];
	size_t seen_count = 0;

	for (size_t i = 0; i < pods->count; i++) {
		const cJSON *pod = pods->objects[i].json;
		if (!api_pdb_protects(pdb, pod))
			continue;
		tally->pods++;
		add_owner(cluster, pod, tally, seen, &seen_count, KUBE_ARRAY_LEN(seen));
		if (kube_json_get(pod, "metadata.deletionTimestamp"))
			continue;
		if (is_disrupted(cluster, pdb, pod))
			cJSON_AddItemToObject(
			    tally->disrupted, cluster_text(pod, "metadata.name"),
			    cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(kube_json_get(pdb, "status.disruptedPods"),
			                                                     cluster_text(pod, "metadata.name")),
			                    true));
		else
			tally->healthy += api_is_ready(pod);
	}
}

/* Percentages round up. */
static int64_t scaled(const cJSON *value, int64_t total)
{
	if (cJSON_IsNumber(value))
		return (int64_t)value->valuedouble;
	return (total * atoll(cJSON_GetStringValue(value)) + 99) / 100;
}

static int64_t desired_of(const cJSON *pdb, const struct tally *tally, int64_t *ret_expected)
{
	const cJSON *least = kube_json_get(pdb, "spec.minAvailable"), *most = kube_json_get(pdb, "spec.maxUnavailable");
	int64_t desired;

	*ret_expected = cJSON_IsNumber(least) ? tally->pods : tally->replicas;
	desired = most ? *ret_expected - scaled(most, *ret_expected) : scaled(least, *ret_expected);
	return desired < 0 ? 0 : desired;
}

void cluster_pdb(struct kube_sim_cluster *cluster, const cJSON *pdb)
{
	struct tally tally = {.disrupted = cJSON_CreateObject()};
	int64_t expected;
	char target[TARGET_SIZE], key[TARGET_SIZE];

	count_pods(cluster, pdb, &tally);
	int64_t desired = desired_of(pdb, &tally, &expected), room = tally.healthy - desired;
	bool recheck = cJSON_GetArraySize(tally.disrupted) > 0;
	cluster_key(pdb, key, sizeof(key));
	cJSON *next = api_must(cJSON_Duplicate(pdb, true)), *status = cJSON_CreateObject();
	api_set(next, "status", status);
	cJSON_AddNumberToObject(status, "observedGeneration", (double)cluster_number(pdb, "metadata.generation", 1));
	cJSON_AddNumberToObject(status, "disruptionsAllowed", (double)(room > 0 && expected > 0 ? room : 0));
	cJSON_AddNumberToObject(status, "currentHealthy", (double)tally.healthy);
	cJSON_AddNumberToObject(status, "desiredHealthy", (double)desired);
	cJSON_AddNumberToObject(status, "expectedPods", (double)expected);
	if (recheck)
		cJSON_AddItemToObject(status, "disruptedPods", tally.disrupted);
	else
		cJSON_Delete(tally.disrupted);
	cJSON_AddItemToObject(status, "conditions", cJSON_Duplicate(kube_json_get(pdb, "status.conditions"), true));
	api_pdb_say_allowed(cluster->api, next);
	snprintf(target, sizeof(target), "/apis/policy/v1/namespaces/%s/poddisruptionbudgets/%s/status",
	         cluster_text(pdb, "metadata.namespace"), cluster_text(pdb, "metadata.name"));
	kube_sim_api_call(cluster->api, "PUT", target, NULL, next, NULL);
	cJSON_Delete(next);
	if (recheck)
		cluster_touch(cluster, "pdb", key, DISRUPTED_FOR_MS);
}
