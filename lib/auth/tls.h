/* The certificates that connections are made with, and the files that they come from. */
#ifndef KUBE_AUTH_TLS_H
#define KUBE_AUTH_TLS_H

#include <kube/config.h>

/* Immutable; each text is NULL when there is none. */
struct kube_tls {
	unsigned refs;
	char *ca_pem, *client_cert_pem, *client_key_pem;
};

/* Copies; NULL when out of memory. The reference is the caller's. */
struct kube_tls *kube_tls_new(const char *ca_pem, const char *cert_pem, const char *key_pem);
struct kube_tls *kube_tls_ref(struct kube_tls *tls);
void kube_tls_unref(struct kube_tls *tls); /* wipes; NULL is fine */
bool kube_tls_same(const struct kube_tls *a, const struct kube_tls *b);

struct kube_tls_files {
	char *ca, *cert, *key; /* NULL: that one does not come from a file */
};

int kube_tls_files_init(struct kube_tls_files *files, const struct kube_config *config, struct kube_err *err);
void kube_tls_files_finish(struct kube_tls_files *files);
bool kube_tls_files_any(const struct kube_tls_files *files);

/* *ret_tls is what the files hold now beside what of old is in none; it stays as it is when nothing has changed. An
 * error when they cannot be read or do not go together. */
int kube_tls_reread(const struct kube_tls_files *files, const struct kube_tls *old, struct kube_tls **ret_tls,
                    struct kube_err *err);

#endif
