/*
 * What every program needs to talk to an API server: a loop, where the server is, a transport and a client, made and
 * taken down in the right order.
 */
#ifndef KUBE_SESSION_H
#define KUBE_SESSION_H

#include <kube/client.h>
#include <kube/config.h>
#include <kube/http.h>

KUBE_BEGIN_DECLS

/* Owned by the caller; the members are for reading. */
struct kube_session {
	struct kube_loop *loop;
	struct kube_config *config;
	struct kube_http *http;
	struct kube_client *client;
};

/* where NULL: KUBECONFIG, ~/.kube/config, or the pod's service account. user_agent as in kube_http_options. No request
 * is sent. The errors are those of kube_config_load() and kube_http_new(). */
int kube_session_open(struct kube_session *ret_session, const struct kube_config_options *where, const char *user_agent,
                      struct kube_err *err);
/* What uses its client has been freed. NULL and zeroed are fine. */
void kube_session_close(struct kube_session *session);

KUBE_END_DECLS

#endif
