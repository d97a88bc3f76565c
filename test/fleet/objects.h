/* Nodes and job pods, as the agent sees them. */
#ifndef FLEET_OBJECTS_H
#define FLEET_OBJECTS_H

#include <kube/json.h>
#include <kube/object.h>

struct fleet_node {
	struct kube_object object;
	struct kube_strmap annotations, labels;
	const char *info[4]; /* kubeletVersion, containerRuntimeVersion, kernelVersion, osImage */
};

struct fleet_pod {
	struct kube_object object;
	const char *node_name, *phase, *step;
	bool rollback, prepare, verify;
	bool first;          /* attempt */
	int64_t deadline_ms; /* activeDeadlineSeconds; 0: none */
	const char *component, *version, *from_version, *marker_label;
	bool finalized; /* still has a finalizer */
};

extern const struct kube_projection fleet_node_projection, fleet_pod_projection;

#endif
