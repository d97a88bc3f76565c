/* spec.versions: a rollout brings other versions than its policy says, by the same rules. */
#include "test/unit/plan/world.h"

#define PIN(version) "[{'component':'ContainerRuntime','version':'" version "'}]"

static struct world w;

static struct world_rollout *begin(const char *patches, const char *pins)
{
	world_init(&w, NULL);
	world_set_policy(&w,
	                 kube_arena_printf(&w.arena,
	                                   "'target':{'nodes':{'selector':{'matchLabels':{'pool':'workers'}}}},"
	                                   "'strategy':{'waves':[{'name':'all'}]},'patches':[%s]",
	                                   patches),
	                 false);
	world_add_nodes(&w, 2);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	world_set_rollout(&w, r, "spec.versions", pins);
	return r;
}

static const char *shown(const char *node)
{
	return world_node(&w, node)->node.node_info[NODE_INFO_CONTAINER_RUNTIME];
}

static void check_stalled(const struct world_rollout *r, const char *message)
{
	world_run(&w, MINUTES(60));
	const struct condition *c = condition_get(&r->rollout->status.conditions, "Stalled");
	ck_assert_msg(c && !strcmp(c->reason, "VersionNotAllowed"), "%s", c ? c->message : "it is not Stalled");
	ck_assert_msg(strstr(c->message, message) != NULL, "%s does not say: %s", c->message, message);
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	ck_assert_uint_eq(w.claims, 0);
	world_finish(&w);
}

#define RUNTIME "{'component':'ContainerRuntime','version':'" NEW "','job':{'image':'x'}}"
#define CUSTOM(label) \
	"{'component':'Custom','version':'2','observed':{'type':'Label','label':'" label "'},'job':{'image':'x'}}"

START_TEST(it_brings_the_pinned_version)
{
	struct world_rollout *r = begin(RUNTIME, PIN("1.7.25"));
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.patched, 2);
	ck_assert_str_eq(shown("n01"), "containerd://1.7.25");
	ck_assert_str_eq(r->rollout->status.versions.items[0].version, "1.7.25");
	ck_assert_str_eq(r->rollout->status.policy_hash, w.policy->hash);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* An approval is for these versions. */
START_TEST(another_version_is_another_plan)
{
	const char *const pins[] = {NULL, PIN("1.7.25"), PIN("1.7.26")};
	char hashes[3][80];

	for (size_t i = 0; i < 3; i++) {
		struct world_rollout *r = begin(RUNTIME, pins[i]);
		while (!r->rollout->status.plan_hash)
			ck_assert(world_step(&w));
		snprintf(hashes[i], sizeof(hashes[i]), "%s", r->rollout->status.plan_hash);
		world_finish(&w);
	}
	ck_assert_str_ne(hashes[0], hashes[1]);
	ck_assert_str_ne(hashes[1], hashes[2]);
}
END_TEST

START_TEST(it_needs_no_channel)
{
	struct world_rollout *r = begin("{'component':'ContainerRuntime','channel':{'type':'ConfigMap','configMap':{'name':"
	                                "'c','key':'k'}},'job':{'image':'x'}}",
	                                PIN("1.7.25"));
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_str_eq(shown("n02"), "containerd://1.7.25");
	world_finish(&w);
}
END_TEST

START_TEST(the_rules_of_the_policy_hold)
{
	struct world_rollout *r = begin(RUNTIME, PIN("1.5.11")); /* no downgrade */
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_str_eq(shown("n01"), "containerd://" OLD);
	world_finish(&w);

	r = begin("{'component':'ContainerRuntime','version':'" NEW "','supportedFrom':['>=1.7.0'],'job':{'image':'x'}}",
	          PIN("1.7.25"));
	check_stalled(r, "n01");

	r = begin("{'component':'Kubelet','version':'1.34.1','job':{'image':'x'}}",
	          "[{'component':'Kubelet','version':'1.36.0'}]");
	check_stalled(r, "n01");
}
END_TEST

START_TEST(it_goes_back_where_the_policy_allows_that)
{
	begin("{'component':'ContainerRuntime','version':'" NEW "','allowDowngrade':true,'job':{'image':'x'}}",
	      PIN("1.5.11"));
	world_run(&w, MINUTES(60));
	ck_assert_str_eq(shown("n01"), "containerd://1.5.11");
	ck_assert_str_eq(shown("n02"), "containerd://1.5.11");
	world_finish(&w);
}
END_TEST

START_TEST(what_is_of_no_use_is_told)
{
	check_stalled(begin(RUNTIME, "[{'component':'Kernel','version':'6.1.90'}]"),
	              "spec.versions[0]: the policy has 0 patches of Kernel");
	check_stalled(begin(CUSTOM("a") "," CUSTOM("b"), "[{'component':'Custom','version':'3'}]"),
	              "the policy has 2 patches of Custom");
	check_stalled(begin(RUNTIME, PIN("latest")), "\"latest\" cannot be compared");
	check_stalled(begin(RUNTIME, PIN("1.7;reboot")), "\"1.7;reboot\" cannot be compared");
}
END_TEST

CHECK_MAIN("plan/pin", it_brings_the_pinned_version, another_version_is_another_plan, it_needs_no_channel,
           the_rules_of_the_policy_hold, it_goes_back_where_the_policy_allows_that, what_is_of_no_use_is_told)
