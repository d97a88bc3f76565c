/* PersistentVolume and VolumeAttachment, projected: for draining. And DaemonSet: that it is there, and
 * whom a lock on it is for. */
#ifndef MODEL_VOLUME_H
#define MODEL_VOLUME_H

#include "controller/model/node.h"
#include <kube/object.h>

struct volume {
	struct kube_object object;
	const char *claim;          /* "namespace/name" of the claim that it is bound to; "" when it is free */
	bool local;                 /* of type local or hostPath: its data is on one machine */
	struct kube_strlist places; /* values that its node affinity demands, one a requirement that names a single one */
};

struct attachment {
	struct kube_object object;
	const char *node_name;
	const char *volume; /* name of the PersistentVolume; "" when it is inlined in a pod */
};

/* kured's lock: it reboots the node. */
struct reboot_lock {
	const char *node;
	int64_t until_ms; /* KUBE_TIME_NONE: until it is given back */
};

struct daemon_set {
	struct kube_object object;
	const char *lock_text; /* as it stands in the annotation; NULL: none */
	struct {
		struct reboot_lock *items;
		size_t count;
	} locks;
};

extern const struct kube_projection volume_projection, attachment_projection, daemon_set_projection;

const char *volume_claim_index(const struct kube_object *object);    /* kube_index_fn: claim, NULL when free */
const char *attachment_node_index(const struct kube_object *object); /* kube_index_fn: node name */

/* The volume's data is on this node, and a pod that uses it can start nowhere else. */
bool volume_bound_to(const struct volume *volume, const struct node *node);

#endif
