/* The two sources of a kube_config. */
#ifndef KUBE_AUTH_RESOLVE_H
#define KUBE_AUTH_RESOLVE_H

#include "lib/auth/kubeconfig.h"

#include <kube/config.h>

/* Fills config from the context of that name; reads the certificate files that it names. */
int kube_config_from_context(struct kubeconfig *files, const char *context, struct kube_config *config,
                             struct kube_err *err);

/* Fills config from the environment and the service account's folder of a pod. KUBE_E_NOTFOUND outside of a pod. */
int kube_config_in_cluster(const struct kube_config_options *options, struct kube_config *config, struct kube_err *err);

/* The environment, or what stands for it in a test; "" when unset. */
const char *kube_config_env(const struct kube_config_options *options, const char *name);

/* *field = a copy of text; NULL stays NULL. KUBE_E_NOMEM. */
int kube_config_set(char **field, const char *text, struct kube_err *err);
/* Checks the URL and stores it without trailing slashes. */
int kube_config_set_server(struct kube_config *config, const char *url, struct kube_err *err);

#endif
