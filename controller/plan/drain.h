/* What the files about draining share. Not for others: see internal.h. */
#ifndef PLAN_DRAIN_H
#define PLAN_DRAIN_H

#include "controller/plan/internal.h"

/* So many pods are named in the evidence of a Force; the others are counted. */
#define MAX_NAMED_PODS 8

/* ---- drain_pod.c: one pod ---- */

enum pod_verdict {
	POD_STAYS,   /* it belongs to the node, or is not waited for */
	POD_LEAVING, /* it is being deleted */
	POD_GOES,
	POD_BLOCKS /* something would be lost that the policy does not give up */
};
/* *ret_why: of BLOCKS. */
enum pod_verdict drain_verdict(struct pass *pass, const struct target_pass *target, const struct pod_view *view,
                               const char **ret_why);
/* Groups leave one after the other, from 0 (pods that no group of drain.order has). */
size_t drain_group_of(const struct pass *pass, const struct pod *pod);

/* Who is in the way: the first one that is found is told. pod NULL: it is not about one. */
void drain_block(struct drain_view *view, const char *kind, const char *namespace_, const char *name,
                 const struct pod *pod, const char *message);

/* ---- volume.c ---- */

/* Why the pod is kept for the sake of its volumes; NULL: it is not. */
const char *volume_keeps(const struct pass *pass, const struct node *node, const struct pod_view *view);
/* How many volumes are attached to the node, without those of pods that stay. */
size_t volumes_attached(struct pass *pass, const struct target_pass *target, struct drain_view *drain);

/* ---- disruption.c ---- */

/* An eviction of the pod may be sent, *ret_delay_ms from now; it then has used its place. */
bool disruption_allowed(struct pass *pass, const struct pod *pod, struct drain_view *view, int64_t *ret_delay_ms);

#endif
