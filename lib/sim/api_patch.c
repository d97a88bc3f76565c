/* What merge patches (RFC 7396) do to documents, and a little of the strategic kind. */
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
	static const char *const keys[][2] = {{"conditions", "type"}, {"ownerReferences", "uid"}, {"containers", "name"}};

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

/* A list of texts that is merged: what the patch names comes first. */
static void merge_set(cJSON *document, const cJSON *member)
{
	cJSON *next = api_must(cJSON_Duplicate(member, true));
	const cJSON *old, *item;

	cJSON_ArrayForEach (old, cJSON_GetObjectItemCaseSensitive(document, member->string)) {
		bool named = false;
		cJSON_ArrayForEach (item, member)
			named |= cJSON_Compare(old, item, true);
		if (!named)
			cJSON_AddItemToArray(next, api_must(cJSON_Duplicate(old, true)));
	}
	api_set(document, member->string, next);
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
		else if (cJSON_IsArray(member) && strcmp(member->string, "finalizers") == 0)
			merge_set(document, member);
		else
			merge_member(document, member);
	}
}
