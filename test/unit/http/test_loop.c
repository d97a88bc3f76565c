/* The real kube_env: its clocks, timers, randomness and signals. */
#include "test/unit/check_main.h"
#include "test/unit/http/client.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct kube_loop *new_loop(void)
{
	struct kube_loop *loop = NULL;
	struct kube_err err;
	int rc = kube_loop_new(&loop, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	return loop;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

START_TEST(reads_the_clocks)
{
	struct kube_loop *loop = new_loop();
	struct kube_env *env = kube_loop_env(loop);
	int64_t wall_before = clock_ms(CLOCK_REALTIME), mono_before = clock_ms(CLOCK_BOOTTIME);
	int64_t wall = kube_env_wall_ms(env), mono = kube_env_mono_ms(env);
	ck_assert_int_ge(wall, wall_before);
	ck_assert_int_le(wall, clock_ms(CLOCK_REALTIME));
	ck_assert_int_ge(mono, mono_before);
	ck_assert_int_le(mono, clock_ms(CLOCK_BOOTTIME));
	kube_loop_free(loop);
}
END_TEST

struct firing {
	struct kube_loop *loop;
	struct kube_timer timer;
	int64_t started_ms, fired_ms;
	int order;
	int *counter;
	int stop_at;
};

static void fired(struct kube_timer *timer, void *arg)
{
	(void)timer;
	struct firing *firing = arg;
	firing->fired_ms = kube_env_mono_ms(kube_loop_env(firing->loop));
	firing->order = ++*firing->counter;
	if (firing->order == firing->stop_at)
		kube_loop_stop(firing->loop);
}

START_TEST(fires_timers_in_order_and_not_early)
{
	static const int64_t delays[] = {2000, 0, 1000}; /* far apart: a busy machine may take a while to start them */
	static const int orders[] = {3, 1, 2};
	struct kube_loop *loop = new_loop();
	struct kube_env *env = kube_loop_env(loop);
	struct firing firings[3];
	int counter = 0;
	for (int i = 0; i < 3; i++) {
		firings[i] = (struct firing){.loop = loop, .counter = &counter, .stop_at = 3};
		firings[i].started_ms = kube_env_mono_ms(env);
		ck_assert_int_eq(kube_timer_start(env, &firings[i].timer, delays[i], fired, &firings[i]), 0);
	}
	ck_assert_int_eq(counter, 0);
	kube_loop_run(loop);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(firings[i].order, orders[i]);
		ck_assert_int_ge(firings[i].fired_ms - firings[i].started_ms, delays[i]);
		ck_assert(!kube_timer_active(&firings[i].timer));
	}
	kube_loop_free(loop);
}
END_TEST

static void must_not_fire(struct kube_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
	ck_abort_msg("a stopped timer fired");
}

START_TEST(stopped_timer_does_not_fire)
{
	struct kube_loop *loop = new_loop();
	struct kube_env *env = kube_loop_env(loop);
	int counter = 0;
	struct kube_timer stopped = {0};
	struct firing last = {.loop = loop, .counter = &counter, .stop_at = 1};
	ck_assert_int_eq(kube_timer_start(env, &stopped, 1, must_not_fire, NULL), 0);
	ck_assert_int_eq(kube_timer_start(env, &last.timer, 5, fired, &last), 0);
	kube_timer_stop(env, &stopped);
	kube_loop_run(loop);
	ck_assert_int_eq(counter, 1);
	kube_loop_free(loop);
}
END_TEST

struct busy {
	struct kube_loop *loop;
	struct kube_timer timer;
	int64_t delay_ms, work_ms;
	int turns;
	bool served;
};

/* A work queue that is never empty: each turn takes a while, and asks for the next one. */
static void work(struct kube_timer *timer, void *arg)
{
	struct busy *busy = arg;
	struct kube_env *env = kube_loop_env(busy->loop);
	int64_t until_ms = kube_env_mono_ms(env) + busy->work_ms;
	ck_assert_int_eq(kube_timer_start(env, timer, busy->delay_ms, work, busy), 0);
	while (kube_env_mono_ms(env) < until_ms)
		;
	ck_assert_msg(++busy->turns < 1000, "input waits for ever");
}

static void on_input(uv_poll_t *poll, int status, int events)
{
	struct busy *busy = poll->data;
	(void)status;
	(void)events;
	busy->served = true;
	kube_loop_stop(busy->loop);
}

START_TEST(timers_that_are_always_due_leave_room_for_input)
{
	static const int64_t delays_ms[] = {0, 1, 2};
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		struct busy busy = {.loop = new_loop(), .delay_ms = delays_ms[i], .work_ms = 3};
		uv_poll_t poll = {.data = &busy};
		int pipes[2];
		ck_assert_int_eq(pipe(pipes), 0);
		uv_poll_init(kube_loop_uv(busy.loop), &poll, pipes[0]);
		uv_poll_start(&poll, UV_READABLE, on_input);
		ck_assert_int_eq(write(pipes[1], "x", 1), 1);
		ck_assert_int_eq(kube_timer_start(kube_loop_env(busy.loop), &busy.timer, 0, work, &busy), 0);
		kube_loop_run(busy.loop);
		ck_assert(busy.served);
		ck_assert_int_gt(busy.turns, 0);
		kube_loop_free(busy.loop);
		close(pipes[0]);
		close(pipes[1]);
	}
}
END_TEST

START_TEST(random_bytes_differ)
{
	struct kube_loop *loop = new_loop();
	unsigned char a[1000] = {0}, b[1000] = {0}, zero[16] = {0};
	struct kube_env *env = kube_loop_env(loop);
	env->ops->random(env, a, sizeof(a));
	env->ops->random(env, b, sizeof(b));
	ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
	ck_assert_int_ne(memcmp(a + sizeof(a) - sizeof(zero), zero, sizeof(zero)), 0); /* filled to the end */
	kube_loop_free(loop);
}
END_TEST

struct signals {
	struct kube_loop *loop;
	int numbers[2];
	int count;
};

static void on_signal(void *arg, int signo, int count)
{
	struct signals *signals = arg;
	ck_assert_int_eq(count, signals->count + 1);
	signals->numbers[signals->count++] = signo;
	if (count == 1)
		raise(SIGINT);
	else
		kube_loop_stop(signals->loop);
}

START_TEST(counts_signals)
{
	struct kube_loop *loop = new_loop();
	struct signals signals = {.loop = loop};
	struct kube_err err;
	ck_assert_int_eq(kube_loop_on_signal(loop, on_signal, &signals, &err), 0);
	raise(SIGTERM);
	kube_loop_run(loop);
	ck_assert_int_eq(signals.count, 2);
	ck_assert_int_eq(signals.numbers[0], SIGTERM);
	ck_assert_int_eq(signals.numbers[1], SIGINT);
	kube_loop_free(loop);
}
END_TEST

START_TEST(free_takes_null)
{
	int fds[2];
	kube_loop_free(NULL);
	struct kube_loop *loop = new_loop();
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	ck_assert_int_eq(write(fds[1], "x", 1), -1); /* an error, not SIGPIPE */
	close(fds[1]);
	kube_loop_free(loop);
}
END_TEST

CHECK_MAIN("loop", reads_the_clocks, fires_timers_in_order_and_not_early, stopped_timer_does_not_fire,
           timers_that_are_always_due_leave_room_for_input, random_bytes_differ, counts_signals, free_takes_null)
