/* A client of its own for each request: no connection, name or credential of one is there for another. */
#include "lib/auth/proxy.h"
#include "lib/http/address.h"
#include "lib/http/internal.h"

#include <kube/mem.h>
#include <kube/outgoing.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

struct kube_outgoing {
	struct kube_transport transport; /* first: the ops cast back */
	struct kube_loop *loop;
	char *user_agent, *allow;
	const struct kube_http *api;
	struct call *calls;
	int count;
};

/* What others know as a kube_exchange. */
struct call {
	struct kube_outgoing *outgoing;
	struct call *prev, *next;
	struct kube_server server;
	struct http_guard guard;
	char why[256];
	struct kube_http *http;
	struct kube_exchange *inner;
	struct kube_exchange_handlers handlers;
	void *arg;
	bool over; /* done or cancelled: nothing more is told, and it is freed from the loop */
	struct kube_timer reaper;
};

/* ---- the rules ---- */

static bool allowed(const struct call *call, const char *host)
{
	return kube_proxy_bypassed(call->outgoing->allow, host, call->server.port);
}

static bool is_api_server(const struct call *call, const struct sockaddr *address)
{
	const struct kube_http *api = call->outgoing->api;
	for (size_t i = 0; api && i < api->peer_count && i < HTTP_MAX_PEERS; i++)
		if (http_address_same((const struct sockaddr *)&api->peers[i], address))
			return true;
	return false;
}

/* http_guard.may_connect */
static bool may_connect(void *arg, const struct sockaddr *address, const char **ret_why)
{
	struct call *call = arg;
	char text[HTTP_ADDRESS_TEXT_SIZE];
	const char *special = http_address_special(address);
	http_address_text(address, text);
	if (!special && is_api_server(call, address))
		special = "is that of the API server";
	if (!special || allowed(call, call->server.host) || allowed(call, text))
		return true;
	snprintf(call->why, sizeof(call->why), "%s %s, and --allow-endpoints does not list it", text, special);
	*ret_why = call->why;
	return false;
}

static int check_server(const struct call *call, struct kube_err *err)
{
	const struct kube_server *server = &call->server;
	const struct kube_http *api = call->outgoing->api;
	if (allowed(call, server->host))
		return 0;
	if (!server->https && !http_is_service(server->host))
		return kube_fail(
		    err, KUBE_E_INVALID,
		    "no request is sent to %s by plain http, which is for cluster Services (<name>.<namespace>.svc) "
		    "only: use https, or list it in --allow-endpoints",
		    server->host);
	if (api && strcasecmp(api->server.host, server->host) == 0 && strcmp(api->server.port, server->port) == 0)
		return kube_fail(err, KUBE_E_INVALID, "no request is sent to %s:%s: it is the API server", server->host,
		                 server->port);
	return 0;
}

/* ---- the URL ---- */

/* "https://host:port" and "/path?query"; a fragment is nobody's business. */
static int split_url(const char *url, char **ret_server, char **ret_target, struct kube_err *err)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme ? scheme + 3 : url;
	size_t len = (size_t)(host - url) + strcspn(host, "/?#");
	if (!scheme || memchr(host, '@', len - (size_t)(host - url)) || strchr(url, '#'))
		return kube_fail(err, KUBE_E_INVALID,
		                 "the URL must be of the form https://host:port/path?query, without a user or a fragment");
	*ret_server = strndup(url, len);
	if (asprintf(ret_target, "%s%s", url[len] == '/' ? "" : "/", url + len) < 0)
		*ret_target = NULL;
	return *ret_server && *ret_target ? 0 : kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
}

/* ---- a call ---- */

static void free_call(struct call *call)
{
	if (!call)
		return;
	kube_timer_stop(kube_loop_env(call->outgoing->loop), &call->reaper);
	kube_http_free(call->http);
	kube_server_finish(&call->server);
	free(call);
}

static void free_callp(struct call **call)
{
	free_call(*call);
}

static void forget(struct call *call)
{
	DL_DELETE(call->outgoing->calls, call);
	call->outgoing->count--;
	free_call(call);
}

static void reap(struct kube_timer *timer, void *arg)
{
	(void)timer;
	forget(arg);
}

/* Its client may be at work above us. Without memory it goes with the kube_outgoing. */
static void end(struct call *call)
{
	call->over = true;
	kube_timer_start(kube_loop_env(call->outgoing->loop), &call->reaper, 0, reap, call);
}

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct call *call = arg;
	if (!call->over && call->handlers.on_head)
		call->handlers.on_head(call->arg, head);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct call *call = arg;
	if (call->over || !call->handlers.on_data)
		return 0;
	return call->handlers.on_data(call->arg, bytes, len);
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct call *call = arg;
	if (call->over)
		return;
	end(call);
	if (call->handlers.on_done)
		call->handlers.on_done(call->arg, err);
}

static int make_http(struct call *call, const char *server, const struct kube_request_auth *auth, struct kube_err *err)
{
	static const struct kube_request_auth none = {0};
	auth = auth ? auth : &none;
	const struct kube_config config = {
	    .server = (char *)server,
	    .ca_pem = (char *)auth->ca_pem,
	    .token = (char *)auth->token,
	};
	const struct http_foreign foreign = {
	    .guard = &call->guard,
	    .user_agent = call->outgoing->user_agent,
	    .username = auth->username,
	    .password = auth->password,
	};
	return http_new_foreign(call->outgoing->loop, &config, &foreign, &call->http, err);
}

static int send_inner(struct call *call, const struct kube_request *request, struct kube_err *err)
{
	static const struct kube_exchange_handlers handlers = {.on_head = on_head, .on_data = on_data, .on_done = on_done};
	_cleanup_free_ char *server = NULL, *target = NULL;
	struct kube_request inner = *request;
	int rc = split_url(request->target, &server, &target, err);
	if (rc == 0)
		rc = kube_server_parse_any(server, &call->server, err);
	if (rc == 0)
		rc = check_server(call, err);
	if (rc == 0)
		rc = make_http(call, server, request->auth, err);
	if (rc != 0)
		return rc;
	inner.target = target;
	inner.auth = NULL;
	return kube_transport_send(kube_http_transport(call->http), &inner, &handlers, call, &call->inner, err);
}

static int outgoing_send(struct kube_transport *transport, const struct kube_request *request,
                         const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
                         struct kube_err *err)
{
	struct kube_outgoing *outgoing = (struct kube_outgoing *)transport;
	if (outgoing->count >= KUBE_OUTGOING_MAX)
		return kube_fail(err, KUBE_E_LIMIT, "more than %d outgoing requests are in flight", KUBE_OUTGOING_MAX);
	_cleanup_(free_callp) struct call *call = calloc(1, sizeof(*call));
	if (!call)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	call->outgoing = outgoing;
	call->guard = (struct http_guard){.may_connect = may_connect, .arg = call};
	call->handlers = *handlers;
	call->arg = arg;
	int rc = send_inner(call, request, err);
	if (rc != 0)
		return rc;
	DL_APPEND(outgoing->calls, call);
	outgoing->count++;
	*ret_exchange = (struct kube_exchange *)take(call);
	return 0;
}

static void outgoing_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	struct call *call = (struct call *)exchange;
	(void)transport;
	if (call->over)
		return;
	kube_transport_cancel(kube_http_transport(call->http), call->inner);
	end(call);
}

/* ---- life ---- */

int kube_outgoing_new(struct kube_loop *loop, const struct kube_outgoing_options *options,
                      struct kube_outgoing **ret_outgoing, struct kube_err *err)
{
	static const struct kube_transport_ops ops = {.send = outgoing_send, .cancel = outgoing_cancel};
	struct kube_outgoing *outgoing = calloc(1, sizeof(*outgoing));
	if (!outgoing)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for outgoing requests");
	outgoing->transport.ops = &ops;
	outgoing->loop = loop;
	outgoing->api = options->api;
	outgoing->user_agent = strdup(options->user_agent);
	outgoing->allow = strdup(options->allow ? options->allow : "");
	if (!outgoing->user_agent || !outgoing->allow) {
		kube_outgoing_free(outgoing);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for outgoing requests");
	}
	*ret_outgoing = outgoing;
	return 0;
}

void kube_outgoing_free(struct kube_outgoing *outgoing)
{
	if (!outgoing)
		return;
	while (outgoing->calls)
		forget(outgoing->calls);
	free(outgoing->user_agent);
	free(outgoing->allow);
	free(outgoing);
}

struct kube_transport *kube_outgoing_transport(struct kube_outgoing *outgoing)
{
	return &outgoing->transport;
}
