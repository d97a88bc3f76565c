/* Jobs in their turn: none changes a node before its preparation, and none counts before its verification. */
#include "controller/model/version.h"
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

/* The node's rollout has made such a job of the patch on it. */
static bool has_job_of(struct checks *checks, const struct node *node, const struct patch *patch, enum step step,
                       bool succeeded)
{
	const struct seen_rollout *rollout = seen_rollout(checks, node->state->rollout_uid);
	struct seen_job like = {0};

	snprintf(like.node_uid, sizeof(like.node_uid), "%s", node->object.uid);
	snprintf(like.rollout_hash, sizeof(like.rollout_hash), "%s", rollout->hash);
	snprintf(like.component, sizeof(like.component), "%s", component_names[patch->component]);
	return has_job(checks, &like, step, succeeded);
}

void check_verified(struct checks *checks, const struct node *node)
{
	const struct rules *rules = rules_of(seen_rollout(checks, node->state->rollout_uid));

	for (size_t i = 0; rules && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		if (patch->verify && has_job_of(checks, node, patch, STEP_PATCHING, false) &&
		    !has_job_of(checks, node, patch, STEP_VERIFYING, true))
			world_fail(checks->world, "node %s is at step %s, but %s was not verified", node->object.name,
			           step_names[node->state->step], component_names[patch->component]);
	}
}

static bool shows(const struct world *world, const struct node *node, const struct patch *patch)
{
	const char *shown = !node                                  ? NULL
	                    : patch->component == COMPONENT_CUSTOM ? firmware_of(world, node)
	                                                           : node_observed(node, &patch->observed);
	return shown && version_equal(shown, patch->version);
}

/* What its job should have brought: as it is, or as the process was shown it. */
void check_shown(struct checks *checks, const struct node *node, unsigned sender)
{
	const struct rules *rules = rules_of(seen_rollout(checks, node->state->rollout_uid));
	const struct replica *replica = replicas_find(checks->world->replicas, sender);
	const struct kube_store *nodes = replica ? replica->controller->caches[CACHE_NODES].store : NULL;
	const struct node *known = nodes ? (const struct node *)kube_store_get(nodes, node->object.name) : NULL;

	for (size_t i = 0; rules && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		if (!patch->applied && has_job_of(checks, node, patch, STEP_PATCHING, false) &&
		    !shows(checks->world, node, patch) && !shows(checks->world, known, patch))
			world_fail(checks->world, "node %s is at step %s, but it does not show %s %s", node->object.name,
			           step_names[node->state->step], component_names[patch->component], patch->version);
	}
}

/* That the firmware does not show is said where it does not. */
void check_unshown(struct checks *checks, const struct seen_node *seen, const struct node *old, unsigned sender)
{
	const struct node_state *state = seen->now->state;
	const struct rules *rules = rules_of(seen_rollout(checks, state->rollout_uid));
	bool said =
	    state->message && strstr(state->message, "but Custom is not at ") && !(old->state && old->state->reason);

	for (size_t i = 0; said && rules && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		if (patch->component == COMPONENT_CUSTOM && is_known_firmware(checks, seen, sender, patch->version))
			world_fail(checks->world, "node %s has failed: %s; but it shows it", seen->name, state->message);
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
