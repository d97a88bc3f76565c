/* Which files count, and what wins (client-go: tools/clientcmd/loader.go, client_config.go). */
#include <kube/config.h>

#include "lib/auth/exec.h"
#include "lib/auth/proxy.h"
#include "lib/auth/resolve.h"
#include "lib/auth/server.h"
#include "lib/base/strv.h"

#include <string.h>

void kube_config_free(struct kube_config *config)
{
	if (!config)
		return;
	kube_wipe_str(&config->client_key_pem);
	kube_wipe_str(&config->token);
	kube_wipe_str(&config->proxy_url);
	kube_exec_free(config->exec);
	kube_strv_free(config->impersonation.groups);
	kube_strv_free(config->impersonation.extra);
	free(config->impersonation.user);
	free(config->impersonation.uid);
	free(config->ca_file);
	free(config->client_cert_file);
	free(config->client_key_file);
	free(config->server);
	free(config->namespace_);
	free(config->context);
	free(config->origin);
	free(config->tls_server_name);
	free(config->ca_pem);
	free(config->client_cert_pem);
	free(config->token_file);
	free(config);
}

static void free_configp(struct kube_config **config)
{
	kube_config_free(*config);
}

const char *kube_config_env(const struct kube_config_options *options, const char *name)
{
	const char *value = options->get_env ? options->get_env(name) : getenv(name);
	return value ? value : "";
}

int kube_config_set(char **field, const char *text, struct kube_err *err)
{
	char *copy = text ? strdup(text) : NULL;
	if (text && !copy)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	free(*field);
	*field = copy;
	return 0;
}

int kube_config_set_server(struct kube_config *config, const char *url, struct kube_err *err)
{
	struct kube_server server = {0};
	int rc = kube_server_parse(url, &server, err);
	if (rc != 0)
		return rc;
	kube_server_finish(&server);
	rc = kube_config_set(&config->server, url, err);
	if (rc != 0)
		return rc;
	for (size_t len = strlen(url); len > 0 && config->server[len - 1] == '/'; len--)
		config->server[len - 1] = '\0';
	return 0;
}

/* One of several files that may be absent. */
static int add_optional(struct kubeconfig *files, const char *path, struct kube_err *err)
{
	struct kube_err why;
	int rc = kubeconfig_add(files, path, &why);
	if (rc == 0 || rc == KUBE_E_NOTFOUND)
		return 0;
	if (err)
		*err = why;
	return rc;
}

static int add_list(struct kubeconfig *files, const char *list, struct kube_err *err)
{
	_cleanup_free_ char *copy = strdup(list);
	if (!copy)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	char *rest = copy;
	int rc = 0;
	for (char *path; rc == 0 && (path = strsep(&rest, ":"));)
		if (*path)
			rc = add_optional(files, path, err);
	return rc;
}

static int add_home(struct kubeconfig *files, const char *home, struct kube_err *err)
{
	const char *path = kube_arena_printf(&files->arena, "%s/.kube/config", home);
	if (!path)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	return add_optional(files, path, err);
}

static int add_files(const struct kube_config_options *options, struct kubeconfig *files, struct kube_err *err)
{
	const char *list = kube_config_env(options, "KUBECONFIG"), *home = kube_config_env(options, "HOME");
	if (options->kubeconfig && *options->kubeconfig)
		return kubeconfig_add(files, options->kubeconfig, err);
	if (*list)
		return add_list(files, list, err);
	return *home ? add_home(files, home, err) : 0;
}

static int from_files(const struct kube_config_options *options, struct kubeconfig *files, struct kube_config *config,
                      struct kube_err *err)
{
	const char *context = options->context && *options->context ? options->context : kubeconfig_current_context(files);
	const char *origin = kubeconfig_origin(files), *list = kubeconfig_list_contexts(files);
	if (!origin || !list)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	if (files->count == 0)
		return kube_fail(err, KUBE_E_NOTFOUND, "there is no kubeconfig file to look the context \"%s\" up in", context);
	if (!*context)
		return kube_fail(err, KUBE_E_NOTFOUND, "the kubeconfig %s sets no current-context, so name a context: %s",
		                 origin, list);
	int rc = kube_config_set(&config->origin, origin, err);
	return rc == 0 ? kube_config_from_context(options, files, context, config, err) : rc;
}

int kube_config_load(const struct kube_config_options *options, struct kube_config **ret_config, struct kube_err *err)
{
	_cleanup_(kubeconfig_finish) struct kubeconfig files = {0};
	_cleanup_(free_configp) struct kube_config *config = calloc(1, sizeof(*config));
	if (!config)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	int rc = add_files(options, &files, err);
	if (rc != 0)
		return rc;
	bool chosen = (options->kubeconfig && *options->kubeconfig) || (options->context && *options->context);
	if (kubeconfig_empty(&files) && !chosen)
		rc = kube_config_in_cluster(options, config, err);
	else
		rc = from_files(options, &files, config, err);
	if (rc == 0)
		rc = kube_proxy_choose(options, config, err);
	if (rc == 0)
		*ret_config = take(config);
	return rc;
}
