#include "test/unit/check_main.h"

#include <kube/client.h>
#include <kube/json.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

#define LIMIT 10000
#define MAX_ANSWERS 16
#define STATUS(code, reason) \
	"{\"kind\":\"Status\",\"code\":" #code ",\"reason\":\"" reason "\",\"message\":\"the message\"}"
#define BUDGET \
	"{\"reason\":\"TooManyRequests\",\"message\":\"m\",\"details\":{\"causes\":[{\"reason\":\"DisruptionBudget\"}]}}"

struct answer {
	int status; /* 0: an error instead */
	int retry_after_s;
	const char *type, *body; /* type NULL: application/json */
	int end;                 /* an error code */
};

/* A client, a server that plays a list of answers, and what the caller was told. */
struct bench {
	struct kube_sim *sim;
	struct kube_client *client;
	const struct answer *answers; /* the last one repeats */
	size_t answer_count, requests;
	int64_t at_ms[32];
	char request[512]; /* "<METHOD> <target> <content type> <body>" of the last one */
	int64_t timeout_ms;
	unsigned replies;
	char json[256]; /* "-": none */
	struct kube_err err;
	char observed[512];
	struct kube_op *op;
	bool cancel_in_reply, free_in_reply;
	int repeats; /* that may_repeat allows */
};

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	struct bench *bench = arg;
	size_t number = bench->requests++;
	const struct answer *answer = &bench->answers[number < bench->answer_count ? number : bench->answer_count - 1];

	ck_assert_uint_lt(number, KUBE_ARRAY_LEN(bench->at_ms));
	bench->at_ms[number] = kube_env_mono_ms(kube_sim_env(sim));
	bench->timeout_ms = request->timeout_ms;
	snprintf(bench->request, sizeof(bench->request), "%s %s %s %.*s", request->method, request->target,
	         request->content_type ? request->content_type : "-", (int)request->body_len,
	         request->body ? (const char *)request->body : "");
	if (answer->status) {
		kube_sim_reply_head(sim, exchange, 0, answer->status, answer->retry_after_s,
		                    answer->type ? answer->type : "application/json; charset=utf-8");
		kube_sim_reply_data(sim, exchange, 0, answer->body, strlen(answer->body));
	}
	kube_sim_reply_end(sim, exchange, 0, answer->end, "it broke");
}

static void on_reply(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct bench *bench = arg;
	_cleanup_free_ char *text = json ? kube_json_canonical(json) : NULL;

	bench->replies++;
	snprintf(bench->json, sizeof(bench->json), "%s", text ? text : "-");
	kube_err_reset(&bench->err);
	if (err)
		bench->err = *err;
	if (bench->cancel_in_reply)
		kube_op_cancel(bench->op);
	if (bench->free_in_reply)
		kube_client_free(take(bench->client));
}

static void observe(void *arg, const char *method, const struct kube_resource *resource, int http_status)
{
	struct bench *bench = arg;
	size_t len = strlen(bench->observed);

	snprintf(bench->observed + len, sizeof(bench->observed) - len, "%s/%s/%d ", method,
	         resource ? resource->plural : "-", http_status);
}

static void setup(struct bench *bench, const struct answer *answers, size_t count)
{
	*bench = (struct bench){.answers = answers, .answer_count = count};
	ck_assert_int_eq(kube_sim_new(1, 1000000000, &bench->sim, NULL), 0);
	kube_sim_serve(bench->sim, serve, bench);
	ck_assert_int_eq(kube_client_new(kube_sim_env(bench->sim), kube_sim_transport(bench->sim), &bench->client, NULL),
	                 0);
	kube_client_observe(bench->client, observe, bench);
}

static void teardown(struct bench *bench)
{
	kube_client_free(bench->client);
	kube_sim_free(bench->sim);
}

static void call(struct bench *bench, const struct kube_call *call)
{
	ck_assert_int_eq(kube_client_send(bench->client, call, on_reply, bench, &bench->op, NULL), 0);
}

static void run(struct bench *bench)
{
	ck_assert_uint_lt(kube_sim_run(bench->sim, 10000000, LIMIT), LIMIT);
}

static const struct kube_call get_node = {.method = "GET", .resource = &kube_nodes, .name = "n"};

START_TEST(requests_are_made)
{
	static const struct answer answers[] = {{.status = 200, .body = "{\"b\":1}"}};
	_cleanup_json_ cJSON *body = cJSON_Parse("{ \"a\" : [1] }");
	const struct {
		struct kube_call call;
		const char *request;
	} cases[] = {
	    {get_node, "GET /api/v1/nodes/n - "},
	    {{.method = "GET", .resource = &kube_pods, .query = "limit=1"}, "GET /api/v1/pods?limit=1 - "},
	    {{.method = "GET", .target = "/readyz", .query = "verbose"}, "GET /readyz?verbose - "},
	    {{.method = "POST",
	      .resource = &kube_pods,
	      .namespace_ = "ns",
	      .name = "p",
	      .subresource = "eviction",
	      .body = body},
	     "POST /api/v1/namespaces/ns/pods/p/eviction application/json {\"a\":[1]}"},
	    {{.method = "PATCH", .resource = &kube_nodes, .name = "n", .content_type = KUBE_PATCH_MERGE, .body = body},
	     "PATCH /api/v1/nodes/n application/merge-patch+json {\"a\":[1]}"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct bench bench;
		setup(&bench, answers, 1);
		call(&bench, &cases[i].call);
		ck_assert_uint_eq(bench.requests, 0);
		run(&bench);
		ck_assert_str_eq(bench.request, cases[i].request);
		ck_assert_int_eq(bench.timeout_ms, 30000);
		ck_assert_uint_eq(bench.replies, 1);
		ck_assert_int_eq(bench.err.code, 0);
		ck_assert_str_eq(bench.json, "{\"b\":1}");
		teardown(&bench);
	}
}
END_TEST

START_TEST(bad_calls_are_refused_at_once)
{
	static const struct kube_call cases[] = {
	    {.method = "GET"},
	    {.resource = &kube_nodes},
	    {.method = "GET", .target = "readyz"},
	    {.method = "GET", .resource = &kube_nodes, .name = "../x"},
	};
	static const struct answer answers[] = {{.status = 200, .body = "{}"}};
	struct bench bench;
	struct kube_err err;

	setup(&bench, answers, 1);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		ck_assert_int_eq(kube_client_send(bench.client, &cases[i], on_reply, &bench, NULL, &err), KUBE_E_INVALID);
	run(&bench);
	ck_assert_uint_eq(bench.requests + bench.replies, 0);
	teardown(&bench);
}
END_TEST

/* One answer, which decides. */
START_TEST(answers_are_decoded)
{
	static const struct {
		struct answer answer;
		int code;
		const char *json, *reason, *message;
	} cases[] = {
	    {{.status = 201, .body = "{}"}, 0, "{}", "", ""},
	    {{.status = 200, .body = "null"}, 0, "null", "", ""},
	    {{.status = 200, .body = ""}, 0, "-", "", ""},
	    {{.status = 200, .type = "text/plain", .body = "ok"}, 0, "-", "", ""},
	    {{.status = 200, .body = "{\"a\""}, KUBE_E_PARSE, "-", "", "GET /api/v1/nodes/n: not valid JSON"},
	    {{.status = 409, .body = STATUS(409, "Conflict")},
	     KUBE_E_API,
	     "-",
	     "Conflict",
	     "GET /api/v1/nodes/n: the message"},
	    {{.status = 403, .body = "{\"a\""}, KUBE_E_API, "-", "", "HTTP status 403 (Forbidden)"},
	    {{.status = 502, .type = "text/html", .body = "<html>"}, KUBE_E_API, "-", "", "HTTP status 502"},
	    {{.status = 302, .body = "{}"}, KUBE_E_API, "-", "", "HTTP status 302"},
	    {{.end = KUBE_E_TLS}, KUBE_E_TLS, "-", "", "GET /api/v1/nodes/n: it broke"},
	    {{.status = 200, .body = "0123456789abcdef0"}, KUBE_E_LIMIT, "-", "", "longer than 16 bytes"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct answer answer = cases[i].answer;
		struct kube_call limited = get_node;
		struct bench bench;
		answer.retry_after_s = -1;
		limited.max_reply_bytes = strstr(cases[i].message, "16 bytes") ? 16 : 0;
		limited.query = "not=in&the=message";
		setup(&bench, &answer, 1);
		call(&bench, &limited);
		run(&bench);
		ck_assert_uint_eq(bench.requests, 1);
		ck_assert_uint_eq(bench.replies, 1);
		ck_assert_int_eq(bench.err.code, cases[i].code);
		ck_assert_int_eq(bench.err.http_status, cases[i].code == KUBE_E_API ? answer.status : 0);
		ck_assert_str_eq(bench.json, cases[i].json);
		ck_assert_str_eq(bench.err.reason, cases[i].reason);
		ck_assert_msg(strstr(bench.err.message, cases[i].message), "case %zu: %s", i, bench.err.message);
		teardown(&bench);
	}
}
END_TEST

START_TEST(only_success_is_asked_for)
{
	static const struct {
		struct answer answer;
		const char *reason;
	} cases[] = {
	    {{.status = 200, .body = "{\"items\":[1,2,3,4,5,6,7,8,9]}"}, ""},
	    {{.status = 403, .body = STATUS(403, "Forbidden")}, "Forbidden"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_call deletion = {.method = "DELETE",
		                             .resource = &kube_nodes,
		                             .no_document = true,
		                             .max_reply_bytes = *cases[i].reason ? 0 : 20};
		struct answer answer = cases[i].answer;
		struct bench bench;
		answer.retry_after_s = -1;
		setup(&bench, &answer, 1);
		call(&bench, &deletion);
		run(&bench);
		ck_assert_uint_eq(bench.replies, 1);
		ck_assert_str_eq(bench.json, "-");
		ck_assert_str_eq(bench.err.reason, cases[i].reason);
		ck_assert_int_eq(bench.err.code, *cases[i].reason ? KUBE_E_API : 0);
		teardown(&bench);
	}
}
END_TEST

/* The same answer again and again: how often is it asked for? */
START_TEST(retries)
{
	static const struct {
		const char *what, *method;
		struct answer answer;
		bool no_retry;
		size_t requests;
		int64_t last_ms; /* when the last request came */
	} cases[] = {
	    {"429 with Retry-After", "POST", {.status = 429, .retry_after_s = 2, .body = "{}"}, false, 11, 20000},
	    {"503 with Retry-After", "PATCH", {.status = 503, .retry_after_s = 1, .body = "{}"}, false, 11, 10000},
	    {"Retry-After of 0", "GET", {.status = 500, .retry_after_s = 0, .body = "{}"}, false, 11, 0},
	    {"429 without Retry-After", "GET", {.status = 429, .retry_after_s = -1, .body = "{}"}, false, 1, 0},
	    {"500 without Retry-After", "GET", {.status = 500, .retry_after_s = -1, .body = "{}"}, false, 1, 0},
	    {"409 with Retry-After", "GET", {.status = 409, .retry_after_s = 1, .body = "{}"}, false, 1, 0},
	    {"a very long Retry-After", "GET", {.status = 429, .retry_after_s = 3600, .body = "{}"}, false, 1, 0},
	    {"no_retry", "GET", {.status = 429, .retry_after_s = 1, .body = "{}"}, true, 1, 0},
	    {"an eviction that a budget blocks", "POST", {.status = 429, .retry_after_s = 1, .body = BUDGET}, false, 1, 0},
	    {"GET, connection closed", "GET", {.end = KUBE_E_CLOSED}, false, 11, 10000},
	    {"GET, connection reset", "GET", {.end = KUBE_E_IO}, false, 11, 10000},
	    {"GET, cut", "GET", {.status = 200, .retry_after_s = -1, .body = "{", .end = KUBE_E_CLOSED}, false, 11, 10000},
	    {"GET, no_retry", "GET", {.end = KUBE_E_CLOSED}, true, 1, 0},
	    {"GET, timeout", "GET", {.end = KUBE_E_TIMEOUT}, false, 1, 0},
	    {"GET, refused", "GET", {.end = KUBE_E_CONNECT}, false, 1, 0},
	    {"POST, connection closed", "POST", {.end = KUBE_E_CLOSED}, false, 1, 0},
	    {"DELETE, connection closed", "DELETE", {.end = KUBE_E_CLOSED}, false, 1, 0},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_call again = {
		    .method = cases[i].method, .resource = &kube_nodes, .name = "n", .no_retry = cases[i].no_retry};
		struct bench bench;
		setup(&bench, &cases[i].answer, 1);
		call(&bench, &again);
		run(&bench);
		ck_assert_msg(bench.requests == cases[i].requests, "%s: %zu requests", cases[i].what, bench.requests);
		ck_assert_msg(bench.at_ms[bench.requests - 1] == cases[i].last_ms, "%s: the last at %lld ms", cases[i].what,
		              (long long)bench.at_ms[bench.requests - 1]);
		ck_assert_uint_eq(bench.replies, 1);
		ck_assert_int_ne(bench.err.code, 0);
		teardown(&bench);
	}
}
END_TEST

static bool may_repeat(void *arg)
{
	return ((struct bench *)arg)->repeats-- > 0;
}

/* API Priority and Fairness does, in the server. */
START_TEST(no_limit_of_our_own)
{
	static const struct answer answers[] = {{.status = 200, .retry_after_s = -1, .body = "{}"}};
	struct bench bench;

	setup(&bench, answers, 1);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bench.at_ms); i++)
		call(&bench, &get_node);
	run(&bench);
	ck_assert_uint_eq(bench.replies, KUBE_ARRAY_LEN(bench.at_ms));
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bench.at_ms); i++)
		ck_assert_int_eq(bench.at_ms[i], 0);
	teardown(&bench);
}
END_TEST

START_TEST(whoever_must_not_send_any_more_is_asked_before_each_retry)
{
	static const struct answer answers[] = {{.status = 429, .retry_after_s = 1, .body = STATUS(429, "x")}};
	struct kube_call asked = get_node;
	asked.may_repeat = may_repeat;
	for (int repeats = 0; repeats < 3; repeats++) {
		struct bench bench;
		setup(&bench, answers, 1);
		bench.repeats = repeats;
		call(&bench, &asked);
		run(&bench);
		ck_assert_uint_eq(bench.requests, (size_t)repeats + 1);
		ck_assert_uint_eq(bench.replies, 1);
		ck_assert_int_eq(bench.err.code, KUBE_E_CANCELED);
		teardown(&bench);
	}
}
END_TEST

START_TEST(a_retry_that_succeeds)
{
	static const struct answer answers[] = {
	    {.status = 429, .retry_after_s = 1, .body = STATUS(429, "x")},
	    {.status = 200, .retry_after_s = -1, .body = "{\"cut\":", .end = KUBE_E_CLOSED},
	    {.status = 200, .retry_after_s = -1, .body = "{\"a\":1}"}};
	struct bench bench;

	setup(&bench, answers, 3);
	call(&bench, &get_node);
	run(&bench);
	ck_assert_int_eq(bench.err.code, 0);
	ck_assert_str_eq(bench.json, "{\"a\":1}"); /* nothing of the answers before */
	ck_assert_str_eq(bench.observed, "GET/nodes/429 GET/nodes/0 GET/nodes/200 ");
	teardown(&bench);
}
END_TEST

START_TEST(cancelled_calls_are_silent)
{
	static const struct answer answers[] = {{.status = 429, .retry_after_s = 1, .body = "{}"}};
	static const int64_t times_ms[] = {-1, 0, 500};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(times_ms); i++) {
		struct bench bench;
		setup(&bench, answers, 1);
		call(&bench, &get_node);
		kube_sim_run(bench.sim, times_ms[i], LIMIT);
		if (i % 2)
			kube_client_free(take(bench.client));
		else
			kube_op_cancel(bench.op);
		run(&bench);
		ck_assert_uint_eq(bench.replies, 0);
		ck_assert_uint_eq(bench.requests, times_ms[i] < 0 ? 0 : 1);
		teardown(&bench);
	}
	kube_op_cancel(NULL);
}
END_TEST

START_TEST(the_callback_may_cancel_or_free)
{
	static const struct answer answers[] = {{.status = 200, .retry_after_s = -1, .body = "{}"},
	                                        {.end = KUBE_E_TIMEOUT}};

	for (int i = 0; i < 4; i++) {
		struct bench bench;
		setup(&bench, &answers[i / 2], 1);
		bench.cancel_in_reply = i % 2 == 0;
		bench.free_in_reply = i % 2 == 1;
		call(&bench, &get_node);
		run(&bench);
		ck_assert_uint_eq(bench.replies, 1);
		teardown(&bench);
	}
}
END_TEST

static void note_date(struct kube_client *client, const char *date)
{
	kube_client_note_head(
	    client, &(struct kube_response_head){
	                .status = 200, .date = date, .warning = "", .flow_schema_uid = "", .priority_level_uid = ""});
}

/* Our wall clock shows Jan 12 1970; the server's says something else. */
START_TEST(the_servers_time)
{
	static const struct answer answers[] = {{.status = 200, .body = "{}"}};
	const int64_t base_ms = 784111777000;
	struct bench bench;

	setup(&bench, answers, 1);
	ck_assert_int_eq(kube_client_server_ms(bench.client), 1000000000);
	note_date(bench.client, "");
	note_date(bench.client, "yesterday");
	ck_assert_int_eq(kube_client_server_ms(bench.client), 1000000000);
	note_date(bench.client, "Sun, 06 Nov 1994 08:49:37 GMT");
	ck_assert_int_eq(kube_client_server_ms(bench.client), base_ms + 500);
	kube_sim_wall_jump(bench.sim, 86400000); /* no matter */
	kube_sim_run(bench.sim, 1000, LIMIT);
	ck_assert_int_eq(kube_client_server_ms(bench.client), base_ms + 1500);
	note_date(bench.client, "Sun, 06 Nov 1994 08:49:39 GMT"); /* 1 s off: the resolution of the header */
	ck_assert_int_eq(kube_client_server_ms(bench.client), base_ms + 1500);
	note_date(bench.client, "Sun, 06 Nov 1994 08:49:40 GMT"); /* 2 s */
	ck_assert_int_eq(kube_client_server_ms(bench.client), base_ms + 3500);
	note_date(bench.client, "Sun, 06 Nov 1994 08:49:38 GMT"); /* 2 s back */
	ck_assert_int_eq(kube_client_server_ms(bench.client), base_ms + 1500);
	/* Answers to calls teach it too. */
	call(&bench, &get_node);
	kube_sim_run(bench.sim, 1000, LIMIT);
	ck_assert_int_eq(kube_client_server_ms(bench.client), 1000000000 + 1000 + 500);
	teardown(&bench);
}
END_TEST

CHECK_MAIN("api/client", requests_are_made, bad_calls_are_refused_at_once, answers_are_decoded,
           only_success_is_asked_for, retries, no_limit_of_our_own,
           whoever_must_not_send_any_more_is_asked_before_each_retry, a_retry_that_succeeds, cancelled_calls_are_silent,
           the_callback_may_cancel_or_free, the_servers_time)
