/* What patches do to documents: RFC 7396, RFC 6902 as evanphx/json-patch has it, and a little of the strategic kind. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELETE_DIRECTIVE "$deleteFromPrimitiveList/"

void api_set(cJSON *parent, const char *name, cJSON *item)
{
	cJSON *old = cJSON_GetObjectItemCaseSensitive(parent, name);

	if (item && old)
		cJSON_ReplaceItemInObjectCaseSensitive(parent, name, item);
	else if (item)
		cJSON_AddItemToObject(parent, name, item);
	else if (old)
		cJSON_Delete(cJSON_DetachItemViaPointer(parent, old));
}

/* ---- merge ---- */

static void merge_member(cJSON *document, const cJSON *member)
{
	cJSON *old = cJSON_GetObjectItemCaseSensitive(document, member->string);

	if (cJSON_IsNull(member)) {
		api_set(document, member->string, NULL);
		return;
	}
	if (!cJSON_IsObject(member)) {
		cJSON_DeleteItemFromObjectCaseSensitive(document, member->string);
		cJSON_AddItemToObject(document, member->string, cJSON_Duplicate(member, true));
		return;
	}
	if (!cJSON_IsObject(old)) {
		cJSON_DeleteItemFromObjectCaseSensitive(document, member->string);
		old = cJSON_AddObjectToObject(document, member->string);
	}
	api_apply_merge_patch(old, member);
}

void api_apply_merge_patch(cJSON *document, const cJSON *patch)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, patch)
		merge_member(document, member);
}

/* ---- strategic ---- */

/* The lists of the core types that are merged by a key. */
static const char *merge_key(const char *list)
{
	static const char *const keys[][2] = {{"conditions", "type"}, {"taints", "key"}, {"ownerReferences", "uid"}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(keys); i++)
		if (strcmp(keys[i][0], list) == 0)
			return keys[i][1];
	return NULL;
}

static cJSON *item_with(cJSON *list, const char *key, const char *value)
{
	cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *is = kube_json_str(item, key);
		if (is && value && strcmp(is, value) == 0)
			return item;
	}
	return NULL;
}

static void merge_list(cJSON *document, const cJSON *member, const char *key)
{
	cJSON *old = cJSON_GetObjectItemCaseSensitive(document, member->string);
	const cJSON *item;

	if (!cJSON_IsArray(old)) {
		api_set(document, member->string, NULL);
		old = cJSON_AddArrayToObject(document, member->string);
	}
	cJSON_ArrayForEach (item, member) {
		cJSON *same = item_with(old, key, kube_json_str(item, key));
		if (same)
			api_apply_strategic_patch(same, item);
		else
			cJSON_AddItemToArray(old, cJSON_Duplicate(item, true));
	}
}

static void delete_from_list(cJSON *document, const cJSON *directive)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(document, directive->string + strlen(DELETE_DIRECTIVE));
	const cJSON *item;

	cJSON_ArrayForEach (item, directive) {
		for (int i = cJSON_GetArraySize(list); i-- > 0;)
			if (cJSON_Compare(cJSON_GetArrayItem(list, i), item, true))
				cJSON_DeleteItemFromArray(list, i);
	}
}

void api_apply_strategic_patch(cJSON *document, const cJSON *patch)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, patch) {
		cJSON *old = cJSON_GetObjectItemCaseSensitive(document, member->string);
		if (strncmp(member->string, DELETE_DIRECTIVE, strlen(DELETE_DIRECTIVE)) == 0)
			delete_from_list(document, member);
		else if (cJSON_IsObject(member) && cJSON_IsObject(old))
			api_apply_strategic_patch(old, member);
		else if (cJSON_IsArray(member) && merge_key(member->string))
			merge_list(document, member, merge_key(member->string));
		else
			merge_member(document, member);
	}
}

/* ---- JSON patch ---- */

/* The next segment of a JSON pointer, unescaped; advances *path. */
static bool next_segment(const char **path, char *out, size_t size)
{
	size_t len = 0;

	if (**path != '/')
		return false;
	for ((*path)++; **path && **path != '/' && len + 1 < size; (*path)++) {
		char c = **path;
		if (c == '~')
			c = *++(*path) == '1' ? '/' : '~';
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}

static cJSON *child_of(cJSON *parent, const char *name)
{
	if (cJSON_IsArray(parent))
		return *name >= '0' && *name <= '9' ? cJSON_GetArrayItem(parent, (int)strtol(name, NULL, 10)) : NULL;
	return cJSON_GetObjectItemCaseSensitive(parent, name);
}

/* The container of what the path names, and the last segment; NULL: there is none. */
static cJSON *find_parent(cJSON *document, const char *path, char *name, size_t size)
{
	cJSON *at = document;

	while (at && next_segment(&path, name, size)) {
		if (!*path)
			return cJSON_IsObject(at) || cJSON_IsArray(at) ? at : NULL;
		at = child_of(at, name);
	}
	return NULL;
}

static bool add_value(cJSON *parent, const char *name, const cJSON *value)
{
	if (!cJSON_IsArray(parent)) {
		cJSON_DeleteItemFromObjectCaseSensitive(parent, name);
		return cJSON_AddItemToObject(parent, name, cJSON_Duplicate(value, true));
	}
	int size = cJSON_GetArraySize(parent), at = strcmp(name, "-") == 0 ? size : (int)strtol(name, NULL, 10);
	return at >= 0 && at <= size && cJSON_InsertItemInArray(parent, at, cJSON_Duplicate(value, true));
}

static bool apply_operation(cJSON *document, const cJSON *operation)
{
	const char *op = kube_json_str(operation, "op"), *path = kube_json_str(operation, "path");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
	char name[256];
	cJSON *parent = op && path ? find_parent(document, path, name, sizeof(name)) : NULL;

	if (!parent)
		return false;
	cJSON *child = child_of(parent, name);
	if (strcmp(op, "test") == 0) /* a test for null passes where there is nothing */
		return child ? cJSON_Compare(child, value, true) : cJSON_IsNull(value);
	if (strcmp(op, "add") == 0)
		return value && add_value(parent, name, value);
	if (!child)
		return false;
	if (strcmp(op, "replace") == 0)
		return value && cJSON_IsObject(parent) && add_value(parent, name, value);
	cJSON_Delete(cJSON_DetachItemViaPointer(parent, child));
	return strcmp(op, "remove") == 0;
}

bool api_apply_json_patch(cJSON *document, const cJSON *patch)
{
	const cJSON *operation;

	if (!cJSON_IsArray(patch))
		return false;
	cJSON_ArrayForEach (operation, patch)
		if (!apply_operation(document, operation))
			return false;
	return true;
}
