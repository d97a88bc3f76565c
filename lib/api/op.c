#include "lib/api/op.h"

#include <kube/json.h>
#include <string.h>
#include <utlist.h>

#define MAX_RETRIES 10
#define MAX_RETRY_AFTER_S 60 /* a longer wait is the caller's to decide on */
#define BROKEN_RETRY_MS 1000

void op_free(struct kube_op *op)
{
	kube_buf_finish(&op->reply);
	free(op->method);
	free(op->target);
	free(op->content_type);
	free(op->body);
	free(op);
}

/* Ends the call. The callback may free the client. */
static void deliver(struct kube_op *op, const cJSON *json, struct kube_err *err)
{
	DL_DELETE(op->client->ops, op);
	op->delivering = true;
	if (err)
		kube_err_prefix(err, "%s %.*s", op->method, (int)strcspn(op->target, "?"), op->target);
	op->fn(op->arg, err ? NULL : json, err);
	op_free(op);
}

static void on_retry(struct kube_timer *timer, void *arg)
{
	struct kube_op *op = arg;
	struct kube_err err;

	(void)timer;
	kube_err_reset(&err);
	if (op->may_repeat && !op->may_repeat(op->arg))
		kube_fail(&err, KUBE_E_CANCELED, "not repeated: it may not be sent any more");
	if (err.code || op_send(op, &err))
		deliver(op, NULL, &err);
}

/* False when the call cannot be repeated, for want of memory. */
static bool retry_after(struct kube_op *op, int64_t delay_ms)
{
	kube_buf_reset(&op->reply);
	return kube_timer_start(op->client->env, &op->retry, delay_ms, on_retry, op) == 0;
}

/* client-go rest.WithRetry: a connection that broke is tried again for requests that change nothing. */
static bool retried_broken(struct kube_op *op, const struct kube_err *err)
{
	bool broken = err->code == KUBE_E_CLOSED || err->code == KUBE_E_IO;

	if (op->no_retry || op->retries >= MAX_RETRIES || !broken || strcmp(op->method, "GET") != 0)
		return false;
	op->retries++;
	return retry_after(op, BROKEN_RETRY_MS);
}

/* A 429 of an eviction that a disruption budget blocks is no throttling: waiting is for the drain to decide. */
static bool retried_refused(struct kube_op *op, const struct kube_err *err)
{
	bool throttled = op->status == 429 || op->status >= 500;

	if (op->no_retry || !throttled || op->retry_after_s < 0 || op->retry_after_s > MAX_RETRY_AFTER_S)
		return false;
	if (op->retries >= MAX_RETRIES || strcmp(err->cause, "DisruptionBudget") == 0)
		return false;
	op->retries++;
	return retry_after(op, (int64_t)op->retry_after_s * 1000);
}

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct kube_op *op = arg;

	op->status = head->status;
	op->retry_after_s = head->retry_after_s;
	op->is_json = strstr(head->content_type, "json") != NULL;
	kube_client_note_head(op->client, head);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct kube_op *op = arg;
	bool wanted = !op->no_document || op->status < 200 || op->status >= 300;

	return wanted ? kube_buf_add(&op->reply, bytes, len) : 0;
}

static void fail_exchange(struct kube_op *op, const struct kube_err *err)
{
	struct kube_err own = *err;

	if (op->reply.failed == KUBE_E_LIMIT)
		kube_fail(&own, KUBE_E_LIMIT, "the answer is longer than %zu bytes", op->reply.max);
	if (!retried_broken(op, &own))
		deliver(op, NULL, &own);
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct kube_op *op = arg;
	_cleanup_json_ cJSON *json = NULL;
	struct kube_err own;
	int rc = 0;

	op->exchange = NULL;
	kube_client_count_request(op->client, op->method, op->resource, err ? 0 : op->status);
	if (err) {
		fail_exchange(op, err);
		return;
	}
	kube_err_reset(&own);
	if (op->is_json && op->reply.len > 0)
		rc = kube_json_parse(op->reply.data, op->reply.len, &json, &own);
	if (op->status >= 200 && op->status < 300) {
		deliver(op, json, rc ? &own : NULL);
		return;
	}
	kube_err_from_status(&own, op->status, op->retry_after_s, json);
	if (!retried_refused(op, &own))
		deliver(op, NULL, &own);
}

int op_send(struct kube_op *op, struct kube_err *err)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	struct kube_transport *transport = op->client->transport;

	op->status = 0;
	op->retry_after_s = -1;
	op->is_json = false;
	return kube_transport_send(transport, &op->request, &handlers, op, &op->exchange, err);
}
