/* The rollouts of a policy: the one at work, the last ones, whether another is to begin, which are forgotten. */
#include "controller/plan/freeze.h"
#include "controller/plan/policy.h"
#include <kube/digest.h>
#include <string.h>

#define RETRY_LEFT_BEHIND_MS (60 * 60 * 1000)

/* The API's times are whole seconds: of two that ended in the same one the later created counts, then the name. NULL
 * ended before all. */
static bool ended_after(const struct rollout *a, const struct rollout *b)
{
	if (!a || !b)
		return a != NULL;
	if (a->status.finished_ms != b->status.finished_ms)
		return a->status.finished_ms > b->status.finished_ms;
	if (a->object.created_ms != b->object.created_ms)
		return a->object.created_ms > b->object.created_ms;
	return strcmp(a->object.name, b->object.name) > 0;
}

/* Not one of an earlier policy of that name, whose generations are others. */
static bool is_ours(const struct policy_pass *pass, const struct rollout *rollout)
{
	const struct kube_object *policy = &pass->s->policy->object;
	return *rollout->owner_uid ? !strcmp(rollout->owner_uid, policy->uid)
	                           : rollout->object.created_ms >= policy->created_ms;
}

/* Not one for which somebody has pinned others (spec.versions). */
static bool brings_our_versions(const struct policy_pass *pass, const struct rollout *rollout)
{
	const struct rules *rules = &pass->s->policy->rules;

	for (size_t i = 0; i < rollout->pins.count; i++)
		for (size_t k = 0; k < rules->patches.count; k++) {
			const struct patch *patch = &rules->patches.items[k];
			bool pinned = patch->component == rollout->pins.items[i].component;
			if (pinned && (!patch->version || strcmp(patch->version, rollout->pins.items[i].version) != 0))
				return false;
		}
	return true;
}

void policy_look_at_rollouts(struct policy_pass *pass)
{
	for (size_t i = 0; i < pass->s->rollout_count; i++) {
		const struct rollout *rollout = pass->s->rollouts[i];
		if (rollout->status.outcome != OUTCOME_NONE && rollout->status.approved_ms != 0 && is_ours(pass, rollout) &&
		    rollout->status.policy_generation > pass->approved_generation)
			pass->approved_generation = rollout->status.policy_generation;
		if (!rollout_done(rollout)) {
			bool first = !pass->current || (rollout->status.plan_hash && !pass->current->status.plan_hash);
			pass->current = first ? rollout : pass->current;
			continue;
		}
		if (brings_our_versions(pass, rollout) && ended_after(rollout, pass->latest))
			pass->latest = rollout;
		if (rollout->status.outcome == OUTCOME_SUCCEEDED && ended_after(rollout, pass->succeeded))
			pass->succeeded = rollout;
	}
}

/* A version that failed is not tried again by itself: it needs a changed policy, or a PatchRollout that somebody
 * creates. */
bool policy_failed_before(const struct policy_pass *pass)
{
	const struct rollout *latest = pass->latest;
	if (!latest || !latest->status.policy_hash || strcmp(latest->status.policy_hash, pass->s->policy->hash) != 0)
		return false;
	return latest->status.outcome != OUTCOME_SUCCEEDED && latest->status.outcome != OUTCOME_SUPERSEDED;
}

int64_t policy_retry_at(const struct policy_pass *pass)
{
	return pass->latest->status.finished_ms + RETRY_LEFT_BEHIND_MS;
}

/* The latest rollout left nodes behind that could not be drained, or that somebody took back, and all that is outdated
 * was there already. At once they would be drained in vain again, and again. */
const struct failure *policy_not_drained(const struct policy_pass *pass)
{
	const struct rollout *latest = pass->latest;
	const struct failure *found = NULL;

	if (!latest || latest->status.outcome != OUTCOME_SUCCEEDED || !latest->status.policy_hash ||
	    strcmp(latest->status.policy_hash, pass->s->policy->hash) != 0 || pass->s->now_ms >= policy_retry_at(pass))
		return NULL;
	for (size_t i = 0; i < latest->status.failed.count && !found; i++)
		if (left_behind(latest->status.failed.items[i].reason))
			found = &latest->status.failed.items[i];
	return pass->newest_outdated_ms > latest->status.started_ms ? NULL : found;
}

static bool name_taken(const struct policy_pass *pass, const char *name)
{
	for (size_t i = 0; i < pass->s->rollout_count; i++)
		if (!strcmp(pass->s->rollouts[i]->object.name, name))
			return true;
	return false;
}

/* A function of what leads to it, so that two writers with the same view cannot create two. */
static const char *rollout_name(const struct policy_pass *pass)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	const struct policy *policy = pass->s->policy;

	for (int attempt = 0;; attempt++) {
		char digest[KUBE_SHA256_HEX_SIZE], suffix[6] = "";
		const char *seed = plan_printf(pass->arena, "%s/%s/%s/%d", policy->object.uid, policy->hash,
		                               pass->latest ? pass->latest->object.uid : "", attempt);
		kube_sha256_hex(seed, strlen(seed), digest);
		for (int i = 0; i < 5; i++) {
			char pair[3] = {digest[2 * i], digest[2 * i + 1], 0};
			suffix[i] = alphabet[strtoul(pair, NULL, 16) % (sizeof(alphabet) - 1)];
		}
		const char *name = plan_printf(pass->arena, "%s-%s", policy->object.name, suffix);
		if (!name_taken(pass, name))
			return name;
	}
}

bool policy_wants_rollout(const struct policy_pass *pass)
{
	const struct policy_snapshot *s = pass->s;
	return pass->want->targets.outdated > 0 && !s->policy->suspend && s->policy->trigger == TRIGGER_AUTOMATIC &&
	       !pass->current && !s->creating && !policy_failed_before(pass) && !policy_not_drained(pass);
}

void policy_create_rollout(struct policy_pass *pass)
{
	struct action *action = plan_add_action(&pass->out->actions, ACTION_CREATE_ROLLOUT, pass->arena);
	action->create_rollout.policy = pass->s->policy;
	action->create_rollout.name = rollout_name(pass);
}

/* Keeps the newest history_limit of the rollouts that we created and that are done. */
void policy_trim_history(struct policy_pass *pass)
{
	const struct policy_snapshot *s = pass->s;
	int64_t newer = 0;

	for (size_t i = 0; i < s->rollout_count; i++) {
		const struct rollout *rollout = s->rollouts[i];
		if (!rollout_done(rollout) || strcmp(rollout->owner_uid, s->policy->object.uid) != 0 ||
		    rollout->object.deleted_ms != KUBE_TIME_NONE)
			continue;
		newer = 0;
		for (size_t k = 0; k < s->rollout_count; k++)
			newer += rollout_done(s->rollouts[k]) && ended_after(s->rollouts[k], rollout);
		if (newer >= s->policy->history_limit && rollout != pass->latest && !s->rollout_busy[i])
			plan_add_action(&pass->out->actions, ACTION_DELETE_ROLLOUT, pass->arena)->delete_rollout = rollout;
	}
}

/* In whole seconds, as both times are. */
static int64_t duration_of(const struct rollout_status *status)
{
	bool known = status->started_ms != KUBE_TIME_NONE && status->finished_ms > status->started_ms;
	return known ? (status->finished_ms - status->started_ms) / 1000 * 1000 : 0;
}

const char *policy_success_json(const struct policy_pass *pass)
{
	const struct rollout *rollout = pass->succeeded;
	char at[KUBE_TIME_TEXT_SIZE], took[KUBE_DURATION_TEXT_SIZE];

	if (!rollout)
		return pass->s->policy->last_successful_json;
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "name", rollout->object.name);
	add_versions(json, rollout->status.versions.items, rollout->status.versions.count);
	cJSON_AddStringToObject(json, "finishedAt", kube_time_format(rollout->status.finished_ms, at));
	cJSON_AddStringToObject(json, "duration", kube_duration_format(duration_of(&rollout->status), took));
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
	return text ? plan_printf(pass->arena, "%s", text) : NULL;
}
