/*
 * The outside world, second half: HTTP requests.
 *
 * A transport sends a request and reports what comes back, as it comes. The real one is libcurl on
 * libuv (kube/http.h); the simulation has one that ends in an in-memory API server. Callbacks come from
 * the loop, never from within kube_transport_send(); after done, or after cancel, there are no more.
 * A call may be cancelled inside its own callbacks.
 */
#ifndef KUBE_TRANSPORT_H
#define KUBE_TRANSPORT_H

#include <kube/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

struct kube_transport;
struct kube_exchange; /* a request in flight; owned by the transport */

/* What a request to another server than the API server shows and believes (kube/outgoing.h); copied, and wiped. */
struct kube_request_auth {
	const char *token;               /* bearer; NULL: none */
	const char *username, *password; /* basic; NULL: none */
	const char *ca_pem;              /* NULL: the system's roots */
};

struct kube_request {
	const char *method; /* "GET", "POST", … */
	const char *target; /* absolute path and query: "/api/v1/nodes?limit=500"; of kube/outgoing.h a whole URL */
	const struct kube_request_auth *auth; /* for kube/outgoing.h only; NULL: none */
	const char *accept;                   /* NULL: application/json */
	const char *content_type;             /* NULL when there is no body */
	const void *body;                     /* copied */
	size_t body_len;
	int64_t timeout_ms;      /* for the whole exchange; 0: none (watches) */
	int64_t idle_timeout_ms; /* longest silence on the connection while streaming; 0: none */
	bool watch; /* a GET without end: it may complete at any time, between any two bytes, so that new credentials count
	             */
};

struct kube_response_head {
	int status;
	int retry_after_s;        /* -1 when absent */
	const char *content_type; /* borrowed for the callback; "" when absent */
	const char *date;         /* the Date header; "" when absent */
	const char *warning;      /* all Warning headers as one list, separated by commas; "" when absent */
	/* Which API Priority and Fairness objects took the request; "" when absent. */
	const char *flow_schema_uid, *priority_level_uid;
};

struct kube_exchange_handlers {
	/* Optional. Once, before data. */
	void (*on_head)(void *arg, const struct kube_response_head *head);
	/* Any number of times. A negative return ends the exchange with that code. */
	int (*on_data)(void *arg, const char *bytes, size_t len);
	/* Exactly once unless cancelled; err is NULL when the exchange completed at the HTTP level, whatever its status.
	 * A status of 400 and above completes it also when the connection ends within the body, which then is cut. */
	void (*on_done)(void *arg, const struct kube_err *err);
};

struct kube_transport_ops {
	int (*send)(struct kube_transport *transport, const struct kube_request *request,
	            const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
	            struct kube_err *err);
	void (*cancel)(struct kube_transport *transport, struct kube_exchange *exchange);
};

struct kube_transport {
	const struct kube_transport_ops *ops;
};

static inline int kube_transport_send(struct kube_transport *transport, const struct kube_request *request,
                                      const struct kube_exchange_handlers *handlers, void *arg,
                                      struct kube_exchange **ret_exchange, struct kube_err *err)
{
	return transport->ops->send(transport, request, handlers, arg, ret_exchange, err);
}

static inline void kube_transport_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	transport->ops->cancel(transport, exchange);
}

KUBE_END_DECLS

#endif
