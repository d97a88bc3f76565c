/* What a Secret holds for the source of a fact, and whether it may be used for it. Pure. */
#ifndef OBSERVE_SECRET_H
#define OBSERVE_SECRET_H

#include <kube/json.h>

/* Its keys, decoded; NULL: not there. Owned, and wiped in the end. */
struct source_secret {
	char *token, *username, *password, *ca_pem;
};

/*
 * object: a Secret as the API server shows it. It must carry label or annotation patchwright.io/use with the value use,
 * and its annotation patchwright.io/hosts, where it has one, must list the host of url ("host" or "host:port",
 * separated by commas). KUBE_E_INVALID with a sentence that tells what to change, KUBE_E_NOMEM.
 */
int source_secret_decode(const cJSON *object, const char *name, const char *use, const char *url,
                         struct source_secret *ret_secret, struct kube_err *err);
void source_secret_finish(struct source_secret *secret);

#endif
