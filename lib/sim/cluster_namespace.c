/* The namespace controller (K8S pkg/controller/namespace): what is in a namespace that ends goes, then the namespace.
 */
#include "lib/sim/cluster.h"

#include <stdio.h>
#include <string.h>

static bool empty_out(struct kube_sim_api *api, const char *name)
{
	size_t left = 0;

	for (size_t k = 0; k < api->kind_count; k++) {
		struct api_kind *kind = &api->kinds[k];
		for (size_t i = kind->count; kind->about.resource->namespaced && i-- > 0;) {
			if (i >= kind->count || strcmp(cluster_text(kind->objects[i].json, "metadata.namespace"), name) != 0)
				continue;
			left++;
			if (!kube_json_get(kind->objects[i].json, "metadata.deletionTimestamp"))
				api_delete_object(api, kind, &kind->objects[i], NULL);
		}
	}
	return left == 0;
}

void cluster_namespace(struct kube_sim_cluster *cluster, const cJSON *json)
{
	struct api_kind *kind = api_kind_of(cluster->api, &kube_namespaces);
	char name[API_KEY_SIZE];

	if (!kube_json_get(json, "metadata.deletionTimestamp"))
		return;
	snprintf(name, sizeof(name), "%s", cluster_text(json, "metadata.name"));
	if (empty_out(cluster->api, name))
		api_remove(cluster->api, kind, api_find(kind, name));
	else
		cluster_touch(cluster, CLUSTER_NAMESPACE, name, cluster->options.collect_ms);
}
