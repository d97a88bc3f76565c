/* SHA-256 as lower-case hex, over OpenSSL. */
#ifndef KUBE_DIGEST_H
#define KUBE_DIGEST_H

#include <kube/decls.h>
#include <stddef.h>

KUBE_BEGIN_DECLS

#define KUBE_SHA256_HEX_SIZE 65

/* Always succeeds for valid memory; out is NUL-terminated and returned. */
const char *kube_sha256_hex(const void *bytes, size_t len, char out[KUBE_SHA256_HEX_SIZE]);

KUBE_END_DECLS

#endif
