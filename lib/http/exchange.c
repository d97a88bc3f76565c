/* Exchanges from send to done, over libcurl. */
#include "lib/http/internal.h"

#include <kube/mem.h>
#include <string.h>
#include <utlist.h>

/* ---- the three lists ---- */

static void leave_list(struct kube_exchange *exchange)
{
	DL_DELETE(*exchange->list, exchange);
}

static void enter_list(struct kube_exchange *exchange, struct kube_exchange **list)
{
	DL_APPEND(*list, exchange);
	exchange->list = list;
}

static void move(struct kube_exchange *exchange, struct kube_exchange **list)
{
	leave_list(exchange);
	enter_list(exchange, list);
}

static void forget(struct kube_exchange *exchange)
{
	struct kube_http *http = exchange->http;
	http_pool_remove(exchange);
	leave_list(exchange);
	http->exchange_count--;
	kube_timer_stop(http->env, &exchange->deadline);
	kube_timer_stop(http->env, &exchange->idle);
}

/* ---- the end ---- */

static void free_exchange(struct kube_exchange *exchange)
{
	if (!exchange)
		return;
	http_easy_free(exchange);
	free(exchange);
}

static void free_exchangep(struct kube_exchange **exchange)
{
	free_exchange(*exchange);
}

/* Not while curl runs. err is NULL when the exchange completed. on_done may cancel the exchange, which then does
 * nothing. */
static void finish(struct kube_exchange *exchange, const struct kube_err *err)
{
	bool tell = !exchange->canceled && exchange->handlers.on_done;
	exchange->done = true;
	forget(exchange);
	if (tell)
		exchange->handlers.on_done(exchange->arg, err);
	free_exchange(exchange);
}

/* A refusal is whole with its status: the API server may close the connection right behind its 401, before the text
 * that explains it has left (UnauthenticatedHTTP2DOSMitigation). */
static bool is_cut_refusal(const struct kube_exchange *exchange, CURLcode code)
{
	return exchange->head.complete && exchange->head.status >= 400 && http_ended_early(code);
}

static void finish_with_code(struct kube_exchange *exchange, CURLcode code)
{
	struct kube_err err;
	if (code == CURLE_OK || is_cut_refusal(exchange, code)) {
		finish(exchange, NULL);
		return;
	}
	kube_err_reset(&err);
	http_failure(exchange, code, &err);
	finish(exchange, &err);
}

static void deadline_passed(struct kube_timer *timer, void *arg)
{
	(void)timer;
	struct kube_exchange *exchange = arg;
	struct kube_http *http = exchange->http;
	struct kube_err err;
	kube_err_reset(&err);
	if (exchange->list == &http->asking)
		kube_fail(&err, KUBE_E_TIMEOUT, "there were no credentials for the server %s within %lld ms", http->name,
		          (long long)exchange->timeout_ms);
	else
		kube_fail(&err, KUBE_E_TIMEOUT, "the server %s did not finish its answer within %lld ms", http->name,
		          (long long)exchange->timeout_ms);
	finish(exchange, &err);
}

static void idle_too_long(struct kube_timer *timer, void *arg)
{
	(void)timer;
	struct kube_exchange *exchange = arg;
	struct kube_err err;
	kube_err_reset(&err);
	kube_fail(&err, KUBE_E_TIMEOUT, "the server %s has sent nothing for %lld ms", exchange->http->name,
	          (long long)exchange->idle_timeout_ms);
	finish(exchange, &err);
}

/* Cannot fail once the first start has succeeded: restarting takes no memory. */
void http_touch(struct kube_exchange *exchange)
{
	if (exchange->idle_timeout_ms > 0)
		kube_timer_start(exchange->http->env, &exchange->idle, exchange->idle_timeout_ms, idle_too_long, exchange);
}

static void reap_canceled(struct kube_http *http)
{
	struct kube_exchange *exchange, *next;
	if (!http->has_canceled)
		return;
	http->has_canceled = false;
	DL_FOREACH_SAFE(http->active, exchange, next)
	if (exchange->canceled)
		finish(exchange, NULL);
	DL_FOREACH_SAFE(http->waiting, exchange, next)
	if (exchange->canceled)
		finish(exchange, NULL);
	DL_FOREACH_SAFE(http->asking, exchange, next)
	if (exchange->canceled)
		finish(exchange, NULL);
}

static void report_done(struct http_pool *pool)
{
	int left = 0;
	for (CURLMsg *message; (message = curl_multi_info_read(pool->multi, &left));) {
		struct kube_exchange *exchange = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
		finish_with_code(exchange, code);
	}
}

/* ---- the beginning ---- */

/* New connections for new certificates; the old ones end with what is on them. Without memory it is tried again with
 * the next request. */
static void renew_pool(struct kube_http *http)
{
	struct kube_tls *tls = kube_credentials_tls(http->credentials);
	struct http_pool *old = http->pool;
	if (old->tls == tls || http_pool_new(http, tls, &http->pool, NULL) != 0)
		return;
	http_pool_retire(old);
}

static int start(struct kube_exchange *exchange, struct kube_err *err)
{
	struct kube_http *http = exchange->http;
	const char *token = NULL;
	int rc = kube_credentials_get(http->credentials, &token, &exchange->credential, err);
	if (rc == KUBE_CREDENTIALS_LATER) {
		exchange->round = http->round;
		move(exchange, &http->asking);
		return 0;
	}
	if (rc != 0)
		return rc;
	renew_pool(http);
	rc = http_easy_arm(exchange, token, http->pool->tls, err);
	if (rc == 0)
		rc = http_pool_add(http->pool, exchange, err);
	if (rc == 0)
		move(exchange, &http->active);
	return rc;
}

static void start_or_fail(struct kube_exchange *exchange)
{
	struct kube_err err;
	kube_err_reset(&err);
	if (start(exchange, &err) != 0)
		finish(exchange, &err);
}

void http_settle(struct http_pool *pool)
{
	struct kube_http *http = pool->http;
	reap_canceled(http);
	report_done(pool);
	while (http->waiting)
		start_or_fail(http->waiting);
}

/* Whoever asks again from within a callback belongs to the next round. */
void http_credentials_ready(void *arg, const struct kube_err *err)
{
	struct kube_http *http = arg;
	unsigned round = ++http->round;
	while (http->asking && http->asking->round != round) {
		if (err)
			finish(http->asking, err);
		else
			start_or_fail(http->asking);
	}
}

static struct kube_exchange *next_watch(const struct kube_http *http, const struct http_pool *pool)
{
	struct kube_exchange *exchange;
	DL_FOREACH (http->active, exchange) {
		if (exchange->watch && exchange->pool != pool)
			return exchange;
	}
	return NULL;
}

/* Calls end by themselves. A watch would go on for minutes with what it began with: it ends as if the server had ended
 * it, or, without an answer yet, begins anew. */
void http_tls_changed(void *arg)
{
	struct kube_http *http = arg;
	struct kube_exchange *exchange;
	renew_pool(http);
	while ((exchange = next_watch(http, http->pool))) {
		if (exchange->head.complete) {
			finish(exchange, NULL);
		} else {
			http_pool_remove(exchange);
			start_or_fail(exchange);
		}
	}
}

static int start_timers(struct kube_exchange *exchange, struct kube_err *err)
{
	struct kube_env *env = exchange->http->env;
	int rc = 0;
	if (exchange->timeout_ms > 0)
		rc = kube_timer_start(env, &exchange->deadline, exchange->timeout_ms, deadline_passed, exchange);
	if (rc == 0 && exchange->idle_timeout_ms > 0)
		rc = kube_timer_start(env, &exchange->idle, exchange->idle_timeout_ms, idle_too_long, exchange);
	return rc == 0 ? 0 : kube_fail(err, rc, "out of memory for a request");
}

/* No byte may end the request line or a header line early. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static int check_request(const struct kube_http *http, const struct kube_request *request, struct kube_err *err)
{
	size_t method_len = strlen(request->method);
	if (method_len == 0 || strspn(request->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != method_len)
		return kube_fail(err, KUBE_E_INVALID, "\"%s\" is not an HTTP method", request->method);
	if (request->target[0] != '/' || !is_printable(request->target))
		return kube_fail(err, KUBE_E_INVALID, "the request target must be an encoded path that begins with /");
	if (strlen(request->target) > HTTP_MAX_TARGET_BYTES)
		return kube_fail(err, KUBE_E_LIMIT, "the request target is longer than %d bytes", HTTP_MAX_TARGET_BYTES);
	if (request->body_len > HTTP_MAX_BODY_BYTES)
		return kube_fail(err, KUBE_E_LIMIT, "the request body is larger than %zu bytes", HTTP_MAX_BODY_BYTES);
	if (http->exchange_count >= HTTP_MAX_EXCHANGES)
		return kube_fail(err, KUBE_E_LIMIT, "more than %d requests to %s are in flight", HTTP_MAX_EXCHANGES,
		                 http->name);
	return 0;
}

/* Puts exchange among the waiting ones, and starts it unless curl is running. */
static int enqueue(struct kube_exchange *exchange, struct kube_err *err)
{
	struct kube_http *http = exchange->http;
	int rc = start_timers(exchange, err);
	enter_list(exchange, &http->waiting);
	http->exchange_count++;
	if (rc == 0 && !http->in_curl)
		rc = start(exchange, err);
	if (rc != 0)
		forget(exchange);
	return rc;
}

int http_send(struct kube_transport *transport, const struct kube_request *request,
              const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
              struct kube_err *err)
{
	struct kube_http *http = (struct kube_http *)transport;
	int rc = check_request(http, request, err);
	if (rc != 0)
		return rc;
	_cleanup_(free_exchangep) struct kube_exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	exchange->http = http;
	exchange->handlers = *handlers;
	exchange->arg = arg;
	exchange->timeout_ms = request->timeout_ms;
	exchange->idle_timeout_ms = request->idle_timeout_ms;
	exchange->watch = request->watch;
	rc = http_easy_new(exchange, request, err);
	if (rc == 0)
		rc = enqueue(exchange, err);
	if (rc == 0)
		*ret_exchange = take(exchange);
	return rc;
}

void http_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	struct kube_http *http = (struct kube_http *)transport;
	exchange->canceled = true;
	if (exchange->done)
		return; /* its on_done is running: finish() frees it */
	kube_timer_stop(http->env, &exchange->deadline);
	kube_timer_stop(http->env, &exchange->idle);
	if (http->in_curl)
		http->has_canceled = true;
	else
		finish(exchange, NULL);
}
