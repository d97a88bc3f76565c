#include "controller/plan/internal.h"
#include "test/unit/check_main.h"
#include "test/unit/plan/world.h"
#include <string.h>

static struct world w;

static struct patch *patch(void)
{
	return &w.policy->rules.patches.items[0];
}

static void begin(int component, const char *shown, const char *wanted)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, NULL, ""), false);
	world_add_nodes(&w, 1);
	patch()->component = component;
	patch()->version = wanted;
	patch()->observed.node_info = component == COMPONENT_KUBELET ? NODE_INFO_KUBELET : NODE_INFO_CONTAINER_RUNTIME;
	w.nodes[0]->node.node_info[patch()->observed.node_info] = shown;
}

START_TEST(what_a_node_may_become)
{
	static const struct {
		int component;
		const char *shown, *wanted, *from;
		bool downgrade;
		const char *server;
		enum standing standing;
		const char *says;
	} cases[] = {
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://1.6.20", "1.7.27", .standing = STANDING_OUTDATED},
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://2.0.0", "1.7.27", .standing = STANDING_NEWER},
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://2.0.0", "1.7.27", .downgrade = true, .standing = STANDING_OUTDATED},
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://1.6.20", "1.7.27", ">=1.6 <2", .standing = STANDING_OUTDATED},
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://1.5.0", "1.7.27", ">=1.6 <2", .standing = STANDING_REFUSED,
	     .says = "node n01 shows containerd://1.5.0 as its version of ContainerRuntime, from which "
	             "patches[0].supportedFrom allows no way to 1.7.27"},
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://1.7.27", "1.7.27", ">=1.6 <1.7", .standing = STANDING_UP_TO_DATE},
	    {COMPONENT_CONTAINER_RUNTIME, "containerd://2.0.0", "1.7.27", ">=1.6 <2", true, .standing = STANDING_REFUSED,
	     .says = "supportedFrom"},
	    {COMPONENT_KUBELET, "v1.33.1", "1.34.2", .server = "v1.34.4", .standing = STANDING_OUTDATED},
	    {COMPONENT_KUBELET, "v1.34.1", "1.35.0", .server = "v1.34.4", .standing = STANDING_REFUSED,
	     .says =
	         "node n01 shows kubelet v1.34.1, which may not be brought to 1.35.0: a kubelet may not be newer than its "
	         "API server, which is at v1.34.4"},
	    {COMPONENT_KUBELET, "v1.29.1", "1.30.0", .server = "v1.34.4", .standing = STANDING_REFUSED,
	     .says = "at most 3 minor versions older"},
	    {COMPONENT_KUBELET, "v1.32.1", "1.34.0", .server = "v1.34.4", .standing = STANDING_REFUSED,
	     .says = "no minor version may be skipped"},
	    {COMPONENT_KUBELET, "v1.34.1", "1.35.0", .server = NULL,
	     .standing = STANDING_OUTDATED}, /* not known: it waits */
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		const char *from = cases[i].from;
		begin(cases[i].component, cases[i].shown, cases[i].wanted);
		patch()->allow_downgrade = cases[i].downgrade;
		patch()->supported_from = (struct kube_strlist){.items = &from, .count = from != NULL};
		const struct node *node = &w.nodes[0]->node;
		ck_assert_msg(node_standing(node, &w.policy->rules, cases[i].server) == cases[i].standing, "case %zu", i);
		const char *says = upgrade_refusal(node, &w.policy->rules, cases[i].server, &w.arena);
		ck_assert_msg(strstr(says, cases[i].says ? cases[i].says : "") != NULL, "case %zu: %s", i, says);
		world_finish(&w);
	}
}
END_TEST

static const struct condition *policy_condition(const char *type)
{
	static struct policy_result result;
	const struct node *nodes[] = {&w.nodes[0]->node};
	struct policy_snapshot s = {
	    .now_ms = w.now_ms, .server_version = w.server_version, .policy = w.policy, .nodes = nodes, .node_count = 1};

	plan_policy(&s, &w.arena, &result);
	for (size_t i = 0; i < result.wanted.conditions.count; i++)
		if (!strcmp(result.wanted.conditions.items[i].type, type))
			return &result.wanted.conditions.items[i];
	return NULL;
}

START_TEST(a_refusal_stands_in_the_policy)
{
	begin(COMPONENT_KUBELET, "v1.34.1", "1.35.0");
	const struct condition *stalled = policy_condition("Stalled");
	ck_assert_ptr_nonnull(stalled);
	ck_assert_str_eq(stalled->reason, "VersionNotAllowed");
	ck_assert_ptr_nonnull(strstr(stalled->message, "n01"));
	world_finish(&w);
}
END_TEST

/* Also a rollout that a person made. */
static const char *rollout_stays(const char *server)
{
	struct world_rollout *r = world_add_rollout(&w, "r1");
	w.server_version = server;
	world_run(&w, w.now_ms + 60000);
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	for (size_t i = 0; i < r->rollout->status.conditions.count; i++)
		if (!strcmp(r->rollout->status.conditions.items[i].type, "Ready"))
			return r->rollout->status.conditions.items[i].reason;
	return "";
}

START_TEST(a_rollout_waits_or_says_why_not)
{
	begin(COMPONENT_KUBELET, "v1.34.1", "1.35.0");
	ck_assert_str_eq(rollout_stays("v1.34.4"), "VersionNotAllowed");
	world_finish(&w);
	begin(COMPONENT_KUBELET, "v1.33.1", "1.34.2");
	ck_assert_str_eq(rollout_stays(NULL), "ServerVersionUnknown");
	world_finish(&w);
}
END_TEST

/* A controller that has just started does not know yet: what is planned waits, and is not passed over. */
START_TEST(a_planned_target_waits_for_the_servers_version)
{
	begin(COMPONENT_KUBELET, "v1.33.1", "1.34.2");
	world_set_policy(&w,
	                 "'target':{'nodes':{'selector':{'matchLabels':{'pool':'workers'}}}},"
	                 "'patches':[{'component':'Kubelet','version':'1.34.2','job':{'image':'x'}}]",
	                 false);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	while (!r->rollout->status.plan_hash)
		ck_assert(world_tick(&w, w.now_ms + 60000));
	w.server_version = NULL;
	world_run(&w, w.now_ms + 60000);
	ck_assert_int_eq(r->rollout->status.counts.pending, 1);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "GET /version"));
	w.server_version = "v1.34.4";
	ck_assert(world_tick(&w, w.now_ms + 60000));
	ck_assert_uint_eq(r->rollout->status.active.count, 1);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("upgrade", what_a_node_may_become, a_refusal_stands_in_the_policy, a_rollout_waits_or_says_why_not,
           a_planned_target_waits_for_the_servers_version)
