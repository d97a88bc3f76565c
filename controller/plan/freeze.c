/* The plan of a rollout: which nodes it takes, and its pages. Frozen once, as ControllerRevisions. */
#include "controller/plan/freeze.h"
#include "controller/model/names.h"
#include <kube/digest.h>
#include <string.h>

static const char *hash_plan(const struct frozen_plan *plan, const char *policy_hash, const struct pins *pins,
                             struct kube_arena *arena)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	_cleanup_buf_ struct kube_buf text = {0};

	kube_buf_init(&text, (size_t)64 << 20);
	kube_buf_addf(&text, "%s\n", policy_hash);
	for (size_t i = 0; i < pins->count; i++)
		kube_buf_addf(&text, "%s %s\n", component_names[pins->items[i].component], pins->items[i].version);
	for (size_t i = 0; i < plan->count; i++)
		kube_buf_addf(&text, "%s %lld%s%s\n", plan->nodes[i]->object.uid, (long long)plan->waves[i],
		              plan->exceptions[i] ? " " : "", plan->exceptions[i] ? plan->exceptions[i] : "");
	return plan_printf(arena, "%s", kube_sha256_hex(text.data ? text.data : "", text.len, digest));
}

/* Its status was lost, and it is planned again: what it works on belongs to it still. */
static bool carries_state(const struct rollout_snapshot *s, const struct node *node)
{
	return node_state_of(node, s->rollout->object.uid) != NULL;
}

/* They are in no wave's number: the plan and its report name them, and that is all. */
static void put_excepted(const struct rollout_snapshot *s, const struct node *const *nodes, size_t count,
                         const struct rules *rules, struct frozen_plan *plan)
{
	for (size_t i = 0; i < count; i++) {
		plan->nodes[plan->count] = nodes[i];
		plan->waves[plan->count] = (int64_t)rules->waves.count - 1;
		plan->exceptions[plan->count++] = node_exception(s->policy, nodes[i], s->now_ms)->name;
	}
	plan->excepted = count;
}

/* The targets in their waves, and behind them those that are excepted. */
static void arrange(const struct rollout_snapshot *s, const size_t *chosen, size_t count, const size_t *excepted,
                    size_t excepted_count, const struct rules *rules, struct kube_arena *arena,
                    struct frozen_plan *plan)
{
	size_t all = count + excepted_count;

	plan->nodes = plan_alloc(arena, all * sizeof(struct node *));
	plan->waves = plan_alloc(arena, all * sizeof(int64_t));
	plan->exceptions = plan_alloc(arena, all * sizeof(char *));
	assign_waves(order_nodes(s, chosen, count, &rules->order, arena), count, rules, arena, plan);
	put_excepted(s, order_nodes(s, excepted, excepted_count, &rules->order, arena), excepted_count, rules, plan);
}

void freeze_targets(const struct rollout_snapshot *s, const struct rules *rules, const char *policy_hash,
                    struct kube_arena *arena, struct frozen_plan *ret_plan)
{
	struct frozen_plan plan = {0};
	size_t *chosen = plan_alloc(arena, s->node_count * sizeof(*chosen)), count = 0;
	size_t *excepted = plan_alloc(arena, s->node_count * sizeof(*excepted)), excepted_count = 0;
	struct standings standings = {0};

	for (size_t i = 0; i < s->node_count; i++) {
		if (!node_selected(s->nodes[i], rules))
			continue;
		enum standing standing = node_standing_of_many(s->nodes[i], rules, s->server_version, &standings);
		plan.selected++;
		if (standing == STANDING_REFUSED && !plan.refused)
			plan.refused = s->nodes[i];
		bool wanted = standing == STANDING_OUTDATED && s->nodes[i]->object.deleted_ms == KUBE_TIME_NONE;
		if (wanted && !carries_state(s, s->nodes[i]) && node_exception(s->policy, s->nodes[i], s->now_ms))
			excepted[excepted_count++] = i;
		else if (wanted || carries_state(s, s->nodes[i]))
			chosen[count++] = i;
	}
	arrange(s, chosen, count, excepted, excepted_count, rules, arena, &plan);
	plan.hash = hash_plan(&plan, policy_hash, &s->rollout->pins, arena);
	*ret_plan = plan;
}

size_t freeze_pages(const struct frozen_plan *plan)
{
	return plan->count ? (plan->count + PLAN_PAGE_TARGETS - 1) / PLAN_PAGE_TARGETS : 1;
}

/* The hash in the name keeps pages of two attempts at planning apart: only the names in status.plan.revisions count. */
const char *freeze_page_name(const struct rollout *rollout, const struct frozen_plan *plan, size_t page,
                             struct kube_arena *arena)
{
	return plan_printf(arena, "%s-plan-%.8s-%zu", rollout->object.name, plan->hash, page);
}

static void add_targets(cJSON *data, const struct frozen_plan *plan, size_t page)
{
	cJSON *list = cJSON_AddArrayToObject(data, "targets");
	size_t first = (page - 1) * PLAN_PAGE_TARGETS;

	for (size_t i = first; list && i < plan->count && i < first + PLAN_PAGE_TARGETS; i++) {
		cJSON *item = cJSON_CreateObject();
		cJSON_AddItemToArray(list, item);
		cJSON_AddStringToObject(item, "n", plan->nodes[i]->object.name);
		cJSON_AddStringToObject(item, "u", plan->nodes[i]->object.uid);
		cJSON_AddNumberToObject(item, "w", (double)plan->waves[i]);
		if (plan->exceptions[i])
			cJSON_AddStringToObject(item, "x", plan->exceptions[i]);
	}
}

void add_versions(cJSON *json, const struct version_of *items, size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(json, "versions");

	for (size_t i = 0; i < count; i++) {
		cJSON *item = cJSON_CreateObject();
		cJSON_AddStringToObject(item, "component", component_names[items[i].component]);
		cJSON_AddStringToObject(item, "version", items[i].version);
		cJSON_AddItemToArray(list, item);
	}
}

const char *freeze_page_data(const struct frozen_plan *plan, const struct rollout_snapshot *s, size_t page,
                             struct kube_arena *arena)
{
	_cleanup_json_ cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "planHash", plan->hash);
	cJSON_AddStringToObject(data, "policyHash", s->policy->hash);
	cJSON_AddNumberToObject(data, "pages", (double)freeze_pages(plan));
	if (page == 1) {
		cJSON_AddRawToObject(data, "rules", s->policy->rules_json);
		if (s->rollout->pins.count)
			add_versions(data, s->rollout->pins.items, s->rollout->pins.count);
	}
	add_targets(data, plan, page);
	_cleanup_free_ char *text = cJSON_PrintUnformatted(data);
	return text ? plan_printf(arena, "%s", text) : plan_printf(arena, "{}");
}
