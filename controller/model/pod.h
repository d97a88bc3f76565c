/* Pod, projected: for draining, and for our own job pods. PodDisruptionBudget, projected. */
#ifndef MODEL_POD_H
#define MODEL_POD_H

#include <kube/json.h>
#include <kube/object.h>
#include <kube/selector.h>

enum pod_phase { POD_PENDING, POD_RUNNING, POD_SUCCEEDED, POD_FAILED, POD_UNKNOWN };

struct toleration {
	const char *key, *operator_, *value, *effect; /* "" when absent */
};

/* Where a pod may run, as far as it says so. */
struct pod_place {
	struct kube_strmap node_selector;
	struct {
		struct toleration *items;
		size_t count;
	} tolerations; /* without those that every pod has */
};

struct pod {
	struct kube_object object;
	struct kube_strmap labels;
	const char *node_name; /* "" when not scheduled */
	int phase;             /* enum pod_phase */
	bool ready;
	bool mirror;                   /* annotation kubernetes.io/config.mirror */
	bool empty_dir;                /* has an emptyDir volume */
	uint32_t cpu_m, memory_kib;    /* what it requests; rounded up, and cut at the type's limit */
	const struct pod_place *place; /* NULL: it does not say */
	const char *const *claims; /* names of its PersistentVolumeClaims, in its namespace; NULL-terminated; NULL: none */
	const char *owner_kind, *owner_name, *owner_uid; /* of the controlling ownerReference; "" when unmanaged */
	/* of our job pods */
	const char *job_step;     /* label patchwright.io/step; NULL: not one of ours */
	const char *rollout_hash; /* label */
	const char *job_node_uid; /* annotation patchwright.io/node */
	bool job_finalizer;
	const char *status_reason, *status_message; /* "DeadlineExceeded", "Evicted", …; "" when none */
	bool exited;                                /* the container has terminated */
	int64_t exit_code;
	const char *exit_message;   /* termination message: the log's last lines, as one; "" when none; kept to 512 bytes */
	const char *waiting_reason; /* "ImagePullBackOff", …; "" when none */
};

struct pdb {
	struct kube_object object;
	struct kube_selector selector;
	bool has_selector; /* a null selector matches nothing; an empty one everything (policy/v1) */
	int64_t disruptions_allowed, current_healthy, desired_healthy;
	int64_t observed_generation;
	bool always_allow_unhealthy; /* unhealthyPodEvictionPolicy: AlwaysAllow */
};

extern const struct kube_projection pod_projection, pdb_projection;

const char *pod_node_index(const struct kube_object *object);     /* kube_index_fn: node name, "" when not scheduled */
const char *pod_rollout_index(const struct kube_object *object);  /* kube_index_fn: rollout hash of our job pods */
const char *pod_job_node_index(const struct kube_object *object); /* kube_index_fn: the UID of their node */
/* kube_index_fn: the node that this pod of system-upgrade-controller upgrades; NULL: it is none, or has finished. */
const char *pod_upgrade_index(const struct kube_object *object);
bool pod_finished(const struct pod *pod); /* Succeeded or Failed */

#endif
