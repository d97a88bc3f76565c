/* Objects for the tests of the model, from JSON that is written with ' for ". */
#ifndef TEST_UNIT_MODEL_DECODE_H
#define TEST_UNIT_MODEL_DECODE_H

#include <check.h>
#include <kube/json.h>
#include <kube/object.h>
#include <stdlib.h>
#include <string.h>

static inline cJSON *json_of(const char *quoted)
{
	char *text = strdup(quoted);
	cJSON *json = NULL;
	struct kube_err err = {0};

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	int rc = kube_json_parse(text, strlen(text), &json, &err);
	ck_assert_msg(rc == 0, "%s: %s", err.message, text);
	free(text);
	return json;
}

/* Sets the member at a path such as "spec>taints>0>effect" to value (JSON; NULL removes it). */
static inline void json_set(cJSON *json, const char *path, const char *value)
{
	size_t len = strcspn(path, ">");
	char *name = strndup(path, len);
	bool last = path[len] == '\0';

	if (!last) {
		cJSON *next =
		    cJSON_IsArray(json) ? cJSON_GetArrayItem(json, atoi(name)) : cJSON_GetObjectItemCaseSensitive(json, name);
		if (!next)
			next = cJSON_AddObjectToObject(json, name);
		json_set(next, path + len + 1, value);
	} else if (cJSON_IsArray(json)) {
		ck_assert(cJSON_ReplaceItemInArray(json, atoi(name), json_of(value)));
	} else {
		cJSON_DeleteItemFromObjectCaseSensitive(json, name);
		if (value)
			cJSON_AddItemToObject(json, name, json_of(value));
	}
	free(name);
}

static inline struct kube_object *object_of_json(const struct kube_projection *projection, const cJSON *json)
{
	struct kube_object *object = NULL;
	struct kube_err err = {0};
	int rc = kube_object_decode(projection, json, &object, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	return object;
}

static inline struct kube_object *object_of(const struct kube_projection *projection, const char *quoted)
{
	_cleanup_json_ cJSON *json = json_of(quoted);
	return object_of_json(projection, json);
}

/* The message with which decoding fails. */
static inline void check_refused(const struct kube_projection *projection, const char *quoted, const char *expected)
{
	_cleanup_json_ cJSON *json = json_of(quoted);
	struct kube_object *object = NULL;
	struct kube_err err = {0};
	ck_assert_msg(kube_object_decode(projection, json, &object, &err) < 0, "not refused: %s", quoted);
	ck_assert_ptr_null(object);
	ck_assert_msg(strstr(err.message, expected) != NULL, "\"%s\" does not say \"%s\"", err.message, expected);
}

/* One member of a document changes: is that a change to us? */
struct same_case {
	const char *path, *value;
	bool same;
};

static inline void check_same(const struct kube_projection *projection, const char *quoted,
                              const struct same_case *cases, size_t count)
{
	struct kube_object *before = object_of(projection, quoted);
	struct kube_object *twin = object_of(projection, quoted);

	ck_assert(projection->same(before, twin));
	kube_object_unref(twin);
	for (size_t i = 0; i < count; i++) {
		_cleanup_json_ cJSON *json = json_of(quoted);
		json_set(json, cases[i].path, cases[i].value);
		struct kube_object *after = object_of_json(projection, json);
		ck_assert_msg(projection->same(before, after) == cases[i].same, "%s: expected %s", cases[i].path,
		              cases[i].same ? "no change" : "a change");
		ck_assert_msg(projection->same(after, before) == cases[i].same, "%s: not symmetric", cases[i].path);
		kube_object_unref(after);
	}
	kube_object_unref(before);
}

#endif
