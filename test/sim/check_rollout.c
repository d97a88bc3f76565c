/* Invariants of a rollout's status: the budget, no start after a failure, waves in order and soaked, ends that stay. */
#include "test/sim/check.h"

#include <kube/time.h>
#include <string.h>

#define RESOLUTION_MS 2000 /* of metav1.Time and the Date header, one each */

static int64_t limit_of(const struct kube_intstr *value, int64_t total)
{
	int64_t limit = value->percent ? total * value->value / 100 : value->value;
	return limit > 1 ? limit : 1;
}

static const struct wave_spec *wave_of(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->waves.count; i++)
		if (strcmp(rules->waves.items[i].name, name) == 0)
			return &rules->waves.items[i];
	return NULL;
}

/* rollout NULL: of all nodes. What is in work for it is its policy's until it is released. */
static void check_limit(struct checks *checks, const struct rollout *rollout, const struct rules *rules,
                        const struct kube_intstr *value, const struct active *grant, unsigned sender)
{
	int64_t total = 0, away = 0;

	for (size_t i = 0; i < checks->node_count; i++) {
		const struct seen_node *node = &checks->nodes[i];
		bool own = rollout && node->now && is_granted(rollout, node->uid);
		bool moved = rollout && !own && node->now &&
		             !is_known_here(checks, node, sender); /* it may count it still, or not yet */
		if (!moved && !own && !is_counted(checks, node, rules))
			continue;
		total++;
		away += !moved && node->now && is_known_away(checks, node, sender);
	}
	int64_t limit = limit_of(value, total);
	if (away > limit && !grant->foreign_cordon)
		world_fail(checks->world, "node %s is granted: with it %lld of %lld nodes%s are unavailable, and %lld may be",
		           grant->node, (long long)away, (long long)total, rollout ? "" : " of the cluster", (long long)limit);
}

static void check_budget(struct checks *checks, const struct rollout *rollout, const struct rules *rules,
                         const struct active *grant, unsigned sender)
{
	const struct wave_spec *wave = wave_of(rules, grant->wave);
	const struct kube_intstr *total = &checks->world->options.max_unavailable_total;

	if (wave)
		check_limit(checks, rollout, rules,
		            wave->max_unavailable.set ? &wave->max_unavailable : &rules->max_unavailable, grant, sender);
	if (total->set)
		check_limit(checks, NULL, NULL, total, grant, sender);
}

static void check_soak(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                       const struct active *grant)
{
	const struct wave_spec *wave = wave_of(rules, grant->wave);

	if (!wave || wave == rules->waves.items)
		return;
	for (size_t i = 0; i < checks->node_count; i++) {
		const struct seen_node *node = &checks->nodes[i];
		if (!node->now || !node->now->state || strcmp(node->patched_rollout, seen->uid) != 0)
			continue;
		const struct wave_spec *before = wave_of(rules, node->now->state->wave);
		int64_t soaked_ms = world_now_ms(checks->world) - node->patched_ms;
		if (before && before < wave && soaked_ms + RESOLUTION_MS < before->soak_ms)
			world_fail(
			    checks->world, "wave %s begins with %s %lld ms after %s of wave %s was patched: its soak is %lld ms",
			    grant->wave, grant->node, (long long)soaked_ms, node->name, before->name, (long long)before->soak_ms);
	}
}

static int64_t target_count(const struct seen_rollout *seen)
{
	int64_t count = 0;
	for (size_t i = 0; i < seen->page_count; i++)
		count += seen->pages[i]->ledger ? 0 : (int64_t)seen->pages[i]->targets.count;
	return count;
}

static bool is_left_behind(const char *reason)
{
	return strcmp(reason, "NotDrained") == 0 || strcmp(reason, "ForeignUncordon") == 0;
}

static void check_failures(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                           const struct active *grant)
{
	const struct rollout_status *status = &seen->now->status;
	const struct kube_intstr *value = &rules->failure_budget;
	int64_t budget = value->percent ? target_count(seen) * value->value / 100 : value->value;
	int64_t failed = 0;

	for (size_t i = 0; i < status->failed.count; i++)
		failed += !is_left_behind(status->failed.items[i].reason);
	if (failed > budget)
		world_fail(checks->world, "node %s is granted after %lld have failed, and %lld may", grant->node,
		           (long long)failed, (long long)budget);
	for (size_t i = 0; i < status->failed.count; i++)
		if (strcmp(status->failed.items[i].node_uid, grant->node_uid) == 0)
			world_fail(checks->world, "node %s is granted once more: it has failed", grant->node);
}

static void check_grant_alone(struct checks *checks, const struct seen_rollout *seen, const struct active *grant)
{
	for (size_t i = 0; i < checks->rollout_count; i++) {
		const struct rollout *other = checks->rollouts[i]->now;
		if (other && checks->rollouts[i] != seen && rollout_at_work(other) && is_granted(other, grant->node_uid))
			world_fail(checks->world, "node %s is granted by rollout %s, and by %s already", grant->node,
			           seen->now->object.name, other->object.name);
	}
}

/* Each of its own kind has a rule of its own: no policy of this schema means one. */
static void check_role(struct checks *checks, const struct seen_node *node)
{
	if (node && node->now && node_control_plane(node->now))
		world_fail(checks->world, "node %s is granted, but it is a control plane", node->name);
}

/* In so many domains have nodes grants. */
static void check_topology(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                           const struct active *grant)
{
	const struct wave_spec *wave = wave_of(rules, grant->wave);
	const struct topology *topology = wave && wave->topology ? wave->topology : rules->topology;
	const char *domains[MAX_ACTIVE];
	int64_t count = 0;

	for (size_t i = 0; topology && i < seen->now->status.active.count; i++) {
		const struct seen_node *node = seen_node(checks, seen->now->status.active.items[i].node_uid);
		const char *domain = node && node->now ? kube_strmap_get(&node->now->labels, topology->key) : NULL;
		int64_t k = 0;
		while (domain && k < count && strcmp(domains[k], domain) != 0)
			k++;
		if (domain && k == count)
			domains[count++] = domain;
	}
	if (topology && count > topology->max_domains)
		world_fail(checks->world, "node %s is granted: with it nodes of %lld domains are in work, and %lld may be",
		           grant->node, (long long)count, (long long)topology->max_domains);
}

/* The policy's exceptions are as it was made. */
static void check_exception(struct checks *checks, const struct seen_rollout *seen, const struct seen_node *node)
{
	const struct rollout *rollout = seen->now;
	const cJSON *policy = kube_sim_api_get(checks->world->api, &pw_policies, NULL, rollout->policy_name), *item;
	const char *label = node && node->now ? kube_strmap_get(&node->now->labels, "gpu") : NULL;
	int64_t expires_ms = 0;

	if (!label || strcmp(text_at(policy, "metadata.uid"), rollout->owner_uid) != 0)
		return;
	cJSON_ArrayForEach (item, kube_json_get(policy, "spec.exceptions")) {
		bool known = kube_time_parse(text_at(item, "expires"), &expires_ms, NULL) == 0;
		if (known && world_now_ms(checks->world) + RESOLUTION_MS < expires_ms &&
		    strcmp(text_at(item, "selector.matchLabels.gpu"), label) == 0)
			world_fail(checks->world, "node %s is granted, and excepted until %s", node->name,
			           text_at(item, "expires"));
	}
}

static unsigned bit_of(const struct rules *rules, const char *wave)
{
	unsigned bit = MAX_WAVES;

	for (unsigned w = 0; *wave && w < rules->waves.count; w++)
		if (strcmp(rules->waves.items[w].name, wave) == 0)
			bit = w;
	return 1u << bit;
}

bool has_begun(const struct seen_rollout *seen, const struct rules *rules, const char *wave)
{
	return seen->begun & bit_of(rules, wave);
}

static void check_new_grant(struct checks *checks, struct seen_rollout *seen, const struct rollout *old,
                            const struct active *grant, unsigned sender)
{
	const struct rules *rules = rules_of(seen);
	const struct seen_node *node = seen_node(checks, grant->node_uid);
	bool rebuilt = node && node->now && node->now->state && strcmp(node->now->state->rollout_uid, seen->uid) == 0;

	if (!rules || rebuilt)
		return;
	if (seen->now->intent.action != INTENT_RUN)
		world_fail(checks->world, "node %s is granted, and the rollout's intent is %s", grant->node,
		           intent_names[seen->now->intent.action]);
	check_grant_alone(checks, seen, grant);
	check_role(checks, node);
	check_exception(checks, seen, node);
	check_failures(checks, seen, rules, grant);
	check_topology(checks, seen, rules, grant);
	check_window(checks, seen, rules, grant, sender);
	check_gates(checks, seen, rules, old, grant, sender);
	if (node)
		hold_check(checks, node, "is granted");
	if (node)
		neighbour_check(checks, node);
	if (old->status.outcome != OUTCOME_NONE)
		world_fail(checks->world, "node %s is granted in a rollout that has ended", grant->node);
	for (size_t i = 0; i < seen->now->status.waves.count; i++) {
		const struct wave_status *wave = &seen->now->status.waves.items[i];
		if (strcmp(wave->name, grant->wave) == 0)
			break;
		if (wave->state != WAVE_PASSED)
			world_fail(checks->world, "node %s of wave %s is granted while wave %s is %s", grant->node, grant->wave,
			           wave->name, wave_state_names[wave->state]);
	}
	if (!may_override(checks, seen, rules, BYPASS_APPROVAL, sender))
		check_approvals(checks, seen, rules, grant, sender);
	check_budget(checks, seen->now, rules, grant, sender);
	if (!is_overridden(seen, rules, BYPASS_SOAK))
		check_soak(checks, seen, rules, grant);
	seen->begun |= bit_of(rules, grant->wave) | bit_of(rules, "");
}

static void check_waves(struct checks *checks, const struct rollout *old, const struct rollout *now)
{
	for (size_t i = 0; i < old->status.waves.count && i < now->status.waves.count; i++) {
		int before = old->status.waves.items[i].state, after = now->status.waves.items[i].state;
		bool final = before == WAVE_PASSED || before == WAVE_FAILED;
		if (after < before || (final && after != before))
			world_fail(checks->world, "rollout %s: wave %s goes from %s to %s", now->object.name,
			           now->status.waves.items[i].name, wave_state_names[before], wave_state_names[after]);
	}
}

static void note_forced(struct checks *checks, const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->status.active.count; i++) {
		const struct active *active = &rollout->status.active.items[i];
		struct seen_node *node = active->forced ? seen_node(checks, active->node_uid) : NULL;
		if (node)
			node->forced_ms = world_now_ms(checks->world);
	}
}

void check_rollout(struct checks *checks, struct seen_rollout *seen, const struct rollout *old,
                   const struct rollout *now, unsigned sender)
{
	if (old->status.outcome != OUTCOME_NONE && now->status.outcome != old->status.outcome)
		world_fail(checks->world, "rollout %s: its outcome %s becomes %s", now->object.name,
		           outcome_names[old->status.outcome], outcome_names[now->status.outcome]);
	if (now->status.epoch < old->status.epoch)
		world_fail(checks->world, "rollout %s: its epoch goes back from %lld to %lld", now->object.name,
		           (long long)old->status.epoch, (long long)now->status.epoch);
	if (old->status.plan_hash && strcmp(old->status.plan_hash, now->status.plan_hash ? now->status.plan_hash : "") != 0)
		world_fail(checks->world, "rollout %s: its frozen plan becomes another one", now->object.name);
	check_waves(checks, old, now);
	note_forced(checks, now);
	for (size_t i = 0; i < now->status.active.count; i++)
		if (!is_granted(old, now->status.active.items[i].node_uid))
			check_new_grant(checks, seen, old, &now->status.active.items[i], sender);
}
