/* Exec plugins: what they are told, how what they print is read, and what is said of those that fail. */
#include "lib/auth/exec.h"
#include "test/unit/check_main.h"
#include "test/unit/http/certs.h"

#include <kube/json.h>
#include <kube/mem.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

#define BEGIN "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\""
#define STATUS(members) BEGIN ",\"status\":{" members "}}"

static char *argv[] = {(char *)"aws", (char *)"get token", NULL};
static char *variables[] = {(char *)"REGION=x", (char *)"KUBERNETES_EXEC_INFO=forged", NULL};

static struct kube_exec plugin(void)
{
	return (struct kube_exec){.api_version = (char *)"client.authentication.k8s.io/v1",
	                          .argv = argv,
	                          .env = variables,
	                          .install_hint = (char *)"see https://example\nsecond line",
	                          .user = (char *)"user \"u\" in F"};
}

static const struct {
	const char *text;
	int code;
	const char *token;
	int64_t expires_ms;
	const char *says;
} outputs[] = {
    {STATUS("\"token\":\"abc\""), 0, "abc", KUBE_EXEC_NO_EXPIRY, NULL},
    {STATUS("\"token\":\"abc\",\"expirationTimestamp\":\"2026-11-21T10:00:00Z\"") "\n", 0, "abc", 1795255200000, NULL},
    {STATUS("\"token\":\"abc\",\"expirationTimestamp\":null,\"other\":1"), 0, "abc", KUBE_EXEC_NO_EXPIRY, NULL},
    {STATUS("\"token\":\"abc\",\"expirationTimestamp\":\"soon\""), KUBE_E_PARSE, NULL, 0, "expirationTimestamp"},
    {STATUS("\"token\":1"), KUBE_E_PARSE, NULL, 0, "printed a status that cannot be read: token"},
    {STATUS("\"token\":\"\""), KUBE_E_AUTH, NULL, 0, "neither a token nor a client certificate"},
    {STATUS(""), KUBE_E_AUTH, NULL, 0, "neither a token nor a client certificate"},
    {STATUS("\"token\":\"s3cret\\r\\nX: y\""), KUBE_E_AUTH, NULL, 0, "blanks or control characters"},
    {STATUS("\"clientCertificateData\":\"x\""), KUBE_E_AUTH, NULL, 0, "a client certificate without its key"},
    {STATUS("\"token\":\"abc\",\"clientKeyData\":\"s3cret\""), KUBE_E_AUTH, NULL, 0,
     "a client key without its certificate"},
    {STATUS("\"clientCertificateData\":\"x\",\"clientKeyData\":\"s3cret\""), KUBE_E_PARSE, NULL, 0,
     "not a PEM certificate"},
    {BEGIN "}", KUBE_E_AUTH, NULL, 0, "an ExecCredential without a status"},
    {BEGIN ",\"status\":null}", KUBE_E_AUTH, NULL, 0, "an ExecCredential without a status"},
    {BEGIN ",\"status\":[]}", KUBE_E_PARSE, NULL, 0, "printed a status that cannot be read"},
    {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
     "v1beta1\",\"status\":{\"token\":\"s3cret\"}}",
     KUBE_E_AUTH, NULL, 0,
     "printed credentials of apiVersion client.authentication.k8s.io/v1beta1 instead of "
     "client.authentication.k8s.io/v1"},
    {"{\"kind\":\"ExecCredential\"}", KUBE_E_AUTH, NULL, 0, "printed credentials of apiVersion"},
    {"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", KUBE_E_AUTH, NULL, 0, "did not print an ExecCredential"},
    {"null", KUBE_E_AUTH, NULL, 0, "did not print an ExecCredential"},
    {"", KUBE_E_AUTH, NULL, 0, "did not print JSON"},
    {"token: s3cret", KUBE_E_AUTH, NULL, 0, "did not print JSON"},
    {"{\"token\":\"s3cret", KUBE_E_AUTH, NULL, 0, "did not print JSON"},
};

START_TEST(answers_are_read)
{
	const struct kube_exec exec = plugin();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(outputs); i++) {
		struct kube_exec_answer answer = {.token = NULL};
		struct kube_err err;
		kube_err_reset(&err);
		int rc = kube_exec_decode(&exec, outputs[i].text, strlen(outputs[i].text), &answer, &err);
		ck_assert_msg(rc == outputs[i].code, "row %zu: %d %s", i, rc, err.message);
		ck_assert_msg(strstr(err.message, "s3cret") == NULL, "row %zu: %s", i, err.message);
		if (rc == 0) {
			ck_assert_str_eq(answer.token, outputs[i].token);
			ck_assert_int_eq(answer.expires_ms, outputs[i].expires_ms);
			ck_assert(!answer.cert_pem && !answer.key_pem);
		} else {
			ck_assert_msg(strstr(err.message, outputs[i].says) != NULL, "row %zu: %s", i, err.message);
			ck_assert_ptr_null(answer.token);
		}
		kube_exec_answer_finish(&answer);
	}
}
END_TEST

static char *print_cert(const struct test_cert *cert, const struct test_cert *key)
{
	_cleanup_json_ cJSON *json = cJSON_Parse(STATUS(""));
	cJSON *status = cJSON_GetObjectItem(json, "status");
	cJSON_AddStringToObject(status, "clientCertificateData", cert->cert_pem);
	cJSON_AddStringToObject(status, "clientKeyData", key->key_pem);
	return cJSON_PrintUnformatted(json);
}

START_TEST(certificates_come_with_their_key)
{
	const struct kube_exec exec = plugin();
	struct test_cert one = test_cert_new("one", "DNS:one", NULL, 3600),
	                 two = test_cert_new("two", "DNS:two", NULL, 3600);
	_cleanup_free_ char *good = print_cert(&one, &one), *bad = print_cert(&one, &two);
	struct kube_exec_answer answer = {.token = NULL};
	struct kube_err err;
	ck_assert_int_eq(kube_exec_decode(&exec, good, strlen(good), &answer, &err), 0);
	ck_assert_str_eq(answer.cert_pem, one.cert_pem);
	ck_assert_str_eq(answer.key_pem, one.key_pem);
	ck_assert_ptr_null(answer.token);
	kube_exec_answer_finish(&answer);
	ck_assert_int_eq(kube_exec_decode(&exec, bad, strlen(bad), &answer, &err), KUBE_E_AUTH);
	ck_assert_msg(strstr(err.message, "does not belong") != NULL, "%s", err.message);
	test_cert_free(&one);
	test_cert_free(&two);
}
END_TEST

/* ---- runs ---- */

struct stage {
	struct kube_sim *sim;
	const char *output, *errors;
	int status;
	int64_t delay_ms;
	char info[1024];
	int plays, ends, code;
	char token[64], message[512];
	bool terminal;
	int64_t ended_ms;
};

static void play(void *arg, struct kube_sim *sim, struct kube_run *run, const struct kube_program *program)
{
	struct stage *stage = arg;
	stage->plays++;
	stage->terminal = program->terminal;
	ck_assert_str_eq(program->argv[0], "aws");
	ck_assert_str_eq(program->argv[1], "get token");
	ck_assert_ptr_null(program->argv[2]);
	snprintf(stage->info, sizeof(stage->info), "%s", program->env[0]);
	ck_assert_str_eq(program->env[1], "REGION=x");
	kube_sim_program_end(sim, run, stage->delay_ms, stage->status, stage->output, stage->errors);
}

static void on_end(void *arg, struct kube_exec_answer *answer, const struct kube_err *err)
{
	struct stage *stage = arg;
	stage->ends++;
	stage->ended_ms = kube_env_mono_ms(kube_sim_env(stage->sim));
	ck_assert((answer == NULL) == (err != NULL));
	stage->code = err ? err->code : 0;
	snprintf(stage->message, sizeof(stage->message), "%s", err ? err->message : "");
	snprintf(stage->token, sizeof(stage->token), "%s", answer ? answer->token : "");
}

static void run_exec(struct stage *stage, const struct kube_exec *exec, int64_t until_ms)
{
	struct kube_exec_run *run = NULL;
	stage->plays = stage->ends = 0;
	ck_assert_int_eq(kube_sim_new(1, 0, &stage->sim, NULL), 0);
	kube_sim_programs(stage->sim, play, stage);
	ck_assert_int_eq(kube_exec_start(kube_sim_env(stage->sim), exec, on_end, stage, &run, NULL), 0);
	ck_assert_int_eq(stage->ends, 0);
	kube_sim_run(stage->sim, until_ms, 1000);
	ck_assert_int_eq(stage->plays, 1);
	kube_sim_free(stage->sim);
}

START_TEST(a_plugin_is_told_what_it_may_know)
{
	struct stage stage = {.output = STATUS("\"token\":\"abc\""), .errors = "hello\n"};
	struct kube_exec exec = plugin();
	run_exec(&stage, &exec, 1000);
	ck_assert_str_eq(stage.token, "abc");
	ck_assert(!stage.terminal);
	ck_assert_str_eq(stage.info, "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"client."
	                             "authentication.k8s.io/v1\",\"spec\":{\"interactive\":false}}");
	exec.cluster = (char *)"{\"server\":\"https://a\",\"config\":{\"b\":[1]}}";
	exec.terminal = true;
	run_exec(&stage, &exec, 1000);
	ck_assert(stage.terminal);
	ck_assert_str_eq(stage.info, "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"client."
	                             "authentication.k8s.io/v1\",\"spec\":{\"interactive\":true,\"cluster\":{\"server\":"
	                             "\"https://a\",\"config\":{\"b\":[1]}}}}");
}
END_TEST

static const struct {
	int status;
	const char *output, *errors;
	int64_t delay_ms;
	const char *says;
} failures[] = {
    {1, "s3cret", "Error: no session\n", 0,
     "the exec plugin aws of user \"u\" in F ended with status 1: Error: no session; see https://example"},
    {127, "", "", 0, "the exec plugin aws of user \"u\" in F ended with status 127; see https://example"},
    {0, "s3cret", "", 0, "the exec plugin aws of user \"u\" in F did not print JSON; see https://example"},
    {0, "s3cret", "", KUBE_EXEC_TIMEOUT_MS + 1,
     "the exec plugin aws of user \"u\" in F did not end in time; see https://example"},
};

START_TEST(a_plugin_that_fails_is_named)
{
	const struct kube_exec exec = plugin();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(failures); i++) {
		struct stage stage = {.status = failures[i].status,
		                      .output = failures[i].output,
		                      .errors = failures[i].errors,
		                      .delay_ms = failures[i].delay_ms};
		run_exec(&stage, &exec, 2 * KUBE_EXEC_TIMEOUT_MS);
		ck_assert_int_eq(stage.ends, 1);
		ck_assert_int_eq(stage.code, KUBE_E_AUTH);
		ck_assert_str_eq(stage.message, failures[i].says);
		ck_assert_int_le(stage.ended_ms, KUBE_EXEC_TIMEOUT_MS);
	}
}
END_TEST

START_TEST(its_output_is_bounded)
{
	_cleanup_free_ char *output = malloc(KUBE_EXEC_MAX_OUTPUT_BYTES + 2);
	memset(output, ' ', KUBE_EXEC_MAX_OUTPUT_BYTES + 1);
	output[KUBE_EXEC_MAX_OUTPUT_BYTES + 1] = '\0';
	memcpy(output, STATUS("\"token\":\"abc\""), strlen(STATUS("\"token\":\"abc\"")));
	const struct kube_exec exec = plugin();
	for (int more = 0; more <= 1; more++) {
		struct stage stage = {.output = output + 0, .errors = ""};
		output[KUBE_EXEC_MAX_OUTPUT_BYTES] = more ? ' ' : '\0';
		run_exec(&stage, &exec, 1000);
		ck_assert_int_eq(stage.code, more ? KUBE_E_AUTH : 0);
		ck_assert_msg(!more || strstr(stage.message, "printed too much") != NULL, "%s", stage.message);
	}
}
END_TEST

/* A person may need minutes to log in. */
START_TEST(whoever_asks_a_person_has_more_time)
{
	struct kube_exec exec = plugin();
	struct stage stage = {
	    .output = STATUS("\"token\":\"abc\""), .errors = "", .delay_ms = KUBE_EXEC_TERMINAL_TIMEOUT_MS - 1};
	exec.terminal = true;
	run_exec(&stage, &exec, 2 * KUBE_EXEC_TERMINAL_TIMEOUT_MS);
	ck_assert_str_eq(stage.token, "abc");
}
END_TEST

START_TEST(an_absent_plugin_is_named_with_its_hint)
{
	const struct kube_exec exec = plugin();
	struct kube_exec_run *run = NULL;
	struct kube_sim *sim;
	struct kube_err err;
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	ck_assert_int_eq(kube_exec_start(kube_sim_env(sim), &exec, on_end, NULL, &run, &err), KUBE_E_AUTH);
	ck_assert_str_eq(err.message, "the exec plugin aws of user \"u\" in F is not installed; see https://example");
	kube_sim_free(sim);
}
END_TEST

START_TEST(a_cancelled_run_is_silent)
{
	const struct kube_exec exec = plugin();
	struct stage stage = {.output = STATUS("\"token\":\"abc\""), .errors = "", .delay_ms = 100};
	struct kube_exec_run *run = NULL;
	ck_assert_int_eq(kube_sim_new(1, 0, &stage.sim, NULL), 0);
	kube_sim_programs(stage.sim, play, &stage);
	ck_assert_int_eq(kube_exec_start(kube_sim_env(stage.sim), &exec, on_end, &stage, &run, NULL), 0);
	kube_sim_run(stage.sim, 50, 1000);
	kube_exec_cancel(run);
	kube_sim_run(stage.sim, 1000000, 1000);
	ck_assert_int_eq(stage.plays, 1);
	ck_assert_int_eq(stage.ends, 0);
	kube_sim_free(stage.sim);
}
END_TEST

CHECK_MAIN("exec", answers_are_read, certificates_come_with_their_key, a_plugin_is_told_what_it_may_know,
           a_plugin_that_fails_is_named, its_output_is_bounded, whoever_asks_a_person_has_more_time,
           an_absent_plugin_is_named_with_its_hint, a_cancelled_run_is_silent)
