/* Credentials that are renewed under the transport: certificates that are rotated, and an exec plugin (a real script).
 */
#include "test/unit/check_main.h"
#include "test/unit/http/tls.h"

#include <kube/json.h>
#include <sys/stat.h>

static char dir[32];

static const char *in_dir(const char *name)
{
	static char paths[8][128];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void make_dir(void)
{
	strcpy(dir, "/tmp/test-renewal-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	static const char *const names[] = {"client.crt", "client.key", "plugin", "runs", "answer", "new"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	ck_assert_int_eq(rmdir(dir), 0);
}

/* At once: nobody reads half of it. */
static void replace_file(const char *name, const char *text)
{
	write_file(in_dir("new"), text);
	ck_assert_int_eq(rename(in_dir("new"), in_dir(name)), 0);
}

/* ---- rotated certificates ---- */

struct rotation {
	struct fixture f;
	struct test_cert client_ca, before, after;
};

static void set_up_rotation(struct rotation *r)
{
	make_dir();
	r->client_ca = test_cert_new("Client CA", NULL, NULL, DAY_S);
	r->before = test_cert_new("before", "DNS:me", &r->client_ca, DAY_S);
	r->after = test_cert_new("after", "DNS:me", &r->client_ca, DAY_S);
	write_file(in_dir("client.crt"), r->before.cert_pem);
	write_file(in_dir("client.key"), r->before.key_pem);
	make_server(&r->f, "IP:127.0.0.1", DAY_S, &r->client_ca);
	r->f.client.config.ca_pem = r->f.ca.cert_pem;
	r->f.client.config.client_cert_pem = r->before.cert_pem;
	r->f.client.config.client_key_pem = r->before.key_pem;
	r->f.client.config.client_cert_file = (char *)in_dir("client.crt");
	r->f.client.config.client_key_file = (char *)in_dir("client.key");
	r->f.client.certificates_reread_ms = 20;
	test_client_init(&r->f.client, "https", r->f.server->port);
}

static void tear_down_rotation(struct rotation *r)
{
	tear_down(&r->f);
	test_cert_free(&r->client_ca);
	test_cert_free(&r->before);
	test_cert_free(&r->after);
	remove_dir();
}

static void expect_body(struct test_client *client, const char *target, const char *body)
{
	struct test_outcome result;
	test_get(client, target, &result);
	ck_assert_msg(result.code == 0, "%s", result.err.message);
	ck_assert_str_eq(result.body.data, body);
	test_result_finish(&result);
}

static void start_watch(struct test_client *client, const char *target, struct test_outcome *result)
{
	struct kube_request request = {.method = "GET", .target = target, .watch = true};
	ck_assert_int_eq(test_send_with(client, &request, &test_handlers, result), 0);
}

static void await_requests(struct rotation *r, int count)
{
	struct test_outcome result;
	while (atomic_load(&r->f.server->requests) < count) { /* the loop has to turn meanwhile */
		test_get(&r->f.client, "/who", &result);
		test_result_finish(&result);
		count++;
	}
}

START_TEST(new_certificates_make_new_connections)
{
	struct rotation r = {0};
	struct test_outcome call, watch;
	set_up_rotation(&r);
	expect_body(&r.f.client, "/who", "before");
	test_start(&r.f.client, "/gated", &call);
	start_watch(&r.f.client, "/stall", &watch);
	test_await(&r.f.client, call.pieces == 1 && watch.pieces == 1);
	replace_file("client.crt", r.after.cert_pem); /* its key is not there yet: nothing changes */
	expect_body(&r.f.client, "/who", "before");
	replace_file("client.key", r.after.key_pem);
	test_await(&r.f.client, watch.done);
	ck_assert_int_eq(watch.code, 0); /* as if the server had ended it */
	ck_assert_str_eq(watch.body.data, "one");
	expect_body(&r.f.client, "/who", "after");
	ck_assert(!call.done);
	test_server_open_gate(r.f.server);
	test_await(&r.f.client, call.done);
	ck_assert_int_eq(call.code, 0); /* calls end where they began */
	ck_assert_str_eq(call.body.data, "onetwo");
	expect_body(&r.f.client, "/who", "after");
	test_result_finish(&call);
	test_result_finish(&watch);
	tear_down_rotation(&r);
}
END_TEST

/* The server has it, and has not answered: it is asked again, and nobody notices. */
START_TEST(a_watch_without_an_answer_begins_anew)
{
	struct rotation r = {0};
	struct test_outcome watch;
	set_up_rotation(&r);
	start_watch(&r.f.client, "/silent", &watch);
	await_requests(&r, 1);
	int before = atomic_load(&r.f.server->requests);
	replace_file("client.crt", r.after.cert_pem);
	replace_file("client.key", r.after.key_pem);
	struct test_outcome result = {.body = {.data = NULL}};
	do {
		test_result_finish(&result);
		test_get(&r.f.client, "/who", &result);
		before++;
	} while (strcmp(result.body.data, "after") != 0);
	test_result_finish(&result);
	await_requests(&r, before + 1); /* all of ours, and the watch again */
	ck_assert(!watch.done && watch.heads == 0);
	kube_transport_cancel(kube_http_transport(r.f.client.http), watch.exchange);
	test_result_finish(&watch);
	tear_down_rotation(&r);
}
END_TEST

START_TEST(all_may_go_while_old_connections_are_in_use)
{
	struct rotation r = {0};
	struct test_outcome call, watch;
	set_up_rotation(&r);
	test_start(&r.f.client, "/gated", &call);
	start_watch(&r.f.client, "/stall", &watch);
	test_await(&r.f.client, call.pieces == 1 && watch.pieces == 1);
	replace_file("client.crt", r.after.cert_pem);
	replace_file("client.key", r.after.key_pem);
	test_await(&r.f.client, watch.done);
	test_server_open_gate(r.f.server);
	test_result_finish(&watch);
	tear_down_rotation(&r); /* call is in flight on the old connection */
	ck_assert(!call.done);
	test_result_finish(&call);
}
END_TEST

/* ---- an exec plugin ---- */

static char *argv[] = {NULL, NULL}, *variables[] = {NULL, NULL};
static struct kube_exec exec = {.api_version = (char *)"client.authentication.k8s.io/v1",
                                .argv = argv,
                                .env = variables,
                                .install_hint = (char *)"",
                                .user = (char *)"user \"u\" in F"};

#define ANSWER(members) \
	"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{" members "}}"

static void set_up_exec(struct fixture *f, const char *script, const char *answer)
{
	static char path[128], variable[64];
	make_dir();
	snprintf(path, sizeof(path), "%s", in_dir("plugin"));
	snprintf(variable, sizeof(variable), "DIR=%s", dir);
	write_file(path, script);
	ck_assert_int_eq(chmod(path, 0700), 0);
	replace_file("answer", answer);
	argv[0] = path;
	variables[0] = variable;
	f->client.config.exec = &exec;
	set_up(f);
}

static void tear_down_exec(struct fixture *f)
{
	tear_down(f);
	remove_dir();
}

static int runs(void)
{
	struct stat status;
	return stat(in_dir("runs"), &status) == 0 ? (int)status.st_size : 0;
}

static const char prints[] = "#!/bin/sh\nprintf x >>$DIR/runs\ncat $DIR/answer\n";

START_TEST(a_plugin_gives_the_token_until_it_is_refused)
{
	struct fixture f = {0};
	struct test_outcome results[5];
	set_up_exec(&f, prints, ANSWER("\"token\":\"one\""));
	for (size_t i = 0; i < KUBE_ARRAY_LEN(results); i++)
		test_start(&f.client, "/echo", &results[i]);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(results); i++) {
		test_await(&f.client, results[i].done);
		ck_assert_msg(results[i].code == 0, "%s", results[i].err.message);
		ck_assert_msg(strstr(results[i].body.data, "Bearer one") != NULL, "%s", results[i].body.data);
		test_result_finish(&results[i]);
	}
	ck_assert_int_eq(runs(), 1);
	replace_file("answer", ANSWER("\"token\":\"two\""));
	expect_bearer(&f, "one");
	test_get(&f.client, "/401", &results[0]);
	ck_assert_int_eq(results[0].status, 401);
	test_result_finish(&results[0]);
	expect_bearer(&f, "two");
	ck_assert_int_eq(runs(), 2);
	tear_down_exec(&f);
}
END_TEST

/* Its certificate is not there when the first pool is made. */
START_TEST(a_plugin_gives_the_client_certificate)
{
	struct test_cert client_ca = test_cert_new("Client CA", NULL, NULL, DAY_S);
	struct test_cert client = test_cert_new("plugin's", "DNS:me", &client_ca, DAY_S);
	struct fixture f = {0};
	struct test_outcome result;
	_cleanup_json_ cJSON *json = cJSON_Parse(ANSWER(""));
	cJSON *status = cJSON_GetObjectItem(json, "status");
	cJSON_AddStringToObject(status, "clientCertificateData", client.cert_pem);
	cJSON_AddStringToObject(status, "clientKeyData", client.key_pem);
	_cleanup_free_ char *answer = cJSON_PrintUnformatted(json);
	set_up_exec(&f, prints, answer);
	test_client_finish(&f.client);
	test_server_free(f.server);
	f.server = test_server_new(&f.leaf, &client_ca);
	f.client.config.server = NULL;
	test_client_init(&f.client, "https", f.server->port);
	expect_body(&f.client, "/who", "plugin's");
	test_get(&f.client, "/echo", &result);
	ck_assert_msg(strstr(result.body.data, "Authorization") == NULL, "%s", result.body.data);
	test_result_finish(&result);
	ck_assert_int_eq(runs(), 1);
	tear_down_exec(&f);
	test_cert_free(&client_ca);
	test_cert_free(&client);
}
END_TEST

/* Sends again from within on_done, once. */
struct stubborn {
	struct test_outcome again;
	struct test_client *client;
	bool failed;
};

static void fail_and_send(void *arg, const struct kube_err *err)
{
	struct stubborn *stubborn = arg;
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(err->code, KUBE_E_AUTH);
	stubborn->failed = true;
	replace_file("answer", ANSWER("\"token\":\"late\""));
	test_start(stubborn->client, "/echo", &stubborn->again);
}

START_TEST(a_failure_reaches_all_who_wait_and_nobody_else)
{
	static const struct kube_exchange_handlers handlers = {.on_done = fail_and_send};
	struct kube_request request = {.method = "GET", .target = "/echo"};
	struct stubborn stubborn = {.failed = false};
	struct kube_exchange *exchange;
	struct fixture f = {0};
	struct test_outcome other;
	set_up_exec(&f, "#!/bin/sh\ngrep -q token $DIR/answer || { echo no session >&2; exit 1; }\ncat $DIR/answer\n", "");
	stubborn.client = &f.client;
	ck_assert_int_eq(
	    kube_transport_send(kube_http_transport(f.client.http), &request, &handlers, &stubborn, &exchange, NULL), 0);
	test_start(&f.client, "/echo", &other);
	test_await(&f.client, other.done);
	ck_assert(stubborn.failed);
	ck_assert_int_eq(other.code, KUBE_E_AUTH);
	ck_assert_msg(strstr(other.err.message, "of user \"u\" in F ended with status 1: no session") != NULL, "%s",
	              other.err.message);
	test_await(&f.client, stubborn.again.done);
	ck_assert_msg(stubborn.again.code == 0, "%s", stubborn.again.err.message);
	ck_assert_msg(strstr(stubborn.again.body.data, "Bearer late") != NULL, "%s", stubborn.again.body.data);
	ck_assert_int_eq(atomic_load(&f.server->requests), 1);
	test_result_finish(&stubborn.again);
	test_result_finish(&other);
	tear_down_exec(&f);
}
END_TEST

START_TEST(who_waits_for_a_plugin_may_leave)
{
	struct kube_request request = {.method = "GET", .target = "/echo", .timeout_ms = 50};
	struct fixture f = {0};
	struct test_outcome late, canceled, left;
	set_up_exec(&f, "#!/bin/sh\nprintf x >>$DIR/runs\nexec sleep 1000\n", "");
	test_start(&f.client, "/echo", &canceled);
	test_start(&f.client, "/echo", &left);
	ck_assert_int_eq(test_send_with(&f.client, &request, &test_handlers, &late), 0);
	kube_transport_cancel(kube_http_transport(f.client.http), canceled.exchange);
	test_await(&f.client, late.done);
	ck_assert_int_eq(late.code, KUBE_E_TIMEOUT);
	ck_assert_msg(strstr(late.err.message, "there were no credentials for the server") != NULL, "%s", late.err.message);
	tear_down(&f); /* left still waits */
	ck_assert(!canceled.done && !left.done);
	ck_assert_int_le(runs(), 1);
	remove_dir();
}
END_TEST

CHECK_MAIN("renewal", new_certificates_make_new_connections, a_watch_without_an_answer_begins_anew,
           all_may_go_while_old_connections_are_in_use, a_plugin_gives_the_token_until_it_is_refused,
           a_plugin_gives_the_client_certificate, a_failure_reaches_all_who_wait_and_nobody_else,
           who_waits_for_a_plugin_may_leave)
