#include "controller/observe/secret.h"
#include "controller/model/names.h"

#include <kube/base64.h>
#include <kube/mem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void source_secret_finish(struct source_secret *secret)
{
	kube_wipe_str(&secret->token);
	kube_wipe_str(&secret->username);
	kube_wipe_str(&secret->password);
	kube_wipe_str(&secret->ca_pem);
}

/* kube_json_get() would take the dots of such a key for steps. */
static const char *mark_of(const cJSON *object, const char *member, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(kube_json_get(object, member), key));
}

static bool is_for(const cJSON *object, const char *use)
{
	static const char *const members[] = {"metadata.labels", "metadata.annotations"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(members); i++) {
		const char *value = mark_of(object, members[i], PW_MARK_USE);
		if (value && strcmp(value, use) == 0)
			return true;
	}
	return false;
}

static bool same_text(const char *text, size_t len, const char *other, size_t other_len)
{
	return len == other_len && strncasecmp(text, other, len) == 0;
}

/* The list is somebody's; an entry without a port is for all ports. */
static bool host_listed(const char *list, const char *url)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
	size_t with_port = strcspn(host, "/?#");
	const char *bracket = memchr(host, ']', with_port);
	const char *colon = memchr(bracket ? bracket : host, ':', with_port - (size_t)((bracket ? bracket : host) - host));
	size_t without_port = colon ? (size_t)(colon - host) : with_port;
	for (const char *at = list; *at; at += strspn(at, ", \t\n")) {
		size_t len = strcspn(at, ", \t\n");
		if (len > 0 && (same_text(at, len, host, with_port) || same_text(at, len, host, without_port)))
			return true;
		at += len;
	}
	return false;
}

static int check(const cJSON *object, const char *name, const char *use, const char *url, struct kube_err *err)
{
	const char *hosts = mark_of(object, "metadata.annotations", PW_ANNOTATION_HOSTS);
	if (!is_for(object, use))
		return kube_fail(err, KUBE_E_INVALID,
		                 "the Secret %s is not for this use: label it with " PW_MARK_USE "=%s if it may be sent there",
		                 name, use);
	if (hosts && !host_listed(hosts, url))
		return kube_fail(err, KUBE_E_INVALID,
		                 "the Secret %s is not for the host of this URL: its annotation " PW_ANNOTATION_HOSTS
		                 " does not list it",
		                 name);
	return 0;
}

/* Tokens and passwords are often stored with the line break of the file that they came from. */
static int take_key(const cJSON *object, const char *name, const char *key, char **ret_text, struct kube_err *err)
{
	const char *encoded = mark_of(object, "data", key);
	if (!encoded)
		return 0;
	int rc = kube_base64_decode(encoded, ret_text, err);
	if (rc != 0)
		return kube_err_prefix(err, "the key %s of the Secret %s", key, name);
	(*ret_text)[strcspn(*ret_text, strcmp(key, "ca.crt") == 0 ? "" : "\r\n")] = '\0';
	return 0;
}

int source_secret_decode(const cJSON *object, const char *name, const char *use, const char *url,
                         struct source_secret *ret_secret, struct kube_err *err)
{
	__attribute__((cleanup(source_secret_finish))) struct source_secret secret = {0};
	int rc = check(object, name, use, url, err);
	if (rc == 0)
		rc = take_key(object, name, "token", &secret.token, err);
	if (rc == 0)
		rc = take_key(object, name, "username", &secret.username, err);
	if (rc == 0)
		rc = take_key(object, name, "password", &secret.password, err);
	if (rc == 0)
		rc = take_key(object, name, "ca.crt", &secret.ca_pem, err);
	if (rc != 0)
		return rc;
	if (!secret.token && !secret.username && !secret.ca_pem)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the Secret %s holds none of the keys token, username (with password) and ca.crt", name);
	*ret_secret = secret;
	secret = (struct source_secret){0};
	return 0;
}
