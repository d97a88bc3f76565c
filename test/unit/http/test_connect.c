/* Who takes no connection, or says nothing on it, is not waited for: names, TCP, proxy and TLS have a limit together.
 */
#include "lib/http/internal.h"
#include "test/unit/check_main.h"
#include "test/unit/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 300

/* Nobody accepts what the kernel has taken. */
struct listener {
	int fd, port, filler;
};

static struct listener listen_silently(bool full)
{
	struct listener listener = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .filler = -1};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pollfd taken = {.fd = listener.fd, .events = POLLIN};
	socklen_t len = sizeof(address);

	ck_assert_int_eq(bind(listener.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener.fd, full ? 0 : 16), 0);
	ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&address, &len), 0);
	listener.port = ntohs(address.sin_port);
	if (!full)
		return listener;
	/* Linux takes one more than the backlog says, and drops the SYNs that follow. */
	listener.filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(listener.filler, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(poll(&taken, 1, TEST_PATIENCE_MS), 1);
	return listener;
}

static void close_listener(const struct listener *listener)
{
	if (listener->filler >= 0)
		close(listener->filler);
	close(listener->fd);
}

static const struct {
	const char *what, *scheme;
	bool full, proxy;
} rows[] = {
    {"TCP", "http", true, false},
    {"TLS", "https", false, false},
    {"CONNECT of a proxy", "https", false, true},
};

START_TEST(a_connection_that_does_not_come_about_ends)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct listener listener = listen_silently(rows[i].full);
		struct test_client client = {0};
		struct test_outcome result;
		char proxy[64];

		snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", listener.port);
		if (rows[i].proxy)
			client.config.proxy_url = proxy;
		test_client_init(&client, rows[i].scheme, listener.port);
		client.http->connect_timeout_ms = LIMIT_MS;
		int64_t began_ms = kube_env_mono_ms(kube_loop_env(client.loop));
		test_get(&client, "/version", &result);
		int64_t took_ms = kube_env_mono_ms(kube_loop_env(client.loop)) - began_ms;
		ck_assert_msg(result.code == KUBE_E_CONNECT, "%s: %d %s", rows[i].what, result.code, result.err.message);
		ck_assert_msg(strstr(result.err.message, "cannot connect to the server") &&
		                  strstr(result.err.message, client.server),
		              "%s: %s", rows[i].what, result.err.message);
		ck_assert_msg(took_ms >= LIMIT_MS - 1, "%s: it was given up after %lld ms", rows[i].what, (long long)took_ms);
		ck_assert_int_eq(result.heads, 0);
		ck_assert_int_eq(client.http->exchange_count, 0);
		test_result_finish(&result);
		test_client_finish(&client);
		close_listener(&listener);
	}
}
END_TEST

START_TEST(thirty_seconds_unless_told_otherwise)
{
	static const int64_t limits[][2] = {{0, 30000}, {5000, 5000}};
	const struct kube_config config = {.server = (char *)"https://127.0.0.1:1"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(limits); i++) {
		const struct kube_http_options options = {.user_agent = "test/1", .connect_timeout_ms = limits[i][0]};
		struct kube_loop *loop = NULL;
		struct kube_http *http = NULL;

		ck_assert_int_eq(kube_loop_new(&loop, NULL), 0);
		ck_assert_int_eq(kube_http_new(loop, &config, &options, &http, NULL), 0);
		ck_assert_int_eq(http->connect_timeout_ms, limits[i][1]);
		kube_http_free(http);
		kube_loop_free(loop);
	}
}
END_TEST

CHECK_MAIN("connections that do not come about", a_connection_that_does_not_come_about_ends,
           thirty_seconds_unless_told_otherwise)
