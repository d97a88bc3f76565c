/* What is sent, as pure functions of what was decided. Each body belongs to the caller (cJSON_Delete). */
#ifndef ACT_BODIES_H
#define ACT_BODIES_H

#include "controller/act/body.h"
#include "controller/model/names.h"
#include "controller/plan/plan.h"

/*
 * node_patch.c: state, cordon and taint of a node in one patch. A claim carries the resourceVersion (merge patch); what
 * follows tests the UID and the old state (JSON patch). *ret_content_type is static.
 */
cJSON *node_patch_body(const struct node_write *write, struct kube_arena *arena, const char **ret_content_type);

cJSON *evict_body(const struct pod *pod, int64_t grace_period_s); /* evict.c */

/* job.c */
struct image_rules {
	const char *const *globs; /* an image must match one of them */
	size_t count;
	bool allow_tags; /* else it must carry a digest */
};
/* KUBE_E_INVALID with reason ImageNotAllowed and the sentence that says which rule it breaks. */
int job_image_check(const char *image, const struct image_rules *rules, struct kube_err *err);
cJSON *job_body(const struct job_create *job, const char *namespace_);

cJSON *job_release_body(const struct pod *pod); /* job_release.c; a strategic merge patch */

/* revision.c; data changes hands. */
cJSON *revision_body(const char *name, const char *namespace_, const struct rollout *rollout, bool ledger,
                     int64_t number, cJSON *data);
cJSON *ledger_data(const struct decision *const *decisions, size_t count); /* of a ledger page */

/* rollout.c */
cJSON *rollout_body(const struct policy *policy, const char *name);
cJSON *rollout_finalizer_body(const struct rollout *rollout, bool on); /* JSON patch; NULL: it is as it should be */

cJSON *report_body(const struct report_page *page); /* report.c */

/* status.c; for PUT …/status. status is copied. */
cJSON *status_body(const struct kube_object *object, const cJSON *status);

#endif
