/* The transport against a plain HTTP/1.1 server on loopback: what is sent, what is reported, and when. */
#include "lib/http/internal.h"
#include "test/unit/check_main.h"
#include "test/unit/http/client.h"
#include "test/unit/http/server.h"

#include <stdlib.h>

struct fixture {
	struct test_server *server;
	struct test_client client;
};

static void set_up(struct fixture *fixture)
{
	fixture->server = test_server_new(NULL, NULL);
	test_client_init(&fixture->client, "http", fixture->server->port);
}

static void tear_down(struct fixture *fixture)
{
	test_client_finish(&fixture->client);
	test_server_free(fixture->server);
}

START_TEST(reports_head_data_and_end)
{
	struct fixture f = {0};
	struct test_outcome result;
	set_up(&f);
	test_get(&f.client, "/json", &result);
	ck_assert_int_eq(result.code, 0);
	ck_assert_int_eq(result.heads, 1);
	ck_assert_int_eq(result.status, 200);
	ck_assert_int_eq(result.retry_after_s, -1);
	ck_assert_str_eq(result.content_type, "application/json");
	ck_assert_str_eq(result.date, "Sat, 21 Nov 2026 11:22:38 GMT");
	ck_assert_str_eq(result.warning, "299 - \"old API\", 299 - \"second\"");
	ck_assert_str_eq(result.flow_schema_uid, "fs-1");
	ck_assert_str_eq(result.priority_level_uid, "pl-1");
	ck_assert_str_eq(result.body.data, "{}");
	test_result_finish(&result);
	tear_down(&f);
}
END_TEST

static const struct {
	const char *target;
	int status, retry_after_s;
	const char *content_type, *body;
} answers[] = {
    {"/401", 401, -1, "", "no"},         {"/429", 429, 7, "", NULL},
    {"/503", 503, 30, "", NULL}, /* an HTTP-date, seen from the answer's own Date */
    {"/redirect", 302, -1, "", "moved"}, {"/hints", 200, -1, "text/real", "ok"}, /* the 103 before it is passed over */
    {"/cut-401", 401, -1, "", NULL}, /* the connection ends within the body, and the status has said it */
};

START_TEST(every_status_is_an_answer)
{
	struct fixture f = {0};
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(answers); i++) {
		struct test_outcome result;
		test_get(&f.client, answers[i].target, &result);
		ck_assert_msg(result.code == 0, "%s: %s", answers[i].target, result.err.message);
		ck_assert_int_eq(result.heads, 1);
		ck_assert_int_eq(result.status, answers[i].status);
		ck_assert_int_eq(result.retry_after_s, answers[i].retry_after_s);
		ck_assert_str_eq(result.content_type, answers[i].content_type);
		if (answers[i].body)
			ck_assert_str_eq(result.body.data, answers[i].body);
		test_result_finish(&result);
	}
	tear_down(&f);
}
END_TEST

static const struct {
	struct kube_request request;
	const char *line;
	const char *wanted[4];
	const char *unwanted[3];
} requests[] = {
    {{.method = "GET", .target = "/echo?limit=500&continue=a%2Fb"},
     "GET /echo?limit=500&continue=a%2Fb HTTP/1.1\r\n",
     {"\r\nAccept: application/json\r\n", "\r\nUser-Agent: test/1 (linux)\r\n", "\r\nHost: 127.0.0.1:"},
     {"Content-Type", "Expect", "Authorization"}},
    {{.method = "POST", .target = "/echo", .content_type = "application/json", .body = "{\"a\":\"b\"}", .body_len = 9},
     "POST /echo HTTP/1.1\r\n",
     {"\r\nContent-Type: application/json\r\n", "\r\nContent-Length: 9\r\n", "\r\n\r\n{\"a\":\"b\"}"},
     {"Expect", "urlencoded", "Authorization"}},
    {{.method = "POST", .target = "/echo"},
     "POST /echo HTTP/1.1\r\n",
     {"\r\nContent-Length: 0\r\n"},
     {"Expect", "Content-Type"}},
    {{.method = "PATCH",
      .target = "/echo",
      .accept = "application/vnd.kubernetes.protobuf",
      .content_type = "application/json-patch+json",
      .body = "[]",
      .body_len = 2},
     "PATCH /echo HTTP/1.1\r\n",
     {"\r\nAccept: application/vnd.kubernetes.protobuf\r\n", "\r\nContent-Type: application/json-patch+json\r\n",
      "\r\n\r\n[]"},
     {"Expect"}},
    {{.method = "PUT", .target = "/echo", .content_type = "a/b", .body = "\0x", .body_len = 2},
     "PUT /echo HTTP/1.1\r\n",
     {"\r\nContent-Length: 2\r\n"},
     {"Expect"}},
    {{.method = "DELETE", .target = "/echo"}, "DELETE /echo HTTP/1.1\r\n", {NULL}, {"Content-Length", "Content-Type"}},
    {{.method = "DELETE", .target = "/echo", .content_type = "application/json", .body = "{}", .body_len = 2},
     "DELETE /echo HTTP/1.1\r\n",
     {"\r\nContent-Length: 2\r\n", "\r\n\r\n{}"},
     {"Expect"}},
};

/* The server answers /echo with what it got. */
START_TEST(sends_what_was_asked)
{
	struct fixture f = {0};
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(requests); i++) {
		struct kube_request request = requests[i].request;
		struct test_outcome result;
		ck_assert_int_eq(test_send_with(&f.client, &request, &test_handlers, &result), 0);
		test_await(&f.client, result.done);
		ck_assert_msg(result.code == 0, "%s: %s", requests[i].line, result.err.message);
		ck_assert_msg(strncmp(result.body.data, requests[i].line, strlen(requests[i].line)) == 0, "%s",
		              result.body.data);
		for (size_t k = 0; k < 4 && requests[i].wanted[k]; k++)
			ck_assert_msg(strstr(result.body.data, requests[i].wanted[k]) != NULL, "%s", result.body.data);
		for (size_t k = 0; k < 3 && requests[i].unwanted[k]; k++)
			ck_assert_msg(strcasestr(result.body.data, requests[i].unwanted[k]) == NULL, "%s", result.body.data);
		test_result_finish(&result);
	}
	tear_down(&f);
}
END_TEST

static const struct {
	struct kube_request request;
	int code;
} bad_requests[] = {
    {{.method = "", .target = "/"}, KUBE_E_INVALID},
    {{.method = "GET\r\nX: y", .target = "/"}, KUBE_E_INVALID},
    {{.method = "GET", .target = ""}, KUBE_E_INVALID},
    {{.method = "GET", .target = "api"}, KUBE_E_INVALID},
    {{.method = "GET", .target = "@evil.example/api"}, KUBE_E_INVALID},
    {{.method = "GET", .target = "/a b"}, KUBE_E_INVALID},
    {{.method = "GET", .target = "/a\r\nX: y"}, KUBE_E_INVALID},
    {{.method = "GET", .target = "/\xc3\xa4"}, KUBE_E_INVALID},
    {{.method = "POST", .target = "/", .body = "", .body_len = HTTP_MAX_BODY_BYTES + 1}, KUBE_E_LIMIT},
};

START_TEST(refuses_bad_requests)
{
	struct fixture f = {0};
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad_requests); i++) {
		struct test_outcome result;
		int rc = test_send_with(&f.client, &bad_requests[i].request, &test_handlers, &result);
		ck_assert_int_eq(rc, bad_requests[i].code);
		ck_assert_int_eq(result.err.code, bad_requests[i].code);
		ck_assert_ptr_null(result.exchange);
	}
	tear_down(&f);
}
END_TEST

START_TEST(limits_requests_in_flight)
{
	struct fixture f = {0};
	struct kube_request request = {.method = "GET", .target = "/silent"};
	struct test_outcome result;
	set_up(&f);
	f.client.http->exchange_count = HTTP_MAX_EXCHANGES;
	ck_assert_int_eq(test_send_with(&f.client, &request, &test_handlers, &result), KUBE_E_LIMIT);
	f.client.http->exchange_count = 0;
	tear_down(&f);
}
END_TEST

START_TEST(streams)
{
	struct fixture f = {0};
	struct test_outcome first, second;
	set_up(&f);
	test_get(&f.client, "/stream", &first);
	ck_assert_int_eq(first.code, 0);
	ck_assert_uint_eq(first.body.len, 800);
	/* The second piece comes only after we have said that we saw the first. */
	test_start(&f.client, "/gated", &second);
	test_await(&f.client, second.pieces > 0);
	ck_assert_str_eq(second.body.data, "one");
	ck_assert(!second.done);
	test_server_open_gate(f.server);
	test_await(&f.client, second.done);
	ck_assert_str_eq(second.body.data, "onetwo");
	test_result_finish(&first);
	test_result_finish(&second);
	tear_down(&f);
}
END_TEST

static void stop_loop(struct kube_timer *timer, void *arg)
{
	(void)timer;
	kube_loop_stop(arg);
}

static void run_for(struct test_client *client, int64_t ms)
{
	struct kube_env *env = kube_loop_env(client->loop);
	struct kube_timer timer = {0};
	ck_assert_int_eq(kube_timer_start(env, &timer, ms, stop_loop, client->loop), 0);
	while (kube_timer_active(&timer))
		kube_loop_run(client->loop);
}

/* A watch whose second piece comes once the gate is open. After a piece it pauses for an hour, and curl has no timer of
 * its own that is due before: none for a second address (200 ms), none for a connection that is too slow. */
static void start_watch(struct fixture *f, struct test_outcome *news)
{
	static const struct kube_request watch = {.method = "GET", .target = "/gated", .watch = true};
	f->client.http->shortest_pause_ms = f->client.http->connect_timeout_ms = 3600 * 1000;
	ck_assert_int_eq(test_send_with(&f->client, &watch, &test_handlers, news), 0);
	test_await(&f->client, news->pieces > 0);
	run_for(&f->client, 300);
}

START_TEST(news_of_a_watch_come_together)
{
	struct fixture f = {0};
	struct test_outcome news, answer;
	set_up(&f);
	start_watch(&f, &news);
	test_server_open_gate(f.server);
	run_for(&f.client, 100);
	ck_assert_str_eq(news.body.data, "one");
	test_get(&f.client, "/json", &answer); /* nothing pauses while somebody waits for an answer */
	test_await(&f.client, news.done);
	ck_assert_str_eq(news.body.data, "onetwo");
	test_result_finish(&news);
	test_result_finish(&answer);
	tear_down(&f);
}
END_TEST

/* Its timers go with it, and curl says that it has none any more. */
START_TEST(a_pause_outlives_a_watch_that_ends)
{
	static const struct kube_request stalled = {.method = "GET", .target = "/stall", .watch = true};
	struct fixture f = {0};
	struct test_outcome news, other;
	set_up(&f);
	ck_assert_int_eq(test_send_with(&f.client, &stalled, &test_handlers, &other), 0);
	start_watch(&f, &news);
	ck_assert(kube_timer_active(&f.client.http->pool->pause));
	kube_transport_cancel(kube_http_transport(f.client.http), other.exchange);
	ck_assert(kube_timer_active(&f.client.http->pool->pause));
	test_result_finish(&news);
	test_result_finish(&other);
	tear_down(&f);
}
END_TEST

START_TEST(nothing_pauses_while_an_answer_is_waited_for)
{
	struct fixture f = {0};
	struct test_outcome news, silent;
	set_up(&f);
	test_start(&f.client, "/silent", &silent);
	start_watch(&f, &news);
	test_server_open_gate(f.server);
	test_await(&f.client, news.done);
	ck_assert_str_eq(news.body.data, "onetwo");
	ck_assert(!silent.done);
	test_result_finish(&news);
	test_result_finish(&silent);
	tear_down(&f);
}
END_TEST

START_TEST(news_wait_for_a_part_of_the_time_without_calls)
{
	static const struct {
		int64_t shortest_ms, quiet_ms, pause_ms;
	} cases[] = {{20, 0, 20},     {20, 200, 20},        {20, 500, 50},           {20, 1000, 100},
	             {20, 1500, 100}, {20, INT64_MAX, 100}, {3600000, 1500, 3600000}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		ck_assert_int_eq(http_pause_ms(cases[i].shortest_ms, cases[i].quiet_ms), cases[i].pause_ms);
	struct fixture f = {0};
	struct test_outcome answer;
	set_up(&f);
	f.client.http->called_ms = -1;
	test_get(&f.client, "/json", &answer);
	ck_assert_int_ge(f.client.http->called_ms, 0);
	ck_assert_int_le(f.client.http->called_ms, kube_env_mono_ms(kube_loop_env(f.client.loop)));
	test_result_finish(&answer);
	tear_down(&f);
}
END_TEST

START_TEST(runs_many_at_once)
{
	struct fixture f = {0};
	struct test_outcome results[40];
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(results); i++)
		test_start(&f.client, "/stream", &results[i]);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(results); i++) {
		test_await(&f.client, results[i].done);
		ck_assert_int_eq(results[i].code, 0);
		ck_assert_uint_eq(results[i].body.len, 800);
		test_result_finish(&results[i]);
	}
	tear_down(&f);
}
END_TEST

static const struct {
	const char *target;
	int64_t timeout_ms, idle_timeout_ms;
	int code, heads;
	const char *says;
} failures[] = {
    {"/hangup", 0, 0, KUBE_E_CLOSED, 0, "before it answered"},
    {"/cut", 0, 0, KUBE_E_CLOSED, 1, "in the middle of its answer"},
    {"/garbage", 0, 0, KUBE_E_PARSE, 0, "does not answer in HTTP"},
    {"/silent", 50, 0, KUBE_E_TIMEOUT, 0, "within 50 ms"},
    {"/stall", 3000, 0, KUBE_E_TIMEOUT, 1, "within 3000 ms"},
    {"/silent", 0, 50, KUBE_E_TIMEOUT, 0, "nothing for 50 ms"},
    {"/stall", 40000, 3000, KUBE_E_TIMEOUT, 1, "nothing for 3000 ms"},
};

START_TEST(says_what_failed)
{
	struct fixture f = {0};
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(failures); i++) {
		struct kube_request request = {.method = "GET",
		                               .target = failures[i].target,
		                               .timeout_ms = failures[i].timeout_ms,
		                               .idle_timeout_ms = failures[i].idle_timeout_ms};
		struct test_outcome result, after;
		ck_assert_int_eq(test_send_with(&f.client, &request, &test_handlers, &result), 0);
		test_await(&f.client, result.done);
		ck_assert_msg(result.code == failures[i].code, "%s: %d %s", failures[i].target, result.code,
		              result.err.message);
		ck_assert_int_eq(result.heads, failures[i].heads);
		ck_assert_msg(strstr(result.err.message, failures[i].says) != NULL, "%s", result.err.message);
		ck_assert_msg(strstr(result.err.message, f.client.server) != NULL, "%s", result.err.message);
		test_get(&f.client, "/json", &after); /* the client lives on */
		ck_assert_int_eq(after.code, 0);
		test_result_finish(&result);
		test_result_finish(&after);
	}
	tear_down(&f);
}
END_TEST

START_TEST(names_the_server_that_refuses)
{
	struct fixture f = {0};
	struct test_client client = {0};
	struct test_outcome result;
	f.server = test_server_new(NULL, NULL);
	int port = f.server->port;
	test_server_free(f.server);
	test_client_init(&client, "http", port);
	test_get(&client, "/json", &result);
	ck_assert_int_eq(result.code, KUBE_E_CONNECT);
	ck_assert_int_eq(result.heads, 0);
	ck_assert_msg(strstr(result.err.message, client.server) != NULL, "%s", result.err.message);
	test_client_finish(&client);
}
END_TEST

static int64_t restarted_ms;

static int on_data_seen(void *arg, const char *bytes, size_t len)
{
	struct test_outcome *result = arg;
	restarted_ms = result->exchange->idle.due_ms;
	return test_on_data(arg, bytes, len);
}

START_TEST(data_restart_the_idle_timer)
{
	static const struct kube_exchange_handlers handlers = {
	    .on_head = test_on_head, .on_data = on_data_seen, .on_done = test_on_done};
	struct kube_request request = {.method = "GET", .target = "/gated", .idle_timeout_ms = 60000};
	struct fixture f = {0};
	struct test_outcome result;
	set_up(&f);
	struct kube_env *env = kube_loop_env(f.client.loop);
	ck_assert_int_eq(test_send_with(&f.client, &request, &handlers, &result), 0);
	test_await(&f.client, result.pieces > 0);
	/* Some time passes before the gate opens: until the clock has moved on. */
	int64_t opened_ms = kube_env_mono_ms(env) + 2;
	while (kube_env_mono_ms(env) < opened_ms)
		uv_run(kube_loop_uv(f.client.loop), UV_RUN_NOWAIT);
	test_server_open_gate(f.server);
	test_await(&f.client, result.done);
	ck_assert_int_eq(result.code, 0);
	ck_assert_int_ge(restarted_ms, opened_ms + request.idle_timeout_ms);
	test_result_finish(&result);
	tear_down(&f);
}
END_TEST

static int stop_at_once(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
	return KUBE_E_LIMIT;
}

START_TEST(reader_ends_the_exchange)
{
	static const struct kube_exchange_handlers handlers = {.on_data = stop_at_once, .on_done = test_on_done};
	struct kube_request request = {.method = "GET", .target = "/stall"};
	struct fixture f = {0};
	struct test_outcome result;
	set_up(&f);
	ck_assert_int_eq(test_send_with(&f.client, &request, &handlers, &result), 0);
	test_await(&f.client, result.done);
	ck_assert_int_eq(result.code, KUBE_E_LIMIT);
	tear_down(&f);
}
END_TEST

static void cancel(struct test_outcome *result)
{
	kube_transport_cancel(kube_http_transport(result->client->http), result->exchange);
}

static struct test_outcome *victim; /* cancelled by a callback of another exchange */

static void cancel_on_head(void *arg, const struct kube_response_head *head)
{
	test_on_head(arg, head);
	cancel(victim ? victim : arg);
}

static int cancel_on_data(void *arg, const char *bytes, size_t len)
{
	int rc = test_on_data(arg, bytes, len);
	cancel(victim ? victim : arg);
	return rc;
}

static void cancel_on_done(void *arg, const struct kube_err *err)
{
	test_on_done(arg, err);
	cancel(victim ? victim : arg);
}

static const struct {
	const char *name;
	struct kube_exchange_handlers handlers;
	int heads, pieces; /* seen at the end by the one that is cancelled inside its own callback */
	bool done;
} cancels[] = {
    {"on_head", {.on_head = cancel_on_head, .on_data = test_on_data, .on_done = test_on_done}, 1, 0, false},
    {"on_data", {.on_head = test_on_head, .on_data = cancel_on_data, .on_done = test_on_done}, 1, 1, false},
    {"on_done", {.on_head = test_on_head, .on_data = test_on_data, .on_done = cancel_on_done}, 1, -1, true},
};

/* A later exchange proves that the loop went on, and that nothing more came of the cancelled one. */
START_TEST(may_be_cancelled_in_its_callbacks)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cancels); i++) {
		struct kube_request request = {.method = "GET", .target = "/stream", .timeout_ms = 20000};
		struct fixture f = {0};
		struct test_outcome result, after;
		victim = NULL;
		set_up(&f);
		ck_assert_int_eq(test_send_with(&f.client, &request, &cancels[i].handlers, &result), 0);
		test_await(&f.client, cancels[i].done ? result.done : f.client.http->exchange_count == 0);
		test_get(&f.client, "/json", &after);
		ck_assert_int_eq(result.heads, cancels[i].heads);
		if (cancels[i].pieces >= 0)
			ck_assert_int_eq(result.pieces, cancels[i].pieces);
		ck_assert(result.done == cancels[i].done);
		ck_assert_int_eq(f.client.http->exchange_count, 0);
		test_result_finish(&result);
		test_result_finish(&after);
		tear_down(&f);
	}
}
END_TEST

START_TEST(may_cancel_others_in_callbacks)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cancels); i++) {
		struct kube_request request = {.method = "GET", .target = "/json"};
		struct fixture f = {0};
		struct test_outcome waiting, result;
		set_up(&f);
		test_start(&f.client, "/stall", &waiting);
		test_await(&f.client, waiting.pieces > 0);
		victim = &waiting;
		ck_assert_int_eq(test_send_with(&f.client, &request, &cancels[i].handlers, &result), 0);
		test_await(&f.client, result.done);
		ck_assert_int_eq(result.code, 0);
		ck_assert(!waiting.done);
		ck_assert_int_eq(f.client.http->exchange_count, 0);
		test_result_finish(&waiting);
		test_result_finish(&result);
		tear_down(&f);
	}
}
END_TEST

START_TEST(may_be_cancelled_before_it_began)
{
	struct fixture f = {0};
	struct test_outcome gone, after;
	set_up(&f);
	test_start(&f.client, "/json", &gone);
	cancel(&gone);
	ck_assert_int_eq(f.client.http->exchange_count, 0);
	test_get(&f.client, "/json", &after);
	ck_assert_int_eq(gone.heads, 0);
	ck_assert(!gone.done);
	test_result_finish(&after);
	tear_down(&f);
}
END_TEST

static struct test_outcome chained, dropped;

/* Sends one more and one that is cancelled at once, from inside of curl. */
static int send_on_data(void *arg, const char *bytes, size_t len)
{
	struct test_outcome *result = arg;
	int rc = test_on_data(arg, bytes, len);
	test_start(result->client, "/json", &chained);
	test_start(result->client, "/json", &dropped);
	cancel(&dropped);
	return rc;
}

START_TEST(may_send_in_callbacks)
{
	static const struct kube_exchange_handlers handlers = {
	    .on_head = test_on_head, .on_data = send_on_data, .on_done = test_on_done};
	struct kube_request request = {.method = "GET", .target = "/json"};
	struct fixture f = {0};
	struct test_outcome result;
	set_up(&f);
	ck_assert_int_eq(test_send_with(&f.client, &request, &handlers, &result), 0);
	test_await(&f.client, result.done);
	test_await(&f.client, chained.done);
	ck_assert_int_eq(chained.code, 0);
	ck_assert_int_eq(chained.status, 200);
	ck_assert(!dropped.done);
	ck_assert_int_eq(dropped.heads, 0);
	ck_assert_int_eq(f.client.http->exchange_count, 0);
	test_result_finish(&result);
	test_result_finish(&chained);
	tear_down(&f);
}
END_TEST

START_TEST(free_ends_what_is_in_flight)
{
	struct fixture f = {0};
	struct test_outcome results[3];
	set_up(&f);
	for (int i = 0; i < 3; i++)
		test_start(&f.client, i ? "/stall" : "/silent", &results[i]);
	test_await(&f.client, results[1].pieces > 0 && results[2].pieces > 0);
	tear_down(&f);
	for (int i = 0; i < 3; i++) {
		ck_assert(!results[i].done);
		test_result_finish(&results[i]);
	}
	kube_http_free(NULL);
}
END_TEST

/* A proxy of the environment is for the world outside of this machine. */
START_TEST(loopback_needs_no_proxy)
{
	struct fixture f = {0};
	struct test_outcome result;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	set_up(&f);
	test_get(&f.client, "/json", &result);
	ck_assert_msg(result.code == 0, "%s", result.err.message);
	test_result_finish(&result);
	tear_down(&f);
}
END_TEST

static const struct {
	struct kube_config config;
	const char *user_agent;
	int code;
} bad_configs[] = {
    {{.server = (char *)"http://10.0.0.1:8080"}, "a/1", KUBE_E_INVALID},
    {{.server = (char *)"nonsense"}, "a/1", KUBE_E_INVALID},
    {{.server = (char *)"https://a:6443", .tls_server_name = (char *)"b\r\nX: y"}, "a/1", KUBE_E_INVALID},
    {{.server = (char *)"https://a:6443", .token = (char *)"b\r\nX: y"}, "a/1", KUBE_E_AUTH},
    {{.server = (char *)"https://a:6443"}, NULL, KUBE_E_INVALID},
};

START_TEST(refuses_bad_configs)
{
	struct kube_loop *loop = NULL;
	ck_assert_int_eq(kube_loop_new(&loop, NULL), 0);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad_configs); i++) {
		struct kube_http_options options = {.user_agent = bad_configs[i].user_agent};
		struct kube_http *http = NULL;
		struct kube_err err;
		ck_assert_int_eq(kube_http_new(loop, &bad_configs[i].config, &options, &http, &err), bad_configs[i].code);
		ck_assert_ptr_null(http);
	}
	kube_loop_free(loop);
}
END_TEST

static const struct {
	const char *retry_after, *date;
	int64_t wall_ms;
	int seconds;
} retry_afters[] = {
    {"0", "", 0, 0},
    {"120", "", 0, 120},
    {"99999999999999999999", "", 0, INT32_MAX},
    {"-1", "", 0, -1},
    {"1.5", "", 0, -1},
    {"soon", "", 0, -1},
    {"Thu, 01 Jan 1970 00:01:00 GMT", "", 0, 60},
    {"Thu, 01 Jan 1970 00:01:00 GMT", "", 59001, 1},
    {"Thu, 01 Jan 1970 00:01:00 GMT", "", 70000, 0},
    {"Thu, 01 Jan 1970 00:01:00 GMT", "Thu, 01 Jan 1970 00:00:50 GMT", 0, 10},
    {"Thu, 01 Jan 1970 00:01:00 GMT", "yesterday", 58000, 2},
};

START_TEST(reads_retry_after)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(retry_afters); i++)
		ck_assert_msg(http_retry_after_s(retry_afters[i].retry_after, retry_afters[i].date, retry_afters[i].wall_ms) ==
		                  retry_afters[i].seconds,
		              "row %zu", i);
}
END_TEST

CHECK_MAIN("http", reports_head_data_and_end, every_status_is_an_answer, sends_what_was_asked, refuses_bad_requests,
           limits_requests_in_flight, streams, news_of_a_watch_come_together, a_pause_outlives_a_watch_that_ends,
           nothing_pauses_while_an_answer_is_waited_for, news_wait_for_a_part_of_the_time_without_calls,
           runs_many_at_once, says_what_failed, names_the_server_that_refuses, data_restart_the_idle_timer,
           reader_ends_the_exchange, may_be_cancelled_in_its_callbacks, may_cancel_others_in_callbacks,
           may_be_cancelled_before_it_began, may_send_in_callbacks, free_ends_what_is_in_flight,
           loopback_needs_no_proxy, refuses_bad_configs, reads_retry_after)
