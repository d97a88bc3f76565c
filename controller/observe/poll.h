/*
 * Texts that servers hold: asked for when they are wanted and what is known is too old, told when the answer is there.
 * Nobody asks for what is not wanted any more. In memory only: a restart costs a request each.
 *
 * Bounded; when it is full the one that was added first goes.
 */
#ifndef OBSERVE_POLL_H
#define OBSERVE_POLL_H

#include "controller/observe/fetch.h"
#include "controller/plan/plan.h"

#define POLLS_MAX 500
#define POLL_TIMEOUT_MS 30000

struct polls;

struct poll_request {
	const char *url;
	const char *secret;  /* its name, used for "channel"; NULL: none */
	int64_t interval_ms; /* asked again when the last request was sent so long ago */
};

/* fetcher is borrowed. on_answer: there is news, perhaps the same again; url is gone with the next change. */
int polls_new(const struct fetcher *fetcher, void (*on_answer)(void *arg, const char *url), void *arg,
              struct polls **ret_polls, struct kube_err *err);
void polls_free(struct polls *polls); /* cancels what is in flight; NULL is fine */

/* What it said last, or why it did not; borrowed until the next call, and no longer than the loop rests. */
const struct channel_fact *polls_get(struct polls *polls, const struct poll_request *request);

#endif
