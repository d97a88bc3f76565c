#include "test/unit/check_main.h"

#include <kube/mem.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

#define LIMIT 10000

/* A client that writes down what it hears: "200:text/plain ", "data ", "done " or "done:<code> ". */
struct bench {
	struct kube_sim *sim;
	struct kube_exchange *exchange; /* the client's */
	struct kube_exchange *served;   /* the server's */
	char heard[512];
	char date[64];
	int data_rc;
	enum { CANCEL_NEVER, CANCEL_ON_HEAD, CANCEL_ON_DATA } cancel;
};

static int64_t now(struct bench *bench)
{
	return kube_env_mono_ms(kube_sim_env(bench->sim));
}

static void hear(struct bench *bench, const char *text)
{
	size_t len = strlen(bench->heard);

	snprintf(bench->heard + len, sizeof(bench->heard) - len, "%lld:%s ", (long long)now(bench), text);
}

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct bench *bench = arg;
	char text[128];

	snprintf(text, sizeof(text), "%d/%d/%s", head->status, head->retry_after_s, head->content_type);
	snprintf(bench->date, sizeof(bench->date), "%s", head->date);
	hear(bench, text);
	if (bench->cancel == CANCEL_ON_HEAD)
		kube_transport_cancel(kube_sim_transport(bench->sim), bench->exchange);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct bench *bench = arg;
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)len, bytes);
	hear(bench, text);
	if (bench->cancel == CANCEL_ON_DATA)
		kube_transport_cancel(kube_sim_transport(bench->sim), bench->exchange);
	return bench->data_rc;
}

static void on_done(void *arg, const struct kube_err *err)
{
	char text[64] = "done";

	if (err)
		snprintf(text, sizeof(text), "done%d", err->code);
	hear(arg, text);
}

static void on_serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange,
                     const struct kube_request *request)
{
	struct bench *bench = arg;

	ck_assert_ptr_eq(sim, bench->sim);
	ck_assert_str_eq(request->method, "POST");
	ck_assert_str_eq(request->target, "/x");
	ck_assert_uint_eq(request->body_len, 4);
	ck_assert_int_eq(memcmp(request->body, "b\0dy", 4), 0);
	bench->served = exchange;
}

/* Sends a request, which arrives at the server. */
static void setup(struct bench *bench, int64_t timeout_ms, int64_t idle_timeout_ms)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	char method[] = "POST", target[] = "/x", body[] = "b\0dy";
	struct kube_request request = {.method = method,
	                               .target = target,
	                               .body = body,
	                               .body_len = 4,
	                               .timeout_ms = timeout_ms,
	                               .idle_timeout_ms = idle_timeout_ms};

	*bench = (struct bench){.data_rc = 0};
	ck_assert_int_eq(kube_sim_new(1, 784111777000, &bench->sim, NULL), 0);
	kube_sim_serve(bench->sim, on_serve, bench);
	ck_assert_int_eq(
	    kube_transport_send(kube_sim_transport(bench->sim), &request, &handlers, bench, &bench->exchange, NULL), 0);
	memset(method, 'z', strlen(method)); /* all copied */
	memset(target, 'z', strlen(target));
	memset(body, 'z', sizeof(body));
	ck_assert_ptr_null(bench->served); /* never from within send */
	kube_sim_run(bench->sim, 0, LIMIT);
	ck_assert_ptr_nonnull(bench->served);
	ck_assert_str_eq(bench->heard, "");
}

static void on_serve_outside(void *arg, struct kube_sim *sim, struct kube_exchange *exchange,
                             const struct kube_request *request)
{
	(void)sim;
	ck_assert_str_eq(request->target, "https://metrics.example/x");
	ck_assert_str_eq(request->auth->token, "t0ken");
	ck_assert_str_eq(request->auth->username, "me");
	ck_assert_ptr_null(request->auth->password);
	ck_assert_str_eq(request->auth->ca_pem, "pem");
	((struct bench *)arg)->served = exchange;
}

START_TEST(what_a_request_shows_to_another_server_is_copied)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	char token[] = "t0ken", user[] = "me", pem[] = "pem";
	const struct kube_request_auth auth = {.token = token, .username = user, .ca_pem = pem};
	const struct kube_request request = {.method = "GET", .target = "https://metrics.example/x", .auth = &auth};
	struct bench bench = {.data_rc = 0};

	ck_assert_int_eq(kube_sim_new(1, 784111777000, &bench.sim, NULL), 0);
	kube_sim_serve_outside(bench.sim, on_serve_outside, &bench);
	ck_assert_int_eq(
	    kube_transport_send(kube_sim_transport(bench.sim), &request, &handlers, &bench, &bench.exchange, NULL), 0);
	memset(token, 'z', strlen(token));
	memset(user, 'z', strlen(user));
	memset(pem, 'z', strlen(pem));
	kube_sim_run(bench.sim, 0, LIMIT);
	ck_assert_ptr_nonnull(bench.served);
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(answers_come_in_order)
{
	struct bench bench;

	setup(&bench, 0, 0);
	kube_sim_reply_head(bench.sim, bench.served, 10, 429, 7, "text/plain");
	kube_sim_reply_data(bench.sim, bench.served, 30, "one", 3);
	kube_sim_reply_data(bench.sim, bench.served, 20, "two", 3); /* not before the one */
	kube_sim_reply_end(bench.sim, bench.served, 40, 0, NULL);
	ck_assert_str_eq(bench.heard, "");
	kube_sim_run(bench.sim, 39, LIMIT);
	ck_assert(kube_sim_open(bench.sim, bench.served));
	kube_sim_run(bench.sim, 100, LIMIT);
	ck_assert(!kube_sim_open(bench.sim, bench.served));
	ck_assert_str_eq(bench.heard, "10:429/7/text/plain 30:one 30:two 40:done ");
	ck_assert_str_eq(bench.date, "Sun, 06 Nov 1994 08:49:37 GMT");
	/* Nobody listens any more. */
	kube_sim_reply_json(bench.sim, bench.served, 0, 200, "{}");
	kube_sim_run(bench.sim, 200, LIMIT);
	ck_assert_str_eq(bench.heard, "10:429/7/text/plain 30:one 30:two 40:done ");
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(whole_answers_and_errors)
{
	struct bench bench;

	setup(&bench, 0, 0);
	kube_sim_reply_json(bench.sim, bench.served, 5, 201, "{}");
	kube_sim_run(bench.sim, 100, LIMIT);
	ck_assert_str_eq(bench.heard, "5:201/-1/application/json 5:{} 5:done ");
	kube_sim_free(bench.sim);
	setup(&bench, 0, 0);
	kube_sim_reply_end(bench.sim, bench.served, 5, KUBE_E_CLOSED, "cut");
	kube_sim_run(bench.sim, 100, LIMIT);
	ck_assert_str_eq(bench.heard, "5:done-9 ");
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(deadlines)
{
	struct bench bench;

	setup(&bench, 100, 0);
	kube_sim_reply_head(bench.sim, bench.served, 99, 200, -1, "");
	kube_sim_reply_end(bench.sim, bench.served, 101, 0, NULL);
	kube_sim_run(bench.sim, 1000, LIMIT);
	ck_assert_str_eq(bench.heard, "99:200/-1/ 100:done-8 ");
	kube_sim_free(bench.sim);
	setup(&bench, 0, 100);
	kube_sim_reply_head(bench.sim, bench.served, 60, 200, -1, "");
	kube_sim_reply_data(bench.sim, bench.served, 150, "x", 1);
	kube_sim_run(bench.sim, 1000, LIMIT);
	ck_assert_str_eq(bench.heard, "60:200/-1/ 150:x 250:done-8 ");
	kube_sim_free(bench.sim);
}
END_TEST

START_TEST(the_client_may_end_it)
{
	static const struct {
		int cancel, data_rc;
		const char *heard;
	} cases[] = {
	    {CANCEL_ON_HEAD, 0, "1:200/-1/application/json "},
	    {CANCEL_ON_DATA, 0, "1:200/-1/application/json 1:{} "},
	    {CANCEL_ON_DATA, KUBE_E_LIMIT, "1:200/-1/application/json 1:{} "},
	    {CANCEL_NEVER, KUBE_E_LIMIT, "1:200/-1/application/json 1:{} 1:done-3 "},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct bench bench;
		setup(&bench, 1000, 1000);
		bench.cancel = cases[i].cancel;
		bench.data_rc = cases[i].data_rc;
		kube_sim_reply_json(bench.sim, bench.served, 1, 200, "{}");
		kube_sim_run(bench.sim, 10000, LIMIT);
		ck_assert_str_eq(bench.heard, cases[i].heard);
		ck_assert(!kube_sim_open(bench.sim, bench.served));
		kube_sim_free(bench.sim);
	}
}
END_TEST

START_TEST(it_may_be_freed_with_requests_under_way)
{
	struct bench bench;

	setup(&bench, 1000, 1000);
	kube_sim_reply_json(bench.sim, bench.served, 1, 200, "{}");
	kube_sim_free(bench.sim);
	ck_assert_str_eq(bench.heard, "");
	kube_sim_free(NULL);
}
END_TEST

START_TEST(without_a_server)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	struct kube_request request = {.method = "GET", .target = "/"};
	struct bench bench = {.data_rc = 0};

	ck_assert_int_eq(kube_sim_new(1, 0, &bench.sim, NULL), 0);
	ck_assert_int_eq(
	    kube_transport_send(kube_sim_transport(bench.sim), &request, &handlers, &bench, &bench.exchange, NULL), 0);
	kube_sim_run(bench.sim, 10, LIMIT);
	ck_assert_str_eq(bench.heard, "0:done-6 ");
	kube_sim_free(bench.sim);
}
END_TEST

CHECK_MAIN("sim/transport", what_a_request_shows_to_another_server_is_copied, answers_come_in_order,
           whole_answers_and_errors, deadlines, the_client_may_end_it, it_may_be_freed_with_requests_under_way,
           without_a_server)
