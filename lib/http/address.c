#include "lib/http/address.h"

#include <arpa/inet.h>
#include <kube/mem.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct network {
	unsigned char prefix[16];
	int bits;
	const char *what;
};

static const struct network networks4[] = {
    {{127}, 8, "is a loopback address"},
    {{0}, 8, "is a loopback address"}, /* Linux leads 0.0.0.0 there */
    {{169, 254}, 16, "is a link-local address, as clouds have for the metadata of their machines"},
    {{100, 100, 100, 200}, 32, "is a cloud's address for the metadata of its machines"}, /* Alibaba */
    {{168, 63, 129, 16}, 32, "is a cloud's address for the metadata of its machines"},   /* Azure */
    {{192, 0, 0, 192}, 32, "is a cloud's address for the metadata of its machines"},     /* Oracle */
    {{224}, 4, "is a multicast address"},
    {{240}, 4, "is a reserved address"},
};

static const struct network networks6[] = {
    {{[15] = 1}, 128, "is a loopback address"},
    {{0}, 128, "is a loopback address"},
    {{0xfe, 0x80}, 10, "is a link-local address"},
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, "is a cloud's address for the metadata of its machines"},
    {{0xff}, 8, "is a multicast address"},
};

/* IPv6 networks whose addresses lead to an IPv4 one, which begins at this byte. */
static const struct {
	unsigned char prefix[16];
	int bits, at;
} wrappers[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, 12},     /* ::ffff:1.2.3.4 */
    {{0}, 96, 12},                            /* ::1.2.3.4 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},       /* NAT64 (RFC 6052) */
    {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, 12}, /* NAT64 of a site (RFC 8215), /96 of it in practice */
    {{0x20, 0x02}, 16, 2},                    /* 6to4 */
};

static bool within(const unsigned char *bytes, const unsigned char *prefix, int bits)
{
	unsigned char mask = (unsigned char)(0xff00 >> (bits % 8));
	if (memcmp(bytes, prefix, (size_t)(bits / 8)) != 0)
		return false;
	return bits % 8 == 0 || (bytes[bits / 8] & mask) == (prefix[bits / 8] & mask);
}

static const char *find(const struct network *networks, size_t count, const unsigned char *bytes)
{
	for (size_t i = 0; i < count; i++)
		if (within(bytes, networks[i].prefix, networks[i].bits))
			return networks[i].what;
	return NULL;
}

static const char *special4(const unsigned char *bytes)
{
	return find(networks4, KUBE_ARRAY_LEN(networks4), bytes);
}

static const char *special6(const unsigned char *bytes)
{
	const char *what = find(networks6, KUBE_ARRAY_LEN(networks6), bytes);
	for (size_t i = 0; !what && i < KUBE_ARRAY_LEN(wrappers); i++)
		if (within(bytes, wrappers[i].prefix, wrappers[i].bits))
			what = special4(bytes + wrappers[i].at);
	return what;
}

const char *http_address_special(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return special4((const unsigned char *)&((const struct sockaddr_in *)(const void *)address)->sin_addr);
	if (address->sa_family == AF_INET6)
		return special6(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
	return "is no Internet address";
}

struct plain {
	unsigned char bytes[16];
	int len; /* 0: no Internet address */
	in_port_t port;
};

static struct plain plain_of(const struct sockaddr *address)
{
	struct plain plain = {.len = 0};
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;
		plain = (struct plain){.len = 4, .port = in->sin_port};
		memcpy(plain.bytes, &in->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
		plain = (struct plain){.len = mapped ? 4 : 16, .port = in6->sin6_port};
		memcpy(plain.bytes, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), (size_t)plain.len);
	}
	return plain;
}

bool http_address_same(const struct sockaddr *a, const struct sockaddr *b)
{
	struct plain x = plain_of(a), y = plain_of(b);
	return x.len > 0 && x.len == y.len && x.port == y.port && memcmp(x.bytes, y.bytes, (size_t)x.len) == 0;
}

const char *http_address_text(const struct sockaddr *address, char out[HTTP_ADDRESS_TEXT_SIZE])
{
	struct plain plain = plain_of(address);
	int family = plain.len == 4 ? AF_INET : AF_INET6;
	if (plain.len == 0 || !inet_ntop(family, plain.bytes, out, HTTP_ADDRESS_TEXT_SIZE))
		out[0] = '\0';
	return out;
}

bool http_is_service(const char *host)
{
	static const char *const ends[] = {".svc", ".svc.cluster.local"};
	size_t len = strlen(host);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(ends); i++) {
		size_t end = strlen(ends[i]);
		const char *dot = memchr(host, '.', len); /* between a Service's name and its namespace */
		if (len > end && strcasecmp(host + len - end, ends[i]) == 0)
			return dot > host && dot < host + len - end - 1;
	}
	return false;
}
