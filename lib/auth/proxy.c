#include "lib/auth/proxy.h"

#include "lib/auth/resolve.h"

#include <curl/curl.h>
#include <string.h>

static const struct {
	const char *scheme, *for_curl; /* libcurl's socks5 looks names up here, Go's at the proxy */
} schemes[] = {{"http", "http"}, {"https", "https"}, {"socks5", "socks5h"}, {"socks5h", "socks5h"}};

static const char *scheme_for_curl(const char *scheme)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(schemes); i++)
		if (strcmp(scheme, schemes[i].scheme) == 0)
			return schemes[i].for_curl;
	return NULL;
}

static void free_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void free_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	curl_free(*text);
}

/* Only the environment may leave the scheme out: Go takes http then. */
static int normalize(const char *text, bool may_lack_scheme, const char *what, char **ret_url, struct kube_err *err)
{
	_cleanup_(free_url) CURLU *url = curl_url();
	_cleanup_(free_text) char *scheme = NULL, *whole = NULL;
	if (!url)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the proxy");
	const char *for_curl = NULL;
	unsigned flags = CURLU_NON_SUPPORT_SCHEME | (may_lack_scheme ? (unsigned)CURLU_GUESS_SCHEME : 0);
	bool lacks = may_lack_scheme && !strstr(text, "://");
	if (curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK && lacks)
		curl_url_set(url, CURLUPART_SCHEME, "http", 0);
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
		for_curl = scheme_for_curl(scheme);
	if (!for_curl || curl_url_set(url, CURLUPART_SCHEME, for_curl, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK)
		return kube_fail(err, KUBE_E_INVALID,
		                 "%s is not the URL of a proxy: give one such as http://proxy.example:3128 (or https, socks5)",
		                 what);
	return kube_config_set(ret_url, whole, err);
}

/* Go looks at the capital names first. */
static const char *env_of(const struct kube_config_options *options, const char *upper, const char *lower)
{
	const char *value = kube_config_env(options, upper);
	return *value ? value : kube_config_env(options, lower);
}

static int from_env(const struct kube_config_options *options, const struct kube_server *server, char **ret_url,
                    struct kube_err *err)
{
	const char *upper = server->https ? "HTTPS_PROXY" : "HTTP_PROXY";
	const char *url = env_of(options, upper, server->https ? "https_proxy" : "http_proxy");
	if (!*url || server->loopback)
		return 0;
	if (kube_proxy_bypassed(env_of(options, "NO_PROXY", "no_proxy"), server->host, server->port))
		return 0;
	return normalize(url, true, upper, ret_url, err);
}

int kube_proxy_choose(const struct kube_config_options *options, struct kube_config *config, struct kube_err *err)
{
	struct kube_server server = {0};
	if (config->proxy_url)
		return normalize(config->proxy_url, false, "the cluster's proxy-url", &config->proxy_url, err);
	int rc = kube_server_parse(config->server, &server, err);
	if (rc == 0)
		rc = from_env(options, &server, &config->proxy_url, err);
	kube_server_finish(&server);
	return rc;
}
