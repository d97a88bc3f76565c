/* What a plan is made of: which nodes, in which order and wave. For those who plan. Not for others. */
#ifndef PLAN_FREEZE_H
#define PLAN_FREEZE_H

#include "controller/plan/internal.h"

struct frozen_plan {
	const struct node **nodes; /* targets, wave by wave, each in order; behind them those that are excepted */
	int64_t *waves;            /* by index of nodes */
	const char **exceptions;   /* by index of nodes; NULL: it is to be patched */
	size_t count, excepted;
	size_t selected;            /* of all nodes of the cluster */
	const struct node *refused; /* the first that may not be brought there; NULL: none */
	const char *hash;
};
void freeze_targets(const struct rollout_snapshot *snapshot, const struct rules *rules, const char *policy_hash,
                    struct kube_arena *arena, struct frozen_plan *ret_plan);
/* The nodes at these indexes of s->nodes, in strategy.order. */
const struct node **order_nodes(const struct rollout_snapshot *s, const size_t *chosen, size_t count,
                                const struct order *order, struct kube_arena *arena);
/* Sets count of the plan, and nodes and waves, which have room for them. */
void assign_waves(const struct node *const *nodes, size_t count, const struct rules *rules, struct kube_arena *arena,
                  struct frozen_plan *plan);
/* A wave whose selector matches none of the policy's nodes, in one sentence: it would be skipped, and what was to be
 * tried there with it. NULL: there is none. */
const char *uncovered_wave(const struct node *const *nodes, size_t count, const struct rules *rules,
                           struct kube_arena *arena);
const char *freeze_page_name(const struct rollout *rollout, const struct frozen_plan *plan, size_t page,
                             struct kube_arena *arena);
/* JSON text of page `page` (from 1) of a plan. */
const char *freeze_page_data(const struct frozen_plan *plan, const struct rollout_snapshot *snapshot, size_t page,
                             struct kube_arena *arena);
size_t freeze_pages(const struct frozen_plan *plan);
/* Member "versions": [{component, version}]. */
void add_versions(cJSON *json, const struct version_of *items, size_t count);

#endif
