/* The memory-only facts: what is kept, for how long, and how much of it. */
#include "controller/observe/facts.h"
#include "test/unit/check_main.h"
#include <stdio.h>
#include <string.h>

#define KEY "rollout/r"
#define WHAT "create Pod j/pw-1"

static const struct effect_retry at_once = {.first_ms = 1000, .tolerated = 0};
static const struct effect_retry third_time = {.first_ms = 50, .tolerated = 2};

static struct facts *facts;

static void set_up(void)
{
	ck_assert_int_eq(facts_new(&facts, NULL), 0);
}

static void tear_down(void)
{
	facts_free(facts);
}

static struct eviction_answer refusal(const char *kind, const char *name, int64_t delay_ms)
{
	struct eviction_answer answer = {.result = EVICTION_BLOCKED, .kind = kind, .base_ms = 5000, .delay_ms = delay_ms};
	snprintf(answer.name, sizeof(answer.name), "%s", name);
	snprintf(answer.message, sizeof(answer.message), "no");
	return answer;
}

static int64_t fail_once(const char *key, const char *what, const char *reason, const struct effect_retry *retry,
                         int64_t now, bool *ret_news)
{
	struct kube_err failure = {.code = KUBE_E_API, .http_status = 403};
	int64_t delay = 0;
	snprintf(failure.reason, sizeof(failure.reason), "%s", reason);
	snprintf(failure.message, sizeof(failure.message), "sentence about %s", reason);
	ck_assert_int_eq(facts_effect_failed(facts, key, what, &failure, retry, now, 0, &delay, ret_news, NULL), 0);
	return delay;
}

START_TEST(refusal_is_remembered_until_it_is_over)
{
	struct eviction_answer answer = refusal("PodDisruptionBudget", "cart", 4500), over = {.over = true};
	set_up();
	ck_assert_ptr_null(facts_eviction(facts, "u1"));
	facts_note_eviction(facts, "u1", "shop", &answer, 100, NULL);
	const struct eviction_fact *fact = facts_eviction(facts, "u1");
	ck_assert_str_eq(fact->kind, "PodDisruptionBudget");
	ck_assert_str_eq(fact->namespace_, "shop");
	ck_assert_str_eq(fact->name, "cart");
	ck_assert_str_eq(fact->message, "no");
	ck_assert_int_eq(fact->since_ms, 100);
	ck_assert_int_eq(fact->retry_at_ms, 4600);
	ck_assert_int_eq(facts_eviction_base(facts, "u1"), 5000);
	facts_note_eviction(facts, "u1", "shop", &over, 200, NULL);
	ck_assert_ptr_null(facts_eviction(facts, "u1"));
	ck_assert_int_eq(facts_eviction_base(facts, "u1"), 0);
	tear_down();
}
END_TEST

START_TEST(first_refusal_in_a_row_gives_since)
{
	struct eviction_answer budget = refusal("PodDisruptionBudget", "cart", 1000), other = refusal("Webhook", "w", 1000);
	set_up();
	facts_note_eviction(facts, "u1", "shop", &budget, 100, NULL);
	facts_note_eviction(facts, "u1", "shop", &other, 9000, NULL);
	ck_assert_int_eq(facts_eviction(facts, "u1")->since_ms, 100);
	ck_assert_int_eq(facts_eviction(facts, "u1")->retry_at_ms, 10000);
	/* A webhook is in no namespace. */
	ck_assert_str_eq(facts_eviction(facts, "u1")->namespace_, "");
	facts_drop_eviction(facts, "u1");
	facts_note_eviction(facts, "u1", "shop", &budget, 20000, NULL);
	ck_assert_int_eq(facts_eviction(facts, "u1")->since_ms, 20000);
	tear_down();
}
END_TEST

START_TEST(terminating_namespace_is_named)
{
	struct eviction_answer answer = refusal("Namespace", "", 1000);
	set_up();
	answer.result = EVICTION_TERMINATING;
	facts_note_eviction(facts, "u1", "shop", &answer, 0, NULL);
	ck_assert_str_eq(facts_eviction(facts, "u1")->name, "shop");
	tear_down();
}
END_TEST

START_TEST(evictions_are_bounded_and_the_oldest_goes)
{
	struct eviction_answer answer = refusal("APIServer", "", 1000);
	char uid[32];
	set_up();
	for (int i = 0; i <= FACTS_MAX_EVICTIONS; i++) {
		snprintf(uid, sizeof(uid), "u%d", i);
		ck_assert_int_eq(facts_note_eviction(facts, uid, "n", &answer, i, NULL), 0);
	}
	ck_assert_uint_eq(facts_count(facts), FACTS_MAX_EVICTIONS);
	ck_assert_ptr_null(facts_eviction(facts, "u0"));
	ck_assert_ptr_nonnull(facts_eviction(facts, "u1"));
	ck_assert_ptr_nonnull(facts_eviction(facts, uid));
	tear_down();
}
END_TEST

START_TEST(failure_is_told_once_per_reason)
{
	bool news = false;
	set_up();
	ck_assert_ptr_null(facts_effect_error(facts, KEY, 0));
	fail_once(KEY, WHAT, "Forbidden", &at_once, 1000, &news);
	ck_assert(news);
	const struct effect_error *error = facts_effect_error(facts, KEY, 1000);
	ck_assert_str_eq(error->what, WHAT);
	ck_assert_str_eq(error->reason, "Forbidden");
	ck_assert_str_eq(error->message, "sentence about Forbidden");
	ck_assert_int_eq(error->http_status, 403);
	fail_once(KEY, WHAT, "Forbidden", &at_once, 3000, &news);
	ck_assert(!news);
	/* It stands since it began. */
	ck_assert_int_eq(facts_effect_error(facts, KEY, 3000)->at_ms, 1000);
	fail_once(KEY, WHAT, "Invalid", &at_once, 9000, &news);
	ck_assert(news);
	ck_assert_str_eq(facts_effect_error(facts, KEY, 9000)->reason, "Invalid");
	ck_assert(facts_effect_done(facts, KEY, WHAT));
	ck_assert_ptr_null(facts_effect_error(facts, KEY, 9000));
	ck_assert(!facts_effect_done(facts, KEY, WHAT));
	tear_down();
}
END_TEST

START_TEST(tolerated_failures_are_not_told)
{
	bool news = true;
	set_up();
	for (int i = 0; i < 2; i++) {
		fail_once(KEY, WHAT, "Conflict", &third_time, i, &news);
		ck_assert(!news);
		ck_assert_ptr_null(facts_effect_error(facts, KEY, i));
	}
	fail_once(KEY, WHAT, "Conflict", &third_time, 3, &news);
	ck_assert(news);
	ck_assert_ptr_nonnull(facts_effect_error(facts, KEY, 3));
	tear_down();
}
END_TEST

START_TEST(retries_back_off_to_their_cap)
{
	static const int64_t delays[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
	bool news;
	int64_t now = 0;
	set_up();
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		ck_assert_int_eq(fail_once(KEY, WHAT, "X", &at_once, now, &news), delays[i]);
		ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, now), delays[i]);
		ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, now + delays[i] - 1), 1);
		now += delays[i];
		ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, now), 0);
	}
	ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, "another", 0), 0);
	tear_down();
}
END_TEST

START_TEST(the_servers_wish_is_heeded_up_to_the_cap)
{
	static const struct {
		int retry_after_s;
		int64_t delay_ms;
	} cases[] = {{-1, 1000}, {0, 1000}, {1, 1000}, {7, 7000}, {3600, FACTS_EFFECT_RETRY_MAX_MS}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_err failure = {.code = KUBE_E_API, .http_status = 429, .retry_after_s = cases[i].retry_after_s};
		int64_t delay = 0;
		bool news;
		set_up();
		facts_effect_failed(facts, KEY, WHAT, &failure, &at_once, 0, 0, &delay, &news, NULL);
		ck_assert_int_eq(delay, cases[i].delay_ms);
		ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, 0), cases[i].delay_ms);
		tear_down();
	}
}
END_TEST

/* The server's clock was ahead, and has been set right. */
START_TEST(no_retry_waits_for_a_clock_that_was_set_back)
{
	const int64_t hour = 3600000;
	bool news;
	set_up();
	fail_once(KEY, WHAT, "X", &at_once, 2 * hour, &news);
	ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, 2 * hour), 1000);
	ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, hour), 0);
	tear_down();
}
END_TEST

START_TEST(newest_of_a_key_counts_and_keys_are_apart)
{
	bool news;
	set_up();
	fail_once(KEY, "a", "A", &at_once, 1, &news);
	fail_once(KEY, "b", "B", &at_once, 2, &news);
	fail_once("rollout/r2", "c", "C", &at_once, 3, &news);
	ck_assert_str_eq(facts_effect_error(facts, KEY, 3)->reason, "B");
	fail_once(KEY, "a", "A2", &at_once, 4, &news);
	ck_assert_str_eq(facts_effect_error(facts, KEY, 4)->reason, "A2");
	facts_drop_key(facts, KEY);
	ck_assert_ptr_null(facts_effect_error(facts, KEY, 4));
	ck_assert_str_eq(facts_effect_error(facts, "rollout/r2", 4)->reason, "C");
	tear_down();
}
END_TEST

/* A plan that no longer wants the effect never tries it again: its failure must not stay in the status for ever. */
START_TEST(what_is_not_wanted_any_more_is_forgotten)
{
	bool news;
	set_up();
	fail_once(KEY, WHAT, "A", &at_once, 0, &news);
	ck_assert_ptr_nonnull(facts_effect_error(facts, KEY, 1000 + FACTS_EFFECT_FORGET_MS));
	ck_assert_ptr_null(facts_effect_error(facts, KEY, 1001 + FACTS_EFFECT_FORGET_MS));
	ck_assert_uint_eq(facts_count(facts), 0);
	tear_down();
}
END_TEST

START_TEST(pause_holds_back_without_an_error)
{
	set_up();
	facts_effect_pause(facts, KEY, WHAT, 5000);
	ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, 1000), 4000);
	ck_assert_ptr_null(facts_effect_error(facts, KEY, 1000));
	ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, WHAT, 5000), 0);
	ck_assert(!facts_effect_done(facts, KEY, WHAT));
	tear_down();
}
END_TEST

START_TEST(effects_are_bounded)
{
	bool news;
	char what[32];
	set_up();
	for (int i = 0; i <= FACTS_MAX_EFFECTS; i++) {
		snprintf(what, sizeof(what), "w%d", i);
		fail_once(KEY, what, "X", &at_once, 0, &news);
	}
	ck_assert_uint_eq(facts_count(facts), FACTS_MAX_EFFECTS);
	ck_assert_int_eq(facts_effect_wait_ms(facts, KEY, "w0", 0), 0);
	ck_assert_int_gt(facts_effect_wait_ms(facts, KEY, what, 0), 0);
	tear_down();
}
END_TEST

START_TEST(no_answer_has_a_reason_too)
{
	static const struct {
		int code;
		const char *reason;
	} cases[] = {{KUBE_E_CONNECT, "ServerUnreachable"}, {KUBE_E_TLS, "ServerUntrusted"}, {KUBE_E_TIMEOUT, "Timeout"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_err failure = {.code = cases[i].code};
		int64_t delay;
		bool news;
		set_up();
		facts_effect_failed(facts, KEY, WHAT, &failure, &at_once, 0, 0, &delay, &news, NULL);
		ck_assert_str_eq(facts_effect_error(facts, KEY, 0)->reason, cases[i].reason);
		tear_down();
	}
}
END_TEST

CHECK_MAIN("facts", refusal_is_remembered_until_it_is_over, first_refusal_in_a_row_gives_since,
           terminating_namespace_is_named, evictions_are_bounded_and_the_oldest_goes, failure_is_told_once_per_reason,
           tolerated_failures_are_not_told, retries_back_off_to_their_cap, the_servers_wish_is_heeded_up_to_the_cap,
           no_retry_waits_for_a_clock_that_was_set_back, newest_of_a_key_counts_and_keys_are_apart,
           what_is_not_wanted_any_more_is_forgotten, pause_holds_back_without_an_error, effects_are_bounded,
           no_answer_has_a_reason_too)
