/* What the simulated cluster's controllers share. */
#ifndef LIB_SIM_CLUSTER_H
#define LIB_SIM_CLUSTER_H

#include "lib/sim/api.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define TARGET_SIZE 512

struct cluster_task;

struct kube_sim_cluster {
	struct kube_sim_api *api;
	struct kube_sim_cluster_options options;
	struct cluster_task *tasks; /* by key */
	unsigned next_pod;
};

/* Something is to be looked at within max_ms; nothing when that is so already. */
void cluster_touch(struct kube_sim_cluster *cluster, const char *type, const char *key, int64_t max_ms);
const char *cluster_key(const cJSON *json, char *out, size_t size); /* "namespace/name" or "name"; returns out */
const char *cluster_text(const cJSON *json, const char *path);      /* "" when absent */
int64_t cluster_number(const cJSON *json, const char *path, int64_t fallback);

/* cluster_pod.c */
void cluster_pod(struct kube_sim_cluster *cluster, const cJSON *pod);
void cluster_touch_pod(struct kube_sim_cluster *cluster, const cJSON *pod);
void cluster_replica_set(struct kube_sim_cluster *cluster, const cJSON *set);
/* cluster_pdb.c */
void cluster_pdb(struct kube_sim_cluster *cluster, const cJSON *pdb);
/* cluster_gc.c */
#define CLUSTER_COLLECT "collect" /* its tasks */
void cluster_collect(struct kube_sim_cluster *cluster);
bool cluster_is_waiting_owner(const cJSON *json); /* it is being deleted, and the garbage collector has to act first */
/* cluster_namespace.c */
#define CLUSTER_NAMESPACE "namespace" /* its tasks */
void cluster_namespace(struct kube_sim_cluster *cluster, const cJSON *json);

#endif
