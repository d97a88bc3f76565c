/* From a new rollout to its frozen plan: what has to be there first, who goes before, and the pages. */
#include "controller/model/channel.h"
#include "controller/model/names.h"
#include "controller/plan/freeze.h"
#include <string.h>

/* What an earlier rollout waits for may be gone without a change to it: its policy suspended, its nodes relabelled. */
#define OVERLAP_LOOK_MS (30 * 1000)

/* Of two rollouts the planned one goes first, then the older, then by name. */
static bool goes_before(const struct rollout *a, const struct rollout *b)
{
	bool a_planned = a->status.plan_hash != NULL, b_planned = b->status.plan_hash != NULL;
	if (a_planned != b_planned)
		return a_planned;
	if (a->object.created_ms != b->object.created_ms)
		return a->object.created_ms < b->object.created_ms;
	return strcmp(a->object.name, b->object.name) < 0;
}

static const struct policy *policy_of(const struct rollout_snapshot *s, const struct rollout *rollout)
{
	for (size_t i = 0; i < s->policy_count; i++)
		if (!strcmp(s->policies[i]->object.name, rollout->policy_name))
			return s->policies[i];
	return NULL;
}

static bool can_be_planned(const struct rollout_snapshot *s, const struct policy *policy, struct kube_arena *arena)
{
	struct window_set windows;
	return !policy->suspend && !rules_unresolved(&policy->rules) &&
	       policy_check(policy, &s->zones, s->now_ms, arena, &windows, NULL) == 0 &&
	       !uncovered_wave(s->nodes, s->node_count, &policy->rules, arena);
}

/* Its targets are frozen: a node that its policy does not select any more is one of them all the same. */
static bool has_planned_ours(const struct rollout_snapshot *s, size_t other)
{
	const struct node_list *planned = &s->planned_nodes[other];

	for (size_t i = 0; i < planned->count; i++)
		if (node_selected(planned->nodes[i], &s->policy->rules))
			return true;
	return false;
}

/*
 * Rollouts that share nodes go one after the other, as a whole: each would hold its record on nodes that the other
 * still waits for. One that was not planned and cannot be for now is in nobody's way.
 */
static bool shares_nodes(const struct rollout_snapshot *s, size_t index, struct kube_arena *arena)
{
	const struct rollout *other = s->rollouts[index];
	const struct policy *policy = policy_of(s, other);

	if (has_planned_ours(s, index))
		return true;
	if (!policy || (!other->status.plan_hash &&
	                (!can_be_planned(s, policy, arena) || emergency_refusal(s, other, &policy->rules, arena).text)))
		return false;
	for (size_t i = 0; i < s->node_count; i++)
		if (node_selected(s->nodes[i], &policy->rules) && node_selected(s->nodes[i], &s->policy->rules))
			return true;
	return false;
}

static const struct rollout *earlier_rollout(const struct rollout_snapshot *s, struct kube_arena *arena)
{
	for (size_t i = 0; i < s->other_count; i++) {
		const struct rollout *other = s->rollouts[i];
		if (rollout_done(other) || !goes_before(other, s->rollout))
			continue;
		if (!strcmp(other->policy_name, s->rollout->policy_name) || shares_nodes(s, i, arena))
			return other;
	}
	return NULL;
}

static bool page_exists(const struct rollout_snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->page_count; i++)
		if (!strcmp(s->page_names[i], name))
			return true;
	return false;
}

/* Creates the pages that are missing; true when all are there. */
static bool write_pages(const struct rollout_snapshot *s, const struct frozen_plan *plan, struct kube_arena *arena,
                        struct rollout_result *out)
{
	size_t pages = freeze_pages(plan);
	const char **names = plan_alloc(arena, pages * sizeof(*names));
	bool complete = true;

	for (size_t page = 1; page <= pages; page++) {
		names[page - 1] = freeze_page_name(s->rollout, plan, page, arena);
		if (page_exists(s, names[page - 1]))
			continue;
		complete = false;
		struct action *action = plan_add_action(&out->actions, ACTION_CREATE_REVISION, arena);
		action->create_revision.name = names[page - 1];
		action->create_revision.rollout = s->rollout;
		action->create_revision.ledger = false;
		action->create_revision.number = (int64_t)page;
		action->create_revision.data = freeze_page_data(plan, s, page, arena);
	}
	out->wanted.revisions = (struct kube_strlist){.items = names, .count = pages};
	return complete;
}

static void want_versions(const struct rules *rules, struct kube_arena *arena, struct rollout_status *want)
{
	want->versions.items = plan_alloc(arena, rules->patches.count * sizeof(*want->versions.items));
	want->versions.count = rules->patches.count;
	for (size_t i = 0; i < rules->patches.count; i++)
		want->versions.items[i] = (struct version_of){.component = rules->patches.items[i].component,
		                                              .version = rules->patches.items[i].version};
}

static void freeze(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct frozen_plan plan;

	freeze_targets(s, &s->policy->rules, s->policy->hash, arena, &plan);
	if (plan.selected == 0) {
		char selector[200];
		want_stall(out, "NoTargets",
		           plan_printf(arena,
		                       "no node matches the selector %s of PatchPolicy %s: label nodes, or change the selector",
		                       kube_selector_format(&s->policy->rules.selector, selector, sizeof(selector)),
		                       s->policy->object.name));
		return;
	}
	if (plan.count == 0 && plan.refused) {
		want_stall(out, "VersionNotAllowed",
		           upgrade_refusal(plan.refused, &s->policy->rules, s->server_version, arena));
		return;
	}
	struct kube_strlist before = out->wanted.revisions;
	if (!write_pages(s, &plan, arena, out)) {
		out->wanted.revisions = before;
		return;
	}
	out->wanted.plan_hash = plan.hash;
	out->wanted.policy_hash = s->policy->hash;
	out->wanted.for_uid = s->rollout->object.uid;
	out->wanted.policy_generation = s->policy->object.generation;
	out->wanted.started_ms = s->now_ms;
	size_t to_patch = plan.count - plan.excepted;
	out->wanted.counts =
	    (struct counts){.total = (int64_t)plan.count, .pending = (int64_t)to_patch, .excepted = (int64_t)plan.excepted};
	out->wanted.progress = plan_printf(arena, "0/%zu", plan.count);
	want_versions(&s->policy->rules, arena, &out->wanted);
	want_waiting(out, "Planned",
	             plan_printf(arena, "planned: %zu of %zu nodes are to be patched", to_patch, plan.selected));
}

/* The policy with the versions that the rollout brings; NULL: they are of no use. */
static const struct policy *pinned_policy(const struct rollout_snapshot *s, struct kube_arena *arena,
                                          struct kube_err *err)
{
	struct policy *policy = plan_alloc(arena, sizeof(*policy));
	size_t size = s->policy->rules.patches.count * sizeof(struct patch);

	*policy = *s->policy;
	policy->rules.patches.items = memcpy(plan_alloc(arena, size), s->policy->rules.patches.items, size);
	return rules_pin(&policy->rules, &s->rollout->pins, err) == 0 ? policy : NULL;
}

/* s->policy: as this rollout is to carry it out. */
static void plan_policy_now(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct window_set windows;
	struct kube_err err = {0};

	if (policy_check(s->policy, &s->zones, s->now_ms, arena, &windows, &err) != 0) {
		want_stall(out, "PolicyNotAccepted",
		           plan_printf(arena, "PatchPolicy %s is not acceptable: %s", s->policy->object.name, err.message));
		return;
	}
	const char *uncovered = uncovered_wave(s->nodes, s->node_count, &s->policy->rules, arena);
	if (uncovered) {
		want_stall(out, "WaveCoversNothing", uncovered);
		return;
	}
	struct refusal refusal = emergency_refusal(s, s->rollout, &s->policy->rules, arena);
	if (refusal.text) {
		want_stall(out, refusal.reason, refusal.text);
		return;
	}
	if (s->policy->suspend) {
		want_waiting(out, "Suspended", plan_printf(arena, "PatchPolicy %s is suspended", s->policy->object.name));
		return;
	}
	if (rules_unresolved(&s->policy->rules)) {
		want_waiting(out, "VersionNotResolved",
		             plan_printf(arena,
		                         "a channel of PatchPolicy %s has not said a version that may be used: see its "
		                         "condition Resolved",
		                         s->policy->object.name));
		return;
	}
	if (server_unknown(&s->policy->rules, s->server_version)) {
		want_waiting(out, "ServerVersionUnknown", SERVER_UNKNOWN);
		return;
	}
	const struct rollout *earlier = earlier_rollout(s, arena);
	if (earlier) {
		want_waiting(out, "WaitingForRollout",
		             plan_printf(arena,
		                         "waiting for PatchRollout %s of PatchPolicy %s, which is for some of the same nodes%s",
		                         earlier->object.name, earlier->policy_name,
		                         s->rollout->emergency.enabled ? ": abort that one (spec.intent) to go on now" : ""));
		look_again_at(out, s->now_ms + OVERLAP_LOOK_MS);
		return;
	}
	if (s->others_planning) { /* it may be planned already, for the same nodes */
		look_again_at(out, s->now_ms + OTHERS_BUSY_MS);
		return;
	}
	if (!s->rollout->finalizer)
		finalize_rollout(s, arena, out, true);
	else
		freeze(s, arena, out);
	if (!out->wanted.plan_hash && s->effect_error)
		want_stall(out, s->effect_error->reason,
		           plan_printf(arena, "%s: %s", s->effect_error->what, s->effect_error->message));
}

void plan_first(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct rollout_snapshot view = *s;
	struct kube_err err = {0};

	if (intent_before_plan(s, arena, out))
		return;
	if (!s->policy || s->policy_replaced) {
		want_stall(out, "PolicyNotFound",
		           plan_printf(arena, "there is no PatchPolicy %s: create it, or delete this PatchRollout",
		                       s->rollout->policy_name));
		return;
	}
	if (s->rollout->pins.count > 0)
		view.policy = pinned_policy(s, arena, &err);
	if (!view.policy)
		want_stall(out, "VersionNotAllowed", plan_printf(arena, "%s", err.message));
	else
		plan_policy_now(&view, arena, out);
}
