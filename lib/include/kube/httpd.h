/*
 * A small HTTP server on a kube_loop, for /healthz, /readyz and /metrics: GET and HEAD, no TLS, no request bodies.
 *
 * At most 64 connections, 32 of one address; each ends after 10 s of silence.
 */
#ifndef KUBE_HTTPD_H
#define KUBE_HTTPD_H

#include <kube/buf.h>
#include <kube/err.h>
#include <kube/loop.h>

KUBE_BEGIN_DECLS

#define KUBE_HTTPD_MAX_BODY_BYTES ((size_t)8 << 20)

struct kube_httpd;

struct kube_httpd_reply {
	int status;               /* 200 at first */
	const char *content_type; /* "text/plain; charset=utf-8" at first; static */
	struct kube_buf body;     /* empty at first; at most KUBE_HTTPD_MAX_BODY_BYTES */
};

struct kube_httpd_options {
	const char *address; /* "host:port" or "[v6]:port"; ":port": all interfaces; port 0: the kernel picks one */
	/* Answers a request from the loop: path is decoded, query is as it came, without "?", "" when absent. A negative
	 * return gives 500. Must not free the server. */
	int (*handle)(void *arg, const char *path, const char *query, struct kube_httpd_reply *reply);
	void *arg;
};

/* Listens at once; serves while the loop runs. KUBE_E_INVALID for the address, KUBE_E_IO when it cannot be listened on,
 * KUBE_E_NOMEM. */
int kube_httpd_new(struct kube_loop *loop, const struct kube_httpd_options *options, struct kube_httpd **ret_httpd,
                   struct kube_err *err);
/* Closes all connections. NULL is fine. */
void kube_httpd_free(struct kube_httpd *httpd);

/* The port that it listens on. */
int kube_httpd_port(const struct kube_httpd *httpd);

KUBE_END_DECLS

#endif
