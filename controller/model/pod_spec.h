/* What is read of a pod's spec before it is projected. Not for others than pod.c and pod_spec.c. */
#ifndef MODEL_POD_SPEC_H
#define MODEL_POD_SPEC_H

#include "controller/model/pod.h"
#include "controller/model/resources.h"

struct nothing {
	char unused;
};

struct volume_part {
	const char *name, *claim;
	const struct nothing *empty_dir, *ephemeral;
};

struct container_needs {
	struct resource_parts requests;
	const char *restart_policy;
};

struct container_list {
	struct container_needs *items;
	size_t count;
};

struct pod_spec_parts {
	const char *node_name;
	struct {
		struct volume_part *items;
		size_t count;
	} volumes;
	struct container_list init_containers, containers;
	struct resource_parts requests, overhead; /* of the pod as a whole */
	struct kube_strmap node_selector;
	struct {
		struct toleration *items;
		size_t count;
	} tolerations;
};
extern const struct kube_json_field pod_spec_table[];

/* All that a pod keeps of its spec, but for its node's name; after the owner is known. KUBE_E_NOMEM. */
int pod_spec_make(const struct pod_spec_parts *parts, struct kube_arena *arena, struct pod *pod);

#endif
