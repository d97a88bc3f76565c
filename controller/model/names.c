#include "controller/model/names.h"

const struct kube_resource pw_policies = {PW_GROUP, PW_VERSION, "patchpolicies", "PatchPolicy", false};
const struct kube_resource pw_rollouts = {PW_GROUP, PW_VERSION, "patchrollouts", "PatchRollout", false};
const struct kube_resource pw_reports = {PW_GROUP, PW_VERSION, "patchreports", "PatchReport", false};
