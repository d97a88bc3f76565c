/* The libuv loop behind kube_env: one uv_timer stands for the whole heap of kube_timers. */
#include "lib/http/loop.h"

#include <kube/mem.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* uv's clock stands still while the machine is suspended and ours does not: waiting in hops of this length means that
 * no timer is later than this after a suspend. */
#define MAX_HOP_MS 10000

static int64_t clock_us(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t loop_wall_ms(struct kube_env *env)
{
	(void)env;
	return clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t loop_mono_us(struct kube_env *env)
{
	(void)env;
	return clock_us(CLOCK_BOOTTIME);
}

/* kube_loop_new() has seen getrandom() work; from then on only an interruption can make it return early. */
static void loop_random(struct kube_env *env, void *bytes, size_t len)
{
	(void)env;
	char *at = bytes;
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0)
			continue;
		at += n;
		len -= (size_t)n;
	}
}

static void timer_fired(uv_timer_t *timer)
{
	struct kube_loop *loop = timer->data;
	kube_env_run_timers(&loop->env);
}

static void due_now(uv_idle_t *idle)
{
	struct kube_loop *loop = idle->data;
	kube_env_run_timers(&loop->env);
}

/* libuv before 1.45 goes on with timers as long as one is due, and one whose callback starts it anew always is: those
 * are an idle handle's, which has one call in each turn of the loop, beside input and output. */
static void loop_rearm(struct kube_env *env, int64_t due_ms)
{
	struct kube_loop *loop = (struct kube_loop *)env;
	int64_t now = kube_env_mono_ms(env);
	if (due_ms <= now) {
		uv_timer_stop(&loop->timer);
		uv_idle_start(&loop->due, due_now);
		return;
	}
	uv_idle_stop(&loop->due);
	uv_timer_stop(&loop->timer);
	if (due_ms == INT64_MAX)
		return;
	int64_t delay = due_ms - now < MAX_HOP_MS ? due_ms - now : MAX_HOP_MS;
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->timer, timer_fired, (uint64_t)delay, 0);
}

static const struct kube_env_ops loop_ops = {
    .wall_ms = loop_wall_ms,
    .mono_us = loop_mono_us,
    .random = loop_random,
    .rearm = loop_rearm,
    .run = loop_program_run,
    .kill = loop_program_kill,
};

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Also lets the close callbacks of those run that http and httpd left closing. */
static void close_loop(struct kube_loop *loop)
{
	loop_programs_end(loop);
	uv_walk(&loop->uv, close_handle, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
}

static int init_handles(struct kube_loop *loop)
{
	int rc = uv_timer_init(&loop->uv, &loop->timer);
	loop->timer.data = loop;
	if (rc == 0)
		rc = uv_idle_init(&loop->uv, &loop->due);
	loop->due.data = loop;
	if (rc == 0)
		rc = uv_async_init(&loop->uv, &loop->keep, NULL);
	for (size_t i = 0; rc == 0 && i < KUBE_ARRAY_LEN(loop->signals); i++) {
		rc = uv_signal_init(&loop->uv, &loop->signals[i]);
		loop->signals[i].data = loop;
	}
	return rc;
}

int kube_loop_new(struct kube_loop **ret_loop, struct kube_err *err)
{
	unsigned char probe;
	if (getrandom(&probe, sizeof(probe), 0) != sizeof(probe))
		return kube_fail(err, KUBE_E_IO, "the kernel gives no random numbers (getrandom): %m");
	_cleanup_free_ struct kube_loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the event loop");
	int rc = uv_loop_init(&loop->uv);
	if (rc != 0)
		return kube_fail(err, KUBE_E_IO, "cannot make the event loop: %s", uv_strerror(rc));
	rc = init_handles(loop);
	if (rc != 0) {
		close_loop(loop);
		return kube_fail(err, KUBE_E_IO, "cannot set up the event loop: %s", uv_strerror(rc));
	}
	/* A peer that hangs up while we write is an error of that write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	kube_env_init(&loop->env, &loop_ops);
	*ret_loop = take(loop);
	return 0;
}

void kube_loop_free(struct kube_loop *loop)
{
	if (!loop)
		return;
	close_loop(loop);
	kube_env_finish(&loop->env);
	free(loop);
}

struct kube_env *kube_loop_env(struct kube_loop *loop)
{
	return &loop->env;
}

struct uv_loop_s *kube_loop_uv(struct kube_loop *loop)
{
	return &loop->uv;
}

static void signal_came(uv_signal_t *handle, int signo)
{
	struct kube_loop *loop = handle->data;
	loop->signal_count++;
	loop->on_signal(loop->signal_arg, signo, loop->signal_count);
}

int kube_loop_on_signal(struct kube_loop *loop, void (*fn)(void *arg, int signo, int count), void *arg,
                        struct kube_err *err)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	loop->on_signal = fn;
	loop->signal_arg = arg;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(numbers); i++) {
		int rc = uv_signal_start(&loop->signals[i], signal_came, numbers[i]);
		if (rc != 0)
			return kube_fail(err, KUBE_E_IO, "cannot listen for signal %d: %s", numbers[i], uv_strerror(rc));
	}
	return 0;
}

void kube_loop_run(struct kube_loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void kube_loop_stop(struct kube_loop *loop)
{
	uv_stop(&loop->uv);
}
