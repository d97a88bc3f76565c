/* What a plan is made from, put together from the caches and facts; borrowed from them and from the arena. */
#ifndef CMD_SNAPSHOT_H
#define CMD_SNAPSHOT_H

#include "controller/cmd/controller.h"

struct world {
	const struct node *const *nodes;
	size_t node_count;
	const struct rollout *const *rollouts;
	size_t rollout_count;
};
void snapshot_world(const struct controller *controller, struct kube_arena *arena, struct world *ret_world);

void snapshot_rollout(struct controller *controller, const struct rollout *rollout, const char *key, int64_t epoch,
                      struct kube_arena *arena, struct rollout_snapshot *ret_snapshot);
void snapshot_orphan_jobs(const struct controller *controller, struct kube_arena *arena,
                          struct orphan_jobs_snapshot *ret_snapshot);
void snapshot_policy(struct controller *controller, const struct policy *policy, const char *key,
                     struct kube_arena *arena, struct policy_snapshot *ret_snapshot);

/* loads.c: sets loads and unscheduled where the plan asks for them. */
void snapshot_loads(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s);

/* channels.c: what the channels of a policy say, by index of its patches. */
const struct channel_fact *snapshot_channels(const struct controller *controller, const struct policy *policy,
                                             struct kube_arena *arena);

/* snapshot_node.c: a pod without its volumes; and all that is on a target's node. */
bool snapshot_is_job(const struct controller *controller, const struct pod *pod);
struct pod_view snapshot_pod(const struct controller *controller, const struct pod *pod);
void snapshot_node(const struct controller *controller, struct kube_arena *arena, struct target_view *target);

/* snapshot_others.c */
void snapshot_others(const struct controller *controller, const struct world *world, struct kube_arena *arena,
                     struct rollout_snapshot *s);

/* snapshot_approval.c */
void snapshot_approvals(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s);

/*
 * plan_pages.c: the plan that the status names, from the pages that there are; pure. *ret_plan NULL without an error:
 * nothing has been planned. *ret_error: the sentence that says why the pages cannot be used; NULL: they can.
 */
void plan_assemble(const struct rollout_status *status, const struct revision *const *pages, size_t page_count,
                   struct kube_arena *arena, const struct plan **ret_plan, const char **ret_error);

#endif
