/* What the files of the HTTP client share. See kube/http.h and kube/transport.h. */
#ifndef KUBE_HTTP_INTERNAL_H
#define KUBE_HTTP_INTERNAL_H

#include "lib/auth/server.h"
#include "lib/auth/token.h"

#include <curl/curl.h>
#include <kube/http.h>
#include <stdbool.h>

#define HTTP_MAX_EXCHANGES 1024
#define HTTP_MAX_BODY_BYTES ((size_t)8 << 20)
#define HTTP_MAX_TARGET_BYTES 16384

/* The parts of a response's head that we look at. What does not fit is cut. */
struct http_head {
	bool complete; /* the final (not 1xx) head has ended */
	int status;
	char content_type[128];
	char date[64];
	char retry_after[64];
	char warning[512];
};

/* One uv_poll for each socket of curl's. Freed by its close callback. */
struct http_socket;

struct kube_exchange {
	struct kube_http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct kube_exchange_handlers handlers;
	void *arg;
	int64_t timeout_ms, idle_timeout_ms;
	struct kube_timer deadline, idle;
	struct http_head head;
	char detail[CURL_ERROR_SIZE]; /* libcurl's words about a failure */
	int stop_code;                /* what on_data returned, when that was negative */
	bool canceled;                /* no more callbacks; freed as soon as curl allows */
	bool done;                    /* on_done is running or has run */
	bool in_multi;                /* handed to curl; else it stands in http->waiting */
	struct kube_exchange *prev, *next;
};

struct kube_http {
	struct kube_transport transport; /* first: the ops cast back */
	struct kube_env *env;
	struct uv_loop_s *uv;
	CURLM *multi;
	struct kube_timer timer; /* curl's */
	struct http_socket *sockets;
	struct kube_exchange *active, *waiting; /* waiting: sent from inside a callback of curl's */
	int exchange_count;
	bool in_curl;      /* curl calls back: no curl function may be called */
	bool has_canceled; /* some active exchange was cancelled meanwhile */

	struct kube_server server;
	char *url;  /* scheme, name to verify, port, path prefix */
	char *name; /* the server as configured, for messages */
	char *ca_pem, *client_cert_pem, *client_key_pem, *user_agent;
	struct curl_slist *connect_to; /* where tls-server-name really is; NULL: where the URL says */
	struct kube_token token;
	int64_t connect_timeout_ms;
};

/* easy.c: an easy handle for request. */
int http_easy_new(struct kube_exchange *exchange, const struct kube_request *request, struct kube_err *err);
void http_easy_free(struct kube_exchange *exchange);

/* head.c: CURLOPT_HEADERFUNCTION. */
size_t http_on_header(char *line, size_t size, size_t count, void *arg);
/* Restarts the idle timer. */
void http_touch(struct kube_exchange *exchange);
/* Seconds from a Retry-After of seconds or an HTTP-date; date is the response's Date or "". -1 when unreadable. */
int http_retry_after_s(const char *retry_after, const char *date, int64_t wall_ms);

/* failure.c: says what went wrong. Returns err->code. */
int http_failure(const struct kube_exchange *exchange, CURLcode code, struct kube_err *err);

/* sockets.c: curl's sockets and timer on the loop. */
int http_sockets_init(struct kube_http *http, struct kube_err *err);
void http_sockets_finish(struct kube_http *http);
/* http.c: after curl has run: reports what ended, starts and ends what its callbacks asked for. */
void http_settle(struct kube_http *http);

#endif
