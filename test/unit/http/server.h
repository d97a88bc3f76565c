/*
 * An HTTP/1.1 server with TLS or without, whose paths misbehave in known ways. One thread accepts, one thread serves
 * each connection; nothing in here waits for time, only for bytes, for the peer's close or for the gate.
 */
#ifndef TEST_UNIT_HTTP_SERVER_H
#define TEST_UNIT_HTTP_SERVER_H

#include "test/unit/http/certs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEST_SERVER_MAX_CONNECTIONS 128

struct test_server {
	int fd, port;
	SSL_CTX *tls; /* NULL: plain */
	pthread_t acceptor, threads[TEST_SERVER_MAX_CONNECTIONS];
	int thread_count;
	atomic_int requests;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool gate_open;
};

struct test_conn {
	struct test_server *server;
	int fd;
	SSL *ssl;
	char text[65536]; /* a request: head and body */
	size_t len;
};

static inline long test_conn_read(struct test_conn *conn, void *bytes, size_t size)
{
	return conn->ssl ? SSL_read(conn->ssl, bytes, (int)size) : read(conn->fd, bytes, size);
}

/* False when the peer is gone. */
static inline bool test_conn_write(struct test_conn *conn, const char *text, size_t len)
{
	long n = conn->ssl ? SSL_write(conn->ssl, text, (int)len) : send(conn->fd, text, len, MSG_NOSIGNAL);
	return n > 0;
}

static inline void test_conn_puts(struct test_conn *conn, const char *text)
{
	test_conn_write(conn, text, strlen(text));
}

static inline void test_conn_await_close(struct test_conn *conn)
{
	char byte;
	while (test_conn_read(conn, &byte, 1) > 0)
		;
}

/* Reads one request; false at the end of the connection. */
static inline bool test_conn_request(struct test_conn *conn)
{
	size_t want = 0;
	conn->len = 0;
	while (want == 0 || conn->len < want) {
		long n = test_conn_read(conn, conn->text + conn->len, sizeof(conn->text) - 1 - conn->len);
		if (n <= 0)
			return false;
		conn->len += (size_t)n;
		conn->text[conn->len] = '\0';
		if (conn->text[0] == 0x16) { /* a TLS handshake on a plain server */
			test_conn_puts(conn, "HTTP/1.0 400 Bad Request\r\n\r\n");
			return false;
		}
		const char *end = strstr(conn->text, "\r\n\r\n");
		const char *length = strcasestr(conn->text, "\r\nContent-Length: ");
		if (end && want == 0)
			want = (size_t)(end + 4 - conn->text) + (length && length < end ? strtoul(length + 18, NULL, 10) : 0);
	}
	return true;
}

static inline void test_conn_reply(struct test_conn *conn, const char *head, const char *body, size_t len)
{
	char text[1024];
	snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, len);
	test_conn_puts(conn, text);
	test_conn_write(conn, body, len);
}

/* The common name of the client's certificate. */
static inline void test_conn_who(struct test_conn *conn)
{
	char name[64] = "nobody";
	X509 *cert = conn->ssl ? SSL_get1_peer_certificate(conn->ssl) : NULL;
	if (cert)
		X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof(name));
	X509_free(cert);
	test_conn_reply(conn, "200 OK", name, strlen(name));
}

static inline void test_conn_stream(struct test_conn *conn, int chunks)
{
	test_conn_puts(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < chunks; i++)
		test_conn_puts(conn, "8\r\n{\"a\":1}\n\r\n");
	test_conn_puts(conn, "0\r\n\r\n");
}

/* The same bytes until the peer has enough of them, in large pieces: a TLS record each is slow under valgrind. */
static inline void test_conn_endless(struct test_conn *conn, const char *begin, const char *piece)
{
	char block[16384];
	size_t len = 0;
	for (; len + strlen(piece) < sizeof(block); len += strlen(piece))
		memcpy(block + len, piece, strlen(piece) + 1);
	test_conn_puts(conn, begin);
	while (test_conn_write(conn, block, len))
		;
}

static inline void test_server_open_gate(struct test_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->gate_open = true;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

/* One chunk before the gate opens, one after. */
static inline void test_conn_gated(struct test_conn *conn)
{
	struct test_server *server = conn->server;
	test_conn_puts(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
	pthread_mutex_lock(&server->lock);
	while (!server->gate_open)
		pthread_cond_wait(&server->changed, &server->lock);
	pthread_mutex_unlock(&server->lock);
	test_conn_puts(conn, "3\r\ntwo\r\n0\r\n\r\n");
}

static inline bool test_conn_answer(struct test_conn *conn)
{
	char path[256] = "";
	sscanf(conn->text, "%*s %255[^ ?]", path);
	atomic_fetch_add(&conn->server->requests, 1);
	if (strcmp(path, "/echo") == 0) {
		test_conn_reply(conn, "200 OK", conn->text, conn->len);
	} else if (strcmp(path, "/json") == 0) {
		test_conn_reply(conn,
		                "200 OK\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 11:22:38 GMT\r\n"
		                "x-kubernetes-pf-flowschema-uid: fs-1\r\nX-Kubernetes-Pf-Prioritylevel-Uid: pl-1\r\n"
		                "warning:  299 - \"old API\" \r\nWarning:\r\nWarning: 299 - \"second\"",
		                "{}", 2);
	} else if (strcmp(path, "/who") == 0) {
		test_conn_who(conn);
	} else if (strcmp(path, "/stream") == 0) {
		test_conn_stream(conn, 100);
	} else if (strcmp(path, "/gated") == 0) {
		test_conn_gated(conn);
	} else if (strcmp(path, "/401") == 0) {
		test_conn_reply(conn, "401 Unauthorized", "no", 2);
	} else if (strcmp(path, "/429") == 0) {
		test_conn_reply(conn, "429 Too Many Requests\r\nRetry-After: 7", "", 0);
	} else if (strcmp(path, "/503") == 0) {
		test_conn_reply(conn,
		                "503 Unavailable\r\nRetry-After: Sat, 21 Nov 2026 11:23:08 GMT\r\n"
		                "Date: Sat, 21 Nov 2026 11:22:38 GMT",
		                "", 0);
	} else if (strcmp(path, "/redirect") == 0) {
		test_conn_reply(conn, "302 Found\r\nLocation: /echo", "moved", 5);
	} else if (strcmp(path, "/hints") == 0) {
		test_conn_puts(conn, "HTTP/1.1 103 Early Hints\r\nContent-Type: text/hint\r\n\r\n");
		test_conn_reply(conn, "200 OK\r\nContent-Type: text/real", "ok", 2);
	} else if (strcmp(path, "/silent") == 0) {
		test_conn_await_close(conn);
	} else if (strcmp(path, "/stall") == 0) {
		test_conn_puts(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
		test_conn_await_close(conn);
	} else if (strcmp(path, "/endless") == 0) {
		test_conn_endless(conn, "HTTP/1.1 200 OK\r\n\r\n", "0123456789abcdef");
		return false;
	} else if (strcmp(path, "/endless-head") == 0) {
		test_conn_endless(conn, "HTTP/1.1 200 OK\r\n", "X-More: 0123456789abcdef\r\n");
		return false;
	} else if (strcmp(path, "/cut") == 0) {
		test_conn_puts(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
		return false;
	} else if (strcmp(path, "/cut-401") == 0) {
		test_conn_puts(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{\"kind");
		return false;
	} else if (strcmp(path, "/garbage") == 0) {
		test_conn_puts(conn, "SSH-2.0-OpenSSH_9.2\r\n");
		return false;
	} else {
		return false; /* "/hangup": ends without a word */
	}
	return true;
}

static inline void *test_server_serve(void *arg)
{
	struct test_conn *conn = arg;
	if (conn->server->tls) {
		conn->ssl = SSL_new(conn->server->tls);
		SSL_set_fd(conn->ssl, conn->fd);
	}
	if (!conn->ssl || SSL_accept(conn->ssl) == 1)
		while (test_conn_request(conn) && test_conn_answer(conn))
			;
	if (conn->ssl)
		SSL_shutdown(conn->ssl);
	SSL_free(conn->ssl);
	shutdown(conn->fd, SHUT_RDWR);
	close(conn->fd);
	free(conn);
	ERR_clear_error();
	return NULL;
}

static inline void *test_server_accept(void *arg)
{
	struct test_server *server = arg;
	for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0;) {
		struct test_conn *conn = calloc(1, sizeof(*conn));
		int one = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn->server = server;
		conn->fd = fd;
		if (server->thread_count == TEST_SERVER_MAX_CONNECTIONS ||
		    pthread_create(&server->threads[server->thread_count], NULL, test_server_serve, conn) != 0)
			abort();
		server->thread_count++;
	}
	return NULL;
}

/* cert NULL: plain http. client_ca: clients must show a certificate of it. */
static inline struct test_server *test_server_new(const struct test_cert *cert, const struct test_cert *client_ca)
{
	struct test_server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(server->fd, TEST_SERVER_MAX_CONNECTIONS), 0);
	getsockname(server->fd, (struct sockaddr *)&address, &len);
	server->port = ntohs(address.sin_port);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->changed, NULL);
	if (cert) {
		server->tls = SSL_CTX_new(TLS_server_method());
		SSL_CTX_use_certificate(server->tls, cert->cert);
		SSL_CTX_use_PrivateKey(server->tls, cert->key);
	}
	if (client_ca) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(server->tls), client_ca->cert);
		SSL_CTX_set_verify(server->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	ck_assert_int_eq(pthread_create(&server->acceptor, NULL, test_server_accept, server), 0);
	return server;
}

/* The clients must be gone. */
static inline void test_server_free(struct test_server *server)
{
	test_server_open_gate(server);
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->acceptor, NULL);
	for (int i = 0; i < server->thread_count; i++)
		pthread_join(server->threads[i], NULL);
	close(server->fd);
	SSL_CTX_free(server->tls);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->changed);
	free(server);
}

#endif
