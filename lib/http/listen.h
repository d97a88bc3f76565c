/* A listening TCP socket from a text. */
#ifndef KUBE_HTTP_LISTEN_H
#define KUBE_HTTP_LISTEN_H

#include <kube/err.h>

/* See kube_httpd_options.address. The caller closes the socket. KUBE_E_INVALID, KUBE_E_IO. */
int http_listen(const char *address, int *ret_fd, int *ret_port, struct kube_err *err);

#endif
