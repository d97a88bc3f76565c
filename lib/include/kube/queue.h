/*
 * The work queue of keys (client-go util/workqueue): a key is in it at most once, is worked on by at most one worker at
 * a time, and comes back if it was added while it was worked on.
 *
 * There are no threads: work() is called from the loop with one key at a time, and says by kube_queue_done() when the
 * work on that key, which may go on asynchronously, is over. Different keys may be in work at the same time.
 */
#ifndef KUBE_QUEUE_H
#define KUBE_QUEUE_H

#include <kube/env.h>
#include <kube/err.h>

KUBE_BEGIN_DECLS

#define KUBE_QUEUE_MAX_KEYS 100000
#define KUBE_QUEUE_BACKOFF_FIRST_MS 5
#define KUBE_QUEUE_BACKOFF_MAX_MS 1000000

struct kube_queue;
typedef void kube_work_fn(void *arg, const char *key);

struct kube_queue_stats {
	size_t depth;           /* waiting now, delayed ones not included */
	uint64_t adds, retries; /* so far */
	size_t processing;
	int64_t unfinished_us, longest_us; /* ages of the work that is under way: all together, and the oldest */
};

/* Told of each key; both are optional, and must not call the queue. */
struct kube_queue_observer {
	void (*waited)(void *arg, int64_t us); /* from when it was to be worked on (a delay is over) until it was */
	void (*worked)(void *arg, int64_t us); /* until kube_queue_done() */
	void *arg;
};

/* work() may add keys, and free the queue. Keys are copied, and have up to 1,023 bytes. */
int kube_queue_new(struct kube_env *env, kube_work_fn *work, void *arg, struct kube_queue **ret_queue,
                   struct kube_err *err);
void kube_queue_free(struct kube_queue *queue); /* NULL is fine */

/* work() comes later, from the loop, never from in here. KUBE_E_LIMIT, KUBE_E_NOMEM. */
int kube_queue_add(struct kube_queue *queue, const char *key);
/* Not before delay_ms. Of several delays of one key the earliest counts. */
int kube_queue_add_after(struct kube_queue *queue, const char *key, int64_t delay_ms);
/* After the key's back-off: 5 ms doubled at each call to 1000 s, with up to 10 % jitter. */
int kube_queue_add_rate_limited(struct kube_queue *queue, const char *key);
void kube_queue_forget(struct kube_queue *queue, const char *key); /* resets the key's back-off */
void kube_queue_done(struct kube_queue *queue, const char *key);

void kube_queue_shut_down(struct kube_queue *queue);  /* adds are dropped from now on; what is queued is worked on */
bool kube_queue_idle(const struct kube_queue *queue); /* nothing queued, nothing in work (delayed keys do not count) */
void kube_queue_get_stats(const struct kube_queue *queue, struct kube_queue_stats *ret_stats);
void kube_queue_observe(struct kube_queue *queue, const struct kube_queue_observer *observer); /* copied */

KUBE_END_DECLS

#endif
