/* The transport behind a proxy, in the name of somebody else, and without verification. */
#include "test/unit/check_main.h"
#include "test/unit/http/proxy.h"
#include "test/unit/http/tls.h"

static void set_up_behind(struct fixture *f, struct test_proxy **ret_proxy, const char *userinfo, int status)
{
	static char url[64];
	make_server(f, "DNS:api.example", DAY_S, NULL);
	f->client.config.ca_pem = f->ca.cert_pem;
	*ret_proxy = test_proxy_new(f->server->port, status);
	snprintf(url, sizeof(url), "http://%s127.0.0.1:%d/", userinfo, (*ret_proxy)->port);
	f->client.config.proxy_url = url;
	f->client.config.server = (char *)"https://api.example:6443";
	test_client_init(&f->client, "https", f->server->port);
}

/* The name is the proxy's to look up; what is inside of the tunnel is nobody's business. */
START_TEST(a_proxy_leads_to_the_server)
{
	struct fixture f = {0};
	struct test_proxy *proxy;
	struct test_outcome result;
	f.client.config.token = (char *)"s3cret";
	set_up_behind(&f, &proxy, "me:pw@", 200);
	for (int i = 0; i < 3; i++) {
		test_get(&f.client, "/echo", &result);
		ck_assert_msg(result.code == 0, "%s", result.err.message);
		ck_assert_int_eq(result.heads, 1);
		ck_assert_msg(strstr(result.body.data, "\r\nHost: api.example:6443\r\n") != NULL, "%s", result.body.data);
		ck_assert_msg(strstr(result.body.data, "Bearer s3cret") != NULL, "%s", result.body.data);
		ck_assert_msg(strstr(result.body.data, "Proxy-Authorization") == NULL, "%s", result.body.data);
		test_result_finish(&result);
	}
	ck_assert_int_eq(atomic_load(&proxy->heads), 1); /* the tunnel is used again */
	ck_assert_msg(strncmp(proxy->head, "CONNECT api.example:6443 HTTP/1.1\r\n", 35) == 0, "%s", proxy->head);
	ck_assert_msg(strstr(proxy->head, "Proxy-Authorization: Basic bWU6cHc=\r\n") != NULL, "%s", proxy->head);
	ck_assert_msg(strstr(proxy->head, "s3cret") == NULL, "%s", proxy->head);
	tear_down(&f);
	test_proxy_free(proxy);
}
END_TEST

START_TEST(a_proxy_that_refuses_is_named)
{
	static const int statuses[] = {403, 407, 502};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(statuses); i++) {
		struct fixture f = {0};
		struct test_proxy *proxy;
		struct test_outcome result;
		char says[128];
		set_up_behind(&f, &proxy, "me:pw@", statuses[i]);
		test_get(&f.client, "/echo", &result);
		snprintf(says, sizeof(says),
		         "the proxy 127.0.0.1:%d does not lead to the server https://api.example:6443: HTTP %d", proxy->port,
		         statuses[i]);
		ck_assert_int_eq(result.code, KUBE_E_CONNECT);
		ck_assert_msg(strstr(result.err.message, says) != NULL, "%s", result.err.message);
		ck_assert_msg(strstr(result.err.message, "pw") == NULL, "%s", result.err.message);
		test_result_finish(&result);
		tear_down(&f);
		test_proxy_free(proxy);
	}
}
END_TEST

START_TEST(a_proxy_that_is_not_there_is_named)
{
	struct fixture f = {0};
	struct test_outcome result;
	f.client.config.server = (char *)"https://api.example:6443";
	f.client.config.proxy_url = (char *)"http://me:pw@127.0.0.1:1/";
	f.server = test_server_new(NULL, NULL);
	test_client_init(&f.client, "https", f.server->port);
	test_get(&f.client, "/echo", &result);
	ck_assert_int_eq(result.code, KUBE_E_CONNECT);
	ck_assert_msg(strstr(result.err.message, "127.0.0.1") != NULL && strstr(result.err.message, "pw") == NULL, "%s",
	              result.err.message);
	test_result_finish(&result);
	test_client_finish(&f.client);
	test_server_free(f.server);
}
END_TEST

/* The client takes what the configuration says: NO_PROXY has been looked at there. */
START_TEST(libcurl_does_not_look_at_the_environment)
{
	struct fixture f = {0};
	struct test_proxy *proxy;
	struct test_outcome result;
	setenv("NO_PROXY", "*", 1);
	setenv("no_proxy", "api.example", 1);
	set_up_behind(&f, &proxy, "", 200);
	test_get(&f.client, "/json", &result);
	ck_assert_msg(result.code == 0, "%s", result.err.message);
	ck_assert_int_eq(atomic_load(&proxy->heads), 1);
	test_result_finish(&result);
	tear_down(&f);
	test_proxy_free(proxy);
}
END_TEST

START_TEST(requests_say_whom_they_pass_for)
{
	char *groups[] = {(char *)"dev", (char *)"a b", NULL};
	char *extra[] = {(char *)"scopes",
	                 (char *)"view",
	                 (char *)"scopes",
	                 (char *)"edit",
	                 (char *)"example.com/x%",
	                 (char *)"1",
	                 NULL};
	static const char *const lines[] = {"\r\nImpersonate-User: j\xc3\xa4ne\r\n", "\r\nImpersonate-Uid: 1-2\r\n",
	                                    "\r\nImpersonate-Group: dev\r\nImpersonate-Group: a b\r\n",
	                                    "\r\nImpersonate-Extra-scopes: view\r\nImpersonate-Extra-scopes: edit\r\n",
	                                    "\r\nImpersonate-Extra-example.com%2Fx%25: 1\r\n"};
	struct fixture f = {0};
	struct test_outcome result;
	f.client.config.impersonation = (struct kube_impersonation){
	    .user = (char *)"j\xc3\xa4ne", .uid = (char *)"1-2", .groups = groups, .extra = extra};
	set_up(&f);
	test_get(&f.client, "/echo", &result);
	ck_assert_int_eq(result.code, 0);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(lines); i++)
		ck_assert_msg(strstr(result.body.data, lines[i]) != NULL, "row %zu: %s", i, result.body.data);
	test_result_finish(&result);
	tear_down(&f);
}
END_TEST

/* Whoever asks for no verification gets none: of the CA, of the name, of the time. */
START_TEST(an_unverified_server_may_be_anybody)
{
	for (int insecure = 0; insecure <= 1; insecure++) {
		struct fixture f = {0};
		struct test_outcome result;
		make_server(&f, "DNS:other.example", -60, NULL);
		f.client.config.insecure = insecure;
		test_client_init(&f.client, "https", f.server->port);
		test_get(&f.client, "/json", &result);
		ck_assert_int_eq(result.code, insecure ? 0 : KUBE_E_TLS);
		test_result_finish(&result);
		tear_down(&f);
	}
}
END_TEST

CHECK_MAIN("proxy", a_proxy_leads_to_the_server, a_proxy_that_refuses_is_named, a_proxy_that_is_not_there_is_named,
           libcurl_does_not_look_at_the_environment, requests_say_whom_they_pass_for,
           an_unverified_server_may_be_anybody)
