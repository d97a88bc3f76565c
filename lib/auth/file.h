/* Files that hold credentials: read whole, with a maximum. */
#ifndef KUBE_AUTH_FILE_H
#define KUBE_AUTH_FILE_H

#include <kube/buf.h>
#include <kube/err.h>

#define KUBE_FILE_MAX_KUBECONFIG ((size_t)4 << 20)
#define KUBE_FILE_MAX_PEM ((size_t)1 << 20)
#define KUBE_FILE_MAX_TOKEN ((size_t)64 << 10)

/*
 * Reads the file into ret_buf, which the caller has set up with the maximum. what names it in messages ("kubeconfig",
 * "client certificate of user \"x\""). KUBE_E_NOTFOUND, KUBE_E_IO, KUBE_E_LIMIT, KUBE_E_NOMEM.
 */
int kube_file_read(const char *what, const char *path, struct kube_buf *ret_buf, struct kube_err *err);

/* Cuts white space off both ends, in place. */
char *kube_file_trim(char *text);

/* Overwrites the contents, then frees them. */
void kube_file_wipe_buf(struct kube_buf *buf);
#define _cleanup_secret_buf_ _cleanup_(kube_file_wipe_buf)

#endif
