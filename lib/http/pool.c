/* libcurl's multi socket interface on libuv: sockets are watched by uv_poll, curl's one timer is a kube_timer. */
#include "lib/http/internal.h"

#include <kube/mem.h>
#include <utlist.h>
#include <uv.h>

struct http_socket {
	uv_poll_t poll;
	struct http_pool *pool; /* NULL once closing */
	curl_socket_t fd;
	int events; /* that curl waits for */
	struct http_socket *prev, *next;
};

static void socket_ready(uv_poll_t *poll, int status, int events);

static int socket_start(struct http_socket *watch)
{
	return uv_poll_start(&watch->poll, watch->events, socket_ready) == 0 ? 0 : -1;
}

static void pause_over(struct kube_timer *timer, void *arg)
{
	const struct http_pool *pool = arg;
	struct http_socket *watch;
	(void)timer;
	DL_FOREACH (pool->sockets, watch)
		socket_start(watch);
}

int64_t http_pause_ms(int64_t shortest_ms, int64_t quiet_ms)
{
	int64_t pause_ms = quiet_ms / 10;
	if (pause_ms > HTTP_LONGEST_PAUSE_MS)
		pause_ms = HTTP_LONGEST_PAUSE_MS;
	return pause_ms > shortest_ms ? pause_ms : shortest_ms;
}

static bool begin_pause(struct http_pool *pool)
{
	const struct kube_http *http = pool->http;
	int64_t quiet_ms = kube_env_mono_ms(http->env) - http->called_ms;
	return kube_timer_start(http->env, &pool->pause, http_pause_ms(http->shortest_pause_ms, quiet_ms), pause_over,
	                        pool) == 0;
}

/* See HTTP_SHORTEST_PAUSE_MS. Without memory there is no pause. */
static void pause_after_news(struct http_pool *pool)
{
	struct http_socket *watch;
	bool pauses = pool->news && pool->call_count == 0 && !kube_timer_active(&pool->pause);
	pool->news = false;
	if (!pauses || !begin_pause(pool))
		return;
	DL_FOREACH (pool->sockets, watch)
		uv_poll_stop(&watch->poll);
}

/* Everything that curl does for us happens in here; its callbacks must not call curl again. */
static void run_curl(struct http_pool *pool, curl_socket_t fd, int events)
{
	int running = 0;
	pool->http->in_curl = true;
	curl_multi_socket_action(pool->multi, fd, events, &running);
	pool->http->in_curl = false;
	http_settle(pool);
	pause_after_news(pool);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	const struct http_socket *watch = poll->data;
	int flags = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0; /* so that curl asks the socket what is wrong */
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	run_curl(watch->pool, watch->fd, flags);
}

static void socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void socket_close(struct http_socket *watch)
{
	DL_DELETE(watch->pool->sockets, watch);
	watch->pool = NULL;
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, socket_closed);
}

static struct http_socket *socket_open(struct http_pool *pool, curl_socket_t fd)
{
	_cleanup_free_ struct http_socket *watch = calloc(1, sizeof(*watch));
	if (!watch || uv_poll_init_socket(pool->http->uv, &watch->poll, fd) != 0)
		return NULL;
	watch->poll.data = watch;
	watch->pool = pool;
	watch->fd = fd;
	DL_APPEND(pool->sockets, watch);
	curl_multi_assign(pool->multi, fd, watch);
	return take(watch);
}

/* CURLMOPT_SOCKETFUNCTION. -1 makes curl end the transfers on the socket with an error. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	(void)easy;
	struct http_pool *pool = arg;
	struct http_socket *watch = socket_arg;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			curl_multi_assign(pool->multi, fd, NULL);
			socket_close(watch);
		}
		return 0;
	}
	if (!watch && !(watch = socket_open(pool, fd)))
		return -1;
	watch->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return kube_timer_active(&pool->pause) ? 0 : socket_start(watch);
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
	struct http_pool *pool = arg;
	if (timeout_ms < 0) {
		kube_timer_stop(pool->http->env, &pool->timer);
		return 0;
	}
	return kube_timer_start(pool->http->env, &pool->timer, timeout_ms, timer_fired, pool) == 0 ? 0 : -1;
}

int http_pool_new(struct kube_http *http, struct kube_tls *tls, struct http_pool **ret_pool, struct kube_err *err)
{
	_cleanup_free_ struct http_pool *pool = calloc(1, sizeof(*pool));
	CURLM *multi = pool ? curl_multi_init() : NULL;
	if (!multi)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the HTTP client");
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 8L); /* idle ones; those in use are not limited */
	pool->http = http;
	pool->multi = multi;
	pool->tls = kube_tls_ref(tls);
	DL_APPEND(http->pools, pool);
	*ret_pool = take(pool);
	return 0;
}

void http_pool_free(struct http_pool *pool)
{
	if (!pool)
		return;
	curl_multi_cleanup(pool->multi);
	kube_timer_stop(pool->http->env, &pool->timer);
	kube_timer_stop(pool->http->env, &pool->pause);
	struct http_socket *watch, *next;
	DL_FOREACH_SAFE(pool->sockets, watch, next)
	socket_close(watch);
	DL_DELETE(pool->http->pools, pool);
	kube_tls_unref(pool->tls);
	free(pool);
}

static void sweep(struct kube_timer *timer, void *arg)
{
	struct kube_http *http = arg;
	struct http_pool *pool, *next;
	(void)timer;
	DL_FOREACH_SAFE(http->pools, pool, next)
	if (pool->retired && pool->exchange_count == 0)
		http_pool_free(pool);
}

/* From the loop: whoever calls may still be at work in the pool. Without memory it stays until the next one goes. */
static void sweep_soon(struct http_pool *pool)
{
	if (pool->retired && pool->exchange_count == 0)
		kube_timer_start(pool->http->env, &pool->http->sweeper, 0, sweep, pool->http);
}

void http_pool_retire(struct http_pool *pool)
{
	pool->retired = true;
	sweep_soon(pool);
}

int http_pool_add(struct http_pool *pool, struct kube_exchange *exchange, struct kube_err *err)
{
	const char *name = pool->http->name;
	CURLMcode rc = curl_multi_add_handle(pool->multi, exchange->easy);
	if (rc == CURLM_OUT_OF_MEMORY)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request to %s", name);
	if (rc != CURLM_OK)
		return kube_fail(err, KUBE_E_IO, "cannot start a request to %s: %s", name, curl_multi_strerror(rc));
	exchange->pool = pool;
	pool->exchange_count++;
	pool->call_count += exchange->watch ? 0 : 1;
	if (!exchange->watch && kube_timer_active(&pool->pause)) /* who waits for an answer shall not wait for this */
		kube_timer_start(pool->http->env, &pool->pause, 0, pause_over, pool);
	return 0;
}

void http_pool_remove(struct kube_exchange *exchange)
{
	struct http_pool *pool = exchange->pool;
	if (!pool)
		return;
	curl_multi_remove_handle(pool->multi, exchange->easy);
	exchange->pool = NULL;
	pool->exchange_count--;
	if (!exchange->watch) {
		pool->call_count--;
		pool->http->called_ms = kube_env_mono_ms(pool->http->env);
	}
	sweep_soon(pool);
}
