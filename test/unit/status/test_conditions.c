#include "controller/status/internal.h"
#include "test/unit/check_main.h"
#include "test/unit/status/wanted.h"

#include <stdio.h>

#define BEFORE (NOW - 60000)
#define BEFORE_TEXT "2026-11-21T11:21:38Z"

/* "Ready=True@time" for each, joined by blanks. */
static void write_list(const cJSON *list, char *out, size_t size)
{
	const cJSON *item;
	size_t len = 0;

	out[0] = '\0';
	cJSON_ArrayForEach (item, list)
		len += (size_t)snprintf(out + len, size - len, "%s%s=%s@%s", len ? " " : "", kube_json_str(item, "type"),
		                        kube_json_str(item, "status"), kube_json_str(item, "lastTransitionTime") + 14);
}

#define WANT(type, status) \
	{ \
		type, status, "R", "m", 0, 0 \
	}

START_TEST(test_merge)
{
	static const struct condition ready = {"Ready", CONDITION_FALSE, "A", "a", 1, BEFORE};
	static const struct condition healthy = {"Healthy", CONDITION_TRUE, "A", "a", 1, BEFORE};
	static const struct condition stalled = {"Stalled", CONDITION_TRUE, "A", "a", 1, BEFORE};
	static const struct condition reconciling = {"Reconciling", CONDITION_TRUE, "A", "a", 1, BEFORE};
	static const struct {
		const char *name;
		struct condition existing[3];
		size_t existing_count;
		struct condition wanted[3];
		size_t wanted_count;
		const char *expected;
	} cases[] = {
	    {"new ones in the wanted order",
	     {{0}},
	     0,
	     {WANT("Ready", CONDITION_FALSE), WANT("Healthy", CONDITION_UNKNOWN)},
	     2,
	     "Ready=False@22:38Z Healthy=Unknown@22:38Z"},
	    {"the same status keeps its time, whatever the reason",
	     {ready},
	     1,
	     {WANT("Ready", CONDITION_FALSE)},
	     1,
	     "Ready=False@21:38Z"},
	    {"another status moves it",
	     {ready, healthy},
	     2,
	     {WANT("Ready", CONDITION_TRUE), WANT("Healthy", CONDITION_TRUE)},
	     2,
	     "Ready=True@22:38Z Healthy=True@21:38Z"},
	    {"False to Unknown is a transition", {ready}, 1, {WANT("Ready", CONDITION_UNKNOWN)}, 1, "Ready=Unknown@22:38Z"},
	    {"the order is that of the object",
	     {healthy, ready},
	     2,
	     {WANT("Ready", CONDITION_FALSE), WANT("Drifted", CONDITION_TRUE), WANT("Healthy", CONDITION_TRUE)},
	     3,
	     "Healthy=True@21:38Z Ready=False@21:38Z Drifted=True@22:38Z"},
	    {"what is no longer wanted vanishes",
	     {ready, stalled, healthy},
	     3,
	     {WANT("Ready", CONDITION_FALSE)},
	     1,
	     "Ready=False@21:38Z"},
	    {"Stalled that is False is not there",
	     {stalled},
	     1,
	     {WANT("Stalled", CONDITION_FALSE), WANT("Ready", CONDITION_TRUE)},
	     2,
	     "Ready=True@22:38Z"},
	    {"Reconciling that is Unknown is not there", {{0}}, 0, {WANT("Reconciling", CONDITION_UNKNOWN)}, 1, ""},
	    {"Reconciling that is True is there",
	     {{0}},
	     0,
	     {WANT("Reconciling", CONDITION_TRUE)},
	     1,
	     "Reconciling=True@22:38Z"},
	    {"not beside Stalled",
	     {reconciling},
	     1,
	     {WANT("Reconciling", CONDITION_TRUE), WANT("Stalled", CONDITION_TRUE)},
	     2,
	     "Stalled=True@22:38Z"},
	    {"but again when that is over",
	     {stalled},
	     1,
	     {WANT("Reconciling", CONDITION_TRUE), WANT("Stalled", CONDITION_FALSE)},
	     2,
	     "Reconciling=True@22:38Z"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		char text[256];
		const struct conditions existing = {(struct condition *)cases[i].existing, cases[i].existing_count};
		const struct conditions wanted = {(struct condition *)cases[i].wanted, cases[i].wanted_count};
		_cleanup_json_ cJSON *list = conditions_json(&wanted, &existing, 7, NOW, 512);
		write_list(list, text, sizeof(text));
		ck_assert_msg(strcmp(text, cases[i].expected) == 0, "%s: %s", cases[i].name, text);
	}
}
END_TEST

START_TEST(test_members)
{
	struct kube_arena arena = {0};
	const struct conditions existing = {0};
	const char *text = text_of(&arena, 'm', 600);

	struct condition items[] = {
	    {"Ready", CONDITION_TRUE, "Succeeded", "all is well", 0, 0},
	    {"Healthy", CONDITION_TRUE, text, text, 0, 0},
	    {"RolledBack", CONDITION_FALSE, "R", NULL, 0, 0},
	};
	const struct conditions wanted = {items, KUBE_ARRAY_LEN(items)};
	_cleanup_json_ cJSON *list = conditions_json(&wanted, &existing, 7, NOW, 512);
	_cleanup_free_ char *first = kube_json_canonical(cJSON_GetArrayItem(list, 0));
	ck_assert_str_eq(first,
	                 "{\"lastTransitionTime\":\"" NOW_TEXT "\",\"message\":\"all is well\",\"observedGeneration\":7,"
	                 "\"reason\":\"Succeeded\",\"status\":\"True\",\"type\":\"Ready\"}");
	const cJSON *second = cJSON_GetArrayItem(list, 1);
	ck_assert_uint_eq(strlen(kube_json_str(second, "reason")), 64);
	ck_assert_uint_eq(strlen(kube_json_str(second, "message")), 512);
	ck_assert_str_eq(kube_json_str(cJSON_GetArrayItem(list, 2), "message"), "");
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("conditions", test_merge, test_members)
