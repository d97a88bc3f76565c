/* Whose turn it is: the pod selector, groups, Jobs that run on, pods that do not end. */
#include "test/unit/plan/world.h"

static struct world w;
static struct world_rollout *r;

static void begin(const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, "'waves':[{'name':'all'}]", drain), false);
	world_add_nodes(&w, 1);
	r = world_add_rollout(&w, "r1");
}

static struct world_pod *add(const char *name, const char *app)
{
	return world_add_pod(&w, "n01", name, app);
}

static void check_patched(void)
{
	world_run(&w, MINUTES(600));
	ck_assert_msg(r->rollout->status.outcome == OUTCOME_SUCCEEDED, "%s", r->rollout->status.summary);
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	world_check_tidy(&w, r);
}

static const struct blocker *blocker(void)
{
	const struct active *active = world_active(r, "n01");
	ck_assert_ptr_nonnull(active);
	return &active->blocked_by;
}

START_TEST(only_selected_pods_leave)
{
	begin("'podSelector':{'matchExpressions':[{'key':'app','operator':'NotIn','values':['stays']}]}");
	struct world_pod *stays = add("a", "stays"), *goes = add("b", "goes");
	stays->pod.owner_kind = ""; /* what would block a drain does not, where it is not drained */
	check_patched();
	ck_assert(goes->gone && !stays->gone);
	ck_assert_int_eq(stays->pod.object.deleted_ms, KUBE_TIME_NONE);
	world_finish(&w);
}
END_TEST

/* The order in which the pods were evicted, by time. */
static void check_order(const char *const *names, size_t count)
{
	int64_t last = 0;
	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < w.pod_count; i++) {
			const struct world_pod *pod = w.pods[i];
			if (strcmp(pod->pod.object.name, names[n]) != 0)
				continue;
			ck_assert_msg(pod->gone, "%s is there still", names[n]);
			ck_assert_msg(pod->pod.object.deleted_ms > last, "%s went too early", names[n]);
			last = pod->end_ms - 1; /* the next one goes when this one is gone, not when it is asked to */
		}
}

#define GROUP(name) "{'name':'" name "','selector':{'matchLabels':{'app':'" name "'}}}"

START_TEST(groups_leave_one_after_the_other)
{
	static const struct {
		const char *order;
		const char *names[4];
	} cases[] = {
	    {GROUP("web") "," GROUP("db"), {"other", "web", "db"}},
	    {GROUP("db") "," GROUP("web"), {"other", "db", "web"}},
	    {GROUP("web") ",{'name':'rest','selector':{}}," GROUP("db"), {"web", "other", "db"}},
	    {GROUP("web") "," GROUP("db") ",{'name':'rest','selector':{}}", {"web", "db", "other"}},
	    {"{'name':'both','selector':{'matchExpressions':[{'key':'app','operator':'In','values':['db']}]}}," GROUP("db"),
	     {"web", "db"}}, /* the first group that has it */
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(kube_arena_printf(&w.arena, "'order':[%s]", cases[i].order));
		add("db", "db");
		add("other", "other");
		add("web", "web");
		check_patched();
		size_t count = 0;
		while (cases[i].names[count])
			count++;
		check_order(cases[i].names, count);
		world_finish(&w);
	}
}
END_TEST

/* What can never leave is told at once, not when its turn comes. */
START_TEST(a_pod_of_a_later_group_that_cannot_leave)
{
	begin("'order':[" GROUP("web") "," GROUP("db") "]");
	struct world_pod *web = add("web", "web"), *db = add("db", "db");
	web->stays = true;
	db->pod.empty_dir = true;
	world_run_to(&w, "n01", STEP_DRAINING);
	while (!blocker()->kind)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(1)));
	ck_assert_str_eq(blocker()->pod, "shop/db");
	ck_assert_int_eq(web->pod.object.deleted_ms, w.now_ms);
	world_finish(&w);
}
END_TEST

static struct world_pod *add_job(int64_t runs_ms)
{
	struct world_pod *pod = add("batch", "batch");
	pod->pod.owner_kind = "Job";
	pod->pod.owner_name = "report";
	if (runs_ms)
		pod->end_ms = w.now_ms + runs_ms;
	return pod;
}

START_TEST(jobs_that_end_in_time)
{
	begin("'waitForJobs':'10m'");
	add("web", "web");
	add_job(MINUTES(4));
	world_run_to(&w, "n01", STEP_DRAINING);
	while (!blocker()->kind)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(1)));
	ck_assert_str_eq(blocker()->kind, "Job");
	ck_assert_str_eq(blocker()->name, "report");
	ck_assert_str_eq(blocker()->pod, "shop/batch");
	check_patched();
	ck_assert_uint_eq(w.evictions, 1); /* the other one */
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "DrainBlocked"), 1);
	world_finish(&w);
}
END_TEST

START_TEST(jobs_that_take_too_long)
{
	begin("'waitForJobs':'10m'");
	struct world_pod *job = add_job(0);
	world_run_to(&w, "n01", STEP_DRAINING);
	int64_t since = w.now_ms;
	check_patched();
	ck_assert_uint_eq(w.evictions, 1);
	ck_assert_int_eq(job->pod.object.deleted_ms, since + MINUTES(10));
	world_finish(&w);
}
END_TEST

START_TEST(jobs_that_nobody_waits_for)
{
	begin("");
	struct world_pod *job = add_job(0);
	world_run_to(&w, "n01", STEP_PATCHING);
	ck_assert(job->gone);
	world_finish(&w);
}
END_TEST

/* An unreachable node: its pods are deleted, and stay. */
START_TEST(pods_that_do_not_end)
{
	for (int ready = 0; ready <= 1; ready++) {
		begin("'timeout':'20m'");
		struct world_pod *pod = add("a", "web");
		pod->stays = true;
		world_run_to(&w, "n01", STEP_DRAINING);
		world_set_ready(&w, "n01", ready);
		while (!blocker()->kind)
			ck_assert(world_tick(&w, w.now_ms + MINUTES(2)));
		ck_assert_int_ge(w.now_ms - pod->pod.object.deleted_ms, SECONDS(30));
		ck_assert_int_lt(w.now_ms - pod->pod.object.deleted_ms, SECONDS(31));
		ck_assert_str_eq(blocker()->kind, ready ? "Pod" : "Node");
		ck_assert_str_eq(blocker()->name, ready ? "a" : "n01");
		ck_assert_str_eq(blocker()->pod, "shop/a");
		world_set_ready(&w, "n01", true);
		world_run(&w, MINUTES(600));
		ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_FAILED);
		ck_assert_str_eq(r->rollout->status.failed.items[0].reason, "DrainTimeout");
		ck_assert_ptr_nonnull(strstr(r->rollout->status.failed.items[0].message, "shop/a"));
		world_finish(&w);
	}
}
END_TEST

START_TEST(pods_that_do_not_end_are_given_up)
{
	begin("'skipWaitForDeleteTimeout':'90s'");
	struct world_pod *stuck = add("a", "web"), *other = add("b", "web");
	stuck->stays = true;
	world_run_to(&w, "n01", STEP_PATCHING);
	ck_assert(other->gone && !stuck->gone);
	ck_assert_int_gt(w.now_ms, stuck->pod.object.deleted_ms + SECONDS(90));
	ck_assert_int_lt(w.now_ms, stuck->pod.object.deleted_ms + SECONDS(92));
	check_patched();
	world_finish(&w);
}
END_TEST

/* Who refuses stays told while the eviction is tried again, so that "since when" is from the first time. */
START_TEST(a_refusal_is_told_without_a_gap)
{
	begin("");
	struct world_pod *pod = add("a", "web");
	pod->fact = (struct eviction_fact){.kind = "Webhook", .name = "guard", .namespace_ = "", .message = "no"};
	pod->fact.since_ms = w.now_ms;
	pod->fact.retry_at_ms = w.now_ms + SECONDS(20);
	pod->stays = true;
	world_run_to(&w, "n01", STEP_DRAINING);
	int64_t since = 0;
	while (world_tick(&w, pod->fact.retry_at_ms) && pod->pod.object.deleted_ms == KUBE_TIME_NONE) {
		const struct active *active = world_active(r, "n01");
		ck_assert(active && (!since || active->blocked_by.since_ms == since));
		since = active->blocked_by.since_ms;
	}
	ck_assert_int_eq(pod->pod.object.deleted_ms, pod->fact.retry_at_ms);
	ck_assert_int_gt(since, 0);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/drain_turns", only_selected_pods_leave, groups_leave_one_after_the_other,
           a_pod_of_a_later_group_that_cannot_leave, jobs_that_end_in_time, jobs_that_take_too_long,
           jobs_that_nobody_waits_for, pods_that_do_not_end, pods_that_do_not_end_are_given_up,
           a_refusal_is_told_without_a_gap)
