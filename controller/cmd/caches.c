#include "controller/cmd/controller.h"
#include "controller/model/admission.h"
#include "controller/model/config_map.h"
#include <kube/log.h>
#include <stdio.h>
#include <string.h>

static const struct cache_kind {
	const struct kube_projection *projection;
	size_t max_objects;
	bool own_namespace; /* only --namespace is looked at */
	bool written;
} kinds[CACHE_COUNT] = {
    [CACHE_POLICIES] = {&policy_projection, 2000, false, true},
    [CACHE_ROLLOUTS] = {&rollout_projection, 20000, false, true},
    [CACHE_REPORTS] = {&report_projection, 100000, false, true},
    [CACHE_NODES] = {&node_projection, 20000, false, true},
    [CACHE_PODS] = {&pod_projection, 400000, false, true},
    [CACHE_PDBS] = {&pdb_projection, 50000, false, false},
    [CACHE_DAEMON_SETS] = {&daemon_set_projection, 20000, false, false},
    [CACHE_VOLUMES] = {&volume_projection, 200000, false, false},
    [CACHE_ATTACHMENTS] = {&attachment_projection, 200000, false, false},
    [CACHE_REVISIONS] = {&revision_projection, 50000, true, true},
    [CACHE_CONFIG_MAPS] = {&config_map_projection, 5000, true, false},
    [CACHE_APPROVALS] = {&approval_projection, 20000, false, false},
    [CACHE_ADMISSION_POLICIES] = {&admission_policy_projection, 5000, false, false},
    [CACHE_ADMISSION_BINDINGS] = {&admission_binding_projection, 5000, false, false},
};

static void group_resource(const struct kube_resource *resource, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", resource->plural, *resource->group ? "." : "", resource->group);
}

const char *caches_explain(const struct kube_resource *resource, const struct kube_err *err, char *out, size_t size)
{
	char name[256];
	group_resource(resource, name, sizeof(name));
	if (kube_err_is(err, 404) && strcmp(resource->group, PW_GROUP) == 0)
		snprintf(out, size, "the CRD %s is not installed: kubectl apply -f crds/", name);
	else if (kube_err_is(err, 403))
		snprintf(out, size, "the controller may not list and watch %s: grant it both verbs (deploy/); %s", name,
		         err->message);
	else if (kube_err_is(err, 401))
		snprintf(out, size, "the API server does not accept our credentials: renew them; %s", err->message);
	else if (err->code == KUBE_E_LIMIT)
		snprintf(out, size, "%s; the limits are built into this controller (controller/cmd/caches.c)", err->message);
	else
		snprintf(out, size, "%s", err->message);
	return out;
}

/* Between us and the API server, and so the same for every cache. */
static bool is_server_trouble(const struct kube_err *err)
{
	switch (err->code) {
	case KUBE_E_CONNECT:
	case KUBE_E_TLS:
	case KUBE_E_TIMEOUT:
	case KUBE_E_CLOSED:
	case KUBE_E_IO:
	case KUBE_E_AUTH: return true;
	default: return err->http_status == 401;
	}
}

static void became_healthy(struct cache *cache)
{
	struct controller *controller = cache->controller;
	bool had_problem = cache->problem[0] != '\0';
	cache->problem[0] = '\0';
	if (controller->server_trouble)
		kube_log(KUBE_LOG_INFO, "the API server answers again", NULL);
	else if (had_problem)
		kube_log(KUBE_LOG_INFO, "list and watch work again", "resource", cache->projection->resource->plural, NULL);
	controller->server_trouble = false;
}

static void on_health(void *arg, const struct kube_err *err)
{
	struct cache *cache = arg;
	struct controller *controller = cache->controller;
	if (!err) {
		became_healthy(cache);
		return;
	}
	caches_explain(cache->projection->resource, err, cache->problem, sizeof(cache->problem));
	if (!is_server_trouble(err)) {
		kube_log(KUBE_LOG_ERROR, cache->problem, "resource", cache->projection->resource->plural, NULL);
		return;
	}
	if (!controller->server_trouble)
		kube_log(KUBE_LOG_ERROR, "the API server cannot be used; trying on", "error", cache->problem, NULL);
	controller->server_trouble = true;
}

/* The others are there, and nothing tells when it is mended. */
static void on_left_out(void *arg, const struct kube_err *err)
{
	(void)arg;
	kube_log(KUBE_LOG_WARN, "an object is passed over", "error", err->message, NULL);
}

static void on_synced(void *arg)
{
	struct controller *controller = ((struct cache *)arg)->controller;
	for (size_t i = 0; i < CACHE_COUNT; i++)
		if (!kube_reflector_synced(controller->caches[i].reflector))
			return;
	controller_synced(controller);
}

static void on_idle(void *arg, const char *object_key)
{
	struct cache *cache = arg;
	changes_idle(cache->controller, (enum cache_id)(cache - cache->controller->caches), object_key);
}

static int init_one(struct controller *controller, enum cache_id id, struct kube_err *err)
{
	struct cache *cache = &controller->caches[id];
	const struct cache_kind *kind = &kinds[id];
	cache->controller = controller;
	cache->projection = kind->projection;
	int rc = kube_store_new(kind->max_objects, &cache->store, err);
	if (rc == 0 && kind->written)
		rc = kube_pending_new(controller->env, cache->store, on_idle, cache, &cache->pending, err);
	if (rc < 0)
		return rc;
	const struct kube_reflector_options options = {
	    .client = controller->client,
	    .projection = kind->projection,
	    .store = cache->store,
	    .namespace_ = kind->own_namespace ? controller->options->namespace_ : NULL,
	    .on_synced = on_synced,
	    .on_health = on_health,
	    .on_left_out = on_left_out,
	    .arg = cache,
	};
	return kube_reflector_new(&options, &cache->reflector, err);
}

int caches_init(struct controller *controller, struct kube_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < CACHE_COUNT; i++)
		rc = init_one(controller, (enum cache_id)i, err);
	struct kube_store *pods = controller->caches[CACHE_PODS].store;
	if (rc == 0)
		rc = kube_store_add_index(pods, pod_node_index, &controller->pods_by_node, err);
	if (rc == 0)
		rc = kube_store_add_index(pods, pod_rollout_index, &controller->pods_by_rollout, err);
	if (rc == 0)
		rc = kube_store_add_index(pods, pod_job_node_index, &controller->pods_by_job_node, err);
	if (rc == 0)
		rc = kube_store_add_index(pods, pod_upgrade_index, &controller->pods_by_upgrade, err);
	if (rc == 0)
		rc = kube_store_add_index(controller->caches[CACHE_VOLUMES].store, volume_claim_index,
		                          &controller->volumes_by_claim, err);
	if (rc == 0)
		rc = kube_store_add_index(controller->caches[CACHE_ATTACHMENTS].store, attachment_node_index,
		                          &controller->attachments_by_node, err);
	if (rc == 0)
		rc = kube_store_add_index(controller->caches[CACHE_REVISIONS].store, revision_rollout_index,
		                          &controller->revisions_by_rollout, err);
	if (rc == 0)
		rc = kube_store_add_index(controller->caches[CACHE_APPROVALS].store, approval_rollout_index,
		                          &controller->approvals_by_rollout, err);
	return rc;
}

void caches_start(struct controller *controller)
{
	for (size_t i = 0; i < CACHE_COUNT; i++)
		kube_reflector_start(controller->caches[i].reflector);
}

void caches_stop(struct controller *controller)
{
	for (size_t i = 0; i < CACHE_COUNT; i++)
		kube_reflector_free(take(controller->caches[i].reflector));
}

void caches_finish(struct controller *controller)
{
	caches_stop(controller);
	for (size_t i = 0; i < CACHE_COUNT; i++) {
		struct cache *cache = &controller->caches[i];
		kube_pending_free(cache->pending);
		kube_store_free(cache->store);
	}
}
