#include "lib/auth/credentials.h"

#include "lib/auth/exec.h"
#include "lib/auth/token.h"

#include <kube/log.h>
#include <kube/mem.h>

struct kube_credentials {
	struct kube_env *env;
	struct kube_token token;
	struct kube_tls *tls;
	struct kube_tls_files files;
	struct kube_timer reread;
	int64_t reread_ms;
	struct kube_exec *exec; /* NULL: no plugin, or one that a token makes needless */
	bool exec_gives_cert;   /* no certificate is configured, so the plugin's serves */
	struct kube_exec_run *run;
	bool has_answer; /* of the plugin, and it counts still */
	bool answering;  /* it has just come: it counts whatever our clock says */
	struct kube_exec_answer answer;
	unsigned number; /* of what is sent now: another one after each change */
	void (*on_ready)(void *arg, const struct kube_err *err);
	void (*on_tls)(void *arg);
	void *arg;
};

static int no_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the credentials");
}

/* ---- certificates ---- */

static void replace_tls(struct kube_credentials *c, struct kube_tls *tls)
{
	kube_tls_unref(c->tls);
	c->tls = tls;
	c->on_tls(c->arg);
}

static void on_reread(struct kube_timer *timer, void *arg)
{
	struct kube_credentials *c = arg;
	struct kube_tls *tls = NULL;
	struct kube_err err;
	kube_timer_start(c->env, timer, c->reread_ms, on_reread, c); /* cannot fail: its place is free again */
	if (kube_tls_reread(&c->files, c->tls, &tls, &err) != 0)
		kube_log(KUBE_LOG_DEBUG, "certificates cannot be read anew; the old ones stay", "error", err.message, NULL);
	else if (tls)
		replace_tls(c, tls);
}

struct kube_tls *kube_credentials_tls(struct kube_credentials *c)
{
	return c->tls;
}

/* ---- the exec plugin ---- */

/* Without memory the old certificate stays, and the server will tell. */
static void use_cert(struct kube_credentials *c)
{
	if (!c->exec_gives_cert)
		return;
	struct kube_tls *tls = kube_tls_new(c->tls->ca_pem, c->answer.cert_pem, c->answer.key_pem);
	if (tls && !kube_tls_same(tls, c->tls))
		replace_tls(c, tls);
	else
		kube_tls_unref(tls);
}

static void on_answer(void *arg, struct kube_exec_answer *answer, const struct kube_err *err)
{
	struct kube_credentials *c = arg;
	c->run = NULL;
	if (!err) {
		kube_exec_answer_finish(&c->answer);
		c->answer = *answer;
		*answer = (struct kube_exec_answer){0};
		c->has_answer = true;
		c->number++;
		c->answering = true;
		use_cert(c);
	}
	c->on_ready(c->arg, err);
	c->answering = false;
}

/* What has expired by our clock when it comes is sent all the same, as by client-go: the clock may be wrong, and the
 * plugin would say the same again. */
static int from_exec(struct kube_credentials *c, const char **ret_token, struct kube_err *err)
{
	if (c->has_answer && (c->answering || kube_env_wall_ms(c->env) < c->answer.expires_ms)) {
		*ret_token = c->answer.token;
		return 0;
	}
	if (c->run)
		return KUBE_CREDENTIALS_LATER;
	int rc = kube_exec_start(c->env, c->exec, on_answer, c, &c->run, err);
	return rc == 0 ? KUBE_CREDENTIALS_LATER : rc;
}

/* ---- what is sent ---- */

static int from_token(struct kube_credentials *c, const char **ret_token, struct kube_err *err)
{
	unsigned reads = c->token.reads;
	int rc = kube_token_get(&c->token, kube_env_mono_ms(c->env), ret_token, err);
	if (c->token.reads != reads)
		c->number++;
	return rc;
}

int kube_credentials_get(struct kube_credentials *c, const char **ret_token, unsigned *ret_number, struct kube_err *err)
{
	int rc = c->exec ? from_exec(c, ret_token, err) : from_token(c, ret_token, err);
	if (rc == 0)
		*ret_number = c->number;
	return rc;
}

void kube_credentials_refused(struct kube_credentials *c, unsigned number)
{
	if (number != c->number)
		return;
	c->has_answer = false;
	kube_token_drop(&c->token);
}

/* ---- life ---- */

static int set_up(struct kube_credentials *c, const struct kube_config *config, struct kube_err *err)
{
	int rc = kube_token_init(&c->token, config->token, config->token_file, err);
	if (rc == 0)
		rc = kube_tls_files_init(&c->files, config, err);
	if (rc == 0 && config->exec && !config->token && !config->token_file)
		rc = kube_exec_copy(config->exec, &c->exec, err);
	if (rc != 0)
		return rc;
	c->exec_gives_cert = c->exec && !config->client_cert_pem;
	c->tls = kube_tls_new(config->ca_pem, config->client_cert_pem, config->client_key_pem);
	if (!c->tls)
		return no_memory(err);
	if (kube_tls_files_any(&c->files) && kube_timer_start(c->env, &c->reread, c->reread_ms, on_reread, c) != 0)
		return no_memory(err);
	return 0;
}

int kube_credentials_new(const struct kube_credentials_options *options, struct kube_credentials **ret_credentials,
                         struct kube_err *err)
{
	struct kube_credentials *c = calloc(1, sizeof(*c));
	if (!c)
		return no_memory(err);
	c->env = options->env;
	c->reread_ms = options->reread_ms > 0 ? options->reread_ms : KUBE_CREDENTIALS_REREAD_MS;
	c->on_ready = options->on_ready;
	c->on_tls = options->on_tls;
	c->arg = options->arg;
	int rc = set_up(c, options->config, err);
	if (rc != 0)
		kube_credentials_free(c);
	else
		*ret_credentials = c;
	return rc;
}

void kube_credentials_free(struct kube_credentials *c)
{
	if (!c)
		return;
	if (c->run)
		kube_exec_cancel(c->run);
	kube_timer_stop(c->env, &c->reread);
	kube_exec_answer_finish(&c->answer);
	kube_exec_free(c->exec);
	kube_token_finish(&c->token);
	kube_tls_unref(c->tls);
	kube_tls_files_finish(&c->files);
	free(c);
}
