/* Certificates and keys as kubeconfig files carry them: base64 of PEM, or PEM files. */
#ifndef KUBE_AUTH_PEM_H
#define KUBE_AUTH_PEM_H

#include <kube/base64.h>
#include <kube/err.h>

/* At least one certificate, all of them readable. what names it: "certificate-authority of cluster \"x\"". */
int kube_pem_check_certs(const char *what, const char *pem, struct kube_err *err);
/* A private key without a password that belongs to the first certificate of cert_pem. */
int kube_pem_check_key(const char *what, const char *key_pem, const char *cert_pem, struct kube_err *err);

#endif
