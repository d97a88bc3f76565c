/* spec.exceptions of a policy: nodes that are left as they are until a time. */
#include "test/unit/plan/world.h"

static struct world w;

#define STRATEGY "'order':['Name'],'waves':[{'name':'first','size':1},{'name':'rest'}]"

/* ends: what is behind the name of each, its selector being gpu=NAME */
static void set_exceptions(const char *exceptions)
{
	const char *spec = policy_spec(&w, 1, false, STRATEGY, "");
	const char *hash = w.policy ? w.policy->hash : NULL;
	const struct policy *before = w.policy;

	world_set_policy(&w, kube_arena_printf(&w.arena, "%s,'exceptions':[%s]", spec, exceptions), false);
	if (hash)
		ck_assert_str_eq(w.policy->hash, hash); /* they are about targets, and supersede nothing */
	if (before)
		w.policy->exceptions_seen.items = before->exceptions_seen.items,
		w.policy->exceptions_seen.count = before->exceptions_seen.count;
}

static const char *exception(const char *name, int64_t in_ms)
{
	char at[KUBE_TIME_TEXT_SIZE];
	return kube_arena_printf(&w.arena,
	                         "{'name':'%s','selector':{'matchLabels':{'gpu':'%s'}},'reason':'driver "
	                         "pinned','reference':'CHG-4711','expires':'%s'}",
	                         name, name, kube_time_format(w.now_ms + in_ms, at));
}

static struct world_rollout *begin(int nodes, const char *excepted)
{
	world_init(&w, NULL);
	world_add_nodes(&w, nodes);
	world_label(&w, world_node(&w, excepted), "gpu", "legacy");
	set_exceptions(exception("legacy", MINUTES(24 * 60)));
	return world_add_rollout(&w, "pool-1");
}

static const struct decision *decision_about(const struct world_rollout *r, const char *subject)
{
	for (size_t i = 0; i < r->rollout->status.decisions.count; i++)
		if (!strcmp(r->rollout->status.decisions.items[i].subject, subject))
			return &r->rollout->status.decisions.items[i];
	return NULL;
}

static void check_untouched(const char *name)
{
	const struct node *node = &world_node(&w, name)->node;
	ck_assert_ptr_null(node->state_text);
	ck_assert(!node->unschedulable);
	ck_assert_ptr_nonnull(strstr(node->node_info[NODE_INFO_CONTAINER_RUNTIME], OLD));
}

/* The canary is a node that can be one. */
START_TEST(it_is_not_planned)
{
	struct world_rollout *r = begin(4, "n01");
	world_run(&w, MINUTES(600));
	const struct rollout_status *status = &r->rollout->status;
	ck_assert_int_eq(status->outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(status->counts.total, 4);
	ck_assert_int_eq(status->counts.patched, 3);
	ck_assert_int_eq(status->counts.excepted, 1);
	ck_assert_int_eq(status->counts.skipped, 0);
	ck_assert_int_eq(status->waves.items[0].total, 1);
	ck_assert_int_eq(status->waves.items[0].patched, 1);
	ck_assert_int_eq(status->waves.items[1].total, 2);
	check_untouched("n01");
	const struct decision *skip = decision_about(r, "exception/legacy");
	ck_assert_int_eq(skip->type, DECISION_SKIP);
	ck_assert_str_eq(skip->rule, "exceptions");
	ck_assert_ptr_nonnull(strstr(skip->evidence, "n01: exception legacy until 20"));
	ck_assert_ptr_nonnull(strstr(skip->evidence, "driver pinned (CHG-4711)"));
	ck_assert_str_eq(world_report(&w, r, 1)->reasons[3], "Excepted");
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* Its name may be gone from the policy, or expire: the plan stands. */
START_TEST(planned_as_excepted_it_stays_so)
{
	struct world_rollout *r = begin(3, "n01");
	world_run_to(&w, "n02", STEP_PATCHING);
	set_exceptions("");
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.excepted, 1);
	check_untouched("n01");
	world_finish(&w);
}
END_TEST

START_TEST(excepted_while_it_runs)
{
	struct world_rollout *r = begin(4, "n04");
	set_exceptions("");
	world_run_to(&w, "n01", STEP_PATCHING);
	world_label(&w, world_node(&w, "n01"), "gpu", "legacy"); /* in work: it is brought to its end */
	set_exceptions(exception("legacy", MINUTES(24 * 60)));
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.patched, 3);
	ck_assert_int_eq(r->rollout->status.counts.excepted, 1);
	ck_assert_ptr_nonnull(decision_about(r, "exception/legacy"));
	check_untouched("n04");
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* Between the grant and the claim nothing was touched. */
START_TEST(excepted_before_the_claim)
{
	struct world_rollout *r = begin(1, "n01");
	set_exceptions("");
	while (!world_active(r, "n01"))
		world_tick(&w, w.now_ms + MINUTES(60));
	set_exceptions(exception("legacy", MINUTES(60)));
	world_run(&w, MINUTES(600));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.excepted, 1);
	world_finish(&w);
}
END_TEST

/* By a timer, as nothing else happens then. */
START_TEST(expired_while_its_wave_waits)
{
	struct world_rollout *r = begin(2, "n02");
	set_exceptions("");
	world_hold(&w, "n01", "somebody looks at it");
	world_run_to(&w, "n01", STEP_NONE);
	while (!r->rollout->status.plan_hash)
		world_tick(&w, w.now_ms + MINUTES(1));
	set_exceptions(exception("legacy", MINUTES(60)));
	world_plan(&w, r);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	ck_assert_int_eq(w.result.look_again_ms, w.policy->exceptions.items[0].expires_ms);
	world_finish(&w);
}
END_TEST

static const struct condition *condition_of(const struct policy_result *result, const char *type)
{
	return condition_get(&result->wanted.conditions, type);
}

static struct policy_result plan_now(struct kube_arena *arena)
{
	struct policy_result result;
	const struct node **nodes = plan_alloc(arena, w.node_count * sizeof(*nodes));
	for (size_t i = 0; i < w.node_count; i++)
		nodes[i] = &w.nodes[i]->node;
	plan_policy(&(struct policy_snapshot){.now_ms = w.now_ms,
	                                      .server_version = w.server_version,
	                                      .zones = w.zones,
	                                      .policy = w.policy,
	                                      .nodes = nodes,
	                                      .node_count = w.node_count},
	            arena, &result);
	return result;
}

START_TEST(the_policy_counts_it)
{
	begin(3, "n01");
	struct policy_result result = plan_now(&w.arena);
	ck_assert_int_eq(result.wanted.targets.total, 3);
	ck_assert_int_eq(result.wanted.targets.outdated, 2);
	ck_assert_int_eq(result.wanted.targets.excepted, 1);
	ck_assert_uint_eq(result.wanted.exceptions.count, 1);
	ck_assert_str_eq(result.wanted.exceptions.items[0].name, "legacy");
	ck_assert_int_eq(result.wanted.exceptions.items[0].nodes, 1);
	ck_assert_int_eq(result.look_again_ms, w.policy->exceptions.items[0].expires_ms);
	ck_assert_uint_eq(result.actions.count, 1);
	world_finish(&w);
}
END_TEST

/* Nothing is left to do, and not everything is as it should be. */
START_TEST(all_that_is_old_is_excepted)
{
	begin(1, "n01");
	struct policy_result result = plan_now(&w.arena);
	ck_assert_uint_eq(result.actions.count, 0);
	ck_assert_int_eq(condition_of(&result, "Ready")->status, CONDITION_TRUE);
	ck_assert_int_eq(condition_of(&result, "Drifted")->status, CONDITION_FALSE);
	ck_assert_int_eq(condition_of(&result, "UpToDate")->status, CONDITION_FALSE);
	ck_assert_str_eq(condition_of(&result, "UpToDate")->reason, "Excepted");
	w.now_ms = w.policy->exceptions.items[0].expires_ms;
	w.policy->exceptions_seen.items = result.wanted.exceptions.items;
	w.policy->exceptions_seen.count = result.wanted.exceptions.count;
	result = plan_now(&w.arena);
	ck_assert_int_eq(result.wanted.targets.outdated, 1);
	ck_assert_int_eq(condition_of(&result, "Accepted")->status, CONDITION_TRUE);
	ck_assert_uint_eq(result.wanted.exceptions.count, 1);
	ck_assert_int_eq(result.wanted.exceptions.items[0].nodes, 0);
	ck_assert_uint_eq(result.actions.count, 1);
	ck_assert_int_eq(result.actions.items[0].type, ACTION_CREATE_ROLLOUT);
	world_finish(&w);
}
END_TEST

/* A time that is over is a slip of the pen. */
START_TEST(expired_before_it_was_seen)
{
	struct world_rollout *r = begin(2, "n01");
	set_exceptions(
	    kube_arena_printf(&w.arena, "%s,%s", exception("legacy", MINUTES(5)), exception("old", -MINUTES(5))));
	struct policy_result result = plan_now(&w.arena);
	const struct condition *accepted = condition_of(&result, "Accepted");
	ck_assert_int_eq(accepted->status, CONDITION_FALSE);
	ck_assert_str_eq(accepted->reason, "ExceptionExpired");
	ck_assert_ptr_nonnull(strstr(accepted->message, "spec.exceptions[1].expires of exception old: "));
	ck_assert_uint_eq(result.wanted.exceptions.count, 1);
	world_run(&w, MINUTES(60));
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	ck_assert_str_eq(condition_get(&r->rollout->status.conditions, "Stalled")->reason, "PolicyNotAccepted");
	world_finish(&w);
}
END_TEST

/* Nobody has to look into a node that its owner keeps out. */
START_TEST(a_node_that_shows_nothing)
{
	begin(2, "n01");
	world_node(&w, "n01")->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "";
	world_node(&w, "n02")->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
	struct policy_result result = plan_now(&w.arena);
	ck_assert_int_eq(result.wanted.targets.excepted, 1);
	ck_assert_int_eq(result.wanted.targets.unsupported, 0);
	ck_assert_int_eq(condition_of(&result, "Ready")->status, CONDITION_TRUE);
	world_finish(&w);
}
END_TEST

/* The exception of the canary ends when its wave has passed: the next rollout takes the node. */
START_TEST(expired_when_its_wave_had_passed)
{
	struct world_rollout *r = begin(4, "n01");
	set_exceptions("");
	while (!r->rollout->status.plan_hash)
		ck_assert(world_tick(&w, w.now_ms));
	set_exceptions(exception("legacy", SECONDS(30)));
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.patched, 3);
	ck_assert_int_eq(r->rollout->status.counts.excepted, 0);
	check_untouched("n01");
	ck_assert_str_eq(world_report(&w, r, 1)->reasons[0], "NotStarted");
	world_finish(&w);
}
END_TEST

/* A quarter of the two nodes that are to be patched is none, whatever stands beside them. */
START_TEST(it_is_no_part_of_the_failure_budget)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 6);
	for (size_t i = 0; i < 4; i++)
		world_label(&w, w.nodes[i], "gpu", "legacy");
	const char *strategy = "'order':['Name'],'failureBudget':'25%','onFailure':'Uncordon','waves':[{'name':'all'}]";
	world_set_policy(&w,
	                 kube_arena_printf(&w.arena, "%s,'exceptions':[%s]", policy_spec(&w, 1, false, strategy, ""),
	                                   exception("legacy", MINUTES(24 * 60))),
	                 false);
	struct world_rollout *r = world_add_rollout(&w, "pool-1");
	w.nodes[4]->host = HOST_FAILS;
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_FAILED);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_str_eq(r->rollout->status.waves.items[0].message, "1 of 2 targets failed, none may");
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/exception", it_is_not_planned, planned_as_excepted_it_stays_so, excepted_while_it_runs,
           excepted_before_the_claim, expired_while_its_wave_waits, the_policy_counts_it, all_that_is_old_is_excepted,
           expired_before_it_was_seen, a_node_that_shows_nothing, it_is_no_part_of_the_failure_budget,
           expired_when_its_wave_had_passed)
