#include "controller/model/node.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/time.h>
#include <stdio.h>

#define T0 INT64_C(1795260158123)

static struct node_state *parse(const char *text, struct kube_arena *arena)
{
	struct node_state *state = NULL;
	struct kube_err err = {0};
	ck_assert_msg(node_state_parse(text, arena, &state, &err) == 0, "%s: %s", text, err.message);
	return state;
}

static struct node_state full_state(void)
{
	static const char *from[] = {"containerd://1.6.20", "5.15.0-91-generic"};
	static const char *exits[] = {"job/0=0", "job/1=17"};
	struct node_state state = {
	    .node_uid = "11111111-2222-3333-4444-555555555555",
	    .rollout_uid = "66666666-7777-8888-9999-aaaaaaaaaaaa",
	    .rollout = "workers-containerd-7c9f4",
	    .wave = "canary",
	    .step = STEP_ROLLING_BACK,
	    .patch = 1,
	    .attempt = 2,
	    .since_ms = T0 + 90001,
	    .started_ms = T0,
	    .foreign_cordon = true,
	    .boot_id = "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
	    .from = {from, 2},
	    .reason = "JobFailed",
	    .message = "exit code 17: \"no space left\"\non /var",
	    .failed_step = STEP_PATCHING,
	    .exits = {exits, 2},
	};
	for (int step = 0; step < STEP_COUNT; step++)
		state.times[step] = KUBE_TIME_NONE;
	state.times[STEP_CLAIMED] = T0;
	state.times[STEP_DRAINING] = T0 + 51;
	state.times[STEP_PATCHING] = T0 + 30777;
	return state;
}

START_TEST(test_round_trip)
{
	struct kube_arena arena = {0};
	const struct node_state state = full_state();
	const char *text = node_state_format(&state, &arena);
	const struct node_state *back = parse(text, &arena);

	ck_assert_str_eq(back->node_uid, state.node_uid);
	ck_assert_str_eq(back->rollout_uid, state.rollout_uid);
	ck_assert_str_eq(back->rollout, state.rollout);
	ck_assert_str_eq(back->wave, state.wave);
	ck_assert_int_eq(back->step, state.step);
	ck_assert_int_eq(back->patch, 1);
	ck_assert_int_eq(back->attempt, 2);
	ck_assert_int_eq(back->since_ms, state.since_ms);
	ck_assert_int_eq(back->started_ms, state.started_ms);
	ck_assert(back->foreign_cordon);
	ck_assert_str_eq(back->boot_id, state.boot_id);
	ck_assert_uint_eq(back->from.count, 2);
	ck_assert_str_eq(back->from.items[1], "5.15.0-91-generic");
	ck_assert_str_eq(back->reason, state.reason);
	ck_assert_str_eq(back->message, state.message);
	ck_assert_int_eq(back->failed_step, STEP_PATCHING);
	for (int step = 0; step < STEP_COUNT; step++)
		ck_assert_int_eq(back->times[step], state.times[step]);
	ck_assert_uint_eq(back->exits.count, 2);
	ck_assert_str_eq(back->exits.items[1], "job/1=17");
	/* Writing it again gives the same bytes: later steps test the text. */
	ck_assert_str_eq(node_state_format(back, &arena), text);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_minimal)
{
	struct kube_arena arena = {0};
	const struct node_state *state =
	    parse("{\"nodeUID\":\"u\",\"rolloutUID\":\"r\",\"rollout\":\"n\",\"wave\":\"w\",\"step\":\"Claimed\","
	          "\"since\":\"2026-11-21T11:22:38.123Z\",\"started\":\"2026-11-21T11:22:38Z\",\"later\":[1]}",
	          &arena);
	ck_assert_int_eq(state->step, STEP_CLAIMED);
	ck_assert_int_eq(state->since_ms, T0);
	ck_assert_int_eq(state->failed_step, STEP_NONE);
	ck_assert(state->times[STEP_CLAIMED] == KUBE_TIME_NONE);
	ck_assert_str_eq(state->boot_id, "");
	ck_assert_ptr_null(state->reason);
	ck_assert_ptr_null(state->message);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_refused)
{
#define HEAD "{'nodeUID':'u','rolloutUID':'r','rollout':'n','wave':'w','step':'Claimed',"
#define TIMES "'since':'2026-11-21T11:22:38Z','started':'2026-11-21T11:22:38Z'"
	static const struct {
		const char *json, *says;
	} cases[] = {
	    {"", "JSON"},
	    {"{", "JSON"},
	    {"7", "object"},
	    {"{}", "nodeUID"},
	    {HEAD "'started':'2026-11-21T11:22:38Z'}", "since"},
	    {HEAD "'since':'yesterday','started':'2026-11-21T11:22:38Z'}", "since"},
	    {HEAD TIMES ",'patch':8}", "patch"},
	    {HEAD TIMES ",'patch':-1}", "patch"},
	    {HEAD TIMES ",'attempt':-1}", "attempt"},
	    {HEAD TIMES ",'attempt':1e15}", "attempt"},
	    {HEAD TIMES ",'attempt':'2'}", "attempt"},
	    {HEAD TIMES ",'foreignCordon':'true'}", "foreignCordon"},
	    {HEAD TIMES ",'from':['1','2','3','4','5','6','7','8','9']}", "from"},
	    {HEAD TIMES ",'from':[null]}", "from"},
	    {HEAD TIMES ",'times':[]}", "times"},
	    {HEAD TIMES ",'times':{'Claimed':'x'}}", "times"},
	    {HEAD TIMES ",'failedStep':'Nowhere'}", "failedStep"},
	    {"{'nodeUID':'u','rolloutUID':'r','rollout':'n','wave':'w','step':''," TIMES "}", "step"},
	    {"{'nodeUID':'u','rolloutUID':'r','rollout':'n','wave':'w','step':'Resting'," TIMES "}", "step"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct node_state *state = NULL;
		struct kube_err err = {0};
		char *text = strdup(cases[i].json);
		for (char *c = text; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		ck_assert_msg(node_state_parse(text, &arena, &state, &err) < 0, "%s", text);
		ck_assert_ptr_null(state);
		ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "\"%s\" does not say %s", err.message, cases[i].says);
		free(text);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(test_too_long_to_read)
{
	struct kube_arena arena = {0};
	struct node_state *state = NULL;
	char text[NODE_STATE_MAX_BYTES + 2];
	memset(text, ' ', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(node_state_parse(text, &arena, &state, NULL), KUBE_E_LIMIT);
	kube_arena_finish(&arena);
}
END_TEST

static const char *filled(struct kube_arena *arena, char with, size_t len)
{
	char *text = kube_arena_alloc(arena, len + 1);
	memset(text, with, len);
	return text;
}

/* However long its texts are, a state fits, and what decides is still in it. */
START_TEST(test_fits)
{
	static const struct {
		size_t versions, version_len, exits;
		char message;
		size_t message_len;
	} cases[] = {
	    {2, 20, 2, 'm', 200},    {2, 20, 2, 'm', 5000},    {8, 24, 16, 'm', 200},      {8, 64, 16, '"', 5000},
	    {8, 128, 32, '\n', 200}, {8, 128, 0, '\x01', 200}, {8, 1000, 32, '\x01', 200}, {1, 2000, 1, 'm', 10},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct node_state state = full_state();
		const char *from[8], *exits[32];
		for (size_t v = 0; v < cases[i].versions; v++)
			from[v] = filled(&arena, 'v', cases[i].version_len);
		for (size_t e = 0; e < cases[i].exits; e++)
			exits[e] = kube_arena_printf(&arena, "job/7=%zu", 100 + e);
		state.from = (struct kube_strlist){from, cases[i].versions};
		state.exits = (struct kube_strlist){exits, cases[i].exits};
		const char *held[HELD_COUNT] = {filled(&arena, 'h', 33), filled(&arena, 'h', 33)};
		state.held = (struct kube_strlist){held, HELD_COUNT};
		state.message = filled(&arena, cases[i].message, cases[i].message_len);
		state.wave = filled(&arena, 'w', 63);
		state.rollout = filled(&arena, 'r', 61);
		state.paused = true;
		for (int step = STEP_CLAIMED; step < STEP_COUNT; step++)
			state.times[step] = T0 + 86400000LL * step;

		const char *text = node_state_format(&state, &arena);
		ck_assert_msg(strlen(text) <= NODE_STATE_MAX_BYTES, "case %zu: %zu bytes", i, strlen(text));
		const struct node_state *back = parse(text, &arena);
		ck_assert_int_eq(back->step, state.step);
		ck_assert_str_eq(back->wave, state.wave);
		ck_assert_str_eq(back->reason, "JobFailed");
		ck_assert(back->foreign_cordon);
		ck_assert(back->paused);
		ck_assert_uint_eq(back->from.count, cases[i].versions);
		ck_assert_str_eq(node_state_held(back, HELD_DISRUPTION), held[HELD_DISRUPTION]);
		for (size_t v = 0; v < back->from.count; v++) /* whole or absent, never cut */
			ck_assert(!*back->from.items[v] || !strcmp(back->from.items[v], from[v]));
		if (cases[i].exits)
			ck_assert_str_eq(back->exits.items[back->exits.count - 1], exits[cases[i].exits - 1]);
		kube_arena_finish(&arena);
	}
}
END_TEST

/* Autoscalers are held off until the end, and then forgotten. */
START_TEST(test_held)
{
	static const char *held[] = {"-", ""};
	struct kube_arena arena = {0};
	struct node_state state = full_state();

	ck_assert_ptr_null(node_state_held(NULL, 0));
	ck_assert_ptr_null(node_state_held(&state, 0));
	state.held = (struct kube_strlist){held, 2};
	const struct node_state *back = parse(node_state_format(&state, &arena), &arena);
	ck_assert_str_eq(node_state_held(back, HELD_SCALE_DOWN), HELD_ABSENT);
	ck_assert_ptr_null(node_state_held(back, HELD_DISRUPTION));
	for (int step = STEP_CLAIMED; step < STEP_COUNT; step++) {
		state.step = step;
		back = parse(node_state_format(&state, &arena), &arena);
		ck_assert(step_ended((enum step)step) == !node_state_held(back, HELD_SCALE_DOWN));
		ck_assert(!step_ended((enum step)step) || back->held.count == 0);
	}
	struct node_state *three = NULL;
	ck_assert_int_eq(node_state_parse("{\"nodeUID\":\"a\",\"rolloutUID\":\"b\",\"rollout\":\"c\",\"wave\":\"d\","
	                                  "\"step\":\"Draining\",\"since\":\"2026-01-01T00:00:00Z\","
	                                  "\"started\":\"2026-01-01T00:00:00Z\",\"held\":[\"-\",\"-\",\"-\"]}",
	                                  &arena, &three, NULL),
	                 KUBE_E_PARSE);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_message_kept_to_200)
{
	struct kube_arena arena = {0};
	struct node_state state = full_state();
	state.message = filled(&arena, 'm', 300);
	ck_assert_uint_eq(strlen(parse(node_state_format(&state, &arena), &arena)->message), 200);
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("node state", test_round_trip, test_minimal, test_refused, test_too_long_to_read, test_fits, test_held,
           test_message_kept_to_200)
