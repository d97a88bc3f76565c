/* Server URLs: what we talk to, and what is loopback. */
#include "lib/auth/server.h"
#include "test/unit/check_main.h"

#include <kube/mem.h>
#include <string.h>

static const struct {
	const char *url;
	bool https, loopback;
	const char *host, *port, *path;
} good[] = {
    {"https://10.0.0.1:6443", true, false, "10.0.0.1", "6443", ""},
    {"https://api.example.org", true, false, "api.example.org", "443", ""},
    {"https://api.example.org/", true, false, "api.example.org", "443", ""},
    {"https://rancher.example.org/k8s/clusters/c-1//", true, false, "rancher.example.org", "443", "/k8s/clusters/c-1"},
    {"https://[2001:db8::1]:6443", true, false, "[2001:db8::1]", "6443", ""},
    {"https://127.0.0.1:6443", true, true, "127.0.0.1", "6443", ""},
    {"http://127.1.2.3:8001", false, true, "127.1.2.3", "8001", ""},
    {"http://localhost:8080", false, true, "localhost", "8080", ""},
    {"http://[::1]:8080", false, true, "[::1]", "8080", ""},
    {"HTTPS://API:6443", true, false, "API", "6443", ""},
};

START_TEST(takes_apart)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(good); i++) {
		_cleanup_(kube_server_finish) struct kube_server server = {0};
		struct kube_err err;
		int rc = kube_server_parse(good[i].url, &server, &err);
		ck_assert_msg(rc == 0, "%s: %s", good[i].url, err.message);
		ck_assert(server.https == good[i].https);
		ck_assert(server.loopback == good[i].loopback);
		ck_assert_str_eq(server.host, good[i].host);
		ck_assert_str_eq(server.port, good[i].port);
		ck_assert_str_eq(server.path, good[i].path);
	}
}
END_TEST

static const struct {
	const char *url, *says;
} bad[] = {
    {"", "is not a URL"},
    {"10.0.0.1:6443", "is not a URL"},
    {"https://", "is not a URL"},
    {"https://a:99999", "is not a URL"},
    {"https://a b", "is not a URL"},
    {"https://a\r\nX: y", "is not a URL"},
    {"ftp://a", "must begin with https"},
    {"http://10.0.0.1:8080", "plain http"},
    {"http://127.example.org", "plain http"},
    {"http://localhost.example.org", "plain http"},
    {"https://user:secret@a", "remove the user"},
    {"https://a?x=1", "remove the user, query"},
    {"https://a#b", "remove the user, query or fragment"},
    {"https://a,b", "host"},
};

START_TEST(refuses)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad); i++) {
		struct kube_server server = {0};
		struct kube_err err;
		kube_err_reset(&err);
		int rc = kube_server_parse(bad[i].url, &server, &err);
		ck_assert_msg(rc == KUBE_E_INVALID, "%s: %d", bad[i].url, rc);
		ck_assert_msg(strstr(err.message, bad[i].says) != NULL, "%s: %s", bad[i].url, err.message);
		ck_assert_msg(strstr(err.message, "secret") == NULL, "%s", err.message);
		ck_assert_ptr_null(server.host);
	}
}
END_TEST

static const struct {
	const char *name;
	bool ok;
} names[] = {
    {"api.internal", true}, {"kubernetes", true}, {"10.0.0.1", true}, {"[::1]", true},
    {"a_b-c", true},        {"", false},          {"a:b", false},     {"a/b", false},
    {"a b", false},         {"a\r\nb", false},    {"[::1", false},    {"a@b", false},
};

START_TEST(knows_host_names)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(names); i++)
		ck_assert_msg(kube_server_name_ok(names[i].name) == names[i].ok, "%s", names[i].name);
}
END_TEST

CHECK_MAIN("server", takes_apart, refuses, knows_host_names)
