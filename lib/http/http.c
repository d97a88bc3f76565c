/* The transport: made from a configuration, and taken down. */
#include "lib/http/internal.h"

#include <kube/mem.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_CONNECT_TIMEOUT_MS 30000

static const struct kube_transport_ops http_ops = {.send = http_send, .cancel = http_cancel};

/* The URL bears the name that the certificate must have; CURLOPT_CONNECT_TO leads it to where the server is. */
static int make_url(struct kube_http *http, const char *tls_server_name, struct kube_err *err)
{
	const struct kube_server *server = &http->server;
	bool renamed = server->https && tls_server_name && *tls_server_name;
	const char *name = renamed ? tls_server_name : server->host;
	if (renamed && !kube_server_name_ok(tls_server_name))
		return kube_fail(err, KUBE_E_INVALID, "the tls-server-name \"%s\" is not a host name", tls_server_name);
	if (asprintf(&http->url, "%s://%s:%s%s", server->https ? "https" : "http", name, server->port, server->path) < 0) {
		http->url = NULL;
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	}
	if (!renamed)
		return 0;
	_cleanup_free_ char *rule = NULL;
	if (asprintf(&rule, "%s:%s:%s:%s", name, server->port, server->host, server->port) < 0)
		rule = NULL;
	http->connect_to = rule ? curl_slist_append(NULL, rule) : NULL;
	return http->connect_to ? 0 : kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
}

static bool copy(char **field, const char *text)
{
	*field = text ? strdup(text) : NULL;
	return !text || *field;
}

static int copy_texts(struct kube_http *http, const struct kube_config *config, const char *user_agent,
                      struct kube_err *err)
{
	if (copy(&http->name, config->server) && copy(&http->proxy_url, config->proxy_url) &&
	    copy(&http->user_agent, user_agent))
		return 0;
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
}

static int make_credentials(struct kube_http *http, const struct kube_config *config, int64_t reread_ms,
                            struct kube_err *err)
{
	const struct kube_credentials_options options = {
	    .env = http->env,
	    .config = config,
	    .reread_ms = reread_ms,
	    .on_ready = http_credentials_ready,
	    .on_tls = http_tls_changed,
	    .arg = http,
	};
	int rc = kube_credentials_new(&options, &http->credentials, err);
	return rc == 0 ? http_pool_new(http, kube_credentials_tls(http->credentials), &http->pool, err) : rc;
}

static int set_up(struct kube_http *http, const struct kube_config *config, const struct kube_http_options *options,
                  struct kube_err *err)
{
	if (!options->user_agent || !*options->user_agent)
		return kube_fail(err, KUBE_E_INVALID, "the HTTP client needs a user agent");
	http->insecure = config->insecure;
	http->connect_timeout_ms =
	    options->connect_timeout_ms > 0 ? options->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;
	http->shortest_pause_ms = HTTP_SHORTEST_PAUSE_MS;
	http->called_ms = kube_env_mono_ms(http->env);
	int rc = (http->guard ? kube_server_parse_any : kube_server_parse)(config->server, &http->server, err);
	if (rc == 0)
		rc = make_url(http, config->tls_server_name, err);
	if (rc == 0)
		rc = copy_texts(http, config, options->user_agent, err);
	if (rc == 0)
		rc = http_impersonation(&config->impersonation, &http->impersonate, err);
	return rc == 0 ? make_credentials(http, config, options->certificates_reread_ms, err) : rc;
}

static bool copy_foreign(struct kube_http *http, const struct http_foreign *foreign)
{
	http->guard = foreign->guard;
	return copy(&http->username, foreign->username) && copy(&http->password, foreign->password);
}

static int make(struct kube_loop *loop, const struct kube_config *config, const struct kube_http_options *options,
                const struct http_foreign *foreign, struct kube_http **ret_http, struct kube_err *err)
{
	struct kube_http *http = calloc(1, sizeof(*http));
	if (!http)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted: each client has its own */
		free(http);
		return kube_fail(err, KUBE_E_IO, "libcurl cannot be initialised");
	}
	http->transport.ops = &http_ops;
	http->env = kube_loop_env(loop);
	http->uv = kube_loop_uv(loop);
	bool copied = !foreign || copy_foreign(http, foreign);
	int rc =
	    copied ? set_up(http, config, options, err) : kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	if (rc != 0)
		kube_http_free(http);
	else
		*ret_http = http;
	return rc;
}

int kube_http_new(struct kube_loop *loop, const struct kube_config *config, const struct kube_http_options *options,
                  struct kube_http **ret_http, struct kube_err *err)
{
	return make(loop, config, options, NULL, ret_http, err);
}

int http_new_foreign(struct kube_loop *loop, const struct kube_config *config, const struct http_foreign *foreign,
                     struct kube_http **ret_http, struct kube_err *err)
{
	const struct kube_http_options options = {.user_agent = foreign->user_agent};
	return make(loop, config, &options, foreign, ret_http, err);
}

static struct kube_exchange *any_exchange(const struct kube_http *http)
{
	if (http->active)
		return http->active;
	return http->waiting ? http->waiting : http->asking;
}

void kube_http_free(struct kube_http *http)
{
	if (!http)
		return;
	for (struct kube_exchange *exchange; (exchange = any_exchange(http));)
		http_cancel(&http->transport, exchange);
	kube_credentials_free(http->credentials);
	while (http->pools)
		http_pool_free(http->pools);
	kube_timer_stop(http->env, &http->sweeper);
	kube_server_finish(&http->server);
	kube_wipe_str(&http->proxy_url);
	curl_slist_free_all(http->connect_to);
	http_headers_free(http->impersonate);
	kube_wipe_str(&http->username);
	kube_wipe_str(&http->password);
	free(http->user_agent);
	free(http->name);
	free(http->url);
	free(http);
	curl_global_cleanup();
}

struct kube_transport *kube_http_transport(struct kube_http *http)
{
	return &http->transport;
}
