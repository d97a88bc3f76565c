/* Creations. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX_CHARACTERS "bcdfghjklmnpqrstvwxz2456789" /* no words come of them */
#define SUFFIX_LENGTH 5

const char *api_text(const cJSON *json, const char *path)
{
	const char *text = kube_json_str(json, path);
	return text ? text : "";
}

/* ---- what a body must be, whatever becomes of it ---- */

static bool fits_kind(const struct api_request *request, struct api_answer *answer)
{
	const struct kube_resource *resource = request->kind->about.resource;
	const char *kind = api_text(request->body, "kind"), *version = api_text(request->body, "apiVersion");
	_cleanup_buf_ struct kube_buf wanted = {0};

	kube_buf_init(&wanted, 256);
	kube_resource_api_version(&wanted, resource);
	api_must(wanted.data);
	/* Tests and worlds that call directly may leave out what the path says anyway. */
	if (request->kind->about.custom && request->api->sender && (!*kind || !*version))
		api_refuse_plainly(answer, 400, "BadRequest",
		                   "the object provided is unrecognized (must be of type %s): Object 'Kind' is missing",
		                   resource->kind);
	else if ((*kind && strcmp(kind, resource->kind) != 0) || (*version && strcmp(version, wanted.data) != 0))
		api_refuse_plainly(answer, 400, "BadRequest", "%s in version \"%s\" cannot be handled as a %s", kind, version,
		                   resource->kind);
	else
		return true;
	return false;
}

bool api_body_fits(const struct api_request *request, struct api_answer *answer)
{
	const char *namespace_ = api_text(request->body, "metadata.namespace");

	if (!fits_kind(request, answer))
		return false;
	if (!request->kind->about.resource->namespaced || !*namespace_ || strcmp(namespace_, request->namespace_) == 0)
		return true;
	api_refuse_plainly(answer, 400, "BadRequest",
	                   "the namespace of the provided object does not match the namespace sent on the request");
	return false;
}

bool api_bring_into_form(const struct api_request *request, cJSON *json, bool patched, struct api_answer *answer)
{
	const struct kube_resource *resource = request->kind->about.resource;
	const cJSON *schema = request->kind->about.schema;
	struct api_unknown unknown = {0};
	struct api_path path = {0};

	api_prune_meta(json, &unknown);
	api_prune(schema, json, &path, &unknown);
	if (unknown.count > 0 && request->strict) {
		_cleanup_free_ char *names = api_print_unknown(&unknown);
		struct api_cause cause = {"FieldValueInvalid", names, "patch"};
		if (patched)
			api_refuse_with_cause(answer, 422, "Invalid", &cause, " \"\" is invalid: patch: Invalid value: %s", names);
		else
			api_refuse_plainly(answer, 400, "BadRequest",
			                   "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
			                   resource->kind, resource->version, resource->kind, names);
		return false;
	}
	api_fill_in_defaults(schema, json);
	api_fill_in(request->kind, json);
	api_drop_empty(json);
	return true;
}

/* ---- admission ---- */

bool api_namespace_takes(const struct api_request *request, struct api_answer *answer)
{
	const char *namespace_ = request->namespace_;
	char kind[128], message[128];
	struct api_cause cause = {"NamespaceTerminating", message, "metadata.namespace"};

	if (!request->kind->about.resource->namespaced)
		return true;
	const cJSON *json = kube_sim_api_get(request->api, &kube_namespaces, NULL, namespace_);
	if (!json) {
		struct api_request about = {.kind = api_kind_of(request->api, &kube_namespaces)};
		snprintf(about.name, sizeof(about.name), "%s", namespace_);
		api_not_found(&about, answer);
		return false;
	}
	if (!kube_json_get(json, "metadata.deletionTimestamp"))
		return true;
	snprintf(message, sizeof(message), "namespace %s is being terminated", namespace_);
	api_refuse(request, answer, 403, "Forbidden", &cause,
	           "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being terminated",
	           api_qualified(request, kind, sizeof(kind)), request->name, namespace_);
	return false;
}

/* ---- the object ---- */

static void set_name(struct api_request *request, cJSON *metadata)
{
	struct kube_env *env = kube_sim_env(request->api->sim);
	const char *name = api_text(metadata, "name"), *prefix = api_text(metadata, "generateName");
	char suffix[SUFFIX_LENGTH + 1] = "";

	if (!*name && *prefix)
		for (size_t i = 0; i < SUFFIX_LENGTH; i++)
			suffix[i] = SUFFIX_CHARACTERS[kube_env_random_between(env, 0, (int64_t)strlen(SUFFIX_CHARACTERS) - 1)];
	snprintf(request->name, sizeof(request->name), "%s%s", *name ? name : prefix, suffix);
	if (*suffix)
		api_set(metadata, "name", cJSON_CreateString(request->name));
}

static void set_identity(const struct api_request *request, cJSON *json)
{
	static const char *const of_the_system[] = {"deletionTimestamp", "deletionGracePeriodSeconds"};
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	struct kube_sim_api *api = request->api;
	char uid[40], now[32];
	uint64_t number = (uint64_t)++api->next_uid * UINT64_C(0x9e3779b97f4a7c15); /* names are cut from its beginning */

	snprintf(uid, sizeof(uid), "%08x-0000-4000-8000-%012llx", (unsigned)(number >> 32),
	         (unsigned long long)api->next_uid);
	api_set(metadata, "uid", cJSON_CreateString(uid));
	api_set(metadata, "creationTimestamp", cJSON_CreateString(api_now(api, now)));
	for (size_t i = 0; i < KUBE_ARRAY_LEN(of_the_system); i++)
		api_set(metadata, of_the_system[i], NULL);
	if (request->kind->about.resource->namespaced)
		api_set(metadata, "namespace", cJSON_CreateString(request->namespace_));
	if (request->kind->about.has_generation)
		api_set(metadata, "generation", cJSON_CreateNumber(1));
}

static bool is_sound(const struct api_request *request, const cJSON *json, struct api_answer *answer)
{
	struct api_problems problems;
	struct api_path path = {0};
	char kind[128], key[API_KEY_SIZE];

	problems.count = 0; /* it is large */
	api_check_meta(request->kind, json, &problems);
	api_check_schema(request->kind->about.schema, json, &path, &problems);
	if (!api_is_valid(request, &problems, answer))
		return false;
	api_key(request->namespace_, request->name, key, sizeof(key));
	const struct api_object *there = api_find(request->kind, key);
	if (*api_text(json, "metadata.resourceVersion"))
		api_refuse_plainly(answer, 500, NULL, "resourceVersion should not be set on objects to be created");
	else if (there)
		api_refuse(request, answer, 409, "AlreadyExists", NULL, "%s%s \"%s\" already exists",
		           kube_json_get(there->json, "metadata.deletionTimestamp") ? "object is being deleted: " : "",
		           api_qualified(request, kind, sizeof(kind)), request->name);
	else
		return true;
	return false;
}

static void store(const struct api_request *request, cJSON *json, struct api_answer *answer)
{
	char key[API_KEY_SIZE];

	answer->status = 201;
	if (request->dry_run) {
		answer->text = api_must(cJSON_PrintUnformatted(json));
		cJSON_Delete(json);
		return;
	}
	api_key(request->namespace_, request->name, key, sizeof(key));
	answer->text = api_must(strdup(api_put(request->api, request->kind, key, json)->text));
}

void api_create(const struct api_request *request, struct api_answer *answer)
{
	struct api_request named = *request;

	if (!api_body_fits(request, answer))
		return;
	cJSON *json = api_must(cJSON_Duplicate(request->body, true));
	if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(json, "metadata")))
		api_set(json, "metadata", cJSON_CreateObject());
	set_name(&named, cJSON_GetObjectItemCaseSensitive(json, "metadata"));
	if (request->kind->about.has_status && api_rules_of(request->kind)->resets_status)
		api_set(json, "status", NULL);
	if (!api_namespace_takes(&named, answer) || !api_bring_into_form(&named, json, false, answer) ||
	    !is_sound(&named, json, answer)) {
		cJSON_Delete(json);
		return;
	}
	set_identity(&named, json);
	store(&named, json, answer);
}
