/* The end of a run: nothing goes wrong any more, and there was time enough. Everything must be at rest. */
#include "test/sim/check.h"

#include <kube/time.h>

#include <string.h>

#define STILL_MS (15 * 60 * INT64_C(1000)) /* longer than anything that is drawn takes by itself */

/* As it was before anything was done to the node. A value that could be ours is taken for ours when that is forgotten.
 */
static void check_held_off(struct checks *checks, const struct node *node, bool forgotten)
{
	const char *drawn = kube_strmap_get(&node->annotations, DRAWN_SCALE_DOWN);
	const char *values[HELD_COUNT] = {[HELD_SCALE_DOWN] = drawn};

	for (size_t i = 0; i < HELD_COUNT; i++) {
		const char *now = kube_strmap_get(&node->annotations, held_annotations[i]);
		if (forgotten && !now && values[i] && strcmp(values[i], HELD_VALUE) == 0)
			continue;
		if (strcmp(now ? now : "absent", values[i] ? values[i] : "absent") != 0)
			world_fail(checks->world, "at rest: node %s has the annotation %s %s, and it was %s", node->object.name,
			           held_annotations[i], now ? now : "absent", values[i] ? values[i] : "absent");
	}
}

static void check_nodes(struct checks *checks)
{
	for (size_t i = 0; i < checks->node_count; i++) {
		const struct seen_node *seen = &checks->nodes[i];
		const struct node *node = seen->now;
		if (!node)
			continue;
		/* A quarantine outlives the rollout that took its node up and gave it back. */
		bool over = node->state && step_ended((enum step)node->state->step) && node->state->step != STEP_PATCHED;
		bool gone = node->state && !seen_rollout(checks, node->state->rollout_uid)->now;
		bool quarantined = node->quarantined && (gone || (over && node->state->reason));
		if (node->state && !quarantined)
			world_fail(checks->world, "at rest: node %s still carries the state of rollout %s at step %s", seen->name,
			           node->state->rollout, step_names[node->state->step]);
		if (node->unschedulable && seen->ours && !quarantined)
			world_fail(checks->world, "at rest: node %s is left cordoned by us", seen->name);
		if (!gone) /* a state that stays says what is to be put back */
			check_held_off(checks, node, seen->forgotten);
		if (node->quarantined && !node->state)
			world_fail(checks->world, "at rest: node %s is tainted without a state that says why", seen->name);
	}
}

static void check_pods(struct checks *checks)
{
	const struct kube_sim_api *api = checks->world->api;

	for (size_t i = 0; i < kube_sim_api_count(api, &kube_pods); i++) {
		const cJSON *pod = kube_sim_api_at(api, &kube_pods, i);
		if (is_job_pod(pod))
			world_fail(checks->world, "at rest: job pod %s is still there, %s, with %d finalizers",
			           text_at(pod, "metadata.name"), text_at(pod, "status.phase"),
			           cJSON_GetArraySize(kube_json_get(pod, "metadata.finalizers")));
	}
}

static void check_report(struct checks *checks, const struct seen_rollout *seen)
{
	size_t decisions = 0;

	for (size_t i = 0; i < kube_sim_api_count(checks->world->api, &pw_reports); i++) {
		const cJSON *report = kube_sim_api_at(checks->world->api, &pw_reports, i);
		if (strcmp(text_at(report, "spec.rolloutRef.uid"), seen->uid) == 0)
			decisions += (size_t)cJSON_GetArraySize(kube_json_get(report, "spec.decisions"));
	}
	if (decisions != seen->ledger_count)
		world_fail(checks->world, "at rest: the report of rollout %s has %zu of %zu decisions", seen->now->object.name,
		           decisions, seen->ledger_count);
}

/* That it is stalled, or that it does not progress, with the reason. */
static bool names_wait(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->status.conditions.count; i++) {
		const struct condition *condition = &rollout->status.conditions.items[i];
		if (strcmp(condition->type, "Progressing") == 0 && condition->status == CONDITION_FALSE)
			return condition->message && *condition->message;
	}
	return false;
}

static bool names_blocker(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->status.active.count; i++)
		if (rollout->status.active.items[i].blocked_by.kind &&
		    rollout->status.active.items[i].blocked_by.since_ms != KUBE_TIME_NONE)
			return true;
	return false;
}

void checks_progress(struct checks *checks)
{
	for (size_t i = 0; i < checks->rollout_count; i++) {
		const struct seen_rollout *seen = checks->rollouts[i];
		if (!seen->now || seen->now->status.outcome != OUTCOME_NONE || names_wait(seen->now) ||
		    names_blocker(seen->now))
			continue;
		int64_t still_ms = world_now_ms(checks->world) - seen->changed_ms;
		if (still_ms > STILL_MS)
			world_fail(checks->world, "rollout %s has not moved for %lld s, and does not say why: %s",
			           seen->now->object.name, (long long)(still_ms / 1000),
			           seen->now->status.summary ? seen->now->status.summary : "");
	}
}

/* It never began, and says why: somebody made it who may be waited for. */
static bool is_stuck(const struct rollout *rollout)
{
	return rollout->status.outcome == OUTCOME_NONE && !rollout->status.plan_hash && names_wait(rollout);
}

static void check_rollouts(struct checks *checks)
{
	for (size_t i = 0; i < checks->rollout_count; i++) {
		const struct seen_rollout *seen = checks->rollouts[i];
		if (!seen->now)
			continue;
		checks->world->finished += !checks->world->probing;
		if (is_stuck(seen->now))
			continue;
		if (seen->now->status.outcome == OUTCOME_NONE)
			world_fail(checks->world, "at rest: rollout %s has not ended: %s", seen->now->object.name,
			           seen->now->status.summary ? seen->now->status.summary : "it says nothing");
		else if (seen->now->finalizer || seen->now->object.deleted_ms != KUBE_TIME_NONE)
			world_fail(checks->world, "at rest: rollout %s (%s) is not let go", seen->now->object.name,
			           outcome_names[seen->now->status.outcome]);
		else
			check_report(checks, seen);
	}
}

static bool has_stuck(const struct checks *checks, const char *policy)
{
	for (size_t i = 0; i < checks->rollout_count; i++) {
		const struct rollout *rollout = checks->rollouts[i]->now;
		if (rollout && strcmp(rollout->policy_name, policy) == 0 && is_stuck(rollout))
			return true;
	}
	return false;
}

/* Up to date, or it says what is wrong. */
static void check_policies(struct checks *checks)
{
	const struct kube_sim_api *api = checks->world->api;

	for (size_t i = 0; i < kube_sim_api_count(api, &pw_policies); i++) {
		const cJSON *policy = kube_sim_api_at(api, &pw_policies, i);
		const cJSON *ready = condition_of(policy, "Ready"), *stalled = condition_of(policy, "Stalled");
		bool up_to_date = strcmp(text_at(ready, "status"), "True") == 0;
		bool later = strcmp(text_at(condition_of(policy, "Reconciling"), "reason"), "NotDrained") == 0;
		bool by_hand = strcmp(text_at(ready, "reason"), "TriggerManual") == 0; /* world.c */
		bool waits = has_stuck(checks, text_at(policy, "metadata.name"));
		if (!up_to_date && !stalled && !later && !by_hand && !waits)
			world_fail(checks->world, "at rest: policy %s is neither ready nor stalled: %s",
			           text_at(policy, "metadata.name"), text_at(ready, "message"));
	}
}

void checks_at_rest(struct checks *checks)
{
	check_rollouts(checks);
	check_nodes(checks);
	check_pods(checks);
	check_policies(checks);
}
