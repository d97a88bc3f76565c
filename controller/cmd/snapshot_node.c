/* What is on a node that is worked on: its pods with their volumes, and what is attached to it. */
#include "controller/cmd/snapshot.h"
#include <stdlib.h>
#include <string.h>

/* A cache of DaemonSets may be a moment behind that of the pods. */
#define ORPHAN_AFTER_MS (2 * 60 * 1000)

static const struct kube_store *store(const struct controller *controller, enum cache_id id)
{
	return controller->caches[id].store;
}

struct pod_view snapshot_pod(const struct controller *controller, const struct pod *pod)
{
	return (struct pod_view){
	    .pod = pod,
	    .busy = kube_pending_busy(controller->caches[CACHE_PODS].pending, pod->object.key),
	    .fact = facts_eviction(controller->facts, pod->object.uid),
	};
}

static bool is_orphan(const struct controller *controller, const struct pod *pod, struct kube_arena *arena)
{
	if (strcmp(pod->owner_kind, "DaemonSet") != 0 ||
	    kube_client_server_ms(controller->client) - pod->object.created_ms < ORPHAN_AFTER_MS)
		return false;
	const char *key = plan_printf(arena, "%s/%s", pod->object.namespace_, pod->owner_name);
	return !kube_store_get(store(controller, CACHE_DAEMON_SETS), key);
}

/* By its claims, in their order. */
static const struct volume *const *volumes_of(const struct controller *controller, const struct pod *pod,
                                              struct kube_arena *arena)
{
	size_t count = 0;

	while (pod->claims && pod->claims[count])
		count++;
	const struct volume **volumes = plan_alloc(arena, count * sizeof(*volumes));
	for (size_t i = 0; i < count; i++) {
		const char *claim = plan_printf(arena, "%s/%s", pod->object.namespace_, pod->claims[i]);
		volumes[i] = (const struct volume *)kube_store_index_next(store(controller, CACHE_VOLUMES),
		                                                          controller->volumes_by_claim, claim, NULL);
	}
	return volumes;
}

static struct pod_view view_of(const struct controller *controller, const struct pod *pod, struct kube_arena *arena)
{
	struct pod_view view = snapshot_pod(controller, pod);

	view.orphan = is_orphan(controller, pod, arena);
	if (pod->claims)
		view.volumes = volumes_of(controller, pod, arena);
	return view;
}

/* Anybody may use our label elsewhere. */
bool snapshot_is_job(const struct controller *controller, const struct pod *pod)
{
	return pod->job_step && strcmp(pod->object.namespace_, controller->options->job_namespace) == 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pod_view *)a)->pod->object.key, ((const struct pod_view *)b)->pod->object.key);
}

static void fill_pods(const struct controller *controller, const char *node, struct kube_arena *arena,
                      struct target_view *target)
{
	const struct kube_store *pods = store(controller, CACHE_PODS);
	int index = controller->pods_by_node;
	const struct kube_object *o;
	size_t count = kube_store_index_count(pods, index, node);
	struct pod_view *views = plan_alloc(arena, count * sizeof(*views));
	const struct pod **jobs = plan_alloc(arena, count * sizeof(*jobs));
	for (o = kube_store_index_next(pods, index, node, NULL); o; o = kube_store_index_next(pods, index, node, o)) {
		if (snapshot_is_job(controller, (const struct pod *)o))
			jobs[target->bound_job_count++] = (const struct pod *)o;
		else
			views[target->pod_count++] = view_of(controller, (const struct pod *)o, arena);
	}
	qsort(views, target->pod_count, sizeof(*views), by_key);
	target->pods = views;
	target->bound_jobs = jobs;
}

static void fill_attachments(const struct controller *controller, const char *node, struct kube_arena *arena,
                             struct target_view *target)
{
	const struct kube_store *attachments = store(controller, CACHE_ATTACHMENTS);
	int index = controller->attachments_by_node;
	const struct kube_object *o;
	struct attachment_view *views =
	    plan_alloc(arena, kube_store_index_count(attachments, index, node) * sizeof(*views));
	for (o = kube_store_index_next(attachments, index, node, NULL); o;
	     o = kube_store_index_next(attachments, index, node, o)) {
		const struct attachment *attachment = (const struct attachment *)o;
		views[target->attachment_count++] = (struct attachment_view){
		    .attachment = attachment,
		    .volume = (const struct volume *)kube_store_get(store(controller, CACHE_VOLUMES), attachment->volume),
		};
	}
	target->attachments = views;
}

void snapshot_node(const struct controller *controller, struct kube_arena *arena, struct target_view *target)
{
	fill_pods(controller, target->node->object.name, arena, target);
	fill_attachments(controller, target->node->object.name, arena, target);
}
