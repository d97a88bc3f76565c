/* Windows and freezes in a rollout: what starts when, what goes on, what is told. It begins on Monday at 14:13:20Z. */
#include "test/unit/plan/world.h"

#define ONE_WAVE "'waves':[{'name':'all'}]"
#define CANARY "'waves':[{'name':'canary','size':1,'soak':'10h'},{'name':'rest'}]"
#define NIGHT(duration) \
	"'windows':[{'name':'night','type':'Weekly','days':['Mon','Tue','Wed','Thu','Fri','Sat','Sun'],'start':'02:00'," \
	"'duration':'" duration "'}]"
#define SLOW_DRAIN "'timeout':'3h'"
#define HOURS(n) MINUTES(60 * (n))

static struct world w;

static int64_t at(const char *text)
{
	int64_t ms;
	ck_assert_int_eq(kube_time_parse(text, &ms, NULL), 0);
	return ms;
}

static struct world_rollout *begin(int nodes, const char *strategy, const char *drain, const char *windows)
{
	world_init(&w, NULL);
	world_set_policy(&w, kube_arena_printf(&w.arena, "%s,%s", policy_spec(&w, 1, false, strategy, drain), windows),
	                 false);
	world_add_nodes(&w, nodes);
	return world_add_rollout(&w, "r1");
}

/* Pods that take so long to go that each node takes it too. */
static void slow_down(int nodes, int64_t ms)
{
	w.pod_grace_ms = ms;
	for (int i = 0; i < nodes; i++)
		world_add_pod(&w, w.nodes[i]->node.object.name, kube_arena_printf(&w.arena, "pod-%d", i), "app");
}

static void run_to(const char *time)
{
	world_run(&w, at(time) - w.now_ms);
	w.now_ms = at(time);
}

static const struct condition *condition(const struct world_rollout *r, const char *type)
{
	return condition_get(&r->rollout->status.conditions, type);
}

/* The Wait decisions about windows; drains have others. */
static const struct decision *wait_decision(const struct world_rollout *r, size_t index)
{
	const struct rollout_status *status = &r->rollout->status;
	for (size_t i = 0; i < status->decisions.count; i++)
		if (status->decisions.items[i].type == DECISION_WAIT && !strcmp(status->decisions.items[i].rule, "windows") &&
		    index-- == 0)
			return &status->decisions.items[i];
	return NULL;
}

static void check_waits(const struct world_rollout *r, const char *first, const char *second, const char *third)
{
	const char *expected[] = {first, second, third, NULL};
	for (size_t i = 0; i < 4; i++) {
		const struct decision *wait = wait_decision(r, i);
		const char *reason = wait ? wait->reason : NULL;
		ck_assert_msg(!reason == !expected[i] && (!reason || !strcmp(reason, expected[i])), "wait %zu: %s: %s", i,
		              reason ? reason : "none", reason ? wait->evidence : "");
		if (!expected[i])
			return;
	}
}

START_TEST(nothing_starts_outside)
{
	struct world_rollout *r = begin(3, ONE_WAVE, "", NIGHT("4h"));
	run_to("2026-09-22T01:59:59Z");
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_uint_eq(r->rollout->status.active.count, 0);
	ck_assert_str_eq(r->rollout->status.summary, "wave all 0/3, waiting for window night, opens 2026-09-22T02:00:00Z");
	world_check_condition(r, "WindowOpen", CONDITION_FALSE, "WindowClosed",
	                      "window night opens at 2026-09-22T02:00:00Z");
	world_check_condition(r, "Progressing", CONDITION_FALSE, "WaitingForWindow", "waiting for window night");
	ck_assert_ptr_null(condition(r, "Stalled"));
	check_waits(r, "WindowClosed", NULL, NULL);
	ck_assert_str_eq(wait_decision(r, 0)->rule, "windows");
	ck_assert_str_eq(wait_decision(r, 0)->evidence,
	                 "no window is open; waiting for window night, opens 2026-09-22T02:00:00Z");
	ck_assert_int_eq(w.look_again_ms, at("2026-09-22T02:00:00Z"));
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.waves.items[0].patched, 3);
	check_waits(r, "WindowClosed", NULL, NULL);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

START_TEST(it_starts_as_the_window_opens)
{
	begin(1, ONE_WAVE, "", NIGHT("4h"));
	run_to("2026-09-22T01:00:00Z");
	world_run_to(&w, "n01", STEP_DRAINING);
	ck_assert_int_eq(world_claimed_at(&w, "n01"), at("2026-09-22T02:00:00Z"));
	world_finish(&w);
}
END_TEST

START_TEST(a_policy_without_windows_says_nothing_of_them)
{
	struct world_rollout *r = begin(2, ONE_WAVE, "", "'windows':[]");
	world_run_to(&w, "n01", STEP_DRAINING);
	ck_assert_ptr_null(condition(r, "WindowOpen"));
	world_finish(&w);
}
END_TEST

/* Two nodes take 12 minutes each; a third would run on beyond the half hour. */
START_TEST(only_what_can_be_done_is_started)
{
	struct world_rollout *r = begin(5, ONE_WAVE, SLOW_DRAIN, NIGHT("30m"));
	slow_down(5, MINUTES(12));
	run_to("2026-09-22T02:24:00Z");
	ck_assert_uint_eq(w.claims, 2);
	run_to("2026-09-22T02:27:00Z");
	ck_assert_uint_eq(w.claims, 2);
	ck_assert_int_eq(r->rollout->status.counts.patched, 2);
	ck_assert_ptr_nonnull(
	    strstr(r->rollout->status.summary, "wave all 2/5, waiting for window night, opens 2026-09-23T02:"));
	world_check_condition(r, "WindowOpen", CONDITION_TRUE, "WindowOpen",
	                      "window night is open until 2026-09-22T02:30:00Z");
	world_check_condition(r, "Progressing", CONDITION_FALSE, "WaitingForWindow", "");
	check_waits(r, "WindowClosed", "TooLateToStart", NULL);
	const char *evidence = wait_decision(r, 1)->evidence;
	ck_assert_msg(strstr(evidence, "it closes at 2026-09-22T02:30:00Z, and a node is expected to take 12m") != NULL,
	              "%s", evidence);
	ck_assert_msg(strstr(evidence, "(Draining 12m, Patching 5s, Settling 15s, the longest of the last 1)") != NULL,
	              "%s", evidence);
	/* It closes; the wait is the same one. */
	run_to("2026-09-23T01:00:00Z");
	ck_assert_uint_eq(w.claims, 2);
	check_waits(r, "WindowClosed", "TooLateToStart", NULL);
	world_check_condition(r, "WindowOpen", CONDITION_FALSE, "WindowClosed", "2026-09-23T02:00:00Z");
	run_to("2026-09-25T01:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* Each hour one opens that is too short; on Sunday, 130 of them later, one that is not. */
START_TEST(a_long_window_behind_many_short_ones)
{
	struct world_rollout *r = begin(3, ONE_WAVE, SLOW_DRAIN,
	                                "'windows':[{'name':'short','type':'Cron','schedule':'0 * * * *','duration':'10m'},"
	                                "{'name':'long','type':'Weekly','days':['Sun'],'start':'02:30','duration':'4h'}]");
	slow_down(3, MINUTES(12));
	run_to("2026-09-21T20:00:00Z");
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	ck_assert_str_eq(r->rollout->status.summary, "wave all 1/3, waiting for window long, opens 2026-09-27T02:30:00Z");
	ck_assert_ptr_null(condition(r, "Stalled"));
	run_to("2026-09-27T06:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* After the one in which n01 was patched. */
static void check_the_next_night_serves(struct world_rollout *r)
{
	run_to("2026-09-23T01:00:00Z");
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	ck_assert_ptr_null(condition(r, "Stalled"));
	world_run(&w, HOURS(24));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}

/* n01 was held for hours in the middle; the night is long enough for the others all the same. */
START_TEST(a_hold_is_no_duration)
{
	struct world_rollout *r = begin(3, ONE_WAVE, "", NIGHT("30m"));
	run_to("2026-09-22T02:00:00Z");
	world_run_to(&w, "n01", STEP_PATCHING);
	world_hold(&w, "n01", "disk is being replaced");
	run_to("2026-09-22T02:35:00Z");
	world_hold(&w, "n01", NULL);
	check_the_next_night_serves(r);
}
END_TEST

/* Nor is a night in which no controller ran. */
START_TEST(an_outage_is_no_duration)
{
	struct world_rollout *r = begin(3, ONE_WAVE, "", NIGHT("30m"));
	run_to("2026-09-22T02:00:00Z");
	world_run_to(&w, "n01", STEP_PATCHING);
	r->idle = true;
	run_to("2026-09-22T09:00:00Z");
	r->idle = false;
	check_the_next_night_serves(r);
}
END_TEST

/* Before anything is known a node is given what the policy's limits add up to, but no more than half of the window. */
START_TEST(the_first_starts_in_the_first_half)
{
	struct world_rollout *r = begin(1, ONE_WAVE, "", NIGHT("30m"));
	r->idle = true;
	run_to("2026-09-22T02:15:01Z");
	r->idle = false;
	world_run(&w, MINUTES(14));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_nonnull(strstr(wait_decision(r, 0)->evidence, "and the first node is given 15m"));
	run_to("2026-09-23T01:59:00Z");
	r->idle = true;
	run_to("2026-09-23T02:15:00Z");
	r->idle = false;
	world_run(&w, MINUTES(1));
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);
}
END_TEST

/* drain 5m + job 1m + observe 5m + settle 10m = 21m of a window of 4h */
START_TEST(in_a_long_window_the_limits_count)
{
	struct world_rollout *r = begin(1, ONE_WAVE, "'timeout':'5m'", NIGHT("4h"));
	r->idle = true;
	run_to("2026-09-22T05:39:00Z");
	r->idle = false;
	world_run(&w, MINUTES(1));
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);

	r = begin(1, ONE_WAVE, "'timeout':'5m'", NIGHT("4h"));
	r->idle = true;
	run_to("2026-09-22T05:39:01Z");
	r->idle = false;
	world_run(&w, MINUTES(10));
	ck_assert_uint_eq(w.claims, 0);
	world_finish(&w);
}
END_TEST

START_TEST(what_is_in_work_goes_on)
{
	struct world_rollout *r = begin(1, ONE_WAVE, SLOW_DRAIN, NIGHT("30m"));
	slow_down(1, MINUTES(120));
	world_run(&w, HOURS(24));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_ge(r->rollout->status.finished_ms, at("2026-09-22T04:00:00Z"));
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);
}
END_TEST

START_TEST(a_soak_goes_on_and_what_follows_it_waits)
{
	struct world_rollout *r = begin(2, CANARY, "", NIGHT("4h"));
	run_to("2026-09-22T12:30:00Z"); /* the soak was over at about 12:00 */
	ck_assert_int_eq(r->rollout->status.waves.items[0].state, WAVE_PASSED);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_ptr_nonnull(
	    strstr(r->rollout->status.summary, "wave rest 0/1, waiting for window night, opens 2026-09-23T"));
	run_to("2026-09-23T03:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* While a wave soaks nothing waits for a window. */
START_TEST(who_has_nothing_to_start_does_not_wait)
{
	struct world_rollout *r = begin(2, CANARY, "", NIGHT("4h"));
	run_to("2026-09-22T08:00:00Z");
	ck_assert_int_eq(r->rollout->status.waves.items[0].state, WAVE_SOAKING);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "soaking until"));
	world_check_condition(r, "Progressing", CONDITION_TRUE, "Working", "");
	world_check_condition(r, "WindowOpen", CONDITION_FALSE, "WindowClosed", "");
	check_waits(r, "WindowClosed", NULL, NULL);
	world_finish(&w);
}
END_TEST

START_TEST(a_rollback_is_not_held)
{
	world_init(&w, NULL);
	world_set_policy(
	    &w, kube_arena_printf(&w.arena, "%s,%s", policy_spec(&w, 1, true, ONE_WAVE, SLOW_DRAIN), NIGHT("30m")), false);
	world_add_nodes(&w, 1);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	w.nodes[0]->host = HOST_BREAKS;
	slow_down(1, MINUTES(60)); /* the job fails when the window is closed */
	run_to("2026-09-22T04:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_ROLLED_BACK);
	world_finish(&w);
}
END_TEST

START_TEST(no_window_is_long_enough)
{
	struct world_rollout *r = begin(2, ONE_WAVE, SLOW_DRAIN, NIGHT("10m"));
	slow_down(2, MINUTES(12));
	run_to("2026-09-22T03:00:00Z");
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	world_check_condition(r, "Stalled", CONDITION_TRUE, "WindowTooShort",
	                      "no window of the policy will be open for long enough");
	run_to("2026-09-23T02:05:00Z");
	world_check_condition(r, "Stalled", CONDITION_TRUE, "WindowTooShort", "a node is expected to take 12m");
	check_waits(r, "WindowClosed", "WindowClosed", "WindowTooShort"); /* before the first was done nobody knew */
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);
}
END_TEST

/* The night of Tuesday is too short, Saturday is long: what is waited for is the window that will do. */
START_TEST(a_longer_window_is_waited_for)
{
	struct world_rollout *r = begin(
	    2, ONE_WAVE, SLOW_DRAIN,
	    "'windows':[{'name':'night','type':'Cron','schedule':'0 2 * * 1-5','duration':'10m'},{'name':'weekend','type':"
	    "'Weekly','days':['Sat'],'start':'10:00','duration':'8h','timeZone':'Europe/Berlin'}]");
	slow_down(2, MINUTES(12));
	run_to("2026-09-22T03:00:00Z");
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "waiting for window weekend, opens 2026-09-26T08:00:00Z"));
	world_check_condition(r, "WindowOpen", CONDITION_FALSE, "WindowClosed",
	                      "window night opens at 2026-09-23T02:00:00Z");
	run_to("2026-09-26T09:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(a_freeze)
{
	struct world_rollout *r = begin(1, ONE_WAVE, "",
	                                "'freezes':[{'name':'launch','from':'2026-09-20T00:00:00Z','to':"
	                                "'2026-09-21T18:00:00Z','reason':'new shop'}]");
	run_to("2026-09-21T17:59:59Z");
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_str_eq(r->rollout->status.summary,
	                 "wave all 0/1, waiting for the end of freezes at 2026-09-21T18:00:00Z");
	world_check_condition(
	    r, "WindowOpen", CONDITION_FALSE, "Frozen",
	    "freeze launch (new shop) is on until 2026-09-21T18:00:00Z; it is open again at 2026-09-21T18:00:00Z");
	check_waits(r, "Frozen", NULL, NULL);
	world_run_to(&w, "n01", STEP_DRAINING);
	ck_assert_int_eq(world_claimed_at(&w, "n01"), at("2026-09-21T18:00:00Z"));
	world_finish(&w);
}
END_TEST

/* A grant of the last moment, of a controller that died behind it: the node is not touched any more. */
START_TEST(a_grant_that_the_window_outran)
{
	struct world_rollout *r = begin(1, ONE_WAVE, "", NIGHT("30m"));
	run_to("2026-09-22T01:59:59Z");
	w.now_ms = at("2026-09-22T02:00:00Z");
	world_step(&w);
	ck_assert_ptr_nonnull(world_active(r, "n01"));
	ck_assert_uint_eq(w.claims, 0);
	r->idle = true;
	run_to("2026-09-22T08:00:00Z");
	r->idle = false;
	world_run(&w, HOURS(10));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_uint_eq(r->rollout->status.active.count, 0);
	run_to("2026-09-23T03:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_START, NULL), 1);
	world_finish(&w);
}
END_TEST

START_TEST(a_zone_that_is_gone)
{
	struct world_rollout *r = begin(2, ONE_WAVE, SLOW_DRAIN, NIGHT("4h"));
	slow_down(2, MINUTES(10));
	run_to("2026-09-22T01:00:00Z");
	world_run_to(&w, "n01", STEP_DRAINING);
	w.zones.count = 0;
	world_run(&w, HOURS(2));
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_int_eq(r->rollout->status.counts.patched, 1); /* it was in work */
	world_check_condition(r, "WindowOpen", CONDITION_UNKNOWN, "UnknownTimeZone", "there is no time zone Etc/UTC");
	world_check_condition(r, "Stalled", CONDITION_TRUE, "UnknownTimeZone", "spec.windows[0].timeZone of window night");
	w.zones.count = 2; /* somebody installs it */
	world_run(&w, MINUTES(20));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* A freeze that is added to a policy is another policy: the rollout ends with what is in work, and the next one waits.
 */
START_TEST(a_freeze_that_comes_in_the_middle)
{
	struct world_rollout *r = begin(3, ONE_WAVE, "", "'windows':[]");
	w.auto_policy = true;
	world_run_to(&w, "n01", STEP_PATCHED);
	world_set_policy(&w,
	                 kube_arena_printf(&w.arena,
	                                   "%s,'freezes':[{'name':'f','from':'2026-09-20T00:00:00Z','to':"
	                                   "'2026-10-01T00:00:00Z'}]",
	                                   policy_spec(&w, 1, false, ONE_WAVE, "")),
	                 false);
	run_to("2026-09-30T00:00:00Z");
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUPERSEDED);
	ck_assert_uint_le(w.claims, 2);
	ck_assert_uint_eq(w.rollout_count, 2);
	ck_assert_ptr_nonnull(strstr(w.rollouts[1].rollout->status.summary, "waiting for the end of freezes"));
	run_to("2026-10-02T00:00:00Z");
	ck_assert_int_eq(w.rollouts[1].rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("start", nothing_starts_outside, it_starts_as_the_window_opens,
           a_policy_without_windows_says_nothing_of_them, only_what_can_be_done_is_started, a_hold_is_no_duration,
           a_long_window_behind_many_short_ones, an_outage_is_no_duration, the_first_starts_in_the_first_half,
           in_a_long_window_the_limits_count, what_is_in_work_goes_on, a_soak_goes_on_and_what_follows_it_waits,
           who_has_nothing_to_start_does_not_wait, a_rollback_is_not_held, no_window_is_long_enough,
           a_longer_window_is_waited_for, a_freeze, a_grant_that_the_window_outran, a_zone_that_is_gone,
           a_freeze_that_comes_in_the_middle)
