/*
 * The grants and the failures of a status. A target whose decision has no room yet stays as the object has it: nothing
 * is granted without its Start, and nothing fails without its Fail.
 */
#include "controller/status/internal.h"

#include <string.h>

const struct active *active_find(const struct rollout *rollout, const char *node_uid)
{
	for (size_t i = 0; i < rollout->status.active.count; i++)
		if (strcmp(rollout->status.active.items[i].node_uid, node_uid) == 0)
			return &rollout->status.active.items[i];
	return NULL;
}

void targets_hold_excess(const struct rollout *rollout, const struct rollout_status *wanted, struct decision_set *set)
{
	size_t granted = rollout->status.active.count;

	for (size_t i = 0; i < wanted->active.count; i++) {
		const struct active *active = &wanted->active.items[i];
		if (!active_find(rollout, active->node_uid) && ++granted > MAX_ACTIVE)
			set->held[set->held_count++] = active->node;
	}
}

static bool wants(const struct rollout_status *wanted, const char *node_uid)
{
	for (size_t i = 0; i < wanted->active.count; i++)
		if (strcmp(wanted->active.items[i].node_uid, node_uid) == 0)
			return true;
	return false;
}

static bool has_failed(const struct rollout *rollout, const char *node_uid)
{
	for (size_t i = 0; i < rollout->status.failed.count; i++)
		if (strcmp(rollout->status.failed.items[i].node_uid, node_uid) == 0)
			return true;
	return false;
}

static void add_active(struct target_lists *lists, const struct active *active)
{
	if (active && lists->active_count < MAX_ACTIVE)
		lists->active[lists->active_count++] = active;
}

static void choose_active(const struct rollout *rollout, const struct rollout_status *wanted,
                          const struct decision_set *set, struct target_lists *lists)
{
	for (size_t i = 0; i < wanted->active.count; i++) {
		const struct active *active = &wanted->active.items[i];
		bool held = decisions_hold(set, active->node);
		add_active(lists, held ? active_find(rollout, active->node_uid) : active);
	}
	for (size_t i = 0; i < rollout->status.active.count; i++) {
		const struct active *active = &rollout->status.active.items[i];
		if (decisions_hold(set, active->node) && !wants(wanted, active->node_uid))
			add_active(lists, active);
	}
}

static void choose_failed(const struct rollout *rollout, const struct rollout_status *wanted,
                          const struct decision_set *set, struct target_lists *lists)
{
	for (size_t i = 0; i < wanted->failed.count && lists->failed_count < MAX_FAILED; i++) {
		const struct failure *failure = &wanted->failed.items[i];
		if (!decisions_hold(set, failure->node) || has_failed(rollout, failure->node_uid))
			lists->failed[lists->failed_count++] = failure;
	}
}

int targets_choose(const struct rollout *rollout, const struct rollout_status *wanted, const struct decision_set *set,
                   struct kube_arena *arena, struct target_lists *ret_lists, struct kube_err *err)
{
	struct target_lists lists = {
	    .active = kube_arena_calloc(arena, MAX_ACTIVE, sizeof(*lists.active)),
	    .failed = kube_arena_calloc(arena, MAX_FAILED, sizeof(*lists.failed)),
	};
	if (!lists.active || !lists.failed)
		return status_out_of_memory(err);
	choose_active(rollout, wanted, set, &lists);
	choose_failed(rollout, wanted, set, &lists);
	*ret_lists = lists;
	return 0;
}
