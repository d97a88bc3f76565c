/* libcurl's multi socket interface on libuv: sockets are watched by uv_poll, curl's one timer is a kube_timer. */
#include "lib/http/internal.h"

#include <kube/mem.h>
#include <utlist.h>
#include <uv.h>

struct http_socket {
	uv_poll_t poll;
	struct kube_http *http; /* NULL once closing */
	curl_socket_t fd;
	struct http_socket *prev, *next;
};

/* Everything that curl does for us happens in here; its callbacks must not call curl again. */
static void run_curl(struct kube_http *http, curl_socket_t fd, int events)
{
	int running = 0;
	http->in_curl = true;
	curl_multi_socket_action(http->multi, fd, events, &running);
	http->in_curl = false;
	http_settle(http);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	const struct http_socket *watch = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	run_curl(watch->http, watch->fd, flags);
}

static void socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void socket_close(struct http_socket *watch)
{
	DL_DELETE(watch->http->sockets, watch);
	watch->http = NULL;
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, socket_closed);
}

static struct http_socket *socket_open(struct kube_http *http, curl_socket_t fd)
{
	_cleanup_free_ struct http_socket *watch = calloc(1, sizeof(*watch));
	if (!watch || uv_poll_init_socket(http->uv, &watch->poll, fd) != 0)
		return NULL;
	watch->poll.data = watch;
	watch->http = http;
	watch->fd = fd;
	DL_APPEND(http->sockets, watch);
	curl_multi_assign(http->multi, fd, watch);
	return take(watch);
}

/* CURLMOPT_SOCKETFUNCTION. -1 makes curl end the transfers on the socket with an error. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	(void)easy;
	struct kube_http *http = arg;
	struct http_socket *watch = socket_arg;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			curl_multi_assign(http->multi, fd, NULL);
			socket_close(watch);
		}
		return 0;
	}
	if (!watch && !(watch = socket_open(http, fd)))
		return -1;
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&watch->poll, events, socket_ready) == 0 ? 0 : -1;
}

static void timer_fired(struct kube_timer *timer, void *arg)
{
	(void)timer;
	run_curl(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION. */
static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	(void)multi;
	struct kube_http *http = arg;
	if (timeout_ms < 0) {
		kube_timer_stop(http->env, &http->timer);
		return 0;
	}
	return kube_timer_start(http->env, &http->timer, timeout_ms, timer_fired, http) == 0 ? 0 : -1;
}

int http_sockets_init(struct kube_http *http, struct kube_err *err)
{
	http->multi = curl_multi_init();
	if (!http->multi)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 8L); /* idle ones; those in use are not limited */
	return 0;
}

void http_sockets_finish(struct kube_http *http)
{
	if (http->multi)
		curl_multi_cleanup(http->multi);
	http->multi = NULL;
	kube_timer_stop(http->env, &http->timer);
	struct http_socket *watch, *next;
	DL_FOREACH_SAFE(http->sockets, watch, next)
	socket_close(watch);
}
