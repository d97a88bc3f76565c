#include "test/unit/check_main.h"
#include <errno.h>
#include <kube/json.h>
#include <stdio.h>
#include <string.h>

START_TEST(documents_are_parsed)
{
	static const char *const rows[] = {"{}",   "[]",  "null", "true", "1", "\"a\"", " {\"a\": [1, 2.5, -3e2]}\r\n\t ",
	                                   "\"\"", "[[]]"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_json_ cJSON *json = NULL;
		struct kube_err err = {0};
		ck_assert_msg(kube_json_parse(rows[i], strlen(rows[i]), &json, &err) == 0, "%s: %s", rows[i], err.message);
		ck_assert_ptr_nonnull(json);
	}
}
END_TEST

START_TEST(bad_documents_are_refused_with_a_position)
{
#define ROW(text, position) \
	{ \
		text, sizeof(text) - 1, position \
	}
	static const struct {
		const char *text;
		size_t len;
		const char *position;
	} rows[] = {
	    ROW("", "byte 0 "),
	    ROW("{", "byte "),
	    ROW("[1,", "byte "),
	    ROW("{\"a\":}", "byte 5 "),
	    ROW("[1 2]", "byte 3 "),
	    ROW("{} x", "byte 3 "),
	    ROW("{}{}", "byte 2 "),
	    ROW("1 \x01", "byte 2 "),
	    ROW("\"abc", "byte "),
	    ROW("\"a\\", "byte "),
	    ROW("\"a\\x\"", "byte "),
	    ROW("tru", "byte 0 "),
	    ROW("{a:1}", "byte "),
	    ROW("{}\0", "NUL at byte 2 "),
	    ROW("\0{}", "NUL at byte 0 "),
	    ROW("{\"a\0b\":1}", "NUL at byte 3 "),
	    ROW("[\"a\\\0\"]", "byte "),
	    ROW("]", "byte 0 "),
	};
#undef ROW

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		/* A copy of exactly this size, so that valgrind and ASan see a read beyond it. */
		_cleanup_free_ char *text = malloc(rows[i].len + (rows[i].len == 0));
		memcpy(text, rows[i].text, rows[i].len);
		cJSON *json = NULL;
		struct kube_err err = {0};
		ck_assert_msg(kube_json_parse(text, rows[i].len, &json, &err) == KUBE_E_PARSE, "row %zu", i);
		ck_assert_ptr_null(json);
		ck_assert_int_eq(err.code, KUBE_E_PARSE);
		ck_assert_msg(strstr(err.message, rows[i].position) != NULL, "row %zu: %s", i, err.message);
		ck_assert_int_eq(kube_json_parse(text, rows[i].len, &json, NULL), KUBE_E_PARSE);
	}
}
END_TEST

/* unit is repeated count times; what it opens is closed by end, count times too, unless that is NULL. */
static int parse_repeated(const char *unit, size_t count, const char *middle, const char *end)
{
	struct kube_buf buf;
	cJSON *json = NULL;

	kube_buf_init(&buf, 64 << 20);
	for (size_t i = 0; i < count; i++)
		kube_buf_adds(&buf, unit);
	kube_buf_adds(&buf, middle);
	for (size_t i = 0; end && i < count; i++)
		kube_buf_adds(&buf, end);
	ck_assert(!buf.failed);
	int rc = kube_json_parse(buf.data, buf.len, &json, NULL);
	cJSON_Delete(json);
	kube_buf_finish(&buf);
	return rc;
}

START_TEST(the_depth_is_limited)
{
	static const struct {
		const char *unit;
		size_t count;
		const char *middle, *end;
		int rc;
	} rows[] = {
	    {"[", KUBE_JSON_MAX_DEPTH, "", "]", 0},
	    {"[", KUBE_JSON_MAX_DEPTH + 1, "", "]", KUBE_E_LIMIT},
	    {"{\"a\":", KUBE_JSON_MAX_DEPTH, "1", "}", 0},
	    {"{\"a\":", KUBE_JSON_MAX_DEPTH + 1, "1", "}", KUBE_E_LIMIT},
	    {"[{\"a\":", KUBE_JSON_MAX_DEPTH / 2, "1", "}]", 0},
	    {"[{\"a\":", KUBE_JSON_MAX_DEPTH / 2, "[]", "}]", KUBE_E_LIMIT},
	    {"[", 5000000, "", NULL, KUBE_E_LIMIT}, /* would end the stack of a parser that recurses */
	    {"]", 1000, "[", NULL, KUBE_E_PARSE},   /* closing first gives no credit… */
	    {"]", 1000, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", NULL, KUBE_E_LIMIT},
	    {"", 1, "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"", NULL, 0},
	    {"", 1, "\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"", NULL, 0},
	    {"", 1, "[\"\\\\\",[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", NULL, KUBE_E_LIMIT},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int rc = parse_repeated(rows[i].unit, rows[i].count, rows[i].middle, rows[i].end);
		ck_assert_msg(rc == rows[i].rc, "row %zu: %d", i, rc);
	}
}
END_TEST

START_TEST(an_escaped_nul_does_not_end_a_string)
{
	static const struct {
		const char *json, *key, *value;
	} rows[] = {
	    {"{\"a\":\"x\\u0000y\"}", "a", "x\xEF\xBF\xBDy"},
	    {"{\"a\":\"\\u0000\"}", "a", "\xEF\xBF\xBD"},
	    {"{\"a\\u0000b\":\"v\"}",
	     "a\xEF\xBF\xBD"
	     "b",
	     "v"},
	    {"{\"a\":\"\\\\u0000\"}", "a", "\\u0000"}, /* an escaped backslash, then plain letters */
	    {"{\"a\":\"\\\\\\u0000\\u0000\"}", "a", "\\\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {"{\"a\":\"\\\\u0000\\u0000\"}", "a", "\\u0000\xEF\xBF\xBD"},
	    {"{\"a\":\"\\u00001\\u0001\"}", "a",
	     "\xEF\xBF\xBD"
	     "1\x01"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_json_ cJSON *json = NULL;
		ck_assert_int_eq(kube_json_parse(rows[i].json, strlen(rows[i].json), &json, NULL), 0);
		ck_assert_str_eq(json->child->string, rows[i].key);
		ck_assert_str_eq(json->child->valuestring, rows[i].value);
	}
}
END_TEST

static int allocations_left;

static void *failing_malloc(size_t size)
{
	if (allocations_left-- > 0)
		return malloc(size);
	errno = ENOMEM; /* as malloc() does */
	return NULL;
}

START_TEST(running_out_of_memory_is_told_from_a_bad_document)
{
	static const char text[] = "{\"a\":[1,\"two\",{\"b\":\"x\"}]}";
	int fails = 0;

	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = failing_malloc, .free_fn = free});
	for (;; fails++) {
		cJSON *json = NULL;
		struct kube_err err = {0};
		allocations_left = fails;
		int rc = kube_json_parse(text, sizeof(text) - 1, &json, &err);
		if (rc == 0) {
			cJSON_Delete(json);
			break;
		}
		ck_assert_int_eq(rc, KUBE_E_NOMEM);
		ck_assert_int_eq(err.code, KUBE_E_NOMEM);
		ck_assert_ptr_null(json);
	}
	cJSON_InitHooks(NULL);
	ck_assert_int_ge(fails, 8); /* one for each of its values and strings at least */
}
END_TEST

START_TEST(paths)
{
	static const char text[] = "{\"metadata\":{\"name\":\"n\",\"uid\":null,\"count\":3,\"na\":\"short\"},"
	                           "\"list\":[{\"name\":\"no\"}],\"\":{\"\":\"empty\"}}";
	static const struct {
		const char *path, *string;
		bool there;
	} rows[] = {
	    {"metadata.name", "n", true},    {"metadata.na", "short", true}, {"metadata.n", NULL, false},
	    {"metadata.names", NULL, false}, {"Metadata.name", NULL, false}, {"metadata.uid", NULL, false},
	    {"metadata.uid.x", NULL, false}, {"metadata.count", NULL, true}, {"metadata.name.x", NULL, false},
	    {"metadata", NULL, true},        {"list", NULL, true},           {"list.name", NULL, false},
	    {"nothing.at.all", NULL, false}, {".", "empty", true},           {"metadata.", NULL, false},
	};
	_cleanup_json_ cJSON *json = NULL;

	ck_assert_int_eq(kube_json_parse(text, sizeof(text) - 1, &json, NULL), 0);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		const char *string = kube_json_str(json, rows[i].path);
		ck_assert_msg((kube_json_get(json, rows[i].path) != NULL) == rows[i].there, "%s", rows[i].path);
		ck_assert_msg(rows[i].string ? string && strcmp(string, rows[i].string) == 0 : !string, "%s", rows[i].path);
	}
	ck_assert_ptr_null(kube_json_get(NULL, "a"));
	ck_assert_ptr_null(kube_json_str(NULL, "a"));
}
END_TEST

START_TEST(canonical_form)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"{}", "{}"},
	    {" [ ] ", "[]"},
	    {"{\"b\": 1, \"a\": 2}", "{\"a\":2,\"b\":1}"},
	    {"{\"b\": {\"d\": 1, \"c\": [ {\"z\":1, \"y\":2}, 3 ] }, \"B\": null, \"a\": true}",
	     "{\"B\":null,\"a\":true,\"b\":{\"c\":[{\"y\":2,\"z\":1},3],\"d\":1}}"},
	    {"[3, 1, 2]", "[3,1,2]"}, /* the order of a list means something */
	    {"{\"aa\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"aa\":1}"},
	    {"[1.0, 1.50, 1e3, \"\\u0041\\n\"]", "[1,1.5,1000,\"A\\n\"]"},
	    {"{\"c\":1,\"b\":2,\"a\":3,\"e\":4,\"d\":5}", "{\"a\":3,\"b\":2,\"c\":1,\"d\":5,\"e\":4}"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_json_ cJSON *json = NULL, *again = NULL;
		ck_assert_int_eq(kube_json_parse(rows[i].in, strlen(rows[i].in), &json, NULL), 0);
		_cleanup_free_ char *before = cJSON_PrintUnformatted(json);
		_cleanup_free_ char *text = kube_json_canonical(json);
		ck_assert_str_eq(text, rows[i].out);
		_cleanup_free_ char *after = cJSON_PrintUnformatted(json);
		ck_assert_str_eq(before, after); /* the document itself is left as it was */
		ck_assert_int_eq(kube_json_parse(text, strlen(text), &again, NULL), 0);
		_cleanup_free_ char *twice = kube_json_canonical(again);
		ck_assert_str_eq(twice, text);
	}
	ck_assert_ptr_null(kube_json_canonical(NULL));
}
END_TEST

/* Hashes rest on this form: numbers and texts stay as cJSON prints them. */
START_TEST(canonical_numbers_and_texts_are_those_of_the_printer)
{
	static const double numbers[] = {0,
	                                 -0.0,
	                                 1,
	                                 -1,
	                                 0.1,
	                                 -2.5,
	                                 1e-9,
	                                 123456789,
	                                 2147483647,
	                                 2147483648.0,
	                                 -2147483649.0,
	                                 1767225600123.0,
	                                 999999999999999.0,
	                                 1e15,
	                                 1e15 + 1,
	                                 -1e15,
	                                 9007199254740993.0,
	                                 1e21,
	                                 1e300,
	                                 1.0 / 3};
	char text[256] = "";

	for (size_t i = 0; i < KUBE_ARRAY_LEN(numbers); i++) {
		_cleanup_json_ cJSON *json = cJSON_CreateNumber(numbers[i]);
		_cleanup_free_ char *printed = cJSON_PrintUnformatted(json);
		_cleanup_free_ char *canonical = kube_json_canonical(json);
		ck_assert_str_eq(canonical, printed);
	}
	for (int c = 1; c < 256; c++)
		text[c - 1] = (char)c;
	_cleanup_json_ cJSON *json = cJSON_CreateString(text);
	_cleanup_free_ char *printed = cJSON_PrintUnformatted(json);
	_cleanup_free_ char *canonical = kube_json_canonical(json);
	ck_assert_str_eq(canonical, printed);
}
END_TEST

START_TEST(canonical_form_of_many_members)
{
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	char name[16];

	for (int i = 99; i >= 0; i--) {
		snprintf(name, sizeof(name), "m%02d", i);
		cJSON_AddNumberToObject(json, name, i);
	}
	_cleanup_free_ char *canonical = kube_json_canonical(json);
	ck_assert_int_eq(strncmp(canonical, "{\"m00\":0,\"m01\":1,", 17), 0);
	ck_assert_ptr_nonnull(strstr(canonical, ",\"m98\":98,\"m99\":99}"));
}
END_TEST

START_TEST(maps_are_searched_by_key)
{
	struct kube_str_pair pairs[] = {{"a", "1"}, {"b", ""}};
	const struct kube_strmap map = {.items = pairs, .count = 2}, empty = {0};

	ck_assert_str_eq(kube_strmap_get(&map, "a"), "1");
	ck_assert_str_eq(kube_strmap_get(&map, "b"), "");
	ck_assert_ptr_null(kube_strmap_get(&map, "c"));
	ck_assert_ptr_null(kube_strmap_get(&empty, "a"));
}
END_TEST

CHECK_MAIN("json_text", documents_are_parsed, bad_documents_are_refused_with_a_position, the_depth_is_limited,
           an_escaped_nul_does_not_end_a_string, running_out_of_memory_is_told_from_a_bad_document, paths,
           canonical_form, canonical_numbers_and_texts_are_those_of_the_printer, canonical_form_of_many_members,
           maps_are_searched_by_key)
