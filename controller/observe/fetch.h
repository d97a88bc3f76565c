/*
 * One request to a server that a policy names: with what a Secret of the controller's namespace holds, within a time
 * and a size. The rules for addresses are those of kube/outgoing.h.
 */
#ifndef OBSERVE_FETCH_H
#define OBSERVE_FETCH_H

#include <kube/client.h>

#define FETCH_MAX_BYTES ((size_t)1 << 20)

/* What all of them need; borrowed, and there until the last one has ended. */
struct fetcher {
	struct kube_client *client;      /* for Secrets */
	struct kube_transport *outgoing; /* kube/outgoing.h, or a simulated one */
	const char *namespace_;          /* of the Secrets */
};

struct fetch_request {
	const char *url;
	const char *secret;              /* its name; NULL: none */
	const char *use;                 /* what the Secret must be for: "gate", "channel" */
	const char *method;              /* NULL: GET */
	const char *content_type, *body; /* NULL: none */
	int64_t timeout_ms;
};

struct fetch_answer {
	int status;       /* whatever it is: a redirect is not followed */
	const char *body; /* NUL-terminated; at most FETCH_MAX_BYTES */
	size_t len;
};

struct fetch;

/* Exactly once, from the loop, unless cancelled. answer: borrowed for the callback; NULL with err. The message of err
 * quotes nothing of a body. */
typedef void fetch_fn(void *arg, const struct fetch_answer *answer, const struct kube_err *err);

/* Copies the request. What is wrong with it is told by fn as well; here only KUBE_E_NOMEM. */
int fetch_start(const struct fetcher *fetcher, const struct fetch_request *request, fetch_fn *fn, void *arg,
                struct fetch **ret_fetch, struct kube_err *err);
void fetch_cancel(struct fetch *fetch); /* NULL is fine */

#endif
