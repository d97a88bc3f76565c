/* The garbage collector (K8S pkg/controller/garbagecollector): what has owners, and none of them is left, is deleted;
 * an owner that is deleted in the foreground waits for what it owns, and one that orphans lets go of it. */
#include "lib/sim/cluster.h"

#include <stdio.h>
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

/* ---- owners that wait ---- */

static const cJSON *reference_to(const cJSON *json, const char *uid)
{
	const cJSON *owner;

	cJSON_ArrayForEach (owner, kube_json_get(json, "metadata.ownerReferences"))
		if (strcmp(cluster_text(owner, "uid"), uid) == 0)
			return owner;
	return NULL;
}

static cJSON *member_of_copy(cJSON *copy, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(copy, "metadata"), name);
}

/* The object with one item of a list of its metadata less; it goes when nothing else held it. */
static void take_off(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object, const char *list,
                     int index)
{
	cJSON *next = api_must(cJSON_Duplicate(object->json, true));
	char key[API_KEY_SIZE];

	cJSON_DeleteItemFromArray(member_of_copy(next, list), index);
	api_drop_empty(next);
	if (api_deletion_complete(next)) {
		cJSON_Delete(next);
		api_remove(api, kind, object);
		return;
	}
	snprintf(key, sizeof(key), "%s", object->key);
	api_put(api, kind, key, next);
}

static int index_of_reference(const cJSON *json, const char *uid)
{
	const cJSON *owner;
	int index = 0;

	cJSON_ArrayForEach (owner, kube_json_get(json, "metadata.ownerReferences")) {
		if (strcmp(cluster_text(owner, "uid"), uid) == 0)
			return index;
		index++;
	}
	return -1;
}

/* What the object with this uid owns is deleted, or let go; true when nothing is left that holds the owner up. */
static bool settle_dependents(struct kube_sim_api *api, const char *uid, bool orphan)
{
	bool settled = true;

	for (size_t k = 0; k < api->kind_count; k++) {
		struct api_kind *kind = &api->kinds[k];
		for (size_t i = kind->count; i-- > 0;) {
			const cJSON *json = kind->objects[i].json, *reference = reference_to(json, uid);
			if (!reference)
				continue;
			settled &= orphan || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reference, "blockOwnerDeletion"));
			if (orphan)
				take_off(api, kind, &kind->objects[i], "ownerReferences", index_of_reference(json, uid));
			else if (!kube_json_get(json, "metadata.deletionTimestamp"))
				api_delete_object(api, kind, &kind->objects[i], NULL);
		}
	}
	return settled;
}

static int index_of_finalizer(const cJSON *json, const char *name)
{
	const cJSON *finalizer;
	int index = 0;

	cJSON_ArrayForEach (finalizer, kube_json_get(json, "metadata.finalizers")) {
		if (strcmp(finalizer->valuestring, name) == 0)
			return index;
		index++;
	}
	return -1;
}

bool cluster_is_waiting_owner(const cJSON *json)
{
	return kube_json_get(json, "metadata.deletionTimestamp") &&
	       (index_of_finalizer(json, API_FOREGROUND) >= 0 || index_of_finalizer(json, API_ORPHAN) >= 0);
}

/* False: it has to be looked at again. */
static bool settle_owner(struct kube_sim_api *api, struct api_kind *kind, const char *key)
{
	char uid[64];
	bool orphan = index_of_finalizer(api_find(kind, key)->json, API_ORPHAN) >= 0;

	snprintf(uid, sizeof(uid), "%s", cluster_text(api_find(kind, key)->json, "metadata.uid"));
	bool settled = settle_dependents(api, uid, orphan);
	struct api_object *object = api_find(kind, key); /* others of its kind may have gone */
	if (settled && object)
		take_off(api, kind, object, "finalizers",
		         index_of_finalizer(object->json, orphan ? API_ORPHAN : API_FOREGROUND));
	return settled;
}

void cluster_collect(struct kube_sim_cluster *cluster)
{
	struct kube_sim_api *api = cluster->api;
	char key[API_KEY_SIZE];
	bool settled = true;

	for (size_t k = 0; k < api->kind_count; k++) {
		struct api_kind *kind = &api->kinds[k];
		for (size_t i = kind->count; i-- > 0;) {
			if (i >= kind->count)
				continue;
			snprintf(key, sizeof(key), "%s", kind->objects[i].key);
			if (cluster_is_waiting_owner(kind->objects[i].json))
				settled &= settle_owner(api, kind, key);
			else if (!kube_json_get(kind->objects[i].json, "metadata.deletionTimestamp") &&
			         is_orphan(api, kind->objects[i].json))
				api_delete_object(api, kind, &kind->objects[i], NULL);
		}
	}
	if (!settled)
		cluster_touch(cluster, CLUSTER_COLLECT, "", cluster->options.collect_ms);
}
