/* Which pods leave, which may go now, and who is in the way. */
#include "test/unit/plan/world.h"

static struct world w;
static struct rules rules;
static struct pass pass;
static struct rollout_result out;
static struct target_view views[4];
static struct drain_view drain;

static void begin(void)
{
	world_init(&w, NULL);
	rules = (struct rules){.drain = {.enabled = true, .parallelism = 10, .grace_period_s = 7}};
}

/* Drains nodes n0 … in one pass. */
static void drain_nodes(size_t count)
{
	static const struct pdb *pdbs[8];
	static struct pod_view pods[4][40];
	static struct target targets[4];

	memset(views, 0, sizeof(views));
	for (size_t i = 0; i < w.pdb_count; i++)
		pdbs[i] = &w.pdbs[i].pdb;
	for (size_t n = 0; n < count; n++) {
		targets[n].node = kube_arena_printf(&w.arena, "n%zu", n);
		views[n] = (struct target_view){.target = &targets[n], .pods = pods[n]};
		for (size_t i = 0; i < w.pod_count; i++)
			if (!strcmp(w.pods[i]->pod.node_name, targets[n].node))
				pods[n][views[n].pod_count++] =
				    (struct pod_view){.pod = &w.pods[i]->pod,
				                      .busy = w.pods[i]->busy > 0,
				                      .fact = w.pods[i]->fact.kind ? &w.pods[i]->fact : NULL};
	}
	w.snapshot = (struct rollout_snapshot){
	    .now_ms = w.now_ms, .pdbs = pdbs, .pdb_count = w.pdb_count, .targets = views, .target_count = count};
	out = (struct rollout_result){.look_again_ms = KUBE_TIME_NONE};
	pass = (struct pass){.s = &w.snapshot, .rules = &rules, .arena = &w.arena, .out = &out, .want = &out.wanted};
	rooms_init(&pass);
	for (size_t n = 0; n < count; n++) {
		struct target_pass target = {.view = &views[n]};
		drain_target(&pass, &target, &drain);
	}
	w.result = out;
}

START_TEST(filters)
{
	enum { STAYS, GOES, BLOCKS, LEAVES };
	static const struct {
		const char *what;
		int expected;
		bool daemon, mirror, leaving, empty_dir, unmanaged, delete_empty, delete_unmanaged;
		int phase;
	} cases[] = {
	    {"plain", GOES, .phase = POD_RUNNING},
	    {"pending", GOES, .phase = POD_PENDING},
	    {"DaemonSet", STAYS, .daemon = true, .phase = POD_RUNNING},
	    {"DaemonSet with emptyDir", STAYS, .daemon = true, .empty_dir = true, .phase = POD_RUNNING},
	    {"finished DaemonSet", STAYS, .daemon = true, .phase = POD_FAILED},
	    {"DaemonSet, leaving", STAYS, .daemon = true, .leaving = true, .phase = POD_RUNNING},
	    {"mirror", STAYS, .mirror = true, .unmanaged = true, .phase = POD_RUNNING},
	    {"leaving", LEAVES, .leaving = true, .phase = POD_RUNNING},
	    {"leaving, unmanaged", LEAVES, .leaving = true, .unmanaged = true, .phase = POD_RUNNING},
	    {"emptyDir", BLOCKS, .empty_dir = true, .phase = POD_RUNNING},
	    {"emptyDir, allowed", GOES, .empty_dir = true, .delete_empty = true, .phase = POD_RUNNING},
	    {"finished emptyDir", GOES, .empty_dir = true, .phase = POD_SUCCEEDED},
	    {"unmanaged", BLOCKS, .unmanaged = true, .phase = POD_RUNNING},
	    {"unmanaged, allowed", GOES, .unmanaged = true, .delete_unmanaged = true, .phase = POD_RUNNING},
	    {"unmanaged, the other allowed", BLOCKS, .unmanaged = true, .delete_empty = true, .phase = POD_RUNNING},
	    {"unmanaged emptyDir, one allowed", BLOCKS, .unmanaged = true, .empty_dir = true, .delete_unmanaged = true,
	     .phase = POD_RUNNING},
	    {"finished unmanaged", GOES, .unmanaged = true, .phase = POD_FAILED},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin();
		struct pod *pod = &world_add_pod(&w, "n0", "p", "app")->pod;
		pod->phase = cases[i].phase;
		pod->owner_kind = cases[i].daemon ? "DaemonSet" : cases[i].unmanaged ? "" : "ReplicaSet";
		pod->mirror = cases[i].mirror;
		pod->empty_dir = cases[i].empty_dir;
		if (cases[i].leaving)
			pod->object.deleted_ms = w.now_ms;
		rules.drain.delete_empty_dir_data = cases[i].delete_empty;
		rules.drain.unmanaged_pods = cases[i].delete_unmanaged ? UNMANAGED_DELETE : UNMANAGED_BLOCK;
		drain_nodes(1);
		size_t evicted = world_actions(&w, ACTION_EVICT_POD);
		int got = evicted ? GOES : drain.blocker.kind ? BLOCKS : drain.remaining ? LEAVES : STAYS;
		ck_assert_msg(got == cases[i].expected, "%s: %d, not %d", cases[i].what, got, cases[i].expected);
		ck_assert_uint_eq(drain.remaining, cases[i].expected != STAYS);
		if (evicted)
			ck_assert_int_eq(w.result.actions.items[0].evict.grace_period_s, 7);
		if (got == BLOCKS) {
			ck_assert_str_eq(drain.blocker.kind, "Pod");
			ck_assert_str_eq(drain.blocker.pod, "shop/p");
		}
		world_finish(&w);
	}
}
END_TEST

/* Those under a budget go out one after another. */
static void check_delays(void)
{
	int64_t delay_ms = 0;
	for (size_t i = 0; i < w.result.actions.count; i++) {
		const struct action *action = &w.result.actions.items[i];
		if (action->type != ACTION_EVICT_POD)
			continue;
		bool alone = strcmp(action->evict.pod->object.name, "other") == 0;
		ck_assert_int_eq(action->evict.delay_ms, alone ? 0 : delay_ms);
		delay_ms += alone ? 0 : 50;
	}
}

/* The same budget, on three nodes, in one pass. */
START_TEST(one_budget_for_all_nodes)
{
	for (int64_t allowed = 0; allowed <= 5; allowed++) {
		begin();
		static const char *const nodes[] = {"n0", "n1", "n2", "n2"};
		for (size_t i = 0; i < 4; i++)
			world_add_pod(&w, nodes[i], kube_arena_printf(&w.arena, "p%zu", i), "cart");
		world_add_pod(&w, "n1", "other", "other");
		world_add_pdb(&w, "cart", "cart", allowed);
		drain_nodes(3);
		ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), (size_t)(allowed < 4 ? allowed : 4) + 1);
		check_delays();
		ck_assert((drain.blocker.kind != NULL) == (allowed < 4));
		if (allowed < 4)
			ck_assert_str_eq(drain.blocker.name, "cart");
		ck_assert_int_eq(w.result.look_again_ms, KUBE_TIME_NONE);
		world_finish(&w);
	}
}
END_TEST

/* Eight under one budget at a time, with those that are under way. */
START_TEST(few_evictions_at_a_time)
{
	for (size_t busy = 0; busy <= 8; busy += 4) {
		begin();
		for (size_t i = 0; i < 12; i++)
			world_add_pod(&w, "n0", kube_arena_printf(&w.arena, "p%zu", 10 + i), "cart");
		for (size_t i = 0; i < busy; i++)
			w.pods[i]->busy = 1;
		world_add_pdb(&w, "cart", "cart", 100);
		drain_nodes(1);
		ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 8 - busy);
		check_delays();
		ck_assert_int_eq(w.result.look_again_ms, w.now_ms + 400);
		world_finish(&w);
	}
}
END_TEST

/* Evictions that are under way have used their place already; those that the cache shows are in the budget's status. */
START_TEST(evictions_under_way)
{
	begin();
	for (int i = 0; i < 4; i++)
		world_add_pod(&w, "n0", kube_arena_printf(&w.arena, "p%d", i), "cart");
	world_add_pdb(&w, "cart", "cart", 2);
	w.pods[0]->busy = 1;
	w.pods[1]->pod.object.deleted_ms = w.now_ms;
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 1);
	ck_assert_uint_eq(drain.remaining, 4);
	ck_assert_ptr_eq(w.result.actions.items[0].evict.pod, &w.pods[2]->pod);
	world_finish(&w);
}
END_TEST

START_TEST(unready_pods)
{
	static const struct {
		bool ready, always;
		int phase;
		int64_t healthy, desired;
		bool goes;
	} cases[] = {
	    {true, false, POD_RUNNING, 3, 3, false},  {false, false, POD_RUNNING, 3, 3, true},
	    {false, false, POD_RUNNING, 2, 3, false}, {false, true, POD_RUNNING, 2, 3, true},
	    {true, true, POD_RUNNING, 2, 3, false},   {false, false, POD_RUNNING, 0, 0, false},
	    {false, false, POD_PENDING, 2, 3, true},  {false, false, POD_FAILED, 2, 3, true},
	    {false, true, POD_RUNNING, 0, 0, true},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin();
		struct pod *pod = &world_add_pod(&w, "n0", "p", "cart")->pod;
		struct pdb *pdb = &world_add_pdb(&w, "cart", "cart", 0)->pdb;
		pod->ready = cases[i].ready;
		pod->phase = cases[i].phase;
		pdb->always_allow_unhealthy = cases[i].always;
		pdb->current_healthy = cases[i].healthy;
		pdb->desired_healthy = cases[i].desired;
		drain_nodes(1);
		ck_assert_msg(world_actions(&w, ACTION_EVICT_POD) == cases[i].goes, "case %zu", i);
		world_finish(&w);
	}
}
END_TEST

START_TEST(two_budgets)
{
	begin();
	world_add_pod(&w, "n0", "p", "cart");
	world_add_pdb(&w, "one", "cart", 5);
	world_add_pdb(&w, "two", "cart", 5);
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 0);
	ck_assert_str_eq(drain.blocker.kind, "PodDisruptionBudget");
	ck_assert_str_eq(drain.blocker.name, "one");
	ck_assert_ptr_nonnull(strstr(drain.blocker.message, "2 PodDisruptionBudgets"));
	w.pods[0]->pod.ready = false; /* the Eviction API counts before it looks at the pod's health */
	w.pdbs[0].pdb.always_allow_unhealthy = w.pdbs[1].pdb.always_allow_unhealthy = true;
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 0);
	world_finish(&w);
}
END_TEST

/* K8S eviction.go: canIgnorePDB() comes before any budget is looked up. */
START_TEST(two_budgets_do_not_hold_what_is_over)
{
	static const int phases[] = {POD_PENDING, POD_SUCCEEDED, POD_FAILED};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(phases); i++) {
		begin();
		world_add_pod(&w, "n0", "p", "cart")->pod.phase = phases[i];
		world_add_pdb(&w, "one", "cart", 0);
		world_add_pdb(&w, "two", "cart", 0);
		drain_nodes(1);
		ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 1);
		world_finish(&w);
	}
}
END_TEST

START_TEST(budgets_of_others)
{
	begin();
	world_add_pod(&w, "n0", "p", "cart");
	struct pdb *pdb = &world_add_pdb(&w, "cart", "cart", 0)->pdb;
	pdb->object.namespace_ = "elsewhere";
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 1);
	pdb->object.namespace_ = "shop";
	pdb->has_selector = false; /* a null selector matches nothing */
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 1);
	pdb->has_selector = true;
	pdb->selector.match_labels.count = 0; /* an empty one everything */
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 0);
	world_finish(&w);
}
END_TEST

START_TEST(parallelism)
{
	begin();
	rules.drain.parallelism = 3;
	for (int i = 0; i < 6; i++)
		world_add_pod(&w, "n0", kube_arena_printf(&w.arena, "p%d", i), "cart");
	w.pods[4]->pod.object.deleted_ms = w.now_ms;
	drain_nodes(1);
	size_t evicted = world_actions(&w, ACTION_EVICT_POD);
	ck_assert_uint_le(evicted + 1, 3); /* one is on its way already, wherever it stands in the list */
	ck_assert_uint_ge(evicted, 1);
	world_finish(&w);
}
END_TEST

START_TEST(refusals_of_the_server)
{
	begin();
	struct world_pod *pod = world_add_pod(&w, "n0", "p", "cart");
	world_add_pod(&w, "n0", "q", "cart");
	pod->fact = (struct eviction_fact){.kind = "Webhook",
	                                   .namespace_ = "",
	                                   .name = "guard",
	                                   .message = "no",
	                                   .since_ms = w.now_ms,
	                                   .retry_at_ms = w.now_ms + SECONDS(5)};
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 1);
	ck_assert_str_eq(drain.blocker.kind, "Webhook");
	ck_assert_int_eq(w.result.look_again_ms, w.now_ms + SECONDS(5));
	w.now_ms += SECONDS(5);
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 2);
	ck_assert_int_eq(w.result.look_again_ms, KUBE_TIME_NONE);
	world_finish(&w);
}
END_TEST

/* The server's clock was ahead, and has been set right. */
START_TEST(no_refusal_holds_until_a_clock_that_was_set_back)
{
	begin();
	struct world_pod *pod = world_add_pod(&w, "n0", "p", "cart");
	pod->fact = (struct eviction_fact){
	    .kind = "Webhook", .namespace_ = "", .name = "guard", .message = "no", .since_ms = w.now_ms + SECONDS(3600)};
	pod->fact.retry_at_ms = pod->fact.since_ms + SECONDS(5);
	drain_nodes(1);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 1);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/drain", filters, one_budget_for_all_nodes, few_evictions_at_a_time, evictions_under_way, unready_pods,
           two_budgets, two_budgets_do_not_hold_what_is_over, budgets_of_others, parallelism, refusals_of_the_server,
           no_refusal_holds_until_a_clock_that_was_set_back)
