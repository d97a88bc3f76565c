/* The HTTP server, asked by our own client on the same loop. */
#include "lib/http/listen.h"
#include "test/unit/check_main.h"
#include "test/unit/http/client.h"
#include "test/unit/http/server.h"

#include <fcntl.h>
#include <kube/httpd.h>
#include <stdlib.h>

struct fixture {
	struct kube_loop *loop;
	struct kube_httpd *httpd;
	struct test_client client; /* on the same loop */
	int asked;
	char path[64], query[64];
};

static int handle(void *arg, const char *path, const char *query, struct kube_httpd_reply *reply)
{
	struct fixture *f = arg;
	f->asked++;
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(f->query, sizeof(f->query), "%s", query);
	if (strcmp(path, "/broken") == 0)
		return KUBE_E_IO;
	if (strcmp(path, "/odd") == 0)
		reply->status = 42;
	if (strcmp(path, "/metrics") == 0)
		reply->content_type = "text/plain; version=0.0.4";
	if (strcmp(path, "/big") == 0)
		for (int i = 0; i < 50000; i++)
			kube_buf_adds(&reply->body, "0123456789");
	if (strcmp(path, "/missing") == 0)
		reply->status = 404;
	return strcmp(path, "/big") == 0 ? 0 : kube_buf_adds(&reply->body, "ok\n");
}

static void set_up(struct fixture *f)
{
	struct kube_httpd_options options = {.address = "127.0.0.1:0", .handle = handle, .arg = f};
	struct kube_err err;
	test_client_init(&f->client, "http", 1);
	kube_http_free(f->client.http); /* another one, now that the port can be known */
	f->loop = f->client.loop;
	ck_assert_int_eq(kube_httpd_new(f->loop, &options, &f->httpd, &err), 0);
	static const struct kube_http_options http = {.user_agent = "test/1"};
	snprintf(f->client.server, sizeof(f->client.server), "http://127.0.0.1:%d", kube_httpd_port(f->httpd));
	ck_assert_int_eq(kube_http_new(f->loop, &f->client.config, &http, &f->client.http, &err), 0);
}

static void tear_down(struct fixture *f)
{
	kube_httpd_free(f->httpd);
	test_client_finish(&f->client);
}

static const struct {
	const char *method, *target;
	int status;
	const char *content_type;
	size_t body_len;
	const char *path, *query;
} asks[] = {
    {"GET", "/healthz", 200, "text/plain; charset=utf-8", 3, "/healthz", ""},
    {"GET", "/readyz?verbose", 200, "text/plain; charset=utf-8", 3, "/readyz", "verbose"},
    {"GET", "/readyz?verbose&exclude=a%2Fb&x=1", 200, "text/plain; charset=utf-8", 3, "/readyz",
     "verbose&exclude=a%2Fb&x=1"},
    {"GET", "/a%20b", 200, "text/plain; charset=utf-8", 3, "/a b", ""},
    {"HEAD", "/healthz", 200, "text/plain; charset=utf-8", 0, "/healthz", ""},
    {"GET", "/metrics", 200, "text/plain; version=0.0.4", 3, "/metrics", ""},
    {"GET", "/big", 200, "text/plain; charset=utf-8", 500000, "/big", ""},
    {"GET", "/missing", 404, "text/plain; charset=utf-8", 3, "/missing", ""},
    {"GET", "/broken", 500, "text/plain; charset=utf-8", 0, "/broken", ""},
    {"GET", "/odd", 500, "text/plain; charset=utf-8", 0, "/odd", ""},
    {"POST", "/healthz", 405, "text/plain", 0, NULL, NULL},
    {"DELETE", "/healthz", 405, "text/plain", 0, NULL, NULL},
};

START_TEST(answers)
{
	struct fixture f = {0};
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(asks); i++) {
		struct kube_request request = {.method = asks[i].method, .target = asks[i].target};
		struct test_outcome outcome;
		f.asked = 0;
		ck_assert_int_eq(test_send_with(&f.client, &request, &test_handlers, &outcome), 0);
		test_await(&f.client, outcome.done);
		ck_assert_msg(outcome.code == 0, "%s %s: %s", asks[i].method, asks[i].target, outcome.err.message);
		ck_assert_int_eq(outcome.status, asks[i].status);
		ck_assert_str_eq(outcome.content_type, asks[i].content_type);
		ck_assert_uint_eq(outcome.body.len, asks[i].body_len);
		ck_assert_int_eq(f.asked, asks[i].path != NULL);
		if (asks[i].path) {
			ck_assert_str_eq(f.path, asks[i].path);
			ck_assert_str_eq(f.query, asks[i].query);
		}
		test_result_finish(&outcome);
	}
	tear_down(&f);
}
END_TEST

/* A connection by hand. */
static int dial(int port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Runs the loop until the server has said something or hung up; the number of bytes. */
static ssize_t await_bytes(struct fixture *f, int fd, char *out, size_t size)
{
	for (;;) {
		ssize_t n = recv(fd, out, size - 1, 0);
		if (n >= 0) {
			out[n] = '\0';
			return n;
		}
		uv_run(kube_loop_uv(f->loop), UV_RUN_NOWAIT);
	}
}

static const struct {
	const char *request, *answer;
	int asked; /* calls of the handler */
} raw[] = {
    {"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200", 1},
    {"GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200", 1},
    {"SSH-2.0-x\r\n\r\n", "", 0}, /* hangs up */
    {"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n", "HTTP/1.1 405", 0},
    {"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "", 0},
};

START_TEST(stands_raw_requests)
{
	struct fixture f = {0};
	char text[4096];
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(raw); i++) {
		f.asked = 0;
		int fd = dial(kube_httpd_port(f.httpd));
		size_t len = strlen(raw[i].request);
		ck_assert_int_eq(send(fd, raw[i].request, len, 0), (ssize_t)len);
		ssize_t n = await_bytes(&f, fd, text, sizeof(text));
		ck_assert_msg(strncmp(text, raw[i].answer, strlen(raw[i].answer)) == 0, "row %zu: %s", i, text);
		ck_assert(*raw[i].answer || n == 0);
		ck_assert_int_eq(f.asked, raw[i].asked);
		close(fd);
	}
	tear_down(&f);
}
END_TEST

START_TEST(keeps_connections_and_takes_pipelined_requests)
{
	static const char two[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture f = {0};
	char text[4096];
	set_up(&f);
	int fd = dial(kube_httpd_port(f.httpd));
	ck_assert_int_eq(send(fd, two, sizeof(two) - 1, 0), (ssize_t)sizeof(two) - 1);
	while (f.asked < 2)
		ck_assert_int_gt(await_bytes(&f, fd, text, sizeof(text)), 0);
	ck_assert_str_eq(f.path, "/b");
	close(fd);
	tear_down(&f);
}
END_TEST

/* One address holds at most 32 connections: the others are closed, and the first still served. */
START_TEST(limits_connections_of_one_address)
{
	struct fixture f = {0};
	int fds[40], closed = 0;
	char text[4096];
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(fds); i++)
		fds[i] = dial(kube_httpd_port(f.httpd));
	while (closed < 8) {
		closed = 0;
		uv_run(kube_loop_uv(f.loop), UV_RUN_NOWAIT);
		for (size_t i = 0; i < KUBE_ARRAY_LEN(fds); i++)
			closed += recv(fds[i], text, sizeof(text), MSG_PEEK) == 0;
	}
	ck_assert_int_eq(closed, 8);
	ck_assert_int_eq(send(fds[0], raw[0].request, strlen(raw[0].request), 0), (ssize_t)strlen(raw[0].request));
	ck_assert_int_gt(await_bytes(&f, fds[0], text, sizeof(text)), 0);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(fds); i++)
		close(fds[i]);
	tear_down(&f);
}
END_TEST

static const struct {
	const char *address;
	int code;
	const char *says;
} addresses[] = {
    {":0", 0, ""},
    {"127.0.0.1:0", 0, ""},
    {"localhost:0", 0, ""},
    {"", KUBE_E_INVALID, "must be host:port"},
    {"8080", KUBE_E_INVALID, "must be host:port"},
    {":", KUBE_E_INVALID, "must be host:port"},
    {":65536", KUBE_E_INVALID, "must be host:port"},
    {":-1", KUBE_E_INVALID, "must be host:port"},
    {":80a", KUBE_E_INVALID, "must be host:port"},
    {":999999999999", KUBE_E_INVALID, "must be host:port"},
    {"::1:80", KUBE_E_INVALID, "IPv6"},
    {"[::1]80", KUBE_E_INVALID, "must be host:port"},
    {"::1]:80", KUBE_E_INVALID, "IPv6"},
    {"300.0.0.1:0", KUBE_E_INVALID, "cannot be used"},
    {"192.0.2.1:0", KUBE_E_IO, "cannot listen on 192.0.2.1:0"}, /* an address that is not ours */
};

START_TEST(listens_where_told)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(addresses); i++) {
		struct kube_err err;
		int fd = -1, port = 0;
		kube_err_reset(&err);
		int rc = http_listen(addresses[i].address, &fd, &port, &err);
		ck_assert_msg(rc == addresses[i].code, "%s: %d %s", addresses[i].address, rc, err.message);
		ck_assert_msg(strstr(err.message, addresses[i].says) != NULL, "%s", err.message);
		ck_assert((rc == 0) == (port > 0));
		if (rc == 0) {
			close(dial(port));
			close(fd);
		}
	}
}
END_TEST

START_TEST(names_an_address_in_use)
{
	struct fixture f = {0};
	struct kube_httpd *second = NULL;
	struct kube_err err;
	char address[32];
	set_up(&f);
	snprintf(address, sizeof(address), "127.0.0.1:%d", kube_httpd_port(f.httpd));
	struct kube_httpd_options options = {.address = address, .handle = handle, .arg = &f};
	ck_assert_int_eq(kube_httpd_new(f.loop, &options, &second, &err), KUBE_E_IO);
	ck_assert_ptr_null(second);
	ck_assert_msg(strstr(err.message, address) && strstr(err.message, "another program"), "%s", err.message);
	tear_down(&f);
	kube_httpd_free(NULL);
}
END_TEST

START_TEST(may_be_freed_with_open_connections)
{
	struct fixture f = {0};
	char text[4096];
	set_up(&f);
	int port = kube_httpd_port(f.httpd), fd = dial(port);
	ck_assert_int_eq(send(fd, "GET /hea", 8, 0), 8);
	for (int i = 0; i < 3; i++)
		uv_run(kube_loop_uv(f.loop), UV_RUN_NOWAIT);
	kube_httpd_free(f.httpd);
	f.httpd = NULL;
	ck_assert_int_le(recv(fd, text, sizeof(text), 0), 0);
	close(fd);
	tear_down(&f);
}
END_TEST

CHECK_MAIN("httpd", answers, stands_raw_requests, keeps_connections_and_takes_pipelined_requests,
           limits_connections_of_one_address, listens_where_told, names_an_address_in_use,
           may_be_freed_with_open_connections)
