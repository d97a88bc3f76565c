#include "test/unit/check_main.h"
#include "test/unit/status/wanted.h"

#define POLICY \
	"{'metadata':{'name':'p','uid':'u'},'spec':{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}}," \
	"'patches':[{'component':'Kubelet','version':'1','job':{'image':'i'}}]}}"

static struct policy *policy_with(const cJSON *status)
{
	_cleanup_json_ cJSON *json = json_of(POLICY);
	if (status)
		cJSON_AddItemToObject(json, "status", cJSON_Duplicate(status, true));
	return (struct policy *)object_of_json(&policy_projection, json);
}

static struct policy_wanted full(void)
{
	static struct version_count versions[] = {{COMPONENT_KUBELET, "1.34.1", 3}, {COMPONENT_KUBELET, "1.34.2", 5}};
	static struct condition conditions[] = {{"Ready", CONDITION_FALSE, "Outdated", "m", 0, 0},
	                                        {"Stalled", CONDITION_FALSE, "R", "", 0, 0}};
	static struct exception_status exceptions[] = {{"legacy-gpu", NOW + 3600000, 1}};
	struct policy_wanted wanted = {
	    .observed_generation = 4,
	    .conditions = {conditions, KUBE_ARRAY_LEN(conditions)},
	    .targets = {9, 5, 3, 1, 1},
	    .exceptions = {exceptions, KUBE_ARRAY_LEN(exceptions)},
	    .version = "1.34.2",
	    .progress = "5/8",
	    .current_rollout = "p-7c9f4",
	    .last_successful_json = "{\"name\":\"p-1\",\"duration\":\"1m\"}",
	    .next_window = {NOW + 3600000, NOW + 7200000, "night"},
	    .versions = {versions, 2},
	};
	return wanted;
}

static cJSON *compose_policy(const struct policy *policy, const struct policy_wanted *wanted, int64_t now)
{
	struct kube_arena arena = {0};
	struct kube_err err = {0};
	cJSON *status = NULL;
	int rc = policy_status_compose(policy, wanted, now, &arena, &status, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	kube_arena_finish(&arena);
	return status;
}

START_TEST(test_members)
{
	struct policy *policy = policy_with(NULL);
	const struct policy_wanted wanted = full();
	_cleanup_json_ cJSON *status = compose_policy(policy, &wanted, NOW);
	_cleanup_free_ char *text = kube_json_canonical(status);

	ck_assert_str_eq(text,
	                 "{\"conditions\":[{\"lastTransitionTime\":\"" NOW_TEXT
	                 "\",\"message\":\"m\",\"observedGeneration\":4,\"reason\":"
	                 "\"Outdated\",\"status\":\"False\",\"type\":\"Ready\"}],\"currentRollout\":\"p-7c9f4\","
	                 "\"exceptions\":[{\"expires\":\"2026-11-21T12:22:38Z\",\"name\":\"legacy-gpu\",\"nodes\":1}],"
	                 "\"lastSuccessfulRollout\":{"
	                 "\"duration\":\"1m\",\"name\":\"p-1\"},\"nextWindow\":{\"closes\":\"2026-11-21T13:22:38Z\","
	                 "\"name\":\"night\",\"opens\":\"2026-11-21T12:22:38Z\"},\"observedGeneration\":4,"
	                 "\"progress\":\"5/"
	                 "8\",\"targets\":{\"excepted\":1,\"outdated\":3,"
	                 "\"total\":9,\"unsupported\":1,\"upToDate\":5},\"version\":\"1.34.2\","
	                 "\"versions\":[{\"component\":\"Kubelet\","
	                 "\"count\":5,\"version\":"
	                 "\"1.34.2\"},{\"component\":\"Kubelet\",\"count\":3,\"version\":\"1.34.1\"}]}");
	kube_object_unref(&policy->object);
}
END_TEST

/* What was written once is right until something else is wanted, however late it is. */
START_TEST(test_nothing_to_write)
{
	struct policy *fresh = policy_with(NULL);
	struct policy_wanted wanted = full();
	_cleanup_json_ cJSON *status = compose_policy(fresh, &wanted, NOW);
	struct policy *policy = policy_with(status);

	ck_assert_ptr_null(compose_policy(policy, &wanted, NOW + 3600000));
	wanted.current_rollout = NULL;
	wanted.next_window.opens_ms = wanted.next_window.closes_ms = KUBE_TIME_NONE;
	_cleanup_json_ cJSON *next = compose_policy(policy, &wanted, NOW + 3600000);
	ck_assert_ptr_nonnull(next);
	ck_assert_ptr_null(kube_json_get(next, "currentRollout"));
	ck_assert_ptr_null(kube_json_get(next, "nextWindow"));
	ck_assert_str_eq(kube_json_str(cJSON_GetArrayItem(kube_json_get(next, "conditions"), 0), "lastTransitionTime"),
	                 NOW_TEXT);
	kube_object_unref(&fresh->object);
	kube_object_unref(&policy->object);
}
END_TEST

START_TEST(test_most_frequent_versions)
{
	struct version_count versions[60];
	struct kube_arena arena = {0};
	struct policy *policy = policy_with(NULL);
	struct policy_wanted wanted = full();

	for (int i = 0; i < 60; i++)
		versions[i] = (struct version_count){COMPONENT_KERNEL, kube_arena_printf(&arena, "6.1.%02d", i), i};
	wanted.versions.items = versions;
	wanted.versions.count = 60;
	_cleanup_json_ cJSON *status = compose_policy(policy, &wanted, NOW);
	const cJSON *list = kube_json_get(status, "versions");
	ck_assert_int_eq(cJSON_GetArraySize(list), 50);
	ck_assert_str_eq(kube_json_str(cJSON_GetArrayItem(list, 0), "version"), "6.1.59");
	ck_assert_str_eq(kube_json_str(cJSON_GetArrayItem(list, 49), "version"), "6.1.10");
	kube_object_unref(&policy->object);
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("policy status", test_members, test_nothing_to_write, test_most_frequent_versions)
