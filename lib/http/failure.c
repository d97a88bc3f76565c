/* libcurl's errors in our words: what happened, with which server, what to do. */
#include "lib/http/internal.h"

#include <openssl/x509_vfy.h>
#include <string.h>

static const char *trusted(const struct kube_exchange *exchange)
{
	return exchange->tls->ca_pem ? "the configured CA" : "a CA that this system trusts";
}

static int unverified(const struct kube_exchange *exchange, const char *detail, struct kube_err *err)
{
	const struct kube_http *http = exchange->http;
	long result = X509_V_OK;
	curl_easy_getinfo(exchange->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) {
	case X509_V_OK: /* the chain is fine, so it is the name; libcurl then leaves its initial 1 */
	case X509_V_ERR_UNSPECIFIED:
		return kube_fail(err, KUBE_E_TLS,
		                 "the certificate of the server %s is not for that name (%s): correct the server's URL or set "
		                 "tls-server-name",
		                 http->name, detail);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return kube_fail(err, KUBE_E_TLS,
		                 "the certificate of the server %s is not signed by %s: put its CA into the cluster's "
		                 "certificate-authority, or into ca.crt of the Secret that goes with the server",
		                 http->name, trusted(exchange));
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return kube_fail(err, KUBE_E_TLS,
		                 "the certificate of the server %s is not valid now (%s): renew it, or correct this machine's "
		                 "clock",
		                 http->name, detail);
	default:
		return kube_fail(err, KUBE_E_TLS, "the certificate of the server %s cannot be verified: %s", http->name,
		                 detail);
	}
}

static int early_end(const struct kube_exchange *exchange, const char *detail, struct kube_err *err)
{
	const char *when = exchange->head.complete ? "in the middle of its answer" : "before it answered";
	return kube_fail(err, KUBE_E_CLOSED, "the server %s closed the connection %s: %s", exchange->http->name, when,
	                 detail);
}

/* The proxy's host and port, without the password that its URL may hold. */
static const char *proxy_name(const struct kube_http *http)
{
	const char *at = strrchr(http->proxy_url, '@'), *scheme = strstr(http->proxy_url, "://");
	return at ? at + 1 : scheme ? scheme + 3 : http->proxy_url;
}

/* True when the proxy has answered, and not as it should. */
static bool proxy_refused(const struct kube_exchange *exchange, struct kube_err *err)
{
	const struct kube_http *http = exchange->http;
	long status = 0;
	if (!http->proxy_url || curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &status) != CURLE_OK)
		return false;
	if (status == 0 || status / 100 == 2)
		return false;
	const char *name = proxy_name(http);
	kube_fail(err, KUBE_E_CONNECT,
	          "the proxy %.*s does not lead to the server %s: HTTP %ld; check proxy-url or HTTPS_PROXY",
	          (int)strcspn(name, "/"), name, http->name, status);
	return true;
}

/* The reader's own code: it knows what it wanted. */
static int stopped(const struct kube_exchange *exchange, const char *detail, struct kube_err *err)
{
	if (exchange->stop_code < 0)
		return kube_fail(err, exchange->stop_code, "the answer of the server %s was not accepted: %s",
		                 exchange->http->name, kube_code_text(exchange->stop_code));
	return kube_fail(err, KUBE_E_IO, "the answer of the server %s could not be taken: %s", exchange->http->name,
	                 detail);
}

bool http_ended_early(CURLcode code)
{
	return code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
	       code == CURLE_SEND_ERROR || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

static int not_connected(const struct kube_http *http, const char *detail, struct kube_err *err)
{
	return kube_fail(err, KUBE_E_CONNECT, "cannot connect to the server %s: %s; check that it runs and is reachable",
	                 http->name, detail);
}

int http_failure(const struct kube_exchange *exchange, CURLcode code, struct kube_err *err)
{
	const struct kube_http *http = exchange->http;
	const char *detail = *exchange->detail ? exchange->detail : curl_easy_strerror(code);
	if (proxy_refused(exchange, err))
		return err->code;
	if (http_ended_early(code))
		return early_end(exchange, detail, err);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return kube_fail(err, KUBE_E_CONNECT,
		                 "cannot find the address of the server %s: %s; check its name and the DNS", http->name,
		                 detail);
	case CURLE_COULDNT_CONNECT:
		if (*http->refusal)
			return kube_fail(err, KUBE_E_INVALID, "no request is sent to the server %s: its address %s", http->name,
			                 http->refusal);
		return not_connected(http, detail, err);
	case CURLE_PROXY:              /* SOCKS */
	case CURLE_OPERATION_TIMEDOUT: /* the deadline of the whole exchange is a timer of ours */
		return not_connected(http, detail, err);
	case CURLE_PEER_FAILED_VERIFICATION: return unverified(exchange, detail, err);
	case CURLE_SSL_CACERT_BADFILE:
		return kube_fail(err, KUBE_E_TLS, "the CA certificates for the server %s cannot be used: %s", http->name,
		                 detail);
	case CURLE_SSL_CERTPROBLEM:
		return kube_fail(err, KUBE_E_AUTH, "the client certificate for the server %s cannot be used: %s", http->name,
		                 detail);
	case CURLE_SSL_CONNECT_ERROR: /* also what a CA of the right name with another key ends as */
		return kube_fail(err, KUBE_E_TLS,
		                 "no TLS connection to the server %s: %s; check that its certificate is signed by %s and that "
		                 "it speaks TLS 1.2 or later",
		                 http->name, detail, trusted(exchange));
	case CURLE_WRITE_ERROR: return stopped(exchange, detail, err);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return kube_fail(err, KUBE_E_PARSE, "the server %s does not answer in HTTP: %s; check the server's URL",
		                 http->name, detail);
	case CURLE_OUT_OF_MEMORY: return kube_fail(err, KUBE_E_NOMEM, "out of memory during a request to %s", http->name);
	default: return kube_fail(err, KUBE_E_IO, "the request to the server %s failed: %s", http->name, detail);
	}
}
