/* Answers as kube components give them: "ok", or each check by name when one fails or ?verbose is asked for. */
#include "controller/cmd/health.h"
#include <string.h>

#define MAX_CHECKS (CACHE_COUNT + 4)

struct check {
	char name[80];
	const char *problem; /* NULL: passed */
};

struct checks {
	struct check items[MAX_CHECKS];
	size_t count;
};

static void add_check(struct checks *checks, const char *prefix, const char *name, const char *problem)
{
	struct check *check = &checks->items[checks->count++];
	snprintf(check->name, sizeof(check->name), "%s%s", prefix, name);
	check->problem = problem;
}

static const char *cache_problem(const struct cache *cache)
{
	if (!cache->reflector)
		return "the controller is stopping";
	if (cache->problem[0])
		return cache->problem;
	return kube_reflector_synced(cache->reflector) ? NULL : "the first list is not complete";
}

static void ready_checks(const struct controller *controller, struct checks *checks)
{
	for (size_t i = 0; i < CACHE_COUNT; i++) {
		const struct cache *cache = &controller->caches[i];
		add_check(checks, "cache-", cache->projection->resource->plural, cache_problem(cache));
	}
	for (size_t i = 0; i < KUBE_ARRAY_LEN(controller->namespaces); i++) {
		const struct namespace_watch *watch = &controller->namespaces[i];
		const char *problem = watch->problem[0] ? watch->problem : NULL;
		add_check(checks, "namespace-", watch->name, watch->asked ? problem : "not asked for yet");
	}
	if (controller->elector) /* who waits for the lease is ready, too */
		add_check(checks, "leader-election", "", controller->election_problem[0] ? controller->election_problem : NULL);
	add_check(checks, "running", "", controller->stopping ? "the controller is stopping" : NULL);
}

static bool has_word(const char *query, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = query; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL)
		if (strncmp(at, word, len) == 0 && (at[len] == '\0' || at[len] == '&' || at[len] == '='))
			return true;
	return false;
}

static int report(const struct checks *checks, const char *endpoint, const char *query, struct kube_httpd_reply *reply)
{
	size_t failed = 0;
	for (size_t i = 0; i < checks->count; i++)
		failed += checks->items[i].problem != NULL;
	reply->status = failed ? 503 : 200;
	if (!failed && !has_word(query, "verbose"))
		return kube_buf_adds(&reply->body, "ok");
	for (size_t i = 0; i < checks->count; i++) {
		const struct check *check = &checks->items[i];
		if (check->problem)
			kube_buf_addf(&reply->body, "[-]%s failed: %s\n", check->name, check->problem);
		else
			kube_buf_addf(&reply->body, "[+]%s ok\n", check->name);
	}
	return kube_buf_addf(&reply->body, "%s check %s\n", endpoint, failed ? "failed" : "passed");
}

int health_handle(void *arg, const char *path, const char *query, struct kube_httpd_reply *reply)
{
	struct controller *controller = arg;
	struct checks checks = {.count = 0};
	if (strcmp(path, "/healthz") == 0) {
		/* That this answer is given is the check: everything runs on one loop. */
		add_check(&checks, "loop", "", NULL);
		if (controller->elector)
			add_check(&checks, "leader-election", "",
			          kube_elector_overdue(controller->elector) ? "the lease has run out" : NULL);
		return report(&checks, "healthz", query, reply);
	}
	if (strcmp(path, "/readyz") == 0) {
		ready_checks(controller, &checks);
		return report(&checks, "readyz", query, reply);
	}
	if (strcmp(path, "/metrics") == 0) {
		reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
		return meters_write(controller, &reply->body);
	}
	reply->status = 404;
	return kube_buf_adds(&reply->body, "there are /healthz, /readyz and /metrics here\n");
}
