/* spec.drain: what is decoded, and what no schema refuses. */
#include "controller/model/drain.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <stdio.h>

#define SECOND INT64_C(1000)

static int decode(const char *quoted, struct drain_rules *drain, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = json_of(quoted);
	*drain = drain_defaults();
	return kube_json_decode(json, drain_table, drain, arena, err);
}

START_TEST(defaults)
{
	struct kube_arena arena = {0};
	struct drain_rules drain;

	ck_assert_int_eq(decode("{}", &drain, &arena, NULL), 0);
	ck_assert(drain.enabled && !drain.delete_empty_dir_data);
	ck_assert_int_eq(drain.timeout_ms, 900 * SECOND);
	ck_assert_int_eq(drain.on_timeout, DRAIN_ABORT);
	ck_assert_int_eq(drain.grace_period_s, -1);
	ck_assert_int_eq(drain.parallelism, 10);
	ck_assert_ptr_null(drain.pod_selector);
	ck_assert_int_eq(drain.unmanaged_pods, UNMANAGED_BLOCK);
	ck_assert_int_eq(drain.wait_for_jobs_ms, 0);
	ck_assert_int_eq(drain.skip_wait_ms, 0);
	ck_assert_int_eq(drain.local_volumes, LOCAL_VOLUMES_BLOCK);
	ck_assert(drain.wait_for_detach);
	ck_assert_uint_eq(drain.order.count, 0);
	ck_assert_int_eq(drain_check(&drain, NULL), 0);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(every_member)
{
	struct kube_arena arena = {0};
	struct drain_rules drain;
	int rc = decode("{'enabled':false,'timeout':'1h','onTimeout':'Quarantine','gracePeriodSeconds':0,'parallelism':100,"
	                "'podSelector':{'matchLabels':{'a':'b'}},'deleteEmptyDirData':true,'unmanagedPods':'Delete',"
	                "'localVolumes':'Delete','waitForVolumeDetach':false,'waitForJobs':'30m','skipWaitForDeleteTimeout'"
	                ":'90s','order':[{'name':'apps','selector':{"
	                "'matchExpressions':[{'key':'tier','operator':'Exists'}]}},{'name':'rest','selector':{}}]}",
	                &drain, &arena, NULL);

	ck_assert_int_eq(rc, 0);
	ck_assert(!drain.enabled && drain.delete_empty_dir_data);
	ck_assert_int_eq(drain.timeout_ms, 3600 * SECOND);
	ck_assert_int_eq(drain.on_timeout, DRAIN_QUARANTINE);
	ck_assert_int_eq(drain.grace_period_s, 0);
	ck_assert_int_eq(drain.parallelism, 100);
	ck_assert_str_eq(drain.pod_selector->match_labels.items[0].value, "b");
	ck_assert_int_eq(drain.unmanaged_pods, UNMANAGED_DELETE);
	ck_assert_int_eq(drain.wait_for_jobs_ms, 1800 * SECOND);
	ck_assert_int_eq(drain.skip_wait_ms, 90 * SECOND);
	ck_assert_int_eq(drain.local_volumes, LOCAL_VOLUMES_DELETE);
	ck_assert(!drain.wait_for_detach);
	ck_assert_uint_eq(drain.order.count, 2);
	ck_assert_str_eq(drain.order.items[0].name, "apps");
	ck_assert_uint_eq(drain.order.items[0].selector.match_expressions.count, 1);
	ck_assert(kube_selector_empty(&drain.order.items[1].selector));
	ck_assert_int_eq(drain_check(&drain, NULL), 0);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(answers)
{
	for (int i = 0; drain_timeout_names[i]; i++) {
		struct kube_arena arena = {0};
		struct drain_rules drain;
		char text[64];

		snprintf(text, sizeof(text), "{'onTimeout':'%s'}", drain_timeout_names[i]);
		ck_assert_int_eq(decode(text, &drain, &arena, NULL), 0);
		ck_assert_int_eq(drain.on_timeout, i);
		kube_arena_finish(&arena);
	}
}
END_TEST

#define GROUP(name) "{'name':'" name "','selector':{'matchLabels':{'a':'b'}}}"

START_TEST(wrong_ones)
{
	static const struct {
		const char *drain, *hint; /* hint NULL: it is right */
	} cases[] = {
	    {"{'podSelector':{}}", "podSelector is empty; leave it out"},
	    {"{'podSelector':{'matchLabels':{'-':'b'}}}", "spec.drain.podSelector: "},
	    {"{'order':[" GROUP("a") "," GROUP("a") "]}", "order[1].name: \"a\" stands there twice"},
	    {"{'order':[{'name':'a','selector':{}},{'name':'b','selector':{}}]}", "two groups have an empty selector"},
	    {"{'order':[{'name':'a','selector':{'matchExpressions':[{'key':'a','operator':'In'}]}}]}",
	     "spec.drain.order[0]: "},
	    {"{'waitForJobs':'15m'}", "waitForJobs: the drain would be out of time (15m) before the Jobs are (15m)"},
	    {"{'waitForJobs':'15m','timeout':'16m'}", NULL},
	    {"{'gracePeriodSeconds':900}", "gracePeriodSeconds: the drain would be out of time"},
	    {"{'gracePeriodSeconds':899}", NULL},
	    {"{'gracePeriodSeconds':0,'timeout':'1s'}", NULL},
	    {"{'order':[" GROUP("a") "," GROUP("b") "]}", NULL},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct kube_err err = {0};
		struct drain_rules drain;

		ck_assert_int_eq(decode(cases[i].drain, &drain, &arena, &err), 0);
		int rc = drain_check(&drain, &err);
		ck_assert_msg((rc != 0) == (cases[i].hint != NULL), "%s: %d", cases[i].drain, rc);
		if (cases[i].hint)
			ck_assert_msg(strstr(err.message, cases[i].hint) != NULL, "%s: %s", cases[i].drain, err.message);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(too_many_groups)
{
	static struct drain_group groups[MAX_DRAIN_GROUPS + 1];
	struct kube_str_pair pair = {"a", "b"};
	struct drain_rules drain = drain_defaults();
	char names[MAX_DRAIN_GROUPS + 1][8];

	for (size_t i = 0; i <= MAX_DRAIN_GROUPS; i++) {
		snprintf(names[i], sizeof(names[i]), "g%zu", i);
		groups[i] = (struct drain_group){.name = names[i], .selector.match_labels = {.items = &pair, .count = 1}};
	}
	drain.order.items = groups;
	drain.order.count = MAX_DRAIN_GROUPS;
	ck_assert_int_eq(drain_check(&drain, NULL), 0);
	drain.order.count++;
	ck_assert_int_eq(drain_check(&drain, NULL), KUBE_E_INVALID);
}
END_TEST

CHECK_MAIN("model/drain", defaults, every_member, answers, wrong_ones, too_many_groups)
