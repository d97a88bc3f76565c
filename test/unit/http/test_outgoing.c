/* Requests to servers that others name: what is refused, what is believed, and what ends them. */
#include "test/unit/check_main.h"
#include "test/unit/http/tls.h"

#include "lib/http/internal.h"

#include <kube/outgoing.h>

struct outside {
	struct fixture f; /* its client is the one of the API server */
	struct kube_outgoing *outgoing;
};

static void open_outside(struct outside *o, const char *san, const char *allow)
{
	make_server(&o->f, san, DAY_S, NULL);
	o->f.client.config.ca_pem = o->f.ca.cert_pem;
	test_client_init(&o->f.client, "https", o->f.server->port);
	const struct kube_outgoing_options options = {.user_agent = "test/1", .allow = allow, .api = o->f.client.http};
	ck_assert_int_eq(kube_outgoing_new(o->f.client.loop, &options, &o->outgoing, NULL), 0);
}

static void close_outside(struct outside *o)
{
	kube_outgoing_free(o->outgoing);
	tear_down(&o->f);
}

/* url: with one %d for the port, or none. */
static void ask_with(struct outside *o, const char *url, struct kube_request request, struct test_outcome *result)
{
	char target[256];
	const char *port = strstr(url, "%d");
	snprintf(target, sizeof(target), "%s", url);
	if (port)
		snprintf(target, sizeof(target), "%.*s%d%s", (int)(port - url), url, o->f.server->port, port + 2);
	*result = (struct test_outcome){.client = &o->f.client};
	kube_buf_init(&result->body, 1 << 20);
	kube_err_reset(&result->err);
	request.method = request.method ? request.method : "GET";
	request.target = target;
	int rc = kube_transport_send(kube_outgoing_transport(o->outgoing), &request, &test_handlers, result,
	                             &result->exchange, &result->err);
	if (rc != 0)
		result->code = rc;
	else
		test_await(&o->f.client, result->done);
}

static const struct {
	const char *url, *allow, *san;
	enum { OUR_CA, SYSTEM } trust;
	int code;
	const char *says;
} rows[] = {
    {"https://127.0.0.1:%d/json", "127.0.0.1", "IP:127.0.0.1", OUR_CA, 0, ""},
    {"https://127.0.0.1:%d/json", "10.0.0.0/8,127.0.0.0/8", "IP:127.0.0.1", OUR_CA, 0, ""},
    {"https://localhost:%d/json", "localhost", "DNS:localhost", OUR_CA, 0, ""},
    {"https://localhost:%d/json", "127.0.0.1,::1", "DNS:localhost", OUR_CA, 0, ""}, /* by its address */
    {"https://127.0.0.1:%d/json", "", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "API server"},
    {"https://localhost:%d/json", "", "DNS:localhost", OUR_CA, KUBE_E_INVALID, "is a loopback address"},
    {"https://localhost:%d/json", "127.0.0.1:1", "DNS:localhost", OUR_CA, KUBE_E_INVALID,
     "loopback"}, /* another port */
    {"https://127.1:%d/json", "", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, ""},
    {"https://[::ffff:127.0.0.1]:%d/json", "", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "is a loopback address"},
    {"https://169.254.169.254:%d/latest/meta-data", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "link-local"},
    {"https://0.0.0.0:%d/json", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "loopback"},
    {"http://127.0.0.1:%d/json", "", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "plain http"},
    {"http://prometheus.example:%d/json", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "plain http"},
    {"ftp://127.0.0.1:%d/json", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "https://"},
    {"file:///etc/passwd", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, ""},
    {"https://me:word@127.0.0.1:%d/json", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "without a user"},
    {"https://127.0.0.1:%d/json#x", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "fragment"},
    {"127.0.0.1:%d", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "https://"},
    {"https://127.0.0.1:%d/a b", "127.0.0.1", "IP:127.0.0.1", OUR_CA, KUBE_E_INVALID, "encoded"},
    {"https://localhost:%d/json", "localhost", "DNS:other.example", OUR_CA, KUBE_E_TLS, "not for that name"},
    {"https://localhost:%d/json", "localhost", "DNS:localhost", SYSTEM, KUBE_E_TLS, "not signed by"},
};

START_TEST(rules)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct outside o = {0};
		struct test_outcome result;
		open_outside(&o, rows[i].san, rows[i].allow);
		struct kube_request_auth auth = {.ca_pem = rows[i].trust == OUR_CA ? o.f.ca.cert_pem : NULL};
		ask_with(&o, rows[i].url, (struct kube_request){.auth = &auth}, &result);
		ck_assert_msg(result.code == rows[i].code, "row %zu: %d %s", i, result.code, result.err.message);
		ck_assert_msg(strstr(result.err.message, rows[i].says) != NULL, "row %zu: %s", i, result.err.message);
		ck_assert_int_eq(atomic_load(&o.f.server->requests), rows[i].code == 0);
		test_result_finish(&result);
		close_outside(&o);
	}
}
END_TEST

/* By another of its names, on its own port: only the address tells. */
START_TEST(api_server_by_another_name)
{
	struct outside o = {0};
	struct test_outcome result;
	open_outside(&o, "IP:127.0.0.1,DNS:localhost", "");
	struct sockaddr_in *peer = (struct sockaddr_in *)&((struct kube_http *)o.f.client.http)->peers[0];
	test_get(&o.f.client, "/json", &result);
	test_result_finish(&result);
	ck_assert_int_eq(ntohl(peer->sin_addr.s_addr), INADDR_LOOPBACK);
	peer->sin_addr.s_addr = htonl(0x0a000001); /* as if it were there, where no rule else is against it */
	ask_with(&o, "https://10.0.0.1:%d/", (struct kube_request){.timeout_ms = 120000}, &result);
	ck_assert_int_eq(result.code, KUBE_E_INVALID);
	ck_assert_msg(strstr(result.err.message, "10.0.0.1 is that of the API server") != NULL, "%s", result.err.message);
	test_result_finish(&result);
	close_outside(&o);
}
END_TEST

static void ask_allowed(struct outside *o, const char *path, struct kube_request request, struct test_outcome *result)
{
	char url[128];
	struct kube_request_auth auth = request.auth ? *request.auth : (struct kube_request_auth){0};
	snprintf(url, sizeof(url), "https://127.0.0.1:%%d%s", path);
	auth.ca_pem = o->f.ca.cert_pem;
	request.auth = &auth;
	ask_with(o, url, request, result);
}

START_TEST(credentials)
{
	struct outside o = {0};
	struct test_outcome result;
	open_outside(&o, "IP:127.0.0.1", "127.0.0.1");
	const struct kube_request_auth bearer = {.token = "abc"}, basic = {.username = "me", .password = "pass:word"};
	ask_allowed(&o, "/echo?x=1",
	            (struct kube_request){.auth = &bearer, .method = "POST", .body = "query=1", .body_len = 7}, &result);
	ck_assert_ptr_nonnull(strstr(result.body.data, "POST /echo?x=1 "));
	ck_assert_ptr_nonnull(strstr(result.body.data, "\r\nAuthorization: Bearer abc\r\n"));
	ck_assert_ptr_nonnull(strstr(result.body.data, "\r\n\r\nquery=1"));
	test_result_finish(&result);
	ask_allowed(&o, "/echo", (struct kube_request){.auth = &basic}, &result);
	ck_assert_ptr_nonnull(strstr(result.body.data, "\r\nAuthorization: Basic bWU6cGFzczp3b3Jk\r\n"));
	test_result_finish(&result);
	ask_allowed(&o, "/echo", (struct kube_request){0}, &result);
	ck_assert_ptr_null(strstr(result.body.data, "Authorization"));
	test_result_finish(&result);
	close_outside(&o);
}
END_TEST

static const struct {
	const char *path;
	int64_t timeout_ms;
	int code, status;
} answers[] = {
    {"/redirect", 120000, 0, 302}, /* and nothing else is asked for */
    {"/503", 120000, 0, 503},
    {"/endless", 120000, KUBE_E_LIMIT, 200}, /* the reader's maximum */
    {"/endless-head", 120000, KUBE_E_LIMIT, 0},
    {"/stall", 300, KUBE_E_TIMEOUT, 200},
    {"/silent", 300, KUBE_E_TIMEOUT, 0},
    {"/cut", 120000, KUBE_E_CLOSED, 200},
    {"/hangup", 120000, KUBE_E_CLOSED, 0},
};

START_TEST(bad_answers)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(answers); i++) {
		struct outside o = {0};
		struct test_outcome result;
		open_outside(&o, "IP:127.0.0.1", "127.0.0.1");
		ask_allowed(&o, answers[i].path, (struct kube_request){.timeout_ms = answers[i].timeout_ms}, &result);
		ck_assert_msg(result.code == answers[i].code, "%s: %d %s", answers[i].path, result.code, result.err.message);
		ck_assert_msg(answers[i].timeout_ms < 1000 || result.status == answers[i].status, "%s", answers[i].path);
		ck_assert_int_le(atomic_load(&o.f.server->requests), 1);
		test_result_finish(&result);
		close_outside(&o);
	}
}
END_TEST

struct canceled {
	struct test_outcome result; /* first: the handler casts back */
	struct kube_transport *transport;
};

static void cancel_at_head(void *arg, const struct kube_response_head *head)
{
	struct test_outcome *result = arg;
	(void)head;
	kube_transport_cancel(((struct canceled *)result)->transport, result->exchange);
	result->heads++;
	kube_loop_stop(result->client->loop);
}

static void never(void *arg, const struct kube_err *err)
{
	(void)arg;
	ck_abort_msg("done after a cancel: %s", err ? err->message : "well");
}

/* Inside of its own callback, and with others in flight when all is taken down. */
START_TEST(cancels)
{
	static const struct kube_exchange_handlers handlers = {.on_head = cancel_at_head, .on_done = never};
	struct outside o = {0};
	struct canceled canceled = {.result.client = &o.f.client};
	struct test_outcome left = {.client = &o.f.client};
	char url[64];
	open_outside(&o, "IP:127.0.0.1", "127.0.0.1");
	struct kube_transport *transport = kube_outgoing_transport(o.outgoing);
	canceled.transport = transport;
	const struct kube_request_auth auth = {.ca_pem = o.f.ca.cert_pem};
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/stream", o.f.server->port);
	const struct kube_request request = {.method = "GET", .target = url, .auth = &auth};
	ck_assert_int_eq(kube_transport_send(transport, &request, &handlers, &canceled, &canceled.result.exchange, NULL),
	                 0);
	ck_assert_int_eq(kube_transport_send(transport, &request, &(struct kube_exchange_handlers){.on_done = never}, &left,
	                                     &left.exchange, NULL),
	                 0);
	kube_transport_cancel(transport, left.exchange);
	test_await(&o.f.client, canceled.result.heads == 1);
	ck_assert_int_eq(kube_transport_send(transport, &request, &(struct kube_exchange_handlers){.on_done = never}, &left,
	                                     &left.exchange, NULL),
	                 0);
	close_outside(&o);
}
END_TEST

START_TEST(no_more_than_the_maximum)
{
	struct outside o = {0};
	struct test_outcome silent[KUBE_OUTGOING_MAX], one_more = {.client = &o.f.client};
	char url[64];
	struct kube_err err;
	open_outside(&o, "IP:127.0.0.1", "127.0.0.1");
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/silent", o.f.server->port);
	const struct kube_request request = {.method = "GET", .target = url};
	struct kube_transport *transport = kube_outgoing_transport(o.outgoing);
	for (size_t i = 0; i < KUBE_OUTGOING_MAX; i++)
		ck_assert_int_eq(
		    kube_transport_send(transport, &request, &test_handlers, &silent[i], &silent[i].exchange, &err), 0);
	ck_assert_int_eq(kube_transport_send(transport, &request, &test_handlers, &one_more, &one_more.exchange, &err),
	                 KUBE_E_LIMIT);
	close_outside(&o);
}
END_TEST

CHECK_MAIN("outgoing", rules, api_server_by_another_name, credentials, bad_answers, cancels, no_more_than_the_maximum)
