#include "controller/model/names.h"

const struct kube_resource pw_policies = {PW_GROUP, PW_VERSION, "patchpolicies", "PatchPolicy", false};
const struct kube_resource pw_rollouts = {PW_GROUP, PW_VERSION, "patchrollouts", "PatchRollout", false};
const struct kube_resource pw_reports = {PW_GROUP, PW_VERSION, "patchreports", "PatchReport", false};
const struct kube_resource pw_approvals = {PW_GROUP, PW_VERSION, "patchapprovals", "PatchApproval", false};

#define ADMISSION "admissionregistration.k8s.io", "v1"
const struct kube_resource pw_admission_policies = {ADMISSION, "validatingadmissionpolicies",
                                                    "ValidatingAdmissionPolicy", false};
const struct kube_resource pw_admission_bindings = {ADMISSION, "validatingadmissionpolicybindings",
                                                    "ValidatingAdmissionPolicyBinding", false};
