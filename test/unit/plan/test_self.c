/* The node that the controller runs on: last of its wave, its pod last of all; not where nobody could take it over. */
#include "test/unit/plan/world.h"

#define ONE_WAVE "'maxUnavailable':1,'waves':[{'name':'all'}]"

static struct world w;

/* The controller runs on n01. */
static struct world_rollout *begin(int nodes, const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, ONE_WAVE, drain), false);
	world_add_nodes(&w, nodes);
	w.self = &world_add_pod(&w, "n01", "controller", "patchwright")->pod;
	return world_add_rollout(&w, "r1");
}

static void check_done(const struct world_rollout *r)
{
	ck_assert_msg(r->rollout->status.outcome == OUTCOME_SUCCEEDED, "%s", r->rollout->status.summary);
	world_check_tidy(&w, r);
}

/* That the pod is the last one is asserted at its eviction. */
START_TEST(node_and_pod_are_last)
{
	struct world_rollout *r = begin(3, "");
	world_add_pod(&w, "n01", "a-cart", "cart");
	world_add_pod(&w, "n01", "z-cart", "cart");
	int64_t until = w.now_ms + MINUTES(60);

	while (world_step_of(&w, "n01") == STEP_NONE)
		ck_assert(world_tick(&w, until));
	ck_assert_int_eq(r->rollout->status.counts.patched, 2);
	ck_assert_ptr_nonnull(w.self);
	world_run(&w, MINUTES(60));
	ck_assert_ptr_null(w.self);
	ck_assert_uint_eq(w.evictions, 3);
	check_done(r);
	world_finish(&w);
}
END_TEST

START_TEST(evicted_as_our_own)
{
	struct world_rollout *r = begin(2, "");

	world_run_to(&w, "n01", STEP_DRAINING);
	world_plan(&w, r);
	const struct action *action = world_action(&w, ACTION_EVICT_POD);
	ck_assert_ptr_nonnull(action);
	ck_assert(action->evict.self && action->evict.pod == w.self);
	world_finish(&w);
}
END_TEST

START_TEST(not_where_nobody_could_take_it)
{
	struct world_rollout *r = begin(1, "");

	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_str_eq(condition_get(&r->rollout->status.conditions, "Progressing")->reason, "SelfDrainUnsafe");
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "node n01 runs this controller (pod shop/controller)"));
	world_add_node(&w, "spare");
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

/* The other node goes down when the drain has begun: the pod waits for it, and the status says so. */
START_TEST(nobody_could_take_it_any_more)
{
	struct world_rollout *r = begin(2, "");
	struct world_pod *cart = world_add_pod(&w, "n01", "cart", "cart");

	cart->stays = true;
	world_run_to(&w, "n01", STEP_DRAINING);
	world_run(&w, SECONDS(5));
	world_set_ready(&w, "n02", false);
	cart->gone = true;
	world_run(&w, MINUTES(5));
	ck_assert_ptr_nonnull(w.self);
	ck_assert_ptr_nonnull(strstr(world_active(r, "n01")->blocked_by.message, "no other node is Ready"));
	world_set_ready(&w, "n02", true);
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

/* What a drain leaves on the node comes back with it. */
START_TEST(it_may_stay)
{
	static const struct {
		const char *drain, *owner;
	} cases[] = {{"'enabled':false", "ReplicaSet"},
	             {"'podSelector':{'matchLabels':{'app':'cart'}}", "ReplicaSet"},
	             {"", "DaemonSet"}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r = begin(1, cases[i].drain);
		w.pods[0]->pod.owner_kind = cases[i].owner;
		world_run(&w, MINUTES(60));
		check_done(r);
		ck_assert_ptr_nonnull(w.self);
		world_finish(&w);
	}
}
END_TEST

CHECK_MAIN("plan/self", node_and_pod_are_last, evicted_as_our_own, not_where_nobody_could_take_it,
           nobody_could_take_it_any_more, it_may_stay)
