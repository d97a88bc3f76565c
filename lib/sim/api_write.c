/* Creations and changes. */
#include "lib/sim/api.h"

#include <kube/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const cJSON *json, const char *path)
{
	const char *text = kube_json_str(json, path);
	return text ? text : "";
}

/* ---- create ---- */

/* What is empty is not written at all: these fields are omitempty in the real types. */
static void drop_empty(cJSON *json)
{
	static const char *const fields[][2] = {{"metadata", "annotations"}, {"metadata", "labels"},
	                                        {"metadata", "finalizers"},  {"metadata", "ownerReferences"},
	                                        {"spec", "taints"},          {"spec", "unschedulable"}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(fields); i++) {
		cJSON *parent = cJSON_GetObjectItemCaseSensitive(json, fields[i][0]);
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(parent, fields[i][1]);
		bool empty = cJSON_IsFalse(item) || (item && !cJSON_IsBool(item) && !item->child);
		if (empty)
			api_set(parent, fields[i][1], NULL);
	}
}

static bool may_be_created(const struct api_request *request, struct api_answer *answer)
{
	const struct kube_sim_api *api = request->api;
	const char *namespace_ = request->namespace_;

	if (*text_of(request->body, "metadata.resourceVersion")) {
		api_refuse(request, answer, 400, "BadRequest", NULL,
		           "resourceVersion should not be set on objects to be created");
		return false;
	}
	if (!request->kind->about.resource->namespaced)
		return true;
	const cJSON *json = kube_sim_api_get(api, &kube_namespaces, NULL, namespace_);
	if (!json) {
		api_refuse(request, answer, 404, "NotFound", NULL, "namespaces \"%s\" not found", namespace_);
		return false;
	}
	if (!kube_json_get(json, "metadata.deletionTimestamp"))
		return true;
	api_refuse(request, answer, 403, "Forbidden",
	           &(struct api_cause){"NamespaceTerminating", "namespace is being terminated", "metadata.namespace"},
	           "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being terminated",
	           request->kind->about.resource->plural, request->name, namespace_);
	return false;
}

static void set_identity(const struct api_request *request, cJSON *json)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	struct kube_sim_api *api = request->api;
	char uid[40], now[32];
	uint64_t number = (uint64_t)++api->next_uid * UINT64_C(0x9e3779b97f4a7c15); /* names are cut from its beginning */

	snprintf(uid, sizeof(uid), "%08x-0000-4000-8000-%012llx", (unsigned)(number >> 32),
	         (unsigned long long)api->next_uid);
	api_set(metadata, "uid", cJSON_CreateString(uid));
	api_set(metadata, "creationTimestamp", cJSON_CreateString(api_now(api, now)));
	if (request->kind->about.resource->namespaced)
		api_set(metadata, "namespace", cJSON_CreateString(request->namespace_));
	if (request->kind->about.has_generation)
		api_set(metadata, "generation", cJSON_CreateNumber(1));
	if (request->kind->about.custom && request->kind->about.has_status)
		api_set(json, "status", NULL);
	if (request->kind->about.resource != &kube_pods)
		return;
	api_set(json, "status", cJSON_CreateObject());
	cJSON_AddStringToObject(cJSON_GetObjectItemCaseSensitive(json, "status"), "phase", "Pending");
}

void api_create(const struct api_request *request, struct api_answer *answer)
{
	struct api_request named = *request;
	const char *name = text_of(request->body, "metadata.name");
	char key[320];

	snprintf(named.name, sizeof(named.name), "%s", name);
	api_key(request->namespace_, name, key, sizeof(key));
	if (!may_be_created(&named, answer))
		return;
	if (api_find(request->kind, key)) {
		api_refuse(&named, answer, 409, "AlreadyExists", NULL, "%s \"%s\" already exists",
		           request->kind->about.resource->plural, name);
		return;
	}
	cJSON *json = api_must(cJSON_Duplicate(request->body, true));
	set_identity(&named, json);
	drop_empty(json);
	answer->status = 201;
	answer->text = api_must(strdup(api_put(request->api, request->kind, key, json)->text));
}

/* ---- change ---- */

static cJSON *copy_of(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
	return item ? api_must(cJSON_Duplicate(item, true)) : NULL;
}

/* What no client may write. */
static void keep_system_fields(const cJSON *old, cJSON *next)
{
	static const char *const fields[] = {
	    "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion"};
	const cJSON *from = cJSON_GetObjectItemCaseSensitive(old, "metadata");
	cJSON *to = cJSON_GetObjectItemCaseSensitive(next, "metadata");

	for (size_t i = 0; i < KUBE_ARRAY_LEN(fields); i++)
		api_set(to, fields[i], copy_of(from, fields[i]));
}

/* The status subresource changes the status and nothing else; the object itself everything else. */
static cJSON *apply_scope(const struct api_request *request, const cJSON *old, cJSON *next)
{
	if (strcmp(request->subresource, "status") == 0) {
		cJSON *only = api_must(cJSON_Duplicate(old, true));
		api_set(only, "status", copy_of(next, "status"));
		cJSON_Delete(next);
		return only;
	}
	if (request->kind->about.has_status)
		api_set(next, "status", copy_of(old, "status"));
	return next;
}

static bool same_member(const cJSON *a, const cJSON *b, const char *name)
{
	const cJSON *x = cJSON_GetObjectItemCaseSensitive(a, name), *y = cJSON_GetObjectItemCaseSensitive(b, name);
	return (!x && !y) || cJSON_Compare(x, y, true);
}

static bool same_but_status(const cJSON *old, const cJSON *next)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, next)
		if (strcmp(member->string, "metadata") != 0 && strcmp(member->string, "status") != 0 &&
		    !same_member(old, next, member->string))
			return false;
	return true;
}

static bool versions_agree(const struct api_request *request, const cJSON *old, const cJSON *next,
                           struct api_answer *answer)
{
	const char *version = text_of(next, "metadata.resourceVersion"), *uid = text_of(next, "metadata.uid");
	char why[256];

	if (*uid && strcmp(uid, text_of(old, "metadata.uid")) != 0) {
		snprintf(why, sizeof(why), "Precondition failed: UID in precondition: %s, UID in object meta: %s", uid,
		         text_of(old, "metadata.uid"));
		api_conflict(request, answer, why);
		return false;
	}
	if (!*version && request->kind->about.custom) {
		api_refuse(
		    request, answer, 422, "Invalid",
		    &(struct api_cause){"FieldValueInvalid", "must be specified for an update", "metadata.resourceVersion"},
		    "%s \"%s\" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update",
		    request->kind->about.resource->kind, request->name);
		return false;
	}
	if (!*version || strcmp(version, text_of(old, "metadata.resourceVersion")) == 0)
		return true;
	api_conflict(request, answer,
	             "the object has been modified; please apply your changes to the latest version and try again");
	return false;
}

static bool is_valid(const struct api_request *request, const cJSON *old, const cJSON *next, struct api_answer *answer)
{
	const char *fixed = request->kind->about.immutable;

	if (!fixed || same_member(old, next, fixed))
		return true;
	api_refuse(request, answer, 422, "Invalid", &(struct api_cause){"FieldValueInvalid", "Value is immutable", fixed},
	           "%s \"%s\" is invalid: %s: Invalid value: \"object\": Value is immutable",
	           request->kind->about.resource->kind, request->name, fixed);
	return false;
}

/* Writes what an object is to become; next changes hands. Nothing changes where nothing differs. */
static void replace(const struct api_request *request, struct api_object *object, cJSON *next,
                    struct api_answer *answer)
{
	cJSON *old = object->json;

	if (!versions_agree(request, old, next, answer)) {
		cJSON_Delete(next);
		return;
	}
	next = apply_scope(request, old, next);
	keep_system_fields(old, next);
	drop_empty(next);
	if (!is_valid(request, old, next, answer)) {
		cJSON_Delete(next);
		return;
	}
	answer->status = 200;
	if (cJSON_Compare(old, next, true)) {
		answer->text = api_must(strdup(object->text));
		cJSON_Delete(next);
		return;
	}
	if (request->kind->about.has_generation && !same_but_status(old, next))
		api_set(cJSON_GetObjectItemCaseSensitive(next, "metadata"), "generation",
		        cJSON_CreateNumber(kube_json_get(old, "metadata.generation")->valuedouble + 1));
	char key[320];
	snprintf(key, sizeof(key), "%s", object->key);
	object = api_put(request->api, request->kind, key, next);
	answer->text = api_must(strdup(object->text));
	if (api_deletion_complete(object->json))
		api_remove(request->api, request->kind, object);
}

static struct api_object *target_of(const struct api_request *request, struct api_answer *answer)
{
	char key[320];

	api_key(request->namespace_, request->name, key, sizeof(key));
	struct api_object *object = api_find(request->kind, key);
	if (!object)
		api_not_found(request, answer);
	return object;
}

void api_update(const struct api_request *request, struct api_answer *answer)
{
	struct api_object *object = target_of(request, answer);

	if (object)
		replace(request, object, api_must(cJSON_Duplicate(request->body, true)), answer);
}

static bool apply(const struct api_request *request, cJSON *next)
{
	if (strcmp(request->content_type, KUBE_PATCH_JSON) == 0)
		return api_apply_json_patch(next, request->body);
	if (strcmp(request->content_type, KUBE_PATCH_MERGE) == 0)
		api_apply_merge_patch(next, request->body);
	else
		api_apply_strategic_patch(next, request->body);
	return true;
}

void api_patch(const struct api_request *request, struct api_answer *answer)
{
	const char *type = request->content_type;
	bool strategic = strcmp(type, KUBE_PATCH_STRATEGIC) == 0;
	bool known = strcmp(type, KUBE_PATCH_JSON) == 0 || strcmp(type, KUBE_PATCH_MERGE) == 0 || strategic;

	if (!known || (strategic && request->kind->about.custom)) {
		api_refuse(request, answer, 415, "UnsupportedMediaType", NULL,
		           "the body of the request was in an unknown format - accepted media types include: "
		           "application/json-patch+json, application/merge-patch+json");
		return;
	}
	struct api_object *object = target_of(request, answer);
	if (!object)
		return;
	cJSON *next = api_must(cJSON_Duplicate(object->json, true));
	if (apply(request, next)) {
		replace(request, object, next, answer);
		return;
	}
	cJSON_Delete(next);
	api_refuse(request, answer, 422, "Invalid", NULL, "the server rejected our request due to an error in our request");
}
