/* Which proxy leads to the API server (client-go: the cluster's proxy-url, else golang.org/x/net/http/httpproxy). */
#ifndef KUBE_AUTH_PROXY_H
#define KUBE_AUTH_PROXY_H

#include "lib/auth/server.h"

#include <kube/config.h>

/*
 * *config->proxy_url is the cluster's own or NULL; afterwards it is what libcurl is to be given, or NULL. Messages do
 * not repeat the URL: it may hold a password. KUBE_E_INVALID, KUBE_E_NOMEM.
 */
int kube_proxy_choose(const struct kube_config_options *options, struct kube_config *config, struct kube_err *err);

/* True when the list of NO_PROXY names the server: names (with all below them), ".name" (only what is below), IP
 * addresses and CIDRs, each but the last with a port if need be, or "*". */
bool kube_proxy_bypassed(const char *no_proxy, const char *host, const char *port);

#endif
