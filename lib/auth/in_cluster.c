/* The credentials that a pod finds in its own file system (client-go: rest.InClusterConfig). */
#include "lib/auth/file.h"
#include "lib/auth/pem.h"
#include "lib/auth/resolve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"
#define MAX_NAMESPACE_BYTES 1024

static int set_path(char **field, const char *dir, const char *name, struct kube_err *err)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	free(*field);
	*field = path;
	return 0;
}

static int set_server(const char *host, const char *port, struct kube_config *config, struct kube_err *err)
{
	_cleanup_free_ char *url = NULL;
	bool bare_ipv6 = strchr(host, ':') && host[0] != '[';
	if (asprintf(&url, bare_ipv6 ? "https://[%s]:%s" : "https://%s:%s", host, port) < 0) {
		url = NULL;
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
	}
	if (kube_config_set_server(config, url, err) != 0)
		return kube_err_prefix(err, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
	return 0;
}

static int read_ca(const char *dir, struct kube_config *config, struct kube_err *err)
{
	static const char what[] = "cluster CA certificate of the service account";
	_cleanup_buf_ struct kube_buf text = {0};
	kube_buf_init(&text, KUBE_FILE_MAX_PEM);
	int rc = set_path(&config->ca_file, dir, "ca.crt", err);
	if (rc == 0)
		rc = kube_file_read(what, config->ca_file, &text, err);
	if (rc == 0)
		rc = kube_pem_check_certs(what, text.data ? text.data : "", err);
	return rc == 0 ? kube_config_set(&config->ca_pem, text.data, err) : rc;
}

static int read_namespace(const char *dir, struct kube_config *config, struct kube_err *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct kube_buf text = {0};
	kube_buf_init(&text, MAX_NAMESPACE_BYTES);
	int rc = set_path(&path, dir, "namespace", err);
	if (rc == 0)
		rc = kube_file_read("namespace of the service account", path, &text, err);
	if (rc != 0 && rc != KUBE_E_NOTFOUND)
		return rc;
	const char *name = rc == 0 && text.data ? kube_file_trim(text.data) : "";
	return kube_config_set(&config->namespace_, *name ? name : "default", err);
}

int kube_config_in_cluster(const struct kube_config_options *options, struct kube_config *config, struct kube_err *err)
{
	const char *dir = options->service_account_dir ? options->service_account_dir : SERVICE_ACCOUNT_DIR;
	const char *host = kube_config_env(options, "KUBERNETES_SERVICE_HOST");
	const char *port = kube_config_env(options, "KUBERNETES_SERVICE_PORT");
	if (!*host || !*port)
		return kube_fail(err, KUBE_E_NOTFOUND,
		                 "no cluster is configured: give a kubeconfig file, set KUBECONFIG, or run in a pod");
	int rc = set_path(&config->token_file, dir, "token", err);
	if (rc == 0 && access(config->token_file, R_OK) != 0)
		return kube_fail(err, KUBE_E_AUTH,
		                 "cannot read the service account's token %s: %m; the pod needs a service account with "
		                 "automountServiceAccountToken",
		                 config->token_file);
	if (rc == 0)
		rc = set_server(host, port, config, err);
	if (rc == 0)
		rc = read_ca(dir, config, err);
	if (rc == 0)
		rc = read_namespace(dir, config, err);
	if (rc == 0)
		rc = kube_config_set(&config->origin, dir, err);
	return rc == 0 ? kube_config_set(&config->context, "in-cluster", err) : rc;
}
