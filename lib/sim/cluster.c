/* The controllers of the simulated cluster: each change leads to a look at what it may concern, a moment later. */
#include "lib/sim/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_POD "pod"
#define TASK_SET "set"
#define TASK_PDB "pdb"

struct cluster_task {
	UT_hash_handle hh;
	struct kube_sim_cluster *cluster;
	struct kube_timer timer;
	const char *type;
	char key[]; /* "<type> <object's key>" */
};

const char *cluster_text(const cJSON *json, const char *path)
{
	const char *text = kube_json_str(json, path);
	return text ? text : "";
}

int64_t cluster_number(const cJSON *json, const char *path, int64_t fallback)
{
	const cJSON *number = kube_json_get(json, path);
	return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : fallback;
}

const char *cluster_key(const cJSON *json, char *out, size_t size)
{
	api_key(cluster_text(json, "metadata.namespace"), cluster_text(json, "metadata.name"), out, size);
	return out;
}

/* ---- tasks ---- */

static void free_task(struct cluster_task *task)
{
	HASH_DEL(task->cluster->tasks, task);
	kube_timer_stop(kube_sim_env(task->cluster->api->sim), &task->timer);
	free(task);
}

static const cJSON *object_of(const struct cluster_task *task, const struct kube_resource *resource)
{
	const struct api_kind *kind = api_kind_of(task->cluster->api, resource);
	const struct api_object *object = api_find(kind, strchr(task->key, ' ') + 1);
	return object ? object->json : NULL;
}

static void run_task(struct kube_timer *timer, void *arg)
{
	static const struct {
		const char *type;
		const struct kube_resource *resource;
		void (*run)(struct kube_sim_cluster *cluster, const cJSON *json);
	} kinds[] = {
	    {TASK_POD, &kube_pods, cluster_pod},
	    {TASK_SET, &kube_replica_sets, cluster_replica_set},
	    {TASK_PDB, &kube_pdbs, cluster_pdb},
	    {CLUSTER_NAMESPACE, &kube_namespaces, cluster_namespace},
	};
	struct cluster_task *task = arg;
	struct kube_sim_cluster *cluster = task->cluster;
	const char *type = task->type;
	const cJSON *json = NULL;
	void (*run)(struct kube_sim_cluster *, const cJSON *) = NULL;

	(void)timer;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].type, type) != 0)
			continue;
		json = object_of(task, kinds[i].resource);
		run = kinds[i].run;
	}
	free_task(task); /* before it runs: what it changes touches anew */
	if (strcmp(type, CLUSTER_COLLECT) == 0)
		cluster_collect(cluster);
	else if (json)
		run(cluster, json);
}

void cluster_touch(struct kube_sim_cluster *cluster, const char *type, const char *key, int64_t max_ms)
{
	struct kube_env *env = kube_sim_env(cluster->api->sim);
	char name[TARGET_SIZE];
	struct cluster_task *task = NULL;

	int len = snprintf(name, sizeof(name), "%s %s", type, key);
	HASH_FIND(hh, cluster->tasks, name, (size_t)len, task);
	if (task)
		return;
	task = api_must(calloc(1, sizeof(*task) + (size_t)len + 1));
	task->cluster = cluster;
	task->type = type;
	memcpy(task->key, name, (size_t)len + 1);
	HASH_ADD_KEYPTR(hh, cluster->tasks, task->key, (size_t)len, task);
	api_must(task->hh.tbl);
	api_start(env, &task->timer, kube_env_random_between(env, 1, max_ms < 1 ? 1 : max_ms), run_task, task);
}

/* ---- what a change concerns ---- */

static void touch_budgets(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	const struct api_kind *kind = api_kind_of(cluster->api, &kube_pdbs);

	for (size_t i = 0; i < kind->count; i++)
		if (api_pdb_protects(kind->objects[i].json, pod))
			cluster_touch(cluster, TASK_PDB, kind->objects[i].key, cluster->options.disruption_ms);
}

static void pod_changed(struct kube_sim_cluster *cluster, const cJSON *pod)
{
	const cJSON *owner = cJSON_GetArrayItem(kube_json_get(pod, "metadata.ownerReferences"), 0);
	char key[TARGET_SIZE];

	cluster_touch_pod(cluster, pod);
	touch_budgets(cluster, pod);
	if (strcmp(cluster_text(owner, "kind"), "ReplicaSet") != 0)
		return;
	api_key(cluster_text(pod, "metadata.namespace"), cluster_text(owner, "name"), key, sizeof(key));
	cluster_touch(cluster, TASK_SET, key, cluster->options.replace_ms);
}

static bool same_for_pods(const cJSON *a, const cJSON *b)
{
	return a && b && api_is_ready(a) == api_is_ready(b) &&
	       cJSON_IsTrue(kube_json_get(a, "spec.unschedulable")) ==
	           cJSON_IsTrue(kube_json_get(b, "spec.unschedulable")) &&
	       cJSON_GetArraySize(kube_json_get(a, "spec.taints")) == cJSON_GetArraySize(kube_json_get(b, "spec.taints"));
}

static void node_changed(struct kube_sim_cluster *cluster, const struct kube_sim_change *change)
{
	const struct api_kind *kind = api_kind_of(cluster->api, &kube_pods);
	const char *node = cluster_text(change->new_json ? change->new_json : change->old_json, "metadata.name");

	if (same_for_pods(change->old_json, change->new_json))
		return;
	for (size_t i = 0; i < kind->count; i++) {
		const char *on = cluster_text(kind->objects[i].json, "spec.nodeName");
		if (!*on || strcmp(on, node) == 0)
			cluster_touch_pod(cluster, kind->objects[i].json);
	}
}

static void on_changed(void *arg, const struct kube_sim_change *change)
{
	struct kube_sim_cluster *cluster = arg;
	const cJSON *json = change->new_json ? change->new_json : change->old_json;
	char key[TARGET_SIZE];

	cluster_key(json, key, sizeof(key));
	if (change->resource == &kube_pods)
		pod_changed(cluster, json);
	else if (change->resource == &kube_nodes)
		node_changed(cluster, change);
	else if (change->resource == &kube_pdbs)
		cluster_touch(cluster, TASK_PDB, key, cluster->options.disruption_ms);
	else if (change->resource == &kube_replica_sets)
		cluster_touch(cluster, TASK_SET, key, cluster->options.replace_ms);
	else if (change->resource == &kube_namespaces && kube_json_get(json, "metadata.deletionTimestamp"))
		cluster_touch(cluster, CLUSTER_NAMESPACE, key, cluster->options.collect_ms);
	bool owned = kube_json_get(json, "metadata.ownerReferences") != NULL;
	bool may_leave_orphans = change->resource != &kube_pods && (!change->new_json || (!change->old_json && owned));
	if (may_leave_orphans || cluster_is_waiting_owner(json))
		cluster_touch(cluster, CLUSTER_COLLECT, "", cluster->options.collect_ms);
}

/* ---- life ---- */

struct kube_sim_cluster *kube_sim_cluster_new(struct kube_sim_api *api, const struct kube_sim_cluster_options *options)
{
	struct kube_sim_cluster *cluster = api_must(calloc(1, sizeof(*cluster)));

	cluster->api = api;
	cluster->options = *options;
	kube_sim_api_add_hooks(api, &(struct kube_sim_api_hooks){.changed = on_changed, .arg = cluster});
	return cluster;
}

void kube_sim_cluster_free(struct kube_sim_cluster *cluster)
{
	if (!cluster)
		return;
	while (cluster->tasks)
		free_task(cluster->tasks);
	free(cluster);
}
