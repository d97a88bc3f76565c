/* Which addresses are special, in each way that they can be written. */
#include "test/unit/check_main.h"

#include "lib/http/address.h"

#include <arpa/inet.h>
#include <kube/mem.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_storage address_of(const char *text, int port)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
	} else {
		ck_assert_msg(inet_pton(AF_INET6, text, &in6->sin6_addr) == 1, "%s", text);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
	}
	return storage;
}

static const struct {
	const char *address, *what; /* NULL: ordinary */
} addresses[] = {
    {"10.0.0.1", NULL},
    {"172.16.0.1", NULL},
    {"192.168.0.1", NULL},
    {"126.255.255.255", NULL},
    {"128.0.0.1", NULL},
    {"169.253.255.255", NULL},
    {"169.255.0.0", NULL},
    {"100.100.100.201", NULL},
    {"1.1.1.1", NULL},
    {"127.0.0.1", "loopback"},
    {"127.255.255.254", "loopback"},
    {"0.0.0.0", "loopback"},
    {"0.1.2.3", "loopback"},
    {"169.254.0.1", "link-local"},
    {"169.254.169.254", "link-local"},
    {"100.100.100.200", "metadata"},
    {"168.63.129.16", "metadata"},
    {"192.0.0.192", "metadata"},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"255.255.255.255", "reserved"},
    {"2001:db8::1", NULL},
    {"fd00::1", NULL},
    {"fd00:ec2::253", NULL},
    {"fec0::1", NULL},
    {"::1", "loopback"},
    {"::", "loopback"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fd00:ec2::254", "metadata"},
    {"ff02::1", "multicast"},
    {"::ffff:10.0.0.1", NULL},
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:169.254.169.254", "link-local"},
    {"::127.0.0.1", "loopback"},
    {"64:ff9b::10.0.0.1", NULL},
    {"64:ff9b::127.0.0.1", "loopback"},
    {"64:ff9b:1::169.254.169.254", "link-local"},
    {"2002:7f00:1::", "loopback"},
    {"2002:a9fe:a9fe::1", "link-local"},
    {"2002:0a00:1::", NULL},
};

START_TEST(special_addresses)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(addresses); i++) {
		struct sockaddr_storage address = address_of(addresses[i].address, 80);
		const char *what = http_address_special((struct sockaddr *)&address);
		ck_assert_msg(!what == !addresses[i].what, "%s %s", addresses[i].address, what ? what : "is ordinary");
		ck_assert_msg(!what || strstr(what, addresses[i].what), "%s %s", addresses[i].address, what);
	}
	ck_assert_ptr_nonnull(http_address_special(&(struct sockaddr){.sa_family = AF_UNIX}));
}
END_TEST

static const struct {
	const char *a;
	int a_port;
	const char *b;
	int b_port;
	bool same;
} pairs[] = {
    {"10.0.0.1", 443, "10.0.0.1", 443, true},  {"10.0.0.1", 443, "10.0.0.1", 6443, false},
    {"10.0.0.1", 443, "10.0.0.2", 443, false}, {"10.0.0.1", 443, "::ffff:10.0.0.1", 443, true},
    {"fd00::1", 443, "fd00::1", 443, true},    {"fd00::1", 443, "fd00::2", 443, false},
};

START_TEST(same_addresses)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(pairs); i++) {
		struct sockaddr_storage a = address_of(pairs[i].a, pairs[i].a_port),
		                        b = address_of(pairs[i].b, pairs[i].b_port);
		ck_assert_msg(http_address_same((struct sockaddr *)&a, (struct sockaddr *)&b) == pairs[i].same, "row %zu", i);
	}
}
END_TEST

START_TEST(texts)
{
	static const char *const rows[][2] = {
	    {"10.0.0.1", "10.0.0.1"}, {"::ffff:10.0.0.1", "10.0.0.1"}, {"fd00:0::1", "fd00::1"}};
	char out[HTTP_ADDRESS_TEXT_SIZE];
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct sockaddr_storage address = address_of(rows[i][0], 1);
		ck_assert_str_eq(http_address_text((struct sockaddr *)&address, out), rows[i][1]);
	}
	ck_assert_str_eq(http_address_text(&(struct sockaddr){.sa_family = AF_UNIX}, out), "");
}
END_TEST

static const struct {
	const char *host;
	bool service;
} hosts[] = {
    {"prometheus.monitoring.svc", true},
    {"Prometheus.Monitoring.SVC", true},
    {"pod-0.db.shop.svc", true},
    {"prometheus.monitoring.svc.cluster.local", true},
    {"monitoring.svc", false},
    {".svc", false},
    {"..svc", false},
    {".monitoring.svc", false},
    {"monitoring..svc", false},
    {"svc", false},
    {"prometheus.monitoring", false},
    {"prometheus.monitoring.svc.example.org", false},
    {"monitoring.svc.cluster.local", false},
    {"prometheus.monitoring.xsvc", false},
    {"10.0.0.1", false},
    {"", false},
};

START_TEST(services)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(hosts); i++)
		ck_assert_msg(http_is_service(hosts[i].host) == hosts[i].service, "%s", hosts[i].host);
}
END_TEST

CHECK_MAIN("http address", special_addresses, same_addresses, texts, services)
