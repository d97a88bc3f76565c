/* What /metrics says of the work: rollouts, nodes and policies, from the caches at each scrape. */
#include "controller/cmd/controller.h"
#include <string.h>

#define RUNNING "Running"

/* ---- rollouts ---- */

static void measure_targets(struct meters *meters, const struct rollout *rollout)
{
	const struct counts *counts = &rollout->status.counts;
	const struct {
		const char *state;
		int64_t count;
	} states[] = {
	    {"pending", counts->pending}, {"active", counts->active},   {"patched", counts->patched},
	    {"failed", counts->failed},   {"skipped", counts->skipped}, {"rolledback", counts->rolled_back},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(states); i++)
		kube_metric_set(meters->rollout_targets, (double)states[i].count, rollout->object.name, states[i].state, NULL);
	for (size_t i = 0; i < rollout->status.active.count; i++) {
		const char *kind = rollout->status.active.items[i].blocked_by.kind;
		if (kind)
			kube_metric_add(meters->blocked_targets, 1, rollout->object.name, kind, NULL);
	}
}

static void measure_wait(struct meters *meters, const struct rollout *rollout)
{
	const struct condition *progressing = condition_get(&rollout->status.conditions, "Progressing");

	if (progressing && progressing->status == CONDITION_FALSE)
		kube_metric_set(meters->rollout_waiting, 1, rollout->object.name, progressing->reason, NULL);
}

static void measure_rollouts(struct controller *controller)
{
	const struct kube_store *store = controller->caches[CACHE_ROLLOUTS].store;
	struct meters *meters = &controller->meters;
	size_t by_outcome[OUTCOME_SUPERSEDED + 1] = {0};

	kube_metric_clear(meters->rollout_targets);
	kube_metric_clear(meters->blocked_targets);
	kube_metric_clear(meters->rollout_waiting);
	for (const struct kube_object *o = kube_store_next(store, NULL); o; o = kube_store_next(store, o)) {
		const struct rollout *rollout = (const struct rollout *)o;
		by_outcome[rollout->status.outcome]++;
		if (!rollout_unfinished(rollout))
			continue;
		measure_targets(meters, rollout);
		if (rollout->status.outcome == OUTCOME_NONE)
			measure_wait(meters, rollout);
	}
	for (size_t i = 0; i < KUBE_ARRAY_LEN(by_outcome); i++)
		kube_metric_set(meters->rollouts, (double)by_outcome[i], i == OUTCOME_NONE ? RUNNING : outcome_names[i], NULL);
}

/* ---- nodes ---- */

static bool is_away(const struct node *node)
{
	return !node->ready || node->unschedulable || (node->state && !step_ended((enum step)node->state->step));
}

static void measure_limit(struct controller *controller, size_t nodes)
{
	const struct kube_intstr *total = &controller->options->max_unavailable_total;

	if (total->set)
		kube_metric_set(controller->meters.cluster_limit, (double)max_unavailable(total, (int64_t)nodes), NULL);
}

static void measure_nodes(struct controller *controller)
{
	const struct kube_store *store = controller->caches[CACHE_NODES].store;
	struct meters *meters = &controller->meters;
	int64_t now_ms = kube_client_server_ms(controller->client), oldest_ms[STEP_COUNT] = {0};
	size_t steps[STEP_COUNT] = {0}, away = 0;

	for (const struct kube_object *o = kube_store_next(store, NULL); o; o = kube_store_next(store, o)) {
		const struct node *node = (const struct node *)o;
		away += is_away(node);
		if (!node->state)
			continue;
		int step = node->state->step;
		steps[step]++;
		if (now_ms - node->state->since_ms > oldest_ms[step])
			oldest_ms[step] = now_ms - node->state->since_ms;
	}
	for (int step = STEP_CLAIMED; step < STEP_COUNT; step++) {
		kube_metric_set(meters->node_steps, (double)steps[step], step_names[step], NULL);
		kube_metric_set(meters->node_step_oldest, (double)oldest_ms[step] / 1000, step_names[step], NULL);
	}
	kube_metric_set(meters->cluster_unavailable, (double)away, NULL);
	measure_limit(controller, kube_store_count(store));
}

/* ---- policies ---- */

static void measure_policy(struct meters *meters, const struct policy *policy)
{
	static const char *const states[][2] = {
	    {"total", "total"}, {"upToDate", "uptodate"}, {"outdated", "outdated"}, {"unsupported", "unsupported"}};
	_cleanup_json_ cJSON *status = cJSON_Parse(policy->status_json);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(states); i++) {
		const cJSON *count = kube_json_get(kube_json_get(status, "targets"), states[i][0]);
		if (cJSON_IsNumber(count))
			kube_metric_set(meters->policy_targets, count->valuedouble, policy->object.name, states[i][1], NULL);
	}
}

/* Against the budget, with the nodes as they are now. */
static void measure_budget(struct controller *controller, const struct policy *policy)
{
	const struct kube_store *nodes = controller->caches[CACHE_NODES].store;
	int64_t total = 0, away = 0;

	for (const struct kube_object *o = kube_store_next(nodes, NULL); o; o = kube_store_next(nodes, o)) {
		if (!node_selected((const struct node *)o, &policy->rules))
			continue;
		total++;
		away += is_away((const struct node *)o);
	}
	kube_metric_set(controller->meters.policy_unavailable, (double)away, policy->object.name, NULL);
	kube_metric_set(controller->meters.policy_limit, (double)max_unavailable(&policy->rules.max_unavailable, total),
	                policy->object.name, NULL);
}

static void measure_policies(struct controller *controller)
{
	const struct kube_store *store = controller->caches[CACHE_POLICIES].store;

	kube_metric_clear(controller->meters.policy_targets);
	kube_metric_clear(controller->meters.policy_unavailable);
	kube_metric_clear(controller->meters.policy_limit);
	for (const struct kube_object *o = kube_store_next(store, NULL); o; o = kube_store_next(store, o)) {
		measure_policy(&controller->meters, (const struct policy *)o);
		measure_budget(controller, (const struct policy *)o);
	}
}

void meters_measure_work(struct controller *controller)
{
	measure_rollouts(controller);
	measure_nodes(controller);
	measure_policies(controller);
}
