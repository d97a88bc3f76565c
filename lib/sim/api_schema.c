/*
 * The structural schemas of CustomResourceDefinitions: what is not in them is dropped, then defaults are filled in
 * (apiextensions-apiserver pkg/apiserver/schema). Checks are in api_schema_check.c. CEL rules are not known here.
 */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cJSON *api_member(const cJSON *schema, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(schema, name);
}

const cJSON *api_schema_of_member(const cJSON *schema, const char *name)
{
	const cJSON *property = api_member(api_member(schema, "properties"), name), *others;

	if (property)
		return property;
	others = api_member(schema, "additionalProperties");
	return cJSON_IsObject(others) ? others : NULL;
}

/* ---- paths: "spec.patches[0].job" ---- */

size_t api_path_add(struct api_path *path, const char *name)
{
	size_t len = path->len;
	int more = snprintf(path->text + len, sizeof(path->text) - len, "%s%s", len ? "." : "", name);

	path->len = len + (size_t)more < sizeof(path->text) ? len + (size_t)more : sizeof(path->text) - 1;
	return len;
}

size_t api_path_add_index(struct api_path *path, int index)
{
	size_t len = path->len;
	int more = snprintf(path->text + len, sizeof(path->text) - len, "[%d]", index);

	path->len = len + (size_t)more < sizeof(path->text) ? len + (size_t)more : sizeof(path->text) - 1;
	return len;
}

void api_path_cut(struct api_path *path, size_t len)
{
	path->len = len;
	path->text[len] = '\0';
}

/* ---- what nobody knows ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

void api_note_unknown(struct api_unknown *unknown, const char *where, const char *name)
{
	if (unknown->count < KUBE_ARRAY_LEN(unknown->names))
		snprintf(unknown->names[unknown->count++], sizeof(unknown->names[0]), "%s%s%s", where, *where ? "." : "", name);
}

char *api_print_unknown(struct api_unknown *unknown)
{
	struct kube_buf out;

	kube_buf_init(&out, API_MAX_TEXT_BYTES);
	qsort(unknown->names, unknown->count, sizeof(unknown->names[0]), compare_texts);
	for (size_t i = 0; i < unknown->count; i++)
		kube_buf_addf(&out, "%sunknown field \"%s\"", i ? ", " : "", unknown->names[i]);
	return api_must(kube_buf_take(&out));
}

static bool is_system_member(const struct api_path *path, const char *name)
{
	return path->len == 0 &&
	       (strcmp(name, "apiVersion") == 0 || strcmp(name, "kind") == 0 || strcmp(name, "metadata") == 0);
}

static void prune_list(const cJSON *schema, cJSON *list, struct api_path *path, struct api_unknown *unknown)
{
	cJSON *item;
	int i = 0;

	cJSON_ArrayForEach (item, list) {
		size_t len = api_path_add_index(path, i++);
		api_prune(api_member(schema, "items"), item, path, unknown);
		api_path_cut(path, len);
	}
}

void api_prune(const cJSON *schema, cJSON *value, struct api_path *path, struct api_unknown *unknown)
{
	cJSON *member, *next;

	if (!schema || cJSON_IsTrue(api_member(schema, "x-kubernetes-preserve-unknown-fields")))
		return;
	if (cJSON_IsArray(value))
		prune_list(schema, value, path, unknown);
	for (member = cJSON_IsObject(value) ? value->child : NULL; member; member = next) {
		const cJSON *known = api_schema_of_member(schema, member->string);
		next = member->next;
		if (is_system_member(path, member->string))
			continue;
		if (!known) {
			api_note_unknown(unknown, path->text, member->string);
			cJSON_Delete(cJSON_DetachItemViaPointer(value, member));
			continue;
		}
		size_t len = api_path_add(path, member->string);
		api_prune(known, member, path, unknown);
		api_path_cut(path, len);
	}
}

/* ---- defaults ---- */

/* A null where none may be is as good as nothing. */
static void drop_nulls(const cJSON *schema, cJSON *object)
{
	cJSON *member, *next;

	for (member = object->child; member; member = next) {
		const cJSON *known = api_schema_of_member(schema, member->string);
		next = member->next;
		if (cJSON_IsNull(member) && known && !cJSON_IsTrue(api_member(known, "nullable")))
			cJSON_Delete(cJSON_DetachItemViaPointer(object, member));
	}
}

void api_fill_in_defaults(const cJSON *schema, cJSON *value)
{
	const cJSON *property;
	cJSON *member;

	if (cJSON_IsArray(value)) {
		cJSON_ArrayForEach (member, value)
			api_fill_in_defaults(api_member(schema, "items"), member);
		return;
	}
	if (!schema || !cJSON_IsObject(value))
		return;
	drop_nulls(schema, value);
	cJSON_ArrayForEach (property, api_member(schema, "properties")) {
		const cJSON *fallback = api_member(property, "default");
		if (fallback && !api_member(value, property->string))
			cJSON_AddItemToObject(value, property->string, api_must(cJSON_Duplicate(fallback, true)));
	}
	cJSON_ArrayForEach (member, value)
		api_fill_in_defaults(api_schema_of_member(schema, member->string), member);
}
