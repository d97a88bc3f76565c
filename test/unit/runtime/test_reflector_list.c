#include "test/unit/check_main.h"
#include "test/unit/runtime/reflector_bench.h"

START_TEST(pages_make_one_list)
{
	static const struct step steps[] = {
	    {.expect = "/apis/test.example/v1/things?limit=500&resourceVersion=0",
	     .never = "watch",
	     .status = 200,
	     .body = PAGE("10", "c/1", THING("a", "u", "1", "x"))},
	    {.expect = "limit=500&continue=c%2F1",
	     .never = "resourceVersion",
	     .status = 200,
	     .body = PAGE("10", "c2", THING("b", "u", "2", "x") "," THING("c", "u", "3", "x"))},
	    {.expect = "limit=500&continue=c2", .never = "resourceVersion", .status = 200, .body = LIST("11", "")},
	    {.expect = "watch=true&allowWatchBookmarks=true&timeoutSeconds=",
	     .expect_too = "resourceVersion=11",
	     .status = 200,
	     .end = STAYS_OPEN},
	};
	static const size_t chunks[] = {0, 1, 7};
	struct bench bench;
	char text[512];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(chunks); i++) {
		bench_setup(&bench, steps);
		bench.chunk = chunks[i];
		ck_assert(!kube_reflector_synced(bench.reflector));
		bench_play(&bench, 100);
		ck_assert_str_eq(bench_contents(&bench, text), "a=x b=x c=x ");
		ck_assert_str_eq(bench.log.text, "+a +b +c ");
		ck_assert_uint_eq(bench.synced, 1);
		ck_assert_uint_eq(bench.failed + bench.works, 0);
		ck_assert_uint_eq(kube_reflector_lists(bench.reflector), 1);
		ck_assert_uint_eq(kube_reflector_watches(bench.reflector), 1);
		bench_teardown(&bench);
	}
}
END_TEST

START_TEST(selectors_and_namespace_are_asked_for)
{
	static const struct step steps[] = {
	    {.expect = "/apis/test.example/v1/namespaces/ns/things?",
	     .expect_too = "labelSelector=a%3Db%2Cc&fieldSelector=spec.x%3D1",
	     .status = 200,
	     .body = LIST("10", "")},
	    {.expect = "/apis/test.example/v1/namespaces/ns/things?watch=true",
	     .expect_too = "labelSelector=a%3Db%2Cc&fieldSelector=spec.x%3D1",
	     .status = 200,
	     .end = STAYS_OPEN},
	};
	struct bench bench;
	char label_selector[] = "a=b,c";

	bench_setup(&bench, steps);
	kube_reflector_free(bench.reflector);
	struct kube_reflector_options options = {.client = bench.client,
	                                         .projection = &thing_projection,
	                                         .store = bench.store,
	                                         .namespace_ = "ns",
	                                         .label_selector = label_selector,
	                                         .field_selector = "spec.x=1"};
	ck_assert_int_eq(kube_reflector_new(&options, &bench.reflector, NULL), 0);
	memset(label_selector, 'z', sizeof(label_selector) - 1); /* copied */
	bench_play(&bench, 100);
	bench_teardown(&bench);
}
END_TEST

/* fluent-bit#9309: dead after a 410 on a continue token. */
START_TEST(an_expired_token_lists_all_at_once)
{
	static const struct step steps[] = {
	    {.expect = "limit=500&resourceVersion=0",
	     .status = 200,
	     .body = PAGE("10", "c1", THING("gone", "u", "1", "x") "," THING("a", "u", "1", "x"))},
	    {.expect = "continue=c1", .status = 410, .body = EXPIRED},
	    {.expect = "limit=0&resourceVersion=0",
	     .never = "continue",
	     .status = 200,
	     .body = LIST("20", THING("a", "u", "1", "x") "," THING("b", "u", "2", "x"))},
	    OPEN_WATCH("20"),
	};
	struct bench bench;
	char text[512];

	bench_setup(&bench, steps);
	bench_play(&bench, 0);
	ck_assert_str_eq(bench_contents(&bench, text), "a=x b=x ");
	ck_assert_str_eq(bench.log.text, "+a +b ");
	ck_assert_uint_eq(bench.failed, 0);
	bench_teardown(&bench);
}
END_TEST

START_TEST(an_expired_version_lists_the_newest)
{
	static const struct {
		int status;
		const char *body;
	} cases[] = {{410, EXPIRED}, {410, "gone"}, {504, TOO_LARGE}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		const struct step steps[] = {
		    {.status = 200, .body = LIST("10", "")},
		    {.expect = "watch=true", .status = 200, .end_after_ms = 20000, .end = STAYS_OPEN},
		    {.expect = "limit=0&resourceVersion=10", .status = cases[i].status, .body = cases[i].body},
		    {.expect = "limit=500", .never = "resourceVersion", .status = 200, .body = LIST("99", "")},
		    OPEN_WATCH("99"),
		    {.expect = "limit=0&resourceVersion=99", .status = 200, .body = LIST("100", "")},
		};
		struct bench bench;
		bench_setup(&bench, steps);
		kube_reflector_start(bench.reflector);
		bench_run(&bench, 20000);
		bench_body(&bench, bench.last, EVENT("ERROR", EXPIRED));
		bench_run(&bench, 20000);
		ck_assert_uint_eq(bench.requests, 5); /* at once */
		bench_run(&bench, 40000);
		bench_body(&bench, bench.last, EVENT("ERROR", EXPIRED)); /* the new version is like any other */
		bench_play(&bench, 40000);
		ck_assert_uint_eq(bench.failed, 0);
		ck_assert_uint_eq(bench.synced, 1);
		bench_teardown(&bench);
	}
}
END_TEST

START_TEST(the_newest_expires_too)
{
	static const struct step steps[] = {
	    {.expect = "resourceVersion=0", .status = 410, .body = EXPIRED},
	    {.never = "resourceVersion", .status = 410, .body = EXPIRED},
	    {.never = "resourceVersion", .status = 200, .body = LIST("5", "")},
	    OPEN_WATCH("5"),
	};
	struct bench bench;

	bench_setup(&bench, steps);
	bench_play(&bench, 1600);
	ck_assert_int_eq(bench.at_ms[1], 0);
	ck_assert_int_ge(bench.at_ms[2], 800); /* no third try at once */
	ck_assert_uint_eq(bench.failed, 1);
	bench_teardown(&bench);
}
END_TEST

START_TEST(failures_back_off_and_list_again)
{
	static const struct {
		struct step step;
		const char *message;
		int64_t first_ms, last_ms; /* when the next list comes */
	} cases[] = {
	    {{.end = KUBE_E_CONNECT}, "cannot list things: ", 800, 1600},
	    {{.end = KUBE_E_CLOSED}, "cannot list things: ", 800, 1600},
	    {{.status = 403, .body = STATUS(403, "Forbidden", "no things for you")}, "no things for you", 800, 1600},
	    {{.status = 403}, "403", 800, 1600},
	    {{.status = 500, .body = "oops <html>"}, "500", 800, 1600},
	    {{.status = 429, .retry_after_s = 7, .body = "{}"}, "429", 7000, 7000},
	    {{.status = 429, .retry_after_s = 100000, .body = "{}"}, "429", 30000, 30000},
	    {{.status = 200, .body = "{\"metadata\":{}"}, "JSON", 800, 1600},
	    {{.status = 200, .body = "{\"metadata\":{},\"items\":[{},"}, "JSON", 800, 1600},
	    {{.status = 200, .body = "null"}, "no list", 800, 1600},
	    {{.status = 200, .body = "{\"items\":[]}"}, "no list", 800, 1600},
	    {{.status = 200, .body = ""}, "JSON", 800, 1600},
	    {{.status = 200, .body = PAGE("10", "", THING("a", "u", "1", "x")), .end = KUBE_E_CLOSED}, "ended", 800, 1600},
	    {{.status = 200, .body = "{", .end = STAYS_OPEN}, "silent", 65000 + 800, 65000 + 1600},
	    {{.end = STAYS_OPEN}, "silent", 65000 + 800, 65000 + 1600},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		const struct step steps[] = {
		    cases[i].step, {.expect = "resourceVersion=0", .status = 200, .body = LIST("10", "")}, OPEN_WATCH("10")};
		struct bench bench;
		bench_setup(&bench, steps);
		bench_play(&bench, 100000);
		ck_assert_msg(bench.at_ms[1] >= cases[i].first_ms && bench.at_ms[1] <= cases[i].last_ms,
		              "case %zu: listed again after %lld ms", i, (long long)bench.at_ms[1]);
		ck_assert_uint_eq(bench.failed, 1);
		ck_assert_uint_eq(bench.left_out, i == 8 ? 1 : 0); /* there an element cannot be decoded either */
		ck_assert_msg(strstr(bench.message, cases[i].message), "case %zu: %s", i, bench.message);
		ck_assert_uint_eq(bench.works, 1);
		ck_assert_str_eq(bench.log.text, ""); /* nothing of half a list */
		bench_teardown(&bench);
	}
}
END_TEST

/* 800 ms doubled to 30 s, each with up to as much again; the same error is reported once. */
START_TEST(back_off_grows_and_starts_over)
{
	struct step steps[14];
	struct bench bench;
	int64_t least_ms = 800;

	for (size_t i = 0; i < 12; i++)
		steps[i] = (struct step){.status = 403, .body = STATUS(403, "Forbidden", "no")};
	steps[12] = (struct step){.status = 200, .body = LIST("10", "")};
	steps[13] = (struct step){.expect = "watch=true", .status = 200, .end = STAYS_OPEN};
	bench_setup(&bench, steps);
	kube_reflector_start(bench.reflector);
	while (bench.requests < KUBE_ARRAY_LEN(steps))
		ck_assert(kube_sim_step(bench.sim));
	bench_play(&bench, bench.at_ms[13] + 1000);
	for (size_t i = 1; i <= 12; i++) {
		int64_t delay_ms = bench.at_ms[i] - bench.at_ms[i - 1];
		ck_assert_msg(delay_ms >= least_ms && delay_ms < 2 * least_ms, "delay %zu: %lld", i, (long long)delay_ms);
		least_ms = least_ms * 2 < 30000 ? least_ms * 2 : 30000;
	}
	ck_assert_uint_eq(bench.failed, 1);
	ck_assert_uint_eq(bench.works, 1);
	/* It has been quiet for more than two minutes: the next failure waits for 800 ms again. */
	int64_t now_ms = bench.at_ms[13] + 150000;
	ck_assert_uint_eq(bench.requests, 14);
	bench_run(&bench, now_ms);
	bench_body(&bench, bench.last, EVENT("ERROR", STATUS(500, "InternalError", "oops")));
	bench_run(&bench, now_ms + 1600);
	ck_assert_uint_eq(bench.requests, 15);
	ck_assert_int_ge(bench.at_ms[14] - now_ms, 800);
	bench_teardown(&bench);
}
END_TEST

/* Both lists, the one before and the one after the watch's end. */
static void play_relist(struct bench *bench, const char *before, const char *after)
{
	static struct step steps[4];

	steps[0] = (struct step){.status = 200, .body = before};
	steps[1] =
	    (struct step){.status = 200, .body = EVENT("ERROR", STATUS(500, "InternalError", "x")), .end = STAYS_OPEN};
	steps[2] = (struct step){.expect = "resourceVersion=10", .never = "watch", .status = 200, .body = after};
	steps[3] = (struct step)OPEN_WATCH("20");
	bench_setup(bench, steps);
	bench_play(bench, 2000);
}

START_TEST(a_relist_tells_the_differences)
{
	static const struct {
		const char *what, *before, *after, *log;
	} cases[] = {
	    {"deletes what vanished", LIST("10", THING("a", "u", "1", "x") "," THING("b", "u", "2", "x")),
	     LIST("20", THING("b", "u", "2", "x")), "+a +b -a "},
	    {"adds and updates", LIST("10", THING("a", "u", "1", "x")),
	     LIST("20", THING("a", "u", "5", "y") "," THING("b", "u", "6", "x")), "+a ~a +b "},
	    {"deletion and re-creation are one update", LIST("10", THING("a", "u1", "1", "x")),
	     LIST("20", THING("a", "u2", "1", "x")), "+a ~a "},
	    {"nothing that counts", LIST("10", THING("a", "u", "1", "x")), LIST("20", THING("a", "u", "2", "x")), "+a =a "},
	    {"an object that became unreadable", LIST("10", THING("a", "u", "1", "x")),
	     LIST("20", THING("a", "u", "2", "bad")), "+a -a "},
	    {"items null", LIST("10", THING("a", "u", "1", "x")),
	     "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":null}", "+a -a "},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct bench bench;
		play_relist(&bench, cases[i].before, cases[i].after);
		ck_assert_msg(strcmp(bench.log.text, cases[i].log) == 0, "%s: %s", cases[i].what, bench.log.text);
		ck_assert_uint_eq(bench.synced, 1);
		bench_teardown(&bench);
	}
}
END_TEST

/* The same versions again cost no memory, whatever the size of the cluster. */
START_TEST(a_relist_keeps_unchanged_objects)
{
	static const struct step steps[] = {
	    {.status = 200, .body = LIST("10", THING("a", "u", "1", "x"))},
	    OPEN_WATCH("10"),
	    {.status = 200, .body = LIST("20", THING("a", "u", "1", "x"))},
	    OPEN_WATCH("20"),
	};
	struct bench bench;

	bench_setup(&bench, steps);
	kube_reflector_start(bench.reflector);
	bench_run(&bench, 20000);
	struct kube_object *before = kube_object_ref(kube_store_get(bench.store, "ns/a"));
	bench_body(&bench, bench.last, EVENT("ERROR", EXPIRED));
	bench_play(&bench, 20000);
	ck_assert_ptr_eq(kube_store_get(bench.store, "ns/a"), before);
	ck_assert_str_eq(bench.log.text, "+a ");
	kube_object_unref(before);
	bench_teardown(&bench);
}
END_TEST

/* kubernetes-client/c#138, #245: crash on JSON null. */
START_TEST(bad_items_are_left_out)
{
	static const char *const bad[] = {"null",
	                                  "7",
	                                  "\"text\"",
	                                  "[]",
	                                  "{}",
	                                  "{\"metadata\":null}",
	                                  "{\"metadata\":{\"name\":null}}",
	                                  "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"value\":\"bad\"}}",
	                                  "{\"metadata\":{\"name\":\"b\",\"uid\":[]}}"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad); i++) {
		char body[1024];
		snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[%s,%s,%s,%s]}",
		         THING("a", "u", "1", "x"), bad[i], bad[i], THING("c", "u", "1", "x"));
		const struct step steps[] = {{.status = 200, .body = body}, OPEN_WATCH("10")};
		struct bench bench;
		bench_setup(&bench, steps);
		bench_play(&bench, 2000);
		ck_assert_str_eq(bench.log.text, "+a +c ");
		ck_assert_uint_eq(bench.synced, 1);
		ck_assert_uint_eq(bench.left_out, 1); /* the same report once */
		ck_assert_uint_eq(bench.failed + bench.works, 0);
		ck_assert_ptr_nonnull(strstr(bench.message, "Thing"));
		bench_teardown(&bench);
	}
}
END_TEST

START_TEST(a_full_store_is_an_error)
{
	static const struct step steps[] = {
	    {.status = 200, .body = LIST("10", THING("a", "u", "1", "x") "," THING("b", "u", "1", "x"))},
	    {.expect = "limit=500", .status = 200, .body = LIST("10", THING("a", "u", "1", "x"))},
	    {.expect = "watch=true", .status = 200, .body = EVENT("ADDED", THING("b", "u", "11", "x")), .end = STAYS_OPEN},
	    {.expect = "limit=0", .status = 200, .body = LIST("12", THING("a", "u", "1", "x"))},
	    OPEN_WATCH("12"),
	};
	struct bench bench;

	bench_setup(&bench, steps);
	kube_reflector_free(bench.reflector);
	kube_store_free(bench.store);
	ck_assert_int_eq(kube_store_new(1, &bench.store, NULL), 0);
	struct kube_reflector_options options = {.client = bench.client,
	                                         .projection = &thing_projection,
	                                         .store = bench.store,
	                                         .on_health = bench_on_health,
	                                         .arg = &bench};
	ck_assert_int_eq(kube_reflector_new(&options, &bench.reflector, NULL), 0);
	kube_reflector_start(bench.reflector);
	bench_run(&bench, 700);
	ck_assert(!kube_reflector_synced(bench.reflector));
	ck_assert_uint_eq(kube_store_count(bench.store), 0);
	ck_assert_ptr_nonnull(strstr(bench.message, "1 objects"));
	bench_play(&bench, 10000);
	ck_assert_uint_eq(bench.failed, 2);
	ck_assert_uint_eq(bench.works, 1);
	bench_teardown(&bench);
}
END_TEST

START_TEST(it_may_be_freed_in_its_callbacks)
{
	static const struct step steps[] = {
	    {.status = 200, .body = LIST("10", THING("a", "u", "1", "x") "," THING("b", "u", "1", "bad"))},
	    {.status = 200, .body = EVENT("ADDED", THING("c", "u", "11", "x")), .end = STAYS_OPEN},
	};
	static const int moments[] = {FREE_ON_SYNCED, FREE_ON_LEFT_OUT, FREE_ON_CHANGE};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(moments); i++) {
		struct bench bench;
		bench_setup(&bench, steps);
		bench.free_on = moments[i];
		kube_reflector_start(bench.reflector);
		bench_run(&bench, 1000000);
		ck_assert_ptr_null(bench.reflector);
		ck_assert_uint_eq(bench.requests, 1);
		ck_assert(!kube_sim_open(bench.sim, bench.last));
		ck_assert_uint_eq(bench.synced, moments[i] == FREE_ON_SYNCED ? 1 : 0);
		bench_teardown(&bench);
	}
}
END_TEST

/* A list that is under way, or a wait, leaves nothing behind. */
START_TEST(it_may_be_freed_at_any_time)
{
	static const struct step steps[] = {
	    {.status = 200,
	     .body = "{\"metadata\":{},\"items\":[" THING("a", "u", "1", "x") ",",
	     .end_after_ms = 500,
	     .end = KUBE_E_CLOSED},
	};
	static const int64_t times_ms[] = {-1, 0, 400, 600};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(times_ms); i++) {
		struct bench bench;
		bench_setup(&bench, steps);
		if (times_ms[i] >= 0)
			kube_reflector_start(bench.reflector);
		bench_run(&bench, times_ms[i]);
		kube_reflector_free(take(bench.reflector));
		size_t requests = bench.requests;
		bench_run(&bench, 1000000);
		ck_assert_uint_eq(bench.requests, requests);
		ck_assert_str_eq(bench.log.text, "");
		bench_teardown(&bench);
	}
}
END_TEST

CHECK_MAIN("runtime/reflector_list", pages_make_one_list, selectors_and_namespace_are_asked_for,
           an_expired_token_lists_all_at_once, an_expired_version_lists_the_newest, the_newest_expires_too,
           failures_back_off_and_list_again, back_off_grows_and_starts_over, a_relist_tells_the_differences,
           a_relist_keeps_unchanged_objects, bad_items_are_left_out, a_full_store_is_an_error,
           it_may_be_freed_in_its_callbacks, it_may_be_freed_at_any_time)
