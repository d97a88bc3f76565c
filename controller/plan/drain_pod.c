/*
 * One pod of a node that is drained: whether it leaves, and when it is its turn.
 *
 * The filters are kubectl's, in its order (k8s.io/kubectl/pkg/drain): the pod selector, being deleted, DaemonSet,
 * mirror, emptyDir, unmanaged; finished pods are exempt from the last two. Local volumes are our own.
 */
#include "controller/plan/drain.h"
#include <string.h>

/* Of a pod that is being deleted and should have ended by now. kubectl --skip-wait-for-delete-timeout. */
static bool given_up(struct pass *pass, const struct pod *pod)
{
	int64_t patience_ms = pass->rules->drain.skip_wait_ms;
	int64_t until_ms = pod->object.deleted_ms + patience_ms;

	if (patience_ms == 0)
		return false;
	if (pass->s->now_ms > until_ms)
		return true;
	look_again_at(pass->out, until_ms + 1);
	return false;
}

static bool of_the_node(const struct pod_view *view)
{
	const struct pod *pod = view->pod;
	return pod->mirror || (!strcmp(pod->owner_kind, "DaemonSet") && !view->orphan);
}

static const char *why_kept(const struct pass *pass, const struct node *node, const struct pod_view *view)
{
	const struct drain_rules *drain = &pass->rules->drain;
	const struct pod *pod = view->pod;

	if (pod->empty_dir && !drain->delete_empty_dir_data)
		return "has data in an emptyDir volume: set drain.deleteEmptyDirData, or delete the pod";
	if (!*pod->owner_kind && drain->unmanaged_pods == UNMANAGED_BLOCK)
		return "no controller would start it again: set drain.unmanagedPods to Delete, or delete the pod";
	if (view->orphan && drain->unmanaged_pods == UNMANAGED_BLOCK)
		return plan_printf(pass->arena,
		                   "its DaemonSet %s is gone, so that nothing would start it again: set drain.unmanagedPods to "
		                   "Delete, or delete the pod",
		                   pod->owner_name);
	return volume_keeps(pass, node, view);
}

enum pod_verdict drain_verdict(struct pass *pass, const struct target_pass *target, const struct pod_view *view,
                               const char **ret_why)
{
	const struct drain_rules *drain = &pass->rules->drain;
	const struct pod *pod = view->pod;

	if (of_the_node(view) || (drain->pod_selector && !kube_selector_matches(drain->pod_selector, &pod->labels)))
		return POD_STAYS;
	if (pod->object.deleted_ms != KUBE_TIME_NONE)
		return given_up(pass, pod) ? POD_STAYS : POD_LEAVING;
	*ret_why = pod_finished(pod) ? NULL : why_kept(pass, target->view->node, view);
	return *ret_why ? POD_BLOCKS : POD_GOES;
}

/* The group without a selector has what no other one has, wherever it stands. */
size_t drain_group_of(const struct pass *pass, const struct pod *pod)
{
	const struct drain_rules *drain = &pass->rules->drain;
	size_t rest = 0;

	for (size_t i = 0; i < drain->order.count; i++) {
		const struct kube_selector *selector = &drain->order.items[i].selector;
		if (kube_selector_empty(selector))
			rest = i + 1;
		else if (kube_selector_matches(selector, &pod->labels))
			return i + 1;
	}
	return rest;
}

void drain_block(struct drain_view *view, const char *kind, const char *namespace_, const char *name,
                 const struct pod *pod, const char *message)
{
	if (view->blocker.kind)
		return;
	view->blocker = (struct blocker){
	    .kind = kind, .namespace_ = namespace_, .name = name, .pod = pod ? pod->object.key : "", .message = message};
}
