/* What becomes of a node whose pods do not leave in time: the four answers of drain.onTimeout. */
#include "test/unit/plan/world.h"

static struct world w;
static struct world_rollout *r;

/* Three nodes, one at a time; a budget that allows nothing keeps two pods on the first one. */
static void begin(const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w,
	                 policy_spec(&w, 1, true, "'maxUnavailable':1,'waves':[{'name':'a','size':1},{'name':'b'}]",
	                             kube_arena_printf(&w.arena, "'timeout':'10m',%s", drain)),
	                 false);
	world_add_nodes(&w, 3);
	world_label(&w, w.nodes[0], "patchwright.io/criticality", "low"); /* the first one */
	world_add_pod(&w, "n01", "db-0", "db");
	world_add_pod(&w, "n01", "db-1", "db");
	world_add_pod(&w, "n02", "web", "web");
	world_add_pdb(&w, "db", "db", 0);
	r = world_add_rollout(&w, "r1");
}

static const struct rollout_status *status(void)
{
	return &r->rollout->status;
}

static void end_as(enum outcome outcome)
{
	world_run(&w, MINUTES(600));
	ck_assert_msg(status()->outcome == (int)outcome, "%s: %s", outcome_names[status()->outcome], status()->summary);
	world_check_tidy(&w, r);
}

static const struct node *node(const char *name)
{
	return &world_node(&w, name)->node;
}

static void check_left_behind(void)
{
	ck_assert_int_eq(status()->counts.patched, 2);
	ck_assert_int_eq(status()->counts.skipped, 1);
	ck_assert_int_eq(status()->counts.failed, 0);
	ck_assert_uint_eq(status()->failed.count, 1);
	ck_assert_str_eq(status()->failed.items[0].node, "n01");
	ck_assert_str_eq(status()->failed.items[0].reason, "NotDrained");
	ck_assert_ptr_nonnull(strstr(status()->failed.items[0].message, "2 pods had not left after 10m"));
	ck_assert_ptr_nonnull(strstr(status()->failed.items[0].message, "PodDisruptionBudget shop/db"));
	for (size_t i = 0; i < status()->waves.count; i++)
		ck_assert_int_eq(status()->waves.items[i].state, WAVE_PASSED);
	for (size_t i = 0; i < status()->conditions.count; i++)
		if (!strcmp(status()->conditions.items[i].type, "Healthy"))
			ck_assert_int_eq(status()->conditions.items[i].status, CONDITION_TRUE);
	ck_assert(!w.pods[0]->gone && !w.pods[1]->gone);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, NULL), 0);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_FAIL, NULL), 0);
}

START_TEST(abort_ends_the_rollout)
{
	begin("'onTimeout':'Abort'");
	end_as(OUTCOME_FAILED);
	ck_assert_int_eq(status()->counts.patched, 0);
	ck_assert_int_eq(status()->counts.failed, 1);
	ck_assert_str_eq(status()->failed.items[0].reason, "DrainTimeout");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_FAIL, "DrainTimeout"), 1);
	ck_assert(!node("n01")->unschedulable && !node("n01")->quarantined);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_uint_eq(w.evictions + w.deletions, 0);
	world_finish(&w);
}
END_TEST

START_TEST(skip_goes_on)
{
	begin("'onTimeout':'Skip'");
	end_as(OUTCOME_SUCCEEDED);
	check_left_behind();
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_SKIP, "NotDrained"), 1);
	ck_assert(!node("n01")->unschedulable && !node("n01")->quarantined);
	world_finish(&w);
}
END_TEST

START_TEST(quarantine_goes_on)
{
	begin("'onTimeout':'Quarantine'");
	world_set_policy(&w,
	                 policy_spec(&w, 1, true, "'maxUnavailable':2,'waves':[{'name':'a','size':1},{'name':'b'}]",
	                             "'timeout':'10m','onTimeout':'Quarantine'"),
	                 false);
	end_as(OUTCOME_SUCCEEDED);
	check_left_behind();
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_QUARANTINE, "NotDrained"), 1);
	ck_assert(node("n01")->unschedulable && node("n01")->quarantined);
	ck_assert_int_eq(node("n01")->state->step, STEP_QUARANTINED);
	world_finish(&w);
}
END_TEST

/* A node that stays cordoned is unavailable, and counts: with a budget of one it is the last. */
START_TEST(quarantine_uses_the_budget)
{
	begin("'onTimeout':'Quarantine'");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(status()->outcome, OUTCOME_NONE);
	ck_assert_ptr_nonnull(
	    strstr(status()->summary, "1 of 3 nodes are unavailable (n01 is quarantined), and at most 1 may be"));
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);
}
END_TEST

START_TEST(force_deletes_what_a_budget_holds)
{
	begin("'onTimeout':'Force'");
	world_run_to(&w, "n01", STEP_DRAINING);
	int64_t since = w.now_ms;
	end_as(OUTCOME_SUCCEEDED);
	ck_assert_int_eq(status()->counts.patched, 3);
	ck_assert_uint_eq(w.deletions, 2);
	ck_assert_uint_eq(w.evictions, 1);
	ck_assert_int_eq(w.pods[0]->pod.object.deleted_ms, since + MINUTES(10));
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, "Force"), 1);
	for (size_t i = 0; i < status()->decisions.count; i++) {
		const struct decision *decision = &status()->decisions.items[i];
		if (decision->type != DECISION_OVERRIDE)
			continue;
		ck_assert_str_eq(decision->subject, "n01");
		ck_assert_str_eq(decision->rule, "drain.onTimeout");
		ck_assert_ptr_nonnull(strstr(decision->evidence, "shop/db-0, shop/db-1"));
	}
	world_finish(&w);
}
END_TEST

/* The decision is in the status before a pod is deleted; a controller that dies in between comes to the same. */
START_TEST(force_is_decided_first)
{
	begin("'onTimeout':'Force'");
	world_run_to(&w, "n01", STEP_DRAINING);
	int64_t until = w.now_ms + MINUTES(10);
	while (w.now_ms < until)
		ck_assert(world_tick(&w, until));
	world_plan(&w, r);
	ck_assert_uint_eq(world_actions(&w, ACTION_DELETE_POD), 0);
	ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 0);
	ck_assert(w.result.wanted.active.items[0].forced);
	world_step(&w);
	ck_assert(world_active(r, "n01")->forced);
	world_set_rollout(&w, r, "status.active", NULL); /* restored from somewhere else: the grant first, then again */
	world_set_rollout(&w, r, "status.decisions", NULL);
	world_step(&w);
	ck_assert(!world_active(r, "n01")->forced);
	ck_assert_uint_eq(w.deletions, 0);
	world_step(&w);
	ck_assert(world_active(r, "n01")->forced);
	world_step(&w);
	ck_assert_uint_eq(w.deletions, 2);
	world_finish(&w);
}
END_TEST

/* What the policy itself protects is not forced. */
START_TEST(force_keeps_what_would_be_lost)
{
	begin("'onTimeout':'Force'");
	w.pods[1]->pod.owner_kind = "";
	end_as(OUTCOME_FAILED);
	ck_assert(w.pods[0]->gone && !w.pods[1]->gone);
	ck_assert_str_eq(status()->failed.items[0].reason, "DrainTimeout");
	ck_assert(!node("n01")->unschedulable);
	ck_assert_int_eq(status()->finished_ms - status()->started_ms >= MINUTES(20), true);
	world_finish(&w);
}
END_TEST

START_TEST(force_has_nothing_to_delete)
{
	begin("'onTimeout':'Force'");
	w.pods[0]->pod.empty_dir = w.pods[1]->pod.empty_dir = true;
	end_as(OUTCOME_FAILED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 0);
	ck_assert_int_lt(status()->finished_ms - status()->started_ms, MINUTES(11));
	world_finish(&w);
}
END_TEST

START_TEST(pods_deleted_by_force_that_do_not_end)
{
	begin("'onTimeout':'Force'");
	w.pods[0]->stays = true;
	end_as(OUTCOME_FAILED);
	ck_assert_uint_eq(w.deletions, 2);
	ck_assert_str_eq(status()->failed.items[0].reason, "DrainTimeout");
	ck_assert_ptr_nonnull(strstr(status()->failed.items[0].message, "shop/db-0"));
	world_finish(&w);
}
END_TEST

/* Many pods: the evidence names some and counts the others. */
START_TEST(force_names_pods)
{
	begin("'onTimeout':'Force'");
	for (int i = 2; i < 30; i++)
		world_add_pod(&w, "n01", kube_arena_printf(&w.arena, "db-%d", i), "db");
	w.pdbs[0].pdb.current_healthy = 30;
	end_as(OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(w.deletions, 30);
	for (size_t i = 0; i < status()->decisions.count; i++)
		if (status()->decisions.items[i].type == DECISION_OVERRIDE)
			ck_assert_ptr_nonnull(strstr(status()->decisions.items[i].evidence, " and 22 more"));
	world_finish(&w);
}
END_TEST

/* Nodes that were left behind fill the list of failures; one that has failed stands there all the same. */
START_TEST(a_failure_behind_many_that_were_left_behind)
{
	world_init(&w, NULL);
	world_set_policy(&w,
	                 policy_spec(&w, 1, false, "'order':['Name'],'maxUnavailable':'100%','waves':[{'name':'all'}]",
	                             "'timeout':'1m','onTimeout':'Skip'"),
	                 false);
	world_add_nodes(&w, MAX_FAILED + 2);
	for (int i = 0; i <= MAX_FAILED; i++)
		world_add_pod(&w, w.nodes[i]->node.object.name, w.nodes[i]->node.object.name, "cart");
	world_add_pdb(&w, "cart", "cart", 0);
	w.nodes[MAX_FAILED + 1]->host = HOST_LIES; /* fails when the others have been left behind */
	r = world_add_rollout(&w, "r1");
	end_as(OUTCOME_FAILED);
	ck_assert_uint_eq(status()->failed.count, MAX_FAILED);
	ck_assert_ptr_nonnull(first_failure(status()));
	ck_assert_str_eq(first_failure(status())->node, w.nodes[MAX_FAILED + 1]->node.object.name);
	ck_assert_str_eq(status()->failed.items[0].reason, "NotDrained");
	world_check_condition(r, "Healthy", CONDITION_FALSE, "TargetsFailed", "");
	world_finish(&w);
}
END_TEST

/* Whatever the answer, the time is up when it is up, and a node that was cordoned before stays so. */
START_TEST(cordoned_before)
{
	for (int answer = DRAIN_ABORT; answer <= DRAIN_QUARANTINE; answer++) {
		begin(kube_arena_printf(&w.arena, "'onTimeout':'%s'", drain_timeout_names[answer]));
		w.nodes[0]->cordoned_before = w.nodes[0]->node.unschedulable = true;
		world_run(&w, MINUTES(600));
		ck_assert(node("n01")->unschedulable);
		ck_assert_int_eq(node("n01")->quarantined, answer == DRAIN_QUARANTINE);
		world_finish(&w);
	}
}
END_TEST

/* ---- what the policy does afterwards ---- */

static size_t rollouts(void)
{
	return w.rollout_count;
}

START_TEST(the_policy_tries_again_later)
{
	begin("'onTimeout':'Skip'");
	w.auto_policy = true;
	while (status()->outcome == OUTCOME_NONE || r->rollout->finalizer)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(600)));
	int64_t finished = status()->finished_ms;
	ck_assert_int_eq(status()->outcome, OUTCOME_SUCCEEDED);
	world_run(&w, finished + MINUTES(59) - w.now_ms);
	ck_assert_uint_eq(rollouts(), 1);
	w.pdbs[0].pdb.disruptions_allowed = 2;
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(rollouts(), 2);
	ck_assert_int_eq(w.rollouts[1].rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(w.rollouts[1].rollout->status.counts.patched, 1);
	world_finish(&w);
}
END_TEST

/* Somebody uncordons it while it is drained: it is not cordoned again as soon as the rollout is over. */
START_TEST(who_takes_a_node_back_has_it_for_a_while)
{
	begin("'onTimeout':'Abort'");
	w.auto_policy = true;
	world_run_to(&w, "n01", STEP_DRAINING);
	w.nodes[0]->node.unschedulable = false;
	while (status()->outcome == OUTCOME_NONE || r->rollout->finalizer)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(600)));
	ck_assert_int_eq(status()->outcome, OUTCOME_SUCCEEDED);
	ck_assert_str_eq(status()->failed.items[0].reason, "ForeignUncordon");
	ck_assert_int_eq(status()->counts.failed, 0);
	ck_assert_int_eq(status()->counts.skipped, 1);
	w.pdbs[0].pdb.disruptions_allowed = 2;
	world_run(&w, status()->finished_ms + MINUTES(59) - w.now_ms);
	ck_assert_uint_eq(rollouts(), 1);
	ck_assert(!node("n01")->unschedulable);
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(rollouts(), 2);
	ck_assert_int_eq(w.rollouts[1].rollout->status.counts.patched, 1);
	world_finish(&w);
}
END_TEST

/* A node that came later has not been tried. */
START_TEST(a_new_node_is_not_kept_waiting)
{
	begin("'onTimeout':'Skip'");
	w.auto_policy = true;
	while (status()->outcome == OUTCOME_NONE || r->rollout->finalizer)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(600)));
	w.now_ms += SECONDS(10);
	world_add_node(&w, "n99");
	world_run(&w, MINUTES(30));
	ck_assert_uint_eq(rollouts(), 2);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/drain_timeout", abort_ends_the_rollout, skip_goes_on, quarantine_goes_on, quarantine_uses_the_budget,
           force_deletes_what_a_budget_holds, force_is_decided_first, force_keeps_what_would_be_lost,
           force_has_nothing_to_delete, pods_deleted_by_force_that_do_not_end, force_names_pods,
           a_failure_behind_many_that_were_left_behind, cordoned_before, the_policy_tries_again_later,
           who_takes_a_node_back_has_it_for_a_while, a_new_node_is_not_kept_waiting)
