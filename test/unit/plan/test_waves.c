/* Waves: the soak, which is continuous, and how many failures are tolerated. */
#include "test/unit/plan/world.h"

#define SOAKED(size) "'waves':[{'name':'canary','size':" size ",'soak':'10m'},{'name':'rest'}]"

static struct world w;

static struct world_rollout *begin(int nodes, const char *strategy)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, strategy, "'enabled':false"), false);
	world_add_nodes(&w, nodes);
	return world_add_rollout(&w, "r1");
}

static const struct wave_status *wave_of(const struct world_rollout *r, size_t index)
{
	return &r->rollout->status.waves.items[index];
}

static void run_to_soak(const struct world_rollout *r)
{
	while (r->rollout->status.waves.count == 0 || wave_of(r, 0)->state != WAVE_SOAKING)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
}

static void check_end(const struct world_rollout *r, enum outcome outcome, int64_t patched, int64_t failed)
{
	const struct rollout_status *status = &r->rollout->status;
	ck_assert_msg(status->outcome == (int)outcome, "it is %s: %s", outcome_names[status->outcome], status->summary);
	ck_assert_int_eq(status->counts.patched, patched);
	ck_assert_int_eq(status->counts.failed, failed);
	ck_assert_str_eq(status->current_wave, "");
	world_check_tidy(&w, r);
}

static void check_failure(const struct world_rollout *r, size_t index, const char *node, const char *reason)
{
	ck_assert_uint_gt(r->rollout->status.failed.count, index);
	const struct failure *failure = &r->rollout->status.failed.items[index];
	ck_assert_str_eq(failure->node, node);
	ck_assert_str_eq(failure->reason, reason);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_FAIL, reason), 1);
}

/* ---- the soak ---- */

START_TEST(a_break_begins_it_anew)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	run_to_soak(r);
	world_run(&w, MINUTES(9));
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(5));
	ck_assert_int_eq(wave_of(r, 0)->state, WAVE_SOAKING);
	ck_assert_str_eq(wave_of(r, 0)->reason, "NodeNotReady");
	ck_assert_ptr_nonnull(strstr(wave_of(r, 0)->message, "n01 is not Ready since"));
	ck_assert_int_eq(wave_of(r, 0)->soak_until_ms, KUBE_TIME_NONE);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "n01 is not Ready since"));
	ck_assert_int_eq(world_step_of(&w, "n02"), STEP_NONE);
	int64_t back = w.now_ms;
	world_set_ready(&w, "n01", true);
	world_run_to(&w, "n02", STEP_PATCHING);
	ck_assert_int_ge(w.now_ms - back, MINUTES(10));
	ck_assert_int_lt(w.now_ms - back, MINUTES(11));
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED, 2, 0);
	world_finish(&w);
}
END_TEST

/* The status has whole seconds only: none of the soak is lost by that. */
START_TEST(it_is_not_a_moment_too_short)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	w.now_ms += 700;
	run_to_soak(r);
	int64_t done = w.now_ms;
	ck_assert_int_ne(done % 1000, 0);
	world_run_to(&w, "n02", STEP_PATCHING);
	ck_assert_int_ge(w.now_ms - done, MINUTES(10));
	world_finish(&w);
}
END_TEST

/* What the node did meanwhile shows in its Ready condition, whoever looked. */
START_TEST(nobody_looked_meanwhile)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	run_to_soak(r);
	w.now_ms += MINUTES(8);
	world_set_ready(&w, "n01", false);
	w.now_ms += MINUTES(1);
	world_set_ready(&w, "n01", true);
	int64_t back = w.now_ms;
	w.now_ms += MINUTES(3);
	world_run_to(&w, "n02", STEP_PATCHING);
	ck_assert_int_ge(w.now_ms - back, MINUTES(10));
	ck_assert_int_lt(w.now_ms - back, MINUTES(11));
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED, 2, 0);
	world_finish(&w);
}
END_TEST

START_TEST(a_node_that_does_not_come_back)
{
	struct world_rollout *r = begin(3, SOAKED("1"));
	run_to_soak(r);
	world_run(&w, MINUTES(9));
	world_set_ready(&w, "n01", false);
	int64_t down = w.now_ms;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_FAILED, 0, 1);
	check_failure(r, 0, "n01", "NodeNotReady");
	ck_assert_int_ge(r->rollout->status.finished_ms - down, MINUTES(10));
	ck_assert_int_lt(r->rollout->status.finished_ms - down, MINUTES(11));
	ck_assert_int_eq(wave_of(r, 0)->state, WAVE_FAILED);
	ck_assert_str_eq(wave_of(r, 0)->reason, "TargetFailed");
	ck_assert_str_eq(wave_of(r, 0)->message, "1 of 3 targets failed, none may");
	ck_assert_int_eq(wave_of(r, 0)->failed, 1);
	ck_assert_int_eq(wave_of(r, 1)->state, WAVE_PENDING);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, "TargetFailed"), 1);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_str_eq(world_report(&w, r, 1)->reasons[0], "NodeNotReady");
	world_finish(&w);
}
END_TEST

/* A second long break does not fit any more; before, each began the soak anew. */
START_TEST(a_node_that_comes_and_goes)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	run_to_soak(r);
	int64_t soaks_since = w.now_ms;
	for (int i = 0; i < 20 && r->rollout->status.outcome == OUTCOME_NONE; i++) {
		world_run(&w, MINUTES(8));
		world_set_ready(&w, "n01", false);
		world_run(&w, MINUTES(1));
		world_set_ready(&w, "n01", true);
	}
	world_run(&w, MINUTES(10));
	check_end(r, OUTCOME_FAILED, 0, 1);
	check_failure(r, 0, "n01", "NodeUnstable");
	ck_assert_int_le(r->rollout->status.finished_ms - soaks_since, MINUTES(31));
	ck_assert_int_eq(world_step_of(&w, "n02"), STEP_NONE);
	world_finish(&w);
}
END_TEST

START_TEST(the_longest_break_that_is_allowed)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	run_to_soak(r);
	world_run(&w, MINUTES(10) - SECONDS(1));
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(10) - SECONDS(1));
	world_set_ready(&w, "n01", true);
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED, 2, 0);
	world_finish(&w);
}
END_TEST

/* From what it shows now no way is supported, but that it is an old one is sure. */
START_TEST(a_version_that_is_taken_back_too_far)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	world_set_policy(&w,
	                 "'target':{'type':'Nodes','nodes':{'selector':{'matchLabels':{'pool':'workers'}}}},"
	                 "'patches':[{'component':'ContainerRuntime','version':'" NEW "','supportedFrom':['>=1.6.0'],"
	                 "'job':{'image':'x','timeout':'1m'}}],'drain':{'enabled':false},'strategy':{" SOAKED("1") "}",
	                 false);
	run_to_soak(r);
	world_run(&w, MINUTES(5));
	w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://1.5.2";
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_FAILED, 0, 1);
	check_failure(r, 0, "n01", "VersionLost");
	world_finish(&w);
}
END_TEST

START_TEST(a_version_that_is_taken_back)
{
	struct world_rollout *r = begin(2, SOAKED("1"));
	run_to_soak(r);
	world_run(&w, MINUTES(5));
	w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" OLD;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_FAILED, 0, 1);
	check_failure(r, 0, "n01", "VersionLost");
	ck_assert_int_eq(world_step_of(&w, "n02"), STEP_NONE);
	world_finish(&w);
}
END_TEST

START_TEST(a_node_that_vanishes)
{
	struct world_rollout *r = begin(3, SOAKED("2"));
	run_to_soak(r);
	world_run(&w, MINUTES(5));
	world_delete_node(&w, "n01");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.counts.skipped, 1);
	check_end(r, OUTCOME_SUCCEEDED, 2, 0);
	world_finish(&w);
}
END_TEST

/* The others have soaked long enough by then, and so the wave passes without the one that is lost. */
START_TEST(one_may_be_lost)
{
	struct world_rollout *r = begin(5, "'failureBudget':1,'maxUnavailable':5," SOAKED("2"));
	run_to_soak(r);
	world_run(&w, MINUTES(5));
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_FAILED, 4, 1);
	check_failure(r, 0, "n01", "NodeNotReady");
	ck_assert_int_eq(wave_of(r, 0)->state, WAVE_PASSED);
	ck_assert_int_eq(wave_of(r, 0)->patched, 1);
	ck_assert_int_eq(wave_of(r, 0)->failed, 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, NULL), 0);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_PROMOTE, NULL), 2);
	world_finish(&w);
}
END_TEST

/* Once lost it has failed, also when it is back. */
START_TEST(lost_and_back)
{
	struct world_rollout *r = begin(4, "'failureBudget':1,'maxUnavailable':5," SOAKED("2"));
	run_to_soak(r);
	world_run(&w, MINUTES(2));
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(10));
	check_failure(r, 0, "n01", "NodeNotReady");
	world_set_ready(&w, "n01", true);
	w.nodes[2]->host = HOST_FAILS;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_FAILED, 2, 2);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, NULL), 1);
	world_finish(&w);
}
END_TEST

/* More than the status has room for are too many, whatever the budget says. */
START_TEST(more_lost_than_can_be_listed)
{
	struct world_rollout *r = begin(60, "'failureBudget':'100%','maxUnavailable':'100%'," SOAKED("59"));
	run_to_soak(r);
	for (int i = 0; i < 55; i++)
		world_set_ready(&w, w.nodes[i]->node.object.name, false);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_FAILED);
	ck_assert_uint_eq(r->rollout->status.failed.count, MAX_FAILED);
	ck_assert_int_eq(wave_of(r, 0)->state, WAVE_FAILED);
	ck_assert_int_eq(wave_of(r, 1)->state, WAVE_PENDING);
	world_finish(&w);
}
END_TEST

/* ---- the failure budget ---- */

START_TEST(failure_budget)
{
	static const struct {
		const char *budget;
		int fail; /* so many of ten nodes, which come one after the other, the first three in a wave of their own */
		int from; /* the first of them */
		int64_t patched, failed;
		enum wave_state canary, rest;
		const char *reason;
	} cases[] = {
	    {"0", 0, 0, 10, 0, WAVE_PASSED, WAVE_PASSED, NULL},
	    {"0", 1, 1, 1, 1, WAVE_FAILED, WAVE_PENDING, "TargetFailed"},
	    {"0", 1, 5, 5, 1, WAVE_PASSED, WAVE_FAILED, "TargetFailed"},
	    {"1", 1, 1, 9, 1, WAVE_PASSED, WAVE_PASSED, NULL},
	    {"1", 2, 1, 1, 2, WAVE_FAILED, WAVE_PENDING, "TargetFailed"},
	    {"1", 2, 2, 2, 2, WAVE_PASSED, WAVE_FAILED, "TargetFailed"},
	    {"'10%'", 1, 8, 9, 1, WAVE_PASSED, WAVE_PASSED, NULL},
	    {"'19%'", 2, 8, 8, 2, WAVE_PASSED, WAVE_FAILED, "TargetFailed"},
	    {"'20%'", 2, 8, 8, 2, WAVE_PASSED, WAVE_PASSED, NULL},
	    {"'9%'", 1, 8, 8, 1, WAVE_PASSED, WAVE_FAILED, "TargetFailed"},
	    {"'100%'", 3, 0, 0, 3, WAVE_FAILED, WAVE_PENDING, "EveryTargetFailed"},
	    {"'100%'", 7, 3, 3, 7, WAVE_PASSED, WAVE_FAILED, "EveryTargetFailed"},
	    {"'100%'", 6, 4, 4, 6, WAVE_PASSED, WAVE_PASSED, NULL},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r =
		    begin(10, kube_arena_printf(&w.arena,
		                                "'failureBudget':%s,'maxUnavailable':20,'onFailure':'Uncordon',"
		                                "'waves':[{'name':'canary','size':3,'maxUnavailable':1},{'name':'rest',"
		                                "'maxUnavailable':1}]",
		                                cases[i].budget));
		for (int k = 0; k < cases[i].fail; k++)
			w.nodes[cases[i].from + k]->host = HOST_FAILS;
		world_run(&w, MINUTES(600));
		check_end(r, cases[i].failed ? OUTCOME_FAILED : OUTCOME_SUCCEEDED, cases[i].patched, cases[i].failed);
		ck_assert_msg(wave_of(r, 0)->state == (int)cases[i].canary && wave_of(r, 1)->state == (int)cases[i].rest,
		              "case %zu: %s, %s", i, wave_state_names[wave_of(r, 0)->state],
		              wave_state_names[wave_of(r, 1)->state]);
		ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, cases[i].reason), cases[i].reason ? 1 : 0);
		world_finish(&w);
	}
}
END_TEST

/* The list of failures is gone with the status; the nodes still tell. */
START_TEST(a_lost_status_forgives_nothing)
{
	struct world_rollout *r = begin(10, "'failureBudget':1,'maxUnavailable':2,'waves':[{'name':'all'}]");
	w.nodes[0]->host = w.nodes[5]->host = HOST_FAILS;
	world_run_to(&w, "n04", STEP_PATCHING);
	world_set_rollout(&w, r, "status", NULL);
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_FAILED, 4, 2);
	world_finish(&w);
}
END_TEST

/* A policy whose rollout tolerated a failure does not try that node again by itself. */
START_TEST(what_was_tolerated_is_not_tried_again)
{
	struct world_rollout *r = begin(5, "'failureBudget':1,'maxUnavailable':2,'waves':[{'name':'all'}]");
	w.nodes[1]->host = HOST_FAILS;
	w.auto_policy = true;
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_FAILED, 4, 1);
	ck_assert_uint_eq(w.rollout_count, 1);
	world_finish(&w);
}
END_TEST

/* It is unavailable, whoever cordoned it. */
START_TEST(a_quarantined_node_uses_the_budget)
{
	struct world_rollout *r = begin(5, "'failureBudget':1,'waves':[{'name':'all'}]");
	w.nodes[1]->host = HOST_FAILS;
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	ck_assert_uint_eq(w.claims, 2);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "1 of 5 nodes are unavailable (n02 is quarantined)"));
	w.nodes[1]->node.unschedulable = false;
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_FAILED, 4, 1);
	world_finish(&w);
}
END_TEST

START_TEST(an_empty_wave_says_so)
{
	struct world_rollout *r = begin(2, "'waves':[{'name':'a','size':5},{'name':'b'}]");
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED, 2, 0);
	ck_assert_str_eq(wave_of(r, 1)->reason, "NoTargets");
	ck_assert_str_eq(wave_of(r, 0)->reason, "");
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/waves", a_break_begins_it_anew, it_is_not_a_moment_too_short, nobody_looked_meanwhile,
           a_node_that_does_not_come_back, a_node_that_comes_and_goes, the_longest_break_that_is_allowed,
           a_version_that_is_taken_back, a_version_that_is_taken_back_too_far, a_node_that_vanishes, one_may_be_lost,
           lost_and_back, more_lost_than_can_be_listed, failure_budget, a_lost_status_forgives_nothing,
           what_was_tolerated_is_not_tried_again, a_quarantined_node_uses_the_budget, an_empty_wave_says_so)
