/* What people, crashes and time do to a rollout at each of its moments. */
#include "test/unit/plan/world.h"

#define TWO_WAVES "'maxUnavailable':2,'waves':[{'name':'canary','size':1,'soak':'2m'},{'name':'rest'}]"
#define ONE_WAVE "'waves':[{'name':'all'}]"

static struct world w;

static struct world_rollout *begin(int nodes, bool rollback, const char *strategy)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, rollback, strategy, ""), false);
	world_add_nodes(&w, nodes);
	for (int i = 0; i < nodes; i++)
		world_add_pod(&w, w.nodes[i]->node.object.name, w.nodes[i]->node.object.name, "cart");
	return world_add_rollout(&w, "r1");
}

static bool shows(const char *node, const char *version)
{
	return strstr(world_node(&w, node)->node.node_info[NODE_INFO_CONTAINER_RUNTIME], version) != NULL;
}

static void check_outcome(const struct world_rollout *r, enum outcome outcome, const char *when)
{
	ck_assert_msg(r->rollout->status.outcome == (int)outcome, "%s: it is %s, not %s: %s", when,
	              outcome_names[r->rollout->status.outcome], outcome_names[outcome], r->rollout->status.summary);
	world_check_tidy(&w, r);
}

static const enum step steps[] = {STEP_DRAINING, STEP_PATCHING, STEP_VERIFYING, STEP_SETTLING};

/* The first node in that step: one that lags is seen Verifying. */
static struct world_rollout *begin_at(enum step step, int nodes)
{
	struct world_rollout *r = begin(nodes, true, TWO_WAVES);
	w.nodes[0]->host = HOST_LAGS;
	world_run_to(&w, "n01", step);
	return r;
}

/* ---- nodes ---- */

START_TEST(a_node_is_deleted)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		world_delete_node(&w, "n01");
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_SUCCEEDED, step_names[steps[i]]);
		ck_assert_uint_eq(world_decisions(&w, r, DECISION_SKIP, "NodeGone"), 1);
		ck_assert_int_eq(r->rollout->status.counts.skipped, 1);
		ck_assert_int_eq(r->rollout->status.counts.patched, 2);
		world_finish(&w);
	}
}
END_TEST

START_TEST(a_node_comes_back_as_another)
{
	struct world_rollout *r = begin_at(STEP_PATCHING, 2);
	world_delete_node(&w, "n01");
	struct world_node *again = world_add_node(&w, "n01");
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_SUCCEEDED, "came back");
	ck_assert_msg(shows("n01", OLD) && !again->node.unschedulable, "another node is no target of this rollout");
	world_finish(&w);
}
END_TEST

START_TEST(somebody_uncordons_before_patching)
{
	struct world_rollout *r = begin(2, true, ONE_WAVE);
	world_add_pdb(&w, "cart", "cart", 0);
	world_run_to(&w, "n01", STEP_DRAINING);
	w.nodes[0]->node.unschedulable = false;
	w.pdbs[0].pdb.disruptions_allowed = 2;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_SUCCEEDED, "uncordoned");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_SKIP, "ForeignUncordon"), 1);
	ck_assert(shows("n01", OLD) && shows("n02", NEW));
	world_finish(&w);
}
END_TEST

/* Invariant 3: afterwards it goes on without cordoning again, and says so. */
START_TEST(somebody_uncordons_while_patching)
{
	struct world_rollout *r = begin_at(STEP_PATCHING, 1);
	w.nodes[0]->node.unschedulable = false;
	for (int i = 0; i < 20 && world_step_of(&w, "n01") != STEP_NONE; i++) {
		world_tick(&w, w.now_ms + MINUTES(600));
		ck_assert(!w.nodes[0]->node.unschedulable);
	}
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_SUCCEEDED, "uncordoned");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, "ForeignUncordon"), 1);
	world_finish(&w);
}
END_TEST

/* Somebody cordoned it, and took that back: the cordon that a rollback needs is ours, and goes with it. */
START_TEST(a_foreign_cordon_is_lifted_while_patching)
{
	struct world_rollout *r = begin(1, true, ONE_WAVE);
	w.nodes[0]->host = HOST_BREAKS;
	w.nodes[0]->node.unschedulable = true;
	world_run_to(&w, "n01", STEP_PATCHING);
	ck_assert(w.nodes[0]->node.state->foreign_cordon);
	w.nodes[0]->node.unschedulable = false;
	world_run_to(&w, "n01", STEP_ROLLING_BACK);
	ck_assert(w.nodes[0]->node.unschedulable);
	ck_assert(!w.nodes[0]->node.state->foreign_cordon);
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_ROLLED_BACK, "lifted"); /* and nothing is left cordoned */
	world_finish(&w);
}
END_TEST

/* Our own uncordon is nobody else's. */
START_TEST(nobody_uncordons)
{
	struct world_rollout *r = begin(2, true, ONE_WAVE);
	w.nodes[0]->host = HOST_LAGS;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_SUCCEEDED, "");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, NULL), 0);
	world_finish(&w);
}
END_TEST

/* The grant was free because the node was cordoned; when it is not any more, the place has to be there first. */
START_TEST(a_foreign_cordon_goes_between_grant_and_claim)
{
	struct world_rollout *r = begin(4, false, "'maxUnavailable':2," ONE_WAVE);
	w.nodes[0]->node.unschedulable = w.nodes[1]->node.unschedulable = true;
	world_set_ready(&w, "n04", false);
	while (r->rollout->status.active.count == 0)
		ck_assert(world_tick(&w, w.now_ms));
	ck_assert_uint_eq(r->rollout->status.active.count, 2);
	w.nodes[0]->node.unschedulable = w.nodes[1]->node.unschedulable = false;
	world_run(&w, MINUTES(600)); /* check_budget() at each claim */
	ck_assert_int_eq(r->rollout->status.counts.patched, 3);
	world_set_ready(&w, "n04", true);
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_SUCCEEDED, "uncordoned");
	ck_assert_int_eq(r->rollout->status.counts.patched, 4);
	world_finish(&w);
}
END_TEST

/* ---- states that somebody touched ---- */

START_TEST(a_state_is_removed)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 2);
		while (world_active(r, "n01")->step != (int)steps[i])
			ck_assert(world_step(&w)); /* the status knows */
		w.nodes[0]->host = HOST_OBEYS;
		world_set_state(&w, w.nodes[0], NULL);
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_SUCCEEDED, step_names[steps[i]]);
		ck_assert_msg(!w.nodes[0]->node.unschedulable, "removed while %s: left cordoned", step_names[steps[i]]);
		world_finish(&w);
	}
}
END_TEST

/* Nothing is begun anew on a host that shows the version, or that is on its way out. */
START_TEST(a_removed_state_is_no_new_beginning)
{
	struct world_rollout *r = begin(1, true, ONE_WAVE);
	world_run_to(&w, "n01", STEP_SETTLING);
	ck_assert(world_step(&w)); /* the status knows */
	world_set_state(&w, w.nodes[0], NULL);
	while (r->rollout->status.outcome == OUTCOME_NONE) {
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
		ck_assert(!w.nodes[0]->node.unschedulable);
	}
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_SUCCEEDED, "settling");
	ck_assert_uint_eq(w.job_name_count, 1);
	world_finish(&w);

	r = begin(1, true, ONE_WAVE);
	w.nodes[0]->host = HOST_BREAKS;
	world_run_to(&w, "n01", STEP_PATCHING);
	while (!world_active(r, "n01")->reason)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	ck_assert_int_eq(world_active(r, "n01")->step, STEP_ROLLING_BACK);
	world_set_state(&w, w.nodes[0], NULL);
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_FAILED, "rolling back");
	ck_assert(w.nodes[0]->node.quarantined && w.nodes[0]->node.unschedulable);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_ROLLBACK_IMPOSSIBLE, "StateLost"), 1);
	ck_assert_uint_eq(w.job_name_count, 1);
	world_finish(&w);

	r = begin_at(STEP_PATCHING, 2);
	ck_assert(world_step(&w));
	world_set_state(&w, w.nodes[0], NULL);
	world_delete_rollout(&w, r);
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_ABORTED, "deleted");
	ck_assert(r->gone && !w.nodes[0]->node.unschedulable);
	world_finish(&w);
}
END_TEST

START_TEST(a_state_is_changed_by_hand)
{
	static const struct {
		enum step step;
		int64_t patch;
	} cases[] = {{STEP_PATCHING, 7}, {STEP_ROLLING_BACK, 7}, {STEP_CLAIMED, 0}, {STEP_DRAINING, 7}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		for (int rollback = 0; rollback < 2; rollback++) {
			struct world_rollout *r = begin(2, rollback, ONE_WAVE);
			world_run_to(&w, "n01", STEP_PATCHING);
			struct node_state state = *w.nodes[0]->node.state;
			state.step = (int)cases[i].step;
			state.patch = cases[i].patch;
			world_set_state(&w, w.nodes[0], &state);
			world_run(&w, MINUTES(600));
			ck_assert_msg(r->rollout->status.outcome != OUTCOME_NONE, "case %zu: it never ends: %s", i,
			              r->rollout->status.summary);
			world_check_tidy(&w, r);
			world_finish(&w);
		}
}
END_TEST

START_TEST(a_rollback_without_a_rollback_job)
{
	struct world_rollout *r = begin(1, false, ONE_WAVE);
	world_run_to(&w, "n01", STEP_PATCHING);
	struct node_state state = *w.nodes[0]->node.state;
	state.step = STEP_ROLLING_BACK;
	world_set_state(&w, w.nodes[0], &state);
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_FAILED, "");
	ck_assert(w.nodes[0]->node.quarantined);
	world_finish(&w);
}
END_TEST

/* The annotation has no room for its times when everything else in it is long. */
START_TEST(a_rollback_whose_times_were_cut)
{
	struct world_rollout *r = begin(1, true, ONE_WAVE);
	w.nodes[0]->host = HOST_BREAKS;
	world_run_to(&w, "n01", STEP_ROLLING_BACK);
	struct node_state state = *w.nodes[0]->node.state;
	for (int step = 0; step < STEP_COUNT; step++)
		state.times[step] = KUBE_TIME_NONE;
	world_set_state(&w, w.nodes[0], &state);
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_ROLLED_BACK, "");
	world_finish(&w);
}
END_TEST

START_TEST(a_state_that_nobody_can_read)
{
	struct world_rollout *r = begin(2, false, ONE_WAVE);
	w.nodes[0]->node.state_text = "not JSON";
	w.nodes[0]->node.state_error = "unexpected end";
	world_run(&w, MINUTES(60));
	const struct active *active = world_active(r, "n01");
	ck_assert_ptr_nonnull(active);
	ck_assert_str_eq(active->blocked_by.kind, "Node");
	ck_assert_ptr_nonnull(strstr(active->blocked_by.message, "unexpected end"));
	ck_assert_uint_eq(w.writes, 0);
	w.nodes[0]->node.state_text = NULL;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_SUCCEEDED, "");
	world_finish(&w);
}
END_TEST

/* ---- writes that are not visible yet ---- */

START_TEST(a_busy_node_is_left_alone)
{
	static const enum step all[] = {STEP_NONE,     STEP_DRAINING,     STEP_PATCHING, STEP_VERIFYING,
	                                STEP_SETTLING, STEP_ROLLING_BACK, STEP_PATCHED};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(all); i++) {
		struct world_rollout *r = begin(1, true, ONE_WAVE);
		w.nodes[0]->host = all[i] == STEP_ROLLING_BACK ? HOST_BREAKS : HOST_LAGS;
		if (all[i] != STEP_NONE)
			world_run_to(&w, "n01", all[i]);
		w.nodes[0]->busy = 1000;
		for (int64_t waited = 0; waited < 4; waited++) {
			for (int k = 0; k < 5; k++)
				world_step(&w); /* patch_node() fails the test when it is written */
			ck_assert_uint_eq(world_actions(&w, ACTION_PATCH_NODE), 0);
			ck_assert_uint_eq(world_actions(&w, ACTION_EVICT_POD), 0);
			ck_assert_uint_eq(world_actions(&w, ACTION_CREATE_JOB), 0);
			w.now_ms += MINUTES(60);
		}
		ck_assert(!r->gone);
		world_finish(&w);
	}
}
END_TEST

START_TEST(a_busy_pod_is_left_alone)
{
	struct world_rollout *r = begin(1, false, ONE_WAVE);
	world_run_to(&w, "n01", STEP_DRAINING);
	ck_assert_uint_eq(w.evictions, 0);
	w.pods[0]->busy = 1000;
	for (int k = 0; k < 5; k++)
		world_step(&w);
	ck_assert_uint_eq(w.evictions, 0);
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_DRAINING);
	w.pods[0]->busy = 0;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_SUCCEEDED, "");
	world_finish(&w);
}
END_TEST

/* ---- job pods that somebody touched ---- */

static struct world_pod *job_pod(void)
{
	for (size_t i = 0; i < w.pod_count; i++)
		if (w.pods[i]->pod.job_step && !w.pods[i]->gone)
			return w.pods[i];
	return NULL;
}

static struct world_rollout *begin_with_job(bool rollback)
{
	struct world_rollout *r = begin(1, rollback, ONE_WAVE);
	while (!world_active(r, "n01") || !world_active(r, "n01")->job_uid)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	ck_assert(!job_pod()->ended);
	return r;
}

START_TEST(a_job_pod_vanishes)
{
	struct world_rollout *r = begin_with_job(false);
	job_pod()->gone = true;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_FAILED, "lost");
	ck_assert_str_eq(r->rollout->status.failed.items[0].reason, "JobLost");
	ck_assert(w.nodes[0]->node.quarantined);
	ck_assert_uint_eq(w.job_name_count, 1);
	world_finish(&w);
}
END_TEST

START_TEST(a_job_pod_vanishes_before_the_status_has_it)
{
	struct world_rollout *r = begin(1, false, ONE_WAVE);
	world_run_to(&w, "n01", STEP_PATCHING);
	world_plan(&w, r);
	while (!job_pod())
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	ck_assert_ptr_null(world_active(r, "n01")->job_uid);
	job_pod()->gone = true;
	world_run(&w, MINUTES(60)); /* create_job(): never twice */
	check_outcome(r, OUTCOME_FAILED, "lost");
	ck_assert_str_eq(r->rollout->status.failed.items[0].reason, "JobLost");
	world_finish(&w);
}
END_TEST

/* A new leader has a record of it, and has to ask for it. */
START_TEST(a_job_pod_vanishes_with_its_leader)
{
	struct world_rollout *r = begin_with_job(false);
	job_pod()->gone = true;
	world_forget(&w);
	w.epoch++;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_FAILED, "lost");
	ck_assert_str_eq(r->rollout->status.failed.items[0].reason, "JobLost");
	ck_assert_uint_eq(w.reads, 1);
	world_finish(&w);
}
END_TEST

/* Its watch is blind: what the server says when it is asked is enough to go on. */
START_TEST(a_job_pod_that_the_cache_does_not_show)
{
	for (int forgets = 0; forgets < 2; forgets++) {
		struct world_rollout *r = begin(1, false, ONE_WAVE);
		world_run_to(&w, "n01", STEP_PATCHING);
		while (!job_pod())
			ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
		struct world_pod *job = job_pod();
		job->hidden = true;
		if (forgets)
			w.nodes[0]->fact = (struct job_fact){.name = job->pod.object.name, .existed = true}; /* AlreadyExists */
		world_run_to(&w, "n01", STEP_SETTLING);
		ck_assert_uint_ge(w.reads, 1);
		ck_assert_uint_eq(w.job_name_count, 1);
		job->hidden = false;
		world_run(&w, MINUTES(60));
		check_outcome(r, OUTCOME_SUCCEEDED, "hidden");
		world_finish(&w);
	}
}
END_TEST

/* Two root jobs on one host at once would be worse than waiting: create_job() asserts it. */
START_TEST(a_job_pod_is_deleted_and_runs_on)
{
	struct world_rollout *r = begin_with_job(true);
	struct world_pod *job = job_pod();
	w.nodes[0]->host = HOST_BREAKS;
	job->pod.object.deleted_ms = w.now_ms;
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_ROLLED_BACK, "deleted");
	ck_assert_str_eq(r->rollout->status.failed.items[0].reason, "JobLost");
	world_finish(&w);
}
END_TEST

START_TEST(a_job_pod_for_another_node_has_our_name)
{
	struct world_rollout *r = begin_with_job(false);
	job_pod()->pod.job_node_uid = "other";
	world_plan(&w, r);
	ck_assert_uint_eq(world_actions(&w, ACTION_CREATE_JOB), 0);
	world_finish(&w);
}
END_TEST

/* ---- the rollout, its policy ---- */

START_TEST(the_rollout_is_deleted)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		world_delete_rollout(&w, r);
		world_run(&w, MINUTES(600));
		ck_assert_msg(r->gone, "deleted while %s: it never goes: %s", step_names[steps[i]], r->rollout->status.summary);
		check_outcome(r, OUTCOME_ABORTED, step_names[steps[i]]);
		ck_assert(!w.nodes[0]->node.unschedulable);
		ck_assert(shows("n02", OLD) && shows("n03", OLD));
		/* A running job ends by itself; where none ran, none is started. */
		ck_assert_uint_eq(w.job_name_count, steps[i] != STEP_DRAINING && w.job_name_count ? 1 : 0);
		world_finish(&w);
	}
}
END_TEST

START_TEST(the_rollout_is_deleted_before_it_is_planned)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, NULL, ""), true);
	world_add_nodes(&w, 1);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	world_run(&w, MINUTES(1));
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "suspended"));
	world_set_rollout(&w, r, "metadata.finalizers", "['patchwright.io/rollout']");
	world_delete_rollout(&w, r);
	world_run(&w, MINUTES(1));
	ck_assert(r->gone);
	ck_assert_uint_eq(w.writes + w.report_count, 0);
	world_finish(&w);
}
END_TEST

START_TEST(the_rollout_is_deleted_with_a_job_pod_on_its_way)
{
	struct world_rollout *r = begin(1, false, ONE_WAVE);
	world_run_to(&w, "n01", STEP_PATCHING);
	world_delete_rollout(&w, r);
	/* The request for the job pod is in flight: nobody knows yet whether it is made. */
	world_plan(&w, r);
	struct target_view *view = (struct target_view *)&w.snapshot.targets[0];
	ck_assert_uint_eq(view->job_count, 0);
	view->job_busy = true;
	plan_rollout(&w.snapshot, &w.pass, &w.result);
	ck_assert_int_eq(w.result.wanted.active.items[0].step, STEP_PATCHING);
	ck_assert_ptr_null(w.result.wanted.active.items[0].reason);
	/* Nor when its answer was lost: the server has to say that there is none. */
	view->job_busy = false;
	plan_rollout(&w.snapshot, &w.pass, &w.result);
	ck_assert_int_eq(w.result.wanted.active.items[0].step, STEP_PATCHING);
	ck_assert_uint_eq(world_actions(&w, ACTION_READ_JOB), 1);
	view->job_fact = &(struct job_fact){.name = world_action(&w, ACTION_READ_JOB)->read_job.name, .absent = true};
	plan_rollout(&w.snapshot, &w.pass, &w.result);
	ck_assert_int_eq(w.result.wanted.active.items[0].step, STEP_SKIPPED);
	world_finish(&w);
}
END_TEST

/* Its watch shows it running for ever. Asked once, the server has said enough. */
START_TEST(a_job_that_is_gone_unseen_is_not_asked_for_again_and_again)
{
	struct world_rollout *r = begin(1, false, ONE_WAVE);
	w.nodes[0]->host = HOST_HANGS;
	world_run_to(&w, "n01", STEP_PATCHING);
	while (!w.snapshot.targets[0].job_count)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	world_plan(&w, r);
	struct target_view *view = (struct target_view *)&w.snapshot.targets[0];
	ck_assert_uint_eq(view->job_count, 1);
	w.snapshot.now_ms += MINUTES(600);
	plan_rollout(&w.snapshot, &w.pass, &w.result);
	ck_assert_uint_eq(world_actions(&w, ACTION_READ_JOB), 1);
	view->job_fact = &(struct job_fact){
	    .name = view->jobs[0].pod->object.name, .existed = true, .absent = true, .read_ms = KUBE_TIME_NONE};
	plan_rollout(&w.snapshot, &w.pass, &w.result);
	ck_assert_uint_eq(world_actions(&w, ACTION_READ_JOB), 0);
	ck_assert_str_eq(w.result.wanted.active.items[0].reason, "JobLost");
	world_finish(&w);
}
END_TEST

START_TEST(the_rollout_is_deleted_while_it_rolls_back)
{
	struct world_rollout *r = begin(1, true, ONE_WAVE);
	w.nodes[0]->host = HOST_BREAKS;
	world_run_to(&w, "n01", STEP_ROLLING_BACK);
	world_delete_rollout(&w, r);
	world_run(&w, MINUTES(60));
	check_outcome(r, OUTCOME_ABORTED, "");
	ck_assert(r->gone && shows("n01", OLD));
	world_finish(&w);
}
END_TEST

START_TEST(the_policy_is_deleted)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		w.policy = NULL;
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_ABORTED, step_names[steps[i]]);
		ck_assert(!w.nodes[0]->node.unschedulable);
		ck_assert(shows("n02", OLD));
		world_finish(&w);
	}
}
END_TEST

START_TEST(the_policy_is_replaced)
{
	struct world_rollout *r = begin_at(STEP_DRAINING, 3);
	w.policy_replaced = true;
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_ABORTED, "replaced");
	world_finish(&w);
}
END_TEST

START_TEST(the_policy_is_changed)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		world_set_policy(&w, policy_spec(&w, 1, true, ONE_WAVE, ""), false);
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_SUPERSEDED, step_names[steps[i]]);
		/* What is in work goes on to its end, nothing else begins. */
		ck_assert(shows("n01", NEW) && !w.nodes[0]->node.unschedulable);
		ck_assert(shows("n02", OLD) && shows("n03", OLD));
		ck_assert_uint_eq(world_decisions(&w, r, DECISION_SUPERSEDE, "PolicyChanged"), 1);
		world_finish(&w);
	}
}
END_TEST

START_TEST(the_policy_is_suspended)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		const char *spec = policy_spec(&w, 1, true, TWO_WAVES, "");
		world_set_policy(&w, spec, true);
		world_run(&w, MINUTES(600));
		ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
		ck_assert(shows("n01", NEW) && !w.nodes[0]->node.unschedulable);
		ck_assert(shows("n02", OLD) && shows("n03", OLD));
		ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "Suspended"));
		world_set_policy(&w, spec, false);
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_SUCCEEDED, step_names[steps[i]]);
		world_finish(&w);
	}
}
END_TEST

/* A granted node that was not touched yet is not begun with either. */
START_TEST(nothing_begins_once_it_is_to_stop)
{
	for (int how = 0; how < 3; how++) {
		struct world_rollout *r = begin(2, false, ONE_WAVE);
		while (r->rollout->status.active.count == 0)
			ck_assert(world_tick(&w, w.now_ms));
		ck_assert_uint_eq(w.writes, 0);
		if (how == 0)
			world_set_policy(&w, policy_spec(&w, 1, false, ONE_WAVE, ""), true);
		if (how == 1)
			world_set_policy(&w, policy_spec(&w, 1, false, TWO_WAVES, ""), false);
		if (how == 2)
			world_set_rollout(&w, r, "status.failed",
			                  "[{'node':'x','nodeUID':'x','wave':'all','step':'Patching','reason':'JobFailed',"
			                  "'message':'m','at':'2026-11-21T00:00:00Z'}]");
		world_run(&w, MINUTES(60));
		ck_assert_msg(w.writes == 0, "case %d: a node was begun with", how);
		ck_assert_uint_eq(r->rollout->status.active.count, 0);
		world_finish(&w);
	}
}
END_TEST

START_TEST(the_finalizer_is_taken_away)
{
	struct world_rollout *r = begin_at(STEP_PATCHING, 2);
	world_set_rollout(&w, r, "metadata.finalizers", NULL);
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_SUCCEEDED, "");
	world_finish(&w);
}
END_TEST

/* ---- the plan ---- */

START_TEST(the_plan_is_gone)
{
	struct world_rollout *r = begin_at(STEP_PATCHING, 2);
	size_t writes = w.writes;
	w.revision_count = 0;
	world_run(&w, MINUTES(60));
	const struct condition *stalled = condition_get(&r->rollout->status.conditions, "Stalled");
	ck_assert_ptr_nonnull(stalled);
	ck_assert_str_eq(stalled->reason, "PlanUnreadable");
	ck_assert_uint_eq(w.writes, writes);
	ck_assert_ptr_nonnull(world_active(r, "n01"));
	world_delete_rollout(&w, r);
	world_run(&w, MINUTES(60));
	ck_assert(r->gone);
	ck_assert(!w.nodes[0]->node.unschedulable && !w.nodes[0]->node.state);
	ck_assert_ptr_null(job_pod());
	world_finish(&w);
}
END_TEST

START_TEST(a_target_in_a_wave_that_there_is_not)
{
	static const int64_t waves[] = {-1, 2, 15, INT64_MAX};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(waves); i++) {
		struct world_rollout *r = begin_at(STEP_PATCHING, 2);
		size_t writes = w.writes;
		for (size_t p = 0; p < w.revision_count; p++)
			if (!w.revisions[p]->ledger)
				w.revisions[p]->targets.items[1].wave = waves[i];
		world_run(&w, MINUTES(60));
		const struct condition *stalled = condition_get(&r->rollout->status.conditions, "Stalled");
		ck_assert_ptr_nonnull(stalled);
		ck_assert_str_eq(stalled->reason, "PlanUnreadable");
		ck_assert_uint_eq(w.writes, writes);
		world_delete_rollout(&w, r);
		world_run(&w, MINUTES(60));
		ck_assert(r->gone);
		ck_assert(!w.nodes[0]->node.unschedulable && !w.nodes[0]->node.state);
		ck_assert_ptr_null(job_pod());
		world_finish(&w);
	}
}
END_TEST

START_TEST(a_status_from_a_backup)
{
	struct world_rollout *r = begin_at(STEP_PATCHING, 2);
	world_set_rollout(&w, r, "status.plan.forUID", "'somebody else'");
	size_t writes = w.writes;
	world_run(&w, MINUTES(60));
	const struct condition *stalled = condition_get(&r->rollout->status.conditions, "Stalled");
	ck_assert_ptr_nonnull(stalled);
	ck_assert_str_eq(stalled->reason, "Restored");
	ck_assert_uint_eq(w.writes, writes);
	world_delete_rollout(&w, r); /* as its message says */
	world_run(&w, MINUTES(60));
	ck_assert_msg(r->gone, "its finalizer is stuck");
	world_finish(&w);
}
END_TEST

/* ---- lost statuses, dead controllers ---- */

START_TEST(grants_are_lost)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		size_t writes = w.writes;
		world_set_rollout(&w, r, "status.active", NULL);
		ck_assert(world_step(&w));
		ck_assert_uint_eq(w.writes, writes); /* the grant is written again before anything is done */
		ck_assert_ptr_nonnull(world_active(r, "n01"));
		ck_assert_int_eq(world_active(r, "n01")->step, steps[i]);
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_SUCCEEDED, step_names[steps[i]]);
		world_finish(&w);
	}
}
END_TEST

START_TEST(the_whole_status_is_lost)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		struct world_rollout *r = begin_at(steps[i], 3);
		world_set_rollout(&w, r, "status", NULL);
		world_run(&w, MINUTES(600));
		check_outcome(r, OUTCOME_SUCCEEDED, step_names[steps[i]]);
		ck_assert(shows("n01", NEW) && shows("n02", NEW) && shows("n03", NEW));
		world_finish(&w);
	}
}
END_TEST

START_TEST(a_new_leader_writes_its_epoch_first)
{
	struct world_rollout *r = begin_at(STEP_DRAINING, 2);
	w.epoch = 7;
	world_plan(&w, r);
	ck_assert_uint_eq(w.result.actions.count, 0);
	ck_assert(w.result.write_status);
	const struct rollout_status *want = &w.result.wanted;
	const struct rollout_status *status = &r->rollout->status;
	ck_assert_int_eq(want->epoch, 7);
	ck_assert_uint_eq(want->decisions.count, 0);
	ck_assert_uint_eq(want->active.count, status->active.count);
	ck_assert_mem_eq(want->active.items, status->active.items, status->active.count * sizeof(*status->active.items));
	ck_assert_uint_eq(want->conditions.count, status->conditions.count);
	ck_assert_int_eq(want->outcome, status->outcome);
	ck_assert_str_eq(want->summary, status->summary);
	ck_assert_int_eq(want->counts.active, status->counts.active);
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_SUCCEEDED, "");
	ck_assert_int_eq(r->rollout->status.epoch, 7);
	world_finish(&w);
}
END_TEST

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* The controller dies over and over, between any two of its effects; the end is the same. */
START_TEST(the_controller_dies_anywhere)
{
	static const struct {
		enum host host;
		bool rollback;
		enum outcome outcome;
	} cases[] = {
	    {HOST_OBEYS, false, OUTCOME_SUCCEEDED},   {HOST_LAGS, false, OUTCOME_SUCCEEDED},
	    {HOST_BREAKS, true, OUTCOME_ROLLED_BACK}, {HOST_FAILS, false, OUTCOME_FAILED},
	    {HOST_LIES, true, OUTCOME_ROLLED_BACK},
	};
	size_t crashes = 0;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		for (uint64_t run = 0; run < (getenv("UNIT_LIGHT") ? 3U : 40U); run++) {
			struct world_rollout *r = begin(4, cases[i].rollback, TWO_WAVES);
			uint64_t seed = run * 5 + i;
			w.nodes[0]->host = cases[i].host;
			w.lag = (int)(next_random(&seed) % 2);
			world_add_pdb(&w, "cart", "cart", 1);
			int64_t until = w.now_ms + MINUTES(600);
			do
				if (w.cut < 0)
					w.cut = (int)(next_random(&seed) % 6);
			while (world_tick(&w, until));
			check_outcome(r, cases[i].outcome, "after crashes");
			crashes += w.crashes;
			world_finish(&w);
		}
	ck_assert_uint_gt(crashes, getenv("UNIT_LIGHT") ? 50 : 1000);
}
END_TEST

/* ---- other rollouts ---- */

/* Of what it has done to the first node. */
static void leave_record(const struct world_rollout *other)
{
	struct node_state state = {.node_uid = w.nodes[0]->node.object.uid,
	                           .rollout_uid = other->rollout->object.uid,
	                           .rollout = other->rollout->object.name,
	                           .wave = "all",
	                           .step = STEP_PATCHED,
	                           .since_ms = w.now_ms,
	                           .started_ms = w.now_ms};
	for (int step = 0; step < STEP_COUNT; step++)
		state.times[step] = KUBE_TIME_NONE;
	world_set_state(&w, w.nodes[0], &state);
}

START_TEST(another_rollout_holds_the_node)
{
	struct world_rollout *r1 = begin(1, false, ONE_WAVE);
	while (r1->rollout->status.active.count == 0)
		ck_assert(world_tick(&w, w.now_ms));
	struct world_rollout *other = world_add_rollout(&w, "other");
	other->idle = true;
	world_set_rollout(&w, other, "spec.policyRef.name", "'elsewhere'");
	world_set_rollout(&w, other, "metadata.finalizers", "['patchwright.io/rollout']");
	leave_record(other);
	world_plan(&w, r1);
	ck_assert_uint_eq(world_actions(&w, ACTION_PATCH_NODE), 0);
	const struct active *active = &w.result.wanted.active.items[0];
	ck_assert_str_eq(active->blocked_by.kind, "PatchRollout");
	ck_assert_str_eq(active->blocked_by.name, "other");
	world_set_rollout(&w, other, "metadata.finalizers", NULL);
	world_set_rollout(&w, other, "status.outcome", "'Succeeded'"); /* done: its record is in the report */
	world_plan(&w, r1);
	ck_assert_uint_eq(world_actions(&w, ACTION_PATCH_NODE), 1);
	world_finish(&w);
}
END_TEST

/* A node that carries another's record is not even granted: its place in the budget would be lost to both. */
START_TEST(a_node_with_the_record_of_another_takes_no_place)
{
	struct world_rollout *r = begin(2, false, ONE_WAVE);
	struct world_rollout *other = world_add_rollout(&w, "other");
	other->idle = true;
	world_set_rollout(&w, other, "spec.policyRef.name", "'elsewhere'");
	leave_record(other);
	world_run_to(&w, "n02", STEP_SETTLING);
	ck_assert_ptr_null(world_active(r, "n01"));
	world_run(&w, MINUTES(5));
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "PatchRollout other"));
	world_finish(&w);
}
END_TEST

/* Both were granted the same node before either knew of the other; the one without the node must not cost the other
 * its budget, or each waits for the other for ever. */
START_TEST(two_rollouts_that_share_nodes)
{
	struct world_rollout *r1 = begin(3, false, "'maxUnavailable':1," ONE_WAVE);
	struct world_rollout *r2 = world_add_rollout(&w, "r2");
	const char *uid = w.nodes[0]->node.object.uid;
	r2->idle = true;
	world_set_rollout(&w, r2, "spec.policyRef.name", "'elsewhere'");
	world_set_rollout(&w, r2, "metadata.finalizers", "['patchwright.io/rollout']");
	world_set_rollout(&w, r2, "status.plan.hash", "'h'");
	world_set_rollout(&w, r2, "status.plan.policyHash", "'h'");
	world_run_to(&w, "n01", STEP_DRAINING);
	world_set_rollout(&w, r2, "status.active",
	                  kube_arena_printf(&w.arena,
	                                    "[{'node':'n01','nodeUID':'%s','wave':'all','step':'Claimed',"
	                                    "'since':'2026-11-21T00:00:00Z','attempt':1}]",
	                                    uid));
	world_run(&w, MINUTES(600));
	ck_assert_int_eq(r1->rollout->status.counts.patched, 3);
	ck_assert_int_eq(r1->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* Each would hold its records on nodes that the other waits for, until neither could end. */
START_TEST(rollouts_whose_policies_share_nodes_go_one_after_the_other)
{
	struct world_rollout *r1 = begin(2, false, ONE_WAVE);
	struct world_rollout *r2 = world_add_rollout(&w, "r2");
	struct policy elsewhere = *w.policy;
	struct kube_str_pair nowhere = {"pool", "nowhere"};
	struct rules rules = w.policy->rules;

	elsewhere.object.name = "elsewhere";
	w.policies[0] = &elsewhere;
	w.policy_count = 1;
	r2->idle = true;
	world_set_rollout(&w, r2, "spec.policyRef.name", "'elsewhere'");
	world_set_rollout(&w, r2, "metadata.finalizers", "['patchwright.io/rollout']");
	world_set_rollout(&w, r2, "status.plan.hash", "'h'");
	for (int i = 0; i < 5; i++)
		world_tick(&w, w.now_ms);
	ck_assert_ptr_null(r1->rollout->status.plan_hash);
	ck_assert_ptr_nonnull(strstr(r1->rollout->status.summary, "r2"));
	ck_assert_int_ne(w.look_again_ms, KUBE_TIME_NONE);
	elsewhere.rules.selector.match_labels.items = &nowhere; /* the other policy is for other nodes now */
	elsewhere.rules.selector.match_labels.count = 1;
	world_run(&w, MINUTES(600));
	check_outcome(r1, OUTCOME_SUCCEEDED, "it goes on");
	elsewhere.rules = rules;
	world_finish(&w);
}
END_TEST

/* Its targets are frozen, and it waits for none of them to come back: whoever is planned for them now would hold its
 * records on some while that one holds its own on the others. */
START_TEST(a_plan_keeps_nodes_that_were_relabelled_since)
{
	struct world_rollout *r1 = begin(2, false, ONE_WAVE);
	struct world_rollout *r2 = world_add_rollout(&w, "r2");
	struct policy elsewhere = *w.policy;
	struct kube_str_pair nowhere = {"pool", "nowhere"};

	elsewhere.object.name = "elsewhere";
	w.policies[0] = &elsewhere;
	w.policy_count = 1;
	world_set_rollout(&w, r2, "spec.policyRef.name", "'elsewhere'");
	r1->idle = true;
	while (!r2->rollout->status.plan_hash)
		ck_assert(world_tick(&w, w.now_ms));
	elsewhere.rules.selector.match_labels = (struct kube_strmap){&nowhere, 1};
	r1->idle = false;
	r2->idle = true;
	world_run(&w, MINUTES(5));
	ck_assert_ptr_null(r1->rollout->status.plan_hash);
	world_check_condition(r1, "Progressing", CONDITION_FALSE, "WaitingForRollout", "PatchRollout r2");
	r2->idle = false;
	world_run(&w, MINUTES(600));
	check_outcome(r2, OUTCOME_SUCCEEDED, "first");
	check_outcome(r1, OUTCOME_SUCCEEDED, "second");
	ck_assert_int_eq(r2->rollout->status.counts.patched, 2);
	world_finish(&w);
}
END_TEST

/* Its plan may be on the way, made when this one could not be planned yet. */
START_TEST(nothing_is_planned_while_another_plan_may_be_on_the_way)
{
	struct world_rollout *r1 = begin(2, false, ONE_WAVE);
	struct world_rollout *r2 = world_add_rollout(&w, "r2");

	world_set_rollout(&w, r2, "spec.policyRef.name", "'elsewhere'");
	r2->idle = true;
	r2->busy = 1;
	world_plan(&w, r1);
	ck_assert_uint_eq(w.result.actions.count, 0);
	ck_assert_int_ne(w.result.look_again_ms, KUBE_TIME_NONE);
	r2->busy = 0;
	world_run(&w, MINUTES(600));
	check_outcome(r1, OUTCOME_SUCCEEDED, "it goes on");
	world_finish(&w);
}
END_TEST

/* Nobody knows when its nodes get their labels. */
START_TEST(a_rollout_that_cannot_be_planned_is_in_nobodys_way)
{
	struct world_rollout *r1 = begin(2, false, ONE_WAVE);
	struct kube_str_pair stage = {"stage", "canary"};
	struct kube_selector selector = {.match_labels = {&stage, 1}};
	struct wave_spec waves[] = {{.name = "canary", .selector = &selector}, {.name = "rest"}};
	struct policy elsewhere = *w.policy;

	elsewhere.object.name = "elsewhere";
	elsewhere.rules.waves.items = waves;
	elsewhere.rules.waves.count = KUBE_ARRAY_LEN(waves);
	w.policies[0] = &elsewhere;
	w.policy_count = 1;
	struct world_rollout *r0 = world_add_rollout(&w, "r0");
	r0->idle = true;
	world_set_rollout(&w, r0, "spec.policyRef.name", "'elsewhere'");
	world_run(&w, MINUTES(600));
	check_outcome(r1, OUTCOME_SUCCEEDED, "it does not wait");
	world_finish(&w);
}
END_TEST

START_TEST(rollouts_of_one_policy_go_one_after_the_other)
{
	struct world_rollout *r1 = begin(2, false, ONE_WAVE);
	w.now_ms += SECONDS(1);
	struct world_rollout *r2 = world_add_rollout(&w, "r0");
	for (int i = 0; i < 5; i++)
		world_tick(&w, w.now_ms);
	ck_assert_ptr_null(r2->rollout->status.plan_hash);
	ck_assert_ptr_nonnull(strstr(r2->rollout->status.summary, "r1"));
	world_run(&w, MINUTES(600));
	check_outcome(r1, OUTCOME_SUCCEEDED, "first");
	check_outcome(r2, OUTCOME_SUCCEEDED, "second");
	ck_assert_int_eq(r2->rollout->status.counts.total, 0);
	world_finish(&w);
}
END_TEST

/* ---- quarantine ---- */

static struct world_rollout *quarantine_first(int nodes)
{
	struct world_rollout *r = begin(nodes, false, TWO_WAVES);
	w.nodes[0]->host = HOST_FAILS;
	world_run(&w, MINUTES(600));
	check_outcome(r, OUTCOME_FAILED, "first");
	ck_assert(w.nodes[0]->node.quarantined && w.nodes[0]->node.unschedulable);
	return r;
}

START_TEST(the_next_rollout_frees_a_quarantined_node)
{
	for (int forgotten = 0; forgotten < 2; forgotten++) {
		struct world_rollout *r1 = quarantine_first(3);
		if (forgotten)
			world_delete_rollout(&w, r1);
		w.nodes[0]->host = HOST_OBEYS;
		struct world_rollout *r2 = world_add_rollout(&w, "r2");
		world_run(&w, MINUTES(600));
		check_outcome(r2, OUTCOME_SUCCEEDED, "second");
		ck_assert_int_eq(r2->rollout->status.counts.patched, 3);
		ck_assert(!w.nodes[0]->node.quarantined && !w.nodes[0]->node.unschedulable);
		world_finish(&w);
	}
}
END_TEST

/* Whatever ends it before the host is touched, the record of the quarantine stays: without it the cordon would be
 * taken for somebody else's, and kept for ever. */
START_TEST(a_quarantine_outlives_a_rollout_that_could_not_begin)
{
	quarantine_first(3);
	w.nodes[0]->host = HOST_OBEYS;
	world_add_pod(&w, "n01", "stuck", "stuck");
	struct world_pdb *pdb = world_add_pdb(&w, "stuck", "stuck", 0);
	struct world_rollout *r2 = world_add_rollout(&w, "r2");
	world_run(&w, MINUTES(600));
	check_outcome(r2, OUTCOME_FAILED, "drain");
	ck_assert_str_eq(r2->rollout->status.failed.items[0].reason, "DrainTimeout");
	ck_assert(w.nodes[0]->node.quarantined && w.nodes[0]->node.unschedulable);
	ck_assert_ptr_nonnull(w.nodes[0]->node.state);
	ck_assert_ptr_nonnull(strstr(w.nodes[0]->node.state->message, "it was quarantined before, and stays so; "));
	pdb->pdb.disruptions_allowed = 1;
	struct world_rollout *r3 = world_add_rollout(&w, "r3");
	world_run(&w, MINUTES(600));
	check_outcome(r3, OUTCOME_SUCCEEDED, "third");
	ck_assert(!w.nodes[0]->node.quarantined);
	ck_assert_msg(!w.nodes[0]->node.unschedulable, "our own cordon was taken for somebody else's");
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/interrupt", a_node_is_deleted, a_node_comes_back_as_another, somebody_uncordons_before_patching,
           somebody_uncordons_while_patching, a_foreign_cordon_is_lifted_while_patching, nobody_uncordons,
           a_foreign_cordon_goes_between_grant_and_claim, a_state_is_removed, a_removed_state_is_no_new_beginning,
           a_state_is_changed_by_hand, a_rollback_without_a_rollback_job, a_rollback_whose_times_were_cut,
           a_state_that_nobody_can_read, a_busy_node_is_left_alone, a_busy_pod_is_left_alone, a_job_pod_vanishes,
           a_job_pod_vanishes_before_the_status_has_it, a_job_pod_vanishes_with_its_leader,
           a_job_pod_that_the_cache_does_not_show, a_job_pod_is_deleted_and_runs_on,
           a_job_pod_for_another_node_has_our_name, the_rollout_is_deleted, the_rollout_is_deleted_before_it_is_planned,
           the_rollout_is_deleted_with_a_job_pod_on_its_way, a_job_that_is_gone_unseen_is_not_asked_for_again_and_again,
           the_rollout_is_deleted_while_it_rolls_back, the_policy_is_deleted, the_policy_is_replaced,
           the_policy_is_changed, the_policy_is_suspended, nothing_begins_once_it_is_to_stop,
           the_finalizer_is_taken_away, the_plan_is_gone, a_target_in_a_wave_that_there_is_not, a_status_from_a_backup,
           grants_are_lost, the_whole_status_is_lost, a_new_leader_writes_its_epoch_first, the_controller_dies_anywhere,
           another_rollout_holds_the_node, a_node_with_the_record_of_another_takes_no_place,
           two_rollouts_that_share_nodes, rollouts_whose_policies_share_nodes_go_one_after_the_other,
           a_plan_keeps_nodes_that_were_relabelled_since, nothing_is_planned_while_another_plan_may_be_on_the_way,
           a_rollout_that_cannot_be_planned_is_in_nobodys_way, rollouts_of_one_policy_go_one_after_the_other,
           the_next_rollout_frees_a_quarantined_node, a_quarantine_outlives_a_rollout_that_could_not_begin)
