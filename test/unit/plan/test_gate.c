/* Gates: what they hold, for how long, and what is said of it. */
#include "test/unit/plan/world.h"

static struct world w;

#define GATE(name, more) \
	"{'name':'" name "','type':'Prometheus','prometheus':{'address':'https://p.m.svc','query':'up','max':'0'}" more "}"

#define QUICK ",'interval':'2s','timeout':'1s'" /* an answer counts for less than a job takes */

static struct world_rollout *begin(const char *gates, const char *waves, int nodes)
{
	world_init(&w, NULL);
	memset(w.gates, 0, sizeof(w.gates));
	memset(w.gate_facts, 0, sizeof(w.gate_facts));
	w.questions = 0;
	world_set_policy(
	    &w,
	    kube_arena_printf(
	        &w.arena, "%s,'gates':[%s]",
	        policy_spec(&w, 1, false, kube_arena_printf(&w.arena, "'maxUnavailable':1,'waves':[%s]", waves), ""),
	        gates),
	    false);
	world_add_nodes(&w, nodes);
	return world_add_rollout(&w, "r1");
}

static const struct gate_status *gate_of(const struct world_rollout *r, size_t index)
{
	ck_assert_uint_gt(r->rollout->status.gates.count, index);
	return &r->rollout->status.gates.items[index];
}

static void pass_time(int64_t ms)
{
	int64_t until = w.now_ms + ms;
	world_run(&w, ms);
	w.now_ms = until;
	world_run(&w, 0);
}

static const struct condition *progressing(const struct world_rollout *r)
{
	return condition_get(&r->rollout->status.conditions, "Progressing");
}

START_TEST(an_open_gate_lets_nodes_start)
{
	struct world_rollout *r = begin(GATE("g", ""), "{'name':'all'}", 3);
	w.gates[0] = GATE_OPEN;
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_int_eq(gate_of(r, 0)->verdict, GATE_OPEN);
	ck_assert_int_ne(gate_of(r, 0)->at_ms, KUBE_TIME_NONE);
	ck_assert_uint_ge(w.questions, 2);
	ck_assert_uint_le(w.questions, 3);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "GateClosed"), 0);
	world_finish(&w);
}
END_TEST

static const struct {
	int verdict;
	const char *reason, *says;
} holding[] = {
    {GATE_UNKNOWN, NULL, "a gate is being asked"},
    {GATE_CLOSED, "GateClosed", "gate g is closed since "},
    {GATE_ERROR, "GateError", "gate g cannot be judged since "},
};

START_TEST(only_an_open_gate_does)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(holding); i++) {
		struct world_rollout *r = begin(GATE("g", ""), "{'name':'all'}", 2);
		int64_t start_ms = w.now_ms;
		w.gates[0] = holding[i].verdict;
		pass_time(MINUTES(30));
		ck_assert_uint_eq(w.claims, 0);
		ck_assert_int_eq(gate_of(r, 0)->verdict, holding[i].verdict);
		ck_assert_msg(strstr(r->rollout->status.summary, holding[i].says) != NULL, "%s", r->rollout->status.summary);
		ck_assert_str_eq(progressing(r)->reason, "WaitingForGate");
		ck_assert_int_eq(progressing(r)->status, CONDITION_FALSE);
		ck_assert_int_le(gate_of(r, 0)->since_ms, start_ms + SECONDS(1));
		if (holding[i].reason) /* once, however often it was asked */
			ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, holding[i].reason), 1);
		ck_assert_uint_le(w.questions, holding[i].reason ? 62 : w.steps);
		w.gates[0] = GATE_OPEN;
		pass_time(MINUTES(1)); /* an interval later at the latest */
		ck_assert_uint_ge(w.claims, 1);
		world_run(&w, MINUTES(60));
		ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
		world_finish(&w);
	}
}
END_TEST

/* What was asked before a pause, or before a window closed, has long been asked by the time that a node may start. */
START_TEST(an_old_error_fails_nothing)
{
	struct world_rollout *r = begin(GATE("g", ",'onError':'Fail'"), "{'name':'all'}", 2);
	pass_time(MINUTES(1));
	ck_assert_uint_eq(w.claims, 0);
	w.gate_facts[0] =
	    (struct gate_fact){.verdict = GATE_ERROR, .message = "nobody answered", .at_ms = w.now_ms - MINUTES(60)};
	w.gates[0] = GATE_OPEN;
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* It came when the timeout was over, and the API server took its time with the write that the next plan waited for. */
START_TEST(an_error_that_came_late_fails)
{
	static const struct {
		int64_t age_ms;
		int outcome;
	} cases[] = {{SECONDS(2), OUTCOME_FAILED}, {SECONDS(64), OUTCOME_FAILED}, {SECONDS(65), OUTCOME_SUCCEEDED}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world_rollout *r =
		    begin(GATE("g", ",'onError':'Fail','interval':'3s','timeout':'2s'"), "{'name':'all'}", 1);
		pass_time(MINUTES(1));
		w.gate_facts[0] = (struct gate_fact){
		    .verdict = GATE_ERROR, .message = "nobody answered", .at_ms = w.now_ms - cases[i].age_ms};
		w.gates[0] = GATE_OPEN;
		world_run(&w, MINUTES(60));
		ck_assert_int_eq(r->rollout->status.outcome, cases[i].outcome);
		world_finish(&w);
	}
}
END_TEST

/* What is in work goes on: the gate closes as soon as the first node has started. */
START_TEST(work_goes_on)
{
	struct world_rollout *r = begin(GATE("g", QUICK), "{'name':'all'}", 2);
	w.gates[0] = GATE_OPEN;
	world_run_to(&w, "n01", STEP_PATCHING);
	w.gates[0] = GATE_CLOSED;
	pass_time(MINUTES(10));
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_int_eq(gate_of(r, 0)->verdict, GATE_CLOSED);
	w.gates[0] = GATE_OPEN;
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_finish(&w);
}
END_TEST

/* How many nodes start when the gate closes as soon as the first one has started: 1 canary, then 2. */
static const struct {
	const char *at;
	int64_t patched;
} moments[] = {
    {"['Rollout']", 4}, {"['Wave']", 1}, {"['Node']", 1}, {"['Rollout','Wave']", 1}, {"['Rollout','Wave','Node']", 1},
};

START_TEST(moments_of_a_gate)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(moments); i++) {
		const char *gate = kube_arena_printf(&w.arena,
		                                     "{'name':'g','at':%s,'type':'Prometheus','prometheus':{'address':'https://"
		                                     "p','query':'up','max':'0'}" QUICK "}",
		                                     moments[i].at);
		struct world_rollout *r = begin(gate, "{'name':'canary','size':1},{'name':'rest'}", 4);
		w.gates[0] = GATE_CLOSED;
		pass_time(MINUTES(5));
		ck_assert_msg(w.claims == 0, "%s: started although it is closed", moments[i].at);
		w.gates[0] = GATE_OPEN;
		world_run_to(&w, "n01", STEP_PATCHING);
		w.gates[0] = GATE_CLOSED;
		pass_time(MINUTES(10));
		ck_assert_msg(r->rollout->status.counts.patched == moments[i].patched, "%s: %lld patched", moments[i].at,
		              (long long)r->rollout->status.counts.patched);
		world_finish(&w);
	}
}
END_TEST

/* Before the first node of each wave, and not between its nodes. */
START_TEST(once_for_each_wave)
{
	struct world_rollout *r = begin(GATE("g", ",'at':['Wave']" QUICK), "{'name':'canary','size':1},{'name':'rest'}", 4);
	w.gates[0] = GATE_OPEN;
	world_run_to(&w, "n02", STEP_PATCHING);
	w.gates[0] = GATE_CLOSED;
	world_run(&w, MINUTES(120));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	ck_assert_uint_eq(w.questions, 2);
	world_finish(&w);
}
END_TEST

START_TEST(an_old_answer_does_not_count)
{
	struct world_rollout *r = begin(GATE("g", ",'interval':'30s','timeout':'5s'"), "{'name':'all'}", 1);
	world_run(&w, 0);
	w.gate_facts[0] = (struct gate_fact){.verdict = GATE_OPEN, .message = "x", .at_ms = w.now_ms - SECONDS(30)};
	world_run(&w, SECONDS(1));
	ck_assert_uint_eq(w.claims, 0);
	w.gate_facts[0].at_ms = w.now_ms - SECONDS(30) + 1;
	world_run(&w, 0);
	ck_assert_uint_eq(r->rollout->status.active.count, 1);
	world_finish(&w);
}
END_TEST

/* The server's clock was ahead, and has been set right: the answer would count for an hour. */
START_TEST(an_answer_of_a_clock_that_was_set_back_does_not_count)
{
	begin(GATE("g", ""), "{'name':'all'}", 2);
	w.gates[0] = GATE_CLOSED;
	world_run(&w, MINUTES(1));
	size_t before = w.questions;
	w.gate_facts[0] = (struct gate_fact){.verdict = GATE_OPEN, .message = "yes", .at_ms = w.now_ms + MINUTES(60)};
	world_run(&w, MINUTES(2));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_uint_gt(w.questions, before);
	world_finish(&w);
}
END_TEST

START_TEST(all_gates_must_be_open)
{
	struct world_rollout *r = begin(GATE("a", "") "," GATE("b", "") "," GATE("c", ""), "{'name':'all'}", 1);
	w.gates[0] = w.gates[2] = GATE_OPEN;
	w.gates[1] = GATE_CLOSED;
	pass_time(MINUTES(5));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "gate b is closed"));
	ck_assert_int_eq(gate_of(r, 0)->verdict, GATE_OPEN);
	ck_assert_int_eq(gate_of(r, 2)->verdict, GATE_OPEN);
	w.gates[1] = GATE_OPEN;
	pass_time(MINUTES(1));
	ck_assert_uint_eq(w.claims, 1);
	world_finish(&w);
}
END_TEST

/* onError Fail: the rollout ends where an answer cannot be judged, and waits where the gate is closed. */
START_TEST(on_error_fail)
{
	struct world_rollout *r = begin(GATE("g", ",'onError':'Fail'" QUICK), "{'name':'all'}", 2);
	w.gates[0] = GATE_CLOSED;
	pass_time(MINUTES(5));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	w.gates[0] = GATE_OPEN;
	world_run_to(&w, "n01", STEP_PATCHING);
	w.gates[0] = GATE_ERROR;
	world_run(&w, MINUTES(60));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_FAILED);
	ck_assert_int_eq(r->rollout->status.counts.patched, 1); /* what was in work went on */
	ck_assert_str_eq(r->rollout->status.waves.items[0].reason, "GateFailed");
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_HALT, "GateFailed"), 1);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

/* A controller that starts anew knows no answer: what stands in the status stays until there is one. */
START_TEST(forgotten)
{
	struct world_rollout *r = begin(GATE("g", ""), "{'name':'all'}", 1);
	w.gates[0] = GATE_CLOSED;
	pass_time(MINUTES(5));
	int64_t since_ms = gate_of(r, 0)->since_ms;
	w.gates[0] = GATE_UNKNOWN;
	memset(w.gate_facts, 0, sizeof(w.gate_facts));
	pass_time(MINUTES(5));
	ck_assert_int_eq(gate_of(r, 0)->verdict, GATE_CLOSED);
	ck_assert_int_eq(gate_of(r, 0)->since_ms, since_ms);
	ck_assert_uint_eq(w.claims, 0);
	w.gates[0] = GATE_CLOSED;
	world_run(&w, 0);
	pass_time(MINUTES(5));
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "GateClosed"), 1);
	world_finish(&w);
}
END_TEST

START_TEST(nothing_is_asked_that_nobody_waits_for)
{
	begin(GATE("g", ""), "{'name':'all'}", 2);
	w.gates[0] = GATE_OPEN;
	world_run_to(&w, "n01", STEP_PATCHING);
	size_t asked = w.questions;
	w.now_ms += MINUTES(2); /* the answer is old by now, and the budget is used up */
	world_step(&w);
	ck_assert_uint_eq(w.questions, asked);
	world_finish(&w);
}
END_TEST

/* ---- {{active}} ---- */

static const struct {
	const char *query, *nodes[4], *expected;
} queries[] = {
    {"up", {"a"}, "up"},
    {"x{node!~\"{{active}}\"}", {NULL}, "x{node!~\"$.\"}"},
    {"x{node!~\"{{active}}\"}", {"n1"}, "x{node!~\"n1\"}"},
    {"x{node!~\"{{active}}\"}", {"n1", "n2", "n3"}, "x{node!~\"n1|n2|n3\"}"},
    {"x{node!~'{{active}}'}", {"ip-10-0-0-1.eu.example", "b"}, "x{node!~'ip-10-0-0-1[.]eu[.]example|b'}"},
    {"{{active}}{{active}}", {"a.b"}, "a[.]ba[.]b"},
    {"{{active}", {"a"}, "{{active}"},
};

START_TEST(placeholders)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(queries); i++) {
		struct kube_arena arena = {0};
		struct active active[4] = {0};
		size_t count = 0;
		for (; queries[i].nodes[count]; count++)
			active[count].node = queries[i].nodes[count];
		ck_assert_str_eq(gate_query(queries[i].query, active, count, &arena), queries[i].expected);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(the_nodes_in_work_are_named)
{
	begin(
	    "{'name':'g','type':'Prometheus','interval':'1s','timeout':'500ms','prometheus':{'address':'https://p','query':"
	    "'x{{active}}x','max':'0'}}",
	    "{'name':'all','maxUnavailable':2}", 3);
	w.gates[0] = GATE_OPEN;
	world_run(&w, 0);
	ck_assert_str_eq(w.query, "x$.x");
	w.on_step = NULL;
	world_run_to(&w, "n01", STEP_PATCHING);
	world_run_to(&w, "n03", STEP_PATCHING);
	ck_assert_msg(!strcmp(w.query, "xn02x") || !strcmp(w.query, "x$.x"), "%s", w.query);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("gate", an_open_gate_lets_nodes_start, only_an_open_gate_does, an_old_error_fails_nothing,
           an_error_that_came_late_fails, work_goes_on, moments_of_a_gate, once_for_each_wave,
           an_old_answer_does_not_count, an_answer_of_a_clock_that_was_set_back_does_not_count, all_gates_must_be_open,
           on_error_fail, forgotten, nothing_is_asked_that_nobody_waits_for, placeholders, the_nodes_in_work_are_named)
