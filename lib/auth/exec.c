#include "lib/auth/exec.h"

#include "lib/auth/pem.h"
#include "lib/auth/token.h"
#include "lib/base/strv.h"

#include <kube/json.h>
#include <kube/mem.h>
#include <kube/program.h>
#include <stdio.h>
#include <string.h>

#define INFO_VARIABLE "KUBERNETES_EXEC_INFO"

struct kube_exec_run {
	struct kube_env *env;
	const struct kube_exec *exec;
	struct kube_run *run;
	kube_exec_fn *fn;
	void *arg;
};

static int no_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for an exec plugin");
}

/* "the exec plugin aws of user \"u\" in F <what>; <hint>" */
static int blame(const struct kube_exec *exec, const char *what, struct kube_err *err)
{
	const char *hint = exec->install_hint ? exec->install_hint : "";
	return kube_fail(err, KUBE_E_AUTH, "the exec plugin %s of %s %s%s%.*s", exec->argv[0], exec->user, what,
	                 *hint ? "; " : "", (int)strcspn(hint, "\r\n"), hint);
}

/* ---- what it is told ---- */

/* KUBERNETES_EXEC_INFO=<an ExecCredential without a status> */
static char *make_info(const struct kube_exec *exec)
{
	_cleanup_json_ cJSON *info = cJSON_CreateObject();
	cJSON *cluster = exec->cluster ? cJSON_Parse(exec->cluster) : NULL;
	cJSON *spec = NULL;
	char *text = NULL;
	if (info && cJSON_AddStringToObject(info, "kind", "ExecCredential") &&
	    cJSON_AddStringToObject(info, "apiVersion", exec->api_version))
		spec = cJSON_AddObjectToObject(info, "spec");
	bool ok = spec && cJSON_AddBoolToObject(spec, "interactive", exec->terminal) && (!exec->cluster || cluster);
	if (ok && cluster && cJSON_AddItemToObject(spec, "cluster", cluster))
		cluster = NULL;
	cJSON_Delete(cluster);
	_cleanup_free_ char *json = ok ? cJSON_PrintUnformatted(info) : NULL;
	if (!json || asprintf(&text, "%s=%s", INFO_VARIABLE, json) < 0)
		return NULL;
	return text;
}

/* The plugin's own variables and the info; the caller frees. */
static char **make_env(const struct kube_exec *exec)
{
	size_t count = kube_strv_count((const char *const *)exec->env);
	_cleanup_free_ char *info = make_info(exec);
	const char **list = info ? calloc(count + 2, sizeof(*list)) : NULL;
	if (!list)
		return NULL;
	list[0] = info; /* first: nothing in exec->env can stand in its place */
	for (size_t i = 0; i < count; i++)
		list[i + 1] = exec->env[i];
	char **copy = kube_strv_copy(list);
	free(list);
	return copy;
}

/* ---- what it says ---- */

static int check_head(const struct kube_exec *exec, const cJSON *json, struct kube_err *err)
{
	const char *kind = kube_json_str(json, "kind"), *version = kube_json_str(json, "apiVersion");
	if (!kind || strcmp(kind, "ExecCredential") != 0)
		return kube_fail(err, KUBE_E_AUTH, "did not print an ExecCredential");
	if (!version || strcmp(version, exec->api_version) != 0)
		return kube_fail(err, KUBE_E_AUTH,
		                 "printed credentials of apiVersion %.100s instead of %s: correct the apiVersion in the "
		                 "kubeconfig",
		                 version ? version : "\"\"", exec->api_version);
	return 0;
}

struct status {
	const char *token, *cert, *key;
	int64_t expires_ms;
};

static const struct kube_json_field status_fields[] = {
    {.name = "token", .type = KUBE_JSON_STRING, .offset = offsetof(struct status, token)},
    {.name = "clientCertificateData", .type = KUBE_JSON_STRING, .offset = offsetof(struct status, cert)},
    {.name = "clientKeyData", .type = KUBE_JSON_STRING, .offset = offsetof(struct status, key)},
    {.name = "expirationTimestamp", .type = KUBE_JSON_TIME, .offset = offsetof(struct status, expires_ms)},
    KUBE_JSON_END,
};

static bool given(const char *text)
{
	return text && *text;
}

static int check_status(const struct status *status, struct kube_err *err)
{
	if (given(status->cert) != given(status->key))
		return kube_fail(err, KUBE_E_AUTH, "printed a client %s without its %s",
		                 given(status->cert) ? "certificate" : "key", given(status->cert) ? "key" : "certificate");
	if (!given(status->token) && !given(status->cert))
		return kube_fail(err, KUBE_E_AUTH, "printed neither a token nor a client certificate");
	if (given(status->token) && !kube_token_ok(status->token))
		return kube_fail(err, KUBE_E_AUTH, "printed a token with blanks or control characters");
	if (!given(status->cert))
		return 0;
	int rc = kube_pem_check_certs("client certificate that it printed", status->cert, err);
	if (rc == 0)
		rc = kube_pem_check_key("client key that it printed", status->key, status->cert, err);
	return rc == 0 ? 0 : kube_err_prefix(err, "printed something unusable");
}

static bool copy(char **field, const char *text)
{
	*field = given(text) ? strdup(text) : NULL;
	return !given(text) || *field;
}

static int take_status(const cJSON *json, struct kube_arena *arena, struct kube_exec_answer *ret_answer,
                       struct kube_err *err)
{
	struct status status = {.expires_ms = KUBE_EXEC_NO_EXPIRY};
	const cJSON *object = kube_json_get(json, "status");
	if (!object)
		return kube_fail(err, KUBE_E_AUTH, "printed an ExecCredential without a status");
	int rc = kube_json_decode(object, status_fields, &status, arena, err);
	if (rc != 0)
		return kube_err_prefix(err, "printed a status that cannot be read");
	rc = check_status(&status, err);
	if (rc != 0)
		return rc;
	struct kube_exec_answer answer = {.expires_ms = status.expires_ms};
	if (!copy(&answer.token, status.token) || !copy(&answer.cert_pem, status.cert) ||
	    !copy(&answer.key_pem, status.key)) {
		kube_exec_answer_finish(&answer);
		return no_memory(err);
	}
	*ret_answer = answer;
	return 0;
}

int kube_exec_decode(const struct kube_exec *exec, const char *text, size_t len, struct kube_exec_answer *ret_answer,
                     struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;
	struct kube_arena arena = {0};
	int rc = kube_json_parse(text, len, &json, NULL);
	if (rc == KUBE_E_NOMEM)
		return no_memory(err);
	if (rc != 0) /* the parser's own message would show a piece of it */
		return kube_fail(err, KUBE_E_AUTH, "did not print JSON");
	rc = check_head(exec, json, err);
	if (rc == 0)
		rc = take_status(json, &arena, ret_answer, err);
	kube_arena_finish(&arena);
	return rc;
}

void kube_exec_answer_finish(struct kube_exec_answer *answer)
{
	kube_wipe_str(&answer->token);
	kube_wipe_str(&answer->key_pem);
	kube_freep(&answer->cert_pem);
}

/* ---- a run ---- */

static void tell(struct kube_exec_run *run, struct kube_exec_answer *answer, const struct kube_err *err)
{
	kube_exec_fn *fn = run->fn;
	void *arg = run->arg;
	free(run);
	fn(arg, answer, err);
}

static void ended_badly(struct kube_exec_run *run, const struct kube_program_end *end)
{
	char what[KUBE_PROGRAM_LAST_WORDS_BYTES + 64];
	struct kube_err err;
	kube_err_reset(&err);
	snprintf(what, sizeof(what), "ended with status %d%s%s", end->status, *end->last_words ? ": " : "",
	         end->last_words);
	blame(run->exec, what, &err);
	tell(run, NULL, &err);
}

static void on_end(void *arg, const struct kube_program_end *end, const struct kube_err *failure)
{
	struct kube_exec_run *run = arg;
	struct kube_exec_answer answer = {0};
	struct kube_err err, why;
	kube_err_reset(&err);
	if (!failure && end->status != 0) {
		ended_badly(run, end);
		return;
	}
	int rc = failure ? failure->code : kube_exec_decode(run->exec, end->output, end->output_len, &answer, &why);
	if (rc == 0) {
		tell(run, &answer, NULL);
		kube_exec_answer_finish(&answer);
		return;
	}
	if (rc == KUBE_E_TIMEOUT)
		blame(run->exec, "did not end in time", &err);
	else if (rc == KUBE_E_LIMIT && failure)
		blame(run->exec, "printed too much", &err);
	else
		blame(run->exec, failure ? failure->message : why.message, &err);
	tell(run, NULL, &err);
}

static int cannot_start(const struct kube_exec *exec, const struct kube_err *why, struct kube_err *err)
{
	if (why->code == KUBE_E_NOMEM)
		return no_memory(err);
	if (why->code == KUBE_E_NOTFOUND)
		return blame(exec, "is not installed", err);
	return blame(exec, why->message, err);
}

int kube_exec_start(struct kube_env *env, const struct kube_exec *exec, kube_exec_fn *fn, void *arg,
                    struct kube_exec_run **ret_run, struct kube_err *err)
{
	struct kube_err why;
	char **variables = make_env(exec);
	struct kube_exec_run *run = variables ? calloc(1, sizeof(*run)) : NULL;
	if (!run) {
		kube_strv_free(variables);
		return no_memory(err);
	}
	*run = (struct kube_exec_run){.env = env, .exec = exec, .fn = fn, .arg = arg};
	const struct kube_program program = {
	    .argv = (const char *const *)exec->argv,
	    .env = (const char *const *)variables,
	    .timeout_ms = exec->terminal ? KUBE_EXEC_TERMINAL_TIMEOUT_MS : KUBE_EXEC_TIMEOUT_MS,
	    .max_output_bytes = KUBE_EXEC_MAX_OUTPUT_BYTES,
	    .terminal = exec->terminal,
	};
	int rc = kube_program_run(env, &program, on_end, run, &run->run, &why);
	kube_strv_free(variables);
	if (rc != 0) {
		free(run);
		return cannot_start(exec, &why, err);
	}
	*ret_run = run;
	return 0;
}

void kube_exec_cancel(struct kube_exec_run *run)
{
	kube_program_kill(run->env, run->run);
	free(run);
}
