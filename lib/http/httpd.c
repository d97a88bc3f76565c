/* libmicrohttpd without threads: its epoll descriptor is watched by the loop, its timeout is a kube_timer. */
#include <kube/httpd.h>

#include "lib/http/listen.h"

#include <microhttpd.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define MAX_CONNECTIONS 64
#define MAX_CONNECTIONS_OF_ONE_ADDRESS 32
#define SILENCE_S 10

struct kube_httpd {
	uv_poll_t poll; /* freed with it, in its close callback */
	struct kube_env *env;
	struct kube_timer timer;
	struct MHD_Daemon *mhd;
	int (*handle)(void *arg, const char *path, const char *query, struct kube_httpd_reply *reply);
	void *arg;
	int port;
};

/* Made when the request line is read, freed when the request is over. */
struct incoming {
	bool headers_seen;
	char query[];
};

static void *request_begins(void *arg, const char *uri, struct MHD_Connection *connection)
{
	(void)arg;
	(void)connection;
	const char *mark = strchr(uri, '?');
	const char *query = mark ? mark + 1 : "";
	struct incoming *incoming = calloc(1, sizeof(*incoming) + strlen(query) + 1);
	if (incoming)
		memcpy(incoming->query, query, strlen(query) + 1);
	return incoming;
}

static void request_ends(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)connection;
	(void)why;
	free(*context);
	*context = NULL;
}

/* Takes text, which may be NULL. */
static enum MHD_Result send_text(struct MHD_Connection *connection, int status, const char *content_type, char *text,
                                 size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    text ? len : 0, text ? text : (void *)"", text ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result queued = MHD_queue_response(connection, (unsigned)status, response);
	MHD_destroy_response(response);
	return queued;
}

static void finish_reply(struct kube_httpd_reply *reply)
{
	kube_buf_finish(&reply->body);
}

static enum MHD_Result answer(struct kube_httpd *httpd, struct MHD_Connection *connection, const char *path,
                              const char *query)
{
	static const char plain[] = "text/plain; charset=utf-8";
	_cleanup_(finish_reply) struct kube_httpd_reply reply = {.status = MHD_HTTP_OK, .content_type = plain};
	kube_buf_init(&reply.body, KUBE_HTTPD_MAX_BODY_BYTES);
	int rc = httpd->handle(httpd->arg, path, query, &reply);
	bool failed = rc < 0 || reply.body.failed || reply.status < 200 || reply.status > 599;
	size_t len = reply.body.len;
	char *text = failed ? NULL : kube_buf_take(&reply.body);
	if (!text)
		return send_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, plain, NULL, 0);
	return send_text(connection, reply.status, reply.content_type, text, len);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context)
{
	(void)version;
	(void)upload;
	struct incoming *incoming = *context;
	if (!incoming)
		return MHD_NO; /* out of memory: the connection is closed */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", NULL, 0);
	if (*upload_size > 0)
		return MHD_NO;
	if (!incoming->headers_seen) { /* an answer at this point would end the connection: wait for the second call */
		incoming->headers_seen = true;
		return MHD_YES;
	}
	return answer(arg, connection, path, incoming->query);
}

static void serve(struct kube_httpd *httpd);

static void timer_fired(struct kube_timer *timer, void *arg)
{
	(void)timer;
	serve(arg);
}

static void serve(struct kube_httpd *httpd)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
	MHD_run(httpd->mhd);
	if (MHD_get_timeout(httpd->mhd, &timeout_ms) == MHD_YES)
		kube_timer_start(httpd->env, &httpd->timer, (int64_t)timeout_ms, timer_fired, httpd);
	else
		kube_timer_stop(httpd->env, &httpd->timer);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	serve(poll->data);
}

static int start_daemon(struct kube_httpd *httpd, int fd, struct kube_err *err)
{
	const struct MHD_OptionItem options[] = {
	    {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, NULL},
	    {MHD_OPTION_PER_IP_CONNECTION_LIMIT, MAX_CONNECTIONS_OF_ONE_ADDRESS, NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, NULL},
	    {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_begins, httpd},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_ends, httpd},
	    {MHD_OPTION_END, 0, NULL},
	};
	httpd->mhd =
	    MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, httpd, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (httpd->mhd)
		return 0;
	close(fd);
	return kube_fail(err, KUBE_E_IO, "the HTTP server cannot be started");
}

static void poll_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int watch(struct kube_httpd *httpd, struct kube_loop *loop, struct kube_err *err)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(httpd->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	int rc = info ? uv_poll_init(kube_loop_uv(loop), &httpd->poll, info->epoll_fd) : UV_EBADF;
	if (rc != 0) {
		MHD_stop_daemon(httpd->mhd);
		free(httpd);
		return kube_fail(err, KUBE_E_IO, "the HTTP server cannot be watched: %s", uv_strerror(rc));
	}
	httpd->poll.data = httpd;
	rc = uv_poll_start(&httpd->poll, UV_READABLE, socket_ready);
	if (rc == 0)
		return 0;
	kube_httpd_free(httpd);
	return kube_fail(err, KUBE_E_IO, "the HTTP server cannot be watched: %s", uv_strerror(rc));
}

int kube_httpd_new(struct kube_loop *loop, const struct kube_httpd_options *options, struct kube_httpd **ret_httpd,
                   struct kube_err *err)
{
	_cleanup_free_ struct kube_httpd *httpd = calloc(1, sizeof(*httpd));
	if (!httpd)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP server");
	httpd->env = kube_loop_env(loop);
	httpd->handle = options->handle;
	httpd->arg = options->arg;
	int fd = -1;
	int rc = http_listen(options->address, &fd, &httpd->port, err);
	if (rc == 0)
		rc = start_daemon(httpd, fd, err);
	if (rc != 0)
		return rc;
	struct kube_httpd *started = take(httpd);
	rc = watch(started, loop, err);
	if (rc == 0)
		*ret_httpd = started;
	return rc;
}

void kube_httpd_free(struct kube_httpd *httpd)
{
	if (!httpd)
		return;
	kube_timer_stop(httpd->env, &httpd->timer);
	uv_poll_stop(&httpd->poll);
	MHD_stop_daemon(httpd->mhd);
	uv_close((uv_handle_t *)&httpd->poll, poll_closed);
}

int kube_httpd_port(const struct kube_httpd *httpd)
{
	return httpd->port;
}
