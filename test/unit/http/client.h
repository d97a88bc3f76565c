/* A kube_http under test: its loop, and what one exchange has reported. */
#ifndef TEST_UNIT_HTTP_CLIENT_H
#define TEST_UNIT_HTTP_CLIENT_H

#include <check.h>
#include <kube/buf.h>
#include <kube/http.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define TEST_PATIENCE_MS 40000 /* for all conditions of one client */

struct test_client {
	struct kube_loop *loop;
	struct kube_http *http;
	struct kube_config config;
	int64_t certificates_reread_ms;
	char server[64];
	struct kube_timer patience;
};

struct test_outcome {
	struct test_client *client;
	struct kube_exchange *exchange;
	bool sending; /* inside of kube_transport_send(): no callback may come */
	int heads, status, retry_after_s;
	char content_type[128], date[64], warning[128], flow_schema_uid[64], priority_level_uid[64];
	int pieces;
	struct kube_buf body;
	bool done;
	int code; /* 0, or what on_done's error says */
	struct kube_err err;
};

static inline void test_on_head(void *arg, const struct kube_response_head *head)
{
	struct test_outcome *result = arg;
	ck_assert(!result->sending && !result->done && result->pieces == 0);
	kube_loop_stop(result->client->loop);
	result->heads++;
	result->status = head->status;
	result->retry_after_s = head->retry_after_s;
	snprintf(result->content_type, sizeof(result->content_type), "%s", head->content_type);
	snprintf(result->date, sizeof(result->date), "%s", head->date);
	snprintf(result->warning, sizeof(result->warning), "%s", head->warning);
	snprintf(result->flow_schema_uid, sizeof(result->flow_schema_uid), "%s", head->flow_schema_uid);
	snprintf(result->priority_level_uid, sizeof(result->priority_level_uid), "%s", head->priority_level_uid);
}

static inline int test_on_data(void *arg, const char *bytes, size_t len)
{
	struct test_outcome *result = arg;
	ck_assert(!result->sending && !result->done && result->heads == 1);
	kube_loop_stop(result->client->loop);
	result->pieces++;
	return kube_buf_add(&result->body, bytes, len);
}

static inline void test_on_done(void *arg, const struct kube_err *err)
{
	struct test_outcome *result = arg;
	ck_assert(!result->sending && !result->done);
	kube_loop_stop(result->client->loop);
	result->done = true;
	if (err) {
		result->code = err->code;
		result->err = *err;
	}
}

static const struct kube_exchange_handlers test_handlers = {
    .on_head = test_on_head, .on_data = test_on_data, .on_done = test_on_done};

static inline void test_give_up(struct kube_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
	ck_abort_msg("nothing happened for %d ms", TEST_PATIENCE_MS);
}

/* config.server is set here unless the test has set it. */
static inline void test_client_init(struct test_client *client, const char *scheme, int port)
{
	const struct kube_http_options options = {.user_agent = "test/1 (linux)",
	                                          .connect_timeout_ms = 20000,
	                                          .certificates_reread_ms = client->certificates_reread_ms};
	struct kube_err err;
	snprintf(client->server, sizeof(client->server), "%s://127.0.0.1:%d", scheme, port);
	if (!client->config.server)
		client->config.server = client->server;
	ck_assert_int_eq(kube_loop_new(&client->loop, &err), 0);
	struct kube_env *env = kube_loop_env(client->loop);
	ck_assert_int_eq(kube_timer_start(env, &client->patience, TEST_PATIENCE_MS, test_give_up, NULL), 0);
	int rc = kube_http_new(client->loop, &client->config, &options, &client->http, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
}

static inline void test_client_finish(struct test_client *client)
{
	kube_timer_stop(kube_loop_env(client->loop), &client->patience);
	kube_http_free(client->http);
	kube_loop_free(client->loop);
}

/* Every callback stops the loop, so that conditions are looked at as soon as they may have changed. */
#define test_await(client, condition) \
	do { \
		while (!(condition)) \
			kube_loop_run((client)->loop); \
	} while (0)

static inline int test_send_with(struct test_client *client, const struct kube_request *request,
                                 const struct kube_exchange_handlers *handlers, struct test_outcome *result)
{
	*result = (struct test_outcome){.client = client, .sending = true};
	kube_buf_init(&result->body, 1 << 20);
	kube_err_reset(&result->err);
	int rc = kube_transport_send(kube_http_transport(client->http), request, handlers, result, &result->exchange,
	                             &result->err);
	result->sending = false;
	return rc;
}

static inline void test_start(struct test_client *client, const char *target, struct test_outcome *result)
{
	struct kube_request request = {.method = "GET", .target = target};
	ck_assert_int_eq(test_send_with(client, &request, &test_handlers, result), 0);
}

/* GET target, until it is done. */
static inline void test_get(struct test_client *client, const char *target, struct test_outcome *result)
{
	test_start(client, target, result);
	test_await(client, result->done);
}

static inline void test_result_finish(struct test_outcome *result)
{
	kube_buf_finish(&result->body);
}

#endif
