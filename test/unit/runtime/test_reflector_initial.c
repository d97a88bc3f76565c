#include "test/unit/check_main.h"
#include "test/unit/runtime/reflector_bench.h"

#define WATCH_LIST "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
#define END(version) \
	EVENT("BOOKMARK", "{\"kind\":\"Thing\",\"metadata\":{\"resourceVersion\":\"" version \
	                  "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}")
#define A EVENT("ADDED", THING("a", "u", "1", "x"))
#define B EVENT("ADDED", THING("b", "u", "2", "x"))
#define LATER_MS 20000 /* an expired version is listed at once only some time after the last list */
#define LONG_MS 700000
#define LONGEST_SILENCE_MS 70000

static void setup(struct bench *bench, const struct step *steps, size_t step_count)
{
	bench_setup_seed(bench, steps, step_count, 1);
	kube_reflector_free(bench->reflector);
	bench_new_reflector(bench, true);
}

START_TEST(a_watch_begins_with_the_list)
{
	static const struct step steps[] = {
	    {.expect = "/apis/test.example/v1/things?watch=true&allowWatchBookmarks=true&timeoutSeconds=",
	     .expect_too = WATCH_LIST "&resourceVersion=0",
	     .status = 200,
	     .body = A B END("10") EVENT("MODIFIED", THING("a", "u", "11", "y")),
	     .end_after_ms = LATER_MS},
	    {.expect = "watch=true",
	     .expect_too = "&resourceVersion=11",
	     .never = "sendInitialEvents",
	     .status = 200,
	     .end = STAYS_OPEN},
	};
	static const size_t chunks[] = {0, 1, 7};
	struct bench bench;
	char text[512];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(chunks); i++) {
		setup(&bench, steps, KUBE_ARRAY_LEN(steps));
		bench.chunk = chunks[i];
		bench_play(&bench, LATER_MS);
		ck_assert_str_eq(bench.log.text, "+a +b ~a ");
		ck_assert_str_eq(bench_contents(&bench, text), "a=y b=x ");
		ck_assert_uint_eq(bench.synced, 1);
		ck_assert_uint_eq(bench.failed, 0);
		ck_assert_uint_eq(kube_reflector_lists(bench.reflector), 1);
		bench_teardown(&bench);
	}
}
END_TEST

/* What changes before the end changes the list: the store never shows a part of it. */
START_TEST(the_store_shows_all_or_nothing)
{
	static const struct step steps[] = {
	    {.expect = WATCH_LIST,
	     .status = 200,
	     .body = A B EVENT("MODIFIED", THING("a", "u", "3", "y")) EVENT("DELETED", THING("b", "u", "4", "x"))
	         EVENT("ADDED", THING("c", "u", "5", "bad")) EVENT("ADDED", THING("d", "u", "6", "x"))
	             EVENT("MODIFIED", THING("d", "u", "7", "bad")),
	     .end = STAYS_OPEN},
	};
	struct bench bench;
	char text[512];

	setup(&bench, steps, KUBE_ARRAY_LEN(steps));
	bench_play(&bench, 1000);
	ck_assert_str_eq(bench.log.text, "");
	ck_assert_uint_eq(kube_store_count(bench.store) + bench.synced, 0);
	bench_body(&bench, bench.last, END("8"));
	bench_run(&bench, 2000);
	ck_assert_str_eq(bench.log.text, "+a ");
	ck_assert_str_eq(bench_contents(&bench, text), "a=y ");
	ck_assert_uint_eq(bench.synced, 1);
	ck_assert_uint_eq(bench.failed, 0);
	ck_assert_uint_eq(bench.left_out, 2); /* c and d cannot be decoded */
	bench_teardown(&bench);
}
END_TEST

static const struct {
	struct step first;
	const char *expect, *expect_too, *never; /* of the second request */
	unsigned failed;
} refusals[] = {
    /* no such watches there: a list, at once */
    {{.status = 422, .body = STATUS(422, "Invalid", "sendInitialEvents is forbidden")}, "?limit=500", NULL, "watch", 0},
    {{.status = 400, .body = STATUS(400, "BadRequest", "m")}, "?limit=500", NULL, "watch", 0},
    {{.status = 200, .body = A BOOKMARK("9"), .end = STAYS_OPEN}, "?limit=500", NULL, "watch", 0},
    /* the version is gone, or not there yet: the newest, at once */
    {{.status = 410, .body = EXPIRED}, "watch=true", WATCH_LIST, "resourceVersion=", 0},
    {{.status = 504, .body = TOO_LARGE}, "watch=true", WATCH_LIST, "resourceVersion=", 0},
    {{.status = 200, .body = A EVENT("ERROR", EXPIRED) A, .end = STAYS_OPEN},
     "watch=true",
     WATCH_LIST,
     "resourceVersion=",
     0},
    /* the same would have happened to a list: the same again, after a pause */
    {{.status = 429, .body = STATUS(429, "TooManyRequests", "m")}, WATCH_LIST, "resourceVersion=0", NULL, 1},
    {{.end = KUBE_E_CONNECT}, WATCH_LIST, "resourceVersion=0", NULL, 1},
    /* a list may succeed: after a pause */
    {{.status = 403, .body = STATUS(403, "Forbidden", "m")}, "?limit=500", NULL, "watch", 1},
    {{.status = 404, .body = STATUS(404, "NotFound", "m")}, "?limit=500", NULL, "watch", 1},
    {{.status = 200, .body = A, .end_after_ms = 1500}, "?limit=500", NULL, "watch", 1},
    {{.status = 200, .body = A, .end = KUBE_E_CLOSED, .end_after_ms = 1500}, "?limit=500", NULL, "watch", 1},
    {{.status = 200, .body = A, .end = STAYS_OPEN}, "?limit=500", NULL, "watch", 1}, /* silence */
    {{.status = 200, .body = A "}\n", .end = STAYS_OPEN}, "?limit=500", NULL, "watch", 1},
    {{.status = 200, .body = A EVENT("ERROR", STATUS(500, "InternalError", "m")), .end = STAYS_OPEN},
     "?limit=500",
     NULL,
     "watch",
     1},
};

START_TEST(a_list_follows_where_it_is_refused_or_breaks_off)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(refusals); i++) {
		const struct step steps[] = {
		    refusals[i].first,
		    {.expect = refusals[i].expect,
		     .expect_too = refusals[i].expect_too,
		     .never = refusals[i].never,
		     .end = STAYS_OPEN},
		};
		struct bench bench;
		setup(&bench, steps, KUBE_ARRAY_LEN(steps));
		kube_reflector_start(bench.reflector);
		bench_run(&bench, 0);
		ck_assert_uint_eq(bench.requests, refusals[i].failed ? 1 : 2);
		while (bench.requests < 2)
			bench_run(&bench, kube_env_mono_ms(kube_sim_env(bench.sim)) + 100);
		ck_assert_int_lt(bench.at_ms[1], LONGEST_SILENCE_MS);
		ck_assert_msg(bench.failed == refusals[i].failed, "row %zu: %u failures", i, bench.failed);
		if (refusals[i].failed)
			ck_assert_msg(strncmp(bench.message, "cannot list things", 18) == 0, "row %zu: %s", i, bench.message);
		ck_assert_str_eq(bench.log.text, "");
		bench_teardown(&bench);
	}
}
END_TEST

/* Nothing of the first watch, whatever lies behind its end, gets into the list of the second. */
START_TEST(what_has_come_is_dropped)
{
	static const struct step steps[] = {
	    {.status = 200, .body = A EVENT("ERROR", EXPIRED) A, .end = STAYS_OPEN},
	    {.expect = WATCH_LIST, .status = 200, .body = B END("12"), .end = STAYS_OPEN},
	};
	struct bench bench;

	setup(&bench, steps, KUBE_ARRAY_LEN(steps));
	bench_play(&bench, 1000);
	ck_assert_str_eq(bench.log.text, "+b ");
	ck_assert_uint_eq(bench.synced, 1);
	bench_teardown(&bench);
}
END_TEST

/* The next list after one that has succeeded is a WatchList again, and tells the differences. */
START_TEST(a_relist_tells_the_differences)
{
	static const struct step steps[] = {
	    {.status = 422, .body = STATUS(422, "Invalid", "m")},
	    {.expect = "?limit=500",
	     .status = 200,
	     .body = LIST("10", THING("a", "u", "1", "x") "," THING("b", "u", "2", "x") "," THING("c", "u", "3", "x"))},
	    {.expect = "watch=true", .never = "sendInitialEvents", .status = 200, .end = STAYS_OPEN},
	    {.expect = WATCH_LIST "&resourceVersion=10",
	     .status = 200,
	     .body = A EVENT("ADDED", THING("b", "u", "12", "y")) END("13"),
	     .end = STAYS_OPEN},
	};
	struct bench bench;

	setup(&bench, steps, KUBE_ARRAY_LEN(steps));
	kube_reflector_start(bench.reflector);
	bench_run(&bench, LATER_MS);
	bench_body(&bench, bench.last, EVENT("ERROR", EXPIRED));
	bench_play(&bench, LATER_MS);
	ck_assert_str_eq(bench.log.text, "+a +b +c ~b -c ");
	ck_assert_uint_eq(bench.failed, 0);
	ck_assert_uint_eq(bench.synced, 1);
	bench_teardown(&bench);
}
END_TEST

START_TEST(it_may_be_freed_in_its_callbacks)
{
	static const struct step broken = {.status = 200, .body = A A "}\n" B END("10") B, .end = STAYS_OPEN};
	static const struct step good = {.status = 200, .body = A B END("10") B, .end = STAYS_OPEN};
	static const struct step bad = {
	    .status = 200, .body = A EVENT("ADDED", THING("c", "u", "3", "bad")) B END("10") B, .end = STAYS_OPEN};

	for (int free_on = FREE_ON_SYNCED; free_on <= FREE_ON_CHANGE; free_on++) {
		struct bench bench;
		setup(&bench, free_on == FREE_ON_HEALTH ? &broken : free_on == FREE_ON_LEFT_OUT ? &bad : &good, 1);
		bench.free_on = free_on;
		bench_play(&bench, LONG_MS);
		ck_assert_ptr_null(bench.reflector);
		ck_assert_uint_eq(bench.requests, 1);
		bench_teardown(&bench);
	}
}
END_TEST

CHECK_MAIN("runtime/reflector_initial", a_watch_begins_with_the_list, the_store_shows_all_or_nothing,
           a_list_follows_where_it_is_refused_or_breaks_off, what_has_come_is_dropped, a_relist_tells_the_differences,
           it_may_be_freed_in_its_callbacks)
