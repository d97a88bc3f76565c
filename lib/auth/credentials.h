/*
 * What we show the API server, and what we verify it by, over time: a bearer token (inline, from a file, from an exec
 * plugin), a client certificate and the CA. Files of certificates are looked at every 5 minutes; an exec plugin is run
 * when there is nothing from it, when that has expired, and after a 401; one run at a time, for whoever waits.
 */
#ifndef KUBE_AUTH_CREDENTIALS_H
#define KUBE_AUTH_CREDENTIALS_H

#include "lib/auth/tls.h"

#include <kube/config.h>
#include <kube/env.h>

#define KUBE_CREDENTIALS_REREAD_MS (5 * 60 * 1000)
#define KUBE_CREDENTIALS_LATER 1

struct kube_credentials;

struct kube_credentials_options {
	struct kube_env *env;
	const struct kube_config *config; /* copied */
	int64_t reread_ms;                /* 0: KUBE_CREDENTIALS_REREAD_MS */
	/* From the loop; neither may free the credentials. */
	void (*on_ready)(void *arg, const struct kube_err *err); /* what LATER spoke of is there, or cannot be had */
	void (*on_tls)(void *arg);                               /* connections must be made anew */
	void *arg;
};

int kube_credentials_new(const struct kube_credentials_options *options, struct kube_credentials **ret_credentials,
                         struct kube_err *err);
void kube_credentials_free(struct kube_credentials *credentials); /* NULL is fine */

/*
 * 0 with the token to send (NULL: none), valid until the next call, and its number for kube_credentials_refused();
 * KUBE_CREDENTIALS_LATER when on_ready() will tell; KUBE_E_AUTH with the file or plugin, KUBE_E_NOMEM.
 */
int kube_credentials_get(struct kube_credentials *credentials, const char **ret_token, unsigned *ret_number,
                         struct kube_err *err);
/* What connections are made with now; borrowed. */
struct kube_tls *kube_credentials_tls(struct kube_credentials *credentials);
/* The server answered 401 to what had this number: unless it has been replaced since, it is dropped. */
void kube_credentials_refused(struct kube_credentials *credentials, unsigned number);

#endif
