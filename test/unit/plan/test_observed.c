/* Drift of one version, one patch, one node; the pieces that are tables. */
#include "controller/plan/step.h"
#include "test/unit/plan/world.h"

START_TEST(versions)
{
	static const struct {
		int component;
		const char *wanted, *shown;
		enum standing standing;
	} cases[] = {
	    {COMPONENT_CONTAINER_RUNTIME, "1.7.27", "containerd://1.6.20", STANDING_OUTDATED},
	    {COMPONENT_CONTAINER_RUNTIME, "1.7.27", "containerd://1.7.27", STANDING_UP_TO_DATE},
	    {COMPONENT_CONTAINER_RUNTIME, "1.7.9", "containerd://1.7.27", STANDING_NEWER},
	    {COMPONENT_KUBELET, "1.34.1", "v1.34.0", STANDING_OUTDATED},
	    {COMPONENT_KUBELET, "v1.34.1", "v1.34.1", STANDING_UP_TO_DATE},
	    {COMPONENT_KUBELET, "1.34.1", "", STANDING_UNKNOWN},
	    {COMPONENT_KUBELET, "1.34.1", NULL, STANDING_UNKNOWN},
	    {COMPONENT_KUBELET, "1.34.1", "unknown", STANDING_UNKNOWN},
	    {COMPONENT_CUSTOM, "1.2", "1.1", STANDING_OUTDATED},
	    {COMPONENT_CUSTOM, "1.2", "1.3", STANDING_NEWER},
	    {COMPONENT_CUSTOM, "jammy", "jammy", STANDING_UP_TO_DATE},
	    {COMPONENT_CUSTOM, "jammy", "focal", STANDING_OUTDATED},
	    {COMPONENT_CUSTOM, "jammy", "", STANDING_UNKNOWN},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct patch patch = {.component = cases[i].component, .version = cases[i].wanted};
		ck_assert_msg(version_standing(cases[i].shown, &patch) == cases[i].standing, "%s for %s", cases[i].shown,
		              cases[i].wanted);
	}
}
END_TEST

START_TEST(what_was_never_applied_is_outdated)
{
	struct patch patch = {.component = COMPONENT_CUSTOM, .version = "2", .applied = true};
	ck_assert_int_eq(version_standing(NULL, &patch), STANDING_OUTDATED);
	ck_assert_int_eq(version_standing("1", &patch), STANDING_OUTDATED);
	ck_assert_int_eq(version_standing("2", &patch), STANDING_UP_TO_DATE);
}
END_TEST

/* By what each of two patches shows: older, equal, newer, nothing. */
START_TEST(nodes)
{
	static const struct {
		const char *first, *second;
		enum standing standing;
	} cases[] = {
	    {"1", "1", STANDING_OUTDATED}, {"1", "2", STANDING_OUTDATED},   {"1", "3", STANDING_OUTDATED},
	    {"1", "", STANDING_UNKNOWN},   {"2", "2", STANDING_UP_TO_DATE}, {"2", "3", STANDING_NEWER},
	    {"2", "", STANDING_UNKNOWN},   {"3", "3", STANDING_NEWER},      {"3", "", STANDING_UNKNOWN},
	    {"", "", STANDING_UNKNOWN},
	};
	struct patch patches[2] = {
	    {.component = COMPONENT_KUBELET,
	     .version = "2",
	     .observed = {.type = OBSERVED_NODE_INFO, .node_info = NODE_INFO_KUBELET}},
	    {.component = COMPONENT_CUSTOM, .version = "2", .observed = {.type = OBSERVED_LABEL, .label = "v"}},
	};
	struct rules rules = {.patches = {patches, 2}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		for (int swap = 0; swap < 2; swap++) {
			struct kube_str_pair label = {"v", swap ? cases[i].first : cases[i].second};
			struct node node = {.labels = {&label, 1}};
			node.node_info[NODE_INFO_KUBELET] = swap ? cases[i].second : cases[i].first;
			ck_assert_msg(node_standing(&node, &rules, NULL) == cases[i].standing, "%s and %s", cases[i].first,
			              cases[i].second);
		}
	struct node bare = {0};
	ck_assert_int_eq(patch_standing(&bare, &patches[1]), STANDING_UNKNOWN); /* no label at all */
	bare.node_info[NODE_INFO_KUBELET] = "";
	ck_assert_str_eq(shown_version(&bare, &patches[0]), "nothing");
}
END_TEST

START_TEST(limits)
{
	static const struct {
		int64_t value;
		bool percent;
		int64_t total, limit;
	} cases[] = {
	    {1, false, 100, 1},  {7, false, 3, 7}, {10, true, 100, 10}, {10, true, 19, 1},
	    {10, true, 9, 1},    {1, true, 10, 1}, {34, true, 10, 3},   {99, true, 10, 9},
	    {100, true, 10, 10}, {50, true, 0, 1}, {0, false, 10, 1},   {-5, false, 10, 1},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_intstr value = {true, cases[i].percent, cases[i].value};
		ck_assert_int_eq(max_unavailable(&value, cases[i].total), cases[i].limit);
	}
}
END_TEST

/* A name is a function of what makes an attempt, and of nothing else. */
START_TEST(job_names)
{
	struct kube_arena arena = {0};
	struct rollout a = {.object = {.uid = "uid-a", .name = "a"}}, b = {.object = {.uid = "uid-b", .name = "a"}};
	const char *names[] = {
	    job_pod_name(&a, "n1", 0, "job", 1, &arena),      job_pod_name(&b, "n1", 0, "job", 1, &arena),
	    job_pod_name(&a, "n2", 0, "job", 1, &arena),      job_pod_name(&a, "n1", 1, "job", 1, &arena),
	    job_pod_name(&a, "n1", 0, "rollback", 1, &arena), job_pod_name(&a, "n1", 0, "job", 2, &arena),
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(names); i++) {
		ck_assert_uint_le(strlen(names[i]), 63);
		ck_assert_uint_eq(strspn(names[i], "pw-0123456789abcdef"), strlen(names[i]));
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(names[i], names[k]);
	}
	a.object.name = "renamed";
	ck_assert_str_eq(job_pod_name(&a, "n1", 0, "job", 1, &arena), names[0]);
	/* Known for ever: a controller of another version must find the pods of this one. */
	ck_assert_str_eq(names[0], "pw-f49331af0e1ac718cb3c2f42"); /* sha256 of uid-a/n1/0/job/1 */
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("plan/observed", what_was_never_applied_is_outdated, versions, nodes, limits, job_names)
