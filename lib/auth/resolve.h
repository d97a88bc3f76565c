/* The two sources of a kube_config, and what their files share. */
#ifndef KUBE_AUTH_RESOLVE_H
#define KUBE_AUTH_RESOLVE_H

#include "lib/auth/kubeconfig.h"

#include <kube/config.h>

#define KUBE_CONFIG_WHAT_SIZE 160 /* "client-certificate of user \"…\"" */

/* resolve.c: fills config from the context of that name; reads the certificate files that it names. */
int kube_config_from_context(const struct kube_config_options *options, struct kubeconfig *files, const char *context,
                             struct kube_config *config, struct kube_err *err);

/* in_cluster.c: fills config from the environment and the service account's folder of a pod. KUBE_E_NOTFOUND outside
 * of a pod. */
int kube_config_in_cluster(const struct kube_config_options *options, struct kube_config *config, struct kube_err *err);

/* resolve_user.c: certificate, token, impersonation and exec plugin of a user; the cluster is in config already. */
int kube_config_use_user(const struct kube_config_options *options, const struct kubeconfig_user *user,
                         const struct kubeconfig_file *file, const struct kubeconfig_cluster *cluster,
                         struct kube_config *config, struct kube_err *err);

/* resolve_exec.c */
int kube_config_use_exec(const struct kube_config_options *options, const struct kubeconfig_user *user,
                         const struct kubeconfig_file *file, const struct kubeconfig_cluster *cluster,
                         struct kube_config *config, struct kube_err *err);

/* config.c */

/* The environment, or what stands for it in a test; "" when unset. */
const char *kube_config_env(const struct kube_config_options *options, const char *name);
/* *field = a copy of text; NULL stays NULL. KUBE_E_NOMEM. */
int kube_config_set(char **field, const char *text, struct kube_err *err);
/* Checks the URL and stores it without trailing slashes. */
int kube_config_set_server(struct kube_config *config, const char *url, struct kube_err *err);

/* resolve.c */

/* A relative path is relative to the file that names it. The caller frees; NULL when out of memory. */
char *kube_config_path(const struct kubeconfig_file *file, const char *path);
/* The data stand before the file, as in client-go. Without either *ret_pem stays as it is; *ret_file is set when it
 * came from a file. what names it in messages. */
int kube_config_read_pem(const struct kubeconfig_file *file, const char *what, const char *data, const char *path,
                         char **ret_pem, char **ret_file, struct kube_err *err);
/* "<member> of <kind> \"<name>\"" */
const char *kube_config_what(char out[KUBE_CONFIG_WHAT_SIZE], const char *member, const char *kind, const char *name);

#endif
