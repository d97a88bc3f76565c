/* Kinds that the simulated server learns from CustomResourceDefinitions, as the real one does. */
#include "test/player/player.h"

#include <kube/json.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct player_kind {
	struct player_kind *next;
	cJSON *crd; /* the resource's names and the schema are borrowed from it */
	struct kube_resource resource;
};

bool player_add_crd(struct player *player, const cJSON *crd)
{
	struct player_kind *kind = calloc(1, sizeof(*kind));

	if (!kind || !(kind->crd = cJSON_Duplicate(crd, true)))
		abort();
	LL_PREPEND(player->kinds, kind);
	const cJSON *version = cJSON_GetArrayItem(kube_json_get(kind->crd, "spec.versions"), 0);
	const char *scope = kube_json_str(kind->crd, "spec.scope");
	kind->resource = (struct kube_resource){
	    .group = kube_json_str(kind->crd, "spec.group"),
	    .version = kube_json_str(version, "name"),
	    .plural = kube_json_str(kind->crd, "spec.names.plural"),
	    .kind = kube_json_str(kind->crd, "spec.names.kind"),
	    .namespaced = scope && strcmp(scope, "Namespaced") == 0,
	};
	const struct kube_resource *resource = &kind->resource;
	if (!resource->group || !resource->version || !resource->plural || !resource->kind)
		return false;
	kube_sim_api_add_kind(player->api, &(struct kube_sim_kind){
	                                       .resource = resource,
	                                       .custom = true,
	                                       .has_status = kube_json_get(version, "subresources.status") != NULL,
	                                       .has_generation = true,
	                                       .schema = kube_json_get(version, "schema.openAPIV3Schema"),
	                                   });
	return true;
}

void player_free_kinds(struct player *player)
{
	struct player_kind *kind, *next;

	LL_FOREACH_SAFE(player->kinds, kind, next)
	{
		cJSON_Delete(kind->crd);
		free(kind);
	}
	player->kinds = NULL;
}
