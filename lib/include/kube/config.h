/*
 * Where the API server is and who we are there: kubeconfig files and in-cluster credentials.
 *
 * Rules as kubectl's (client-go tools/clientcmd): an explicit path is exclusive; else the KUBECONFIG list (the first
 * file wins for each map entry, missing files of the list are passed over); else ~/.kube/config; else in-cluster.
 * Relative paths are relative to the file that names them. A cluster's proxy-url goes before HTTPS_PROXY, which
 * NO_PROXY limits (names, addresses, CIDRs). insecure-skip-tls-verify is refused unless kube_config_options allows it.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include <kube/err.h>
#include <stdbool.h>
#include <stddef.h>

KUBE_BEGIN_DECLS

/* A program that prints credentials (client.authentication.k8s.io/v1 and v1beta1). Lists end with NULL. */
struct kube_exec {
	char *api_version;
	char **argv;        /* the command and its arguments */
	char **env;         /* "NAME=value" on top of our own environment */
	char *install_hint; /* for whoever does not have it; "" when absent */
	char *cluster;      /* JSON for its spec.cluster; NULL: it is told nothing of the cluster */
	char *user;         /* whose it is, for messages: "user \"admin\" in /home/me/.kube/config" */
	bool terminal;      /* it may ask the person at our terminal */
};

/* Whom the requests are to be taken for. Lists end with NULL. */
struct kube_impersonation {
	char *user, *uid; /* NULL: none; nothing else is set without a user */
	char **groups;
	char **extra; /* key, value, key, value, … */
};

struct kube_config {
	char *server;          /* "https://127.0.0.1:6443", without a trailing slash; plain http only to loopback */
	char *namespace_;      /* the context's, or the pod's; "default" when none */
	char *context;         /* name of the context; "in-cluster" */
	char *origin;          /* file(s) that it came from, for messages */
	char *tls_server_name; /* NULL: the server's host */
	char *proxy_url;       /* NULL: none; the environment has been looked at */
	bool insecure;         /* the server's certificate is not verified */
	char *ca_pem;          /* NULL: the system's roots */
	char *client_cert_pem, *client_key_pem;
	/* Where the three came from, to be looked at again; NULL: they stay as they are. */
	char *ca_file, *client_cert_file, *client_key_file;
	char *token;            /* an inline bearer token */
	char *token_file;       /* re-read when its content is 50 s old; the inline one is used until the first read */
	struct kube_exec *exec; /* NULL: none; a token goes before what it prints */
	struct kube_impersonation impersonation;
};

struct kube_config_options {
	const char *kubeconfig; /* explicit path; NULL: by the rules above */
	const char *context;    /* NULL: current-context */
	bool terminal;          /* a person sits at our standard input: exec plugins may ask */
	bool allow_insecure;    /* insecure-skip-tls-verify is accepted */
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
