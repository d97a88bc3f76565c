/* A client and a TLS server that it trusts. */
#ifndef TEST_UNIT_HTTP_TLS_H
#define TEST_UNIT_HTTP_TLS_H

#include "test/unit/http/certs.h"
#include "test/unit/http/client.h"
#include "test/unit/http/server.h"

#include <kube/config.h>
#include <kube/mem.h>
#include <stdlib.h>

#define DAY_S 86400

struct fixture {
	struct test_cert ca, leaf;
	struct test_server *server;
	struct test_client client;
};

static inline void make_server(struct fixture *f, const char *san, long valid_s, const struct test_cert *client_ca)
{
	f->ca = test_cert_new("Test CA", NULL, NULL, DAY_S);
	f->leaf = test_cert_new("server", san, &f->ca, valid_s);
	f->server = test_server_new(&f->leaf, client_ca);
}

static inline void set_up(struct fixture *f)
{
	make_server(f, "IP:127.0.0.1", DAY_S, NULL);
	f->client.config.ca_pem = f->ca.cert_pem;
	test_client_init(&f->client, "https", f->server->port);
}

static inline void tear_down(struct fixture *f)
{
	test_client_finish(&f->client);
	test_server_free(f->server);
	test_cert_free(&f->ca);
	test_cert_free(&f->leaf);
}

static inline void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

static inline void expect_bearer(struct fixture *f, const char *token)
{
	struct test_outcome result;
	char line[128];
	test_get(&f->client, "/echo", &result);
	ck_assert_msg(result.code == 0, "%s", result.err.message);
	snprintf(line, sizeof(line), "\r\nAuthorization: Bearer %s\r\n", token);
	ck_assert_msg(strstr(result.body.data, line) != NULL, "%s", result.body.data);
	test_result_finish(&result);
}

#endif
