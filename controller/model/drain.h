/* What a policy says about draining (spec.drain of crds/patchpolicies.yaml). */
#ifndef MODEL_DRAIN_H
#define MODEL_DRAIN_H

#include <kube/json.h>
#include <kube/selector.h>

#define MAX_DRAIN_GROUPS 16

enum unmanaged_pods { UNMANAGED_BLOCK, UNMANAGED_DELETE };
enum local_volumes { LOCAL_VOLUMES_BLOCK, LOCAL_VOLUMES_DELETE };
/* What becomes of a node whose pods have not left in time. */
enum drain_timeout { DRAIN_ABORT, DRAIN_FORCE, DRAIN_SKIP, DRAIN_QUARANTINE };
extern const char *const drain_timeout_names[]; /* NULL-terminated, by enum drain_timeout */

struct drain_group {
	const char *name;
	struct kube_selector selector; /* empty: every pod that no other group has */
};

struct drain_rules {
	bool enabled;
	int64_t timeout_ms;
	int on_timeout;                     /* enum drain_timeout */
	int64_t grace_period_s;             /* -1: the pod's own */
	int64_t parallelism;                /* evictions in flight on one node */
	struct kube_selector *pod_selector; /* NULL: every pod */
	bool delete_empty_dir_data;
	int unmanaged_pods;       /* enum unmanaged_pods */
	int local_volumes;        /* enum local_volumes */
	bool wait_for_detach;     /* of the volumes of pods that left */
	bool require_capacity;    /* a node is started when the pods that it evicts fit elsewhere */
	int64_t wait_for_jobs_ms; /* so long may pods of Jobs run on */
	int64_t skip_wait_ms;     /* a pod that should have ended so long ago is not waited for; 0: every pod is */
	struct {
		struct drain_group *items;
		size_t count;
	} order; /* drained one after the other; pods in no group go first */
};

/* What stands there when the policy says nothing. */
struct drain_rules drain_defaults(void);
extern const struct kube_json_field drain_table[]; /* of struct drain_rules */
/* What the schema cannot say, or said too late: KUBE_E_INVALID with the sentence for Accepted=False. */
int drain_check(const struct drain_rules *drain, struct kube_err *err);

#endif
