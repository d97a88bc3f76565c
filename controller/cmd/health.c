#include "controller/cmd/health.h"
#include <kube/health.h>
#include <string.h>

#define MAX_CHECKS (CACHE_COUNT + 4)
#define MAX_NAME 80

struct checks {
	struct kube_health_check items[MAX_CHECKS];
	char names[MAX_CHECKS][MAX_NAME];
	size_t count;
};

static void add_check(struct checks *checks, const char *prefix, const char *name, const char *problem)
{
	char *whole = checks->names[checks->count];
	snprintf(whole, MAX_NAME, "%s%s", prefix, name);
	checks->items[checks->count++] = (struct kube_health_check){.name = whole, .problem = problem};
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

static void live_checks(const struct controller *controller, struct checks *checks)
{
	/* That this answer is given is the check: everything runs on one loop. */
	add_check(checks, "loop", "", NULL);
	if (controller->elector)
		add_check(checks, "leader-election", "",
		          kube_elector_overdue(controller->elector) ? "the lease has run out" : NULL);
}

int health_handle(void *arg, const char *path, const char *query, struct kube_httpd_reply *reply)
{
	static const struct {
		const char *path;
		void (*list)(const struct controller *controller, struct checks *checks);
	} endpoints[] = {{"/healthz", live_checks}, {"/readyz", ready_checks}};
	struct controller *controller = arg;
	struct checks checks = {.count = 0};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(endpoints); i++) {
		if (!kube_health_serves(endpoints[i].path, path))
			continue;
		endpoints[i].list(controller, &checks);
		return kube_health_reply(endpoints[i].path, path, query, checks.items, checks.count, reply);
	}
	if (strcmp(path, "/metrics") == 0) {
		reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
		return meters_write(controller, &reply->body);
	}
	reply->status = 404;
	return kube_buf_adds(&reply->body, "there are /healthz, /readyz and /metrics here\n");
}
