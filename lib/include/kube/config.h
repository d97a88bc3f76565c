/*
 * Where the API server is and who we are there: kubeconfig files and in-cluster credentials.
 *
 * Rules as kubectl's (client-go tools/clientcmd): an explicit path is exclusive; else the KUBECONFIG list (the first
 * file wins for each map entry, missing files of the list are passed over); else ~/.kube/config; else in-cluster.
 * Relative paths are relative to the file that names them. TLS verification cannot be turned off:
 * insecure-skip-tls-verify is refused.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include <kube/err.h>
#include <stdbool.h>
#include <stddef.h>

KUBE_BEGIN_DECLS

struct kube_config {
	char *server;          /* "https://127.0.0.1:6443", without a trailing slash; plain http only to loopback */
	char *namespace_;      /* the context's, or the pod's; "default" when none */
	char *context;         /* name of the context; "in-cluster" */
	char *origin;          /* file(s) that it came from, for messages */
	char *tls_server_name; /* NULL: the server's host */
	char *ca_pem;          /* NULL: the system's roots */
	char *client_cert_pem, *client_key_pem;
	char *token;      /* an inline bearer token */
	char *token_file; /* re-read when its content is 50 s old; kube-semantics: the inline one is used until the first
	                     read */
};

struct kube_config_options {
	const char *kubeconfig; /* explicit path; NULL: by the rules above */
	const char *context;    /* NULL: current-context */
	/* Replaced in tests; NULL: getenv() and the paths under /var/run/secrets/kubernetes.io/serviceaccount. */
	const char *(*get_env)(const char *name);
	const char *service_account_dir;
};

/*
 * Each failure is one sentence with the file's name: missing, unreadable, malformed (with line), no such
 * context/cluster/user (with the ones there are), a certificate that is absent. KUBE_E_NOTFOUND, KUBE_E_PARSE,
 * KUBE_E_INVALID, KUBE_E_AUTH.
 */
int kube_config_load(const struct kube_config_options *options, struct kube_config **ret_config, struct kube_err *err);
void kube_config_free(struct kube_config *config); /* wipes secrets; NULL is fine */

KUBE_END_DECLS

#endif
