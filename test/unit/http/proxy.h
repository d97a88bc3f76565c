/* A proxy that knows CONNECT only: one thread accepts, one thread serves each connection. */
#ifndef TEST_UNIT_HTTP_PROXY_H
#define TEST_UNIT_HTTP_PROXY_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEST_PROXY_MAX_CONNECTIONS 16

struct test_proxy {
	int fd, port, status; /* status: of the answer to CONNECT */
	pthread_t acceptor, threads[TEST_PROXY_MAX_CONNECTIONS];
	int thread_count;
	int target_port;  /* where everything leads to, whatever is asked for */
	char head[4096];  /* of the last request */
	atomic_int heads; /* that were read */
};

struct test_proxied {
	struct test_proxy *proxy;
	int fd;
};

static inline int test_proxy_dial(int port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		abort();
	return fd;
}

static inline int test_proxy_copy(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));
	return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static inline void test_proxy_relay(int a, int b)
{
	struct pollfd polls[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
	while (poll(polls, 2, -1) > 0)
		if ((polls[0].revents && !test_proxy_copy(a, b)) || (polls[1].revents && !test_proxy_copy(b, a)))
			break;
}

static inline void *test_proxy_serve(void *arg)
{
	struct test_proxied *proxied = arg;
	struct test_proxy *proxy = proxied->proxy;
	char head[sizeof(proxy->head)] = "", answer[64];
	size_t len = 0;
	while (!strstr(head, "\r\n\r\n")) {
		ssize_t n = read(proxied->fd, head + len, sizeof(head) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		head[len] = '\0';
	}
	memcpy(proxy->head, head, sizeof(head));
	atomic_fetch_add(&proxy->heads, 1);
	snprintf(answer, sizeof(answer), "HTTP/1.1 %d Whatever\r\n\r\n", proxy->status);
	send(proxied->fd, answer, strlen(answer), MSG_NOSIGNAL);
	if (proxy->status == 200) {
		int target = test_proxy_dial(proxy->target_port);
		test_proxy_relay(proxied->fd, target);
		close(target);
	}
	close(proxied->fd);
	free(proxied);
	return NULL;
}

static inline void *test_proxy_accept(void *arg)
{
	struct test_proxy *proxy = arg;
	for (int fd; (fd = accept(proxy->fd, NULL, NULL)) >= 0;) {
		struct test_proxied *proxied = calloc(1, sizeof(*proxied));
		*proxied = (struct test_proxied){.proxy = proxy, .fd = fd};
		if (proxy->thread_count == TEST_PROXY_MAX_CONNECTIONS ||
		    pthread_create(&proxy->threads[proxy->thread_count++], NULL, test_proxy_serve, proxied) != 0)
			abort();
	}
	return NULL;
}

static inline struct test_proxy *test_proxy_new(int target_port, int status)
{
	struct test_proxy *proxy = calloc(1, sizeof(*proxy));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	proxy->status = status;
	proxy->target_port = target_port;
	proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(proxy->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(proxy->fd, TEST_PROXY_MAX_CONNECTIONS), 0);
	getsockname(proxy->fd, (struct sockaddr *)&address, &len);
	proxy->port = ntohs(address.sin_port);
	ck_assert_int_eq(pthread_create(&proxy->acceptor, NULL, test_proxy_accept, proxy), 0);
	return proxy;
}

/* When its clients have closed their connections. */
static inline void test_proxy_free(struct test_proxy *proxy)
{
	shutdown(proxy->fd, SHUT_RDWR);
	pthread_join(proxy->acceptor, NULL);
	for (int i = 0; i < proxy->thread_count; i++)
		pthread_join(proxy->threads[i], NULL);
	close(proxy->fd);
	free(proxy);
}

#endif
