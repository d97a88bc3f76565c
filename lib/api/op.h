/* A call in flight: what client.c and op.c share. */
#ifndef LIB_API_OP_H
#define LIB_API_OP_H

#include "lib/api/warning.h"

#include <kube/client.h>

struct kube_client {
	struct kube_env *env;
	struct kube_transport *transport;
	struct kube_op *ops;
	int64_t offset_ms; /* the server's time minus our monotonic clock */
	bool offset_known;
	kube_request_observer *observer;
	void *observer_arg;
	kube_warning_fn *on_warning;
	void *warning_arg;
	struct warnings warnings;
};

struct kube_op {
	struct kube_client *client;
	struct kube_op *prev, *next;          /* client->ops */
	const struct kube_resource *resource; /* NULL for an absolute path */
	struct kube_request request;          /* its texts are our own copies */
	char *method, *target, *content_type, *body;
	bool no_retry, no_document;
	bool delivering;  /* the callback runs: it is no longer in client->ops */
	unsigned retries; /* so far */
	bool (*may_repeat)(void *arg);
	kube_reply_fn *fn;
	void *arg;
	struct kube_exchange *exchange; /* NULL while it waits for a retry */
	struct kube_timer retry;
	struct kube_buf reply;
	int status, retry_after_s;
	bool is_json;
};

/* Sends op's request. On failure op is as it was. */
int op_send(struct kube_op *op, struct kube_err *err);
void op_free(struct kube_op *op);

#endif
