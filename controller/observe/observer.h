/*
 * Answers the planner's questions about gates: asks the source within the gate's timeout, and keeps the last answer
 * with its time. In memory only: a restart costs a repeated question. Bounded; the oldest answer goes.
 */
#ifndef OBSERVE_OBSERVER_H
#define OBSERVE_OBSERVER_H

#include "controller/observe/fetch.h"
#include "controller/plan/plan.h"

#include <kube/store.h>

#define OBSERVER_MAX_FACTS 1000
#define OBSERVER_MAX_ASKING 32
#define OBSERVER_BUSY_MS 1000 /* so many are asked that one more has to wait */

struct observer;

struct observer_options {
	const struct fetcher *fetcher;
	const struct kube_store *pods;
	/* The plan of that queue key is to be made again: there is an answer. */
	void (*again)(void *arg, const char *key, int64_t delay_ms);
	void *arg;
};

/* Everything in options is borrowed. */
int observer_new(const struct observer_options *options, struct observer **ret_observer, struct kube_err *err);
void observer_free(struct observer *observer); /* what is asked is cancelled; NULL is fine */

/* owner: whose gate it is (a rollout's UID); key: the owner's in the queue. While it is being asked nothing happens. */
void observer_ask(struct observer *observer, const char *owner, const char *key, const struct question *question);
/* UNKNOWN while there is no answer. Borrowed until the next answer. */
struct gate_fact observer_fact(const struct observer *observer, const char *owner, const char *gate);
void observer_drop(struct observer *observer, const char *owner); /* it is gone */

#endif
