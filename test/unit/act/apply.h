/*
 * What a patch does to a document: RFC 6902 (add, remove, test) and RFC 7396, as the API server applies them. A test
 * for null passes where the member is absent (evanphx/json-patch). For the tests of controller/act.
 */
#ifndef TEST_UNIT_ACT_APPLY_H
#define TEST_UNIT_ACT_APPLY_H

#include <check.h>
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The next segment of a JSON pointer, unescaped; advances *path. */
static inline void next_segment(const char **path, char *out, size_t size)
{
	size_t len = 0;
	ck_assert_int_eq(**path, '/');
	for ((*path)++; **path && **path != '/'; (*path)++) {
		char c = **path;
		if (c == '~') {
			(*path)++;
			c = **path == '1' ? '/' : '~';
		}
		ck_assert_uint_lt(len + 1, size);
		out[len++] = c;
	}
	out[len] = '\0';
}

static inline cJSON *child_of(cJSON *parent, const char *name)
{
	if (cJSON_IsArray(parent))
		return cJSON_GetArrayItem(parent, atoi(name));
	return cJSON_GetObjectItemCaseSensitive(parent, name);
}

/* The parent of what the path names, and the last segment; NULL: there is no such parent. */
static inline cJSON *find_parent(cJSON *document, const char *path, char *name, size_t size)
{
	cJSON *at = document;
	for (;;) {
		next_segment(&path, name, size);
		if (!*path)
			return at;
		at = child_of(at, name);
		if (!at)
			return NULL;
	}
}

/* Values that are no objects and no lists are compared as they were sent with what Go's encoder makes of the document.
 */
static inline bool same_bytes(const cJSON *target, const cJSON *value)
{
	static const char *const escapes[][2] = {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}};
	char go[8192] = "", *is = cJSON_PrintUnformatted(target), *sent = cJSON_PrintUnformatted(value);
	if (cJSON_IsObject(target) || cJSON_IsArray(target)) {
		free(is);
		free(sent);
		return cJSON_Compare(target, value, true);
	}
	for (const char *at = is; *at; at++) {
		const char *write = (char[]){*at, 0};
		for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
			if (*at == *escapes[i][0])
				write = escapes[i][1];
		ck_assert_uint_lt(strlen(go) + strlen(write), sizeof(go));
		strcat(go, write);
	}
	bool same = strcmp(go, sent) == 0;
	free(is);
	free(sent);
	return same;
}

static inline bool apply_op(cJSON *document, const cJSON *operation)
{
	const char *op = cJSON_GetObjectItem(operation, "op")->valuestring;
	const cJSON *value = cJSON_GetObjectItem(operation, "value");
	char name[256];
	cJSON *parent = find_parent(document, cJSON_GetObjectItem(operation, "path")->valuestring, name, sizeof(name));
	cJSON *target = parent ? child_of(parent, name) : NULL;
	if (strcmp(op, "test") == 0)
		return target ? same_bytes(target, value) : parent && cJSON_IsNull(value);
	if (strcmp(op, "remove") == 0) {
		cJSON_Delete(target ? cJSON_DetachItemViaPointer(parent, target) : NULL);
		return target != NULL;
	}
	ck_assert_str_eq(op, "add");
	if (!parent)
		return false;
	if (cJSON_IsArray(parent)) {
		ck_assert_str_eq(name, "-");
		return cJSON_AddItemToArray(parent, cJSON_Duplicate(value, true));
	}
	cJSON_DeleteItemFromObjectCaseSensitive(parent, name);
	return cJSON_AddItemToObject(parent, name, cJSON_Duplicate(value, true));
}

static inline bool apply_json_patch(cJSON *document, const cJSON *patch)
{
	const cJSON *operation;
	ck_assert(cJSON_IsArray(patch));
	cJSON_ArrayForEach (operation, patch)
		if (!apply_op(document, operation))
			return false;
	return true;
}

static inline void merge(cJSON *document, const cJSON *patch)
{
	const cJSON *member;
	cJSON_ArrayForEach (member, patch) {
		cJSON *old = cJSON_GetObjectItemCaseSensitive(document, member->string);
		if (cJSON_IsObject(member)) {
			if (!cJSON_IsObject(old)) {
				cJSON_DeleteItemFromObjectCaseSensitive(document, member->string);
				old = cJSON_AddObjectToObject(document, member->string);
			}
			merge(old, member);
			continue;
		}
		cJSON_DeleteItemFromObjectCaseSensitive(document, member->string);
		if (!cJSON_IsNull(member))
			cJSON_AddItemToObject(document, member->string, cJSON_Duplicate(member, true));
	}
}

/* False: a conflict (409): resourceVersion or UID differ. */
static inline bool apply_merge_patch(cJSON *document, const cJSON *patch)
{
	static const char *const guards[] = {"resourceVersion", "uid"};
	const cJSON *sent = cJSON_GetObjectItem(patch, "metadata"), *is = cJSON_GetObjectItem(document, "metadata");
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		const cJSON *wanted = cJSON_GetObjectItem(sent, guards[i]);
		if (wanted && !cJSON_Compare(wanted, cJSON_GetObjectItem(is, guards[i]), true))
			return false;
	}
	merge(document, patch);
	return true;
}

#endif
