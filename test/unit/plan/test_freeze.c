/* Which nodes a plan takes, in which order, in which waves; its pages. */
#include "controller/plan/freeze.h"
#include "test/unit/plan/world.h"

static struct world w;

static struct frozen_plan freeze(const char *waves)
{
	struct frozen_plan plan;
	world_set_policy(&w, policy_spec(&w, 1, false, waves, ""), false);
	if (w.rollout_count == 0)
		world_add_rollout(&w, "r1");
	world_plan(&w, &w.rollouts[0]);
	freeze_targets(&w.snapshot, &w.policy->rules, w.policy->hash, &w.pass, &plan);
	return plan;
}

START_TEST(waves)
{
	static const struct {
		int nodes;
		const char *waves;
		size_t sizes[4];
	} cases[] = {
	    {10, "'waves':[{'name':'a','size':1},{'name':'b','size':'30%'},{'name':'c'}]", {1, 3, 6}},
	    {10, "'waves':[{'name':'a','size':'1%'},{'name':'b'}]", {1, 9}},
	    {10, "'waves':[{'name':'a','size':'25%'},{'name':'b'}]", {3, 7}},
	    {3, "'waves':[{'name':'a','size':'34%'},{'name':'b','size':'34%'},{'name':'c'}]", {2, 1, 0}},
	    {2, "'waves':[{'name':'a','size':5},{'name':'b'}]", {2, 0}},
	    {0, "'waves':[{'name':'a','size':5},{'name':'b'}]", {0, 0}},
	    {4, "'waves':[{'name':'a'}]", {4}},
	    {5, "", {1, 4}},
	    {4, "'waves':[{'name':'a','size':1},{'name':'b','size':1}]", {1, 3}}, /* the schema refuses it */
	    {4, "'waves':[{'name':'a','size':-1},{'name':'b'}]", {0, 4}},
	    {4, "'waves':[{'name':'a','size':'100%'},{'name':'b'}]", {4, 0}},
	    /* n02, n04, … are of rack b */
	    {10, "'waves':[{'name':'a','selector':{'matchLabels':{'rack':'b'}}},{'name':'b'}]", {5, 5}},
	    {10, "'waves':[{'name':'a','selector':{'matchLabels':{'rack':'b'}},'size':2},{'name':'b'}]", {2, 8}},
	    {10, "'waves':[{'name':'a','selector':{'matchLabels':{'rack':'b'}},'size':'10%'},{'name':'b'}]", {1, 9}},
	    {10,
	     "'waves':[{'name':'a','selector':{'matchLabels':{'rack':'b'}},'size':'60%'},"
	     "{'name':'b','selector':{'matchLabels':{'rack':'b'}},'size':'60%'},{'name':'c'}]",
	     {3, 2, 5}},
	    {10,
	     "'waves':[{'name':'a','size':3},{'name':'b','selector':{'matchLabels':{'rack':'b'}}},{'name':'c'}]",
	     {3, 4, 3}},
	    {10, "'waves':[{'name':'a','selector':{'matchLabels':{'rack':'c'}}},{'name':'b'}]", {0, 10}},
	    {4, "'waves':[{'name':'a','selector':{'matchLabels':{'rack':'b'}}}]", {4}}, /* the schema refuses it */
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		world_init(&w, NULL);
		world_add_nodes(&w, cases[i].nodes);
		for (int k = 1; k < cases[i].nodes; k += 2)
			world_label(&w, w.nodes[k], "rack", "b");
		struct frozen_plan plan = freeze(cases[i].waves);
		size_t sizes[4] = {0};
		ck_assert_uint_eq(plan.count, (size_t)cases[i].nodes);
		for (size_t k = 0; k < plan.count; k++) {
			sizes[plan.waves[k]]++;
			ck_assert(k == 0 || plan.waves[k] >= plan.waves[k - 1]);
		}
		for (size_t k = 0; k < 4; k++)
			ck_assert_msg(sizes[k] == cases[i].sizes[k], "case %zu: wave %zu has %zu", i, k, sizes[k]);
		world_finish(&w);
	}
}
END_TEST

static void annotate(const char *node, const char *value)
{
	struct kube_str_pair *pair = kube_arena_alloc(&w.arena, sizeof(*pair));
	*pair = (struct kube_str_pair){PW_ANNOTATION_CRITICALITY, value};
	world_node(&w, node)->node.annotations = (struct kube_strmap){pair, 1};
}

static void check_names(const struct frozen_plan *plan, const char *expected)
{
	char names[256] = "";
	for (size_t i = 0; i < plan->count; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? " " : "",
		         plan->nodes[i]->object.name);
	ck_assert_str_eq(names, expected);
}

START_TEST(order)
{
	static const struct {
		const char *strategy, *expected;
	} cases[] = {
	    {"", "low b2 b3 b1 zone-a zone-b high critical odd"},
	    {"'order':['Criticality','Zone','PodCount','Name']", "low b2 b3 b1 zone-a zone-b high critical odd"},
	    {"'order':['Name']", "b1 b2 b3 critical high low odd zone-a zone-b"},
	    {"'order':['Zone']", "b1 b2 b3 critical high low odd zone-a zone-b"},
	    {"'order':['Zone','PodCount']", "b2 b3 critical high low odd b1 zone-a zone-b"},
	    {"'order':['PodCount','Criticality']", "low b2 b3 zone-a zone-b high critical odd b1"},
	    {"'order':[]", "b1 b2 b3 critical high low odd zone-a zone-b"}, /* the schema refuses it */
	};
	static const char *const names[] = {"odd", "critical", "high", "zone-b", "zone-a", "b3", "b2", "b1", "low"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		world_init(&w, NULL);
		for (size_t k = 0; k < KUBE_ARRAY_LEN(names); k++)
			world_add_node(&w, names[k]);
		annotate("low", "low");
		annotate("b3", "normal");
		annotate("critical", "critical");
		annotate("odd", "unheard-of");
		world_label(&w, world_node(&w, "high"), PW_ANNOTATION_CRITICALITY, "high");
		world_label(&w, world_node(&w, "zone-a"), "topology.kubernetes.io/zone", "a");
		world_label(&w, world_node(&w, "zone-b"), "topology.kubernetes.io/zone", "b");
		world_add_pod(&w, "b1", "p1", "x");
		struct frozen_plan plan = freeze(cases[i].strategy);
		check_names(&plan, cases[i].expected);
		world_finish(&w);
	}
}
END_TEST

/* Wave by wave, each in the order: the first node may be in the last wave. */
START_TEST(order_within_waves)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 6);
	world_label(&w, world_node(&w, "n04"), "canary", "yes");
	world_label(&w, world_node(&w, "n05"), "canary", "yes");
	annotate("n04", "high");
	struct frozen_plan plan =
	    freeze("'waves':[{'name':'a','selector':{'matchLabels':{'canary':'yes'}}},{'name':'b','size':1},{'name':'c'}]");
	check_names(&plan, "n05 n04 n01 n02 n03 n06");
	world_finish(&w);
}
END_TEST

START_TEST(waves_that_cover_nothing)
{
	static const struct {
		const char *waves;
		bool covered;
	} cases[] = {
	    {"[{'name':'a','size':1},{'name':'b'}]", true},
	    {"[{'name':'a','selector':{'matchLabels':{'rack':'b'}}},{'name':'b'}]", true},
	    {"[{'name':'a','selector':{'matchLabels':{'rack':'c'}}},{'name':'b'}]", false},
	    {"[{'name':'a','selector':{'matchLabels':{'rack':'b'}}},{'name':'b','selector':{'matchLabels':{'rack':'x'}}},{"
	     "'name':'c'}]",
	     false},
	    /* Its node is up to date, and so there is nothing to do; that is no mistake. */
	    {"[{'name':'a','selector':{'matchLabels':{'rack':'new'}}},{'name':'b'}]", true},
	    /* That node is not one of the policy's. */
	    {"[{'name':'a','selector':{'matchLabels':{'rack':'other'}}},{'name':'b'}]", false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		world_init(&w, NULL);
		world_add_nodes(&w, 4);
		world_label(&w, w.nodes[0], "rack", "b");
		world_label(&w, w.nodes[1], "rack", "new");
		w.nodes[1]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
		world_label(&w, w.nodes[2], "rack", "other");
		w.nodes[2]->node.labels.items[0].value = "others";
		struct frozen_plan plan = freeze(kube_arena_printf(&w.arena, "'waves':%s", cases[i].waves));
		ck_assert_uint_eq(plan.count, 2);
		const char *uncovered = uncovered_wave(w.snapshot.nodes, w.snapshot.node_count, &w.policy->rules, &w.pass);
		ck_assert_msg((uncovered == NULL) == cases[i].covered, "case %zu: %s", i, uncovered ? uncovered : "covered");
		ck_assert(!uncovered || strstr(uncovered, "none of the 3 nodes"));
		const struct condition *stalled = condition_get(&w.result.wanted.conditions, "Stalled");
		ck_assert_msg((stalled == NULL) == cases[i].covered, "case %zu", i);
		ck_assert(!stalled || !strcmp(stalled->reason, "WaveCoversNothing"));
		world_finish(&w);
	}
}
END_TEST

START_TEST(who_is_taken)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 8);
	world_label(&w, w.nodes[0], "node-role.kubernetes.io/control-plane", "");
	w.nodes[1]->node.labels.items[0].value = "others";
	w.nodes[2]->node.os = "windows";
	w.nodes[3]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
	w.nodes[4]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://9.0";
	w.nodes[5]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "";
	w.nodes[6]->node.object.deleted_ms = w.now_ms;
	struct frozen_plan plan = freeze("");
	ck_assert_uint_eq(plan.count, 1);
	ck_assert_str_eq(plan.nodes[0]->object.name, "n08");
	ck_assert_uint_eq(plan.selected, 5);
	world_finish(&w);
}
END_TEST

START_TEST(hashes)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 3);
	char first[65], name[100];
	snprintf(first, sizeof(first), "%s", freeze("").hash);
	struct frozen_plan again = freeze("");
	ck_assert_str_eq(again.hash, first);
	snprintf(name, sizeof(name), "r1-plan-%.8s-2", first);
	ck_assert_str_eq(freeze_page_name(w.rollouts[0].rollout, &again, 2, &w.pass), name);
	ck_assert_str_ne(freeze("'waves':[{'name':'a','size':2},{'name':'b'}]").hash, first);
	world_add_node(&w, "n04");
	ck_assert_str_ne(freeze("").hash, first);
	world_finish(&w);
}
END_TEST

START_TEST(pages)
{
	static const struct {
		int nodes;
		size_t pages;
	} cases[] = {{0, 1}, {1, 1}, {1000, 1}, {1001, 2}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		char name[16];
		world_init(&w, NULL);
		for (int k = 0; k < cases[i].nodes; k++) {
			snprintf(name, sizeof(name), "n%04d", k);
			world_add_node(&w, name);
		}
		struct frozen_plan plan = freeze("");
		ck_assert_uint_eq(freeze_pages(&plan), cases[i].pages);
		for (size_t page = 1; page <= cases[i].pages; page++) {
			_cleanup_json_ cJSON *data = cJSON_Parse(freeze_page_data(&plan, &w.snapshot, page, &w.pass));
			int on_it = cases[i].nodes - 1000 * ((int)page - 1);
			ck_assert_int_eq(cJSON_GetArraySize(kube_json_get(data, "targets")), on_it < 1000 ? on_it : 1000);
			ck_assert_str_eq(kube_json_str(data, "planHash"), plan.hash);
			ck_assert((kube_json_get(data, "rules") != NULL) == (page == 1));
		}
		world_finish(&w);
	}
}
END_TEST

CHECK_MAIN("plan/freeze", waves, order, order_within_waves, waves_that_cover_nothing, who_is_taken, hashes, pages)
