/* spec.approval: whose word lets a rollout, or a wave, begin; whose does not count; what is told. */
#include "test/unit/plan/world.h"

#define TWO_WAVES "'waves':[{'name':'canary','size':1},{'name':'rest'}]"
#define AUTHOR "alice"

static struct world w;

static struct world_rollout *begin(const char *approval, const char *strategy)
{
	world_init(&w, NULL);
	w.author = AUTHOR;
	w.guard.since_ms = START_MS - MINUTES(60);
	world_set_policy(
	    &w, kube_arena_printf(&w.arena, "%s,'approval':{%s}", policy_spec(&w, 1, false, strategy, ""), approval),
	    false);
	world_add_nodes(&w, 3);
	return world_add_rollout(&w, "r1");
}

static const struct condition *approved(const struct world_rollout *r)
{
	const struct condition *c = condition_get(&r->rollout->status.conditions, "Approved");
	ck_assert_msg(c != NULL, "there is no condition Approved");
	return c;
}

static void check_waits(const struct world_rollout *r, const char *reason, const char *message)
{
	const struct condition *c = approved(r);
	ck_assert_msg(c->status == CONDITION_FALSE && !strcmp(c->reason, reason), "Approved is %s/%s: %s",
	              condition_status_names[c->status], c->reason, c->message);
	ck_assert_msg(strstr(c->message, message) != NULL, "\"%s\" does not say: %s", c->message, message);
	c = condition_get(&r->rollout->status.conditions, "Progressing");
	ck_assert_int_eq(c->status, CONDITION_FALSE);
	ck_assert_str_eq(c->reason, "WaitingForApproval");
	ck_assert_msg(strstr(r->rollout->status.summary, message) != NULL, "\"%s\" does not say: %s",
	              r->rollout->status.summary, message);
}

static void check_why(const struct world_rollout *r, size_t index, const char *why)
{
	ck_assert_uint_lt(index, r->rollout->status.approvals.count);
	const struct approval_status *a = &r->rollout->status.approvals.items[index];
	ck_assert_msg(a->counts == !*why && strstr(a->why, why) != NULL, "%s by %s: \"%s\" does not say: %s", a->approval,
	              a->user, a->why, why);
}

START_TEST(nothing_is_asked_for_without_it)
{
	struct world_rollout *r = begin("'mode':'None'", TWO_WAVES);
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_ne(r->rollout->status.approved_ms, 0);
	ck_assert_ptr_null(condition_get(&r->rollout->status.conditions, "Approved"));
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_APPROVE, NULL), 0);
	world_finish(&w);
}
END_TEST

START_TEST(a_rollout_waits_and_says_what_to_create)
{
	struct world_rollout *r = begin("'mode':'Rollout','required':2", TWO_WAVES);
	world_run(&w, MINUTES(60));
	check_waits(r, "WaitingForApproval", "0 of 2 approvals");
	const struct rollout_status *status = &r->rollout->status;
	ck_assert_ptr_nonnull(strstr(status->summary, status->plan_hash));
	ck_assert_ptr_nonnull(strstr(status->summary, r->rollout->object.uid));
	ck_assert_str_eq(status->waves.items[0].reason, "WaitingForApproval");
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_NONE);
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(10));
	check_waits(r, "WaitingForApproval", "1 of 2 approvals");
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(10));
	check_waits(r, "WaitingForApproval", "1 of 2 approvals");
	check_why(r, 1, "has approved already");
	world_approve(&w, r, "carol", "");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_APPROVE, "Approved"), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "WaitingForApproval"), 1);
	world_finish(&w);
}
END_TEST

START_TEST(each_wave_waits_for_its_own)
{
	struct world_rollout *r = begin("'mode':'Wave'", TWO_WAVES);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_approve(&w, r, "bob", "nowhere");
	world_approve(&w, r, "bob", "canary");
	world_run(&w, MINUTES(30));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals of wave rest");
	check_why(r, 0, "");
	check_why(r, 1, "name a wave");
	check_why(r, 2, "no approval of a wave of this name");
	ck_assert_int_eq(r->rollout->status.waves.items[0].state, WAVE_PASSED);
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	world_approve(&w, r, "bob", "rest");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_APPROVE, "Approved"), 2);
	world_finish(&w);
}
END_TEST

START_TEST(one_wave_may_ask_for_its_own)
{
	struct world_rollout *r =
	    begin("'mode':'Rollout'", "'waves':[{'name':'canary','size':1},{'name':'rest','approval':true}]");
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(30));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals of wave rest");
	world_approve(&w, r, "bob", "rest");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* What is not granted yet is taken back; what is, goes on. */
START_TEST(an_approval_is_taken_back_until_it_is_used)
{
	struct world_rollout *r = begin("'mode':'Wave'", TWO_WAVES);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "rest");
	world_approve(&w, r, "bob", "canary");
	world_run_to(&w, "n01", STEP_PATCHING);
	w.approval_count = 0; /* both are deleted */
	world_run(&w, MINUTES(60));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals of wave rest");
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	check_why(r, 0, "");
	ck_assert_str_eq(r->rollout->status.approvals.items[0].wave, "canary");
	ck_assert_uint_eq(r->rollout->status.approvals.count, 1);
	world_finish(&w);
}
END_TEST

START_TEST(an_approval_expires_until_it_is_used)
{
	struct world_rollout *r = begin("'mode':'Rollout','required':2,'expiresAfter':'1h'", TWO_WAVES);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(59));
	check_waits(r, "WaitingForApproval", "1 of 2 approvals");
	world_run(&w, MINUTES(2));
	w.now_ms += MINUTES(2);
	world_run(&w, MINUTES(1));
	check_waits(r, "WaitingForApproval", "0 of 2 approvals");
	check_why(r, 0, "it expired at ");
	world_approve(&w, r, "carol", "");
	world_run(&w, MINUTES(30));
	world_approve(&w, r, "dave", "");
	world_run(&w, MINUTES(300));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(another_plan_or_rollout_is_not_this_one)
{
	struct world_rollout *r = begin("'mode':'Rollout'", TWO_WAVES);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	struct approval plan = *w.approvals[0], uid = *w.approvals[0];
	plan.object.name = "other-plan", plan.plan_hash = "0";
	uid.object.name = "other-uid", uid.rollout_uid = "0";
	w.approvals[0] = &plan;
	w.approvals[w.approval_count++] = &uid;
	world_run(&w, MINUTES(10));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals");
	check_why(r, 0, "it is for another plan");
	check_why(r, 1, "it is for another PatchRollout");
	world_finish(&w);
}
END_TEST

START_TEST(nobody_approves_his_own)
{
	struct world_rollout *r = begin("'mode':'Rollout'", TWO_WAVES);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, AUTHOR, "");
	world_run(&w, MINUTES(10));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals");
	check_why(r, 0, "its user is an author");
	world_finish(&w);

	r = begin("'mode':'Rollout','separationOfDuties':false", TWO_WAVES);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, AUTHOR, "");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(who_made_the_rollout_does_not_approve_it)
{
	struct world_rollout *r = begin("'mode':'Rollout'", TWO_WAVES);
	world_set_rollout(&w, r, "metadata.ownerReferences", NULL);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(10));
	check_waits(r, "AuthorUnknown", "who made PatchRollout r1");
	world_set_rollout(&w, r, "metadata.annotations", "{\"patchwright.io/author\":\"bob\"}");
	world_run(&w, MINUTES(10));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals");
	world_approve(&w, r, "carol", "");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(an_author_who_is_not_known_could_be_anybody)
{
	struct world_rollout *r = begin("'mode':'Rollout'", TWO_WAVES);
	w.author = NULL;
	world_set_policy(
	    &w, kube_arena_printf(&w.arena, "%s,'approval':{'mode':'Rollout'}", policy_spec(&w, 1, false, TWO_WAVES, "")),
	    false);
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(10));
	check_waits(r, "AuthorUnknown", "sets the annotation patchwright.io/author");
	check_why(r, 0, "AuthorUnknown");
	ck_assert(condition_true(&r->rollout->status.conditions, "Stalled"));
	world_finish(&w);
}
END_TEST

static void approve_in_vain_without(struct guard *guard, struct world_rollout *r)
{
	guard->problem = "the policy is missing";
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(10));
	check_waits(r, "ApprovalsUnprotected", "the policy is missing");
	check_why(r, 0, "ApprovalsUnprotected");
	ck_assert(condition_true(&r->rollout->status.conditions, "Stalled"));
}

START_TEST(without_its_guard_no_approval_counts)
{
	struct world_rollout *r = begin("'mode':'Rollout','separationOfDuties':false", TWO_WAVES);
	approve_in_vain_without(&w.guard, r);
	w.guard = (struct guard){.since_ms = w.now_ms}; /* what was said meanwhile is anybody's word */
	world_run(&w, MINUTES(10));
	check_waits(r, "WaitingForApproval", "0 of 1 approvals");
	check_why(r, 0, "older than the admission policy");
	w.now_ms += MINUTES(1);
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* Where anybody may write in the name of another, an author could approve what he wrote. */
START_TEST(without_the_guard_of_authors_nobody_is_told_from_them)
{
	struct world_rollout *r = begin("'mode':'Rollout'", TWO_WAVES);
	approve_in_vain_without(&w.author_guard, r);
	w.author_guard = (struct guard){.since_ms = w.now_ms}; /* it has nothing to do with approvals */
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(where_authors_may_approve_nobody_guards_their_names)
{
	struct world_rollout *r = begin("'mode':'Rollout','separationOfDuties':false", TWO_WAVES);
	w.author_guard.problem = "the policy is missing";
	world_run(&w, SECONDS(1));
	world_approve(&w, r, "bob", "");
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* Killed and its status lost at any effect: never a node without approval, and never a decision twice. */
START_TEST(it_goes_on_after_a_crash)
{
	for (int cut = 0; cut < 12; cut++) {
		struct world_rollout *r = begin("'mode':'Rollout'", TWO_WAVES);
		world_run(&w, SECONDS(1));
		w.cut = cut;
		world_run(&w, MINUTES(5));
		w.cut = -1;
		ck_assert_int_eq(world_step_of(&w, "n01"), STEP_NONE);
		world_approve(&w, r, "bob", "");
		w.cut = cut;
		world_run(&w, MINUTES(60));
		w.cut = -1;
		world_run(&w, MINUTES(60));
		ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
		ck_assert_uint_eq(world_decisions(&w, r, DECISION_APPROVE, "Approved"), 1);
		world_finish(&w);
	}
}
END_TEST

CHECK_MAIN("plan/approval", nothing_is_asked_for_without_it, a_rollout_waits_and_says_what_to_create,
           each_wave_waits_for_its_own, one_wave_may_ask_for_its_own, an_approval_is_taken_back_until_it_is_used,
           an_approval_expires_until_it_is_used, another_plan_or_rollout_is_not_this_one, nobody_approves_his_own,
           who_made_the_rollout_does_not_approve_it, an_author_who_is_not_known_could_be_anybody,
           without_its_guard_no_approval_counts, without_the_guard_of_authors_nobody_is_told_from_them,
           where_authors_may_approve_nobody_guards_their_names, it_goes_on_after_a_crash)
