/* Listening sockets. */
#include "lib/http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HOST 254
#define BACKLOG 64

/* "host:port" apart; host is "" for all interfaces. */
static int split(const char *address, char host[MAX_HOST], const char **ret_port, struct kube_err *err)
{
	const char *colon = strrchr(address, ':'), *begin = address, *end = colon;
	const char *port = colon ? colon + 1 : "";
	size_t digits = strspn(port, "0123456789");
	bool bracketed = colon && colon > address + 1 && address[0] == '[' && colon[-1] == ']';
	if (!colon || digits == 0 || digits > 5 || port[digits] || strtol(port, NULL, 10) > 65535)
		return kube_fail(err, KUBE_E_INVALID, "the listen address \"%s\" must be host:port or :port", address);
	if (bracketed) {
		begin++;
		end--;
	}
	size_t len = (size_t)(end - begin);
	if (len >= MAX_HOST || (!bracketed && memchr(begin, ':', len)))
		return kube_fail(err, KUBE_E_INVALID, "the listen address \"%s\" must be host:port, with an IPv6 host in []",
		                 address);
	memcpy(host, begin, len);
	host[len] = '\0';
	*ret_port = port;
	return 0;
}

static int bound_port(int fd)
{
	struct sockaddr_storage bound = {0};
	socklen_t len = sizeof(bound);
	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return 0;
	return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
	                                         : ((struct sockaddr_in *)&bound)->sin_port);
}

/* A socket that listens, or -1 with errno. */
static int open_socket(const struct addrinfo *info)
{
	int one = 1, zero = 0;
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (info->ai_family == AF_INET6) /* IPv4 clients too, whatever the system's default */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int cannot_listen(const char *address, int number, struct kube_err *err)
{
	if (number == EADDRINUSE)
		return kube_fail(err, KUBE_E_IO, "cannot listen on %s: another program listens there; choose another address",
		                 address);
	if (number == EACCES)
		return kube_fail(err, KUBE_E_IO, "cannot listen on %s: not permitted; choose a port from 1024 on", address);
	return kube_fail(err, KUBE_E_IO, "cannot listen on %s: %s", address, strerror(number));
}

/* All interfaces: one IPv6 socket serves both families; IPv4 alone where the system has no IPv6. */
static int open_first(const struct addrinfo *list, bool any)
{
	static const int orders[2][2] = {{AF_INET6, AF_INET}, {AF_INET, AF_INET6}};
	int number = EADDRNOTAVAIL;
	for (int k = 0; k < 2; k++)
		for (const struct addrinfo *info = list; info; info = info->ai_next) {
			if (info->ai_family != orders[any ? 0 : 1][k])
				continue;
			int fd = open_socket(info);
			if (fd >= 0)
				return fd;
			if (errno == EADDRINUSE || errno == EACCES)
				return -1;
			number = errno;
		}
	errno = number;
	return -1;
}

int http_listen(const char *address, int *ret_fd, int *ret_port, struct kube_err *err)
{
	char host[MAX_HOST];
	const char *port = NULL;
	int rc = split(address, host, &port, err);
	if (rc != 0)
		return rc;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	rc = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (rc != 0)
		return kube_fail(err, KUBE_E_INVALID, "the listen address \"%s\" cannot be used: %s", address,
		                 gai_strerror(rc));
	int fd = open_first(list, !*host), number = errno;
	freeaddrinfo(list);
	if (fd < 0)
		return cannot_listen(address, number, err);
	*ret_fd = fd;
	*ret_port = bound_port(fd);
	return 0;
}
