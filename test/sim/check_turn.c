/* Jobs in their turn: none changes a node before its preparation, and none counts before its verification. */
#include "test/sim/check.h"

#include <string.h>

static bool has_job(const struct checks *checks, const struct seen_job *like, enum step step, bool succeeded)
{
	for (size_t i = 0; i < checks->job_count; i++) {
		const struct seen_job *job = &checks->jobs[i];
		if (job->step == step && (job->succeeded || !succeeded) && strcmp(job->component, like->component) == 0 &&
		    strcmp(job->node_uid, like->node_uid) == 0 && strcmp(job->rollout_hash, like->rollout_hash) == 0)
			return true;
	}
	return false;
}

static const struct rules *rules_for(struct checks *checks, const char *rollout_hash)
{
	for (size_t i = 0; i < checks->rollout_count; i++)
		if (checks->rollouts[i]->now && strcmp(checks->rollouts[i]->now->hash, rollout_hash) == 0)
			return rules_of(checks->rollouts[i]);
	return NULL;
}

void check_prepared(struct checks *checks, const struct seen_job *job)
{
	const struct rules *rules = rules_for(checks, job->rollout_hash);

	for (size_t i = 0; rules && job->step == STEP_PATCHING && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		if (patch->prepare && strcmp(component_names[patch->component], job->component) == 0 &&
		    !has_job(checks, job, STEP_PREPARING, true))
			world_fail(checks->world, "job pod %s is created, but %s was not prepared", job->name, job->component);
	}
}

void check_verified(struct checks *checks, const struct node *node)
{
	struct seen_rollout *rollout = seen_rollout(checks, node->state->rollout_uid);
	const struct rules *rules = rules_of(rollout);
	struct seen_job like = {0};

	snprintf(like.node_uid, sizeof(like.node_uid), "%s", node->object.uid);
	snprintf(like.rollout_hash, sizeof(like.rollout_hash), "%s", rules ? rollout->now->hash : "");
	for (size_t i = 0; rules && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		snprintf(like.component, sizeof(like.component), "%s", component_names[patch->component]);
		if (patch->verify && has_job(checks, &like, STEP_PATCHING, false) &&
		    !has_job(checks, &like, STEP_VERIFYING, true))
			world_fail(checks->world, "node %s is at step %s, but %s was not verified", node->object.name,
			           step_names[node->state->step], like.component);
	}
}

/* What no node shows is noted when the node is patched, and at no other time. */
void check_note(struct checks *checks, const struct node *old, const struct node *now)
{
	const struct rules *rules = rules_of(seen_rollout(checks, now->state->rollout_uid));

	for (size_t i = 0; rules && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		const char *before = node_observed(old, &patch->observed), *note = node_observed(now, &patch->observed);
		bool patched = now->state->step == STEP_PATCHED, kept = note && before && strcmp(note, before) == 0;
		if (!patch->applied || kept || (!note && !before && !patched))
			continue;
		if (!note || !patched || strcmp(note, patch->version) != 0)
			world_fail(checks->world, "node %s is %s, and its note of %s becomes %s", now->object.name,
			           step_names[now->state->step], patch->version, note ? note : "nothing");
	}
}
