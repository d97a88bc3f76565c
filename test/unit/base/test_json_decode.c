#include "test/unit/check_main.h"
#include <kube/json.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

enum colour { RED, GREEN, BLUE };
static const char *const colours[] = {"Red", "Green", "Blue", NULL};

struct job {
	int64_t timeout_ms;
	const char *image;
};

struct patch {
	const char *name;
	struct job job;
};

struct node; /* a tree, to decode a table that names itself */
struct node_list {
	struct node *items;
	size_t count;
};
struct node {
	struct node_list children;
};

struct thing {
	const char *text;
	bool flag;
	int64_t number;
	int64_t time_ms;
	int64_t duration_ms;
	struct kube_intstr intstr;
	struct kube_strmap map;
	struct kube_strlist strings;
	struct job job;
	struct job *maybe;
	struct {
		struct patch *items;
		size_t count;
	} patches;
	enum colour colour;
	int64_t custom;
};

static int decode_even(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	(void)arena;
	if (!cJSON_IsNumber(value) || value->valueint % 2)
		return kube_fail(err, KUBE_E_PARSE, "expected an even number");
	*(int64_t *)field = value->valueint;
	return 0;
}

static const struct kube_json_field job_table[] = {
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = offsetof(struct job, timeout_ms)},
    {.name = "image", .type = KUBE_JSON_STRING, .offset = offsetof(struct job, image)},
    KUBE_JSON_END,
};

static const struct kube_json_field patch_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct patch, name), .required = true},
    {.name = "job", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct patch, job), .table = job_table},
    KUBE_JSON_END,
};

static const struct kube_json_field node_table[] = {
    {.name = "children",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct node, children),
     .table = node_table,
     .size = sizeof(struct node)},
    KUBE_JSON_END,
};

static const struct kube_json_field thing_table[] = {
    {.name = "text", .type = KUBE_JSON_STRING, .offset = offsetof(struct thing, text)},
    {.name = "flag", .type = KUBE_JSON_BOOL, .offset = offsetof(struct thing, flag)},
    {.name = "number", .type = KUBE_JSON_INT, .offset = offsetof(struct thing, number)},
    {.name = "time", .type = KUBE_JSON_TIME, .offset = offsetof(struct thing, time_ms)},
    {.name = "duration", .type = KUBE_JSON_DURATION, .offset = offsetof(struct thing, duration_ms)},
    {.name = "intstr", .type = KUBE_JSON_INTSTR, .offset = offsetof(struct thing, intstr)},
    {.name = "map", .type = KUBE_JSON_STRMAP, .offset = offsetof(struct thing, map)},
    {.name = "strings", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct thing, strings)},
    {.name = "job", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct thing, job), .table = job_table},
    {.name = "maybe",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct thing, maybe),
     .table = job_table,
     .size = sizeof(struct job)},
    {.name = "patches",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct thing, patches),
     .table = patch_table,
     .size = sizeof(struct patch)},
    {.name = "colour", .type = KUBE_JSON_ENUM, .offset = offsetof(struct thing, colour), .words = colours},
    {.name = "custom", .type = KUBE_JSON_CUSTOM, .offset = offsetof(struct thing, custom), .decode = decode_even},
    KUBE_JSON_END,
};

static int decode(const char *text, struct thing *thing, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;

	ck_assert_msg(kube_json_parse(text, strlen(text), &json, err) == 0, "%s", text);
	return kube_json_decode(json, thing_table, thing, arena, err);
}

START_TEST(every_type_is_decoded)
{
	static const char text[] =
	    "{\"text\":\"t\",\"flag\":true,\"number\":-12,\"time\":\"1970-01-01T00:00:01Z\",\"duration\":\"1h\","
	    "\"intstr\":\"10%\",\"map\":{\"b\":\"2\",\"a\":\"1\"},\"strings\":[\"x\",\"\"],\"job\":{\"timeout\":\"1s\"},"
	    "\"maybe\":{\"image\":\"i\"},\"patches\":[{\"name\":\"p\"},{\"name\":\"q\",\"job\":{\"timeout\":\"2s\"}}],"
	    "\"colour\":\"Blue\",\"custom\":8,\"unknown\":{\"text\":1}}";
	struct kube_arena arena = {0};
	struct thing thing = {0};
	struct kube_err err = {0};

	ck_assert_msg(decode(text, &thing, &arena, &err) == 0, "%s", err.message);
	ck_assert_str_eq(thing.text, "t");
	ck_assert(thing.flag);
	ck_assert_int_eq(thing.number, -12);
	ck_assert_int_eq(thing.time_ms, 1000);
	ck_assert_int_eq(thing.duration_ms, 3600000);
	ck_assert(thing.intstr.set && thing.intstr.percent);
	ck_assert_int_eq(thing.intstr.value, 10);
	ck_assert_uint_eq(thing.map.count, 2);
	ck_assert_str_eq(thing.map.items[0].key, "b");
	ck_assert_str_eq(thing.map.items[1].value, "1");
	ck_assert_uint_eq(thing.strings.count, 2);
	ck_assert_str_eq(thing.strings.items[0], "x");
	ck_assert_str_eq(thing.strings.items[1], "");
	ck_assert_int_eq(thing.job.timeout_ms, 1000);
	ck_assert_ptr_null(thing.job.image);
	ck_assert_str_eq(thing.maybe->image, "i");
	ck_assert_uint_eq(thing.patches.count, 2);
	ck_assert_str_eq(thing.patches.items[0].name, "p");
	ck_assert_int_eq(thing.patches.items[0].job.timeout_ms, 0);
	ck_assert_int_eq(thing.patches.items[1].job.timeout_ms, 2000);
	ck_assert_int_eq(thing.colour, BLUE);
	ck_assert_int_eq(thing.custom, 8);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(absent_and_null_leave_the_fields_alone)
{
	static const char *const rows[] = {
	    "{}",
	    "{\"text\":null,\"flag\":null,\"number\":null,\"time\":null,\"duration\":null,\"intstr\":null,\"map\":null,"
	    "\"strings\":null,\"job\":null,\"maybe\":null,\"patches\":null,\"colour\":null,\"custom\":null}",
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_arena arena = {0};
		struct thing before, after;
		memset(&before, 0x5a, sizeof(before));
		memcpy(&after, &before, sizeof(after));
		ck_assert_int_eq(decode(rows[i], &after, &arena, NULL), 0);
		ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(empty_lists_and_null_values)
{
	struct kube_arena arena = {0};
	struct thing thing = {0};

	ck_assert_int_eq(decode("{\"strings\":[],\"patches\":[],\"map\":{},\"maybe\":{}}", &thing, &arena, NULL), 0);
	ck_assert_uint_eq(thing.strings.count + thing.patches.count + thing.map.count, 0);
	ck_assert_ptr_nonnull(thing.maybe);
	ck_assert_int_eq(decode("{\"map\":{\"a\":null,\"b\":\"x\"}}", &thing, &arena, NULL), 0);
	ck_assert_uint_eq(thing.map.count, 1);
	ck_assert_str_eq(thing.map.items[0].key, "b");
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(errors_name_the_path)
{
	static const struct {
		const char *json;
		int rc;
		const char *message; /* its beginning */
	} rows[] = {
	    {"[]", KUBE_E_PARSE, "expected an object, got a list"},
	    {"{\"text\":1}", KUBE_E_PARSE, "text: expected a string, got a number"},
	    {"{\"flag\":\"true\"}", KUBE_E_PARSE, "flag: expected true or false, got a string"},
	    {"{\"number\":\"1\"}", KUBE_E_PARSE, "number: expected a whole number, got a string"},
	    {"{\"number\":1.5}", KUBE_E_PARSE, "number: expected a whole number within 2^53, got 1.5"},
	    {"{\"time\":5}", KUBE_E_PARSE, "time: expected a time"},
	    {"{\"time\":\"x\"}", KUBE_E_PARSE, "time: expected a time such as \"2026-11-21T11:22:38Z\", got \"x\""},
	    {"{\"duration\":5}", KUBE_E_PARSE, "duration: expected a duration such as \"15m\", got a number"},
	    {"{\"duration\":\"5\"}", KUBE_E_PARSE, "duration: expected a duration such as \"15m\""},
	    {"{\"duration\":\"99999999h\"}", KUBE_E_LIMIT, "duration: the duration \"99999999h\" is longer than 10 years"},
	    {"{\"intstr\":true}", KUBE_E_PARSE,
	     "intstr: expected a whole number or a percentage such as \"10%\", got a boolean"},
	    {"{\"map\":[]}", KUBE_E_PARSE, "map: expected an object of strings, got a list"},
	    {"{\"map\":{\"a.b/c\":7}}", KUBE_E_PARSE, "map[\"a.b/c\"]: expected a string, got a number"},
	    {"{\"strings\":\"x\"}", KUBE_E_PARSE, "strings: expected a list of strings, got a string"},
	    {"{\"strings\":[\"a\",\"b\",{}]}", KUBE_E_PARSE, "strings[2]: expected a string, got an object"},
	    {"{\"strings\":[null]}", KUBE_E_PARSE, "strings[0]: expected a string, got null"},
	    {"{\"job\":[]}", KUBE_E_PARSE, "job: expected an object, got a list"},
	    {"{\"job\":{\"timeout\":\"x\"}}", KUBE_E_PARSE, "job.timeout: expected a duration"},
	    {"{\"maybe\":\"x\"}", KUBE_E_PARSE, "maybe: expected an object, got a string"},
	    {"{\"maybe\":{\"image\":[]}}", KUBE_E_PARSE, "maybe.image: expected a string, got a list"},
	    {"{\"patches\":{}}", KUBE_E_PARSE, "patches: expected a list, got an object"},
	    {"{\"patches\":[null]}", KUBE_E_PARSE, "patches[0]: expected an object, got null"},
	    {"{\"patches\":[{\"name\":\"a\"},{\"name\":\"b\",\"job\":{\"timeout\":\"soon\"}}]}", KUBE_E_PARSE,
	     "patches[1].job.timeout: expected a duration such as \"15m\" or \"1h30m\", got \"soon\""},
	    {"{\"patches\":[{\"name\":\"a\"},{}]}", KUBE_E_PARSE, "patches[1].name: required, but absent"},
	    {"{\"patches\":[{\"name\":null}]}", KUBE_E_PARSE, "patches[0].name: required, but absent"},
	    {"{\"colour\":\"red\"}", KUBE_E_PARSE, "colour: expected one of Red, Green, Blue; got \"red\""},
	    {"{\"colour\":1}", KUBE_E_PARSE, "colour: expected a string, got a number"},
	    {"{\"custom\":7}", KUBE_E_PARSE, "custom: expected an even number"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_arena arena = {0};
		struct thing thing = {0};
		struct kube_err err = {0};
		int rc = decode(rows[i].json, &thing, &arena, &err);
		ck_assert_msg(rc == rows[i].rc && err.code == rc, "%s: %d", rows[i].json, rc);
		ck_assert_msg(strncmp(err.message, rows[i].message, strlen(rows[i].message)) == 0, "%s: %s", rows[i].json,
		              err.message);
		ck_assert_int_eq(decode(rows[i].json, &thing, &arena, NULL), rows[i].rc);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(numbers_are_exact_or_refused)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
	    {"0", true, 0},
	    {"-0", true, 0},
	    {"1e3", true, 1000},
	    {"2147483648", true, 2147483648},
	    {"9007199254740991", true, 9007199254740991},
	    {"-9007199254740991", true, -9007199254740991},
	    {"9007199254740992", false, 0},
	    {"9007199254740993", false, 0},
	    {"-9007199254740992", false, 0},
	    {"1e300", false, 0},
	    {"1e999", false, 0},
	    {"0.1", false, 0},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_arena arena = {0};
		struct thing thing = {.number = 42};
		char json[64];
		snprintf(json, sizeof(json), "{\"number\":%s}", rows[i].text);
		ck_assert_msg((decode(json, &thing, &arena, NULL) == 0) == rows[i].ok, "%s", rows[i].text);
		ck_assert_int_eq(thing.number, rows[i].ok ? rows[i].value : 42);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(int_or_string)
{
	static const struct {
		const char *text;
		bool ok, percent;
		int64_t value;
	} rows[] = {
	    {"0", true, false, 0},
	    {"25", true, false, 25},
	    {"-1", true, false, -1},
	    {"2147483647", true, false, 2147483647},
	    {"2147483648", false, false, 0},
	    {"1.5", false, false, 0},
	    {"1e999", false, false, 0},
	    {"\"0%\"", true, true, 0},
	    {"\"100%\"", true, true, 100},
	    {"\"999999999%\"", true, true, 999999999},
	    {"\"9999999999%\"", false, false, 0},
	    {"\"10\"", false, false, 0}, /* as GetScaledValueFromIntOrPercent: a string must be a percentage */
	    {"\"%\"", false, false, 0},
	    {"\"\"", false, false, 0},
	    {"\"-5%\"", false, false, 0},
	    {"\"+5%\"", false, false, 0},
	    {"\"5.5%\"", false, false, 0},
	    {"\"5% \"", false, false, 0},
	    {"\" 5%\"", false, false, 0},
	    {"\"5%%\"", false, false, 0},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_arena arena = {0};
		struct thing thing = {0};
		char json[64];
		snprintf(json, sizeof(json), "{\"intstr\":%s}", rows[i].text);
		ck_assert_msg((decode(json, &thing, &arena, NULL) == 0) == rows[i].ok, "%s", rows[i].text);
		ck_assert_int_eq(thing.intstr.set, rows[i].ok);
		ck_assert_int_eq(thing.intstr.percent, rows[i].percent);
		ck_assert_int_eq(thing.intstr.value, rows[i].value);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(lists_have_a_maximum)
{
	static const char *const members[] = {"strings", "patches"};
	static const char *const items[] = {"\"a\"", "{\"name\":\"a\"}"};

	for (size_t m = 0; m < 2; m++) {
		for (size_t extra = 0; extra < 2; extra++) {
			_cleanup_buf_ struct kube_buf buf;
			struct kube_arena arena = {0};
			struct thing thing = {0};
			struct kube_err err = {0};
			kube_buf_init(&buf, 8 << 20);
			kube_buf_addf(&buf, "{\"%s\":[%s", members[m], items[m]);
			for (size_t i = 1; i < KUBE_JSON_MAX_LIST + extra; i++)
				kube_buf_addf(&buf, ",%s", items[m]);
			kube_buf_adds(&buf, "]}");
			ck_assert_int_eq(decode(buf.data, &thing, &arena, &err), extra ? KUBE_E_LIMIT : 0);
			ck_assert_uint_eq(thing.strings.count + thing.patches.count, extra ? 0 : KUBE_JSON_MAX_LIST);
			if (extra)
				ck_assert_int_eq(strncmp(err.message, members[m], strlen(members[m])), 0);
			kube_arena_finish(&arena);
		}
	}
}
END_TEST

START_TEST(a_full_arena_is_out_of_memory)
{
	static const char *const rows[] = {
	    "{\"text\":\"0123456789abcdef\"}",   "{\"map\":{\"k\":\"v\"}}",
	    "{\"strings\":[\"a\",\"b\",\"c\"]}", "{\"maybe\":{}}",
	    "{\"patches\":[{\"name\":\"a\"}]}",
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		size_t limit = 1;
		for (;; limit++) {
			struct kube_arena arena;
			struct thing thing = {0};
			struct kube_err err = {0};
			kube_arena_init(&arena, limit);
			int rc = decode(rows[i], &thing, &arena, &err);
			kube_arena_finish(&arena);
			if (rc == 0)
				break;
			ck_assert_int_eq(rc, KUBE_E_NOMEM);
			ck_assert_int_eq(err.code, KUBE_E_NOMEM);
		}
		ck_assert_uint_ge(limit, 16);
	}
}
END_TEST

START_TEST(what_is_decoded_outlives_the_document)
{
	char text[] = "{\"text\":\"abc\",\"map\":{\"k\":\"v\"},\"strings\":[\"s\"]}";
	struct kube_arena arena = {0};
	struct thing thing = {0};

	ck_assert_int_eq(decode(text, &thing, &arena, NULL), 0); /* frees the tree */
	memset(text, 'x', sizeof(text));
	ck_assert_str_eq(thing.text, "abc");
	ck_assert_str_eq(kube_strmap_get(&thing.map, "k"), "v");
	ck_assert_str_eq(thing.strings.items[0], "s");
	kube_arena_finish(&arena);
}
END_TEST

/* Trees that were not parsed may be deeper than any document. */
START_TEST(a_table_that_names_itself_stops_at_the_maximum_depth)
{
	struct kube_arena arena = {0};
	struct kube_err err = {0};
	struct node root = {0};
	cJSON *json = cJSON_CreateObject();

	for (int i = 0; i < 200; i++) {
		cJSON *parent = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(parent, "children");
		cJSON_AddItemToArray(list, json);
		json = parent;
	}
	ck_assert_int_eq(kube_json_decode(json, node_table, &root, &arena, &err), KUBE_E_LIMIT);
	ck_assert_int_eq(strncmp(err.message, "children[0].children[0].", 24), 0);
	cJSON_Delete(json);
	kube_arena_finish(&arena);
}
END_TEST

struct loose {
	struct kube_strmap map;
	struct kube_strlist strings;
	struct {
		struct patch *items;
		size_t count;
	} patches;
	int64_t number, time_ms;
	struct kube_optional_int code, none;
	struct job *maybe;
};

#define LOOSE(member, its_type) \
	.name = #member, .type = (its_type), .offset = offsetof(struct loose, member), .lenient = true
static const struct kube_json_field loose_table[] = {
    {LOOSE(map, KUBE_JSON_STRMAP)},
    {LOOSE(strings, KUBE_JSON_STRLIST)},
    {LOOSE(patches, KUBE_JSON_LIST), .table = patch_table, .size = sizeof(struct patch)},
    {LOOSE(number, KUBE_JSON_INT)},
    {LOOSE(time_ms, KUBE_JSON_TIME)},
    {LOOSE(code, KUBE_JSON_OPTIONAL_INT)},
    {LOOSE(none, KUBE_JSON_OPTIONAL_INT)},
    {LOOSE(maybe, KUBE_JSON_POINTER), .table = job_table, .size = sizeof(struct job)},
    KUBE_JSON_END,
};

START_TEST(lenient_members_overlook_what_does_not_fit)
{
	static const char text[] =
	    "{\"map\":{\"a\":7,\"b\":null,\"c\":{},\"d\":\"kept\"},\"strings\":[7,\"kept\",null],"
	    "\"patches\":[null,{\"name\":\"kept\"},{},7],\"number\":\"x\",\"time_ms\":\"x\",\"code\":0,\"none\":\"0\","
	    "\"maybe\":[]}";
	_cleanup_json_ cJSON *json = NULL, *other = NULL;
	struct kube_arena arena = {0};
	struct loose loose = {0}, wrong = {0};

	ck_assert_int_eq(kube_json_parse(text, strlen(text), &json, NULL), 0);
	ck_assert_int_eq(kube_json_decode(json, loose_table, &loose, &arena, NULL), 0);
	ck_assert_uint_eq(loose.map.count, 1);
	ck_assert_str_eq(kube_strmap_get(&loose.map, "d"), "kept");
	ck_assert_uint_eq(loose.strings.count, 3);
	ck_assert_ptr_null(loose.strings.items[0]);
	ck_assert_str_eq(loose.strings.items[1], "kept");
	ck_assert_uint_eq(loose.patches.count, 4);
	ck_assert_ptr_null(loose.patches.items[0].name);
	ck_assert_str_eq(loose.patches.items[1].name, "kept");
	ck_assert_ptr_null(loose.patches.items[2].name);
	ck_assert_int_eq(loose.number + loose.time_ms, 0);
	ck_assert(loose.code.set && !loose.none.set);
	ck_assert_ptr_null(loose.maybe);
	other = cJSON_Parse("{\"map\":[],\"strings\":\"x\",\"patches\":{}}");
	ck_assert_int_eq(kube_json_decode(other, loose_table, &wrong, &arena, NULL), 0);
	ck_assert_uint_eq(wrong.map.count + wrong.strings.count + wrong.patches.count, 0);
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("json_decode", every_type_is_decoded, absent_and_null_leave_the_fields_alone, empty_lists_and_null_values,
           errors_name_the_path, numbers_are_exact_or_refused, int_or_string, lists_have_a_maximum,
           a_full_arena_is_out_of_memory, what_is_decoded_outlives_the_document,
           a_table_that_names_itself_stops_at_the_maximum_depth, lenient_members_overlook_what_does_not_fit)
