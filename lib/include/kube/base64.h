/* base64, as Secrets and kubeconfig files carry texts. */
#ifndef KUBE_BASE64_H
#define KUBE_BASE64_H

#include <kube/decls.h>
#include <kube/err.h>

KUBE_BEGIN_DECLS

/* Decodes (line breaks allowed) to a text that the caller frees; a NUL byte in it is refused. KUBE_E_PARSE,
 * KUBE_E_NOMEM. */
int kube_base64_decode(const char *text, char **ret_text, struct kube_err *err);
/* Without line breaks; the caller frees. NULL when out of memory. */
char *kube_base64_encode(const char *text);

KUBE_END_DECLS

#endif
