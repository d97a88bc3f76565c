/*
 * Health as Kubernetes' components tell it (k8s.io/apiserver pkg/server/healthz), for kube_httpd_options.handle.
 *
 * GET /readyz (or any other endpoint): "ok", or a line a check when one fails or ?verbose is asked for. ?exclude=NAME
 * leaves a check out; several are named by several exclude=. GET /readyz/NAME: that check alone. What fails is answered
 * with 500, as there, and, since no secret is in it, with its reason.
 */
#ifndef KUBE_HEALTH_H
#define KUBE_HEALTH_H

#include <kube/httpd.h>

KUBE_BEGIN_DECLS

struct kube_health_check {
	const char *name;    /* lower-case letters, digits and dashes: it is part of a path */
	const char *problem; /* NULL: passed */
};

/* True when path is endpoint ("/readyz") or lies below it. */
bool kube_health_serves(const char *endpoint, const char *path);
/* Fills reply. 404 when there is no check of that name. */
int kube_health_reply(const char *endpoint, const char *path, const char *query, const struct kube_health_check *checks,
                      size_t count, struct kube_httpd_reply *reply);

KUBE_END_DECLS

#endif
