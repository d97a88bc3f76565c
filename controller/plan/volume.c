/* Volumes of pods that leave: whether they can be used elsewhere, and whether they still hang on the node. */
#include "controller/plan/drain.h"
#include <string.h>

/* A pod that runs has its claims bound; where the cache does not show to what, it is waited for. */
const char *volume_keeps(const struct pass *pass, const struct node *node, const struct pod_view *view)
{
	const struct pod *pod = view->pod;

	if (pass->rules->drain.local_volumes == LOCAL_VOLUMES_DELETE)
		return NULL;
	for (size_t i = 0; pod->claims && pod->claims[i]; i++) {
		const struct volume *volume = view->volumes[i];
		if (!volume && pod->phase == POD_RUNNING)
			return plan_printf(pass->arena, "no PersistentVolume is known that its claim %s is bound to",
			                   pod->claims[i]);
		if (volume && volume_bound_to(volume, node))
			return plan_printf(pass->arena,
			                   "its PersistentVolume %s is on this node only, so that it could not start elsewhere: "
			                   "set drain.localVolumes to Delete, or delete the pod",
			                   volume->object.name);
	}
	return NULL;
}

static bool claims(const struct pod *pod, const char *claim)
{
	size_t len = strlen(pod->object.namespace_);

	if (strncmp(claim, pod->object.namespace_, len) != 0 || claim[len] != '/')
		return false;
	for (size_t i = 0; pod->claims && pod->claims[i]; i++)
		if (!strcmp(pod->claims[i], claim + len + 1))
			return true;
	return false;
}

static bool used_by_what_stays(struct pass *pass, const struct target_pass *target, const struct volume *volume)
{
	const struct target_view *view = target->view;
	const char *why;

	for (size_t i = 0; volume && i < view->pod_count; i++)
		if (claims(view->pods[i].pod, volume->claim) && !pod_finished(view->pods[i].pod) &&
		    drain_verdict(pass, target, &view->pods[i], &why) == POD_STAYS)
			return true;
	return false;
}

size_t volumes_attached(struct pass *pass, const struct target_pass *target, struct drain_view *drain)
{
	size_t attached = 0;

	for (size_t i = 0; i < target->view->attachment_count; i++) {
		const struct attachment_view *view = &target->view->attachments[i];
		if (used_by_what_stays(pass, target, view->volume))
			continue;
		attached++;
		drain_block(drain, "VolumeAttachment", "", view->attachment->object.name, NULL,
		            plan_printf(pass->arena, "volume %s%s%s%s is still attached to the node", view->attachment->volume,
		                        view->volume ? " (PersistentVolumeClaim " : "", view->volume ? view->volume->claim : "",
		                        view->volume ? ")" : ""));
	}
	return attached;
}
