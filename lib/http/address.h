/* Which addresses requests that somebody else has named must not go to. Pure. */
#ifndef KUBE_HTTP_ADDRESS_H
#define KUBE_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#define HTTP_ADDRESS_TEXT_SIZE 64

/* A clause that says what the address is ("is a loopback address"), or NULL: it is an ordinary one. An IPv4 address
 * that is written as, or wrapped in, an IPv6 one counts as what it leads to. */
const char *http_address_special(const struct sockaddr *address);

/* The same address and port; an IPv4 address that is written as IPv6 is IPv4. */
bool http_address_same(const struct sockaddr *a, const struct sockaddr *b);

/* "10.0.0.1" or "fd00::1"; "" for what is no Internet address. */
const char *http_address_text(const struct sockaddr *address, char out[HTTP_ADDRESS_TEXT_SIZE]);

/* A name in the cluster's DNS: "prometheus.monitoring.svc", also with ".cluster.local". */
bool http_is_service(const char *host);

#endif
