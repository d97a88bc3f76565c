#include <kube/health.h>
#include <string.h>

/* The value of the next parameter of that name, from *query on, which moves behind it; false when there is none. A
 * parameter without "=" has the value "". */
static bool next_value(const char **query, const char *name, const char **ret_value, size_t *ret_len)
{
	size_t name_len = strlen(name);

	while (**query) {
		const char *at = *query;
		size_t len = strcspn(at, "&");
		*query += len + (at[len] == '&');
		if (len < name_len || strncmp(at, name, name_len) != 0 || !strchr("=&", at[name_len]))
			continue;
		size_t skip = name_len + (at[name_len] == '=');
		*ret_value = at + skip;
		*ret_len = len - skip;
		return true;
	}
	return false;
}

static bool asked(const char *query, const char *name)
{
	const char *value;
	size_t len;

	return next_value(&query, name, &value, &len);
}

static bool same(const char *name, const char *text, size_t len)
{
	return strncmp(name, text, len) == 0 && name[len] == '\0';
}

static bool excluded(const char *query, const char *name)
{
	const char *value;
	size_t len;

	while (next_value(&query, "exclude", &value, &len))
		if (same(name, value, len))
			return true;
	return false;
}

static const struct kube_health_check *find(const struct kube_health_check *checks, size_t count, const char *name,
                                            size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (same(checks[i].name, name, len))
			return &checks[i];
	return NULL;
}

static void warn_of_strangers(const char *query, const struct kube_health_check *checks, size_t count,
                              struct kube_buf *body)
{
	const char *value;
	size_t len;

	while (next_value(&query, "exclude", &value, &len))
		if (!find(checks, count, value, len))
			kube_buf_addf(body, "warn: some health checks cannot be excluded: no matches for \"%.*s\"\n", (int)len,
			              value);
}

static int reply_all(const char *endpoint, const char *query, const struct kube_health_check *checks, size_t count,
                     struct kube_httpd_reply *reply)
{
	bool failed = false;

	for (size_t i = 0; i < count; i++) {
		const struct kube_health_check *check = &checks[i];
		if (excluded(query, check->name)) {
			kube_buf_addf(&reply->body, "[+]%s excluded: ok\n", check->name);
		} else if (check->problem) {
			failed = true;
			kube_buf_addf(&reply->body, "[-]%s failed: %s\n", check->name, check->problem);
		} else {
			kube_buf_addf(&reply->body, "[+]%s ok\n", check->name);
		}
	}
	warn_of_strangers(query, checks, count, &reply->body);
	reply->status = failed ? 500 : 200;
	if (failed || asked(query, "verbose"))
		return kube_buf_addf(&reply->body, "%s check %s\n", endpoint + 1, failed ? "failed" : "passed");
	kube_buf_reset(&reply->body);
	return kube_buf_adds(&reply->body, "ok");
}

static int reply_one(const char *endpoint, const struct kube_health_check *check, const char *name,
                     struct kube_httpd_reply *reply)
{
	reply->status = !check ? 404 : check->problem ? 500 : 200;
	if (!check)
		return kube_buf_addf(&reply->body, "%s has no check %.100s\n", endpoint, name);
	if (check->problem)
		return kube_buf_addf(&reply->body, "%s\n", check->problem);
	return kube_buf_adds(&reply->body, "ok");
}

bool kube_health_serves(const char *endpoint, const char *path)
{
	size_t len = strlen(endpoint);

	return strncmp(path, endpoint, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

int kube_health_reply(const char *endpoint, const char *path, const char *query, const struct kube_health_check *checks,
                      size_t count, struct kube_httpd_reply *reply)
{
	const char *name = path + strlen(endpoint);

	name += *name == '/';
	if (*name == '\0')
		return reply_all(endpoint, query, checks, count, reply);
	return reply_one(endpoint, find(checks, count, name, strlen(name)), name, reply);
}
