/* Certificates and keys as kubeconfig files carry them: base64 of PEM, or PEM files. */
#ifndef KUBE_AUTH_PEM_H
#define KUBE_AUTH_PEM_H

#include <kube/err.h>

/* Decodes base64 (line breaks allowed) to a text that the caller frees. KUBE_E_PARSE, KUBE_E_NOMEM. */
int kube_base64_decode(const char *text, char **ret_text, struct kube_err *err);
/* Without line breaks; the caller frees. NULL when out of memory. */
char *kube_base64_encode(const char *text);

/* At least one certificate, all of them readable. what names it: "certificate-authority of cluster \"x\"". */
int kube_pem_check_certs(const char *what, const char *pem, struct kube_err *err);
/* A private key without a password that belongs to the first certificate of cert_pem. */
int kube_pem_check_key(const char *what, const char *key_pem, const char *cert_pem, struct kube_err *err);

#endif
