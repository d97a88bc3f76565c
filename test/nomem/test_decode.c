/* Documents of each kind, from the text to the projected object; selectors; canonical JSON. */
#include "controller/model/node.h"
#include "controller/model/pod.h"
#include "controller/model/rollout.h"
#include "test/nomem/sweep.h"

#include <kube/json.h>
#include <kube/resource.h>
#include <kube/selector.h>
#include <stdio.h>
#include <string.h>

#define CORPUS "test/fuzz/corpus/object/"

struct document {
	const char *file;
	const struct kube_projection *projection;
	char *text;
	size_t len;
};

/* The corpus's first byte says what it is. */
static void load(struct document *document)
{
	char path[256];

	snprintf(path, sizeof(path), CORPUS "%s", document->file);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s: run from the top of the tree", path);
	document->text = calloc(1, 65536);
	document->len = fread(document->text, 1, 65535, file) - 1;
	memmove(document->text, document->text + 1, document->len);
	fclose(file);
}

/* What could not be read for want of memory is not taken for what cannot be read at all. */
static void check(const struct kube_object *object, const cJSON *json)
{
	ck_assert_str_eq(object->name, kube_json_str(json, "metadata.name"));
	if (object->projection == &node_projection)
		ck_assert_ptr_nonnull(((const struct node *)object)->state);
	if (object->projection == &revision_projection)
		ck_assert_msg(!((const struct revision *)object)->data_error, "%s",
		              ((const struct revision *)object)->data_error);
}

static int decode(void *arg, struct kube_err *err)
{
	const struct document *document = arg;
	struct kube_object *object = NULL;
	cJSON *json = NULL;

	sweep_begin();
	int code = kube_json_parse(document->text, document->len, &json, err);
	if (!code)
		code = kube_object_decode(document->projection, json, &object, err);
	sweep_end();
	ck_assert(!code == (object != NULL));
	if (object)
		check(object, json);
	cJSON_Delete(json);
	kube_object_unref(object);
	return code;
}

START_TEST(objects)
{
	struct document documents[] = {
	    {"node", &node_projection, NULL, 0},
	    {"pod", &pod_projection, NULL, 0},
	    {"pdb", &pdb_projection, NULL, 0},
	    {"policy", &policy_projection, NULL, 0},
	    {"rollout", &rollout_projection, NULL, 0},
	    {"plan-page", &revision_projection, NULL, 0},
	    {"ledger-page", &revision_projection, NULL, 0},
	    {"report", &report_projection, NULL, 0},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(documents); i++) {
		load(&documents[i]);
		sweep(documents[i].file, decode, &documents[i]);
		free(documents[i].text);
	}
}
END_TEST

static int select_labels(void *arg, struct kube_err *err)
{
	static const char text[] =
	    "{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\","
	    "\"values\":[\"x\",\"y\"]},{\"key\":\"l\",\"operator\":\"DoesNotExist\"}]}";
	struct kube_selector selector = {.match_labels.count = 0};
	struct kube_arena arena = {0};
	cJSON *json = NULL;

	(void)arg;
	sweep_begin();
	int code = kube_json_parse(text, strlen(text), &json, err);
	if (!code)
		code = kube_json_decode(json, kube_selector_table, &selector, &arena, err);
	if (!code)
		code = kube_selector_check(&selector, err);
	sweep_end();
	ck_assert_uint_eq(code ? 2 : selector.match_expressions.count, 2);
	cJSON_Delete(json);
	kube_arena_finish(&arena);
	return code;
}

START_TEST(selectors)
{
	sweep("selector", select_labels, NULL);
}
END_TEST

static int write_canonical(void *arg, struct kube_err *err)
{
	static const char text[] = "{\"b\":[1,{\"d\":null,\"c\":\"\\u0000\"}],\"a\":1.5}";
	cJSON *json = NULL;
	char *out = NULL;

	(void)arg;
	sweep_begin();
	int code = kube_json_parse(text, strlen(text), &json, err);
	if (!code)
		out = kube_json_canonical(json);
	if (!code && !out)
		code = kube_fail(err, KUBE_E_NOMEM, "no text");
	sweep_end();
	if (out)
		ck_assert_str_eq(out, "{\"a\":1.5,\"b\":[1,{\"c\":\"\xEF\xBF\xBD\",\"d\":null}]}");
	cJSON_Delete(json);
	free(out);
	return code;
}

START_TEST(canonical)
{
	sweep("canonical JSON", write_canonical, NULL);
}
END_TEST

static int make_path(void *arg, struct kube_err *err)
{
	struct kube_buf path = {0};
	char *taken = NULL;

	(void)arg;
	kube_buf_init(&path, 4096);
	sweep_begin();
	int code = kube_resource_path(&path, &kube_pods, "a-namespace-with-a-long-name", "a-pod-with-a-rather-long-name-0",
	                              "eviction", err);
	if (!code)
		code = kube_buf_adds(&path, "?query=");
	if (!code)
		code = kube_buf_add_urlencoded(&path, "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789");
	if (!code && !(taken = kube_buf_take(&path)))
		code = KUBE_E_NOMEM;
	if (code)
		kube_fail(err, code, "no path");
	sweep_end();
	if (taken)
		ck_assert_ptr_nonnull(strstr(taken, "/eviction?query=0123456789%20"));
	free(taken);
	kube_buf_finish(&path);
	return code;
}

START_TEST(paths)
{
	sweep("path", make_path, NULL);
}
END_TEST

CHECK_MAIN("allocation failures: documents", objects, selectors, canonical, paths)
