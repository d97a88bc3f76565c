/* PatchApproval, decoded: one person's word (crds/patchapprovals.yaml); and what makes it honest (crds/admission.yaml).
 */
#ifndef MODEL_APPROVAL_H
#define MODEL_APPROVAL_H

#include <kube/object.h>

struct approval {
	struct kube_object object;
	const char *rollout_name, *rollout_uid, *plan_hash, *user;
	const char *wave; /* "": the rollout as a whole */
};
extern const struct kube_projection approval_projection;

/* The name of the ValidatingAdmissionPolicy that says whose word an approval is, and of its binding. */
#define APPROVALS_ADMISSION "approvals.patchwright.io"

struct admission {
	struct kube_object object;
	bool as_expected; /* it says what ours says, and nothing that weakens it */
};
extern const struct kube_projection admission_policy_projection, admission_binding_projection;

#endif
