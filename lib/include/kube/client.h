/*
 * Calls to the API server: one request, one answer, decoded. Streams (watches) go to the transport directly, through
 * the reflector.
 *
 * Retries: up to 10 times when the answer is 429 or >= 500 and carries a Retry-After of at
 * most 60 s, and a GET also a second after the connection broke; anything else never. A 429 of an Eviction is an
 * answer, not throttling, when its cause is DisruptionBudget: it is not retried here (see kube_call.no_retry).
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <cjson/cJSON.h>
#include <kube/env.h>
#include <kube/err.h>
#include <kube/proto.h>
#include <kube/resource.h>
#include <kube/transport.h>

KUBE_BEGIN_DECLS

#define KUBE_PATCH_JSON "application/json-patch+json"
#define KUBE_PATCH_MERGE "application/merge-patch+json"
#define KUBE_PATCH_STRATEGIC "application/strategic-merge-patch+json"
#define KUBE_PATCH_APPLY "application/apply-patch+yaml"

struct kube_client;
struct kube_op; /* a call in flight; owned by the client, gone after its callback or kube_op_cancel() */

/* env and transport are borrowed and must outlive the client. */
int kube_client_new(struct kube_env *env, struct kube_transport *transport, struct kube_client **ret_client,
                    struct kube_err *err);
/* Cancels what is in flight (no callbacks). NULL is fine. */
void kube_client_free(struct kube_client *client);
struct kube_env *kube_client_env(struct kube_client *client);
struct kube_transport *kube_client_transport(struct kube_client *client);

/*
 * The API server's time, ms since the epoch: our monotonic clock plus the offset learned from Date headers (which have
 * a resolution of 1 s: the offset moves only when the difference exceeds 1.5 s). Before the first answer: our wall
 * clock.
 */
int64_t kube_client_server_ms(struct kube_client *client);
/* For the reflector: learn from a response head: the time, warnings, who throttles us (logged at debug). */
void kube_client_note_head(struct kube_client *client, const struct kube_response_head *head);

struct kube_call {
	const char *method;
	const struct kube_resource *resource; /* with namespace_, name, subresource: the path … */
	const char *namespace_, *name, *subresource;
	const char *target;       /* … or an absolute path instead ("/readyz") */
	const char *query;        /* without '?'; NULL: none */
	const char *content_type; /* NULL with a body: application/json */
	const cJSON *body;        /* printed at once; the caller keeps it. NULL: none */
	int64_t timeout_ms;       /* of each attempt; 0: 30 s */
	size_t max_reply_bytes;   /* 0: 16 MiB */
	bool no_retry;
	/* Success is enough: json is NULL then, and what the server says is not kept. A collection that is deleted is
	 * answered with all that was in it. */
	bool no_document;
	/* Optional: asked, with fn's arg, before a retry goes out; false ends the call with KUBE_E_CANCELED. */
	bool (*may_repeat)(void *arg);
};

/*
 * Exactly once, from the loop, unless cancelled. On success err is NULL and json is the answer's document (NULL when it
 * is no JSON), borrowed for the callback. On failure json is NULL and err tells: KUBE_E_API with http_status, reason,
 * cause and the server's message for metav1.Status answers; message begins with "<METHOD> <path>: ".
 */
typedef void kube_reply_fn(void *arg, const cJSON *json, const struct kube_err *err);

/* Fails at once only on bad arguments or lack of memory. ret_op may be NULL. */
int kube_client_send(struct kube_client *client, const struct kube_call *call, kube_reply_fn *fn, void *arg,
                     struct kube_op **ret_op, struct kube_err *err);
void kube_op_cancel(struct kube_op *op);

/* What the API server warns of (Warning headers: a deprecated API, an unknown field): each text at most once an hour.
 * Called from the loop; it must not free the client. */
typedef void kube_warning_fn(void *arg, const char *text);
void kube_client_on_warning(struct kube_client *client, kube_warning_fn *fn, void *arg);

/* Every request that goes out (retries included; kube_client_count_request is the reflector's), for metrics. resource
 * is NULL for a call by path (kube_call.target). */
typedef void kube_request_observer(void *arg, const char *method, const struct kube_resource *resource,
                                   int http_status);
void kube_client_observe(struct kube_client *client, kube_request_observer *fn, void *arg);
void kube_client_count_request(struct kube_client *client, const char *method, const struct kube_resource *resource,
                               int http_status);

/* Fills err from a metav1.Status document (or from what there is of it). The first cause's own sentence follows the
 * message when it says more. http_status 0: the code that the document names, 500 when it names none. */
void kube_err_from_status(struct kube_err *err, int http_status, int retry_after_s, const cJSON *status);
/* The same from protobuf, without envelope. */
void kube_err_from_status_proto(struct kube_err *err, int http_status, int retry_after_s, struct kube_proto status);

KUBE_END_DECLS

#endif
