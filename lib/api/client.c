#include "lib/api/op.h"

#include <kube/json.h>
#include <kube/log.h>
#include <kube/time.h>
#include <string.h>
#include <utlist.h>

#define DEFAULT_TIMEOUT_MS 30000
#define DEFAULT_MAX_REPLY_BYTES ((size_t)16 << 20)
#define MAX_TARGET_BYTES ((size_t)16 << 10)
/* A Date header is cut to the second: half of one is what it lacks on average. */
#define DATE_MIDDLE_MS 500
#define DATE_TOLERANCE_MS 1500

int kube_client_new(struct kube_env *env, struct kube_transport *transport, struct kube_client **ret_client,
                    struct kube_err *err)
{
	struct kube_client *client = calloc(1, sizeof(*client));

	if (!client)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a client");
	client->env = env;
	client->transport = transport;
	*ret_client = client;
	return 0;
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	while (client->ops)
		kube_op_cancel(client->ops);
	free(client);
}

struct kube_env *kube_client_env(struct kube_client *client)
{
	return client->env;
}

struct kube_transport *kube_client_transport(struct kube_client *client)
{
	return client->transport;
}

/* The server's time */

int64_t kube_client_server_ms(struct kube_client *client)
{
	if (!client->offset_known)
		return kube_env_wall_ms(client->env);
	return kube_env_mono_ms(client->env) + client->offset_ms;
}

static void note_date(struct kube_client *client, const struct kube_response_head *head)
{
	int64_t date_ms;

	if (!*head->date || kube_time_parse_http(head->date, &date_ms, NULL))
		return;
	int64_t offset_ms = date_ms + DATE_MIDDLE_MS - kube_env_mono_ms(client->env);
	int64_t moved_ms = offset_ms - client->offset_ms;
	if (client->offset_known && moved_ms <= DATE_TOLERANCE_MS && moved_ms >= -DATE_TOLERANCE_MS)
		return;
	client->offset_ms = offset_ms;
	client->offset_known = true;
}

/* client-go prints these, too: they name the FlowSchema whose queue is full. */
static void note_throttling(const struct kube_response_head *head)
{
	if (head->status == 429 && *head->flow_schema_uid)
		kube_log(KUBE_LOG_DEBUG, "API Priority and Fairness throttles us", "flowSchemaUID", head->flow_schema_uid,
		         "priorityLevelUID", head->priority_level_uid, NULL);
}

static void note_warnings(struct kube_client *client, const struct kube_response_head *head)
{
	char text[WARNING_TEXT_SIZE];
	const char *list = head->warning;

	while (client->on_warning && warning_next(&list, text))
		if (warnings_note(&client->warnings, text, kube_env_mono_ms(client->env)))
			client->on_warning(client->warning_arg, text);
}

void kube_client_note_head(struct kube_client *client, const struct kube_response_head *head)
{
	note_date(client, head);
	note_throttling(head);
	note_warnings(client, head);
}

void kube_client_on_warning(struct kube_client *client, kube_warning_fn *fn, void *arg)
{
	client->on_warning = fn;
	client->warning_arg = arg;
}

void kube_client_observe(struct kube_client *client, kube_request_observer *fn, void *arg)
{
	client->observer = fn;
	client->observer_arg = arg;
}

void kube_client_count_request(struct kube_client *client, const char *method, const struct kube_resource *resource,
                               int http_status)
{
	if (client->observer)
		client->observer(client->observer_arg, method, resource, http_status);
}

/* Calls */

static int make_target(const struct kube_call *call, char **ret_target, struct kube_err *err)
{
	_cleanup_buf_ struct kube_buf out = {0};
	int rc = 0;

	kube_buf_init(&out, MAX_TARGET_BYTES);
	if (call->target && *call->target != '/')
		return kube_fail(err, KUBE_E_INVALID, "\"%s\" is no absolute path", call->target);
	if (call->target)
		kube_buf_adds(&out, call->target);
	else
		rc = kube_resource_path(&out, call->resource, call->namespace_, call->name, call->subresource, err);
	if (rc)
		return rc;
	if (call->query)
		kube_buf_addf(&out, "?%s", call->query);
	if (out.failed)
		return kube_fail(err, out.failed, "no room for the path and query of a request");
	char *target = kube_buf_take(&out);
	if (!target)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	*ret_target = target;
	return 0;
}

static int copy_request(struct kube_op *op, const struct kube_call *call, struct kube_err *err)
{
	int rc = make_target(call, &op->target, err);
	if (rc)
		return rc;
	const char *content_type = call->content_type ? call->content_type : "application/json";
	op->method = strdup(call->method);
	op->content_type = call->body ? strdup(content_type) : NULL;
	op->body = call->body ? cJSON_PrintUnformatted(call->body) : NULL;
	if (!op->method || (call->body && (!op->content_type || !op->body)))
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	op->request = (struct kube_request){
	    .method = op->method,
	    .target = op->target,
	    .content_type = op->content_type,
	    .body = op->body,
	    .body_len = op->body ? strlen(op->body) : 0,
	    .timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : DEFAULT_TIMEOUT_MS,
	};
	return 0;
}

int kube_client_send(struct kube_client *client, const struct kube_call *call, kube_reply_fn *fn, void *arg,
                     struct kube_op **ret_op, struct kube_err *err)
{
	if (!call->method || (!call->target && !call->resource))
		return kube_fail(err, KUBE_E_INVALID, "a call needs a method, and a resource or a path");
	struct kube_op *op = calloc(1, sizeof(*op));
	if (!op)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	op->client = client;
	op->resource = call->target ? NULL : call->resource;
	op->no_retry = call->no_retry;
	op->no_document = call->no_document;
	op->may_repeat = call->may_repeat;
	op->fn = fn;
	op->arg = arg;
	kube_buf_init(&op->reply, call->max_reply_bytes ? call->max_reply_bytes : DEFAULT_MAX_REPLY_BYTES);
	int rc = copy_request(op, call, err);
	if (!rc)
		rc = op_send(op, err);
	if (rc) {
		op_free(op);
		return rc;
	}
	DL_APPEND(client->ops, op);
	if (ret_op)
		*ret_op = op;
	return 0;
}

void kube_op_cancel(struct kube_op *op)
{
	if (!op || op->delivering) /* from within its own callback: it is over already */
		return;
	DL_DELETE(op->client->ops, op);
	kube_timer_stop(op->client->env, &op->retry);
	if (op->exchange)
		kube_transport_cancel(op->client->transport, op->exchange);
	op_free(op);
}
