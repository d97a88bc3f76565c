/*
 * The real kube_transport: libcurl's multi interface on a kube_loop. HTTP/2 with multiplexing, TLS, no redirects,
 * keep-alives that notice a dead peer within 45 s.
 *
 * Credentials are renewed under it: a token file is read again as it rotates; an exec plugin is run again when what it
 * printed has expired or was refused, while requests wait; when certificates change, new connections are made, calls
 * end on the old ones, and watches complete as if the server had ended them.
 */
#ifndef KUBE_HTTP_H
#define KUBE_HTTP_H

#include <kube/config.h>
#include <kube/err.h>
#include <kube/loop.h>
#include <kube/transport.h>

KUBE_BEGIN_DECLS

struct kube_http;

struct kube_http_options {
	const char *user_agent;         /* required: "patchwright-controller/0.1.0 (linux/amd64)" */
	int64_t connect_timeout_ms;     /* names, TCP and TLS together; 0: 30 s */
	int64_t certificates_reread_ms; /* how often the files of certificates are looked at; 0: 5 min */
};

/* Copies what it needs of config. */
int kube_http_new(struct kube_loop *loop, const struct kube_config *config, const struct kube_http_options *options,
                  struct kube_http **ret_http, struct kube_err *err);
/* Cancels what is in flight. Not from within a callback of one of its exchanges. NULL is fine. */
void kube_http_free(struct kube_http *http);
struct kube_transport *kube_http_transport(struct kube_http *http); /* borrowed */

KUBE_END_DECLS

#endif
