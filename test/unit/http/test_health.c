#include "test/unit/check_main.h"

#include <kube/health.h>

static const struct kube_health_check well[] = {{"ping", NULL}, {"cache-nodes", NULL}};
static const struct kube_health_check ill[] = {{"ping", NULL}, {"cache-nodes", "the server is gone"}, {"cache", NULL}};

static const struct {
	const struct kube_health_check *checks;
	size_t count;
	const char *path, *query;
	int status;
	const char *body;
} cases[] = {
    {well, 2, "/readyz", "", 200, "ok"},
    {well, 2, "/readyz/", "", 200, "ok"},
    {well, 2, "/readyz", "verbose", 200, "[+]ping ok\n[+]cache-nodes ok\nreadyz check passed\n"},
    {well, 2, "/readyz", "x=1&verbose=true", 200, "[+]ping ok\n[+]cache-nodes ok\nreadyz check passed\n"},
    {well, 2, "/readyz", "verbosely&xverbose", 200, "ok"},
    {well, 0, "/readyz", "", 200, "ok"},
    {ill, 3, "/readyz", "", 500,
     "[+]ping ok\n[-]cache-nodes failed: the server is gone\n[+]cache ok\nreadyz check failed\n"},
    {ill, 3, "/readyz", "exclude=cache-nodes", 200, "ok"},
    {ill, 3, "/readyz", "exclude=ping&verbose&exclude=cache-nodes", 200,
     "[+]ping excluded: ok\n[+]cache-nodes excluded: ok\n[+]cache ok\nreadyz check passed\n"},
    {ill, 3, "/readyz", "exclude=cache&exclude=nodes&exclude", 500,
     "[+]ping ok\n[-]cache-nodes failed: the server is gone\n[+]cache excluded: ok\n"
     "warn: some health checks cannot be excluded: no matches for \"nodes\"\n"
     "warn: some health checks cannot be excluded: no matches for \"\"\nreadyz check failed\n"},
    {ill, 3, "/readyz/cache-nodes", "", 500, "the server is gone\n"},
    {ill, 3, "/readyz/cache", "verbose", 200, "ok"},
    {ill, 3, "/readyz/cach", "", 404, "/readyz has no check cach\n"},
    {ill, 3, "/readyz/cache/x", "", 404, "/readyz has no check cache/x\n"},
};

START_TEST(answers)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_httpd_reply reply = {.status = 0};
		kube_buf_init(&reply.body, KUBE_HTTPD_MAX_BODY_BYTES);
		int rc = kube_health_reply("/readyz", cases[i].path, cases[i].query, cases[i].checks, cases[i].count, &reply);
		ck_assert_int_eq(rc, 0);
		ck_assert_int_eq(reply.status, cases[i].status);
		ck_assert_str_eq(reply.body.data, cases[i].body);
		kube_buf_finish(&reply.body);
	}
}
END_TEST

START_TEST(paths)
{
	ck_assert(kube_health_serves("/readyz", "/readyz"));
	ck_assert(kube_health_serves("/readyz", "/readyz/ping"));
	ck_assert(!kube_health_serves("/readyz", "/readyzz"));
	ck_assert(!kube_health_serves("/readyz", "/ready"));
}
END_TEST

CHECK_MAIN("http/health", answers, paths)
