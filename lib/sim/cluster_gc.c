/* The garbage collector: what has owners, and none of them is left, is deleted. */
#include "lib/sim/cluster.h"

#include <string.h>

static bool is_alive(const struct kube_sim_api *api, const char *uid)
{
	for (size_t k = 0; k < api->kind_count; k++)
		for (size_t i = 0; i < api->kinds[k].count; i++)
			if (strcmp(cluster_text(api->kinds[k].objects[i].json, "metadata.uid"), uid) == 0)
				return true;
	return false;
}

/* Owners of other kinds may be there for all that is known. */
static bool is_served(const struct kube_sim_api *api, const char *kind)
{
	for (size_t k = 0; k < api->kind_count; k++)
		if (strcmp(api->kinds[k].about.resource->kind, kind) == 0)
			return true;
	return false;
}

static bool is_orphan(const struct kube_sim_api *api, const cJSON *json)
{
	const cJSON *owner, *owners = kube_json_get(json, "metadata.ownerReferences");

	cJSON_ArrayForEach (owner, owners)
		if (!is_served(api, cluster_text(owner, "kind")) || is_alive(api, cluster_text(owner, "uid")))
			return false;
	return cJSON_GetArraySize(owners) > 0;
}

void cluster_collect(struct kube_sim_cluster *cluster)
{
	struct kube_sim_api *api = cluster->api;

	for (size_t k = 0; k < api->kind_count; k++) {
		struct api_kind *kind = &api->kinds[k];
		for (size_t i = kind->count; i-- > 0;)
			if (!kube_json_get(kind->objects[i].json, "metadata.deletionTimestamp") &&
			    is_orphan(api, kind->objects[i].json))
				api_delete_object(api, kind, &kind->objects[i], NULL);
	}
}
