#include "test/unit/check_main.h"

#include <kube/queue.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

#define HOUR_MS (3600 * INT64_C(1000))
#define LIMIT 1000

/* A worker that writes down what it is given and, unless it holds them, ends each key at once. */
struct bench {
	struct kube_sim *sim;
	struct kube_queue *queue;
	bool hold, free_in_work;
	int64_t last_ms; /* when the last key came */
	char text[4096];
};

static void work(void *arg, const char *key)
{
	struct bench *bench = arg;
	size_t len = strlen(bench->text);

	bench->last_ms = kube_env_mono_ms(kube_sim_env(bench->sim));
	if (bench->free_in_work) {
		kube_queue_free(bench->queue);
		bench->queue = NULL;
	} else if (!bench->hold) {
		kube_queue_done(bench->queue, key);
	}
	snprintf(bench->text + len, sizeof(bench->text) - len, "%s ", key); /* the key is still good */
}

static void setup(struct bench *bench)
{
	*bench = (struct bench){.hold = false};
	ck_assert_int_eq(kube_sim_new(1, 0, &bench->sim, NULL), 0);
	ck_assert_int_eq(kube_queue_new(kube_sim_env(bench->sim), work, bench, &bench->queue, NULL), 0);
}

static void teardown(struct bench *bench)
{
	kube_queue_free(bench->queue);
	kube_sim_free(bench->sim);
}

static void add(struct bench *bench, const char *key)
{
	ck_assert_int_eq(kube_queue_add(bench->queue, key), 0);
}

static void run(struct bench *bench, int64_t for_ms)
{
	int64_t until_ms = kube_env_mono_ms(kube_sim_env(bench->sim)) + for_ms;

	ck_assert_uint_lt(kube_sim_run(bench->sim, until_ms, LIMIT), LIMIT);
}

START_TEST(a_key_is_queued_once)
{
	struct bench bench;

	setup(&bench);
	add(&bench, "a");
	add(&bench, "b");
	add(&bench, "a");
	ck_assert_str_eq(bench.text, ""); /* never from within add */
	ck_assert(!kube_queue_idle(bench.queue));
	run(&bench, 0);
	ck_assert_str_eq(bench.text, "a b ");
	ck_assert(kube_queue_idle(bench.queue));
	add(&bench, "a");
	run(&bench, 0);
	ck_assert_str_eq(bench.text, "a b a ");
	teardown(&bench);
}
END_TEST

START_TEST(a_key_is_in_work_once)
{
	struct kube_queue_stats stats;
	struct bench bench;

	setup(&bench);
	bench.hold = true;
	add(&bench, "a");
	run(&bench, 0);
	add(&bench, "a");
	add(&bench, "a");
	add(&bench, "b");
	run(&bench, HOUR_MS);
	ck_assert_str_eq(bench.text, "a b "); /* other keys go on, this one waits for its end */
	kube_queue_get_stats(bench.queue, &stats);
	ck_assert_uint_eq(stats.processing, 2);
	ck_assert_uint_eq(stats.depth, 0);
	kube_queue_done(bench.queue, "a");
	kube_queue_done(bench.queue, "a"); /* once too often: ignored */
	kube_queue_done(bench.queue, "unknown");
	kube_queue_get_stats(bench.queue, &stats);
	ck_assert_uint_eq(stats.processing, 1);
	ck_assert_uint_eq(stats.depth, 1);
	run(&bench, 0);
	ck_assert_str_eq(bench.text, "a b a ");
	kube_queue_done(bench.queue, "a");
	kube_queue_done(bench.queue, "b");
	run(&bench, HOUR_MS);
	ck_assert_str_eq(bench.text, "a b a ");
	ck_assert(kube_queue_idle(bench.queue));
	kube_queue_get_stats(bench.queue, &stats);
	ck_assert_uint_eq(stats.adds, 3);
	teardown(&bench);
}
END_TEST

START_TEST(the_earliest_delay_counts)
{
	struct bench bench;

	setup(&bench);
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "a", 5000), 0);
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "a", 2000), 0);
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "a", 9000), 0);
	ck_assert(kube_queue_idle(bench.queue)); /* a delayed key is no work yet */
	run(&bench, 1999);
	ck_assert_str_eq(bench.text, "");
	run(&bench, 1);
	ck_assert_str_eq(bench.text, "a ");
	run(&bench, HOUR_MS);
	ck_assert_str_eq(bench.text, "a ");
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "b", 0), 0);
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "c", -5), 0);
	run(&bench, 0);
	ck_assert_str_eq(bench.text, "a b c ");
	teardown(&bench);
}
END_TEST

START_TEST(a_delay_ends_while_the_key_is_in_work)
{
	struct bench bench;

	setup(&bench);
	bench.hold = true;
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "a", 1000), 0);
	add(&bench, "a"); /* does not wait for the delay, which stays */
	run(&bench, 0);
	ck_assert_str_eq(bench.text, "a ");
	run(&bench, 5000);
	ck_assert_str_eq(bench.text, "a ");
	kube_queue_done(bench.queue, "a");
	run(&bench, 0);
	ck_assert_str_eq(bench.text, "a a ");
	teardown(&bench);
}
END_TEST

/* How long a rate-limited key waits now. */
static int64_t measure(struct bench *bench, const char *key)
{
	int64_t start_ms = kube_env_mono_ms(kube_sim_env(bench->sim));

	ck_assert_int_eq(kube_queue_add_rate_limited(bench->queue, key), 0);
	run(bench, HOUR_MS);
	return bench->last_ms - start_ms;
}

START_TEST(back_off_doubles_up_to_the_maximum)
{
	struct bench bench;
	int64_t expected_ms = KUBE_QUEUE_BACKOFF_FIRST_MS;
	struct kube_queue_stats stats;

	setup(&bench);
	for (int i = 0; i < 40; i++) {
		int64_t delay_ms = measure(&bench, "a");
		ck_assert_int_ge(delay_ms, expected_ms);
		ck_assert_int_le(delay_ms, expected_ms + expected_ms / 10);
		expected_ms = expected_ms * 2 < KUBE_QUEUE_BACKOFF_MAX_MS ? expected_ms * 2 : KUBE_QUEUE_BACKOFF_MAX_MS;
	}
	ck_assert_int_le(measure(&bench, "b"), 5); /* each key has its own */
	kube_queue_forget(bench.queue, "a");
	kube_queue_forget(bench.queue, "unknown");
	ck_assert_int_le(measure(&bench, "a"), 5);
	kube_queue_get_stats(bench.queue, &stats);
	ck_assert_uint_eq(stats.retries, 42);
	teardown(&bench);
}
END_TEST

START_TEST(shutting_down_drains)
{
	struct bench bench;

	setup(&bench);
	bench.hold = true;
	add(&bench, "a");
	run(&bench, 0);
	add(&bench, "a"); /* to be worked on again */
	add(&bench, "b");
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "later", 1000), 0);
	kube_queue_shut_down(bench.queue);
	add(&bench, "c");
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "d", 1), 0);
	ck_assert_int_eq(kube_queue_add_rate_limited(bench.queue, "e"), 0);
	ck_assert(!kube_queue_idle(bench.queue));
	kube_queue_done(bench.queue, "a");
	run(&bench, HOUR_MS);
	ck_assert_str_eq(bench.text, "a b a ");
	kube_queue_done(bench.queue, "a");
	kube_queue_done(bench.queue, "b");
	ck_assert(kube_queue_idle(bench.queue));
	teardown(&bench);
}
END_TEST

START_TEST(keys_are_limited)
{
	char key[2048];
	struct bench bench;

	setup(&bench);
	memset(key, 'x', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	ck_assert_int_eq(kube_queue_add(bench.queue, key), KUBE_E_LIMIT);
	/* A delayed one, one that only has a back-off, and as many as there is room for. */
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "delayed", HOUR_MS), 0);
	measure(&bench, "failed");
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "delayed", HOUR_MS), 0);
	for (int i = 0; i < KUBE_QUEUE_MAX_KEYS - 1; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_int_eq(kube_queue_add(bench.queue, key), 0);
	}
	ck_assert_int_eq(kube_queue_add(bench.queue, "one more"), KUBE_E_LIMIT);
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "one more", 1), KUBE_E_LIMIT);
	ck_assert_int_eq(kube_queue_add(bench.queue, "k0"), 0);
	teardown(&bench);
}
END_TEST

static void note_us(void *arg, int64_t us)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 256 - len, "%lld ", (long long)us);
}

START_TEST(times_are_told)
{
	char waited[256] = "";
	const struct kube_queue_observer waits = {.waited = note_us, .arg = waited};
	struct kube_queue_stats stats;
	struct bench bench;

	setup(&bench);
	kube_queue_observe(bench.queue, &waits);
	bench.hold = true;
	ck_assert_int_eq(kube_queue_add_after(bench.queue, "a", 1000), 0); /* a delay is no waiting */
	run(&bench, 3000);
	add(&bench, "a");
	add(&bench, "b");
	run(&bench, 500);
	kube_queue_get_stats(bench.queue, &stats); /* 2.5 s of a, and 0.5 s of b */
	ck_assert_int_eq(stats.unfinished_us, 3000000);
	ck_assert_int_eq(stats.longest_us, 2500000);
	kube_queue_done(bench.queue, "a");
	run(&bench, 0); /* a had to wait for its own end */
	ck_assert_str_eq(waited, "0 0 500000 ");
	teardown(&bench);
}
END_TEST

START_TEST(work_is_timed_to_its_end)
{
	char worked[256] = "";
	const struct kube_queue_observer works = {.worked = note_us, .arg = worked};
	struct kube_queue_stats stats;
	struct bench bench;

	setup(&bench);
	kube_queue_observe(bench.queue, &works);
	bench.hold = true;
	add(&bench, "a");
	run(&bench, 700);
	kube_queue_done(bench.queue, "a");
	kube_queue_done(bench.queue, "a");
	ck_assert_str_eq(worked, "700000 ");
	kube_queue_get_stats(bench.queue, &stats);
	ck_assert_int_eq(stats.unfinished_us, 0);
	ck_assert_int_eq(stats.longest_us, 0);
	teardown(&bench);
}
END_TEST

START_TEST(the_worker_may_free_the_queue)
{
	struct bench bench;

	setup(&bench);
	bench.free_in_work = true;
	add(&bench, "a");
	add(&bench, "b");
	run(&bench, HOUR_MS);
	ck_assert_str_eq(bench.text, "a ");
	teardown(&bench);
}
END_TEST

CHECK_MAIN("runtime/queue", a_key_is_queued_once, a_key_is_in_work_once, the_earliest_delay_counts,
           a_delay_ends_while_the_key_is_in_work, back_off_doubles_up_to_the_maximum, shutting_down_drains,
           keys_are_limited, times_are_told, work_is_timed_to_its_end, the_worker_may_free_the_queue)
