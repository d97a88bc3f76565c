/* What is kept of the cluster: one store, reflector and set of pending writes a type. */
#ifndef CMD_CACHES_H
#define CMD_CACHES_H

#include <kube/pending.h>
#include <kube/reflector.h>
#include <kube/store.h>

struct controller;

enum cache_id {
	CACHE_POLICIES,
	CACHE_ROLLOUTS,
	CACHE_REPORTS,
	CACHE_NODES,
	CACHE_PODS,
	CACHE_PDBS,
	CACHE_DAEMON_SETS,
	CACHE_VOLUMES,
	CACHE_ATTACHMENTS,
	CACHE_REVISIONS,
	CACHE_CONFIG_MAPS,
	CACHE_APPROVALS,
	CACHE_ADMISSION_POLICIES,
	CACHE_ADMISSION_BINDINGS,
	CACHE_COUNT
};

struct cache {
	struct controller *controller;
	const struct kube_projection *projection;
	struct kube_store *store;
	struct kube_pending *pending;     /* NULL: we never write this type */
	struct kube_reflector *reflector; /* NULL: stopped */
	char problem[512];                /* why it cannot be listed or watched; "" when it can */
};

int caches_init(struct controller *controller, struct kube_err *err);
void caches_start(struct controller *controller);
void caches_stop(struct controller *controller);   /* they stay as they are */
void caches_finish(struct controller *controller); /* zeroed ones are fine */

/* The sentence for a list or watch that failed: what is wrong, and what to do. Pure. Returns out. */
const char *caches_explain(const struct kube_resource *resource, const struct kube_err *err, char *out, size_t size);

#endif
