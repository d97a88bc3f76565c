/* What the files of the HTTP client share. See kube/http.h and kube/transport.h. */
#ifndef KUBE_HTTP_INTERNAL_H
#define KUBE_HTTP_INTERNAL_H

#include "lib/auth/credentials.h"
#include "lib/auth/server.h"

#include <curl/curl.h>
#include <kube/http.h>
#include <stdbool.h>
#include <sys/socket.h>

#define HTTP_MAX_EXCHANGES 1024
#define HTTP_MAX_BODY_BYTES ((size_t)8 << 20)
#define HTTP_MAX_TARGET_BYTES 16384
#define HTTP_MAX_HEAD_BYTES ((size_t)256 << 10) /* all header lines of an answer together */
#define HTTP_MAX_PEERS 16
/*
 * Whenever a connection has something, curl looks at all exchanges on it. In a large cluster one of many watches has
 * news hundreds of times a second: what comes shortly after the last news is read at once. While somebody waits for an
 * answer nothing waits for this. Otherwise the pause grows with the time since the last answer, as its tenth: work that
 * is in hand is not held up, and who has waited for a second does not notice.
 */
#define HTTP_SHORTEST_PAUSE_MS 20
#define HTTP_LONGEST_PAUSE_MS 100

/* The parts of a response's head that we look at. What does not fit is cut. */
struct http_head {
	bool complete; /* the final (not 1xx) head has ended */
	int status;
	char content_type[128];
	char date[64];
	char retry_after[64];
	char flow_schema[64], priority_level[64];
	char warning[2048]; /* all of them, as one list */
};

/* One uv_poll for each socket of curl's. Freed by its close callback. */
struct http_socket;

/*
 * Connections that were made with the same certificates: a multi handle of curl's. When certificates change, a new pool
 * takes all that begins; the old one ends with its last exchange.
 */
struct http_pool {
	struct kube_http *http;
	struct http_pool *prev, *next; /* http->pools */
	struct kube_tls *tls;
	CURLM *multi;
	struct kube_timer timer; /* curl's */
	struct kube_timer pause; /* while it is active no socket is looked at */
	struct http_socket *sockets;
	int exchange_count, call_count; /* call_count: those that are no watches */
	bool news;                      /* curl has handed over some of a watch's */
	bool retired;
};

struct kube_exchange {
	struct kube_http *http;
	struct kube_exchange *prev, *next, **list; /* list: the one of http's three that it is in */
	struct http_pool *pool;                    /* that curl works on it in; NULL: not yet */
	CURL *easy;
	struct curl_slist *headers, bearer; /* bearer stands before headers when it has data */
	struct kube_tls *tls;
	unsigned credential; /* number of what was sent */
	unsigned round;      /* of http's when it began to wait for credentials */
	struct kube_exchange_handlers handlers;
	void *arg;
	int64_t timeout_ms, idle_timeout_ms;
	struct kube_timer deadline, idle;
	struct http_head head;
	size_t head_bytes;
	char detail[CURL_ERROR_SIZE]; /* libcurl's words about a failure */
	int stop_code;                /* what on_data returned, when that was negative */
	bool watch;                   /* endless: may be ended when connections are made anew */
	bool canceled;                /* no more callbacks; freed as soon as curl allows */
	bool done;                    /* on_done is running or has run */
};

struct kube_http {
	struct kube_transport transport; /* first: the ops cast back */
	struct kube_env *env;
	struct uv_loop_s *uv;
	struct kube_credentials *credentials;
	struct http_pool *pools, *pool; /* pool: the one for what begins now */
	struct kube_timer sweeper;      /* frees retired pools */
	/* active: curl works on them. waiting: sent from inside a callback of curl's. asking: credentials are on their way.
	 */
	struct kube_exchange *active, *waiting, *asking;
	unsigned round; /* of answers of the credentials */
	int exchange_count;
	bool in_curl;      /* curl calls back: no curl function may be called */
	bool has_canceled; /* some active exchange was cancelled meanwhile */

	struct kube_server server;
	char *url;  /* scheme, name to verify, port, path prefix */
	char *name; /* the server as configured, for messages */
	char *user_agent, *proxy_url;
	bool insecure;
	struct curl_slist *connect_to;  /* where tls-server-name really is; NULL: where the URL says */
	struct curl_slist *impersonate; /* headers */
	int64_t connect_timeout_ms;
	int64_t shortest_pause_ms; /* HTTP_SHORTEST_PAUSE_MS */
	int64_t called_ms;         /* mono time at which the last exchange that was no watch ended */

	const struct http_guard *guard; /* NULL: the one server that it is for, which the configuration names */
	char refusal[256];              /* why the guard refused the last address; "" when it did not */
	char *username, *password;
	struct sockaddr_storage peers[HTTP_MAX_PEERS]; /* that it connected to last */
	size_t peer_count;
};

/* Who decides which addresses may be connected to, before each connection. */
struct http_guard {
	/* False, and *ret_why a clause ("is a loopback address"): not this one. */
	bool (*may_connect)(void *arg, const struct sockaddr *address, const char **ret_why);
	void *arg;
};

/* A client for one request to a server that somebody has named: each of its connections is new and asked for. guard is
 * borrowed. */
struct http_foreign {
	const struct http_guard *guard;
	const char *user_agent, *username, *password;
};
int http_new_foreign(struct kube_loop *loop, const struct kube_config *config, const struct http_foreign *foreign,
                     struct kube_http **ret_http, struct kube_err *err);

/* easy.c: an easy handle for request; http_easy_arm() gives it the credentials, anew if need be. */
int http_easy_new(struct kube_exchange *exchange, const struct kube_request *request, struct kube_err *err);
int http_easy_arm(struct kube_exchange *exchange, const char *token, struct kube_tls *tls, struct kube_err *err);
void http_easy_free(struct kube_exchange *exchange);
/* Overwrites and frees. */
void http_headers_free(struct curl_slist *headers);

/* impersonate.c: the headers that say whom we pass for; NULL when nobody. */
int http_impersonation(const struct kube_impersonation *as, struct curl_slist **ret_headers, struct kube_err *err);

/* head.c: CURLOPT_HEADERFUNCTION. */
size_t http_on_header(char *line, size_t size, size_t count, void *arg);
/* Restarts the idle timer. */
void http_touch(struct kube_exchange *exchange);
/* Seconds from a Retry-After of seconds or an HTTP-date; date is the response's Date or "". -1 when unreadable. */
int http_retry_after_s(const char *retry_after, const char *date, int64_t wall_ms);

/* failure.c: the connection ended before the answer did. */
bool http_ended_early(CURLcode code);

/* Says what went wrong. Returns err->code. */
int http_failure(const struct kube_exchange *exchange, CURLcode code, struct kube_err *err);

/* pool.c: curl's sockets and timer on the loop. */
int http_pool_new(struct kube_http *http, struct kube_tls *tls, struct http_pool **ret_pool, struct kube_err *err);
void http_pool_free(struct http_pool *pool); /* without exchanges; NULL is fine */
/* It is used no more: freed, soon, when its last exchange has ended. */
void http_pool_retire(struct http_pool *pool);
/* How long news may wait when nobody has called for quiet_ms. */
int64_t http_pause_ms(int64_t shortest_ms, int64_t quiet_ms);
int http_pool_add(struct http_pool *pool, struct kube_exchange *exchange, struct kube_err *err);
void http_pool_remove(struct kube_exchange *exchange);
/* exchange.c: after curl has run: reports what ended in pool, starts and ends what its callbacks asked for. */
void http_settle(struct http_pool *pool);

/* exchange.c: exchanges from send to done. kube_transport_ops.send and .cancel. */
int http_send(struct kube_transport *transport, const struct kube_request *request,
              const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
              struct kube_err *err);
void http_cancel(struct kube_transport *transport, struct kube_exchange *exchange);
/* kube_credentials_options.on_ready and .on_tls; arg is the kube_http. */
void http_credentials_ready(void *arg, const struct kube_err *err);
void http_tls_changed(void *arg);

#endif
