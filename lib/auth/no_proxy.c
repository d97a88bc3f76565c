/* NO_PROXY, as Go reads it: the same list must mean the same to kubectl and to us. */
#include "lib/auth/proxy.h"

#include <arpa/inet.h>
#include <kube/mem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_ENTRY 300

struct address {
	int family; /* 0: it is none */
	unsigned char bytes[16];
};

/* host without brackets; an IPv4 address that is written as IPv6 is IPv4. */
static struct address parse_address(const char *host)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address address = {.family = 0};
	if (inet_pton(AF_INET, host, address.bytes) == 1) {
		address.family = AF_INET;
	} else if (inet_pton(AF_INET6, host, address.bytes) == 1) {
		address.family = AF_INET6;
		if (memcmp(address.bytes, mapped, sizeof(mapped)) == 0) {
			memmove(address.bytes, address.bytes + sizeof(mapped), 4);
			address.family = AF_INET;
		}
	}
	return address;
}

static int bits_of(const struct address *address)
{
	return address->family == AF_INET ? 32 : 128;
}

static bool same_bits(const struct address *a, const struct address *b, int bits)
{
	int whole = bits / 8;
	unsigned char mask = (unsigned char)(0xff00 >> (bits % 8));
	if (memcmp(a->bytes, b->bytes, (size_t)whole) != 0)
		return false;
	return bits % 8 == 0 || (a->bytes[whole] & mask) == (b->bytes[whole] & mask);
}

/* "10.0.0.0/8"; false too when it is no CIDR. */
static bool in_cidr(const char *entry, const struct address *host)
{
	char text[MAX_ENTRY];
	const char *slash = strchr(entry, '/');
	char *end = NULL;
	if (!slash || slash == entry || !slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1))
		return false;
	memcpy(text, entry, (size_t)(slash - entry));
	text[slash - entry] = '\0';
	struct address net = parse_address(text);
	long bits = strtol(slash + 1, &end, 10);
	return net.family != 0 && net.family == host->family && bits <= bits_of(&net) && same_bits(&net, host, (int)bits);
}

/* Cuts ":port" off, and brackets around an IPv6 address. Returns the port, "" when there is none. */
static const char *split_port(char **entry)
{
	char *text = *entry, *colon = strrchr(text, ':'), *close = strchr(text, ']');
	const char *port = "";
	bool bare_ipv6 = !close && colon && strchr(text, ':') != colon;
	if (colon && !bare_ipv6 && (!close || close + 1 == colon)) {
		*colon = '\0';
		port = colon + 1;
	}
	if (text[0] == '[' && close) {
		*close = '\0';
		*entry = text + 1;
	}
	return port;
}

/* "a.b" is a.b and all below it; ".a.b" and "*.a.b" are only what is below. */
static bool names_host(const char *entry, const char *host)
{
	if (strncmp(entry, "*.", 2) == 0)
		entry++;
	bool itself = entry[0] != '.';
	size_t len = strlen(entry), host_len = strlen(host);
	if (itself && strcasecmp(entry, host) == 0)
		return true;
	if (len == 0 || host_len <= len || strcasecmp(host + host_len - len, entry) != 0)
		return false;
	return !itself || host[host_len - len - 1] == '.';
}

static bool matches(char *entry, const char *host, const struct address *address, const char *port)
{
	if (strcmp(entry, "*") == 0 || in_cidr(entry, address))
		return true;
	const char *wanted = split_port(&entry);
	if (!*entry || (*wanted && strcmp(wanted, port) != 0))
		return false;
	struct address named = parse_address(entry);
	if (named.family == 0)
		return address->family == 0 && names_host(entry, host);
	return named.family == address->family && same_bits(&named, address, bits_of(&named));
}

bool kube_proxy_bypassed(const char *no_proxy, const char *host, const char *port)
{
	char bare[MAX_ENTRY], entry[MAX_ENTRY];
	size_t len = strlen(host);
	bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, host + bracketed, len + 1 - bracketed);
	if (bracketed)
		bare[len - 2] = '\0';
	struct address address = parse_address(bare);
	for (const char *at = no_proxy; *at; at += strspn(at, ", \t")) {
		size_t entry_len = strcspn(at, ", \t");
		if (entry_len > 0 && entry_len < sizeof(entry)) {
			memcpy(entry, at, entry_len);
			entry[entry_len] = '\0';
			if (matches(entry, bare, &address, port))
				return true;
		}
		at += entry_len;
	}
	return false;
}
