/* What a change makes of an object: its versions, its scope, its generation. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *copy_of(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
	return item ? api_must(cJSON_Duplicate(item, true)) : NULL;
}

/* What no client may write. */
static void keep_system_fields(const cJSON *old, cJSON *next)
{
	static const char *const fields[] = {
	    "name",         "uid",       "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	    "generateName", "namespace", "generation",        "resourceVersion"};
	const cJSON *from = cJSON_GetObjectItemCaseSensitive(old, "metadata");
	cJSON *to = cJSON_GetObjectItemCaseSensitive(next, "metadata");

	for (size_t i = 0; i < KUBE_ARRAY_LEN(fields); i++)
		api_set(to, fields[i], copy_of(from, fields[i]));
}

static bool is_of_status(const struct api_request *request, const char *member)
{
	return strcmp(member, "status") == 0 || (!request->kind->about.custom && strcmp(member, "metadata") == 0);
}

/* The status subresource changes the status and, of the server's own kinds, the metadata. */
static cJSON *apply_status(const struct api_request *request, const cJSON *old, cJSON *next)
{
	cJSON *only = cJSON_CreateObject();
	const cJSON *member;

	cJSON_ArrayForEach (member, old) {
		const char *name = member->string;
		cJSON_AddItemToObject(only, name,
		                      is_of_status(request, name) ? cJSON_DetachItemFromObjectCaseSensitive(next, name)
		                                                  : cJSON_Duplicate(member, true));
	}
	cJSON_AddItemToObject(only, "status", cJSON_DetachItemFromObjectCaseSensitive(next, "status"));
	cJSON_Delete(next);
	return only;
}

/* The object itself changes everything else. */
static cJSON *apply_scope(const struct api_request *request, const cJSON *old, cJSON *next)
{
	if (strcmp(request->subresource, "status") == 0)
		return apply_status(request, old, next);
	if (request->kind->about.has_status)
		api_set(next, "status", copy_of(old, "status"));
	return next;
}

/* As cJSON_Compare(), which looks for each member among all; here they mostly come in the same order. */
static bool same(const cJSON *a, const cJSON *b)
{
	bool object = cJSON_IsObject(a);
	const cJSON *x, *y;

	if ((!object && !cJSON_IsArray(a)) || (a->type & 0xff) != (b->type & 0xff))
		return cJSON_Compare(a, b, true);
	for (x = a->child, y = b->child; x && y; x = x->next, y = y->next) {
		if (object && strcmp(x->string, y->string) != 0)
			return cJSON_Compare(a, b, true);
		if (!same(x, y))
			return false;
	}
	return !x && !y;
}

static bool same_member(const cJSON *a, const cJSON *b, const char *name)
{
	const cJSON *x = cJSON_GetObjectItemCaseSensitive(a, name), *y = cJSON_GetObjectItemCaseSensitive(b, name);
	return (!x && !y) || (x && y && same(x, y));
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
	static const struct api_cause must_say = {"FieldValueInvalid", "Invalid value: 0: must be specified for an update",
	                                          "metadata.resourceVersion"};
	const char *version = api_text(next, "metadata.resourceVersion");
	char kind[128];

	if (strspn(version, "0123456789") != strlen(version))
		api_refuse_plainly(answer, 500, NULL, "strconv.ParseUint: parsing \"%s\": invalid syntax", version);
	else if (!*version && !api_rules_of(request->kind)->any_version)
		api_refuse(request, answer, 422, "Invalid", &must_say, "%s \"%s\" is invalid: %s: %s",
		           api_qualified(request, kind, sizeof(kind)), request->name, must_say.field, must_say.message);
	else if (*version && strcmp(version, api_text(old, "metadata.resourceVersion")) != 0)
		api_conflict(request, answer,
		             "the object has been modified; please apply your changes to the latest version and try again");
	else
		return true;
	return false;
}

static bool is_sound(const struct api_request *request, const cJSON *old, const cJSON *next, struct api_answer *answer)
{
	struct api_problems problems;
	struct api_path path = {0};

	problems.count = 0; /* it is large */
	api_check_meta_change(old, next, &problems);
	api_check_meta(request->kind, next, &problems);
	api_check_schema(request->kind->about.schema, next, &path, &problems);
	api_check_fixed(request->kind, old, next, &problems);
	return api_is_valid(request, &problems, answer);
}

static void store(const struct api_request *request, struct api_object *object, cJSON *next, struct api_answer *answer)
{
	const cJSON *old = object->json;
	char key[API_KEY_SIZE];

	if (request->kind->about.has_generation && !same_but_status(old, next))
		api_set(cJSON_GetObjectItemCaseSensitive(next, "metadata"), "generation",
		        cJSON_CreateNumber(kube_json_get(old, "metadata.generation")->valuedouble + 1));
	if (request->dry_run) {
		answer->text = api_must(cJSON_PrintUnformatted(next));
		cJSON_Delete(next);
		return;
	}
	if (api_deletion_complete(next)) { /* with its last finalizer it goes, and that change is never seen */
		answer->text = api_must(cJSON_PrintUnformatted(next));
		cJSON_Delete(next);
		api_remove(request->api, request->kind, object);
		return;
	}
	snprintf(key, sizeof(key), "%s", object->key);
	answer->text = api_must(strdup(api_put(request->api, request->kind, key, next)->text));
}

void api_replace(const struct api_request *request, struct api_object *object, cJSON *next, bool patched,
                 struct api_answer *answer)
{
	const cJSON *old = object->json;

	if (!versions_agree(request, old, next, answer)) {
		cJSON_Delete(next);
		return;
	}
	next = apply_scope(request, old, next);
	if (!api_bring_into_form(request, next, patched, answer) || !is_sound(request, old, next, answer)) {
		cJSON_Delete(next);
		return;
	}
	keep_system_fields(old, next);
	answer->status = 200;
	if (same(old, next)) {
		answer->text = api_must(strdup(object->text));
		cJSON_Delete(next);
		return;
	}
	store(request, object, next, answer);
}
