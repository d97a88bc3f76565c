#include <kube/session.h>

int kube_session_open(struct kube_session *ret_session, const struct kube_config_options *where, const char *user_agent,
                      struct kube_err *err)
{
	static const struct kube_config_options anywhere = {.kubeconfig = NULL};
	const struct kube_http_options how = {.user_agent = user_agent};
	struct kube_session session = {.loop = NULL};

	int rc = kube_config_load(where ? where : &anywhere, &session.config, err);
	if (!rc)
		rc = kube_loop_new(&session.loop, err);
	if (!rc)
		rc = kube_http_new(session.loop, session.config, &how, &session.http, err);
	if (!rc)
		rc = kube_client_new(kube_loop_env(session.loop), kube_http_transport(session.http), &session.client, err);
	if (rc)
		kube_session_close(&session);
	else
		*ret_session = session;
	return rc;
}

void kube_session_close(struct kube_session *session)
{
	if (!session)
		return;
	kube_client_free(session->client);
	kube_http_free(session->http);
	kube_loop_free(session->loop);
	kube_config_free(session->config);
	*session = (struct kube_session){.loop = NULL};
}
