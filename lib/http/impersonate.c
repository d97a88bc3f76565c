/* Impersonation: Impersonate-User and its like (client-go: transport/round_trippers.go). */
#include "lib/http/internal.h"

#include <kube/buf.h>

#define MAX_HEADER_BYTES ((size_t)16 << 10)

/* "<prefix><key, escaped>: <value>" */
static bool add(struct curl_slist **headers, const char *prefix, const char *key, const char *value)
{
	_cleanup_buf_ struct kube_buf line = {0};
	kube_buf_init(&line, MAX_HEADER_BYTES);
	kube_buf_adds(&line, prefix);
	kube_buf_add_urlencoded(&line, key);
	if (kube_buf_addf(&line, ": %s", value) != 0)
		return false;
	struct curl_slist *list = curl_slist_append(*headers, line.data);
	if (list)
		*headers = list;
	return list != NULL;
}

static bool add_all(const struct kube_impersonation *as, struct curl_slist **headers)
{
	bool ok = add(headers, "Impersonate-User", "", as->user);
	if (as->uid)
		ok = ok && add(headers, "Impersonate-Uid", "", as->uid);
	for (char **group = as->groups; group && *group; group++)
		ok = ok && add(headers, "Impersonate-Group", "", *group);
	for (char **pair = as->extra; pair && *pair; pair += 2)
		ok = ok && add(headers, "Impersonate-Extra-", pair[0], pair[1]);
	return ok;
}

int http_impersonation(const struct kube_impersonation *as, struct curl_slist **ret_headers, struct kube_err *err)
{
	struct curl_slist *headers = NULL;
	if (as->user && !add_all(as, &headers)) {
		curl_slist_free_all(headers);
		return kube_fail(err, KUBE_E_NOMEM, "no memory or room for the impersonation headers");
	}
	*ret_headers = headers;
	return 0;
}
