/* strategy.topology: one zone after the other. How many have nodes in work is asserted at every step. */
#include "test/unit/plan/world.h"

#define ZONE "topology.kubernetes.io/zone"
#define TOPOLOGY(max) "'topology':{'key':'" ZONE "','maxDomainsInProgress':" #max "}"

static struct world w;
static struct world_rollout *rollout;
static size_t at_most, most;
static char order[256]; /* the zones in the order in which their nodes were begun */

static const char *zone_of(const char *node)
{
	const char *zone = kube_strmap_get(&world_node(&w, node)->node.labels, ZONE);
	return zone ? zone : "-";
}

static void look(struct world *world)
{
	static const char *last_node;
	const struct rollout_status *status = &rollout->rollout->status;
	const char *zones[MAX_ACTIVE];
	size_t count = 0;

	(void)world;
	for (size_t i = 0; i < status->active.count; i++) {
		const char *zone = zone_of(status->active.items[i].node);
		size_t k = 0;
		while (k < count && strcmp(zones[k], zone) != 0)
			k++;
		if (k == count)
			zones[count++] = zone;
		size_t len = strlen(order);
		if (status->active.items[i].step == STEP_CLAIMED && status->active.items[i].node != last_node) {
			last_node = status->active.items[i].node;
			if (len == 0 || order[len - 1] != *zone)
				snprintf(order + len, sizeof(order) - len, "%s", zone);
		}
	}
	ck_assert_msg(count <= at_most, "%zu zones have nodes in work", count);
	most = count > most ? count : most;
}

/* zones: the zone of each node, "-" for none */
static void begin(const char *zones, const char *strategy, size_t max)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, strategy, ""), false);
	world_add_nodes(&w, (int)strlen(zones));
	for (size_t i = 0; zones[i]; i++) {
		char zone[2] = {zones[i], 0};
		if (zones[i] != '-')
			world_label(&w, w.nodes[i], ZONE, zone);
	}
	rollout = world_add_rollout(&w, "r1");
	at_most = max;
	most = 0;
	order[0] = '\0';
	w.on_step = look;
}

static void check_end(enum outcome outcome)
{
	ck_assert_msg(rollout->rollout->status.outcome == (int)outcome, "it is %s: %s",
	              outcome_names[rollout->rollout->status.outcome], rollout->rollout->status.summary);
	world_check_tidy(&w, rollout);
}

START_TEST(one_after_the_other)
{
	static const struct {
		const char *zones, *strategy;
		size_t max;
		const char *order;
	} cases[] = {
	    {"abcabcabc", "'maxUnavailable':9," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1, "abc"},
	    {"abcabcabc", "'maxUnavailable':2," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1, "abc"},
	    {"abcabcabc", "'maxUnavailable':1," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1, "abc"},
	    /* The order goes through the zones again and again; a zone is brought to its end all the same. */
	    {"abcabcabc", "'order':['Name'],'maxUnavailable':2," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1, "abc"},
	    {"cba", "'order':['Name'],'maxUnavailable':3," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1, "cba"},
	    {"a-a-", "'order':['Name'],'maxUnavailable':4," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1, "a-"},
	    {"abcabc", "'maxUnavailable':9," TOPOLOGY(2) ",'waves':[{'name':'all'}]", 2, NULL},
	    {"abcabc", "'maxUnavailable':9,'topology':{'key':'" ZONE "'},'waves':[{'name':'all'}]", 1, "abc"},
	    /* Each wave begins with the first zone again. */
	    {"aabb", "'order':['Name'],'maxUnavailable':9," TOPOLOGY(1) ",'waves':[{'name':'a','size':3},{'name':'b'}]", 1,
	     "ab"},
	    /* A wave's own replaces the strategy's. */
	    {"aabbcc",
	     "'maxUnavailable':9," TOPOLOGY(1) ",'waves':[{'name':'all','topology':{'key':'" ZONE
	                                       "','maxDomainsInProgress':3}}]",
	     3, NULL},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(cases[i].zones, cases[i].strategy, cases[i].max);
		world_run(&w, MINUTES(600));
		check_end(OUTCOME_SUCCEEDED);
		ck_assert_msg(most == cases[i].max, "case %zu: %zu zones at a time", i, most);
		if (cases[i].order)
			ck_assert_msg(strcmp(order, cases[i].order) == 0, "case %zu: %s", i, order);
		world_finish(&w);
	}
}
END_TEST

/* One that cannot be started keeps no other zone waiting, and takes its turn when it can be. */
START_TEST(a_node_that_cannot_be_started)
{
	begin("aabb", "'order':['Name'],'maxUnavailable':4," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1);
	world_hold(&w, "n02", "not now");
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(rollout->rollout->status.counts.patched, 3);
	world_hold(&w, "n02", NULL);
	world_run(&w, MINUTES(600));
	check_end(OUTCOME_SUCCEEDED);
	ck_assert_str_eq(order, "aba");
	world_finish(&w);
}
END_TEST

/* It comes back while another zone is in work: two would be in progress, and so it waits. */
START_TEST(a_node_that_can_be_started_later)
{
	begin("aabb", "'order':['Name'],'maxUnavailable':1," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1);
	world_hold(&w, "n02", "not now");
	world_run_to(&w, "n03", STEP_PATCHING);
	world_hold(&w, "n02", NULL);
	world_run(&w, MINUTES(600));
	check_end(OUTCOME_SUCCEEDED);
	ck_assert_str_eq(order, "abab");
	world_finish(&w);
}
END_TEST

START_TEST(grants_are_lost)
{
	begin("abab", "'maxUnavailable':4," TOPOLOGY(1) ",'waves':[{'name':'all'}]", 1);
	world_run_to(&w, "n01", STEP_PATCHING);
	world_set_rollout(&w, rollout, "status.active", NULL);
	world_run(&w, MINUTES(600));
	check_end(OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/topology", one_after_the_other, a_node_that_cannot_be_started, a_node_that_can_be_started_later,
           grants_are_lost)
