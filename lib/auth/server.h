/* The URL of an API server, taken apart and checked. */
#ifndef KUBE_AUTH_SERVER_H
#define KUBE_AUTH_SERVER_H

#include <kube/err.h>
#include <stdbool.h>

struct kube_server {
	bool https;
	bool loopback;
	char *host; /* an IPv6 address stands in brackets */
	char *port; /* always present */
	char *path; /* "" or "/prefix", without a trailing slash */
};

/* https, or http to a loopback address; no user, query or fragment. KUBE_E_INVALID with a sentence, KUBE_E_NOMEM. */
int kube_server_parse(const char *url, struct kube_server *ret_server, struct kube_err *err);
/* The same, with http to anywhere. */
int kube_server_parse_any(const char *url, struct kube_server *ret_server, struct kube_err *err);
void kube_server_finish(struct kube_server *server);

/* True for 127.0.0.0/8, ::1 (also in brackets) and "localhost". */
bool kube_server_is_loopback(const char *host);
/* True for a name or address that can stand as the host of a URL: letters, digits, "-", "." and, in brackets, ":". */
bool kube_server_name_ok(const char *name);

#endif
