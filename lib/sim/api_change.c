/* Requests that change objects: PUT, PATCH and the binding of pods. */
#include "lib/sim/api.h"

#include <kube/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct api_object *find_target(const struct api_request *request)
{
	char key[API_KEY_SIZE];

	api_key(request->namespace_, request->name, key, sizeof(key));
	return api_find(request->kind, key);
}

static bool names_agree(const struct api_request *request, const cJSON *json, struct api_answer *answer)
{
	const char *name = api_text(json, "metadata.name");

	if (strcmp(name, request->name) == 0)
		return true;
	if (*name)
		api_refuse_plainly(answer, 400, "BadRequest",
		                   "the name of the object (%s) does not match the name on the URL (%s)", name, request->name);
	else
		api_refuse_plainly(answer, 400, "BadRequest",
		                   "the name of the object (%s based on URL) was undeterminable: name must be provided",
		                   request->name);
	return false;
}

/* ---- PUT ---- */

static bool is_same_object(const struct api_request *request, const cJSON *old, struct api_answer *answer)
{
	const char *uid = api_text(request->body, "metadata.uid"), *is = api_text(old, "metadata.uid");
	const struct kube_resource *resource = request->kind->about.resource;
	char why[1024], key[API_KEY_SIZE];

	if (!*uid || strcmp(uid, is) == 0)
		return true;
	api_key(request->namespace_, request->name, key, sizeof(key));
	snprintf(why, sizeof(why),
	         "StorageError: invalid object, Code: 4, Key: /registry/%s%s%s/%s, ResourceVersion: 0, "
	         "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
	         request->kind->about.custom ? resource->group : "", request->kind->about.custom ? "/" : "",
	         resource->plural, key, uid, is);
	api_conflict(request, answer, why);
	return false;
}

static void create_instead(const struct api_request *request, struct api_answer *answer)
{
	struct api_request creation = *request;
	_cleanup_json_ cJSON *body = api_must(cJSON_Duplicate(request->body, true));

	api_set(cJSON_GetObjectItemCaseSensitive(body, "metadata"), "resourceVersion", NULL);
	creation.body = body;
	api_create(&creation, answer);
}

void api_update(const struct api_request *request, struct api_answer *answer)
{
	struct api_object *object = find_target(request);

	if (!api_body_fits(request, answer) || !names_agree(request, request->body, answer))
		return;
	if (!object && api_rules_of(request->kind)->put_creates)
		create_instead(request, answer);
	else if (!object)
		api_not_found(request, answer);
	else if (is_same_object(request, object->json, answer))
		api_replace(request, object, api_must(cJSON_Duplicate(request->body, true)), false, answer);
}

/* ---- PATCH ---- */

static bool is_taken(const struct api_request *request, struct api_answer *answer)
{
	const char *type = request->content_type;
	bool json = strcmp(type, KUBE_PATCH_JSON) == 0, strategic = strcmp(type, KUBE_PATCH_STRATEGIC) == 0;

	if (!json && !strategic && strcmp(type, KUBE_PATCH_MERGE) != 0)
		api_refuse_with_cause(answer, 415, "UnsupportedMediaType", NULL, "415: Unsupported Media Type");
	else if (strategic && request->kind->about.custom)
		api_refuse_plainly(answer, 415, "UnsupportedMediaType",
		                   "the body of the request was in an unknown format - accepted media types include: "
		                   "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
	else if (json ? !cJSON_IsArray(request->body) : !cJSON_IsObject(request->body))
		api_refuse_plainly(answer, 400, "BadRequest", "error decoding patch: it is no %s", json ? "list" : "object");
	else
		return true;
	return false;
}

/* What the patch makes of the document; NULL: it does not apply. */
static cJSON *patched(const struct api_request *request, const cJSON *old)
{
	if (strcmp(request->content_type, KUBE_PATCH_JSON) == 0) {
		_cleanup_free_ char *printed = request->raw ? NULL : api_must(cJSON_PrintUnformatted(request->body));
		return api_apply_json_patch(old, request->raw ? request->raw : printed);
	}
	cJSON *next = api_must(cJSON_Duplicate(old, true));
	if (strcmp(request->content_type, KUBE_PATCH_MERGE) == 0)
		api_apply_merge_patch(next, request->body);
	else
		api_apply_strategic_patch(next, request->body);
	return next;
}

void api_patch(const struct api_request *request, struct api_answer *answer)
{
	if (!is_taken(request, answer))
		return;
	struct api_object *object = find_target(request);
	if (!object) {
		api_not_found(request, answer);
		return;
	}
	cJSON *next = patched(request, object->json);
	if (!next)
		api_refuse_with_cause(answer, 422, "Invalid", NULL,
		                      "the server rejected our request due to an error in our request");
	else if (!names_agree(request, next, answer))
		cJSON_Delete(next);
	else
		api_replace(request, object, next, true, answer);
}

/* ---- the binding of a pod to its node ---- */

static bool can_be_bound(const struct api_request *request, const cJSON *pod, struct api_answer *answer)
{
	static const struct kube_resource bindings = {"", "v1", "pods/binding", "Pod", true};
	struct api_kind kind = {.about.resource = &bindings};
	struct api_request about = *request;
	const char *node = api_text(pod, "spec.nodeName");
	char why[640];

	about.kind = &kind;
	if (*node)
		snprintf(why, sizeof(why), "pod %s is already assigned to node \"%s\"", request->name, node);
	else if (kube_json_get(pod, "metadata.deletionTimestamp"))
		snprintf(why, sizeof(why), "pod %s is being deleted, cannot be assigned to a host", request->name);
	else
		return true;
	api_conflict(&about, answer, why);
	return false;
}

static cJSON *bound(const cJSON *pod, const char *node, const char *now)
{
	cJSON *next = api_must(cJSON_Duplicate(pod, true)), *condition = cJSON_CreateObject();
	cJSON *status = cJSON_GetObjectItemCaseSensitive(next, "status");
	cJSON *conditions = cJSON_GetObjectItemCaseSensitive(status, "conditions");

	api_set(cJSON_GetObjectItemCaseSensitive(next, "spec"), "nodeName", cJSON_CreateString(node));
	cJSON_AddStringToObject(condition, "type", "PodScheduled");
	cJSON_AddStringToObject(condition, "status", "True");
	cJSON_AddStringToObject(condition, "lastTransitionTime", now);
	cJSON_AddItemToArray(conditions ? conditions : cJSON_AddArrayToObject(status, "conditions"), condition);
	return next;
}

void api_bind(const struct api_request *request, struct api_answer *answer)
{
	struct api_object *object = find_target(request);

	if (!object) {
		api_not_found(request, answer);
		return;
	}
	if (!can_be_bound(request, object->json, answer))
		return;
	if (!request->dry_run) {
		char key[API_KEY_SIZE], now[32];
		snprintf(key, sizeof(key), "%s", object->key);
		api_put(request->api, request->kind, key,
		        bound(object->json, api_text(request->body, "target.name"), api_now(request->api, now)));
	}
	api_success(answer, 201);
}
