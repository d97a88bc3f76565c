/* From a context's name to server, CA, namespace and user. */
#include "lib/auth/resolve.h"

#include "lib/auth/file.h"
#include "lib/auth/pem.h"
#include "lib/auth/server.h"

#include <stdio.h>
#include <string.h>

char *kube_config_path(const struct kubeconfig_file *file, const char *path)
{
	const char *slash = strrchr(file->path, '/');
	char *resolved = NULL;
	if (path[0] == '/' || !slash)
		return strdup(path);
	return asprintf(&resolved, "%.*s/%s", (int)(slash - file->path), file->path, path) < 0 ? NULL : resolved;
}

static int read_pem_file(const char *what, const char *path, char **ret_pem, struct kube_err *err)
{
	_cleanup_secret_buf_ struct kube_buf text = {0};
	kube_buf_init(&text, KUBE_FILE_MAX_PEM);
	int rc = kube_file_read(what, path, &text, err);
	return rc == 0 ? kube_config_set(ret_pem, text.data ? text.data : "", err) : rc;
}

int kube_config_read_pem(const struct kubeconfig_file *file, const char *what, const char *data, const char *path,
                         char **ret_pem, char **ret_file, struct kube_err *err)
{
	if (data && *data) {
		int rc = kube_base64_decode(data, ret_pem, err);
		return rc == 0 ? 0 : kube_err_prefix(err, "cannot read the %s-data in %s", what, file->path);
	}
	if (!path || !*path)
		return 0;
	_cleanup_free_ char *resolved = kube_config_path(file, path);
	if (!resolved)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the %s", what);
	int rc = read_pem_file(what, resolved, ret_pem, err);
	if (rc == 0)
		*ret_file = take(resolved);
	return rc;
}

const char *kube_config_what(char out[KUBE_CONFIG_WHAT_SIZE], const char *member, const char *kind, const char *name)
{
	snprintf(out, KUBE_CONFIG_WHAT_SIZE, "%s of %s \"%s\"", member, kind, name);
	return out;
}

/* client-go refuses a CA beside the flag, too: whoever has one has no need of it. */
static int use_insecure(const struct kube_config_options *options, const struct kubeconfig_cluster *cluster,
                        const char *path, struct kube_config *config, struct kube_err *err)
{
	bool has_ca = (cluster->ca_data && *cluster->ca_data) || (cluster->ca_file && *cluster->ca_file);
	if (!cluster->insecure)
		return 0;
	if (!options->allow_insecure)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the cluster \"%s\" in %s sets insecure-skip-tls-verify, which is refused: give its "
		                 "certificate-authority instead",
		                 cluster->name, path);
	if (has_ca)
		return kube_fail(
		    err, KUBE_E_INVALID,
		    "the cluster \"%s\" in %s sets insecure-skip-tls-verify beside a certificate-authority: remove "
		    "one of them",
		    cluster->name, path);
	config->insecure = true;
	return 0;
}

static int use_tls_server_name(const struct kubeconfig_cluster *cluster, const char *path, struct kube_config *config,
                               struct kube_err *err)
{
	const char *name = cluster->tls_server_name;
	if (!name || !*name)
		return 0;
	if (!kube_server_name_ok(name))
		return kube_fail(err, KUBE_E_INVALID, "the cluster \"%s\" in %s: tls-server-name \"%s\" is not a host name",
		                 cluster->name, path, name);
	return kube_config_set(&config->tls_server_name, name, err);
}

static int use_ca(const struct kubeconfig_cluster *cluster, const struct kubeconfig_file *file,
                  struct kube_config *config, struct kube_err *err)
{
	char what[KUBE_CONFIG_WHAT_SIZE];
	kube_config_what(what, "certificate-authority", "cluster", cluster->name);
	int rc =
	    kube_config_read_pem(file, what, cluster->ca_data, cluster->ca_file, &config->ca_pem, &config->ca_file, err);
	return rc == 0 && config->ca_pem ? kube_pem_check_certs(what, config->ca_pem, err) : rc;
}

static int use_cluster(const struct kube_config_options *options, const struct kubeconfig_cluster *cluster,
                       const struct kubeconfig_file *file, struct kube_config *config, struct kube_err *err)
{
	if (!cluster->server || !*cluster->server)
		return kube_fail(err, KUBE_E_INVALID, "the cluster \"%s\" in %s has no server", cluster->name, file->path);
	int rc = use_insecure(options, cluster, file->path, config, err);
	if (rc == 0)
		rc = use_tls_server_name(cluster, file->path, config, err);
	if (rc == 0 && kube_config_set_server(config, cluster->server, err) != 0)
		return kube_err_prefix(err, "the cluster \"%s\" in %s", cluster->name, file->path);
	if (rc == 0 && cluster->proxy_url && *cluster->proxy_url)
		rc = kube_config_set(&config->proxy_url, cluster->proxy_url, err);
	return rc == 0 ? use_ca(cluster, file, config, err) : rc;
}

static int has_cluster(const char *context, const struct kubeconfig_context *entry, struct kube_err *err)
{
	if (entry->cluster && *entry->cluster)
		return 0;
	return kube_fail(err, KUBE_E_INVALID, "the context \"%s\" names no cluster", context);
}

int kube_config_from_context(const struct kube_config_options *options, struct kubeconfig *files, const char *context,
                             struct kube_config *config, struct kube_err *err)
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
		rc = use_cluster(options, cluster, cluster_file, config, err);
	if (rc == 0 && entry->user && *entry->user) /* without a user we are anonymous, as kubectl is */
		rc = kubeconfig_find_user(files, entry->user, &user, &user_file, err);
	if (rc == 0 && user)
		rc = kube_config_use_user(options, user, user_file, cluster, config, err);
	if (rc == 0)
		rc = kube_config_set(&config->context, context, err);
	if (rc == 0)
		rc = kube_config_set(&config->namespace_,
		                     entry->namespace_ && *entry->namespace_ ? entry->namespace_ : "default", err);
	return rc;
}
