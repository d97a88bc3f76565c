/* Discovery: the kinds of a group in a version (metav1.APIResourceList). */
#include "lib/sim/api.h"

#include <stdio.h>
#include <string.h>

static cJSON *about_kind(const struct kube_resource *resource)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", resource->plural);
	api_set(json, "namespaced", api_must(cJSON_CreateBool(resource->namespaced)));
	cJSON_AddStringToObject(json, "kind", resource->kind);
	return json;
}

static bool is_of(const struct kube_resource *resource, const char *target)
{
	char path[320];

	snprintf(path, sizeof(path), "%s%s/%s", *resource->group ? "/apis/" : "/api", resource->group, resource->version);
	return strcmp(path, target) == 0;
}

bool api_discover(const struct kube_sim_api *api, const char *target, struct api_answer *answer)
{
	_cleanup_json_ cJSON *list = cJSON_CreateObject();
	bool core = strncmp(target, "/api/", strlen("/api/")) == 0;

	if (!core && strncmp(target, "/apis/", strlen("/apis/")) != 0)
		return false;
	cJSON_AddStringToObject(list, "kind", "APIResourceList");
	cJSON_AddStringToObject(list, "apiVersion", "v1");
	cJSON_AddStringToObject(list, "groupVersion", target + strlen(core ? "/api/" : "/apis/"));
	cJSON *resources = cJSON_AddArrayToObject(list, "resources");
	for (size_t i = 0; i < api->kind_count; i++)
		if (is_of(api->kinds[i].about.resource, target))
			cJSON_AddItemToArray(resources, about_kind(api->kinds[i].about.resource));
	if (!resources->child)
		return false;
	answer->status = 200;
	answer->text = api_must(cJSON_PrintUnformatted(list));
	return true;
}
