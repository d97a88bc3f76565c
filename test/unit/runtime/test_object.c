#include "lib/runtime/draft.h"
#include "test/unit/check_main.h"
#include "test/unit/runtime/thing.h"

#include <kube/time.h>
#include <malloc.h>

static int decode(const char *text, struct kube_object **ret_object, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = cJSON_Parse(text);

	ck_assert_ptr_nonnull(json);
	return kube_object_decode(&thing_projection, json, ret_object, err);
}

START_TEST(metadata_is_copied)
{
	struct kube_object *object = NULL;

	ck_assert_int_eq(
	    decode("{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":\"7\","
	           "\"generation\":3,\"creationTimestamp\":\"1970-01-01T00:00:01Z\","
	           "\"deletionTimestamp\":\"1970-01-01T00:00:02Z\"},\"spec\":{\"value\":\"v\"}}",
	           &object, NULL),
	    0);
	ck_assert_str_eq(object->key, "ns/a");
	ck_assert_str_eq(object->namespace_, "ns");
	ck_assert_str_eq(object->name, "a");
	ck_assert_str_eq(object->uid, "u");
	ck_assert_str_eq(object->resource_version, "7");
	ck_assert_int_eq(object->generation, 3);
	ck_assert_int_eq(object->created_ms, 1000);
	ck_assert_int_eq(object->deleted_ms, 2000);
	ck_assert_str_eq(((struct thing *)object)->value, "v");
	kube_object_unref(object);
}
END_TEST

START_TEST(absent_metadata_is_empty)
{
	struct kube_object *object = NULL;

	ck_assert_int_eq(
	    decode("{\"metadata\":{\"name\":\"a\",\"namespace\":null,\"creationTimestamp\":null}}", &object, NULL), 0);
	ck_assert_str_eq(object->key, "a");
	ck_assert_str_eq(object->namespace_, "");
	ck_assert_str_eq(object->uid, "");
	ck_assert_str_eq(object->resource_version, "");
	ck_assert(object->created_ms == KUBE_TIME_NONE);
	ck_assert(object->deleted_ms == KUBE_TIME_NONE);
	kube_object_unref(object);
}
END_TEST

START_TEST(refusals_name_the_object)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"{}", "Thing"},
	    {"null", "Thing"},
	    {"{\"metadata\":null}", "metadata.name"},
	    {"{\"metadata\":{\"name\":null}}", "metadata.name"},
	    {"{\"metadata\":{\"name\":5}}", "metadata.name"},
	    {"{\"metadata\":{\"name\":\"a\",\"uid\":5}}", "Thing a: metadata.uid: "},
	    {"{\"metadata\":{\"name\":\"a\",\"creationTimestamp\":\"now\"}}", "creationTimestamp"},
	    {"{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\"},\"spec\":{\"value\":\"bad\"}}",
	     "Thing ns/a: spec.value: "},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_object *object = NULL;
		struct kube_err err;
		ck_assert_int_eq(decode(cases[i].text, &object, &err), KUBE_E_PARSE);
		ck_assert_ptr_null(object);
		ck_assert_msg(strstr(err.message, cases[i].message), "%s: %s", cases[i].text, err.message);
	}
}
END_TEST

/* A cache of 150,000 objects has no room for memory that is mostly empty. */
START_TEST(memory_is_made_to_measure)
{
	static const char *const values[] = {"", "v", "a value that is much longer than the one before and the one after"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(values); i++) {
		struct kube_object *object = thing_new("a", "u", "1", values[i]);
		size_t texts = sizeof("ns/a") + sizeof("ns") + sizeof("u") + sizeof("1") + strlen(values[i]) + 1;
		ck_assert_uint_le(malloc_usable_size(object), sizeof(struct thing) + texts + 32);
		ck_assert_str_eq(((struct thing *)object)->value, values[i]);
		kube_object_unref(object);
	}
}
END_TEST

static int decoded; /* so many times */

static int counting_decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	decoded++;
	return thing_decode(item, self, arena, err);
}

/* Counts in decoded how often it is read for that. */
static struct kube_object *make_as(const struct kube_projection *projection, const char *text,
                                   const struct kube_object *before)
{
	struct kube_object *object = NULL;
	struct draft draft;

	_cleanup_json_ cJSON *json = cJSON_Parse(text);
	const struct document document = document_of_json(json);
	draft_init(&draft, projection);
	decoded = 0;
	ck_assert_int_eq(draft_read(&draft, &document, NULL), 0);
	ck_assert_int_eq(draft_make(&draft, NULL, before, &object, NULL), 0);
	draft_finish(&draft);
	return object;
}

/* A thing whose value has len letters. */
static struct kube_object *make_after(const struct kube_object *before, int len)
{
	static const struct kube_projection projection = {
	    .resource = &things, .size = sizeof(struct thing), .decode = counting_decode};
	char text[32768];

	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"value\":\"%0*d\"}}", len, 0);
	struct kube_object *object = make_as(&projection, text, before);
	ck_assert_uint_eq(strlen(((const struct thing *)object)->value), (size_t)len);
	return object;
}

START_TEST(a_large_object_is_read_once_when_it_is_like_its_version_before)
{
	static const struct {
		int before, len;
		bool once;
	} cases[] = {{4000, 4000, true},  {4000, 4200, true},   {4000, 3800, true}, {4000, 4500, false},
	             {4000, 3000, false}, {4000, 20000, false}, {100, 100, false}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_object *before = make_after(NULL, cases[i].before);
		ck_assert_int_eq(decoded, 2);
		struct kube_object *object = make_after(before, cases[i].len);
		ck_assert_msg((decoded == 1) == cases[i].once, "%d after %d: decoded %d times", cases[i].len, cases[i].before,
		              decoded);
		ck_assert_uint_le(malloc_usable_size(object), sizeof(struct thing) + (size_t)cases[i].len * 8 / 7 + 64);
		kube_object_unref(object);
		kube_object_unref(before);
	}
}
END_TEST

struct thing_parts {
	const char *value;
};

static int make_thing(void *parts, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	struct thing *thing = (struct thing *)self;

	(void)err;
	decoded++;
	thing->value = kube_arena_strdup(maker->arena, ((struct thing_parts *)parts)->value);
	return thing->value ? 0 : KUBE_E_NOMEM;
}

static struct kube_object *make_from_table(const struct kube_object *before, const char *value)
{
	static const struct kube_json_field spec[] = {
	    {.name = "value", .type = KUBE_JSON_STRING, .offset = offsetof(struct thing_parts, value)}, KUBE_JSON_END};
	static const struct kube_json_field table[] = {{.name = "spec", .type = KUBE_JSON_OBJECT, .table = spec},
	                                               KUBE_JSON_END};
	static const struct kube_projection projection = {.resource = &things,
	                                                  .size = sizeof(struct thing),
	                                                  .table = table,
	                                                  .parts_size = sizeof(struct thing_parts),
	                                                  .make = make_thing};
	char text[THING_TEXT_SIZE];

	struct kube_object *object = make_as(&projection, thing_text(text, "a", "u", "1", value), before);
	ck_assert_str_eq(((const struct thing *)object)->value, value);
	return object;
}

/* Nine in ten updates of a node change no more than its version. */
START_TEST(what_is_as_long_as_its_version_before_is_not_measured)
{
	static const struct {
		const char *before, *after;
		int made;
	} cases[] = {{"one", "one", 1}, {"one", "two", 1}, {"one", "three", 3}, {"three", "one", 3}, {"", "", 1}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_object *before = make_from_table(NULL, cases[i].before);
		ck_assert_int_eq(decoded, 2);
		struct kube_object *object = make_from_table(before, cases[i].after);
		ck_assert_msg(decoded == cases[i].made, "\"%s\" after \"%s\": made %d times", cases[i].after, cases[i].before,
		              decoded);
		size_t texts = sizeof("ns/a") + sizeof("ns") + sizeof("u") + sizeof("1") + strlen(cases[i].after) + 1;
		ck_assert_uint_eq(object->own_bytes, texts);
		ck_assert_uint_le(malloc_usable_size(object), sizeof(struct thing) + texts + 32);
		kube_object_unref(object);
		kube_object_unref(before);
	}
}
END_TEST

/* Under the sanitizers and valgrind this also shows that the last reference frees, and no earlier one. */
START_TEST(references_keep_an_object)
{
	struct kube_object *object = thing_new("a", "u", "1", "v");

	ck_assert_ptr_eq(kube_object_ref(object), object);
	kube_object_unref(object);
	ck_assert_str_eq(object->name, "a");
	kube_object_unref(object);
	ck_assert_ptr_null(kube_object_ref(NULL));
	kube_object_unref(NULL);
}
END_TEST

CHECK_MAIN("runtime/object", metadata_is_copied, absent_metadata_is_empty, refusals_name_the_object,
           memory_is_made_to_measure, a_large_object_is_read_once_when_it_is_like_its_version_before,
           what_is_as_long_as_its_version_before_is_not_measured, references_keep_an_object)
