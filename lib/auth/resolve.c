/* From a context's name to server, namespace and credentials. */
#include "lib/auth/resolve.h"

#include "lib/auth/file.h"
#include "lib/auth/pem.h"
#include "lib/auth/server.h"
#include "lib/auth/token.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WHAT_SIZE 160 /* "client-certificate of user \"…\"" */

/* A relative path is relative to the file that names it. The caller frees. */
static char *resolve_path(const struct kubeconfig_file *file, const char *path)
{
	const char *slash = strrchr(file->path, '/');
	char *resolved = NULL;
	if (path[0] == '/' || !slash)
		return strdup(path);
	return asprintf(&resolved, "%.*s/%s", (int)(slash - file->path), file->path, path) < 0 ? NULL : resolved;
}

static int read_pem_file(const struct kubeconfig_file *file, const char *what, const char *path, char **ret_pem,
                         struct kube_err *err)
{
	_cleanup_free_ char *resolved = resolve_path(file, path);
	_cleanup_secret_buf_ struct kube_buf text = {0};
	if (!resolved)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the %s", what);
	kube_buf_init(&text, KUBE_FILE_MAX_PEM);
	int rc = kube_file_read(what, resolved, &text, err);
	return rc == 0 ? kube_config_set(ret_pem, text.data ? text.data : "", err) : rc;
}

/* The data stand before the file, as in client-go. Leaves NULL when there is neither. */
static int read_pem(const struct kubeconfig_file *file, const char *what, const char *data, const char *path,
                    char **ret_pem, struct kube_err *err)
{
	if (data && *data) {
		int rc = kube_base64_decode(data, ret_pem, err);
		return rc == 0 ? 0 : kube_err_prefix(err, "cannot read the %s-data in %s", what, file->path);
	}
	return path && *path ? read_pem_file(file, what, path, ret_pem, err) : 0;
}

static const char *describe(char out[WHAT_SIZE], const char *member, const char *kind, const char *name)
{
	snprintf(out, WHAT_SIZE, "%s of %s \"%s\"", member, kind, name);
	return out;
}

static int use_cluster(const struct kubeconfig_cluster *cluster, const struct kubeconfig_file *file,
                       struct kube_config *config, struct kube_err *err)
{
	const char *name = cluster->name, *path = file->path;
	char what[WHAT_SIZE];
	if (!cluster->server || !*cluster->server)
		return kube_fail(err, KUBE_E_INVALID, "the cluster \"%s\" in %s has no server", name, path);
	if (cluster->insecure)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the cluster \"%s\" in %s sets insecure-skip-tls-verify, which is not supported: give its "
		                 "certificate-authority instead",
		                 name, path);
	if (cluster->proxy_url && *cluster->proxy_url)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the cluster \"%s\" in %s sets proxy-url, which is not supported: set https_proxy in the "
		                 "environment instead",
		                 name, path);
	if (cluster->tls_server_name && *cluster->tls_server_name) {
		if (!kube_server_name_ok(cluster->tls_server_name))
			return kube_fail(err, KUBE_E_INVALID, "the cluster \"%s\" in %s: tls-server-name \"%s\" is not a host name",
			                 name, path, cluster->tls_server_name);
		int rc = kube_config_set(&config->tls_server_name, cluster->tls_server_name, err);
		if (rc != 0)
			return rc;
	}
	int rc = kube_config_set_server(config, cluster->server, err);
	if (rc != 0)
		return kube_err_prefix(err, "the cluster \"%s\" in %s", name, path);
	describe(what, "certificate-authority", "cluster", name);
	rc = read_pem(file, what, cluster->ca_data, cluster->ca_file, &config->ca_pem, err);
	return rc == 0 && config->ca_pem ? kube_pem_check_certs(what, config->ca_pem, err) : rc;
}

static int use_client_cert(const struct kubeconfig_user *user, const struct kubeconfig_file *file,
                           struct kube_config *config, struct kube_err *err)
{
	char cert[WHAT_SIZE], key[WHAT_SIZE];
	describe(cert, "client-certificate", "user", user->name);
	describe(key, "client-key", "user", user->name);
	int rc = read_pem(file, cert, user->cert_data, user->cert_file, &config->client_cert_pem, err);
	if (rc == 0)
		rc = read_pem(file, key, user->key_data, user->key_file, &config->client_key_pem, err);
	if (rc != 0 || (!config->client_cert_pem && !config->client_key_pem))
		return rc;
	if (!config->client_cert_pem || !config->client_key_pem)
		return kube_fail(err, KUBE_E_AUTH, "the user \"%s\" in %s has a client-%s but no client-%s", user->name,
		                 file->path, config->client_cert_pem ? "certificate" : "key",
		                 config->client_cert_pem ? "key" : "certificate");
	rc = kube_pem_check_certs(cert, config->client_cert_pem, err);
	return rc == 0 ? kube_pem_check_key(key, config->client_key_pem, config->client_cert_pem, err) : rc;
}

static int use_token(const struct kubeconfig_user *user, const struct kubeconfig_file *file, struct kube_config *config,
                     struct kube_err *err)
{
	if (user->token && *user->token) {
		if (!kube_token_ok(user->token))
			return kube_fail(err, KUBE_E_AUTH,
			                 "the token of user \"%s\" in %s contains blanks or control characters: correct it",
			                 user->name, file->path);
		int rc = kube_config_set(&config->token, user->token, err);
		if (rc != 0)
			return rc;
	}
	if (!user->token_file || !*user->token_file)
		return 0;
	config->token_file = resolve_path(file, user->token_file);
	if (!config->token_file)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	if (!config->token && access(config->token_file, R_OK) != 0)
		return kube_fail(err, KUBE_E_AUTH, "cannot read the tokenFile %s of user \"%s\": %m", config->token_file,
		                 user->name);
	return 0;
}

/* What kubectl can do and we cannot: said at once, instead of a request as somebody else. */
static int refuse_unsupported(const struct kubeconfig_user *user, const struct kubeconfig_file *file,
                              struct kube_err *err)
{
	const char *member = user->exec            ? "an exec plugin"
	                     : user->auth_provider ? "an auth-provider"
	                     : user->impersonates  ? "impersonation (as)"
	                                           : NULL;
	if (member)
		return kube_fail(err, KUBE_E_AUTH,
		                 "the user \"%s\" in %s uses %s, which is not supported: give it a client certificate, a token "
		                 "or a tokenFile",
		                 user->name, file->path, member);
	return 0;
}

static int use_user(const struct kubeconfig_user *user, const struct kubeconfig_file *file, struct kube_config *config,
                    struct kube_err *err)
{
	int rc = refuse_unsupported(user, file, err);
	if (rc == 0)
		rc = use_client_cert(user, file, config, err);
	if (rc == 0)
		rc = use_token(user, file, config, err);
	bool none = !config->client_cert_pem && !config->token && !config->token_file;
	if (rc == 0 && none && (user->username || user->password))
		return kube_fail(err, KUBE_E_AUTH,
		                 "the user \"%s\" in %s has a username and password only, which Kubernetes no longer accepts: "
		                 "give it a client certificate or a token",
		                 user->name, file->path);
	return rc;
}

static int has_cluster(const char *context, const struct kubeconfig_context *entry, struct kube_err *err)
{
	if (entry->cluster && *entry->cluster)
		return 0;
	return kube_fail(err, KUBE_E_INVALID, "the context \"%s\" names no cluster", context);
}

int kube_config_from_context(struct kubeconfig *files, const char *context, struct kube_config *config,
                             struct kube_err *err)
{
	const struct kubeconfig_context *entry = NULL;
	const struct kubeconfig_cluster *cluster = NULL;
	const struct kubeconfig_user *user = NULL;
	const struct kubeconfig_file *cluster_file = NULL, *user_file = NULL;
	int rc = kubeconfig_find_context(files, context, &entry, err);
	if (rc == 0)
		rc = has_cluster(context, entry, err);
	if (rc == 0)
		rc = kubeconfig_find_cluster(files, entry->cluster, &cluster, &cluster_file, err);
	if (rc == 0)
		rc = use_cluster(cluster, cluster_file, config, err);
	if (rc == 0 && entry->user && *entry->user) /* without a user we are anonymous, as kubectl is */
		rc = kubeconfig_find_user(files, entry->user, &user, &user_file, err);
	if (rc == 0 && user)
		rc = use_user(user, user_file, config, err);
	if (rc == 0)
		rc = kube_config_set(&config->context, context, err);
	if (rc == 0)
		rc = kube_config_set(&config->namespace_,
		                     entry->namespace_ && *entry->namespace_ ? entry->namespace_ : "default", err);
	return rc;
}
