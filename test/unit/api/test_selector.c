#include <kube/selector.h>

#include "test/unit/check_main.h"

#include <string.h>

/* Decodes the selector of a JSON text; its memory is the arena's. */
static int decode(const char *text, struct kube_selector *selector, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;
	ck_assert_int_eq(kube_json_parse(text, strlen(text), &json, err), 0);
	memset(selector, 0, sizeof(*selector));
	return kube_json_decode(json, kube_selector_table, selector, arena, err);
}

/* "a=1,b=2" as labels; text is cut up. */
static struct kube_strmap split_labels(char *text, struct kube_str_pair *pairs)
{
	struct kube_strmap labels = {.items = pairs};
	for (char *part = strtok(text, ","); part; part = strtok(NULL, ",")) {
		char *equal = strchr(part, '=');
		*equal = '\0';
		pairs[labels.count++] = (struct kube_str_pair){part, equal + 1};
	}
	return labels;
}

START_TEST(matching_follows_apimachinery)
{
	static const struct {
		const char *selector, *labels;
		bool want;
	} rows[] = {
	    {"{}", "", true},
	    {"{}", "a=1", true},
	    {"{\"matchLabels\":{\"a\":\"1\"}}", "a=1", true},
	    {"{\"matchLabels\":{\"a\":\"1\"}}", "a=2", false},
	    {"{\"matchLabels\":{\"a\":\"1\"}}", "b=1", false},
	    {"{\"matchLabels\":{\"a\":\"\"}}", "a=", true},
	    {"{\"matchLabels\":{\"a\":\"\"}}", "", false}, /* absent is not empty */
	    {"{\"matchLabels\":{\"a\":\"1\",\"b\":\"2\"}}", "b=2,a=1,c=3", true},
	    {"{\"matchLabels\":{\"a\":\"1\",\"b\":\"2\"}}", "a=1", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"1\",\"2\"]}]}", "a=2", true},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"1\",\"2\"]}]}", "a=3", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"1\",\"2\"]}]}", "b=1", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"\"]}]}", "", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"1\"]}]}", "a=1", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"1\"]}]}", "a=2", true},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"1\"]}]}", "b=1", true},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"1\"]}]}", "", true},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}", "a=", true},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}", "b=1", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"DoesNotExist\"}]}", "a=", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"DoesNotExist\"}]}", "b=1", true},
	    {"{\"matchLabels\":{\"a\":\"1\"},\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"Exists\"}]}", "a=1",
	     false},
	    {"{\"matchLabels\":{\"a\":\"1\"},\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"Exists\"}]}", "b=1",
	     false},
	    {"{\"matchLabels\":{\"a\":\"1\"},\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"Exists\"}]}", "a=1,b=1",
	     true},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"},{\"key\":\"a\",\"operator\":\"DoesNotExist\"}]"
	     "}",
	     "a=1", false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_(kube_arena_finish) struct kube_arena arena = {0};
		struct kube_selector selector;
		struct kube_str_pair pairs[8];
		char text[64];
		ck_assert_int_eq(decode(rows[i].selector, &selector, &arena, NULL), 0);
		ck_assert_int_eq(kube_selector_check(&selector, NULL), 0);
		strcpy(text, rows[i].labels);
		struct kube_strmap labels = split_labels(text, pairs);
		ck_assert_msg(kube_selector_matches(&selector, &labels) == rows[i].want, "%s on %s", rows[i].selector,
		              rows[i].labels);
	}
}
END_TEST

START_TEST(emptiness)
{
	static const struct {
		const char *selector;
		bool want;
	} rows[] = {
	    {"{}", true},
	    {"{\"matchLabels\":{},\"matchExpressions\":[]}", true},
	    {"{\"matchLabels\":null}", true},
	    {"{\"matchLabels\":{\"a\":\"\"}}", false},
	    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}", false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_(kube_arena_finish) struct kube_arena arena = {0};
		struct kube_selector selector;
		ck_assert_int_eq(decode(rows[i].selector, &selector, &arena, NULL), 0);
		ck_assert_msg(kube_selector_empty(&selector) == rows[i].want, "%s", rows[i].selector);
	}
}
END_TEST

START_TEST(unknown_or_missing_operators_do_not_decode)
{
	static const char *const rows[] = {
	    "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Equals\"}]}",
	    "{\"matchExpressions\":[{\"key\":\"a\"}]}",
	    "{\"matchExpressions\":[{\"operator\":\"Exists\"}]}",
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_(kube_arena_finish) struct kube_arena arena = {0};
		struct kube_selector selector;
		ck_assert_msg(decode(rows[i], &selector, &arena, NULL) == KUBE_E_PARSE, "%s", rows[i]);
	}
}
END_TEST

START_TEST(bad_selectors_are_named)
{
	static const struct {
		const char *selector, *message; /* a part of it; NULL: it is valid */
	} rows[] = {
	    {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\"}]}", "\"zone\": operator In needs"},
	    {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"NotIn\",\"values\":[]}]}",
	     "\"zone\": operator NotIn needs"},
	    {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"Exists\",\"values\":[\"a\"]}]}",
	     "\"zone\": operator Exists takes no values"},
	    {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"DoesNotExist\",\"values\":[\"a\"]}]}",
	     "\"zone\": operator DoesNotExist takes no values"},
	    {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\",\"values\":[\"ok\",\"a b\"]}]}", "\"a b\""},
	    {"{\"matchExpressions\":[{\"key\":\"\",\"operator\":\"Exists\"}]}", "\"\" is no label key"},
	    {"{\"matchLabels\":{\"a\":\"-x\"}}", "\"-x\" is no label value"},
	    {"{\"matchLabels\":{\"a\":\"x-\"}}", "\"x-\" is no label value"},
	    {"{\"matchLabels\":{\"-a\":\"x\"}}", "\"-a\" is no label key"},
	    {"{\"matchLabels\":{\"/a\":\"x\"}}", "\"/a\" is no label key"},
	    {"{\"matchLabels\":{\"b/\":\"x\"}}", "\"b/\" is no label key"},
	    {"{\"matchLabels\":{\"b/c/d\":\"x\"}}", "\"b/c/d\" is no label key"},
	    {"{\"matchLabels\":{\"Example.com/a\":\"x\"}}", "no label key"}, /* a prefix is a DNS subdomain */
	    {"{\"matchLabels\":{\"a..b/c\":\"x\"}}", "no label key"},
	    {"{\"matchLabels\":{\"a-.b/c\":\"x\"}}", "no label key"},
	    {"{\"matchLabels\":{\"a.-b/c\":\"x\"}}", "no label key"},
	    {"{\"matchLabels\":{\"a_b/c\":\"x\"}}", "no label key"},
	    {"{\"matchLabels\":{\"a234567890123456789012345678901234567890123456789012345678901234\":\"x\"}}",
	     "no label key"},
	    {"{\"matchLabels\":{\"a\":\"a234567890123456789012345678901234567890123456789012345678901234\"}}",
	     "no label value"},
	    {"{\"matchLabels\":{\"a\":\"a23456789012345678901234567890123456789012345678901234567890123\"}}", NULL},
	    {"{\"matchLabels\":{\"node-role.kubernetes.io/control-plane\":\"\",\"A_b.C\":\"v1.2_X\"}}", NULL},
	    {"{\"matchExpressions\":[{\"key\":\"a.b-c/d\",\"operator\":\"In\",\"values\":[\"\"]}]}", NULL},
	    {"{}", NULL},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_(kube_arena_finish) struct kube_arena arena = {0};
		struct kube_selector selector;
		struct kube_err err = {0};
		ck_assert_int_eq(decode(rows[i].selector, &selector, &arena, NULL), 0);
		ck_assert_msg(kube_selector_check(&selector, &err) == (rows[i].message ? KUBE_E_INVALID : 0), "%s",
		              rows[i].selector);
		if (rows[i].message)
			ck_assert_msg(strstr(err.message, rows[i].message) != NULL, "%s: %s", rows[i].selector, err.message);
	}
}
END_TEST

static const char all_forms[] =
    "{\"matchLabels\":{\"pool\":\"workers\",\"os\":\"linux\"},\"matchExpressions\":["
    "{\"key\":\"zone\",\"operator\":\"In\",\"values\":[\"a\",\"b\"]},{\"key\":\"gpu\",\"operator\":\"Exists\"},"
    "{\"key\":\"arch\",\"operator\":\"NotIn\",\"values\":[\"arm64\"]},{\"key\":\"old\",\"operator\":\"DoesNotExist\"}]"
    "}";
static const char all_forms_text[] = "pool=workers,os=linux,zone in (a,b),gpu,arch notin (arm64),!old";

START_TEST(formats_like_kubectl)
{
	_cleanup_(kube_arena_finish) struct kube_arena arena = {0};
	struct kube_selector selector;
	char out[128];
	ck_assert_int_eq(decode(all_forms, &selector, &arena, NULL), 0);
	ck_assert_str_eq(kube_selector_format(&selector, out, sizeof(out)), all_forms_text);
	ck_assert_int_eq(
	    decode("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}", &selector, &arena, NULL), 0);
	ck_assert_str_eq(kube_selector_format(&selector, out, sizeof(out)), "a");
	ck_assert_int_eq(decode("{}", &selector, &arena, NULL), 0);
	ck_assert_str_eq(kube_selector_format(&selector, out, sizeof(out)), "");
}
END_TEST

START_TEST(formats_are_cut_at_every_size)
{
	_cleanup_(kube_arena_finish) struct kube_arena arena = {0};
	struct kube_selector selector;
	ck_assert_int_eq(decode(all_forms, &selector, &arena, NULL), 0);
	for (size_t size = 0; size <= sizeof(all_forms_text); size++) {
		char out[sizeof(all_forms_text) + 1];
		memset(out, '#', sizeof(out));
		ck_assert_ptr_eq(kube_selector_format(&selector, out, size), out);
		ck_assert_int_eq(out[size], '#');
		if (size == 0)
			continue;
		ck_assert_uint_eq(strlen(out), size - 1);
		ck_assert_int_eq(strncmp(out, all_forms_text, size - 1), 0);
	}
}
END_TEST

CHECK_MAIN("selector", matching_follows_apimachinery, emptiness, unknown_or_missing_operators_do_not_decode,
           bad_selectors_are_named, formats_like_kubectl, formats_are_cut_at_every_size)
