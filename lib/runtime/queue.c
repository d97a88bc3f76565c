#include <kube/queue.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#define MAX_KEY_LEN 1023
#define JITTER_DIVISOR 10 /* up to a tenth more */

/* A key that is queued, delayed, in work, or remembered for its back-off. */
struct item {
	UT_hash_handle hh;
	struct kube_queue *queue;
	struct item *prev, *next; /* queue->waiting, while dirty and not processing */
	struct kube_timer delay;
	int64_t due_ms;    /* of delay */
	int64_t dirty_us;  /* mono time since which it is dirty … */
	int64_t taken_us;  /* … and since which it is in work */
	unsigned failures; /* calls of add_rate_limited since the last forget */
	bool dirty, processing;
	char key[];
};

struct kube_queue {
	struct kube_env *env;
	kube_work_fn *work;
	void *arg;
	struct item *items, *waiting;
	struct kube_timer pump;
	bool shut_down;
	struct kube_queue_stats stats; /* without the ages */
	struct kube_queue_observer observer;
};

int kube_queue_new(struct kube_env *env, kube_work_fn *work, void *arg, struct kube_queue **ret_queue,
                   struct kube_err *err)
{
	struct kube_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a work queue");
	if (kube_timer_reserve(env, &queue->pump)) {
		free(queue);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a work queue");
	}
	queue->env = env;
	queue->work = work;
	queue->arg = arg;
	*ret_queue = queue;
	return 0;
}

static void drop_item(struct kube_queue *queue, struct item *item)
{
	kube_timer_stop(queue->env, &item->delay);
	HASH_DEL(queue->items, item);
	free(item);
}

void kube_queue_free(struct kube_queue *queue)
{
	struct item *item, *next;

	if (!queue)
		return;
	kube_timer_release(queue->env, &queue->pump);
	HASH_ITER (hh, queue->items, item, next) {
		drop_item(queue, item);
	}
	free(queue);
}

static struct item *find(struct kube_queue *queue, const char *key)
{
	struct item *item = NULL;

	HASH_FIND_STR(queue->items, key, item);
	return item;
}

static bool at_rest(const struct item *item)
{
	return !item->dirty && !item->processing && !kube_timer_active(&item->delay);
}

static void release(struct kube_queue *queue, struct item *item)
{
	if (at_rest(item) && item->failures == 0)
		drop_item(queue, item);
}

/* Keys that nobody works on any more lose their back-off rather than keep others out. */
static void forget_resting(struct kube_queue *queue)
{
	struct item *item, *next;

	HASH_ITER (hh, queue->items, item, next) {
		if (at_rest(item))
			drop_item(queue, item);
	}
}

static int make_item(struct kube_queue *queue, const char *key, struct item **ret_item)
{
	size_t len = strlen(key);

	if (len > MAX_KEY_LEN)
		return KUBE_E_LIMIT;
	if (HASH_COUNT(queue->items) >= KUBE_QUEUE_MAX_KEYS)
		forget_resting(queue);
	if (HASH_COUNT(queue->items) >= KUBE_QUEUE_MAX_KEYS)
		return KUBE_E_LIMIT;
	struct item *item = calloc(1, sizeof(*item) + len + 1);
	if (!item)
		return KUBE_E_NOMEM;
	item->queue = queue;
	memcpy(item->key, key, len + 1);
	HASH_ADD_KEYPTR(hh, queue->items, item->key, len, item);
	if (!item->hh.tbl) {
		free(item);
		return KUBE_E_NOMEM;
	}
	*ret_item = item;
	return 0;
}

static int find_or_make(struct kube_queue *queue, const char *key, struct item **ret_item)
{
	struct item *item = find(queue, key);

	if (!item)
		return make_item(queue, key, ret_item);
	*ret_item = item;
	return 0;
}

/* One key a turn of the loop: input and output go on between two keys. */
static void on_pump(struct kube_timer *timer, void *arg)
{
	struct kube_queue *queue = arg;
	struct item *item = queue->waiting;
	char key[MAX_KEY_LEN + 1]; /* the item may be gone before work() is done with the key */

	if (!item)
		return;
	DL_DELETE(queue->waiting, item);
	queue->stats.depth--;
	queue->stats.processing++;
	item->dirty = false;
	item->processing = true;
	item->taken_us = kube_env_mono_us(queue->env);
	if (queue->observer.waited)
		queue->observer.waited(queue->observer.arg, item->taken_us - item->dirty_us);
	memcpy(key, item->key, strlen(item->key) + 1);
	if (queue->waiting)
		kube_timer_start(queue->env, timer, 0, on_pump, queue); /* its place is reserved: this cannot fail */
	queue->work(queue->arg, key);                               /* may free the queue */
}

static void enqueue(struct kube_queue *queue, struct item *item)
{
	DL_APPEND(queue->waiting, item);
	queue->stats.depth++;
	if (!kube_timer_active(&queue->pump))
		kube_timer_start(queue->env, &queue->pump, 0, on_pump, queue);
}

static void add_item(struct kube_queue *queue, struct item *item)
{
	if (item->dirty)
		return;
	item->dirty = true;
	item->dirty_us = kube_env_mono_us(queue->env);
	queue->stats.adds++;
	if (!item->processing)
		enqueue(queue, item);
}

int kube_queue_add(struct kube_queue *queue, const char *key)
{
	struct item *item;

	if (queue->shut_down)
		return 0;
	int rc = find_or_make(queue, key, &item);
	if (!rc)
		add_item(queue, item);
	return rc;
}

static void on_delay(struct kube_timer *timer, void *arg)
{
	struct item *item = arg;

	(void)timer;
	add_item(item->queue, item);
}

static int delay_item(struct kube_queue *queue, struct item *item, int64_t delay_ms)
{
	int64_t due_ms = kube_env_mono_ms(queue->env) + delay_ms;

	queue->stats.retries++;
	if (delay_ms <= 0) {
		add_item(queue, item);
		return 0;
	}
	if (kube_timer_active(&item->delay) && item->due_ms <= due_ms)
		return 0;
	item->due_ms = due_ms;
	int rc = kube_timer_start(queue->env, &item->delay, delay_ms, on_delay, item);
	if (rc)
		release(queue, item);
	return rc;
}

int kube_queue_add_after(struct kube_queue *queue, const char *key, int64_t delay_ms)
{
	struct item *item;

	if (queue->shut_down)
		return 0;
	int rc = find_or_make(queue, key, &item);
	return rc ? rc : delay_item(queue, item, delay_ms);
}

/* 5 ms doubled at each failure, to 1000 s. */
static int64_t backoff_ms(const struct item *item)
{
	int64_t delay_ms = KUBE_QUEUE_BACKOFF_FIRST_MS;

	for (unsigned i = 0; i < item->failures && delay_ms < KUBE_QUEUE_BACKOFF_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms < KUBE_QUEUE_BACKOFF_MAX_MS ? delay_ms : KUBE_QUEUE_BACKOFF_MAX_MS;
}

int kube_queue_add_rate_limited(struct kube_queue *queue, const char *key)
{
	struct item *item;

	if (queue->shut_down)
		return 0;
	int rc = find_or_make(queue, key, &item);
	if (rc)
		return rc;
	int64_t delay_ms = backoff_ms(item);
	item->failures++;
	return delay_item(queue, item, delay_ms + kube_env_random_between(queue->env, 0, delay_ms / JITTER_DIVISOR));
}

void kube_queue_forget(struct kube_queue *queue, const char *key)
{
	struct item *item = find(queue, key);

	if (!item)
		return;
	item->failures = 0;
	release(queue, item);
}

void kube_queue_done(struct kube_queue *queue, const char *key)
{
	struct item *item = find(queue, key);

	if (!item || !item->processing)
		return;
	item->processing = false;
	queue->stats.processing--;
	if (queue->observer.worked)
		queue->observer.worked(queue->observer.arg, kube_env_mono_us(queue->env) - item->taken_us);
	if (item->dirty)
		enqueue(queue, item);
	else
		release(queue, item);
}

void kube_queue_shut_down(struct kube_queue *queue)
{
	struct item *item, *next;

	queue->shut_down = true;
	HASH_ITER (hh, queue->items, item, next) {
		kube_timer_stop(queue->env, &item->delay);
		if (at_rest(item))
			drop_item(queue, item);
	}
}

bool kube_queue_idle(const struct kube_queue *queue)
{
	return !queue->waiting && queue->stats.processing == 0;
}

void kube_queue_get_stats(const struct kube_queue *queue, struct kube_queue_stats *ret_stats)
{
	int64_t now_us = kube_env_mono_us(queue->env);

	*ret_stats = queue->stats;
	for (const struct item *item = queue->items; item; item = item->hh.next) {
		int64_t age_us = item->processing ? now_us - item->taken_us : 0;
		ret_stats->unfinished_us += age_us;
		if (age_us > ret_stats->longest_us)
			ret_stats->longest_us = age_us;
	}
}

void kube_queue_observe(struct kube_queue *queue, const struct kube_queue_observer *observer)
{
	queue->observer = *observer;
}
