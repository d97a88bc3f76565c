#include "test/sim/world.h"

const char *text_at(const cJSON *json, const char *path)
{
	const char *text = kube_json_str(json, path);
	return text ? text : "";
}

bool is_job_pod(const cJSON *pod)
{
	return cJSON_GetObjectItemCaseSensitive(kube_json_get(pod, "metadata.labels"), PW_LABEL_STEP) != NULL;
}

const cJSON *condition_of(const cJSON *json, const char *type)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, kube_json_get(json, "status.conditions"))
		if (strcmp(text_at(condition, "type"), type) == 0)
			return condition;
	return NULL;
}
