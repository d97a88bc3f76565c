/* The transport: exchanges from send to done, over libcurl. */
#include "lib/http/internal.h"

#include "lib/auth/file.h"

#include <kube/mem.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define DEFAULT_CONNECT_TIMEOUT_MS 10000

static void remove_from_list(struct kube_exchange *exchange)
{
	struct kube_http *http = exchange->http;
	if (exchange->in_multi) {
		curl_multi_remove_handle(http->multi, exchange->easy);
		DL_DELETE(http->active, exchange);
	} else {
		DL_DELETE(http->waiting, exchange);
	}
	http->exchange_count--;
	kube_timer_stop(http->env, &exchange->deadline);
	kube_timer_stop(http->env, &exchange->idle);
}

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
	remove_from_list(exchange);
	if (tell)
		exchange->handlers.on_done(exchange->arg, err);
	free_exchange(exchange);
}

static void finish_with_code(struct kube_exchange *exchange, CURLcode code)
{
	struct kube_err err;
	if (code == CURLE_OK) {
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
	struct kube_err err;
	kube_err_reset(&err);
	kube_fail(&err, KUBE_E_TIMEOUT, "the server %s did not finish its answer within %lld ms", exchange->http->name,
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
}

static void report_done(struct kube_http *http)
{
	int left = 0;
	for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
		struct kube_exchange *exchange = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
		finish_with_code(exchange, code);
	}
}

static int start(struct kube_exchange *exchange, struct kube_err *err)
{
	struct kube_http *http = exchange->http;
	CURLMcode rc = curl_multi_add_handle(http->multi, exchange->easy);
	if (rc == CURLM_OUT_OF_MEMORY)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request to %s", http->name);
	if (rc != CURLM_OK)
		return kube_fail(err, KUBE_E_IO, "cannot start a request to %s: %s", http->name, curl_multi_strerror(rc));
	DL_DELETE(http->waiting, exchange);
	DL_APPEND(http->active, exchange);
	exchange->in_multi = true;
	return 0;
}

static void start_waiting(struct kube_http *http)
{
	while (http->waiting) {
		struct kube_exchange *exchange = http->waiting;
		struct kube_err err;
		kube_err_reset(&err);
		if (start(exchange, &err) != 0)
			finish(exchange, &err);
	}
}

void http_settle(struct kube_http *http)
{
	reap_canceled(http);
	report_done(http);
	start_waiting(http);
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
	DL_APPEND(http->waiting, exchange);
	http->exchange_count++;
	if (rc == 0 && !http->in_curl)
		rc = start(exchange, err);
	if (rc != 0)
		remove_from_list(exchange);
	return rc;
}

static int http_send(struct kube_transport *transport, const struct kube_request *request,
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
	rc = http_easy_new(exchange, request, err);
	if (rc == 0)
		rc = enqueue(exchange, err);
	if (rc == 0)
		*ret_exchange = take(exchange);
	return rc;
}

static void http_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
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

static const struct kube_transport_ops http_ops = {.send = http_send, .cancel = http_cancel};

/* The URL bears the name that the certificate must have; CURLOPT_CONNECT_TO leads it to where the server is. */
static int make_url(struct kube_http *http, const char *tls_server_name, struct kube_err *err)
{
	const struct kube_server *server = &http->server;
	bool renamed = server->https && tls_server_name && *tls_server_name;
	const char *name = renamed ? tls_server_name : server->host;
	if (renamed && !kube_server_name_ok(tls_server_name))
		return kube_fail(err, KUBE_E_INVALID, "the tls-server-name \"%s\" is not a host name", tls_server_name);
	if (asprintf(&http->url, "%s://%s:%s%s", server->https ? "https" : "http", name, server->port, server->path) < 0) {
		http->url = NULL;
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	}
	if (!renamed)
		return 0;
	_cleanup_free_ char *rule = NULL;
	if (asprintf(&rule, "%s:%s:%s:%s", name, server->port, server->host, server->port) < 0)
		rule = NULL;
	http->connect_to = rule ? curl_slist_append(NULL, rule) : NULL;
	return http->connect_to ? 0 : kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
}

static bool copy(char **field, const char *text)
{
	*field = text ? strdup(text) : NULL;
	return !text || *field;
}

static int set_up(struct kube_http *http, const struct kube_config *config, const struct kube_http_options *options,
                  struct kube_err *err)
{
	if (!options->user_agent || !*options->user_agent)
		return kube_fail(err, KUBE_E_INVALID, "the HTTP client needs a user agent");
	int rc = kube_server_parse(config->server, &http->server, err);
	if (rc == 0)
		rc = make_url(http, config->tls_server_name, err);
	if (rc == 0)
		rc = kube_token_init(&http->token, config->token, config->token_file, err);
	if (rc != 0)
		return rc;
	if (!copy(&http->name, config->server) || !copy(&http->ca_pem, config->ca_pem) ||
	    !copy(&http->client_cert_pem, config->client_cert_pem) ||
	    !copy(&http->client_key_pem, config->client_key_pem) || !copy(&http->user_agent, options->user_agent))
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	http->connect_timeout_ms =
	    options->connect_timeout_ms > 0 ? options->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;
	return http_sockets_init(http, err);
}

int kube_http_new(struct kube_loop *loop, const struct kube_config *config, const struct kube_http_options *options,
                  struct kube_http **ret_http, struct kube_err *err)
{
	struct kube_http *http = calloc(1, sizeof(*http));
	if (!http)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted: each client has its own */
		free(http);
		return kube_fail(err, KUBE_E_IO, "libcurl cannot be initialised");
	}
	http->transport.ops = &http_ops;
	http->env = kube_loop_env(loop);
	http->uv = kube_loop_uv(loop);
	int rc = set_up(http, config, options, err);
	if (rc != 0)
		kube_http_free(http);
	else
		*ret_http = http;
	return rc;
}

void kube_http_free(struct kube_http *http)
{
	if (!http)
		return;
	while (http->active || http->waiting)
		http_cancel(&http->transport, http->active ? http->active : http->waiting);
	http_sockets_finish(http);
	kube_token_finish(&http->token);
	kube_server_finish(&http->server);
	kube_file_wipe_str(&http->client_key_pem);
	curl_slist_free_all(http->connect_to);
	free(http->client_cert_pem);
	free(http->ca_pem);
	free(http->user_agent);
	free(http->name);
	free(http->url);
	free(http);
	curl_global_cleanup();
}

struct kube_transport *kube_http_transport(struct kube_http *http)
{
	return &http->transport;
}
