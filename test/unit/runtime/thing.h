/* A made-up namespaced resource for the tests of caches: {"metadata":{…},"spec":{"value":"…"}}. */
#ifndef TEST_UNIT_RUNTIME_THING_H
#define TEST_UNIT_RUNTIME_THING_H

#include <check.h>
#include <kube/json.h>
#include <kube/store.h>
#include <stdio.h>
#include <string.h>

struct thing {
	struct kube_object object;
	const char *value; /* "bad" is refused */
};

static const struct kube_resource things = {
    .group = "test.example", .version = "v1", .plural = "things", .kind = "Thing", .namespaced = true};

static inline int thing_decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena,
                               struct kube_err *err)
{
	struct thing *thing = (struct thing *)self;
	const char *value = kube_json_str(item, "spec.value");

	if (value && strcmp(value, "bad") == 0)
		return kube_fail(err, KUBE_E_PARSE, "spec.value: must not be bad");
	thing->value = kube_arena_strdup(arena, value ? value : "");
	return thing->value ? 0 : kube_fail(err, KUBE_E_NOMEM, "out of memory");
}

static inline bool thing_same(const struct kube_object *a, const struct kube_object *b)
{
	return strcmp(((const struct thing *)a)->value, ((const struct thing *)b)->value) == 0;
}

static const struct kube_projection thing_projection = {
    .resource = &things, .size = sizeof(struct thing), .decode = thing_decode, .same = thing_same};

static inline const char *thing_value(const struct kube_object *object)
{
	const char *value = ((const struct thing *)object)->value;

	return *value ? value : NULL;
}

#define THING_TEXT_SIZE 512

/* The JSON of thing "ns/<name>". */
static inline const char *thing_text(char out[THING_TEXT_SIZE], const char *name, const char *uid, const char *version,
                                     const char *value)
{
	snprintf(out, THING_TEXT_SIZE,
	         "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"%s\",\"uid\":\"%s\",\"resourceVersion\":\"%s\"},"
	         "\"spec\":{\"value\":\"%s\"}}",
	         name, uid, version, value);
	return out;
}

static inline struct kube_object *thing_new(const char *name, const char *uid, const char *version, const char *value)
{
	char text[THING_TEXT_SIZE];
	_cleanup_json_ cJSON *json = cJSON_Parse(thing_text(text, name, uid, version, value));
	struct kube_object *object = NULL;

	ck_assert_int_eq(kube_object_decode(&thing_projection, json, &object, NULL), 0);
	return object;
}

/* Change handlers write what they are told into one: "+a " new, "~a " changed, "=a " not changed, "-a " gone. */
struct thing_log {
	char text[4096];
};

static inline void thing_note(void *arg, const struct kube_change *change)
{
	struct thing_log *log = arg;
	size_t len = strlen(log->text);
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	char mark = !change->new_object ? '-' : (!change->old_object ? '+' : (change->changed ? '~' : '='));

	snprintf(log->text + len, sizeof(log->text) - len, "%c%s ", mark, any->name);
}

#endif
