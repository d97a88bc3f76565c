#include "test/unit/check_main.h"
#include "test/unit/runtime/thing.h"

#include <kube/pending.h>
#include <kube/sim.h>

#define LIMIT 1000
#define KEY "ns/a"

struct bench {
	struct kube_sim *sim;
	struct kube_store *store;
	struct kube_pending *pending;
	unsigned idle; /* calls of on_idle */
	bool free_when_idle;
};

static void on_idle(void *arg, const char *key)
{
	struct bench *bench = arg;

	ck_assert_str_eq(key, KEY);
	ck_assert(!kube_pending_busy(bench->pending, key));
	bench->idle++;
	if (bench->free_when_idle)
		kube_pending_free(take(bench->pending));
}

static void setup(struct bench *bench)
{
	*bench = (struct bench){.idle = 0};
	ck_assert_int_eq(kube_sim_new(1, 0, &bench->sim, NULL), 0);
	ck_assert_int_eq(kube_store_new(10, &bench->store, NULL), 0);
	ck_assert_int_eq(kube_pending_new(kube_sim_env(bench->sim), bench->store, on_idle, bench, &bench->pending, NULL),
	                 0);
}

static void teardown(struct bench *bench)
{
	kube_pending_free(bench->pending);
	kube_store_free(bench->store);
	kube_sim_free(bench->sim);
}

/* The steps of a case, one letter each; the key's state is checked after each step. */
static void step(struct bench *bench, char c)
{
	char version[2] = {c, '\0'};

	if (c == 'b')
		ck_assert_int_eq(kube_pending_begin(bench->pending, KEY, NULL), 0);
	else if (c == 'f')
		kube_pending_end(bench->pending, KEY, NULL);
	else if (c == 'd')
		kube_pending_end(bench->pending, KEY, "");
	else if (c >= '1' && c <= '9')
		kube_pending_end(bench->pending, KEY, version);
	else if (c == 'x')
		kube_store_remove(bench->store, KEY);
	else if (c == 'N') /* another object under the same name */
		ck_assert_int_eq(kube_store_put(bench->store, thing_new("a", "u2", "0", "v"), NULL), 0);
	else { /* A, B, …: the store shows version 1, 2, … */
		version[0] = (char)('1' + c - 'A');
		ck_assert_int_eq(kube_store_put(bench->store, thing_new("a", "u", version, "v"), NULL), 0);
	}
}

START_TEST(busy_until_the_store_shows_it)
{
	/* After each step of `steps`: '+' busy, '.' not. */
	static const struct {
		const char *what, *steps, *busy;
	} cases[] = {
	    {"the answer first", "Ab2B", ".++."},
	    {"the store first", "AbB2", ".++."},
	    {"the store first, and others' versions after it", "AbBCD2", ".++++."},
	    {"others' versions before it", "Ab4BCD", ".++++."},
	    {"a failed write", "Abf", ".+."},
	    {"a write without effect", "Ab1", ".+."},
	    {"a write without effect while others write", "AbB1", ".++."},
	    {"a creation", "b1A", "++."},
	    {"a creation, the store first", "bA1", "++."},
	    {"two writes at a time", "Abb23BC", ".+++++."},
	    {"two writes, one fails", "Abb2fB", ".++++."},
	    {"two writes, answers in the other order", "Abb32BC", ".+++++."},
	    {"one write after the other", "Ab2b3BC", ".+++++."},
	    {"a deletion", "Abdx", ".++."},
	    {"a deletion, the store first", "Abxd", ".++."},
	    {"an update is no deletion", "AbdBx", ".+++."},
	    {"a deletion and a new object in one change", "AbdN", ".++."},
	    {"a creation deleted before it is shown", "b1bdAx", "+++++."},
	    {"created again while the old one is still shown", "Ab5xE", ".+++."},
	    {"an answer that nobody waits for", "A2fd", "...."},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct bench bench;
		unsigned ends = 0;
		setup(&bench);
		for (size_t j = 0; cases[i].steps[j]; j++) {
			bool expected = cases[i].busy[j] == '+';
			step(&bench, cases[i].steps[j]);
			ck_assert_msg(kube_pending_busy(bench.pending, KEY) == expected, "%s: step %zu", cases[i].what, j);
			ck_assert_uint_eq(kube_pending_count(bench.pending), expected ? 1 : 0);
			ends += j > 0 && !expected && cases[i].busy[j - 1] == '+' ? 1 : 0;
		}
		ck_assert_uint_eq(bench.idle, 0); /* told from the loop only */
		kube_sim_run(bench.sim, KUBE_PENDING_EXPIRE_MS - 1, LIMIT);
		ck_assert_msg(bench.idle == ends, "%s: told %u times", cases[i].what, bench.idle);
		teardown(&bench);
	}
}
END_TEST

START_TEST(a_deletion_mark_is_enough)
{
	static const char text[] =
	    "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"a\",\"uid\":\"u\",\"resourceVersion\":\"2\","
	    "\"deletionTimestamp\":\"2026-11-21T11:22:38Z\"}}";
	_cleanup_json_ cJSON *json = cJSON_Parse(text);
	struct kube_object *marked;
	struct bench bench;

	setup(&bench);
	step(&bench, 'A');
	step(&bench, 'b');
	step(&bench, 'd');
	ck_assert_int_eq(kube_object_decode(&thing_projection, json, &marked, NULL), 0);
	ck_assert_int_eq(kube_store_put(bench.store, marked, NULL), 0);
	ck_assert(!kube_pending_busy(bench.pending, KEY));
	teardown(&bench);
}
END_TEST

START_TEST(it_expires_after_the_answer)
{
	struct bench bench;

	setup(&bench);
	step(&bench, 'A');
	step(&bench, 'b');
	kube_sim_run(bench.sim, 100000, LIMIT); /* a slow call is no reason to forget that it is out */
	ck_assert(kube_pending_busy(bench.pending, KEY));
	step(&bench, '5');
	step(&bench, 'F'); /* a relist has skipped it */
	kube_sim_run(bench.sim, 100000 + KUBE_PENDING_EXPIRE_MS - 1, LIMIT);
	ck_assert(kube_pending_busy(bench.pending, KEY));
	ck_assert_uint_eq(bench.idle, 0);
	kube_sim_run(bench.sim, 100000 + KUBE_PENDING_EXPIRE_MS, LIMIT);
	ck_assert(!kube_pending_busy(bench.pending, KEY));
	ck_assert_uint_eq(bench.idle, 1);
	teardown(&bench);
}
END_TEST

START_TEST(it_does_not_expire_while_the_store_is_blind)
{
	static const char answers[] = {'2', 'd'};

	for (size_t i = 0; i < sizeof(answers); i++) {
		struct bench bench;
		setup(&bench);
		step(&bench, 'A');
		step(&bench, 'b');
		step(&bench, answers[i]);
		kube_sim_run(bench.sim, 20 * KUBE_PENDING_EXPIRE_MS, LIMIT); /* A is what was there before the write */
		ck_assert(kube_pending_busy(bench.pending, KEY));
		step(&bench, 'E');
		kube_sim_run(bench.sim, 21 * KUBE_PENDING_EXPIRE_MS, LIMIT);
		ck_assert(!kube_pending_busy(bench.pending, KEY));
		ck_assert_uint_eq(bench.idle, 1);
		teardown(&bench);
	}
}
END_TEST

START_TEST(what_a_later_write_found_is_not_the_past)
{
	struct bench bench;

	setup(&bench);
	step(&bench, 'A');
	step(&bench, 'b');
	step(&bench, '2');
	step(&bench, 'D'); /* a relist has skipped 2 */
	step(&bench, 'b');
	step(&bench, 'f');
	kube_sim_run(bench.sim, KUBE_PENDING_EXPIRE_MS, LIMIT);
	ck_assert(!kube_pending_busy(bench.pending, KEY));
	teardown(&bench);
}
END_TEST

START_TEST(a_new_write_before_it_is_told)
{
	struct bench bench;

	setup(&bench);
	step(&bench, 'b');
	step(&bench, 'f');
	step(&bench, 'b');
	kube_sim_run(bench.sim, 10, LIMIT);
	ck_assert_uint_eq(bench.idle, 0);
	ck_assert(kube_pending_busy(bench.pending, KEY));
	step(&bench, 'f');
	kube_sim_run(bench.sim, 20, LIMIT);
	ck_assert_uint_eq(bench.idle, 1);
	teardown(&bench);
}
END_TEST

START_TEST(writes_to_a_key_are_limited)
{
	struct bench bench;
	struct kube_err err;
	int writes = 0;

	setup(&bench);
	while (writes < 1000 && kube_pending_begin(bench.pending, KEY, &err) == 0)
		writes++;
	ck_assert_int_eq(err.code, KUBE_E_LIMIT);
	ck_assert_int_gt(writes, 1);
	for (; writes > 0; writes--)
		step(&bench, '3');
	ck_assert_int_eq(kube_pending_begin(bench.pending, KEY, &err), KUBE_E_LIMIT);
	step(&bench, 'C');
	ck_assert(!kube_pending_busy(bench.pending, KEY));
	ck_assert_int_eq(kube_pending_begin(bench.pending, KEY, &err), 0);
	teardown(&bench);
}
END_TEST

START_TEST(it_may_be_freed_when_told)
{
	struct bench bench;

	setup(&bench);
	bench.free_when_idle = true;
	step(&bench, 'b');
	step(&bench, 'f');
	kube_sim_run(bench.sim, 10, LIMIT);
	ck_assert_uint_eq(bench.idle, 1);
	step(&bench, 'A'); /* nobody listens to the store any more */
	teardown(&bench);
}
END_TEST

CHECK_MAIN("runtime/pending", busy_until_the_store_shows_it, a_deletion_mark_is_enough, it_expires_after_the_answer,
           it_does_not_expire_while_the_store_is_blind, what_a_later_write_found_is_not_the_past,
           a_new_write_before_it_is_told, writes_to_a_key_are_limited, it_may_be_freed_when_told)
