/* Whole rollouts, from the plan to the report: the good end, and every bad one. */
#include "test/unit/plan/world.h"

#define THREE_WAVES \
	"'maxUnavailable':2,'waves':[{'name':'canary','size':1,'soak':'10m'},{'name':'early','size':'30%'," \
	"'maxUnavailable':1,'soak':'5m'},{'name':'rest','maxUnavailable':3}]"
#define ONE_WAVE "'waves':[{'name':'all'}]"
#define CANARY "'waves':[{'name':'canary','size':1},{'name':'rest'}]"

static struct world w;

static struct world_rollout *begin(int nodes, int patches, bool rollback, const char *strategy, const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, patches, rollback, strategy, drain), false);
	world_add_nodes(&w, nodes);
	return world_add_rollout(&w, "r1");
}

static void check_end(const struct world_rollout *r, enum outcome outcome)
{
	ck_assert_msg(r->rollout->status.outcome == (int)outcome, "it is %s, not %s: %s",
	              outcome_names[r->rollout->status.outcome], outcome_names[outcome], r->rollout->status.summary);
	world_check_tidy(&w, r);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_FINISH, NULL), 1);
}

static bool shows(const char *node, const char *version)
{
	return strstr(world_node(&w, node)->node.node_info[NODE_INFO_CONTAINER_RUNTIME], version) != NULL;
}

static const struct failure *failure_of(const struct world_rollout *r, const char *node)
{
	for (size_t i = 0; i < r->rollout->status.failed.count; i++)
		if (!strcmp(r->rollout->status.failed.items[i].node, node))
			return &r->rollout->status.failed.items[i];
	ck_abort_msg("%s has not failed", node);
	return NULL;
}

/* ---- the good end ---- */

START_TEST(ten_nodes_in_three_waves)
{
	struct world_rollout *r = begin(10, 1, false, THREE_WAVES, "");
	for (int i = 1; i <= 10; i++) {
		char node[16], pod[16];
		snprintf(node, sizeof(node), "n%02d", i);
		snprintf(pod, sizeof(pod), "cart-%d", i);
		world_add_pod(&w, node, pod, "cart");
	}
	world_add_pdb(&w, "cart", "cart", 1);
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED);
	const struct rollout_status *status = &r->rollout->status;
	ck_assert_int_eq(status->counts.patched, 10);
	ck_assert_str_eq(status->progress, "10/10");
	ck_assert_uint_eq(w.evictions, 10);
	ck_assert_uint_eq(w.claims, 10);
	ck_assert_uint_eq(w.job_name_count, 10);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_START, NULL), 10);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_PROMOTE, NULL), 3);
	int64_t sizes[] = {1, 3, 6};
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(status->waves.items[i].total, sizes[i]);
		ck_assert_int_eq(status->waves.items[i].patched, sizes[i]);
		ck_assert_int_eq(status->waves.items[i].state, WAVE_PASSED);
	}
	ck_assert_int_ge(status->waves.items[1].started_ms - status->waves.items[0].finished_ms, MINUTES(10));
	ck_assert_int_ge(status->waves.items[2].started_ms - status->waves.items[1].finished_ms, MINUTES(5));
	ck_assert_uint_eq(world_report(&w, r, 1)->targets, 10);
	ck_assert_uint_eq(world_report(&w, r, 1)->decisions, 14);
	world_finish(&w);
}
END_TEST

START_TEST(writes_that_are_not_visible_yet)
{
	for (int lag = 1; lag <= 3; lag++) {
		struct world_rollout *r = begin(6, 2, false, "'maxUnavailable':2," CANARY, "");
		for (int i = 0; i < 6; i++)
			world_add_pod(&w, w.nodes[i]->node.object.name, "a\0b\0c\0d\0e\0f" + 2 * i, "cart");
		w.lag = lag;
		world_run(&w, MINUTES(600));
		check_end(r, OUTCOME_SUCCEEDED);
		ck_assert_uint_eq(w.job_name_count, 12);
		world_finish(&w);
	}
}
END_TEST

START_TEST(two_patches_share_a_cordon)
{
	struct world_rollout *r = begin(2, 2, false, ONE_WAVE, "");
	w.nodes[1]->node.node_info[NODE_INFO_KERNEL] = "6.1.9"; /* needs the first only */
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(w.job_name_count, 3);
	ck_assert_uint_eq(w.claims, 2);
	ck_assert_str_eq(w.nodes[0]->node.node_info[NODE_INFO_KERNEL], "6.1.9");
	world_finish(&w);
}
END_TEST

START_TEST(nodes_cordoned_beforehand_stay_so)
{
	struct world_rollout *r = begin(4, 1, false, "'maxUnavailable':2," ONE_WAVE, "");
	w.nodes[1]->cordoned_before = w.nodes[1]->node.unschedulable = true;
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.patched, 4);
	ck_assert(w.nodes[1]->node.unschedulable);
	world_finish(&w);
}
END_TEST

START_TEST(nodes_cordoned_beforehand_stay_so_when_they_fail)
{
	struct world_rollout *r = begin(1, 1, true, ONE_WAVE, "");
	w.nodes[0]->cordoned_before = w.nodes[0]->node.unschedulable = true;
	w.nodes[0]->host = HOST_BREAKS;
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_ROLLED_BACK);
	ck_assert(w.nodes[0]->node.unschedulable);
	world_finish(&w);
}
END_TEST

START_TEST(a_node_that_is_not_ready_uses_the_budget)
{
	struct world_rollout *r = begin(4, 1, false, "'maxUnavailable':1," ONE_WAVE, "");
	world_set_ready(&w, "n04", false);
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "unavailable"));
	world_set_ready(&w, "n04", true);
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(nothing_to_do_is_a_success)
{
	struct world_rollout *r = begin(0, 1, false, NULL, "");
	world_add_node(&w, "n01");
	w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_report(&w, r, 1)->targets, 0);
	ck_assert_uint_eq(w.writes, 0);
	world_finish(&w);
}
END_TEST

/* The report tells why a node was left out that shows nothing any more when its turn comes. */
START_TEST(a_node_that_shows_nothing_is_left_out)
{
	struct world_rollout *r = begin(2, 1, false, "'order':['Name']," ONE_WAVE, "");
	world_run_to(&w, "n01", STEP_PATCHING);
	w.nodes[1]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "";
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(r->rollout->status.counts.skipped, 1);
	ck_assert_str_eq(world_report(&w, r, 1)->reasons[1], "NotObserved");
	world_finish(&w);
}
END_TEST

START_TEST(a_slow_node_may_lag)
{
	struct world_rollout *r = begin(1, 1, false, ONE_WAVE, "");
	w.nodes[0]->host = HOST_LAGS;
	world_run_to(&w, "n01", STEP_VERIFYING);
	ck_assert(w.nodes[0]->node.unschedulable);
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

START_TEST(more_targets_than_a_page_holds)
{
	struct world_rollout *r = begin(0, 1, false, "'maxUnavailable':'100%'," ONE_WAVE, "'enabled':false");
	char name[16];
	for (int i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "n%04d", i);
		world_add_node(&w, name);
	}
	for (int i = 0; i < 6; i++)
		world_tick(&w, w.now_ms);
	ck_assert_uint_eq(r->rollout->status.revisions.count, 2);
	ck_assert_uint_eq(w.revisions[0]->targets.count, 1000);
	ck_assert_uint_eq(w.revisions[1]->targets.count, 100);
	ck_assert_ptr_null(w.revisions[1]->rules);
	ck_assert_uint_eq(w.snapshot.target_count, 1100);
	ck_assert_str_eq(w.snapshot.targets[1099].target->node, "n1099");
	/* Never more than a status can hold are in work, and one status cannot decide as many at once. */
	ck_assert_uint_le(r->rollout->status.active.count, MAX_ACTIVE);
	ck_assert_uint_gt(r->rollout->status.active.count, 20);
	world_finish(&w);
}
END_TEST

START_TEST(a_ledger_that_outgrows_the_status)
{
	struct world_rollout *r = begin(260, 1, false, "'maxUnavailable':'50%'," ONE_WAVE, "'enabled':false");
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(world_report(&w, r, 1)->targets, 250);
	ck_assert_uint_eq(world_report(&w, r, 2)->targets, 10);
	ck_assert_uint_eq(world_report(&w, r, 1)->decisions + world_report(&w, r, 2)->decisions, 262);
	world_finish(&w);
}
END_TEST

/* ---- bad ends ---- */

struct bad {
	const char *what;
	enum host host, back;
	bool rollback;
	const char *strategy, *drain;
	enum outcome outcome;
	enum step end; /* as counted in the report */
	const char *reason;
	bool old_version, quarantined;
};

static void check_bad(const struct bad *bad)
{
	struct world_rollout *r = begin(5, 1, bad->rollback, bad->strategy ? bad->strategy : CANARY, "");
	w.nodes[0]->host = bad->host;
	w.nodes[0]->rollback_host = bad->back;
	world_add_pod(&w, "n02", "other", "other");
	world_add_pod(&w, "n03", "other3", "other");
	world_add_pod(&w, "n04", "other4", "other");
	world_add_pod(&w, "n05", "other5", "other");
	world_run(&w, MINUTES(600));
	const struct node *node = &w.nodes[0]->node;
	const struct failure *failure = failure_of(r, "n01");
	ck_assert_msg(!strcmp(failure->reason, bad->reason), "%s: %s, not %s", bad->what, failure->reason, bad->reason);
	check_end(r, bad->outcome);
	ck_assert_msg(node->quarantined == bad->quarantined, "%s: quarantined %d", bad->what, node->quarantined);
	ck_assert_msg(node->unschedulable == bad->quarantined, "%s: cordoned %d", bad->what, node->unschedulable);
	ck_assert_msg(shows("n01", OLD) == bad->old_version, "%s: shows %s", bad->what,
	              node->node_info[NODE_INFO_CONTAINER_RUNTIME]);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_uint_eq(w.evictions, 0);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_FAIL, bad->reason), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, NULL), 1);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_QUARANTINE, NULL), bad->quarantined);
	if (bad->quarantined)
		ck_assert_int_eq(node->state->step, STEP_QUARANTINED);
	for (int i = 1; i < 5; i++) {
		ck_assert(!w.nodes[i]->node.unschedulable && !w.nodes[i]->node.state);
		ck_assert(shows(w.nodes[i]->node.object.name, OLD));
	}
	world_finish(&w);
}

START_TEST(a_canary_that_fails)
{
	static const char uncordon[] = "'onFailure':'Uncordon'," CANARY;
	static const struct bad cases[] = {
	    {"rolled back", HOST_BREAKS, HOST_OBEYS, true, NULL, NULL, OUTCOME_ROLLED_BACK, STEP_ROLLED_BACK, "JobFailed",
	     true, false},
	    {"the rollback fails", HOST_BREAKS, HOST_FAILS, true, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "JobFailed",
	     false, true},
	    {"the rollback lies", HOST_BREAKS, HOST_LIES, true, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "JobFailed",
	     false, true},
	    {"the rollback hangs", HOST_BREAKS, HOST_HANGS, true, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "JobFailed",
	     false, true},
	    {"the rollback lags", HOST_BREAKS, HOST_LAGS, true, NULL, NULL, OUTCOME_ROLLED_BACK, STEP_ROLLED_BACK,
	     "JobFailed", true, false},
	    {"quarantine", HOST_FAILS, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "JobFailed", true,
	     true},
	    {"uncordon", HOST_FAILS, HOST_OBEYS, false, uncordon, NULL, OUTCOME_FAILED, STEP_FAILED, "JobFailed", true,
	     false},
	    {"rollback goes before onFailure", HOST_BREAKS, HOST_OBEYS, true, uncordon, NULL, OUTCOME_ROLLED_BACK,
	     STEP_ROLLED_BACK, "JobFailed", true, false},
	    {"hang", HOST_HANGS, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "JobTimeout", true, true},
	    {"no kubelet", HOST_DEAD, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "JobTimeout", true,
	     true},
	    {"no kubelet for the rollback either", HOST_DEAD, HOST_DEAD, true, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED,
	     "JobTimeout", true, true},
	    {"lie", HOST_LIES, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "VersionNotObserved", true,
	     true},
	    {"wrong version", HOST_WRONG, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED,
	     "VersionNotObserved", false, true},
	    {"wrong version, rolled back", HOST_WRONG, HOST_OBEYS, true, NULL, NULL, OUTCOME_ROLLED_BACK, STEP_ROLLED_BACK,
	     "VersionNotObserved", true, false},
	    {"reboot", HOST_REBOOTS, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED, "UnexpectedReboot",
	     true, true},
	    {"never Ready again", HOST_SINKS, HOST_OBEYS, false, NULL, NULL, OUTCOME_FAILED, STEP_QUARANTINED,
	     "NodeNotReady", false, true},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		check_bad(&cases[i]);
}
END_TEST

START_TEST(both_patches_are_taken_back)
{
	struct world_rollout *r = begin(1, 2, true, ONE_WAVE, "");
	while (!shows("n01", NEW))
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	w.nodes[0]->host = HOST_BREAKS; /* the kernel's job */
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_ROLLED_BACK);
	ck_assert(shows("n01", OLD));
	ck_assert_str_eq(w.nodes[0]->node.node_info[NODE_INFO_KERNEL], "6.1.8");
	ck_assert_uint_eq(w.job_name_count, 4);
	world_finish(&w);
}
END_TEST

/* The node has taken pods again while it settled: the rollback waits until they have left, however long its job may
 * take. */
START_TEST(a_rollback_drains_before_its_job)
{
	struct world_rollout *r = begin(1, 1, true, ONE_WAVE, "");
	world_run_to(&w, "n01", STEP_SETTLING);
	world_add_pod(&w, "n01", "cart", "cart");
	struct world_pdb *pdb = world_add_pdb(&w, "cart", "cart", 0);
	world_set_ready(&w, "n01", false);
	world_run_to(&w, "n01", STEP_ROLLING_BACK);
	world_set_ready(&w, "n01", true);
	ck_assert(w.nodes[0]->node.unschedulable);
	world_run(&w, MINUTES(5)); /* the job's own timeout is a minute */
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_ROLLING_BACK);
	ck_assert_uint_eq(w.job_name_count, 1);
	pdb->pdb.disruptions_allowed = 1;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_ROLLED_BACK);
	ck_assert(shows("n01", OLD));
	world_finish(&w);
}
END_TEST

START_TEST(a_rollback_that_cannot_drain_ends)
{
	struct world_rollout *r = begin(1, 1, true, ONE_WAVE, "");
	world_run_to(&w, "n01", STEP_SETTLING);
	world_add_pod(&w, "n01", "cart", "cart");
	world_add_pdb(&w, "cart", "cart", 0);
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(600));
	check_end(r, OUTCOME_FAILED);
	ck_assert(w.nodes[0]->node.quarantined);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_ROLL_BACK_FAILED, "RollbackTimeout"), 1);
	world_finish(&w);
}
END_TEST

START_TEST(a_drain_that_does_not_end)
{
	struct world_rollout *r = begin(3, 1, true, CANARY, "'timeout':'10m'");
	world_add_pod(&w, "n02", "x2", "x");
	world_add_pod(&w, "n03", "x3", "x");
	world_add_pod(&w, "n01", "cart", "cart");
	world_add_pdb(&w, "cart", "cart", 0);
	world_run_to(&w, "n01", STEP_DRAINING);
	world_run(&w, MINUTES(1));
	const struct active *active = world_active(r, "n01");
	ck_assert_str_eq(active->blocked_by.kind, "PodDisruptionBudget");
	ck_assert_str_eq(active->blocked_by.namespace_, "shop");
	ck_assert_str_eq(active->blocked_by.name, "cart");
	ck_assert_str_eq(active->blocked_by.pod, "shop/cart");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "DrainBlocked"), 1);
	world_run(&w, MINUTES(60));
	ck_assert_str_eq(failure_of(r, "n01")->reason, "DrainTimeout");
	check_end(r, OUTCOME_FAILED);
	ck_assert(!w.nodes[0]->node.unschedulable && !w.nodes[0]->node.quarantined);
	ck_assert(shows("n01", OLD));
	ck_assert_uint_eq(w.job_name_count, 0);
	ck_assert_uint_eq(w.evictions, 0);
	world_finish(&w);
}
END_TEST

START_TEST(a_node_that_does_not_settle)
{
	struct world_rollout *r = begin(1, 1, false, ONE_WAVE, "");
	world_run_to(&w, "n01", STEP_SETTLING);
	world_set_ready(&w, "n01", false);
	world_run(&w, MINUTES(60));
	ck_assert_str_eq(failure_of(r, "n01")->reason, "NotSettled");
	check_end(r, OUTCOME_FAILED);
	world_finish(&w);
}
END_TEST

START_TEST(settling_wants_an_uninterrupted_time)
{
	struct world_rollout *r = begin(1, 1, false, ONE_WAVE, "");
	world_run_to(&w, "n01", STEP_SETTLING);
	w.now_ms += SECONDS(14);
	world_set_ready(&w, "n01", false);
	world_run(&w, SECONDS(5));
	world_set_ready(&w, "n01", true);
	world_run(&w, SECONDS(14));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_SETTLING);
	world_run(&w, MINUTES(1));
	check_end(r, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* A reboot before the host was touched is a failure, but there is nothing to roll back and no job is made any more. */
START_TEST(a_reboot_while_draining)
{
	struct world_rollout *r = begin(1, 1, true, ONE_WAVE, "");
	world_add_pod(&w, "n01", "cart", "cart");
	world_run_to(&w, "n01", STEP_DRAINING);
	w.nodes[0]->node.boot_id = "boot-2";
	world_run(&w, MINUTES(60));
	ck_assert_str_eq(failure_of(r, "n01")->reason, "UnexpectedReboot");
	check_end(r, OUTCOME_FAILED);
	ck_assert_uint_eq(w.job_name_count, 0);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_ROLL_BACK, NULL), 0);
	world_finish(&w);
}
END_TEST

START_TEST(what_is_in_work_goes_on_after_a_failure)
{
	struct world_rollout *r = begin(4, 1, false, "'maxUnavailable':2," ONE_WAVE, "");
	world_add_pod(&w, "n03", "x3", "x");
	world_add_pod(&w, "n04", "x4", "x");
	w.nodes[0]->host = HOST_FAILS;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_FAILED);
	ck_assert(shows("n02", NEW) && !w.nodes[1]->node.unschedulable);
	ck_assert(shows("n03", OLD) && shows("n04", OLD));
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	ck_assert_int_eq(r->rollout->status.counts.failed, 1);
	ck_assert_int_eq(r->rollout->status.counts.pending, 2);
	world_finish(&w);
}
END_TEST

/* Somebody moves it to another pool while it drains. */
START_TEST(a_node_in_work_counts_whatever_its_labels)
{
	struct world_rollout *r = begin(3, 1, false, "'maxUnavailable':1,'order':['Name']," ONE_WAVE, "");
	struct world_pod *pod = world_add_pod(&w, "n01", "x1", "x");
	pod->stays = true;
	world_run_to(&w, "n01", STEP_DRAINING);
	world_label(&w, w.nodes[0], "pool", "elsewhere");
	world_run(&w, MINUTES(5));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_DRAINING);
	ck_assert_int_eq(world_step_of(&w, "n02"), STEP_NONE);
	pod->gone = true;
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(w.claims, 3);
	world_finish(&w);
}
END_TEST

/* Cordoned by somebody, it is not counted before it is ours again. */
START_TEST(so_does_one_that_was_cordoned_beforehand)
{
	struct world_rollout *r = begin(3, 1, false, "'maxUnavailable':1,'order':['Name']," ONE_WAVE, "");
	w.nodes[0]->node.unschedulable = w.nodes[0]->cordoned_before = true;
	while (!r->rollout->status.plan_hash)
		ck_assert(world_tick(&w, w.now_ms));
	ck_assert_uint_eq(r->rollout->status.active.count, 0);
	world_label(&w, w.nodes[0], "pool", "elsewhere");
	world_run(&w, MINUTES(60));
	check_end(r, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(w.claims, 3);
	world_finish(&w);
}
END_TEST

static size_t most_in_work;

static void count_in_work(struct world *world)
{
	size_t count = world->rollouts[0].rollout->status.active.count;
	most_in_work = count > most_in_work ? count : most_in_work;
}

/* A cordoned node takes no further place, but its pods run: as many at a time as may be unavailable. */
START_TEST(cordoned_nodes_are_not_drained_all_at_once)
{
	struct world_rollout *r = begin(6, 1, false, "'maxUnavailable':2," ONE_WAVE, "");
	for (int i = 0; i < 5; i++)
		w.nodes[i]->node.unschedulable = w.nodes[i]->cordoned_before = true;
	most_in_work = 0;
	w.on_step = count_in_work;
	world_run(&w, MINUTES(60));
	w.on_step = NULL;
	ck_assert_int_eq(r->rollout->status.counts.patched, 5); /* the sixth waits: five are unavailable */
	ck_assert_uint_eq(most_in_work, 2);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/run", a_canary_that_fails, ten_nodes_in_three_waves, writes_that_are_not_visible_yet,
           two_patches_share_a_cordon, nodes_cordoned_beforehand_stay_so,
           nodes_cordoned_beforehand_stay_so_when_they_fail, a_node_that_is_not_ready_uses_the_budget,
           nothing_to_do_is_a_success, a_node_that_shows_nothing_is_left_out, a_slow_node_may_lag,
           more_targets_than_a_page_holds, a_ledger_that_outgrows_the_status, both_patches_are_taken_back,
           a_rollback_drains_before_its_job, a_rollback_that_cannot_drain_ends, a_drain_that_does_not_end,
           a_node_that_does_not_settle, settling_wants_an_uninterrupted_time, a_reboot_while_draining,
           what_is_in_work_goes_on_after_a_failure, a_node_in_work_counts_whatever_its_labels,
           so_does_one_that_was_cordoned_beforehand, cordoned_nodes_are_not_drained_all_at_once)
