/* YAML as JSON: what a text means, and what is refused. */
#include "lib/auth/yaml.h"
#include "test/unit/check_main.h"

#include <kube/json.h>
#include <kube/mem.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *yaml, *json;
} good[] = {
    {"", "null"},
    {"# only a comment\n", "null"},
    {"---\n", "null"},
    {"a: b\n", "{\"a\":\"b\"}"},
    {"{\"a\": [1, true, null, \"x\"]}", "{\"a\":[1,true,null,\"x\"]}"},
    {"a:\n- b: 1\n  c: [x, y]\n- {}\n", "{\"a\":[{\"b\":1,\"c\":[\"x\",\"y\"]},{}]}"},
    {"a: 'true'\nb: \"12\"\nc: !!str 12\nd: ! 12\n", "{\"a\":\"true\",\"b\":\"12\",\"c\":\"12\",\"d\":\"12\"}"},
    {"a: yes\nb: on\nc: True\nd: NULL\n", "{\"a\":\"yes\",\"b\":\"on\",\"c\":\"True\",\"d\":\"NULL\"}"},
    {"a: ~\nb: null\nc:\nd: true\ne: false\n", "{\"a\":null,\"b\":null,\"c\":null,\"d\":true,\"e\":false}"},
    {"a: 0\nb: -1.5\nc: 2e3\nd: 0.5\n", "{\"a\":0,\"b\":-1.5,\"c\":2000,\"d\":0.5}"},
    {"a: 012\nb: 0x1f\nc: 1.\nd: .5\ne: 1e\nf: +\ng: .inf\nh: 1_0\n",
     "{\"a\":\"012\",\"b\":\"0x1f\",\"c\":\"1.\",\"d\":\".5\",\"e\":\"1e\",\"f\":\"+\",\"g\":\".inf\",\"h\":\"1_0\"}"},
    {"a: |\n  two\n  lines\nb: >-\n  one\n  line\n", "{\"a\":\"two\\nlines\\n\",\"b\":\"one line\"}"},
    {"1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}"},
    {"a: &anchor b\n", "{\"a\":\"b\"}"},
    {"a: \"\\u00e4\\t\"\n", "{\"a\":\"\xc3\xa4\\t\"}"},
    {"--- \na: b\n...\n", "{\"a\":\"b\"}"},
    {"<<: {a: b}\n", "{\"<<\":{\"a\":\"b\"}}"},
};

START_TEST(reads)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(good); i++) {
		_cleanup_json_ cJSON *json = NULL;
		struct kube_err err;
		int rc = kube_yaml_parse(good[i].yaml, strlen(good[i].yaml), &json, &err);
		ck_assert_msg(rc == 0, "%s: %s", good[i].yaml, err.message);
		_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
		ck_assert_str_eq(text, good[i].json);
	}
}
END_TEST

static const struct {
	const char *yaml, *says;
} bad[] = {
    {"a: &x [1]\nb: *x\n", "line 2: aliases"},
    {"a: b\na: c\n", "line 2: the key \"a\" occurs twice"},
    {"a: b\n---\nc: d\n", "only one document"},
    {"a\n---\nb\n", "only one document"},
    {"a: !!binary aGk=\n", "line 1: tags"},
    {"a: !custom {}\n", "line 1: tags"},
    {"a: !!set []\n", "line 1: tags"},
    {"? [a]\n: b\n", "line 1: a key"},
    {"\n\na: \"\\0\"\n", "line 3: a string contains a NUL"},
    {"\"a\\0b\": c\n", "a key contains a NUL"},
    {"a: [1, 2\n", "line "},
    {"a: b: c\n", "line 1: "},
    {"a:\n\t- b\n", "line 2: "},
    {"a: \"unfinished\n", "line "},
    {"a: \xff\xfe\n", "byte "},
    {"a: \x01\n", "byte "},
    {"*x", "aliases"},
    {"%TAG\n", "line "},
};

START_TEST(refuses)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad); i++) {
		cJSON *json = NULL;
		struct kube_err err;
		kube_err_reset(&err);
		int rc = kube_yaml_parse(bad[i].yaml, strlen(bad[i].yaml), &json, &err);
		ck_assert_msg(rc == KUBE_E_PARSE, "%s: %d", bad[i].yaml, rc);
		ck_assert_msg(strstr(err.message, bad[i].says) != NULL, "%s: %s", bad[i].yaml, err.message);
		ck_assert_ptr_null(json);
	}
}
END_TEST

/* prefix, then count times unit, then suffix. */
static char *repeat(const char *prefix, const char *unit, int count, const char *suffix)
{
	size_t len = strlen(prefix) + strlen(unit) * (size_t)count + strlen(suffix) + 1;
	char *text = malloc(len), *at = stpcpy(text, prefix);
	for (int i = 0; i < count; i++)
		at = stpcpy(at, unit);
	stpcpy(at, suffix);
	return text;
}

static int parse(const char *text)
{
	_cleanup_json_ cJSON *json = NULL;
	return kube_yaml_parse(text, strlen(text), &json, NULL);
}

START_TEST(is_bounded)
{
	_cleanup_free_ char *deep = repeat("", "[", KUBE_JSON_MAX_DEPTH + 1, "");
	_cleanup_free_ char *closing = repeat("", "]", KUBE_JSON_MAX_DEPTH, "");
	_cleanup_free_ char *deepest = repeat("", "[", KUBE_JSON_MAX_DEPTH, closing);
	_cleanup_free_ char *many = repeat("[", "1,", KUBE_YAML_MAX_NODES, "]");
	_cleanup_free_ char *most = repeat("[", "1,", KUBE_YAML_MAX_NODES - 1, "]");
	_cleanup_free_ char *large = repeat("#", "x", (int)KUBE_YAML_MAX_BYTES, "");
	ck_assert_int_eq(parse(deep), KUBE_E_LIMIT);
	ck_assert_int_eq(parse(deepest), 0);
	ck_assert_int_eq(parse(many), KUBE_E_LIMIT);
	ck_assert_int_eq(parse(most), 0);
	ck_assert_int_eq(parse(large), KUBE_E_LIMIT);
}
END_TEST

START_TEST(bounds_members)
{
	char text[20 * (KUBE_YAML_MAX_MEMBERS + 1)], *at = text;
	for (int i = 0; i < KUBE_YAML_MAX_MEMBERS; i++)
		at += sprintf(at, "k%d: v\n", i);
	ck_assert_int_eq(parse(text), 0);
	stpcpy(at, "more: v\n");
	ck_assert_int_eq(parse(text), KUBE_E_LIMIT);
}
END_TEST

CHECK_MAIN("yaml", reads, refuses, is_bounded, bounds_members)
