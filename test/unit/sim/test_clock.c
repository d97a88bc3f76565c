#include "test/unit/check_main.h"

#include <kube/sim.h>
#include <string.h>

struct bench {
	struct kube_sim *sim;
	struct kube_env *env;
	struct kube_timer timers[3];
	unsigned fired;
	int64_t last_ms;
};

static void setup(struct bench *bench, uint64_t seed)
{
	*bench = (struct bench){.fired = 0};
	ck_assert_int_eq(kube_sim_new(seed, 1000000, &bench->sim, NULL), 0);
	bench->env = kube_sim_env(bench->sim);
}

static void on_once(struct kube_timer *timer, void *arg)
{
	struct bench *bench = arg;

	(void)timer;
	bench->fired++;
	bench->last_ms = kube_env_mono_ms(bench->env);
}

static void on_forever(struct kube_timer *timer, void *arg)
{
	on_once(timer, arg);
	kube_timer_start(((struct bench *)arg)->env, timer, 0, on_forever, arg);
}

START_TEST(time_stands_still_between_deadlines)
{
	struct bench bench;

	setup(&bench, 1);
	ck_assert_int_eq(kube_env_mono_ms(bench.env), 0);
	ck_assert_int_eq(kube_env_wall_ms(bench.env), 1000000);
	ck_assert(!kube_sim_step(bench.sim));
	kube_timer_start(bench.env, &bench.timers[0], 500, on_once, &bench);
	kube_timer_start(bench.env, &bench.timers[1], 900, on_once, &bench);
	ck_assert_uint_eq(kube_sim_run(bench.sim, 499, 10), 0);
	ck_assert_int_eq(kube_env_mono_ms(bench.env), 499);
	ck_assert(kube_sim_step(bench.sim));
	ck_assert_int_eq(bench.last_ms, 500);
	ck_assert_int_eq(kube_env_wall_ms(bench.env), 1000500);
	ck_assert_uint_eq(kube_sim_run(bench.sim, 2000, 10), 1);
	ck_assert_int_eq(bench.last_ms, 900);
	ck_assert_int_eq(kube_env_mono_ms(bench.env), 2000);
	ck_assert_uint_eq(kube_sim_run(bench.sim, INT64_MAX, 10), 0); /* ends, although there is no deadline */
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(the_wall_clock_is_set_alone)
{
	struct bench bench;

	setup(&bench, 1);
	kube_timer_start(bench.env, &bench.timers[0], 500, on_once, &bench);
	kube_sim_wall_jump(bench.sim, -3600000);
	ck_assert_int_eq(kube_env_wall_ms(bench.env), 1000000 - 3600000);
	ck_assert_int_eq(kube_sim_server_ms(bench.sim), 1000000);
	kube_sim_run(bench.sim, 499, 10);
	ck_assert_uint_eq(bench.fired, 0);
	kube_sim_run(bench.sim, 500, 10);
	ck_assert_uint_eq(bench.fired, 1);
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(a_hot_loop_is_stopped)
{
	struct bench bench;

	setup(&bench, 1);
	kube_timer_start(bench.env, &bench.timers[0], 0, on_forever, &bench);
	ck_assert_uint_eq(kube_sim_run(bench.sim, 1000, 100), 100);
	ck_assert_uint_eq(bench.fired, 100);
	ck_assert_int_eq(kube_env_mono_ms(bench.env), 0);
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(a_seed_gives_its_own_numbers)
{
	struct bench one, same, other;
	unsigned equal = 0;

	setup(&one, 7);
	setup(&same, 7);
	setup(&other, 8);
	for (int i = 0; i < 100; i++) {
		uint64_t number = kube_env_random64(one.env);
		ck_assert_uint_eq(kube_env_random64(same.env), number);
		equal += kube_env_random64(other.env) == number ? 1 : 0;
	}
	ck_assert_uint_eq(equal, 0);
	kube_sim_free(one.sim);
	kube_sim_free(same.sim);
	kube_sim_free(other.sim);
}
END_TEST

CHECK_MAIN("sim/clock", time_stands_still_between_deadlines, the_wall_clock_is_set_alone, a_hot_loop_is_stopped,
           a_seed_gives_its_own_numbers)
