/* The URL of an API server: libcurl's parser, and the rules about what we talk to. */
#include "lib/auth/server.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <kube/mem.h>
#include <stdint.h>
#include <string.h>

#define MAX_HOST 253

bool kube_server_is_loopback(const char *host)
{
	char text[INET6_ADDRSTRLEN + 2];
	size_t len = strlen(host);
	if (strcmp(host, "localhost") == 0)
		return true;
	if (len < 2 || len >= sizeof(text))
		return false;
	memcpy(text, host, len + 1);
	if (text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		memmove(text, text + 1, len - 1);
	}
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool kube_server_name_ok(const char *name)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(name);
	if (len == 0 || len > MAX_HOST)
		return false;
	if (name[0] == '[')
		return strspn(name + 1, "0123456789abcdefABCDEF:.") == len - 2 && name[len - 1] == ']';
	return strspn(name, word) == len;
}

static int no_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the server URL");
}

/* Absent parts have codes of their own, and lack of memory must not pass for one. */
static CURLUcode find_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	CURLUcode rc = curl_url_get(url, part, &text, 0);
	curl_free(text);
	return rc;
}

/* Copies a part into our own memory; false when it is absent or memory is out. */
static bool get_part(CURLU *url, CURLUPart part, unsigned flags, char **ret_text)
{
	char *text = NULL;
	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return false;
	*ret_text = strdup(text);
	curl_free(text);
	return *ret_text != NULL;
}

static int check(const char *text, CURLU *url, const struct kube_server *server, struct kube_err *err)
{
	static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(unwanted); i++) {
		CURLUcode rc = find_part(url, unwanted[i]);
		if (rc == CURLUE_OUT_OF_MEMORY)
			return no_memory(err);
		if (rc == CURLUE_OK)
			return kube_fail(err, KUBE_E_INVALID,
			                 "the server URL must consist of scheme, host, port and path only: remove the user, query "
			                 "or fragment from it");
	}
	if (!kube_server_name_ok(server->host))
		return kube_fail(err, KUBE_E_INVALID, "the server URL %s has no valid host name", text);
	return 0;
}

static int take_apart(const char *text, CURLU *url, struct kube_server *server, struct kube_err *err)
{
	_cleanup_free_ char *scheme = NULL;
	errno = 0;
	CURLUcode rc = curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS);
	bool valid = rc == CURLUE_OK && get_part(url, CURLUPART_SCHEME, 0, &scheme);
	if (!valid && errno == ENOMEM) /* libcurl's own code does not always say so */
		return no_memory(err);
	if (!valid)
		return kube_fail(err, KUBE_E_INVALID, "the server \"%s\" is not a URL such as https://host:6443", text);
	server->https = strcmp(scheme, "https") == 0;
	if (!server->https && strcmp(scheme, "http") != 0)
		return kube_fail(err, KUBE_E_INVALID, "the server %s must begin with https://", text);
	if (!get_part(url, CURLUPART_HOST, 0, &server->host) ||
	    !get_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &server->port) ||
	    !get_part(url, CURLUPART_PATH, 0, &server->path))
		return no_memory(err);
	for (size_t len = strlen(server->path); len > 0 && server->path[len - 1] == '/'; len--)
		server->path[len - 1] = '\0';
	server->loopback = kube_server_is_loopback(server->host);
	return check(text, url, server, err);
}

int kube_server_parse_any(const char *url, struct kube_server *ret_server, struct kube_err *err)
{
	CURLU *parser = curl_url();
	if (!parser)
		return no_memory(err);
	struct kube_server server = {0};
	int rc = take_apart(url, parser, &server, err);
	curl_url_cleanup(parser);
	if (rc != 0)
		kube_server_finish(&server);
	else
		*ret_server = server;
	return rc;
}

int kube_server_parse(const char *url, struct kube_server *ret_server, struct kube_err *err)
{
	struct kube_server server;
	int rc = kube_server_parse_any(url, &server, err);
	if (rc != 0)
		return rc;
	if (server.https || server.loopback) {
		*ret_server = server;
		return 0;
	}
	kube_server_finish(&server);
	return kube_fail(err, KUBE_E_INVALID,
	                 "the server %s is plain http, which is allowed to loopback addresses only: use https", url);
}

void kube_server_finish(struct kube_server *server)
{
	if (!server)
		return;
	free(server->host);
	free(server->port);
	free(server->path);
	*server = (struct kube_server){0};
}
