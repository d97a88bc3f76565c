#include "test/unit/check_main.h"
#include <kube/env.h>
#include <kube/err.h>
#include <kube/mem.h>
#include <string.h>

/* A world whose clock and random numbers the test sets. */
struct world {
	struct kube_env env; /* first: the ops get it back */
	int64_t now_ms;
	int64_t armed_ms;
	int rearms;
	const uint64_t *numbers; /* given out in turn, the last one for ever */
	size_t number_count;
	char fired[4096]; /* names of the timers, in the order in which they fired */
};

struct named {
	struct kube_timer timer;
	struct world *world;
	char name;
	struct named *other;
	int64_t again_ms;
};

static struct world *world_of(struct kube_env *env)
{
	return (struct world *)(void *)env;
}

static int64_t world_now(struct kube_env *env)
{
	return world_of(env)->now_ms * 1000;
}

static int64_t world_wall(struct kube_env *env)
{
	return world_of(env)->now_ms + 1000000;
}

static void world_rearm(struct kube_env *env, int64_t due_ms)
{
	world_of(env)->armed_ms = due_ms;
	world_of(env)->rearms++;
}

static void world_random(struct kube_env *env, void *bytes, size_t len)
{
	struct world *world = world_of(env);

	ck_assert_uint_eq(len, sizeof(uint64_t));
	memcpy(bytes, world->numbers, len);
	if (world->number_count > 1) {
		world->numbers++;
		world->number_count--;
	}
}

static const struct kube_env_ops world_ops = {
    .wall_ms = world_wall, .mono_us = world_now, .random = world_random, .rearm = world_rearm};

static void world_init(struct world *world)
{
	*world = (struct world){.armed_ms = INT64_MAX, .now_ms = 5000};
	kube_env_init(&world->env, &world_ops);
}

static void note(struct named *named)
{
	size_t len = strlen(named->world->fired);

	ck_assert_uint_lt(len + 1, sizeof(named->world->fired));
	named->world->fired[len] = named->name;
	named->world->fired[len + 1] = '\0';
}

static void on_fire(struct kube_timer *timer, void *arg)
{
	struct named *named = arg;

	ck_assert_ptr_eq(timer, &named->timer);
	ck_assert(!kube_timer_active(timer));
	ck_assert_int_ge(named->world->now_ms, timer->due_ms);
	note(named);
}

static void run_until(struct world *world, int64_t now_ms)
{
	world->now_ms = now_ms;
	kube_env_run_timers(&world->env);
	ck_assert_int_eq(world->armed_ms, kube_env_next_due(&world->env));
}

START_TEST(clocks_come_from_the_ops)
{
	struct world world;

	world_init(&world);
	ck_assert_int_eq(kube_env_mono_ms(&world.env), 5000);
	ck_assert_int_eq(kube_env_wall_ms(&world.env), 1005000);
}
END_TEST

START_TEST(timers_fire_in_order_of_due_time_then_of_start)
{
	static const struct {
		int64_t delays[6];
		const char *order;
	} rows[] = {
	    {{1, 2, 3, 4, 5, 6}, "abcdef"}, {{6, 5, 4, 3, 2, 1}, "fedcba"},  {{7, 7, 7, 7, 7, 7}, "abcdef"},
	    {{2, 1, 2, 1, 2, 1}, "bdface"}, {{0, -5, 0, 3, 1, 2}, "abcefd"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct world world;
		struct named timers[6];
		world_init(&world);
		for (size_t t = 0; t < 6; t++) {
			timers[t] = (struct named){.world = &world, .name = (char)('a' + t)};
			ck_assert_int_eq(kube_timer_start(&world.env, &timers[t].timer, rows[i].delays[t], on_fire, &timers[t]), 0);
			ck_assert(kube_timer_active(&timers[t].timer));
		}
		ck_assert_str_eq(world.fired, "");
		for (int64_t now = 5000; now <= 5010; now++)
			run_until(&world, now);
		ck_assert_str_eq(world.fired, rows[i].order);
		ck_assert_int_eq(world.armed_ms, INT64_MAX);
		kube_env_finish(&world.env);
	}
}
END_TEST

START_TEST(rearm_is_called_when_the_earliest_changes)
{
	struct world world;
	struct named a = {.world = &world, .name = 'a'}, b = {.world = &world, .name = 'b'};

	world_init(&world);
	kube_timer_start(&world.env, &a.timer, 100, on_fire, &a);
	ck_assert_int_eq(world.armed_ms, 5100);
	kube_timer_start(&world.env, &b.timer, 50, on_fire, &b);
	ck_assert_int_eq(world.armed_ms, 5050);
	int before = world.rearms;
	kube_timer_start(&world.env, &a.timer, 200, on_fire, &a); /* not the earliest, before and after */
	ck_assert_int_eq(world.rearms, before);
	kube_timer_stop(&world.env, &b.timer);
	ck_assert_int_eq(world.armed_ms, 5200);
	kube_timer_stop(&world.env, &b.timer);
	kube_timer_stop(&world.env, &a.timer);
	ck_assert_int_eq(world.armed_ms, INT64_MAX);
	ck_assert_int_eq(kube_env_next_due(&world.env), INT64_MAX);
	run_until(&world, 9999);
	ck_assert_str_eq(world.fired, "");
	kube_env_finish(&world.env);
}
END_TEST

START_TEST(restart_moves_a_timer_both_ways)
{
	struct world world;
	struct named a = {.world = &world, .name = 'a'}, b = {.world = &world, .name = 'b'};

	world_init(&world);
	kube_timer_start(&world.env, &a.timer, 10, on_fire, &a);
	kube_timer_start(&world.env, &b.timer, 20, on_fire, &b);
	kube_timer_start(&world.env, &a.timer, 30, on_fire, &a);
	run_until(&world, 5015);
	ck_assert_str_eq(world.fired, "");
	kube_timer_start(&world.env, &a.timer, 1, on_fire, &a);
	run_until(&world, 5020);
	ck_assert_str_eq(world.fired, "ab");
	run_until(&world, 6000);
	ck_assert_str_eq(world.fired, "ab");
	kube_env_finish(&world.env);
}
END_TEST

static void restart_self(struct kube_timer *timer, void *arg)
{
	struct named *named = arg;

	note(named);
	kube_timer_start(&named->world->env, timer, named->again_ms, restart_self, named);
}

START_TEST(what_is_started_in_a_callback_waits_for_the_next_call)
{
	struct world world;
	struct named a = {.world = &world, .name = 'a'}, b = {.world = &world, .name = 'b'};

	world_init(&world);
	kube_timer_start(&world.env, &a.timer, 0, restart_self, &a);
	kube_timer_start(&world.env, &b.timer, 0, on_fire, &b);
	run_until(&world, 5000);
	ck_assert_str_eq(world.fired, "ab");
	ck_assert_int_eq(world.armed_ms, 5000);
	run_until(&world, 5000);
	ck_assert_str_eq(world.fired, "aba");
	kube_timer_stop(&world.env, &a.timer);
	kube_env_finish(&world.env);
}
END_TEST

static void stop_other(struct kube_timer *timer, void *arg)
{
	struct named *named = arg;

	(void)timer;
	note(named);
	kube_timer_stop(&named->world->env, &named->other->timer);
}

START_TEST(a_callback_may_stop_a_timer_that_is_due_too)
{
	struct world world;
	struct named b = {.world = &world, .name = 'b'}, c = {.world = &world, .name = 'c'};
	struct named a = {.world = &world, .name = 'a', .other = &b};

	world_init(&world);
	kube_timer_start(&world.env, &a.timer, 1, stop_other, &a);
	kube_timer_start(&world.env, &b.timer, 1, on_fire, &b);
	kube_timer_start(&world.env, &c.timer, 1, on_fire, &c);
	run_until(&world, 5001);
	ck_assert_str_eq(world.fired, "ac");
	ck_assert(!kube_timer_active(&b.timer));
	kube_env_finish(&world.env);
}
END_TEST

static void free_self_and_other(struct kube_timer *timer, void *arg)
{
	struct named *named = arg;

	(void)timer;
	note(named);
	if (named->other) {
		kube_timer_stop(&named->world->env, &named->other->timer);
		free(named->other);
	}
	free(named);
}

START_TEST(a_callback_may_free_its_timer_and_one_it_stopped)
{
	struct world world;
	struct named last = {.world = &world, .name = 'z'};
	struct named *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b)), *c = calloc(1, sizeof(*c));

	world_init(&world);
	*a = (struct named){.world = &world, .name = 'a', .other = b};
	*b = (struct named){.world = &world, .name = 'b'};
	*c = (struct named){.world = &world, .name = 'c'};
	kube_timer_start(&world.env, &a->timer, 1, free_self_and_other, a);
	kube_timer_start(&world.env, &b->timer, 1, free_self_and_other, b);
	kube_timer_start(&world.env, &c->timer, 1, free_self_and_other, c);
	kube_timer_start(&world.env, &last.timer, 2, on_fire, &last);
	run_until(&world, 5001);
	ck_assert_str_eq(world.fired, "ac");
	run_until(&world, 5002);
	ck_assert_str_eq(world.fired, "acz");
	kube_env_finish(&world.env);
}
END_TEST

START_TEST(far_delays_do_not_wrap)
{
	struct world world;
	struct named a = {.world = &world, .name = 'a'};

	world_init(&world);
	kube_timer_start(&world.env, &a.timer, INT64_MAX, on_fire, &a);
	ck_assert_int_eq(world.armed_ms, INT64_MAX - 1);
	run_until(&world, INT64_MAX / 1000 - 2); /* the clock counts microseconds */
	ck_assert_str_eq(world.fired, "");
	kube_timer_start(&world.env, &a.timer, 2, on_fire, &a);
	run_until(&world, INT64_MAX / 1000);
	ck_assert_str_eq(world.fired, "a");
	kube_env_finish(&world.env);
}
END_TEST

static uint64_t next_number(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return *state >> 33;
}

static void fire_in_order(struct kube_timer *timer, void *arg)
{
	static int64_t last_due_ms;
	static uint64_t last_seq;

	ck_assert(timer->due_ms > last_due_ms || (timer->due_ms == last_due_ms && timer->seq > last_seq));
	last_due_ms = timer->due_ms;
	last_seq = timer->seq;
	on_fire(timer, arg);
}

/* Against the plainest possible model: an array that is searched. */
START_TEST(the_heap_agrees_with_a_list)
{
	enum { TIMERS = 100, STEPS = 20000 };
	static struct named timers[TIMERS];
	uint64_t state = 1;
	struct {
		int64_t due_ms;
		bool active;
	} model[TIMERS] = {0};
	struct world world;

	world_init(&world);
	for (size_t t = 0; t < TIMERS; t++)
		timers[t] = (struct named){.world = &world, .name = 'x'};
	for (int step = 0; step < STEPS; step++) {
		size_t t = next_number(&state) % TIMERS;
		uint64_t what = next_number(&state) % 10;
		if (what < 6) {
			int64_t delay = (int64_t)(next_number(&state) % 500);
			ck_assert_int_eq(kube_timer_start(&world.env, &timers[t].timer, delay, fire_in_order, &timers[t]), 0);
			model[t].due_ms = world.now_ms + delay;
			model[t].active = true;
		} else if (what < 8) {
			kube_timer_stop(&world.env, &timers[t].timer);
			model[t].active = false;
		} else {
			world.fired[0] = '\0';
			run_until(&world, world.now_ms + (int64_t)(next_number(&state) % 10));
			size_t due = 0;
			bool agree = true;
			for (size_t m = 0; m < TIMERS; m++) {
				if (model[m].active && model[m].due_ms <= world.now_ms) {
					model[m].active = false;
					due++;
				}
				agree = agree && kube_timer_active(&timers[m].timer) == model[m].active;
			}
			ck_assert(agree);
			ck_assert_uint_eq(strlen(world.fired), due);
		}
		int64_t earliest = INT64_MAX;
		for (size_t m = 0; m < TIMERS; m++) {
			if (model[m].active && model[m].due_ms < earliest)
				earliest = model[m].due_ms;
		}
		ck_assert_int_eq(kube_env_next_due(&world.env), earliest);
		ck_assert_int_eq(world.armed_ms, earliest);
	}
	kube_env_finish(&world.env);
}
END_TEST

static void ignore(struct kube_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
}

/* Whatever else is started, each timer with a place has it: no memory is needed to start it. */
START_TEST(reserved_timers_keep_their_places)
{
	enum { TIMERS = 300, RESERVED = 100, STEPS = 20000 };
	static struct kube_timer timers[TIMERS]; /* the first ones may be reserved */
	uint64_t state = 1;
	struct world world;

	world_init(&world);
	memset(timers, 0, sizeof(timers));
	for (int step = 0; step < STEPS; step++) {
		struct kube_timer *timer = &timers[next_number(&state) % TIMERS];
		uint64_t what = next_number(&state) % 10;
		if (what == 0 && timer < timers + RESERVED)
			ck_assert_int_eq(kube_timer_reserve(&world.env, timer), 0);
		else if (what == 1)
			kube_timer_release(&world.env, timer);
		else if (what < 4)
			kube_timer_stop(&world.env, timer);
		else
			ck_assert_int_eq(kube_timer_start(&world.env, timer, (int64_t)what, ignore, NULL), 0);
		if (what == 9)
			run_until(&world, world.now_ms + 2);
		size_t waiting = 0;
		for (size_t i = 0; i < TIMERS; i++)
			waiting += timers[i].reserved && !kube_timer_active(&timers[i]);
		ck_assert_uint_eq(world.env.promised, waiting);
		ck_assert_uint_le(world.env.heap_len + waiting, world.env.heap_cap);
	}
	kube_env_finish(&world.env);
}
END_TEST

START_TEST(finish_forgets_what_is_started)
{
	struct world world;
	struct named a = {.world = &world, .name = 'a'};

	world_init(&world);
	kube_timer_start(&world.env, &a.timer, 1, on_fire, &a);
	kube_env_finish(&world.env);
	ck_assert(!kube_timer_active(&a.timer));
	kube_timer_stop(&world.env, &a.timer);
	kube_env_finish(&world.env);
	kube_env_finish(NULL);
}
END_TEST

START_TEST(random_numbers_stay_in_their_range)
{
	static const struct {
		uint64_t numbers[3];
		int64_t low, high, result;
	} rows[] = {
	    {{7, 7, 7}, 5, 5, 5},
	    {{7, 7, 7}, 5, 4, 5},
	    {{16, 0, 0}, 0, 9, 6},
	    {{17, 0, 0}, -3, 3, 0},
	    {{UINT64_MAX, 0, 0}, 0, 1, 1},
	    /* 2^64 mod 10 is 6: the numbers below 6 are surplus and drawn again */
	    {{5, 17, 0}, 0, 9, 7},
	    {{5, 0, 6}, 0, 9, 6},
	    {{3, 3, 3}, 0, 9, 3}, /* a source that never yields a usable one: no endless loop */
	    {{42, 0, 0}, INT64_MIN, INT64_MAX, 42},
	    {{0, 0, 0}, INT64_MIN, INT64_MAX - 1, INT64_MIN},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct world world;
		world_init(&world);
		world.numbers = rows[i].numbers;
		world.number_count = 3;
		int64_t number = kube_env_random_between(&world.env, rows[i].low, rows[i].high);
		ck_assert_msg(number == rows[i].result, "row %zu: %lld", i, (long long)number);
	}
}
END_TEST

CHECK_MAIN("env", clocks_come_from_the_ops, timers_fire_in_order_of_due_time_then_of_start,
           rearm_is_called_when_the_earliest_changes, restart_moves_a_timer_both_ways,
           what_is_started_in_a_callback_waits_for_the_next_call, a_callback_may_stop_a_timer_that_is_due_too,
           a_callback_may_free_its_timer_and_one_it_stopped, far_delays_do_not_wrap, the_heap_agrees_with_a_list,
           reserved_timers_keep_their_places, finish_forgets_what_is_started, random_numbers_stay_in_their_range)
