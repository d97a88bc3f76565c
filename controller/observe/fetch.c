#include "controller/observe/fetch.h"
#include "controller/observe/secret.h"

#include <kube/buf.h>
#include <kube/mem.h>
#include <stdlib.h>
#include <string.h>

static const struct kube_resource secrets = {
    .group = "", .version = "v1", .plural = "secrets", .kind = "Secret", .namespaced = true};

struct fetch {
	const struct fetcher *fetcher;
	struct kube_arena arena; /* of the request's texts */
	struct fetch_request request;
	fetch_fn *fn;
	void *arg;
	struct kube_op *op;             /* the Secret's; NULL: none is in flight */
	struct kube_exchange *exchange; /* the same of the request */
	struct kube_timer later;        /* tells what was wrong from the beginning */
	struct kube_err problem;
	int status;
	struct kube_buf body;
};

static void free_fetch(struct fetch *fetch)
{
	kube_timer_stop(kube_client_env(fetch->fetcher->client), &fetch->later);
	kube_buf_finish(&fetch->body);
	kube_arena_finish(&fetch->arena);
	free(fetch);
}

void fetch_cancel(struct fetch *fetch)
{
	if (!fetch)
		return;
	if (fetch->op)
		kube_op_cancel(fetch->op);
	if (fetch->exchange)
		kube_transport_cancel(fetch->fetcher->outgoing, fetch->exchange);
	free_fetch(fetch);
}

/* The callback may start the next one. */
static void tell(struct fetch *fetch, const struct kube_err *err)
{
	const struct fetch_answer answer = {
	    .status = fetch->status, .body = fetch->body.data ? fetch->body.data : "", .len = fetch->body.len};
	fetch->fn(fetch->arg, err ? NULL : &answer, err);
	free_fetch(fetch);
}

/* ---- the request ---- */

static void on_head(void *arg, const struct kube_response_head *head)
{
	((struct fetch *)arg)->status = head->status;
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	return kube_buf_add(&((struct fetch *)arg)->body, bytes, len);
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct fetch *fetch = arg;
	struct kube_err too_large;
	fetch->exchange = NULL;
	if (err && err->code == KUBE_E_LIMIT && fetch->body.failed == KUBE_E_LIMIT) {
		kube_fail(&too_large, KUBE_E_LIMIT, "the answer is larger than %zu bytes", FETCH_MAX_BYTES);
		err = &too_large;
	}
	tell(fetch, err);
}

static int send_request(struct fetch *fetch, const struct source_secret *secret, struct kube_err *err)
{
	static const struct kube_exchange_handlers handlers = {.on_head = on_head, .on_data = on_data, .on_done = on_done};
	const struct fetch_request *wanted = &fetch->request;
	const struct kube_request_auth auth = {
	    .token = secret->token, .username = secret->username, .password = secret->password, .ca_pem = secret->ca_pem};
	const struct kube_request request = {
	    .method = wanted->method,
	    .target = wanted->url,
	    .auth = &auth,
	    .accept = "application/json, */*;q=0.5",
	    .content_type = wanted->content_type,
	    .body = wanted->body,
	    .body_len = wanted->body ? strlen(wanted->body) : 0,
	    .timeout_ms = wanted->timeout_ms,
	};
	return kube_transport_send(fetch->fetcher->outgoing, &request, &handlers, fetch, &fetch->exchange, err);
}

/* ---- the Secret ---- */

static void on_secret(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct fetch *fetch = arg;
	const char *name = fetch->request.secret;
	__attribute__((cleanup(source_secret_finish))) struct source_secret secret = {0};
	struct kube_err problem = {0};
	int rc = 0;
	fetch->op = NULL;
	if (kube_err_is(err, 404))
		rc = kube_fail(&problem, KUBE_E_NOTFOUND, "there is no Secret %s in the namespace %s", name,
		               fetch->fetcher->namespace_);
	else if (err)
		rc = kube_fail(&problem, err->code, "the Secret %s cannot be read: %s", name, err->message);
	if (rc == 0)
		rc = source_secret_decode(json, name, fetch->request.use, fetch->request.url, &secret, &problem);
	if (rc == 0)
		rc = send_request(fetch, &secret, &problem);
	if (rc != 0)
		tell(fetch, &problem);
}

static int read_secret(struct fetch *fetch, struct kube_err *err)
{
	const struct kube_call call = {
	    .method = "GET",
	    .resource = &secrets,
	    .namespace_ = fetch->fetcher->namespace_,
	    .name = fetch->request.secret,
	    .timeout_ms = fetch->request.timeout_ms,
	    .max_reply_bytes = FETCH_MAX_BYTES * 2, /* a Secret's data is at most 1 MiB, in base64 here */
	    .no_retry = true,
	};
	return kube_client_send(fetch->fetcher->client, &call, on_secret, fetch, &fetch->op, err);
}

/* ---- the beginning ---- */

static void tell_later(struct kube_timer *timer, void *arg)
{
	struct fetch *fetch = arg;
	(void)timer;
	tell(fetch, &fetch->problem);
}

static bool copy(struct kube_arena *arena, const char *text, const char **ret_copy)
{
	*ret_copy = text ? kube_arena_strdup(arena, text) : NULL;
	return !text || *ret_copy;
}

static bool copy_request(struct fetch *fetch, const struct fetch_request *from)
{
	struct fetch_request *to = &fetch->request;
	*to = *from;
	return copy(&fetch->arena, from->url, &to->url) && copy(&fetch->arena, from->secret, &to->secret) &&
	       copy(&fetch->arena, from->use, &to->use) &&
	       copy(&fetch->arena, from->method ? from->method : "GET", &to->method) &&
	       copy(&fetch->arena, from->content_type, &to->content_type) && copy(&fetch->arena, from->body, &to->body);
}

int fetch_start(const struct fetcher *fetcher, const struct fetch_request *request, fetch_fn *fn, void *arg,
                struct fetch **ret_fetch, struct kube_err *err)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	fetch->fetcher = fetcher;
	fetch->fn = fn;
	fetch->arg = arg;
	kube_buf_init(&fetch->body, FETCH_MAX_BYTES);
	if (!copy_request(fetch, request)) {
		free_fetch(fetch);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	}
	int rc = request->secret ? read_secret(fetch, &fetch->problem)
	                         : send_request(fetch, &(struct source_secret){0}, &fetch->problem);
	if (rc != 0 && kube_timer_start(kube_client_env(fetcher->client), &fetch->later, 0, tell_later, fetch) != 0) {
		free_fetch(fetch);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	}
	*ret_fetch = fetch;
	return 0;
}
