/* How kstatus (sigs.k8s.io/cli-utils pkg/kstatus/status) reads an object, for what Flux, Helm and Argo CD make of ours.
 */
#ifndef TEST_UNIT_PLAN_KSTATUS_H
#define TEST_UNIT_PLAN_KSTATUS_H

#include <kube/json.h>
#include <string.h>

static inline bool kstatus_is(const cJSON *condition, const char *type, const char *status)
{
	const char *its_type = kube_json_str(condition, "type"), *its_status = kube_json_str(condition, "status");
	return its_type && its_status && strcmp(its_type, type) == 0 && strcmp(its_status, status) == 0;
}

/* "Terminating", "InProgress", "Failed" or "Current". Of Reconciling and Stalled the one that stands first counts. */
static inline const char *kstatus(const cJSON *object)
{
	const cJSON *observed = kube_json_get(object, "status.observedGeneration"), *condition;
	const cJSON *generation = kube_json_get(object, "metadata.generation");
	if (kube_json_get(object, "metadata.deletionTimestamp"))
		return "Terminating";
	if (observed && cJSON_GetNumberValue(observed) != cJSON_GetNumberValue(generation))
		return "InProgress";
	cJSON_ArrayForEach (condition, kube_json_get(object, "status.conditions")) {
		if (kstatus_is(condition, "Reconciling", "True"))
			return "InProgress";
		if (kstatus_is(condition, "Stalled", "True"))
			return "Failed";
	}
	cJSON_ArrayForEach (condition, kube_json_get(object, "status.conditions")) {
		if (kstatus_is(condition, "Ready", "False") || kstatus_is(condition, "Ready", "Unknown"))
			return "InProgress";
	}
	return "Current";
}

#endif
