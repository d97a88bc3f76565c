/* patchwright.io/hold: a person's word that a node is not to be touched. That it is not is asserted at every effect. */
#include "test/unit/plan/world.h"

#define ONE_WAVE "'maxUnavailable':2,'waves':[{'name':'all'}]"
#define WHY "disk is being replaced"

static struct world w;

static struct world_rollout *begin(int nodes, bool rollback)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, rollback, ONE_WAVE, ""), false);
	world_add_nodes(&w, nodes);
	return world_add_rollout(&w, "r1");
}

static void check_end(const struct world_rollout *r, enum outcome outcome, const char *what)
{
	ck_assert_msg(r->rollout->status.outcome == (int)outcome, "%s: it is %s: %s", what,
	              outcome_names[r->rollout->status.outcome], r->rollout->status.summary);
	world_check_tidy(&w, r);
}

/* Also where nothing happens any more. */
static void pass_time(int64_t ms)
{
	int64_t until = w.now_ms + ms;
	world_run(&w, ms);
	w.now_ms = until;
	world_run(&w, 0);
}

static const struct wave_status *wave_of(const struct world_rollout *r)
{
	return &r->rollout->status.waves.items[0];
}

START_TEST(it_is_not_started)
{
	struct world_rollout *r = begin(4, false);
	world_hold(&w, "n01", WHY);
	world_hold(&w, "n03", "");
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	ck_assert_int_eq(r->rollout->status.counts.patched, 2);
	ck_assert_uint_eq(w.claims, 2);
	ck_assert_int_eq(wave_of(r)->state, WAVE_RUNNING);
	ck_assert_str_eq(wave_of(r)->reason, "NodeHeld");
	ck_assert_str_eq(wave_of(r)->message, "n01 is held: " WHY " (and 1 more)");
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "node n01 is held: " WHY));
	const struct condition *progressing = condition_get(&r->rollout->status.conditions, "Progressing");
	ck_assert_int_eq(progressing->status, CONDITION_FALSE);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "NodeHeld"), 1);
	world_hold(&w, "n01", NULL);
	world_run(&w, MINUTES(600));
	ck_assert_str_eq(wave_of(r)->message, "n03 is held: no reason given");
	world_hold(&w, "n03", NULL);
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED, "the holds are gone");
	ck_assert_str_eq(wave_of(r)->reason, "");
	world_finish(&w);
}
END_TEST

struct at_work {
	const char *what;
	enum step step;
	enum host host;
	bool pods, rollback;
	enum outcome outcome;
};

static const struct at_work cases[] = {
    {"draining", STEP_DRAINING, HOST_OBEYS, true, false, OUTCOME_SUCCEEDED},
    {"patching", STEP_PATCHING, HOST_OBEYS, false, false, OUTCOME_SUCCEEDED},
    {"patching, it fails", STEP_PATCHING, HOST_FAILS, false, false, OUTCOME_FAILED},
    {"verifying", STEP_VERIFYING, HOST_LAGS, false, false, OUTCOME_SUCCEEDED},
    {"settling", STEP_SETTLING, HOST_OBEYS, false, false, OUTCOME_SUCCEEDED},
    {"rolling back", STEP_ROLLING_BACK, HOST_BREAKS, true, true, OUTCOME_ROLLED_BACK},
};

static struct world_rollout *begin_case(const struct at_work *c)
{
	struct world_rollout *r = begin(1, c->rollback);
	w.nodes[0]->host = c->host;
	w.nodes[0]->rollback_host = HOST_OBEYS;
	if (c->pods)
		world_add_pod(&w, "n01", "cart", "cart")->stays = c->step == STEP_DRAINING;
	world_run_to(&w, "n01", c->step);
	return r;
}

static void check_held(const struct world_rollout *r, int64_t since)
{
	const struct blocker *blocker = &world_active(r, "n01")->blocked_by;
	ck_assert_str_eq(blocker->kind, "Hold");
	ck_assert_str_eq(blocker->name, "n01");
	ck_assert_ptr_nonnull(strstr(blocker->message, WHY));
	ck_assert_int_le(blocker->since_ms, since + SECONDS(1));
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, WHY));
	ck_assert_str_eq(wave_of(r)->reason, wave_of(r)->state == WAVE_FAILED ? "TargetFailed" : "NodeHeld");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_PAUSE, "NodeHeld"), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_RESUME, NULL), 0);
}

static void hold_for_hours(const struct at_work *c, int lag)
{
	struct world_rollout *r = begin_case(c);
	size_t writes = w.writes, jobs = w.job_name_count, evictions = w.evictions;
	enum step step = world_step_of(&w, "n01");
	int64_t since = w.now_ms;

	w.lag = lag;
	world_hold(&w, "n01", WHY);
	pass_time(MINUTES(600));
	ck_assert_uint_eq(w.writes, writes);
	ck_assert_uint_eq(w.job_name_count, jobs);
	ck_assert_uint_eq(w.evictions, evictions);
	ck_assert_int_eq(world_step_of(&w, "n01"), step);
	check_held(r, since);
	for (size_t p = 0; p < w.pod_count; p++) /* a pod that did not go before, goes after the hold */
		if (w.pods[p]->stays && w.pods[p]->pod.object.deleted_ms != KUBE_TIME_NONE)
			w.pods[p]->end_ms = w.now_ms + SECONDS(5);
		else
			w.pods[p]->stays = false;
	world_hold(&w, "n01", NULL);
	world_run(&w, MINUTES(600));
	check_end(r, c->outcome, c->what);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_RESUME, "HoldEnded"), 1);
	world_finish(&w);
}

/* No time that it was held counts. */
START_TEST(in_work_it_stays_as_it_is)
{
	for (int lag = 0; lag <= 2; lag++)
		for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
			hold_for_hours(&cases[i], lag);
}
END_TEST

START_TEST(twice)
{
	struct world_rollout *r = begin_case(&cases[4]);
	for (int i = 0; i < 2; i++) {
		world_hold(&w, "n01", WHY);
		pass_time(MINUTES(30));
		world_hold(&w, "n01", NULL);
		world_run(&w, SECONDS(5));
	}
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED, "twice");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_PAUSE, NULL), 2);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_RESUME, NULL), 2);
	world_finish(&w);
}
END_TEST

/* The status has whole seconds only. */
START_TEST(for_a_moment)
{
	for (int64_t ms = 1; ms < 3000; ms += 311) {
		struct world_rollout *r = begin_case(&cases[4]);
		w.now_ms += 700;
		world_hold(&w, "n01", WHY);
		pass_time(ms);
		world_hold(&w, "n01", NULL);
		world_run(&w, MINUTES(600));
		check_end(r, OUTCOME_SUCCEEDED, "for a moment");
		world_finish(&w);
	}
}
END_TEST

/* Granted, and not touched: its place is given to another. */
START_TEST(between_grant_and_claim)
{
	struct world_rollout *r = begin(3, false);
	while (!world_active(r, "n01"))
		ck_assert(world_step(&w));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_NONE);
	world_hold(&w, "n01", WHY);
	pass_time(MINUTES(600));
	ck_assert_ptr_null(world_active(r, "n01"));
	ck_assert_int_eq(r->rollout->status.counts.patched, 2);
	world_hold(&w, "n01", NULL);
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED, "it is granted again");
	world_finish(&w);
}
END_TEST

/* Its cordon may be what the hold is for. */
START_TEST(the_rollout_is_deleted_meanwhile)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r = begin_case(&cases[i]);
		bool cordoned = w.nodes[0]->node.unschedulable;
		world_hold(&w, "n01", WHY);
		world_delete_rollout(&w, r);
		pass_time(MINUTES(600));
		ck_assert_int_eq(w.nodes[0]->node.unschedulable, cordoned);
		ck_assert(!r->gone);
		world_hold(&w, "n01", NULL);
		world_run(&w, MINUTES(600));
		ck_assert_msg(r->gone, "%s: %s", cases[i].what, r->rollout->status.summary);
		world_check_tidy(&w, r);
		world_finish(&w);
	}
}
END_TEST

START_TEST(the_plan_is_lost_meanwhile)
{
	struct world_rollout *r = begin_case(&cases[0]);
	world_hold(&w, "n01", WHY);
	w.revision_count = 0;
	world_delete_rollout(&w, r);
	world_run(&w, MINUTES(60));
	ck_assert(w.nodes[0]->node.unschedulable && !r->gone);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, WHY));
	world_hold(&w, "n01", NULL);
	world_run(&w, MINUTES(60));
	ck_assert(!w.nodes[0]->node.unschedulable && r->gone);
	world_finish(&w);
}
END_TEST

/* What has ended is over: our record goes, and nothing else is changed. */
START_TEST(after_its_end)
{
	struct world_rollout *r = begin(2, false);
	world_run_to(&w, "n02", STEP_PATCHED);
	world_hold(&w, "n02", WHY);
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED, "held after its end");
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/hold", it_is_not_started, in_work_it_stays_as_it_is, twice, for_a_moment, between_grant_and_claim,
           the_rollout_is_deleted_meanwhile, the_plan_is_lost_meanwhile, after_its_end)
