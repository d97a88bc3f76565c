/* Requests to servers that policies name: the Secret that goes along, and every way in which it can go wrong. */
#include "test/unit/check_main.h"

#include "controller/observe/fetch.h"
#include "controller/observe/secret.h"

#include <kube/mem.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

/* ---- which Secret may go where ---- */

#define DATA "\"data\":{\"token\":\"dG9rZW4K\"}" /* "token\n" */

static const struct {
	const char *metadata, *data, *url, *says; /* says NULL: it may */
} secrets[] = {
    {"\"labels\":{\"patchwright.io/use\":\"gate\"}", DATA, "https://a.b:1/x", NULL},
    {"\"annotations\":{\"patchwright.io/use\":\"gate\"}", DATA, "https://a.b", NULL},
    {"\"labels\":{\"patchwright.io/use\":\"channel\"}", DATA, "https://a.b", "patchwright.io/use=gate"},
    {"\"labels\":{\"patchwright.io/use\":\"gate2\"}", DATA, "https://a.b", "patchwright.io/use=gate"},
    {"\"labels\":{}", DATA, "https://a.b", "patchwright.io/use=gate"},
#define HOSTS(list) \
	"\"labels\":{\"patchwright.io/use\":\"gate\"},\"annotations\":{\"patchwright.io/hosts\":\"" list "\"}"
    {HOSTS("a.b"), DATA, "https://a.b:9090/x?y=z", NULL},
    {HOSTS("x, A.B:9090"), DATA, "https://a.b:9090/", NULL},
    {HOSTS("a.b:9091"), DATA, "https://a.b:9090", "does not list it"},
    {HOSTS("a.b:9090"), DATA, "https://a.b", "does not list it"},
    {HOSTS("b"), DATA, "https://a.b", "does not list it"},
    {HOSTS("a.b"), DATA, "https://a.b.c", "does not list it"},
    {HOSTS("a.b"), DATA, "https://c/a.b", "does not list it"},
    {HOSTS("a.b"), DATA, "https://c?a.b", "does not list it"},
    {HOSTS(""), DATA, "https://a.b", "does not list it"},
    {HOSTS("[fd00::1]"), DATA, "https://[fd00::1]:9090/", NULL},
    {HOSTS("[fd00::1]:9090"), DATA, "https://[fd00::1]:9090/", NULL},
    {HOSTS("[fd00"), DATA, "https://[fd00::1]:9090/", "does not list it"},
    {"\"labels\":{\"patchwright.io/use\":\"gate\"}", "\"data\":{\"token\":\"%%\"}", "https://a.b", "is not base64"},
    {"\"labels\":{\"patchwright.io/use\":\"gate\"}", "\"data\":{\"other\":\"YQ==\"}", "https://a.b", "holds none"},
    {"\"labels\":{\"patchwright.io/use\":\"gate\"}", "\"type\":\"Opaque\"", "https://a.b", "holds none"},
};

START_TEST(which_secret_may_go_where)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(secrets); i++) {
		char text[512];
		_cleanup_json_ cJSON *json = NULL;
		struct source_secret secret = {0};
		struct kube_err err = {0};
		int len = snprintf(text, sizeof(text), "{\"metadata\":{%s},%s}", secrets[i].metadata, secrets[i].data);
		ck_assert_int_eq(kube_json_parse(text, (size_t)len, &json, &err), 0);
		int rc = source_secret_decode(json, "s", "gate", secrets[i].url, &secret, &err);
		ck_assert_msg((rc == 0) == !secrets[i].says, "row %zu: %d %s", i, rc, err.message);
		ck_assert_msg(!secrets[i].says || strstr(err.message, secrets[i].says), "row %zu: %s", i, err.message);
		if (rc == 0)
			ck_assert_str_eq(secret.token, "token");
		source_secret_finish(&secret);
		ck_assert_ptr_null(secret.token);
	}
}
END_TEST

/* ---- requests ---- */

struct test {
	struct kube_sim *sim;
	struct kube_client *client;
	struct kube_transport recorder; /* passes on to the sim, which is told nothing of credentials */
	struct fetcher fetcher;
	const char *secret; /* what the API server answers; NULL: 404 */
	int status;
	size_t pieces; /* of 64 KiB, in the answer */
	bool silent;
	char token[32], username[32], password[32], ca_pem[32];
	int sent, answers, code;
	size_t len;
	char message[512];
};

static struct test *test_of(struct kube_transport *transport)
{
	return (struct test *)((char *)transport - offsetof(struct test, recorder));
}

static int record(struct kube_transport *transport, const struct kube_request *request,
                  const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
                  struct kube_err *err)
{
	struct test *t = test_of(transport);
	t->sent++;
	ck_assert_str_eq(request->target, "https://a.b/x");
	snprintf(t->token, sizeof(t->token), "%s", request->auth->token ? request->auth->token : "");
	snprintf(t->username, sizeof(t->username), "%s", request->auth->username ? request->auth->username : "");
	snprintf(t->password, sizeof(t->password), "%s", request->auth->password ? request->auth->password : "");
	snprintf(t->ca_pem, sizeof(t->ca_pem), "%s", request->auth->ca_pem ? request->auth->ca_pem : "");
	return kube_transport_send(kube_sim_transport(t->sim), request, handlers, arg, ret_exchange, err);
}

static void cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	kube_transport_cancel(kube_sim_transport(test_of(transport)->sim), exchange);
}

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	static const char piece[1 << 16];
	struct test *t = arg;
	if (strcmp(request->target, "/api/v1/namespaces/own/secrets/s") == 0) {
		kube_sim_reply_json(sim, exchange, 1, t->secret ? 200 : 404, t->secret ? t->secret : "{}");
		return;
	}
	ck_assert_str_eq(request->target, "https://a.b/x");
	if (t->silent)
		return;
	kube_sim_reply_head(sim, exchange, 1, t->status, -1, "text/plain");
	for (size_t i = 0; i < t->pieces; i++)
		kube_sim_reply_data(sim, exchange, 1, piece, sizeof(piece));
	kube_sim_reply_end(sim, exchange, 1, 0, NULL);
}

static void note(void *arg, const struct fetch_answer *answer, const struct kube_err *err)
{
	struct test *t = arg;
	ck_assert(!answer == (err != NULL));
	t->answers++;
	t->code = err ? err->code : answer->status;
	t->len = answer ? answer->len : 0;
	snprintf(t->message, sizeof(t->message), "%s", err ? err->message : "");
}

static void open_test(struct test *t)
{
	static const struct kube_transport_ops ops = {record, cancel};
	ck_assert_int_eq(kube_sim_new(1, 0, &t->sim, NULL), 0);
	kube_sim_serve(t->sim, serve, t);
	ck_assert_int_eq(kube_client_new(kube_sim_env(t->sim), kube_sim_transport(t->sim), &t->client, NULL), 0);
	t->recorder.ops = &ops;
	t->fetcher = (struct fetcher){.client = t->client, .outgoing = &t->recorder, .namespace_ = "own"};
}

static void close_test(struct test *t)
{
	kube_client_free(t->client);
	kube_sim_free(t->sim);
}

static struct fetch *start(struct test *t, const char *secret)
{
	const struct fetch_request request = {.url = "https://a.b/x", .secret = secret, .use = "gate", .timeout_ms = 5000};
	struct fetch *fetch = NULL;
	ck_assert_int_eq(fetch_start(&t->fetcher, &request, note, t, &fetch, NULL), 0);
	ck_assert_int_eq(t->answers, 0);
	return fetch;
}

#define FOR_GATES "{\"metadata\":{\"labels\":{\"patchwright.io/use\":\"gate\"}},\"data\":{"

static const struct {
	const char *secret; /* NULL: none is named; "": it is not there */
	int status;
	size_t pieces;
	bool silent;
	int code; /* the status, or an error */
	int sent;
	const char *token, *username, *password, *ca_pem, *says;
} fetches[] = {
    {NULL, 200, 0, false, 200, 1, "", "", "", "", ""},
    {NULL, 302, 0, false, 302, 1, "", "", "", "", ""},
    {NULL, 200, 16, false, 200, 1, "", "", "", "", ""}, /* 1 MiB */
    {NULL, 200, 17, false, KUBE_E_LIMIT, 1, "", "", "", "", "larger than 1048576 bytes"},
    {NULL, 200, 1000, false, KUBE_E_LIMIT, 1, "", "", "", "", "larger than 1048576 bytes"},
    {NULL, 200, 0, true, KUBE_E_TIMEOUT, 1, "", "", "", "", ""},
    {"", 200, 0, false, KUBE_E_NOTFOUND, 0, "", "", "", "", "no Secret s in the namespace own"},
    {"{\"metadata\":{}}", 200, 0, false, KUBE_E_INVALID, 0, "", "", "", "", "patchwright.io/use=gate"},
    {FOR_GATES "\"token\":\"YWJj\"}}", 200, 0, false, 200, 1, "abc", "", "", "", ""},
    {FOR_GATES "\"username\":\"bWU=\",\"password\":\"YTpi\"}}", 200, 0, false, 200, 1, "", "me", "a:b", "", ""},
    {FOR_GATES "\"ca.crt\":\"YQpiCg==\"}}", 200, 0, false, 200, 1, "", "", "", "a\nb\n", ""},
};

START_TEST(requests)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(fetches); i++) {
		struct test t = {.status = fetches[i].status, .pieces = fetches[i].pieces, .silent = fetches[i].silent};
		t.secret = fetches[i].secret && *fetches[i].secret ? fetches[i].secret : NULL;
		open_test(&t);
		start(&t, fetches[i].secret ? "s" : NULL);
		kube_sim_run(t.sim, 60000, 10000);
		ck_assert_int_eq(t.answers, 1);
		ck_assert_msg(t.code == fetches[i].code, "row %zu: %d %s", i, t.code, t.message);
		ck_assert_msg(t.sent == fetches[i].sent, "row %zu: %d requests", i, t.sent);
		ck_assert_msg(strstr(t.message, fetches[i].says) != NULL, "row %zu: %s", i, t.message);
		ck_assert_str_eq(t.token, fetches[i].token);
		ck_assert_str_eq(t.username, fetches[i].username);
		ck_assert_str_eq(t.password, fetches[i].password);
		ck_assert_str_eq(t.ca_pem, fetches[i].ca_pem);
		ck_assert_uint_eq(t.len, t.code == 200 ? fetches[i].pieces << 16 : 0);
		close_test(&t);
	}
}
END_TEST

/* While the Secret is read, while the server answers, and before what was wrong has been told. */
START_TEST(cancels)
{
	for (int when = 0; when < 3; when++) {
		struct test t = {.secret = FOR_GATES "\"token\":\"YWJj\"}}", .silent = true};
		open_test(&t);
		struct fetch *fetch = start(&t, when == 2 ? "Not A Name" : "s");
		if (when == 1)
			kube_sim_run(t.sim, 100, 10000);
		ck_assert_int_eq(t.sent, when == 1);
		fetch_cancel(fetch);
		kube_sim_run(t.sim, 60000, 10000);
		ck_assert_int_eq(t.answers, 0);
		close_test(&t);
	}
	fetch_cancel(NULL);
}
END_TEST

START_TEST(wrong_names_are_told)
{
	struct test t = {0};
	open_test(&t);
	start(&t, "Not A Name");
	kube_sim_run(t.sim, 60000, 10000);
	ck_assert_int_eq(t.answers, 1);
	ck_assert_int_eq(t.code, KUBE_E_INVALID);
	close_test(&t);
}
END_TEST

CHECK_MAIN("fetch", which_secret_may_go_where, requests, cancels, wrong_names_are_told)
