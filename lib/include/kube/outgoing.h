/*
 * Requests to servers that somebody else has named: a kube_transport whose targets are whole URLs
 * ("https://prometheus.monitoring.svc:9090/api/v1/query"), with kube_request.auth. Who may write such a URL must not
 * reach with it what only we can reach. So:
 *
 * - https, or plain http to a cluster Service (a name that ends with .svc or .svc.cluster.local);
 * - no loopback, link-local, metadata or multicast address, and none of the API server's: checked on the address that
 *   is connected to, after the name was looked up, for each connection;
 * - redirects are answers like any other, no proxy is used, no connection is used again, certificates are verified,
 *   nothing of the API server's credentials goes along.
 *
 * What kube_outgoing_options.allow names is free of the first two rules. The reader bounds the body (on_data), the
 * request's timeout_ms the time.
 *
 * Errors beside those of kube/http.h: KUBE_E_INVALID with a sentence for what the rules refuse.
 */
#ifndef KUBE_OUTGOING_H
#define KUBE_OUTGOING_H

#include <kube/http.h>
#include <kube/loop.h>
#include <kube/transport.h>

KUBE_BEGIN_DECLS

#define KUBE_OUTGOING_MAX 64 /* requests in flight */

struct kube_outgoing;

struct kube_outgoing_options {
	const char *user_agent; /* required */
	/* As NO_PROXY: names (with all below them), addresses and CIDRs, each with ":port" if need be, separated by commas;
	 * NULL or "": none. They are compared with the URL's host and with the address. */
	const char *allow;
	const struct kube_http *api; /* whose server is refused; must outlive this. NULL: none */
};

/* Copies what it needs of options. */
int kube_outgoing_new(struct kube_loop *loop, const struct kube_outgoing_options *options,
                      struct kube_outgoing **ret_outgoing, struct kube_err *err);
/* Cancels what is in flight. Not from within a callback of one of its exchanges. NULL is fine. */
void kube_outgoing_free(struct kube_outgoing *outgoing);
struct kube_transport *kube_outgoing_transport(struct kube_outgoing *outgoing); /* borrowed */

KUBE_END_DECLS

#endif
