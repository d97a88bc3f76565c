#include "test/unit/check_main.h"
#include "test/unit/runtime/reflector_bench.h"

#define SOON_MS 2000      /* after the first back-off */
#define LATER_MS 20000    /* an expired version is listed at once only some time after the last list */
#define LONGEST_MS 700000 /* the longest timeout of a watch, and a back-off */

/* Plays the events into the open watch, in pieces of bench->chunk bytes. */
static void send(struct bench *bench, const char *events)
{
	ck_assert(kube_sim_open(bench->sim, bench->last));
	bench_body(bench, bench->last, events);
	bench_run(bench, kube_env_mono_ms(kube_sim_env(bench->sim)));
}

START_TEST(events_in_all_pieces)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
	static const char events[] = EVENT("ADDED", THING("a", "u", "11", "x")) EVENT("ADDED", THING("b", "u", "12", "x"))
	    EVENT("MODIFIED", THING("a", "u", "13", "y")) EVENT("MODIFIED", THING("a", "u", "14", "y"))
	        EVENT("DELETED", THING("b", "u", "15", "x")) "\n" EVENT("MODIFIED", THING("c", "u", "16", "{\\\"\\n}"));
	char text[512];

	for (size_t chunk = 1; chunk <= sizeof(events); chunk += chunk < 20 ? 1 : 23) {
		struct bench bench;
		bench_setup(&bench, steps);
		bench_play(&bench, 0);
		bench.chunk = chunk;
		send(&bench, events);
		ck_assert_str_eq(bench.log.text, "+a +b ~a =a -b +c ");
		ck_assert_str_eq(bench_contents(&bench, text), "a=y c={\"\n} ");
		ck_assert_uint_eq(bench.failed, 0);
		bench_teardown(&bench);
	}
}
END_TEST

/* A watch that ends goes on where it was: after the last event or bookmark, without a list. */
START_TEST(a_clean_end_goes_on)
{
	static const struct {
		const char *events, *next;
	} cases[] = {
	    {"", "resourceVersion=10"},
	    {EVENT("ADDED", THING("a", "u", "11", "x")), "resourceVersion=11"},
	    {EVENT("DELETED", THING("a", "u", "12", "x")), "resourceVersion=12"},
	    {EVENT("ADDED", THING("a", "u", "13", "x")) BOOKMARK("50"), "resourceVersion=50"},
	    {EVENT("ADDED", THING("a", "u", "14", "bad")), "resourceVersion=14"},
	    /* versions are opaque: neither smaller ones nor texts mean anything */
	    {EVENT("ADDED", THING("a", "u", "zz/9", "x")), "resourceVersion=zz%2F9"},
	    {EVENT("ADDED", THING("a", "u", "11", "x")) BOOKMARK("3"), "resourceVersion=3"},
	    /* what is cut comes again */
	    {EVENT("ADDED", THING("a", "u", "11", "x")) "{\"type\":\"ADDED\",", "resourceVersion=11"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		const struct step steps[] = {
		    EMPTY_LIST,
		    {.expect = "watch=true", .status = 200, .body = cases[i].events, .end_after_ms = 1000},
		    {.expect = "watch=true", .expect_too = cases[i].next, .status = 200, .end = STAYS_OPEN},
		};
		struct bench bench;
		bench_setup(&bench, steps);
		bench_play(&bench, 1000); /* at once */
		ck_assert_uint_eq(bench.failed, 0);
		ck_assert_uint_eq(bench.left_out, strstr(cases[i].events, "bad") ? 1 : 0);
		ck_assert_uint_eq(kube_reflector_lists(bench.reflector), 1);
		ck_assert_uint_eq(kube_reflector_watches(bench.reflector), 2);
		send(&bench, EVENT("ADDED", THING("next", "u", "99", "x")));
		ck_assert_ptr_nonnull(kube_store_get(bench.store, "ns/next"));
		bench_teardown(&bench);
	}
}
END_TEST

/* What comes after a watch that fails in all the ways it can. */
START_TEST(failures)
{
	static const struct {
		const char *what;
		struct step step;
		bool list; /* or watch */
		int64_t first_ms, last_ms;
		unsigned failed;
	} cases[] = {
	    {"closed within a second, no event", {.status = 200, .end_after_ms = 999}, true, 1799, 2599, 1},
	    {"closed within a second, no news", {.status = 200, .body = BOOKMARK("10")}, true, 800, 1600, 1},
	    {"closed within a second after news", {.status = 200, .body = BOOKMARK("11")}, false, 0, 0, 0},
	    {"reset while open", {.status = 200, .end_after_ms = 5000, .end = KUBE_E_CLOSED}, false, 5800, 6600, 1},
	    {"reset at once", {.status = 200, .end = KUBE_E_IO}, false, 800, 1600, 1},
	    {"refused connection", {.end = KUBE_E_CONNECT}, false, 800, 1600, 1},
	    {"reset while opening", {.end = KUBE_E_CLOSED}, false, 800, 1600, 1},
	    {"TLS failure", {.end = KUBE_E_TLS}, false, 800, 1600, 1},
	    {"429", {.status = 429, .body = STATUS(429, "TooManyRequests", "m")}, false, 800, 1600, 1},
	    {"429 with a delay", {.status = 429, .retry_after_s = 9}, false, 9000, 9000, 1},
	    {"403", {.status = 403, .body = STATUS(403, "Forbidden", "m")}, false, 800, 1600, 1},
	    {"401", {.status = 401}, false, 800, 1600, 1},
	    {"404", {.status = 404, .body = STATUS(404, "NotFound", "m")}, true, 800, 1600, 1},
	    {"500", {.status = 500, .body = "oops"}, false, 800, 1600, 1},
	    {"410", {.status = 410, .body = EXPIRED}, true, 800, 1600, 1},
	    {"too large version", {.status = 504, .body = TOO_LARGE}, true, 800, 1600, 1},
	    {"ERROR 410", {.status = 200, .body = EVENT("ERROR", EXPIRED), .end = STAYS_OPEN}, true, 800, 1600, 1},
	    {"ERROR 429",
	     {.status = 200, .body = EVENT("ERROR", STATUS(429, "TooManyRequests", "m")), .end = STAYS_OPEN},
	     false,
	     800,
	     1600,
	     1},
	    {"ERROR 500",
	     {.status = 200, .body = EVENT("ERROR", STATUS(500, "x", "m")), .end = STAYS_OPEN},
	     true,
	     800,
	     1600,
	     1},
	    {"ERROR null", {.status = 200, .body = EVENT("ERROR", "null"), .end = STAYS_OPEN}, true, 800, 1600, 1},
	    {"no JSON", {.status = 200, .body = "<html>\n", .end = STAYS_OPEN}, true, 800, 1600, 1},
	    {"no answer", {.end = STAYS_OPEN}, false, 65800, 66600, 1},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		const struct step steps[] = {
		    EMPTY_LIST,
		    cases[i].step,
		    {.expect = cases[i].list ? "limit=0" : "watch=true",
		     .expect_too = strcmp(cases[i].what, "closed within a second after news") == 0 ? "resourceVersion=11"
		                                                                                   : "resourceVersion=10",
		     .never = cases[i].list ? "watch=true" : "limit",
		     .status = 200,
		     .body = cases[i].list ? LIST("20", "") : "",
		     .end = cases[i].list ? 0 : STAYS_OPEN},
		};
		struct bench bench;
		bench_setup(&bench, steps);
		bench_play(&bench, 100000);
		ck_assert_msg(bench.at_ms[2] >= cases[i].first_ms && bench.at_ms[2] <= cases[i].last_ms, "%s: after %lld ms",
		              cases[i].what, (long long)bench.at_ms[2]);
		ck_assert_msg(bench.failed >= cases[i].failed, "%s: not reported", cases[i].what);
		bench_teardown(&bench);
	}
}
END_TEST

/* An expiry of a version that is some time old is nothing unusual: list at once, at that version. */
START_TEST(expired_versions_list_at_once)
{
	static const char *const errors[] = {EVENT("ERROR", EXPIRED),
	                                     EVENT("ERROR", "{\"reason\":\"Expired\",\"message\":\"m\"}")};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(errors); i++) {
		static const struct step steps[] = {
		    EMPTY_LIST,
		    OPEN_WATCH("10"),
		    {.expect = "limit=0&resourceVersion=12", .status = 200, .body = LIST("20", THING("b", "u", "19", "x"))},
		    OPEN_WATCH("20"),
		};
		struct bench bench;
		bench_setup(&bench, steps);
		kube_reflector_start(bench.reflector);
		bench_run(&bench, LATER_MS);
		char events[1024];
		/* What follows the ERROR in the same bytes belongs to a watch that is over. */
		snprintf(events, sizeof(events), "%s%s%s", EVENT("ADDED", THING("a", "u", "12", "x")), errors[i],
		         EVENT("ADDED", THING("ghost", "u", "13", "x")));
		send(&bench, events);
		bench_play(&bench, LATER_MS);
		ck_assert_str_eq(bench.log.text, "+a +b -a ");
		ck_assert_uint_eq(bench.failed, 0);
		bench_teardown(&bench);
	}
}
END_TEST

/* A server whose every watch says 410 at once must not be asked without a pause. */
START_TEST(no_tight_loop)
{
	struct step steps[60];
	struct bench bench;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++)
		steps[i] = i % 2 ? (struct step){.expect = "watch=true", .status = 410, .body = EXPIRED}
		                 : (struct step){.expect = "limit=", .status = 200, .body = LIST("10", "")};
	bench_setup(&bench, steps);
	kube_reflector_start(bench.reflector);
	bench_run(&bench, 60000);
	ck_assert_uint_lt(bench.requests, 16);
	ck_assert_uint_gt(bench.requests, 5);
	bench_teardown(&bench);
}
END_TEST

/* fluent-bit#12019: a half-open watch is silent for ever. */
START_TEST(silence_ends_a_watch)
{
	static const struct step steps[] = {
	    EMPTY_LIST,
	    OPEN_WATCH("10"),
	    {.expect = "watch=true", .expect_too = "resourceVersion=10", .status = 200, .end = STAYS_OPEN}};

	for (uint64_t seed = 1; seed < 50; seed++) {
		struct bench bench;
		int timeout_s = 0;
		bench_setup_seed(&bench, steps, KUBE_ARRAY_LEN(steps), seed);
		kube_reflector_start(bench.reflector);
		bench_run(&bench, 0);
		ck_assert_int_eq(sscanf(strstr(bench.last_target, "timeoutSeconds="), "timeoutSeconds=%d", &timeout_s), 1);
		ck_assert_int_ge(timeout_s, 300);
		ck_assert_int_le(timeout_s, 600);
		bench_run(&bench, timeout_s * 1000 + 4999);
		ck_assert_uint_eq(bench.failed, 0);
		bench_run(&bench, timeout_s * 1000 + 5000);
		ck_assert_uint_eq(bench.failed, 1);
		bench_play(&bench, timeout_s * 1000 + 5000 + 1600);
		ck_assert_int_ge(bench.at_ms[2], timeout_s * 1000 + 5000 + 800);
		ck_assert_uint_eq(kube_reflector_lists(bench.reflector), 1);
		bench_teardown(&bench);
	}
}
END_TEST

START_TEST(silence_after_a_bookmark_is_noticed_sooner)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10"), OPEN_WATCH("60")};
	struct bench bench;

	bench_setup(&bench, steps);
	kube_reflector_start(bench.reflector);
	bench_run(&bench, 60000);
	send(&bench, BOOKMARK("50"));
	bench_run(&bench, 200000);
	send(&bench, "{\"type\":"); /* any byte is a sign of life */
	bench_run(&bench, 300000);
	send(&bench, "\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"60\"}}}\n");
	bench_run(&bench, 449999);
	ck_assert_uint_eq(bench.failed, 0);
	bench_play(&bench, 450000 + 1600);
	ck_assert_uint_eq(bench.failed, 1);
	bench_teardown(&bench);
}
END_TEST

/* fluent-bit#7920: dead after a connection reset. */
START_TEST(it_recovers_again_and_again)
{
	static const struct step steps[] = {
	    EMPTY_LIST,
	    {.expect = "watch=true",
	     .status = 200,
	     .body = EVENT("ADDED", THING("a", "u", "11", "x")),
	     .end = KUBE_E_CLOSED},
	    {.expect = "watch=true", .end = KUBE_E_CONNECT},
	    {.expect = "watch=true", .expect_too = "resourceVersion=11", .end = KUBE_E_CONNECT},
	    {.expect = "watch=true", .status = 503, .body = "starting"},
	    {.expect = "watch=true", .status = 200, .body = EVENT("ERROR", EXPIRED)},
	    {.expect = "limit=0&resourceVersion=11", .end = KUBE_E_TIMEOUT},
	    {.expect = "limit=0&resourceVersion=11", .status = 200, .body = LIST("20", THING("b", "u", "20", "x"))},
	    OPEN_WATCH("20"),
	};
	struct bench bench;

	bench_setup(&bench, steps);
	bench_play(&bench, 200000);
	send(&bench, EVENT("ADDED", THING("c", "u", "21", "x")));
	ck_assert_str_eq(bench.log.text, "+a +b -a +c ");
	ck_assert_uint_eq(bench.works, 1);
	ck_assert_uint_eq(bench.failed, 4); /* the same error twice is one report */
	ck_assert_uint_eq(bench.synced, 1);
	bench_teardown(&bench);
}
END_TEST

/* Something that lets lists through but no watches: better a list now and then than nothing. */
START_TEST(watches_that_are_always_refused_list)
{
	static const struct step refusal = {
	    .expect = "watch=true", .expect_too = "resourceVersion=10", .status = 502, .body = "no"};
	const struct step steps[] = {
	    EMPTY_LIST,
	    refusal,
	    refusal,
	    {.expect = "watch=true", .end = KUBE_E_CONNECT}, /* no refusal */
	    refusal,
	    refusal,
	    refusal,
	    {.expect = "limit=0&resourceVersion=10", .status = 200, .body = LIST("20", THING("a", "u", "20", "x"))},
	    {.expect = "watch=true", .expect_too = "resourceVersion=20", .status = 502},
	    {.expect = "limit=0&resourceVersion=20", .status = 200, .body = LIST("30", "")},
	    OPEN_WATCH("30"), /* from here on it counts anew */
	};
	struct bench bench;

	bench_setup(&bench, steps);
	bench_play(&bench, 400000);
	ck_assert_str_eq(bench.log.text, "+a -a ");
	bench_teardown(&bench);
}
END_TEST

/* kubernetes-client/c#138, #245: crash on JSON null. */
START_TEST(bad_events_stop_nothing)
{
	static const char *const bad[] = {
	    "null\n",
	    "7\n",
	    "{}\n",
	    "{\"type\":null,\"object\":null}\n",
	    "{\"type\":\"ADDED\"}\n",
	    EVENT("ADDED", "null"),
	    EVENT("ADDED", "{}"),
	    EVENT("ADDED", "[1]"),
	    EVENT("MODIFIED", "{\"metadata\":null}"),
	    EVENT("MODIFIED", "{\"metadata\":{\"name\":null}}"),
	    EVENT("ADDED", THING("b", "u", "12", "bad")),
	    EVENT("SHINY", THING("b", "u", "12", "x")),
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad); i++) {
		static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
		struct bench bench;
		bench_setup(&bench, steps);
		bench_play(&bench, 0);
		send(&bench, bad[i]);
		send(&bench, bad[i]);
		send(&bench, EVENT("ADDED", THING("c", "u", "13", "x")));
		ck_assert_str_eq(bench.log.text, "+c ");
		bench_run(&bench, SOON_MS);
		ck_assert_msg(bench.left_out == 1, "%s: reported %u times", bad[i], bench.left_out);
		ck_assert_uint_eq(bench.failed + bench.works, 0);
		ck_assert_uint_eq(bench.requests, 2);
		bench_teardown(&bench);
	}
}
END_TEST

START_TEST(harmless_events)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
	struct bench bench;

	bench_setup(&bench, steps);
	bench_play(&bench, 0);
	send(&bench, EVENT("DELETED", "null") EVENT("DELETED", THING("unknown", "u", "12", "x")) EVENT("BOOKMARK", "null"));
	ck_assert_str_eq(bench.log.text, "");
	ck_assert_uint_eq(bench.requests, 2);
	bench_teardown(&bench);
}
END_TEST

/* An older version of it must not pass for the present one. */
START_TEST(an_object_that_became_unreadable_leaves)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
	struct bench bench;

	bench_setup(&bench, steps);
	bench_play(&bench, 0);
	send(&bench, EVENT("ADDED", THING("a", "u", "11", "x")) EVENT("MODIFIED", THING("a", "u", "12", "bad")));
	ck_assert_str_eq(bench.log.text, "+a -a ");
	ck_assert_ptr_nonnull(strstr(bench.message, "Thing ns/a: spec.value: must not be bad"));
	send(&bench, EVENT("MODIFIED", THING("a", "u", "13", "x")));
	ck_assert_str_eq(bench.log.text, "+a -a +a ");
	bench_teardown(&bench);
}
END_TEST

START_TEST(deletion_and_creation_as_one_update)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
	struct bench bench;

	bench_setup(&bench, steps);
	bench_play(&bench, 0);
	send(&bench, EVENT("ADDED", THING("a", "u1", "11", "x")) EVENT("MODIFIED", THING("a", "u2", "13", "x")));
	ck_assert_str_eq(bench.log.text, "+a ~a ");
	bench_teardown(&bench);
}
END_TEST

/* It could not be read in the next watch either: only a list, which leaves it out, goes past it. */
START_TEST(an_oversized_event_is_listed)
{
	static const struct step steps[] = {EMPTY_LIST,
	                                    OPEN_WATCH("10"),
	                                    {.expect = "limit=0&resourceVersion=10", .status = 200, .body = LIST("20", "")},
	                                    OPEN_WATCH("20")};
	static char huge[KUBE_REFLECTOR_MAX_EVENT_BYTES + 2];
	struct bench bench;

	memset(huge, 'x', sizeof(huge) - 1);
	bench_setup(&bench, steps);
	kube_reflector_start(bench.reflector);
	bench_run(&bench, 0);
	bench.chunk = 1 << 20;
	send(&bench, huge);
	bench_play(&bench, 1600);
	ck_assert_int_ge(bench.at_ms[2], 800);
	ck_assert_uint_eq(bench.failed, 1);
	bench_teardown(&bench);
}
END_TEST

/* A hundred thousand bytes in single ones: work that grows with what is buffered already would not end in time. */
START_TEST(small_pieces_take_linear_time)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
	static char event[2 << 20];
	struct bench bench;

	size_t len = (size_t)snprintf(event, sizeof(event), "{\"type\":\"ADDED\",\"pad\":\"");
	memset(event + len, 'x', (1 << 20));
	snprintf(event + len + (1 << 20), 512, "\",\"object\":%s}\n", THING("a", "u", "11", "x"));
	bench_setup(&bench, steps);
	bench_play(&bench, 0);
	for (size_t at = 0; event[at]; at += 16)
		kube_sim_reply_data(bench.sim, bench.last, 0, event + at, strnlen(event + at, 16));
	kube_sim_run(bench.sim, 0, 1000000);
	ck_assert_str_eq(bench.log.text, "+a ");
	bench_teardown(&bench);
}
END_TEST

START_TEST(it_may_be_freed_in_its_callbacks)
{
	static const struct step steps[] = {EMPTY_LIST, OPEN_WATCH("10")};
	static const struct {
		int moment;
		const char *events, *log;
	} cases[] = {
	    {FREE_ON_CHANGE, EVENT("ADDED", THING("a", "u", "11", "x")), "+a "},
	    {FREE_ON_LEFT_OUT, EVENT("ADDED", THING("a", "u", "11", "bad")), ""},
	    {FREE_ON_LEFT_OUT, EVENT("SHINY", THING("a", "u", "11", "bad")), ""},
	    {FREE_ON_HEALTH, EVENT("ERROR", EXPIRED), ""},
	    {FREE_ON_HEALTH, "no JSON\n", ""},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct bench bench;
		char events[1024];
		bench_setup(&bench, steps);
		bench_play(&bench, 0);
		bench.free_on = cases[i].moment;
		snprintf(events, sizeof(events), "%s%s", cases[i].events, EVENT("ADDED", THING("b", "u", "12", "x")));
		send(&bench, events);
		ck_assert_ptr_null(bench.reflector);
		ck_assert_str_eq(bench.log.text, cases[i].log);
		ck_assert(!kube_sim_open(bench.sim, bench.last));
		bench_run(&bench, LONGEST_MS);
		ck_assert_uint_eq(bench.requests, 2);
		bench_teardown(&bench);
	}
}
END_TEST

CHECK_MAIN("runtime/reflector_watch", events_in_all_pieces, a_clean_end_goes_on, failures,
           expired_versions_list_at_once, no_tight_loop, silence_ends_a_watch,
           silence_after_a_bookmark_is_noticed_sooner, it_recovers_again_and_again,
           watches_that_are_always_refused_list, bad_events_stop_nothing, harmless_events,
           an_object_that_became_unreadable_leaves, deletion_and_creation_as_one_update, an_oversized_event_is_listed,
           small_pieces_take_linear_time, it_may_be_freed_in_its_callbacks)
