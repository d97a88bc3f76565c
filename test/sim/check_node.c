/* Invariants that a change of a node shows: grant before deed, cordons, one rollout at a time, order of steps, waves.
 */
#include "test/sim/check.h"

#include <string.h>

#define BIT(step) (1u << (step))

/* Which step may follow which; after a hold each begins anew. */
static const unsigned follows[STEP_COUNT] = {
    [STEP_NONE] = BIT(STEP_PREPARING) | BIT(STEP_DRAINING) | BIT(STEP_PATCHING),
    [STEP_PREPARING] =
        BIT(STEP_PREPARING) | BIT(STEP_DRAINING) | BIT(STEP_PATCHING) | BIT(STEP_FAILED) | BIT(STEP_SKIPPED),
    [STEP_DRAINING] =
        BIT(STEP_DRAINING) | BIT(STEP_PATCHING) | BIT(STEP_FAILED) | BIT(STEP_SKIPPED) | BIT(STEP_QUARANTINED),
    [STEP_PATCHING] = BIT(STEP_PATCHING) | BIT(STEP_REBOOTING) | BIT(STEP_VERIFYING) | BIT(STEP_SETTLING) |
                      BIT(STEP_PATCHED) | BIT(STEP_FAILED) | BIT(STEP_ROLLING_BACK) | BIT(STEP_QUARANTINED) |
                      BIT(STEP_SKIPPED),
    [STEP_REBOOTING] = BIT(STEP_REBOOTING) | BIT(STEP_PATCHING) | BIT(STEP_VERIFYING) | BIT(STEP_SETTLING) |
                       BIT(STEP_PATCHED) | BIT(STEP_FAILED) | BIT(STEP_ROLLING_BACK) | BIT(STEP_QUARANTINED) |
                       BIT(STEP_SKIPPED),
    [STEP_VERIFYING] = BIT(STEP_VERIFYING) | BIT(STEP_SETTLING) | BIT(STEP_PATCHED) | BIT(STEP_FAILED) |
                       BIT(STEP_ROLLING_BACK) | BIT(STEP_QUARANTINED) | BIT(STEP_SKIPPED),
    [STEP_SETTLING] = BIT(STEP_SETTLING) | BIT(STEP_PATCHED) | BIT(STEP_SKIPPED) | BIT(STEP_FAILED) |
                      BIT(STEP_ROLLING_BACK) | BIT(STEP_QUARANTINED),
    [STEP_ROLLING_BACK] = BIT(STEP_ROLLING_BACK) | BIT(STEP_ROLLED_BACK) | BIT(STEP_QUARANTINED),
};

/* Where a node goes on that was at work already and whose state was lost: none of these is a claim's. */
#define AFTER_LOSS \
	(BIT(STEP_SETTLING) | BIT(STEP_SKIPPED) | BIT(STEP_FAILED) | BIT(STEP_ROLLED_BACK) | BIT(STEP_QUARANTINED))

static bool same_rollout(const struct node_state *a, const struct node_state *b)
{
	return a && b && strcmp(a->rollout_uid, b->rollout_uid) == 0;
}

static void check_steal(struct checks *checks, const struct node *old, const struct node *now)
{
	if (!old->state || same_rollout(old->state, now->state))
		return;
	/* Also one that has ended: it is the only record until the report is written. */
	const struct seen_rollout *owner = seen_rollout(checks, old->state->rollout_uid);
	if (now->state && owner->now && owner->now->finalizer && step_ended((enum step)old->state->step))
		world_fail(checks->world, "node %s: its record of rollout %s was replaced before its report is written",
		           now->object.name, old->state->rollout);
	if (owner->now && rollout_at_work(owner->now) && !step_ended((enum step)old->state->step))
		world_fail(checks->world, "node %s: its state at step %s of rollout %s was taken away while that is at work",
		           now->object.name, step_names[old->state->step], owner->now->object.name);
}

static void check_waves(struct checks *checks, const struct rollout *rollout, const struct node *now)
{
	for (size_t i = 0; i < rollout->status.waves.count; i++) {
		const struct wave_status *wave = &rollout->status.waves.items[i];
		if (strcmp(wave->name, now->state->wave) == 0)
			return;
		if (wave->state != WAVE_PASSED)
			world_fail(checks->world, "node %s of wave %s is claimed, but wave %s is %s", now->object.name,
			           now->state->wave, wave->name, wave_state_names[wave->state]);
	}
}

/* Of two controllers that run by mistake one may be blind to what the other has written: its own cache counts. */
static const struct active *shown_grant(const struct checks *checks, const struct node *node, unsigned sender)
{
	const struct replica *replica = replicas_find(checks->world->replicas, sender);
	const struct kube_store *store = replica ? replica->controller->caches[CACHE_ROLLOUTS].store : NULL;
	const struct kube_object *rollout = store ? kube_store_get(store, node->state->rollout) : NULL;

	if (!checks->world->replicas->rivals || !rollout)
		return NULL;
	return grant_of((const struct rollout *)rollout, node->object.uid);
}

static bool has_begun_work(const struct active *grant)
{
	return grant && grant->step != STEP_CLAIMED;
}

static void check_grant(struct checks *checks, const struct node *old, const struct node *now, unsigned sender)
{
	const struct seen_rollout *owner = seen_rollout(checks, now->state->rollout_uid);
	bool claim = !same_rollout(old->state, now->state);

	if (!owner->now) { /* somebody took it away past its finalizer, and a watch may be blind to that */
		if (world_now_ms(checks->world) - owner->gone_ms > checks->world->knowledge_ms)
			world_fail(checks->world, "node %s is written for a rollout that is gone", now->object.name);
		return;
	}
	const struct active *grant = grant_of(owner->now, now->object.uid), *shown = shown_grant(checks, now, sender);
	if (!grant && !shown)
		world_fail(checks->world, "node %s goes to step %s without a grant in the status of rollout %s",
		           now->object.name, step_names[now->state->step], owner->now->object.name);
	int from = claim ? STEP_NONE : old->state->step;
	bool lost = !old->state_text && (has_begun_work(grant) || has_begun_work(shown));
	if (!((follows[from] | (lost ? AFTER_LOSS : 0)) & BIT(now->state->step)))
		world_fail(checks->world, "node %s goes from step \"%s\" to %s", now->object.name, step_names[from],
		           step_names[now->state->step]);
	if (claim)
		check_waves(checks, owner->now, now);
	for (size_t i = 0; claim && i < HELD_COUNT; i++) {
		const char *value = kube_strmap_get(&now->annotations, held_annotations[i]);
		if (!step_ended((enum step)now->state->step) && (!value || strcmp(value, HELD_VALUE) != 0))
			world_fail(checks->world, "node %s is taken into work, and autoscalers are not held off", now->object.name);
	}
}

static void check_cordon(struct checks *checks, struct seen_node *seen, const struct node *old, const struct node *now)
{
	bool claim = now->state && !same_rollout(old->state, now->state);

	/* Under a quarantine of ours the cordon stays what it was: that somebody lifted it and cordoned again leaves no
	 * trace, as it leaves none while we work. */
	bool under_quarantine = old->state && old->quarantined;
	/* Nor does it where a rollout worked that is gone. */
	bool left_in_work = old->state && !step_ended((enum step)old->state->step);
	if (claim && !under_quarantine && !left_in_work)
		seen->foreign = old->unschedulable && !seen->ours;
	if (!old->unschedulable && now->unschedulable)
		seen->ours = true;
	if (old->unschedulable && !now->unschedulable) {
		if (seen->foreign)
			world_fail(checks->world, "node %s is uncordoned, but it was cordoned before it was claimed",
			           now->object.name);
		seen->ours = false;
	}
	if (!now->state)
		seen->foreign = false;
}

static void note(struct checks *checks, struct seen_node *seen, const struct node *now)
{
	int64_t now_ms = world_now_ms(checks->world);
	bool unavailable = !now->ready || (now->unschedulable && !seen->ours);

	if (!unavailable)
		seen->unavailable_since_ms = INT64_MAX;
	else if (seen->unavailable_since_ms == INT64_MAX)
		seen->unavailable_since_ms = now_ms;
	if (!now->state || now->state->step != STEP_PATCHED)
		return;
	if (strcmp(seen->patched_rollout, now->state->rollout_uid) != 0)
		seen->patched_ms = now_ms;
	snprintf(seen->patched_rollout, sizeof(seen->patched_rollout), "%s", now->state->rollout_uid);
}

void check_node(struct checks *checks, struct seen_node *seen, const struct node *old, const struct node *now,
                unsigned sender)
{
	if (old && old->state && (old->state->step == STEP_DRAINING || old->state->step == STEP_ROLLING_BACK))
		seen->drained_ms = world_now_ms(checks->world);
	if (!now)
		return;
	seen->forgotten |= old && old->state && !now->state && !sender;
	if (old && sender) {
		check_steal(checks, old, now);
		bool step_changed = now->state && (!old->state_text || strcmp(old->state_text, now->state_text) != 0);
		if (step_changed)
			check_note(checks, old, now);
		if (step_changed)
			check_grant(checks, old, now, sender);
		if (step_changed && (now->state->step == STEP_SETTLING || now->state->step == STEP_PATCHED)) {
			check_verified(checks, now);
			check_shown(checks, now, sender);
		}
		if (step_changed)
			check_unshown(checks, seen, old, sender);
		if (step_changed && old->state && old->state->step == STEP_DRAINING && now->state->step == STEP_PATCHING &&
		    is_known_open(checks, seen, sender))
			world_fail(checks->world, "node %s is patched, but somebody has uncordoned it before that", seen->name);
		if (step_changed || old->unschedulable != now->unschedulable)
			hold_check(checks, seen, "is written");
		check_cordon(checks, seen, old, now);
	} else if (old && old->unschedulable != now->unschedulable) {
		seen->ours = false; /* somebody else's hand */
		/* Who lifts a cordon that was there before us has taken it back: the next one, which a rollback needs, is ours
		 * to lift. */
		seen->foreign = seen->foreign && now->unschedulable;
	}
	if (seen->ours && now->unschedulable && !now->state)
		world_fail(checks->world, "node %s is left with our cordon and without a state", now->object.name);
	if (now->state && step_bad((enum step)now->state->step) && (!now->state->reason || !*now->state->reason))
		world_fail(checks->world, "node %s is %s without a reason", now->object.name, step_names[now->state->step]);
	note(checks, seen, now);
}
