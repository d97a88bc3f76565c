/* The admission policies that make people's words honest, as far as we rely on them (crds/admission.yaml). */
#ifndef MODEL_ADMISSION_H
#define MODEL_ADMISSION_H

#include <kube/object.h>

/* Names of a ValidatingAdmissionPolicy and of its binding. */
#define APPROVALS_ADMISSION "approvals.patchwright.io" /* says whose word an approval is */
#define RIGHTS_ADMISSION "rights.patchwright.io"       /* says who may make an emergency */
#define AUTHORS_ADMISSION "authors.patchwright.io"     /* says whose name the annotation patchwright.io/author is */

struct admission {
	struct kube_object object;
	bool as_expected; /* it says what ours of this name says, and nothing that weakens it */
};
extern const struct kube_projection admission_policy_projection, admission_binding_projection;

#endif
