/* spec.intent: pause, go on, abort. That only granted nodes are touched is asserted at every effect. */
#include "test/unit/plan/world.h"

static struct world w;
static int generation;

static struct world_rollout *begin(int nodes)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, "'order':['Name'],'waves':[{'name':'all'}]", ""), false);
	world_add_nodes(&w, nodes);
	generation = 1;
	return world_add_rollout(&w, "pool-1");
}

/* As the API server does it: each change of the spec is another generation. */
static void want(struct world_rollout *r, const char *intent)
{
	world_set_rollout(&w, r, "spec.intent", intent);
	world_set_rollout(&w, r, "metadata.generation", kube_arena_printf(&w.arena, "%d", ++generation));
}

static const struct decision *last_of(const struct world_rollout *r, enum decision_type type)
{
	const struct decision *found = NULL;
	for (size_t i = 0; i < r->rollout->status.decisions.count; i++)
		if (r->rollout->status.decisions.items[i].type == (int)type)
			found = &r->rollout->status.decisions.items[i];
	ck_assert_msg(found != NULL, "no decision %s", decision_type_names[type]);
	return found;
}

static void check_condition(const struct world_rollout *r, int status, const char *reason)
{
	const struct condition *c = condition_get(&r->rollout->status.conditions, "Progressing");
	ck_assert_int_eq(c->status, status);
	ck_assert_str_eq(c->reason, reason);
}

#define PAUSE "{'action':'Pause','by':'alice','reason':'disks are being replaced'}"
#define RUN "{'action':'Run','by':'bob','reason':'done'}"
#define ABORT "{'action':'Abort','by':'alice','reason':'wrong version'}"

START_TEST(paused_what_is_in_work_goes_on)
{
	struct world_rollout *r = begin(3);
	world_run_to(&w, "n01", STEP_PATCHING);
	want(r, PAUSE);
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_PATCHED);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	check_condition(r, CONDITION_FALSE, "Paused");
	ck_assert_str_eq(r->rollout->status.summary, "paused by alice: disks are being replaced: wave all 1/3");
	const struct decision *pause = last_of(r, DECISION_PAUSE);
	ck_assert_str_eq(pause->actor, "alice");
	ck_assert_str_eq(pause->rule, "intent");
	ck_assert_str_eq(pause->evidence, "paused by alice: disks are being replaced");
	want(r, RUN);
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	const struct decision *resume = last_of(r, DECISION_RESUME);
	ck_assert_str_eq(resume->actor, "bob");
	ck_assert_str_eq(resume->evidence, "resumed by bob: done");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_PAUSE, "IntentPause"), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_RESUME, "IntentRun"), 1);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* Between a grant and the claim of its node nothing was touched. */
START_TEST(paused_before_the_claim)
{
	struct world_rollout *r = begin(2);
	while (!world_active(r, "n01"))
		world_tick(&w, w.now_ms + MINUTES(60));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_NONE);
	want(r, PAUSE);
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_uint_eq(r->rollout->status.active.count, 0);
	want(r, NULL);
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_str_eq(last_of(r, DECISION_RESUME)->actor, "unknown");
	ck_assert_str_eq(last_of(r, DECISION_RESUME)->evidence, "resumed by somebody");
	world_finish(&w);
}
END_TEST

START_TEST(each_pause_is_a_decision)
{
	struct world_rollout *r = begin(9);
	for (int i = 0; i < 3; i++) {
		want(r, PAUSE);
		world_run(&w, MINUTES(10));
		want(r, "{'action':'Pause','by':'alice','reason':'still'}");
		world_run(&w, MINUTES(10));
		want(r, RUN);
		world_run(&w, SECONDS(20));
		want(r, RUN); /* nothing has changed by that */
		world_run(&w, SECONDS(1));
	}
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_PAUSE, "IntentPause"), 6);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_RESUME, "IntentRun"), 3);
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(paused_it_is_not_planned)
{
	struct world_rollout *r = begin(2);
	want(r, PAUSE);
	world_run(&w, MINUTES(60));
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	check_condition(r, CONDITION_FALSE, "Paused");
	ck_assert_str_eq(r->rollout->status.summary, "paused by alice: disks are being replaced");
	last_of(r, DECISION_PAUSE);
	want(r, RUN);
	world_run(&w, MINUTES(600));
	last_of(r, DECISION_RESUME);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* The next rollout would begin what the pause has stopped. */
START_TEST(paused_it_is_not_superseded)
{
	struct world_rollout *r = begin(3);
	w.auto_policy = true;
	world_run_to(&w, "n01", STEP_PATCHING);
	want(r, PAUSE);
	world_set_policy(&w, policy_spec(&w, 1, true, "'waves':[{'name':'other'}]", ""), false);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	ck_assert_uint_eq(w.rollout_count, 1);
	want(r, RUN);
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUPERSEDED);
	ck_assert_uint_eq(w.rollout_count, 2);
	ck_assert_int_eq(w.rollouts[1].rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

struct aborted {
	enum step step; /* of n01, as it comes */
	enum step end;
};

static const struct aborted aborts[] = {
    {STEP_DRAINING, STEP_SKIPPED},
    {STEP_PATCHING, STEP_SKIPPED}, /* its job ends first */
    {STEP_SETTLING, STEP_SKIPPED},
    {STEP_PATCHED, STEP_PATCHED},
};

static void check_abort(const struct aborted *c)
{
	struct world_rollout *r = begin(3);
	w.auto_policy = true;
	if (c->step == STEP_DRAINING)
		world_add_pod(&w, "n01", "stays", "cart")->stays = true;
	world_run_to(&w, "n01", c->step);
	want(r, ABORT);
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_ABORTED);
	ck_assert(!r->gone);
	world_check_tidy(&w, r);
	ck_assert(!w.nodes[0]->node.unschedulable);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_int_eq(r->rollout->status.counts.patched, c->end == STEP_PATCHED);
	ck_assert_str_eq(last_of(r, DECISION_ABORT)->actor, "alice");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_ABORT, NULL), 1);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "aborted by alice: wrong version; "));
	ck_assert_uint_eq(w.rollout_count, 1); /* nobody tries again by himself */
	world_delete_rollout(&w, r);
	ck_assert(r->gone);
	world_finish(&w);
}

START_TEST(aborted_it_gives_back)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(aborts); i++)
		check_abort(&aborts[i]);
}
END_TEST

START_TEST(aborted_before_its_plan)
{
	struct world_rollout *r = begin(3);
	w.auto_policy = true;
	want(r, ABORT);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_ABORTED);
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_uint_eq(w.rollout_count, 1);
	last_of(r, DECISION_ABORT);
	world_check_tidy(&w, r);
	world_set_policy(&w, policy_spec(&w, 1, true, "'waves':[{'name':'other'}]", ""), false);
	world_run(&w, MINUTES(600));
	ck_assert_uint_eq(w.rollout_count, 2);
	ck_assert_int_eq(w.rollouts[1].rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* Whichever comes first, it is one end. */
START_TEST(aborted_then_deleted)
{
	struct world_rollout *r = begin(3);
	world_run_to(&w, "n01", STEP_PATCHING);
	want(r, ABORT);
	world_step(&w);
	world_delete_rollout(&w, r);
	world_run(&w, MINUTES(600));
	ck_assert(r->gone);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_ABORTED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_ABORT, NULL), 1);
	ck_assert(!w.nodes[0]->node.unschedulable && !w.nodes[0]->node.state_text);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/intent", paused_what_is_in_work_goes_on, paused_before_the_claim, each_pause_is_a_decision,
           paused_it_is_not_planned, paused_it_is_not_superseded, aborted_it_gives_back, aborted_before_its_plan,
           aborted_then_deleted)
