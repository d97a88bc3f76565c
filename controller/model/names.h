/* Every name that Patchwright writes into a cluster. */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include <kube/resource.h>

#define PW_GROUP "patchwright.io"
#define PW_VERSION "v1alpha1"

#define PW_ANNOTATION_STATE "patchwright.io/state"             /* node: the target's state, JSON, at most 1 KiB */
#define PW_ANNOTATION_APPLIED "patchwright.io/applied."        /* node, and a policy's name: what it applied last */
#define PW_ANNOTATION_CRITICALITY "patchwright.io/criticality" /* node, written by people: low normal high critical */
#define PW_ANNOTATION_HOLD "patchwright.io/hold"               /* node, written by people: why it must not be touched */
#define PW_ANNOTATION_AUTHOR "patchwright.io/author"           /* PatchPolicy, PatchRollout: who wrote its spec */
#define PW_TAINT_QUARANTINED "patchwright.io/quarantined"      /* node, NoSchedule */

#define PW_LABEL_STEP "patchwright.io/step"                 /* job pod: job | rollback */
#define PW_LABEL_ROLLOUT_HASH "patchwright.io/rollout-hash" /* job pod: first 16 hex digits of sha256(rollout UID) */
#define PW_ANNOTATION_ROLLOUT "patchwright.io/rollout"      /* job pod: name of the rollout */
#define PW_ANNOTATION_NODE "patchwright.io/node"            /* job pod: UID of the node */
#define PW_LABEL_ROLLOUT "patchwright.io/rollout"           /* ControllerRevision, PatchReport: name of the rollout */
#define PW_LABEL_POLICY "patchwright.io/policy"             /* PatchRollout: name of the policy that created it */
#define PW_LABEL_PAGE "patchwright.io/page"                 /* ControllerRevision: plan | ledger */

#define PW_MARK_USE "patchwright.io/use" /* Secret, label or annotation: what it may be sent for: gate, channel */
#define PW_ANNOTATION_HOSTS "patchwright.io/hosts" /* Secret: the only hosts that it may be sent to */

#define PW_FINALIZER_ROLLOUT "patchwright.io/rollout" /* rollout: nodes and job pods are still ours to clean up */
#define PW_FINALIZER_JOB "patchwright.io/job"         /* job pod: its result is not on the node yet */

extern const struct kube_resource pw_policies, pw_rollouts, pw_reports, pw_approvals;
extern const struct kube_resource pw_admission_policies, pw_admission_bindings;

#endif
