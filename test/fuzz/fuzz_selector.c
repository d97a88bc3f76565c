/* Two lines of JSON: a label selector, and the labels that it is held against. */
#include "test/fuzz/fuzz.h"

#include <kube/selector.h>

static void use(const struct kube_selector *selector, const struct kube_strmap *labels)
{
	static const size_t sizes[] = {1, 2, 30, 4096};
	struct kube_err err = {0};
	char text[4096];

	int code = kube_selector_check(selector, &err);
	REQUIRE(code == err.code);
	bool matches = kube_selector_matches(selector, labels);
	REQUIRE(matches || !kube_selector_empty(selector));
	for (size_t i = 0; i < KUBE_ARRAY_LEN(sizes); i++)
		REQUIRE(strlen(kube_selector_format(selector, text, sizes[i])) < sizes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kube_json_field table[] = {{.name = "labels", .type = KUBE_JSON_STRMAP}, KUBE_JSON_END};
	char *first = fuzz_cut(&data, &size, '\n'), *second = fuzz_cut(&data, &size, '\n');
	struct kube_arena arena = {0};
	struct kube_selector selector = {.match_labels.count = 0};
	struct kube_strmap labels = {.count = 0};
	cJSON *json = NULL, *labels_json = NULL;

	if (kube_json_parse(first, strlen(first), &json, NULL) == 0 &&
	    kube_json_decode(json, kube_selector_table, &selector, &arena, NULL) == 0 &&
	    (kube_json_parse(second, strlen(second), &labels_json, NULL) != 0 ||
	     kube_json_decode(labels_json, table, &labels, &arena, NULL) == 0))
		use(&selector, &labels);
	cJSON_Delete(json);
	cJSON_Delete(labels_json);
	kube_arena_finish(&arena);
	free(first);
	free(second);
	return 0;
}
