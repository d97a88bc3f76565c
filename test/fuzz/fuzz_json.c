/* JSON texts: parsed, written canonically, decoded by a table that has every type. */
#include "test/fuzz/fuzz.h"

#include <kube/json.h>

struct everything {
	const char *string;
	bool boolean;
	int64_t number, time_ms, duration_ms;
	struct kube_intstr intstr;
	struct kube_strmap strmap;
	struct kube_strlist strlist;
	struct {
		const char *string;
	} object;
	struct everything *pointer;
	struct {
		struct everything *items;
		size_t count;
	} list;
	int word;
};

#define AT(member) offsetof(struct everything, member)
static const char *const words[] = {"", "In", "NotIn", NULL};
static const struct kube_json_field object_table[] = {
    {.name = "string", .type = KUBE_JSON_STRING, .offset = 0, .required = true},
    KUBE_JSON_END,
};
static const struct kube_json_field table[] = {
    {.name = "string", .type = KUBE_JSON_STRING, .offset = AT(string)},
    {.name = "boolean", .type = KUBE_JSON_BOOL, .offset = AT(boolean)},
    {.name = "number", .type = KUBE_JSON_INT, .offset = AT(number)},
    {.name = "time", .type = KUBE_JSON_TIME, .offset = AT(time_ms)},
    {.name = "duration", .type = KUBE_JSON_DURATION, .offset = AT(duration_ms)},
    {.name = "intstr", .type = KUBE_JSON_INTSTR, .offset = AT(intstr)},
    {.name = "strmap", .type = KUBE_JSON_STRMAP, .offset = AT(strmap)},
    {.name = "strlist", .type = KUBE_JSON_STRLIST, .offset = AT(strlist)},
    {.name = "object", .type = KUBE_JSON_OBJECT, .offset = AT(object), .table = object_table},
    {.name = "pointer",
     .type = KUBE_JSON_POINTER,
     .offset = AT(pointer),
     .table = table,
     .size = sizeof(struct everything)},
    {.name = "list", .type = KUBE_JSON_LIST, .offset = AT(list), .table = table, .size = sizeof(struct everything)},
    {.name = "word", .type = KUBE_JSON_ENUM, .offset = AT(word), .words = words},
    KUBE_JSON_END,
};

static size_t length(const struct everything *it)
{
	size_t len = (it->string ? strlen(it->string) : 0) + (it->object.string ? strlen(it->object.string) : 0);

	REQUIRE(it->word >= 0 && it->word < 3);
	for (size_t i = 0; i < it->strmap.count; i++)
		len += strlen(it->strmap.items[i].key) + strlen(it->strmap.items[i].value);
	for (size_t i = 0; i < it->strlist.count; i++)
		len += strlen(it->strlist.items[i]);
	for (size_t i = 0; i < it->list.count; i++)
		len += length(&it->list.items[i]);
	return len + (it->pointer ? length(it->pointer) : 0);
}

static void decode(const cJSON *json, size_t size)
{
	struct kube_arena arena = {0};
	struct everything it = {0};
	struct kube_err err = {0};

	int code = kube_json_decode(json, table, &it, &arena, &err);
	REQUIRE(code <= 0 && err.code == code && !*err.message == !code);
	if (!code)
		REQUIRE(length(&it) <= 3 * size); /* U+FFFD is longer than some of what it stands for */
	kube_arena_finish(&arena);
}

/* The same document, written once more, is the same text. */
static void rewrite(const cJSON *json)
{
	char *once = kube_json_canonical(json), *twice = NULL;
	cJSON *again = NULL;

	REQUIRE(once);
	REQUIRE(kube_json_parse(once, strlen(once), &again, NULL) == 0);
	twice = kube_json_canonical(again);
	REQUIRE(twice && strcmp(once, twice) == 0);
	cJSON_Delete(again);
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_err err = {0};
	cJSON *json = NULL;
	char *text = malloc(size ? size : 1); /* not terminated */

	REQUIRE(text);
	memcpy(text, data, size);
	int code = kube_json_parse(text, size, &json, &err);
	REQUIRE(!json == (code != 0) && err.code == code);
	if (!code) {
		decode(json, size);
		rewrite(json);
		kube_json_str(json, "a.b.c");
	}
	cJSON_Delete(json);
	free(text);
	return 0;
}
