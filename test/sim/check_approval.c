/* No node starts without the approvals that its rollout or wave needs (invariant 5). */
#include "test/sim/check.h"

#include <string.h>

#define RESOLUTION_MS 2000 /* of metav1.Time and the Date header, one each */

void check_approval_changed(struct checks *checks, const struct kube_sim_change *change)
{
	const cJSON *json = change->new_json ? change->new_json : change->old_json;
	const char *name = text_at(json, "metadata.name");

	if (change->old_json && change->new_json)
		return;
	for (size_t i = 0; i < checks->approval_count; i++)
		if (!change->new_json && strcmp(checks->approvals[i].name, name) == 0)
			checks->approvals[i].gone_ms = world_now_ms(checks->world);
	if (!change->new_json || checks->approval_count == MAX_APPROVALS_SEEN)
		return;
	struct seen_approval *seen = &checks->approvals[checks->approval_count++];
	snprintf(seen->name, sizeof(seen->name), "%s", name);
	snprintf(seen->user, sizeof(seen->user), "%s", text_at(json, "spec.user"));
	snprintf(seen->wave, sizeof(seen->wave), "%s", text_at(json, "spec.wave"));
	snprintf(seen->rollout, sizeof(seen->rollout), "%s", text_at(json, "spec.rolloutRef.uid"));
	snprintf(seen->plan, sizeof(seen->plan), "%s", text_at(json, "spec.planHash"));
	seen->created_ms = world_now_ms(checks->world);
	seen->gone_ms = INT64_MAX;
}

/* As long as the controller may not know otherwise. */
static bool was_there(const struct checks *checks, int64_t gone_ms)
{
	const struct world *world = checks->world;
	return gone_ms > world_now_ms(world) - world->knowledge_ms - world->decision_ms;
}

static bool is_author(const struct checks *checks, const struct rollout *rollout, const char *user)
{
	const cJSON *policy = kube_sim_api_get(checks->world->api, &pw_policies, NULL, rollout->policy_name);
	const cJSON *annotations = kube_json_get(policy, "metadata.annotations");
	const char *author = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(annotations, PW_ANNOTATION_AUTHOR));
	return author && strcmp(author, user) == 0;
}

static bool is_good(const struct checks *checks, const struct seen_rollout *seen, const struct approval_rules *rules,
                    const struct seen_approval *approval)
{
	int64_t late_ms = world_now_ms(checks->world) - approval->created_ms - rules->expires_after_ms;

	return strcmp(approval->rollout, seen->uid) == 0 && strcmp(approval->plan, seen->now->status.plan_hash) == 0 &&
	       was_there(checks, approval->gone_ms) && late_ms <= checks->world->decision_ms + RESOLUTION_MS &&
	       !(rules->separate_duties && is_author(checks, seen->now, approval->user));
}

static int64_t people_for(const struct checks *checks, const struct seen_rollout *seen,
                          const struct approval_rules *rules, const char *wave)
{
	const char *users[MAX_APPROVALS_SEEN];
	int64_t count = 0;

	for (size_t i = 0; i < checks->approval_count; i++) {
		const struct seen_approval *approval = &checks->approvals[i];
		int64_t k = 0;
		if (strcmp(approval->wave, wave) != 0 || !is_good(checks, seen, rules, approval))
			continue;
		while (k < count && strcmp(users[k], approval->user) != 0)
			k++;
		if (k == count)
			users[count++] = approval->user;
	}
	return count;
}

static void check_scope(struct checks *checks, const struct seen_rollout *seen, const struct rules *all,
                        const char *wave, const char *node, unsigned sender)
{
	const struct approval_rules *rules = &all->approval;

	if (has_begun(seen, all, wave))
		return;
	int64_t count = people_for(checks, seen, rules, wave);
	if (count < rules->required)
		world_fail(checks->world, "node %s is the first of %s %s, with %lld approvals of %lld", node,
		           *wave ? "wave" : "rollout", *wave ? wave : seen->now->object.name, (long long)count,
		           (long long)rules->required);
	if (is_known_unguarded(checks, APPROVALS_ADMISSION, sender) ||
	    (rules->separate_duties && is_known_unguarded(checks, AUTHORS_ADMISSION, sender)))
		world_fail(checks->world, "node %s starts by approvals that nobody guards", node);
}

void check_approvals(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                     const struct active *grant, unsigned sender)
{
	if (rules->approval.mode == APPROVAL_ROLLOUT)
		check_scope(checks, seen, rules, "", grant->node, sender);
	for (size_t w = 0; w < rules->waves.count; w++)
		if (strcmp(rules->waves.items[w].name, grant->wave) == 0 &&
		    (rules->waves.items[w].approval || rules->approval.mode == APPROVAL_WAVE))
			check_scope(checks, seen, rules, grant->wave, grant->node, sender);
}
