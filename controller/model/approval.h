/* PatchApproval, decoded: one person's word (crds/patchapprovals.yaml). */
#ifndef MODEL_APPROVAL_H
#define MODEL_APPROVAL_H

#include <kube/object.h>

struct approval {
	struct kube_object object;
	const char *rollout_name, *rollout_uid, *plan_hash, *user;
	const char *wave; /* "": the rollout as a whole */
};
extern const struct kube_projection approval_projection;
const char *approval_rollout_index(const struct kube_object *object); /* kube_index_fn: rollout name */

#endif
