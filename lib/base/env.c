#include <kube/env.h>
#include <kube/err.h>
#include <stdlib.h>

#define MAX_TIMERS ((size_t)1 << 20)
#define FIRST_HEAP_CAP 64
#define MAX_DRAWS 64 /* a random source that never yields a usable number must not hang us */

void kube_env_init(struct kube_env *env, const struct kube_env_ops *ops)
{
	*env = (struct kube_env){.ops = ops};
}

void kube_env_finish(struct kube_env *env)
{
	if (!env)
		return;
	for (size_t i = 0; i < env->heap_len; i++)
		env->heap[i]->slot = 0;
	free(env->heap);
	kube_env_init(env, env->ops);
}

uint64_t kube_env_random64(struct kube_env *env)
{
	uint64_t number = 0;

	env->ops->random(env, &number, sizeof(number));
	return number;
}

int64_t kube_env_random_between(struct kube_env *env, int64_t low, int64_t high)
{
	if (low >= high)
		return low;
	uint64_t count = (uint64_t)high - (uint64_t)low + 1;
	uint64_t number = kube_env_random64(env);
	if (count == 0) /* the whole range of int64_t */
		return (int64_t)number;
	/* The lowest 2^64 mod count numbers would make some results likelier than others. */
	uint64_t surplus = -count % count;
	for (int draws = 1; number < surplus && draws < MAX_DRAWS; draws++)
		number = kube_env_random64(env);
	return (int64_t)((uint64_t)low + number % count);
}

static bool before(const struct kube_timer *a, const struct kube_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void place(struct kube_env *env, struct kube_timer *timer, size_t index)
{
	env->heap[index] = timer;
	timer->slot = index + 1;
}

/* Puts timer at index or, where the order asks for it, above or below. */
static void settle(struct kube_env *env, struct kube_timer *timer, size_t index)
{
	while (index > 0 && before(timer, env->heap[(index - 1) / 2])) {
		place(env, env->heap[(index - 1) / 2], index);
		index = (index - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * index + 1;
		if (child + 1 < env->heap_len && before(env->heap[child + 1], env->heap[child]))
			child++;
		if (child >= env->heap_len || !before(env->heap[child], timer))
			break;
		place(env, env->heap[child], index);
		index = child;
	}
	place(env, timer, index);
}

static void unlink_timer(struct kube_env *env, struct kube_timer *timer)
{
	size_t index = timer->slot - 1;
	struct kube_timer *last = env->heap[--env->heap_len];

	timer->slot = 0;
	env->promised += timer->reserved ? 1 : 0;
	if (last != timer)
		settle(env, last, index);
}

/* Room for one more beside those that are promised theirs. */
static bool make_room(struct kube_env *env)
{
	if (env->heap_len + env->promised < env->heap_cap)
		return true;
	if (env->heap_cap >= MAX_TIMERS)
		return false;
	size_t cap = env->heap_cap ? env->heap_cap * 2 : FIRST_HEAP_CAP;
	struct kube_timer **heap = realloc(env->heap, cap * sizeof(struct kube_timer *));
	if (!heap)
		return false;
	env->heap = heap;
	env->heap_cap = cap;
	return true;
}

/* INT64_MAX means "no timer", so the latest time is one less. */
static int64_t due_after(int64_t now_ms, int64_t delay_ms)
{
	int64_t due;

	if (delay_ms < 0)
		delay_ms = 0;
	if (__builtin_add_overflow(now_ms, delay_ms, &due) || due == INT64_MAX)
		return INT64_MAX - 1;
	return due;
}

static void rearm_if_changed(struct kube_env *env, int64_t old_due_ms)
{
	int64_t due_ms = kube_env_next_due(env);

	if (due_ms != old_due_ms)
		env->ops->rearm(env, due_ms);
}

int kube_timer_start(struct kube_env *env, struct kube_timer *timer, int64_t delay_ms, kube_timer_fn *fn, void *arg)
{
	int64_t old_due_ms = kube_env_next_due(env);
	bool active = kube_timer_active(timer);

	if (!active && timer->reserved)
		env->promised--;
	else if (!active && !make_room(env))
		return KUBE_E_NOMEM;
	timer->fn = fn;
	timer->arg = arg;
	timer->due_ms = due_after(kube_env_mono_ms(env), delay_ms);
	timer->seq = env->next_seq++;
	if (!active)
		timer->slot = ++env->heap_len;
	settle(env, timer, timer->slot - 1);
	rearm_if_changed(env, old_due_ms);
	return 0;
}

void kube_timer_stop(struct kube_env *env, struct kube_timer *timer)
{
	if (!kube_timer_active(timer))
		return;
	int64_t old_due_ms = kube_env_next_due(env);
	unlink_timer(env, timer);
	rearm_if_changed(env, old_due_ms);
}

int kube_timer_reserve(struct kube_env *env, struct kube_timer *timer)
{
	bool active = kube_timer_active(timer);

	if (!timer->reserved && !active && !make_room(env))
		return KUBE_E_NOMEM;
	env->promised += !timer->reserved && !active ? 1 : 0;
	timer->reserved = true;
	return 0;
}

void kube_timer_release(struct kube_env *env, struct kube_timer *timer)
{
	kube_timer_stop(env, timer);
	env->promised -= timer->reserved ? 1 : 0;
	timer->reserved = false;
}

size_t kube_env_run_timers(struct kube_env *env)
{
	int64_t now_ms = kube_env_mono_ms(env);
	uint64_t end_seq = env->next_seq;
	size_t fired = 0;

	while (env->heap_len > 0 && env->heap[0]->due_ms <= now_ms && env->heap[0]->seq < end_seq) {
		struct kube_timer *timer = env->heap[0];
		unlink_timer(env, timer);
		timer->fn(timer, timer->arg); /* may free the timer */
		fired++;
	}
	env->ops->rearm(env, kube_env_next_due(env));
	return fired;
}

int64_t kube_env_next_due(const struct kube_env *env)
{
	return env->heap_len > 0 ? env->heap[0]->due_ms : INT64_MAX;
}
