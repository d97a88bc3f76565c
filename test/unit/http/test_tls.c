/* The transport against a TLS server: whom we believe, who we are, and the bearer token. */
#include "test/unit/check_main.h"
#include "test/unit/http/tls.h"

START_TEST(speaks_tls)
{
	struct fixture f = {0};
	struct test_outcome first, second;
	set_up(&f);
	test_get(&f.client, "/json", &first);
	ck_assert_msg(first.code == 0, "%s", first.err.message);
	ck_assert_str_eq(first.body.data, "{}");
	test_get(&f.client, "/stream", &second);
	ck_assert_msg(second.code == 0, "%s", second.err.message);
	ck_assert_uint_eq(second.body.len, 800);
	ck_assert_int_eq(f.server->thread_count, 1); /* the connection is used again */
	test_result_finish(&first);
	test_result_finish(&second);
	tear_down(&f);
}
END_TEST

/* A watch without events must hold up nobody. */
START_TEST(silent_exchange_blocks_no_other)
{
	struct fixture f = {0};
	struct test_outcome silent, other;
	set_up(&f);
	test_start(&f.client, "/silent", &silent);
	test_get(&f.client, "/json", &other);
	ck_assert_int_eq(other.code, 0);
	ck_assert(!silent.done);
	test_result_finish(&other);
	tear_down(&f);
}
END_TEST

enum trust { OUR_CA, OTHER_CA, NEW_CA, SYSTEM };

static const struct {
	const char *san;
	long valid_s;
	enum trust trust;
	const char *tls_server_name;
	int code;
	const char *says;
} verdicts[] = {
    {"IP:127.0.0.1", DAY_S, OUR_CA, NULL, 0, ""},
    {"IP:127.0.0.1", DAY_S, OTHER_CA, NULL, KUBE_E_TLS, "not signed by the configured CA"},
    {"IP:127.0.0.1", DAY_S, SYSTEM, NULL, KUBE_E_TLS, "not signed by a CA that this system trusts"},
    {"IP:127.0.0.2", DAY_S, OUR_CA, NULL, KUBE_E_TLS, "is not for that name"},
    {"DNS:localhost", DAY_S, OUR_CA, NULL, KUBE_E_TLS, "is not for that name"},
    {"DNS:api.internal", DAY_S, OUR_CA, NULL, KUBE_E_TLS, "is not for that name"},
    {"DNS:api.internal", DAY_S, OUR_CA, "api.internal", 0, ""},
    {"IP:127.0.0.1", DAY_S, OUR_CA, "api.internal", KUBE_E_TLS, "is not for that name"},
    {"IP:127.0.0.1", -60, OUR_CA, NULL, KUBE_E_TLS, "not valid now"},
};

START_TEST(believes_only_the_right_certificate)
{
	struct test_cert other = test_cert_new("Other CA", NULL, NULL, DAY_S);
	struct test_cert renewed = test_cert_new("Test CA", NULL, NULL, DAY_S); /* the same name, another key */
	for (size_t i = 0; i < KUBE_ARRAY_LEN(verdicts); i++) {
		struct fixture f = {0};
		struct test_outcome result;
		make_server(&f, verdicts[i].san, verdicts[i].valid_s, NULL);
		char *const roots[] = {f.ca.cert_pem, other.cert_pem, renewed.cert_pem, NULL};
		f.client.config.ca_pem = roots[verdicts[i].trust];
		f.client.config.tls_server_name = (char *)verdicts[i].tls_server_name;
		test_client_init(&f.client, "https", f.server->port);
		test_get(&f.client, "/json", &result);
		ck_assert_msg(result.code == verdicts[i].code, "row %zu: %d %s", i, result.code, result.err.message);
		ck_assert_msg(strstr(result.err.message, verdicts[i].says) != NULL, "row %zu: %s", i, result.err.message);
		ck_assert_int_eq(atomic_load(&f.server->requests), verdicts[i].code == 0); /* nothing was sent to a liar */
		test_result_finish(&result);
		tear_down(&f);
	}
	test_cert_free(&other);
	test_cert_free(&renewed);
}
END_TEST

/* The name that is verified is not the name that is asked for. */
START_TEST(tls_server_name_leaves_the_host_header)
{
	struct fixture f = {0};
	struct test_outcome result;
	char host[64];
	make_server(&f, "DNS:api.internal", DAY_S, NULL);
	f.client.config.ca_pem = f.ca.cert_pem;
	f.client.config.tls_server_name = (char *)"api.internal";
	test_client_init(&f.client, "https", f.server->port);
	test_get(&f.client, "/echo", &result);
	ck_assert_int_eq(result.code, 0);
	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", f.server->port);
	ck_assert_msg(strstr(result.body.data, host) != NULL, "%s", result.body.data);
	test_result_finish(&result);
	tear_down(&f);
}
END_TEST

START_TEST(shows_its_client_certificate)
{
	struct test_cert client_ca = test_cert_new("Client CA", NULL, NULL, DAY_S);
	struct test_cert client = test_cert_new("me", "DNS:me", &client_ca, DAY_S);
	for (int with = 0; with <= 1; with++) {
		struct fixture f = {0};
		struct test_outcome result;
		make_server(&f, "IP:127.0.0.1", DAY_S, &client_ca);
		f.client.config.ca_pem = f.ca.cert_pem;
		f.client.config.client_cert_pem = with ? client.cert_pem : NULL;
		f.client.config.client_key_pem = with ? client.key_pem : NULL;
		test_client_init(&f.client, "https", f.server->port);
		test_get(&f.client, "/json", &result);
		ck_assert((result.code == 0) == (with == 1));
		test_result_finish(&result);
		tear_down(&f);
	}
	test_cert_free(&client);
	test_cert_free(&client_ca);
}
END_TEST

START_TEST(answer_in_plain_text_is_no_tls)
{
	struct fixture f = {0};
	struct test_outcome result;
	f.server = test_server_new(NULL, NULL);
	test_client_init(&f.client, "https", f.server->port);
	test_start(&f.client, "/json", &result);
	test_await(&f.client, result.done);
	ck_assert_msg(result.code == KUBE_E_TLS, "%d %s", result.code, result.err.message);
	test_client_finish(&f.client);
	test_server_free(f.server);
}
END_TEST

START_TEST(refused_token_is_read_again)
{
	struct fixture f = {0};
	struct test_outcome result;
	char path[] = "/tmp/test-token-XXXXXX";
	close(mkstemp(path));
	write_file(path, "one\n");
	f.client.config.token_file = path;
	set_up(&f);
	expect_bearer(&f, "one");
	write_file(path, "two\n");
	expect_bearer(&f, "one"); /* it is not 50 s old */
	test_get(&f.client, "/401", &result);
	ck_assert_int_eq(result.status, 401);
	expect_bearer(&f, "two");
	test_result_finish(&result);
	tear_down(&f);
	unlink(path);
}
END_TEST

START_TEST(missing_token_file_fails_the_send)
{
	struct kube_request request = {.method = "GET", .target = "/json"};
	struct fixture f = {0};
	struct test_outcome result;
	f.client.config.token_file = (char *)"/nonexistent/token";
	set_up(&f);
	ck_assert_int_eq(test_send_with(&f.client, &request, &test_handlers, &result), KUBE_E_AUTH);
	ck_assert_msg(strstr(result.err.message, "/nonexistent/token") != NULL, "%s", result.err.message);
	tear_down(&f);
}
END_TEST

CHECK_MAIN("tls", speaks_tls, silent_exchange_blocks_no_other, believes_only_the_right_certificate,
           tls_server_name_leaves_the_host_header, shows_its_client_certificate, answer_in_plain_text_is_no_tls,
           refused_token_is_read_again, missing_token_file_fails_the_send)
