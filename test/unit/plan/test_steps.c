/* Jobs that prepare and verify, further attempts, and reboots. */
#include "controller/plan/internal.h"
#include "test/unit/check_main.h"
#include "test/unit/plan/world.h"
#include <string.h>

static struct world w;

#define JOB "{'image':'x','timeout':'1m'}"

/* One node, one patch with these members besides its job. */
static struct world_rollout *begin(const char *job, const char *more)
{
	world_init(&w, NULL);
	world_set_policy(&w,
	                 kube_arena_printf(&w.arena,
	                                   "'target':{'nodes':{'selector':{'matchLabels':{'pool':'workers'}}}},"
	                                   "'patches':[{'component':'ContainerRuntime','version':'" NEW "','job':%s%s}],"
	                                   "'strategy':{'waves':[{'name':'all'}]}",
	                                   job, more),
	                 false);
	world_add_nodes(&w, 1);
	world_add_pod(&w, "n01", "web-1", "web");
	return world_add_rollout(&w, "r1");
}

static bool ended(const struct world_rollout *r)
{
	return r->rollout->status.outcome != OUTCOME_NONE;
}

/* Until the node is in this step, or all is over. */
static const struct node_state *reach(const struct world_rollout *r, enum step step)
{
	int64_t until_ms = w.now_ms + MINUTES(300);
	const struct node *node = &w.nodes[0]->node;

	while (!ended(r) && !(node->state && node->state->step == (int)step) && world_tick(&w, until_ms))
		;
	ck_assert_msg(node->state && node->state->step == (int)step, "it was never %s", step_names[step]);
	return node->state;
}

static void finish(struct world_rollout *r, enum outcome outcome, const char *reason)
{
	world_run(&w, w.now_ms + MINUTES(600));
	const struct rollout_status *status = &r->rollout->status;
	ck_assert_msg(status->outcome == (int)outcome, "it is %s, not %s: %s", outcome_names[status->outcome],
	              outcome_names[outcome], status->summary);
	if (reason)
		ck_assert_str_eq(status->failed.items[0].reason, reason);
	world_finish(&w);
}

START_TEST(a_node_is_prepared_before_its_cordon)
{
	struct world_rollout *r = begin(JOB, ",'prepare':" JOB);
	reach(r, STEP_PREPARING);
	ck_assert(!w.nodes[0]->node.unschedulable);
	ck_assert_uint_eq(w.evictions, 0);
	const struct node_state *state = reach(r, STEP_DRAINING);
	ck_assert(w.nodes[0]->node.unschedulable);
	ck_assert(!state->foreign_cordon);
	ck_assert_str_eq(state->exits.items[0], "prepare/0=0");
	finish(r, OUTCOME_SUCCEEDED, NULL);
}
END_TEST

START_TEST(who_cordons_a_node_that_is_prepared_keeps_it_cordoned)
{
	struct world_rollout *r = begin(JOB, ",'prepare':" JOB);
	reach(r, STEP_PREPARING);
	w.nodes[0]->node.unschedulable = true;
	ck_assert(reach(r, STEP_DRAINING)->foreign_cordon);
	world_run(&w, w.now_ms + MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert(w.nodes[0]->node.unschedulable);
	world_finish(&w);
}
END_TEST

/* A further attempt of one rollback job leaves the next one all of its own. */
START_TEST(each_rollback_job_has_its_attempts)
{
	static const char back[] = "'rollback':{'image':'y','timeout':'1m','retries':1}";
	char more[512];
	snprintf(more, sizeof(more), ",%s},{'component':'Kernel','version':'6.1.9','job':" JOB ",%s", back, back);
	struct world_rollout *r = begin(JOB, more);
	while (strcmp(w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME], "containerd://" NEW) != 0)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(60)));
	w.nodes[0]->host = HOST_BREAKS; /* the kernel's job */
	w.nodes[0]->rollback_host = HOST_FAILS_ONCE;
	world_run(&w, w.now_ms + MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_ROLLED_BACK);
	ck_assert_uint_eq(w.job_name_count, 6); /* two jobs, two attempts each to take them back */
	world_finish(&w);
}
END_TEST

START_TEST(a_cordon_that_was_left_behind_is_not_anybody_elses)
{
	struct world_rollout *r = begin(JOB, ",'prepare':" JOB);
	struct node_state left = {
	    .node_uid = "u", .rollout_uid = "gone", .rollout = "r0", .wave = "all", .step = STEP_DRAINING};
	world_set_state(&w, w.nodes[0], &left);
	w.nodes[0]->node.unschedulable = true;
	ck_assert(!reach(r, STEP_PREPARING)->foreign_cordon);
	ck_assert(!w.nodes[0]->node.unschedulable);
	ck_assert(!reach(r, STEP_DRAINING)->foreign_cordon);
	world_run(&w, w.now_ms + MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert(!w.nodes[0]->node.unschedulable);
	world_finish(&w);
}
END_TEST

START_TEST(a_node_that_cannot_be_prepared_is_not_touched)
{
	struct world_rollout *r = begin(JOB, ",'prepare':" JOB ",'rollback':" JOB);
	w.nodes[0]->prepare_exit = 7;
	world_run(&w, w.now_ms + MINUTES(600));
	ck_assert(!w.nodes[0]->node.unschedulable);
	ck_assert(!w.nodes[0]->node.quarantined);
	ck_assert_uint_eq(w.evictions, 0);
	ck_assert_uint_eq(w.job_name_count, 1);
	ck_assert_int_eq(r->rollout->status.failed.items[0].step, STEP_PREPARING);
	finish(r, OUTCOME_FAILED, "JobFailed");
}
END_TEST

START_TEST(a_node_is_verified_before_its_uncordon)
{
	struct world_rollout *r = begin(JOB, ",'verify':" JOB);
	w.nodes[0]->host = HOST_LAGS;
	reach(r, STEP_VERIFYING);
	ck_assert_uint_eq(w.job_name_count, 1); /* the version does not show yet */
	reach(r, STEP_SETTLING);
	ck_assert_uint_eq(w.job_name_count, 2);
	ck_assert_str_eq(w.nodes[0]->node.state->exits.items[1], "verify/0=0");
	finish(r, OUTCOME_SUCCEEDED, NULL);
}
END_TEST

START_TEST(a_node_that_is_not_verified_is_taken_back)
{
	struct world_rollout *r = begin(JOB, ",'verify':" JOB ",'rollback':" JOB);
	w.nodes[0]->verify_exit = 2;
	reach(r, STEP_ROLLING_BACK);
	ck_assert(w.nodes[0]->node.unschedulable);
	finish(r, OUTCOME_ROLLED_BACK, "JobFailed");
}
END_TEST

#define NOTE "patchwright.io/applied.pool"

/* One node, and a component that no node shows. */
static struct world_rollout *begin_unseen(const char *version)
{
	world_init(&w, NULL);
	world_set_policy(&w,
	                 kube_arena_printf(&w.arena,
	                                   "'target':{'nodes':{'selector':{'matchLabels':{'pool':'workers'}}}},'patches':[{"
	                                   "'component':'Custom','version':'%s','supportedFrom':['>=1.0.0'],'job':" JOB
	                                   ",'verify':" JOB ",'rollback':" JOB "}],'strategy':{'waves':[{'name':'all'}]}",
	                                   version),
	                 false);
	world_add_nodes(&w, 1);
	return world_add_rollout(&w, "r1");
}

static const char *note(void)
{
	return kube_strmap_get(&w.nodes[0]->node.annotations, NOTE);
}

START_TEST(what_no_node_shows_is_noted_when_all_went_well)
{
	struct world_rollout *r = begin_unseen("2.0.0");
	reach(r, STEP_SETTLING);
	ck_assert_uint_eq(w.job_name_count, 2);
	ck_assert_ptr_null(note());
	world_run(&w, w.now_ms + MINUTES(600));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_str_eq(note(), "2.0.0");
	/* It is what the next rollout goes by. */
	struct world_rollout *next = world_add_rollout(&w, "r2");
	world_run(&w, w.now_ms + MINUTES(600));
	ck_assert_uint_eq(w.job_name_count, 2);
	ck_assert_int_eq(next->rollout->status.counts.patched, 0);
	world_finish(&w);
}
END_TEST

START_TEST(what_no_node_shows_is_not_noted_when_it_was_not_verified)
{
	static const char *const before[] = {NULL, "1.0.0"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(before); i++) {
		struct world_rollout *r = begin_unseen("2.0.0");
		if (before[i])
			world_annotate(&w, "n01", NOTE, before[i]);
		w.nodes[0]->verify_exit = 2;
		reach(r, STEP_ROLLING_BACK);
		world_run(&w, w.now_ms + MINUTES(600));
		ck_assert_pstr_eq(note(), before[i]);
		finish(r, OUTCOME_ROLLED_BACK, "JobFailed");
	}
}
END_TEST

START_TEST(a_failed_job_has_as_many_attempts_as_are_given)
{
	static const struct {
		const char *job;
		enum host host;
		size_t jobs;
		enum outcome outcome;
	} cases[] = {
	    {"{'image':'x','timeout':'1m','retries':1}", HOST_FAILS_ONCE, 2, OUTCOME_SUCCEEDED},
	    {"{'image':'x','timeout':'1m','retries':2}", HOST_FAILS, 3, OUTCOME_FAILED},
	    {"{'image':'x','timeout':'1m','retries':1}", HOST_HANGS, 2, OUTCOME_FAILED},
	    {JOB, HOST_FAILS_ONCE, 1, OUTCOME_FAILED},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r = begin(cases[i].job, "");
		w.nodes[0]->host = cases[i].host;
		world_run(&w, w.now_ms + MINUTES(600));
		ck_assert_uint_eq(w.job_name_count, cases[i].jobs);
		finish(r, cases[i].outcome, NULL);
	}
}
END_TEST

START_TEST(reboots)
{
	static const struct {
		const char *reboot;
		enum host host;
		bool rollback;
		enum outcome outcome;
		const char *reason;
	} cases[] = {
	    {"'expected':true", HOST_RESTARTS, false, OUTCOME_SUCCEEDED, NULL},
	    {"'expected':true", HOST_REBOOTS, false, OUTCOME_FAILED, "VersionNotObserved"},
	    {"'expected':true", HOST_RESTARTS_OLD, true, OUTCOME_ROLLED_BACK, "VersionNotObserved"},
	    {"'expected':true,'timeout':'5m'", HOST_GOES_DOWN, false, OUTCOME_FAILED, "RebootTimeout"},
	    {"'expected':true,'timeout':'5m'", HOST_NO_RESTART, false, OUTCOME_FAILED, "RebootTimeout"},
	    {"'expected':true,'timeout':'5m'", HOST_OBEYS, false, OUTCOME_FAILED, "RebootTimeout"},
	    {"'expected':true,'timeout':'5m'", HOST_FAILS, false, OUTCOME_FAILED, "JobFailed"}, /* by itself */
	    {"'expected':true", HOST_HANGS, false, OUTCOME_FAILED, "JobTimeout"},
	    {"'expected':false", HOST_REBOOTS, false, OUTCOME_FAILED, "UnexpectedReboot"},
	    {"'expected':false", HOST_RESTARTS, false, OUTCOME_FAILED, "JobFailed"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		char more[200];
		snprintf(more, sizeof(more), ",'reboot':{%s}%s", cases[i].reboot, cases[i].rollback ? ",'rollback':" JOB : "");
		struct world_rollout *r = begin(JOB, more);
		w.nodes[0]->host = cases[i].host;
		finish(r, cases[i].outcome, cases[i].reason);
	}
}
END_TEST

START_TEST(a_second_reboot_is_not_expected)
{
	struct world_rollout *r = begin(JOB, ",'reboot':{'expected':true},'observeTimeout':'10m'");
	w.nodes[0]->host = HOST_RESTARTS_OLD;
	reach(r, STEP_REBOOTING);
	ck_assert_str_eq(reach(r, STEP_VERIFYING)->boot_id, "boot-2");
	w.nodes[0]->node.boot_id = "boot-3";
	finish(r, OUTCOME_FAILED, "UnexpectedReboot");
}
END_TEST

CHECK_MAIN("plan/steps", a_node_is_prepared_before_its_cordon, who_cordons_a_node_that_is_prepared_keeps_it_cordoned,
           a_cordon_that_was_left_behind_is_not_anybody_elses, each_rollback_job_has_its_attempts,
           a_node_that_cannot_be_prepared_is_not_touched, a_node_is_verified_before_its_uncordon,
           a_node_that_is_not_verified_is_taken_back, what_no_node_shows_is_noted_when_all_went_well,
           what_no_node_shows_is_not_noted_when_it_was_not_verified, a_failed_job_has_as_many_attempts_as_are_given,
           reboots, a_second_reboot_is_not_expected)
