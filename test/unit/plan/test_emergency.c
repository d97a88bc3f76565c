/* spec.emergency: what it passes by, what it does not, and who answers for it. It begins on Monday at 14:13:20Z. */
#include "test/unit/plan/world.h"

#define ONE_WAVE "'waves':[{'name':'all'}]"
#define CANARY \
	"'waves':[{'name':'canary','size':1,'soak':'10h'},{'name':'early','size':1,'soak':'10h'},{'name':'rest'}]"
#define NIGHT "'windows':[{'name':'night','type':'Cron','schedule':'0 2 * * *','duration':'4h'}]"
#define FREEZE(from, to) "'freezes':[{'name':'launch','from':'" from "','to':'" to "','reason':'new shop'}]"
#define ALLOW "'emergency':{'allow':true}"
#define EVERYTHING "'emergency':{'allow':true,'bypass':['Windows','Freezes','Soak','Approval']}"

static struct world w;

static int64_t at(const char *text)
{
	int64_t ms;
	ck_assert_int_eq(kube_time_parse(text, &ms, NULL), 0);
	return ms;
}

static void set_policy(const char *strategy, const char *more)
{
	world_set_policy(&w, kube_arena_printf(&w.arena, "%s,%s", policy_spec(&w, 1, false, strategy, ""), more), false);
}

static struct world_rollout *add_emergency(const char *name)
{
	struct world_rollout *r = world_add_rollout(&w, name);
	world_set_rollout(&w, r, "metadata.annotations", "{'patchwright.io/author':'ada'}");
	world_set_rollout(&w, r, "spec.emergency", "{'enabled':true,'reason':'CVE-2027-1234 is exploited'}");
	return r;
}

static struct world_rollout *begin(int nodes, const char *strategy, const char *more)
{
	world_init(&w, NULL);
	w.guard.since_ms = START_MS - MINUTES(60);
	set_policy(strategy, more);
	world_add_nodes(&w, nodes);
	return add_emergency("r1");
}

static const struct decision *override_of(const struct world_rollout *r, const char *rule)
{
	const struct rollout_status *status = &r->rollout->status;
	for (size_t i = 0; i < status->decisions.count; i++)
		if (status->decisions.items[i].type == DECISION_OVERRIDE && !strcmp(status->decisions.items[i].rule, rule))
			return &status->decisions.items[i];
	return NULL;
}

static void check_override(const struct world_rollout *r, const char *rule, const char *evidence)
{
	const struct decision *decision = override_of(r, rule);
	ck_assert_msg(decision != NULL, "%s are not overridden", rule);
	ck_assert_str_eq(decision->actor, "ada");
	ck_assert_str_eq(decision->reason, "Emergency");
	const char *whose = "emergency by ada: CVE-2027-1234 is exploited; in its way: ";
	ck_assert_msg(!strncmp(decision->evidence, whose, strlen(whose)), "%s", decision->evidence);
	ck_assert_msg(strstr(decision->evidence, evidence) != NULL, "%s does not say: %s", decision->evidence, evidence);
}

START_TEST(it_does_not_wait_for_a_window)
{
	struct world_rollout *r = begin(3, ONE_WAVE, NIGHT "," ALLOW);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	check_override(r, "windows", "no window is open");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, NULL), 0);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* Nothing is passed by where nothing is in the way. */
START_TEST(what_is_open_is_not_overridden)
{
	struct world_rollout *r = begin(3, ONE_WAVE,
	                                "'windows':[{'name':'all','type':'Cron','schedule':'0 * * * *','duration':'12h'}],"
	                                "'approval':{'mode':'None'}," EVERYTHING);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 0);
	world_finish(&w);
}
END_TEST

/* It waits for the end of the freeze, not for the next window. */
START_TEST(a_freeze_holds_where_only_windows_are_passed_by)
{
	struct world_rollout *r =
	    begin(1, ONE_WAVE, NIGHT "," FREEZE("2026-09-20T00:00:00Z", "2026-09-21T18:00:00Z") "," ALLOW);
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_null(override_of(r, "windows"));
	world_check_condition(r, "Progressing", CONDITION_FALSE, "WaitingForWindow",
	                      "waiting for the end of freezes at 2026-09-21T18:00:00Z");
	world_run_to(&w, "n01", STEP_DRAINING);
	ck_assert_int_eq(world_claimed_at(&w, "n01"), at("2026-09-21T18:00:00Z"));
	check_override(r, "windows", "no window is open");
	ck_assert_ptr_null(override_of(r, "freezes"));
	world_finish(&w);
}
END_TEST

/* A node would be in work when it begins. */
START_TEST(so_does_one_that_begins_soon)
{
	struct world_rollout *r =
	    begin(1, ONE_WAVE, NIGHT "," FREEZE("2026-09-21T14:20:00Z", "2026-09-21T18:00:00Z") "," ALLOW);
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_null(override_of(r, "windows"));
	world_run_to(&w, "n01", STEP_DRAINING);
	ck_assert_int_eq(world_claimed_at(&w, "n01"), at("2026-09-21T18:00:00Z"));
	world_finish(&w);
}
END_TEST

START_TEST(both_are_passed_by_and_told_apart)
{
	struct world_rollout *r =
	    begin(1, ONE_WAVE, NIGHT "," FREEZE("2026-09-20T00:00:00Z", "2026-09-24T18:00:00Z") "," EVERYTHING);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	check_override(r, "windows", "no window is open");
	check_override(r, "freezes", "freeze launch is on until 2026-09-24T18:00:00Z");
	world_finish(&w);
}
END_TEST

/* Granted while it was open, claimed when it is not any more. */
START_TEST(a_grant_that_the_window_outran)
{
	struct world_rollout *r = begin(1, ONE_WAVE, NIGHT "," ALLOW);
	r->idle = true;
	world_run(&w, at("2026-09-22T02:00:00Z") - w.now_ms);
	w.now_ms = at("2026-09-22T02:00:00Z");
	r->idle = false;
	while (!world_active(r, "n01"))
		world_step(&w);
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_null(override_of(r, "windows"));
	w.now_ms = at("2026-09-22T08:00:00Z");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	check_override(r, "windows", "no window is open");
	world_finish(&w);
}
END_TEST

START_TEST(it_does_not_soak)
{
	struct world_rollout *r = begin(3, CANARY, ALLOW);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	check_override(r, "soak", "wave canary would soak for 10h");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 1);
	world_finish(&w);
}
END_TEST

START_TEST(it_soaks_where_that_is_not_passed_by)
{
	struct world_rollout *r = begin(3, CANARY, "'emergency':{'allow':true,'bypass':['Windows']}");
	world_run(&w, MINUTES(9 * 60));
	ck_assert_int_eq(r->rollout->status.waves.items[0].state, WAVE_SOAKING);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 0);
	world_finish(&w);
}
END_TEST

/* A patched node that is not Ready holds the wave, and fails it. */
START_TEST(health_is_never_passed_by)
{
	struct world_rollout *r = begin(3, "'settle':{'readyFor':'0s','timeout':'5m'}," CANARY, EVERYTHING);
	while (world_step_of(&w, "n01") != STEP_PATCHED)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(4));
	ck_assert_int_eq(r->rollout->status.waves.items[0].state, WAVE_SOAKING);
	ck_assert_str_eq(r->rollout->status.waves.items[0].reason, "NodeNotReady");
	ck_assert_ptr_null(override_of(r, "soak"));
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_FAILED);
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);
}
END_TEST

START_TEST(it_does_not_wait_for_approval)
{
	struct world_rollout *r = begin(3, ONE_WAVE, "'approval':{'mode':'Rollout'}," EVERYTHING);
	world_run_to(&w, "n01", STEP_DRAINING); /* the policy's author is not known, either */
	world_check_condition(r, "Approved", CONDITION_FALSE, "Overridden", "emergency by ada: CVE-2027-1234 is exploited");
	ck_assert_ptr_null(condition_get(&r->rollout->status.conditions, "Stalled"));
	check_override(r, "approval", "nobody knows who wrote PatchPolicy pool");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_APPROVE, NULL), 0);
	ck_assert_int_eq(r->rollout->status.approved_ms, 0);
	world_finish(&w);
}
END_TEST

START_TEST(it_waits_for_approval_by_default)
{
	struct world_rollout *r = begin(3, ONE_WAVE, "'approval':{'mode':'Rollout','separationOfDuties':false}," ALLOW);
	world_run(&w, MINUTES(60));
	world_check_condition(r, "Approved", CONDITION_FALSE, "WaitingForApproval", "0 of 1 approvals");
	ck_assert_uint_eq(w.claims, 0);
	world_finish(&w);
}
END_TEST

START_TEST(one_that_is_not_allowed_is_told)
{
	struct world_rollout *r = begin(3, ONE_WAVE, NIGHT);
	world_run(&w, MINUTES(24 * 60));
	world_check_condition(r, "Stalled", CONDITION_TRUE, "EmergencyNotAllowed",
	                      "PatchPolicy pool allows no emergencies");
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	set_policy(ONE_WAVE, NIGHT "," ALLOW);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	check_override(r, "windows", "no window is open");
	world_finish(&w);
}
END_TEST

START_TEST(somebody_answers_for_it)
{
	struct world_rollout *r = begin(3, ONE_WAVE, NIGHT "," ALLOW);
	world_set_rollout(&w, r, "metadata.annotations", NULL);
	world_run(&w, MINUTES(60));
	world_check_condition(r, "Stalled", CONDITION_TRUE, "EmergencyNotAllowed", "nobody knows who made PatchRollout r1");
	world_set_rollout(&w, r, "metadata.annotations", "{'patchwright.io/author':'ada'}");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* What says who had the right to make it, and what says that it was him. */
static struct guard *const guards[] = {&w.emergency_guard, &w.author_guard};

static void check_unguarded_from_the_start(struct guard *guard)
{
	struct world_rollout *r = begin(3, ONE_WAVE, NIGHT "," ALLOW);
	guard->problem = "the policy is missing";
	world_run(&w, MINUTES(60));
	world_check_condition(r, "Stalled", CONDITION_TRUE, "EmergencyUnprotected", "the policy is missing");
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	*guard = (struct guard){.since_ms = w.now_ms};
	world_run(&w, MINUTES(60));
	world_check_condition(r, "Stalled", CONDITION_TRUE, "EmergencyUnprotected", "older than the admission policy");
	ck_assert_ptr_null(r->rollout->status.plan_hash);
	world_delete_rollout(&w, r);
	w.now_ms += MINUTES(1);
	r = add_emergency("r2");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	check_override(r, "windows", "no window is open");
	world_finish(&w);
}

START_TEST(nobody_has_checked_who_made_it)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(guards); i++)
		check_unguarded_from_the_start(guards[i]);
}
END_TEST

/* Then it is a rollout as others are. */
static void check_unguarded_at_work(struct guard *guard)
{
	struct world_rollout *r = begin(3, "'maxUnavailable':1," CANARY,
	                                NIGHT ",'approval':{'mode':'Wave','separationOfDuties':false}," EVERYTHING);
	world_run_to(&w, "n01", STEP_DRAINING);
	guard->problem = "the policy is missing";
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_PATCHED);
	ck_assert_int_eq(r->rollout->status.waves.items[0].state, WAVE_SOAKING);
	ck_assert_ptr_null(override_of(r, "soak"));
	world_check_condition(r, "Stalled", CONDITION_TRUE, "EmergencyUnprotected", "the policy is missing");
	world_run(&w, MINUTES(11 * 60)); /* approvals are asked for first */
	world_check_condition(r, "Progressing", CONDITION_FALSE, "WaitingForApproval", "");
	ck_assert_uint_eq(w.claims, 1);
	guard->problem = NULL;
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}

START_TEST(its_guard_goes_while_it_is_at_work)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(guards); i++)
		check_unguarded_at_work(guards[i]);
}
END_TEST

START_TEST(one_that_is_none_waits)
{
	struct world_rollout *r = begin(3, ONE_WAVE, NIGHT "," EVERYTHING);
	world_set_rollout(&w, r, "spec.emergency", "{'enabled':false,'reason':'just in case'}");
	world_run(&w, MINUTES(60));
	world_check_condition(r, "Progressing", CONDITION_FALSE, "WaitingForWindow", "waiting for window night");
	ck_assert_uint_eq(w.claims, 0);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/emergency", it_does_not_wait_for_a_window, what_is_open_is_not_overridden,
           a_freeze_holds_where_only_windows_are_passed_by, so_does_one_that_begins_soon,
           both_are_passed_by_and_told_apart, a_grant_that_the_window_outran, it_does_not_soak,
           it_soaks_where_that_is_not_passed_by, health_is_never_passed_by, it_does_not_wait_for_approval,
           it_waits_for_approval_by_default, one_that_is_not_allowed_is_told, somebody_answers_for_it,
           nobody_has_checked_who_made_it, its_guard_goes_while_it_is_at_work, one_that_is_none_waits)
