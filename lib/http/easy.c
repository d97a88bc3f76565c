/* One easy handle for each exchange, with everything that we ask of libcurl. */
#include "lib/http/internal.h"

#include <kube/mem.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A dead peer is noticed after 30 s: libcurl 7.88 tracks no HTTP/2 ping, so the kernel has to. */
#define KEEPALIVE_IDLE_S 15
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 4
#define USER_TIMEOUT_MS 30000

static int on_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	static const struct {
		int level, option, value;
	} options[] = {
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
	    {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
	    {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
	    {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
	};
	(void)arg;
	(void)purpose;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(options); i++)
		if (setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof(int)) != 0)
			return CURL_SOCKOPT_ERROR;
	return CURL_SOCKOPT_OK;
}

static void note_peer(struct kube_http *http, const struct curl_sockaddr *address)
{
	struct sockaddr_storage *peer = &http->peers[http->peer_count++ % HTTP_MAX_PEERS];
	*peer = (struct sockaddr_storage){0};
	memcpy(peer, &address->addr, address->addrlen <= sizeof(*peer) ? address->addrlen : sizeof(*peer));
}

/* CURLOPT_OPENSOCKETFUNCTION: the address that a name has led to, before anything goes there. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct kube_http *http = arg;
	const char *why = "";
	(void)purpose;
	if (http->guard && !http->guard->may_connect(http->guard->arg, &address->addr, &why)) {
		snprintf(http->refusal, sizeof(http->refusal), "%s", why);
		return CURL_SOCKET_BAD;
	}
	note_peer(http, address);
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *arg)
{
	struct kube_exchange *exchange = arg;
	size_t len = size * count;
	if (exchange->canceled || exchange->done)
		return 0;
	http_touch(exchange);
	exchange->pool->news |= exchange->watch;
	if (!exchange->handlers.on_data)
		return len;
	int rc = exchange->handlers.on_data(exchange->arg, bytes, len);
	if (rc < 0)
		exchange->stop_code = rc;
	return rc < 0 || exchange->canceled ? 0 : len;
}

/* False when out of memory. A header without a value takes away the one that libcurl would add. */
static bool add_line(struct kube_exchange *exchange, const char *line)
{
	struct curl_slist *list = curl_slist_append(exchange->headers, line);
	if (list)
		exchange->headers = list;
	return list != NULL;
}

/* Appends "Name: value". */
static bool add_header(struct kube_exchange *exchange, const char *name, const char *value)
{
	_cleanup_free_ char *line = NULL;
	if (asprintf(&line, "%s: %s", name, value) < 0) {
		line = NULL;
		return false;
	}
	return add_line(exchange, line);
}

static bool add_host(struct kube_exchange *exchange)
{
	const struct kube_server *server = &exchange->http->server;
	_cleanup_free_ char *value = NULL;
	if (!exchange->http->connect_to) /* the URL's own host is right */
		return true;
	if (asprintf(&value, "%s:%s", server->host, server->port) < 0) {
		value = NULL;
		return false;
	}
	return add_header(exchange, "Host", value);
}

static bool add_impersonation(struct kube_exchange *exchange)
{
	for (const struct curl_slist *header = exchange->http->impersonate; header; header = header->next)
		if (!add_line(exchange, header->data))
			return false;
	return true;
}

static bool make_headers(struct kube_exchange *exchange, const struct kube_request *request)
{
	bool ok = add_header(exchange, "Accept", request->accept ? request->accept : "application/json") &&
	          add_line(exchange, "Expect:") && add_host(exchange) && add_impersonation(exchange);
	if (ok && request->content_type)
		ok = add_header(exchange, "Content-Type", request->content_type);
	else if (ok)
		ok = add_line(exchange, "Content-Type:");
	return ok;
}

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(easy, option, value))

static CURLcode set_method(CURL *easy, const struct kube_request *request)
{
	CURLcode rc = CURLE_OK;
	bool is_post = strcmp(request->method, "POST") == 0;
	if (strcmp(request->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else if (request->body_len > 0 || is_post) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		SET(CURLOPT_COPYPOSTFIELDS, request->body_len > 0 ? request->body : "");
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	} else if (strcmp(request->method, "GET") != 0) {
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	}
	return rc;
}

/* Without a text the option is as it was at first. */
static CURLcode set_blob(CURL *easy, CURLoption option, char *pem)
{
	struct curl_blob blob = {.data = pem, .len = pem ? strlen(pem) : 0, .flags = CURL_BLOB_NOCOPY};
	return curl_easy_setopt(easy, option, pem ? &blob : NULL);
}

static CURLcode set_tls(CURL *easy, const struct kube_tls *tls, bool insecure)
{
	CURLcode rc = CURLE_OK;
	SET(CURLOPT_SSL_VERIFYPEER, insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, insecure ? 0L : 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (tls->ca_pem) /* libcurl would go on trusting the system's folder of roots beside the blob */
		SET(CURLOPT_CAPATH, NULL);
	rc = rc ? rc : set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca_pem);
	rc = rc ? rc : set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->client_cert_pem);
	rc = rc ? rc : set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->client_key_pem);
	return rc;
}

static CURLcode set_connection(CURL *easy, struct kube_http *http)
{
	CURLcode rc = CURLE_OK;
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, http->server.https ? "https" : "http");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* Wait for the first connection's ALPN instead of opening one for each exchange. Without TLS nothing would end that
	 * wait before the first answer, and a watch may have none for long. */
	SET(CURLOPT_PIPEWAIT, http->server.https ? 1L : 0L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_timeout_ms);
	SET(CURLOPT_SOCKOPTFUNCTION, on_sockopt);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(CURLOPT_OPENSOCKETDATA, http);
	SET(CURLOPT_USERAGENT, http->user_agent);
	/* The configuration has looked at the environment, by other rules than libcurl's. */
	SET(CURLOPT_PROXY, http->proxy_url ? http->proxy_url : "");
	SET(CURLOPT_NOPROXY, "");
	if (http->connect_to)
		SET(CURLOPT_CONNECT_TO, http->connect_to);
	if (http->username) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, http->username);
		SET(CURLOPT_PASSWORD, http->password ? http->password : "");
	}
	return rc;
}

static CURLcode set_exchange(struct kube_exchange *exchange, const char *url)
{
	CURL *easy = exchange->easy;
	CURLcode rc = CURLE_OK;
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PRIVATE, exchange);
	SET(CURLOPT_ERRORBUFFER, exchange->detail);
	SET(CURLOPT_HEADERFUNCTION, http_on_header);
	SET(CURLOPT_HEADERDATA, exchange);
	SET(CURLOPT_WRITEFUNCTION, on_write);
	SET(CURLOPT_WRITEDATA, exchange);
	return rc;
}

static int check(CURLcode rc, const struct kube_http *http, struct kube_err *err)
{
	if (rc == CURLE_OUT_OF_MEMORY)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	if (rc != CURLE_OK)
		return kube_fail(err, KUBE_E_INVALID, "cannot set up a request to %s: %s", http->name, curl_easy_strerror(rc));
	return 0;
}

int http_easy_new(struct kube_exchange *exchange, const struct kube_request *request, struct kube_err *err)
{
	struct kube_http *http = exchange->http;
	_cleanup_free_ char *url = NULL;
	exchange->easy = curl_easy_init();
	if (!exchange->easy || asprintf(&url, "%s%s", http->url, request->target) < 0) {
		url = NULL;
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	}
	if (!make_headers(exchange, request))
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	CURLcode rc = set_exchange(exchange, url);
	rc = rc ? rc : set_connection(exchange->easy, http);
	rc = rc ? rc : set_method(exchange->easy, request);
	return check(rc, http, err);
}

static void drop_bearer(struct kube_exchange *exchange)
{
	kube_wipe_str(&exchange->bearer.data);
}

int http_easy_arm(struct kube_exchange *exchange, const char *token, struct kube_tls *tls, struct kube_err *err)
{
	struct kube_http *http = exchange->http;
	CURL *easy = exchange->easy;
	struct kube_tls *old = exchange->tls;
	char *line = NULL;
	if (token && asprintf(&line, "Authorization: Bearer %s", token) < 0)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	drop_bearer(exchange);
	exchange->bearer = (struct curl_slist){.data = line, .next = exchange->headers};
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, line ? &exchange->bearer : exchange->headers);
	exchange->tls = kube_tls_ref(tls);
	rc = rc ? rc : set_tls(easy, tls, http->insecure);
	kube_tls_unref(old);
	return check(rc, http, err);
}

void http_headers_free(struct curl_slist *headers)
{
	for (struct curl_slist *header = headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(headers);
}

void http_easy_free(struct kube_exchange *exchange)
{
	curl_easy_cleanup(exchange->easy);
	http_headers_free(exchange->headers);
	drop_bearer(exchange);
	kube_tls_unref(exchange->tls);
}
