/*
 * The outside world, first half: clocks, timers, randomness, and programs that are run (kube/program.h).
 *
 * Every module takes a struct kube_env and reads time from nowhere else. The real one is made by
 * kube_loop (libuv); the simulation has one with a virtual clock. Timers are kept here, in a heap that
 * both share, so that a timer's storage belongs to its owner and may be freed as soon as it is stopped,
 * also inside its own callback.
 */
#ifndef KUBE_ENV_H
#define KUBE_ENV_H

#include <kube/decls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

struct kube_env;
struct kube_err;
struct kube_program;
struct kube_program_end;
struct kube_run;
struct kube_timer;

typedef void kube_timer_fn(struct kube_timer *timer, void *arg);

/* Owned and zeroed by the caller; fields are private. */
struct kube_timer {
	kube_timer_fn *fn;
	void *arg;
	int64_t due_ms;
	uint64_t seq; /* equal due times fire in the order in which they were started */
	size_t slot;  /* place in the heap + 1; 0 when stopped */
	bool reserved;
};

struct kube_env_ops {
	int64_t (*wall_ms)(struct kube_env *env); /* ms since the epoch */
	int64_t (*mono_us)(struct kube_env *env); /* monotonic, runs on through suspend (CLOCK_BOOTTIME) */
	void (*random)(struct kube_env *env, void *bytes, size_t len);
	void (*rearm)(struct kube_env *env,
	              int64_t due_ms); /* the earliest timer is now due at this mono time; INT64_MAX: none */
	/* Optional, both or none: see kube/program.h. */
	int (*run)(struct kube_env *env, const struct kube_program *program,
	           void (*fn)(void *arg, const struct kube_program_end *end, const struct kube_err *err), void *arg,
	           struct kube_run **ret_run, struct kube_err *err);
	void (*kill)(struct kube_env *env, struct kube_run *run);
};

struct kube_env {
	const struct kube_env_ops *ops;
	struct kube_timer **heap;
	size_t heap_len, heap_cap;
	size_t promised; /* places for stopped timers that are reserved: heap_len + promised <= heap_cap */
	uint64_t next_seq;
};

void kube_env_init(struct kube_env *env, const struct kube_env_ops *ops);
void kube_env_finish(struct kube_env *env); /* timers that are still started are forgotten */

static inline int64_t kube_env_wall_ms(struct kube_env *env)
{
	return env->ops->wall_ms(env);
}
static inline int64_t kube_env_mono_ms(struct kube_env *env)
{
	return env->ops->mono_us(env) / 1000;
}
/* For durations that are short: how long a piece of work took. A simulated one takes no time. */
static inline int64_t kube_env_mono_us(struct kube_env *env)
{
	return env->ops->mono_us(env);
}
uint64_t kube_env_random64(struct kube_env *env);
/* Uniform in [low, high]. */
int64_t kube_env_random_between(struct kube_env *env, int64_t low, int64_t high);

/* (Re)starts timer: fn is called once, from the loop, after at least delay_ms. Never called from within this function.
 * KUBE_E_NOMEM. */
int kube_timer_start(struct kube_env *env, struct kube_timer *timer, int64_t delay_ms, kube_timer_fn *fn, void *arg);
/* Harmless when it is not started. */
void kube_timer_stop(struct kube_env *env, struct kube_timer *timer);
/* Keeps a place for timer: to start it cannot fail from then on. KUBE_E_NOMEM. */
int kube_timer_reserve(struct kube_env *env, struct kube_timer *timer);
/* Stops it and gives the place up, if it has one. */
void kube_timer_release(struct kube_env *env, struct kube_timer *timer);
static inline bool kube_timer_active(const struct kube_timer *timer)
{
	return timer->slot != 0;
}

/* For implementations of kube_env: fires what is due at the present mono time (timers started meanwhile wait for the
 * next call), then calls rearm. Returns how many fired. */
size_t kube_env_run_timers(struct kube_env *env);
/* Mono time of the earliest timer; INT64_MAX when there is none. */
int64_t kube_env_next_due(const struct kube_env *env);

KUBE_END_DECLS

#endif
