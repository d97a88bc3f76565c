/* Credentials over time: files that are rotated, a plugin that is run again, and what a 401 does. Time is virtual. */
#include "lib/auth/credentials.h"
#include "test/unit/auth/folder.h"
#include "test/unit/check_main.h"

#include <kube/json.h>
#include <kube/sim.h>
#include <kube/time.h>

#define MINUTE_MS 60000

struct stage {
	struct kube_sim *sim;
	struct kube_config config;
	struct kube_credentials *credentials;
	int readies, code, changes;
	char message[512];
	/* of the plugin */
	int plays;
	int64_t delay_ms, valid_ms; /* valid_ms 0: no expiry */
	bool fails;
	const struct test_cert *cert;
	char sent[64]; /* what a request that waited is sent with */
};

static const char *token(struct stage *stage, unsigned *ret_number);

static void on_ready(void *arg, const struct kube_err *err)
{
	struct stage *stage = arg;
	stage->readies++;
	if (!err)
		snprintf(stage->sent, sizeof(stage->sent), "%s", token(stage, NULL));
	stage->code = err ? err->code : 0;
	snprintf(stage->message, sizeof(stage->message), "%s", err ? err->message : "");
}

static void on_tls(void *arg)
{
	struct stage *stage = arg;
	stage->changes++;
}

static void begin(struct stage *stage)
{
	ck_assert_int_eq(kube_sim_new(1, 0, &stage->sim, NULL), 0);
	const struct kube_credentials_options options = {
	    .env = kube_sim_env(stage->sim),
	    .config = &stage->config,
	    .on_ready = on_ready,
	    .on_tls = on_tls,
	    .arg = stage,
	};
	struct kube_err err;
	int rc = kube_credentials_new(&options, &stage->credentials, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
}

static void finish(struct stage *stage)
{
	kube_credentials_free(stage->credentials);
	kube_sim_free(stage->sim);
}

static void run_to(struct stage *stage, int64_t at_ms)
{
	kube_sim_run(stage->sim, at_ms, 10000);
}

/* The token that is sent now; "later" when it has to be waited for, "none" for none. */
static const char *token(struct stage *stage, unsigned *ret_number)
{
	const char *text = NULL;
	unsigned number = 0;
	struct kube_err err;
	int rc = kube_credentials_get(stage->credentials, &text, &number, &err);
	if (ret_number)
		*ret_number = number;
	if (rc == KUBE_CREDENTIALS_LATER)
		return "later";
	ck_assert_msg(rc == 0, "%s", err.message);
	return text ? text : "none";
}

/* ---- files ---- */

START_TEST(a_token_file_is_followed)
{
	struct stage stage = {.config = {.token = (char *)"inline", .token_file = NULL}};
	unsigned first, second;
	set_up();
	stage.config.token_file = (char *)in_dir("token");
	begin(&stage);
	ck_assert_str_eq(token(&stage, &first), "file-token");
	write_file("token", "second");
	run_to(&stage, 49999);
	ck_assert_str_eq(token(&stage, &second), "file-token");
	ck_assert_uint_eq(first, second);
	run_to(&stage, 50000);
	ck_assert_str_eq(token(&stage, &second), "second");
	ck_assert_uint_ne(first, second);
	write_file("token", "third");
	kube_credentials_refused(stage.credentials, first); /* an answer to what was sent long ago */
	ck_assert_str_eq(token(&stage, NULL), "second");
	kube_credentials_refused(stage.credentials, second);
	ck_assert_str_eq(token(&stage, NULL), "third");
	finish(&stage);
	tear_down();
}
END_TEST

START_TEST(certificate_files_are_looked_at_every_five_minutes)
{
	struct stage stage = {.config = {.server = NULL}};
	set_up();
	stage.config.ca_pem = ca.cert_pem;
	stage.config.client_cert_pem = client.cert_pem;
	stage.config.client_key_pem = client.key_pem;
	stage.config.ca_file = (char *)in_dir("ca.crt");
	stage.config.client_cert_file = (char *)in_dir("client.crt");
	stage.config.client_key_file = (char *)in_dir("client.key");
	begin(&stage);
	run_to(&stage, 11 * MINUTE_MS);
	ck_assert_int_eq(stage.changes, 0); /* they are what they were */
	write_file("client.crt", stranger.cert_pem);
	run_to(&stage, 16 * MINUTE_MS);
	ck_assert_int_eq(stage.changes, 0); /* the certificate is new, its key is not there yet */
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->client_cert_pem, client.cert_pem);
	write_file("client.key", stranger.key_pem);
	run_to(&stage, 20 * MINUTE_MS - 1);
	ck_assert_int_eq(stage.changes, 0);
	run_to(&stage, 20 * MINUTE_MS);
	ck_assert_int_eq(stage.changes, 1);
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->client_cert_pem, stranger.cert_pem);
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->client_key_pem, stranger.key_pem);
	unlink(in_dir("ca.crt"));
	write_file("client.crt", client.cert_pem);
	write_file("client.key", client.key_pem);
	run_to(&stage, 25 * MINUTE_MS);
	ck_assert_int_eq(stage.changes, 1); /* what cannot be read keeps all of the old */
	write_file("ca.crt", client.cert_pem);
	run_to(&stage, 30 * MINUTE_MS);
	ck_assert_int_eq(stage.changes, 2);
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->ca_pem, client.cert_pem);
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->client_cert_pem, client.cert_pem);
	finish(&stage);
	tear_down();
}
END_TEST

START_TEST(data_need_no_second_look)
{
	struct stage stage = {.config = {.token = (char *)"inline"}};
	begin(&stage);
	ck_assert(!kube_sim_step(stage.sim)); /* no timer */
	ck_assert_str_eq(token(&stage, NULL), "inline");
	kube_credentials_refused(stage.credentials, 0);
	ck_assert_str_eq(token(&stage, NULL), "inline");
	finish(&stage);
}
END_TEST

/* ---- the plugin ---- */

static char *argv[] = {(char *)"plugin", NULL}, *variables[] = {NULL};
static struct kube_exec exec = {.api_version = (char *)"client.authentication.k8s.io/v1",
                                .argv = argv,
                                .env = variables,
                                .install_hint = (char *)"",
                                .user = (char *)"user \"u\" in F"};

/* Prints token-1, token-2, …, or the certificate. */
static void play(void *arg, struct kube_sim *sim, struct kube_run *run, const struct kube_program *program)
{
	struct stage *stage = arg;
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	char text[64];
	(void)program;
	stage->plays++;
	cJSON_AddStringToObject(json, "kind", "ExecCredential");
	cJSON_AddStringToObject(json, "apiVersion", exec.api_version);
	cJSON *status = cJSON_AddObjectToObject(json, "status");
	if (stage->cert) {
		cJSON_AddStringToObject(status, "clientCertificateData", stage->cert->cert_pem);
		cJSON_AddStringToObject(status, "clientKeyData", stage->cert->key_pem);
	} else {
		snprintf(text, sizeof(text), "token-%d", stage->plays);
		cJSON_AddStringToObject(status, "token", text);
	}
	if (stage->valid_ms) {
		int64_t expires_ms = kube_env_wall_ms(kube_sim_env(sim)) + stage->valid_ms;
		cJSON_AddStringToObject(status, "expirationTimestamp", kube_time_format(expires_ms, text));
	}
	_cleanup_free_ char *output = cJSON_PrintUnformatted(json);
	kube_sim_program_end(sim, run, stage->delay_ms, stage->fails, output, "no session");
}

static void begin_exec(struct stage *stage)
{
	stage->config.exec = &exec;
	begin(stage);
	kube_sim_programs(stage->sim, play, stage);
}

START_TEST(one_run_serves_all_who_wait)
{
	struct stage stage = {.delay_ms = 100};
	begin_exec(&stage);
	ck_assert_str_eq(token(&stage, NULL), "later");
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 50);
	ck_assert_str_eq(token(&stage, NULL), "later");
	ck_assert_int_eq(stage.readies, 0);
	run_to(&stage, 100);
	ck_assert_int_eq(stage.readies, 1);
	ck_assert_int_eq(stage.plays, 1);
	ck_assert_str_eq(token(&stage, NULL), "token-1");
	run_to(&stage, 1000 * MINUTE_MS); /* no expiry: until a 401 */
	ck_assert_str_eq(token(&stage, NULL), "token-1");
	ck_assert_int_eq(stage.plays, 1);
	ck_assert_int_eq(stage.changes, 0);
	finish(&stage);
}
END_TEST

START_TEST(what_expires_is_asked_for_again)
{
	struct stage stage = {.valid_ms = 10000};
	begin_exec(&stage);
	token(&stage, NULL);
	run_to(&stage, 9999);
	ck_assert_str_eq(token(&stage, NULL), "token-1");
	run_to(&stage, 10000);
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 10001);
	ck_assert_str_eq(token(&stage, NULL), "token-2");
	ck_assert_int_eq(stage.plays, 2);
	finish(&stage);
}
END_TEST

/* Our clock may be ahead: whether they are good is for the server to say, once for each request. */
START_TEST(what_has_expired_by_our_clock_is_sent_all_the_same)
{
	struct stage stage = {.valid_ms = -MINUTE_MS, .delay_ms = 100};
	begin_exec(&stage);
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, MINUTE_MS);
	ck_assert_str_eq(stage.sent, "token-1");
	ck_assert_int_eq(stage.plays, 1);
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 2 * MINUTE_MS);
	ck_assert_str_eq(stage.sent, "token-2");
	ck_assert_int_eq(stage.plays, 2);
	finish(&stage);
}
END_TEST

START_TEST(a_401_drops_what_was_refused_and_nothing_newer)
{
	struct stage stage = {.delay_ms = 100};
	unsigned first, second;
	begin_exec(&stage);
	token(&stage, NULL);
	run_to(&stage, 100);
	ck_assert_str_eq(token(&stage, &first), "token-1");
	kube_credentials_refused(stage.credentials, first);
	kube_credentials_refused(stage.credentials, first); /* the second of two requests that went out together */
	ck_assert_str_eq(token(&stage, NULL), "later");
	kube_credentials_refused(stage.credentials, first);
	run_to(&stage, 200);
	ck_assert_str_eq(token(&stage, &second), "token-2");
	kube_credentials_refused(stage.credentials, first); /* and a third, much later */
	ck_assert_str_eq(token(&stage, NULL), "token-2");
	ck_assert_int_eq(stage.plays, 2);
	finish(&stage);
}
END_TEST

START_TEST(a_failure_is_told_and_the_next_request_tries_again)
{
	struct stage stage = {.fails = true};
	begin_exec(&stage);
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 10);
	ck_assert_int_eq(stage.readies, 1);
	ck_assert_int_eq(stage.code, KUBE_E_AUTH);
	ck_assert_str_eq(stage.message, "the exec plugin plugin of user \"u\" in F ended with status 1: no session");
	stage.fails = false;
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 20);
	ck_assert_int_eq(stage.code, 0);
	ck_assert_str_eq(token(&stage, NULL), "token-2");
	finish(&stage);
}
END_TEST

START_TEST(an_absent_plugin_fails_at_once)
{
	struct stage stage = {.config = {.exec = &exec}};
	const char *text = NULL;
	unsigned number;
	begin(&stage);
	ck_assert_int_eq(kube_credentials_get(stage.credentials, &text, &number, NULL), KUBE_E_AUTH);
	finish(&stage);
}
END_TEST

START_TEST(a_plugins_certificate_makes_new_connections)
{
	struct test_cert certs[] = {test_cert_new("one", "DNS:one", NULL, 3600),
	                            test_cert_new("two", "DNS:two", NULL, 3600)};
	struct stage stage = {.cert = &certs[0], .valid_ms = 10000};
	begin_exec(&stage);
	struct kube_tls *before = kube_tls_ref(kube_credentials_tls(stage.credentials));
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 1);
	ck_assert_str_eq(token(&stage, NULL), "none");
	ck_assert_int_eq(stage.changes, 1);
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->client_key_pem, certs[0].key_pem);
	ck_assert_ptr_null(before->client_key_pem); /* connections of before have what they had */
	kube_tls_unref(before);
	run_to(&stage, 20000);
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 20001);
	ck_assert_int_eq(stage.changes, 1); /* the same again */
	stage.cert = &certs[1];
	run_to(&stage, 40000);
	ck_assert_str_eq(token(&stage, NULL), "later");
	run_to(&stage, 40001);
	ck_assert_int_eq(stage.changes, 2);
	ck_assert_str_eq(kube_credentials_tls(stage.credentials)->client_cert_pem, certs[1].cert_pem);
	finish(&stage);
	test_cert_free(&certs[0]);
	test_cert_free(&certs[1]);
}
END_TEST

START_TEST(what_is_configured_goes_before_the_plugin)
{
	struct test_cert cert = test_cert_new("one", "DNS:one", NULL, 3600),
	                 other = test_cert_new("two", "DNS:two", NULL, 3600);
	struct stage with_token = {.config = {.token = (char *)"inline"}};
	struct stage with_cert = {.config = {.client_cert_pem = other.cert_pem, .client_key_pem = other.key_pem},
	                          .cert = &cert};
	begin_exec(&with_token);
	ck_assert_str_eq(token(&with_token, NULL), "inline");
	run_to(&with_token, 1000);
	ck_assert_int_eq(with_token.plays, 0);
	finish(&with_token);
	begin_exec(&with_cert);
	ck_assert_str_eq(token(&with_cert, NULL), "later");
	run_to(&with_cert, 1000);
	ck_assert_int_eq(with_cert.plays, 1);
	ck_assert_int_eq(with_cert.changes, 0);
	ck_assert_str_eq(kube_credentials_tls(with_cert.credentials)->client_cert_pem, other.cert_pem);
	finish(&with_cert);
	test_cert_free(&cert);
	test_cert_free(&other);
}
END_TEST

START_TEST(they_may_go_while_the_plugin_runs)
{
	struct stage stage = {.delay_ms = 100};
	begin_exec(&stage);
	token(&stage, NULL);
	run_to(&stage, 50);
	kube_credentials_free(stage.credentials);
	run_to(&stage, 1000);
	ck_assert_int_eq(stage.readies, 0);
	kube_sim_free(stage.sim);
	kube_credentials_free(NULL);
}
END_TEST

CHECK_MAIN("credentials", a_token_file_is_followed, certificate_files_are_looked_at_every_five_minutes,
           data_need_no_second_look, one_run_serves_all_who_wait, what_expires_is_asked_for_again,
           what_has_expired_by_our_clock_is_sent_all_the_same, a_401_drops_what_was_refused_and_nothing_newer,
           a_failure_is_told_and_the_next_request_tries_again, an_absent_plugin_fails_at_once,
           a_plugins_certificate_makes_new_connections, what_is_configured_goes_before_the_plugin,
           they_may_go_while_the_plugin_runs)
