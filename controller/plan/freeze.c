/* The plan of a rollout: which nodes, in which order, in which wave. Frozen once, as pages of ControllerRevisions. */
#include "controller/model/names.h"
#include "controller/plan/internal.h"
#include <kube/digest.h>
#include <string.h>

struct candidate {
	const struct node *node;
	int criticality;
	const char *zone;
	size_t pods;
};

/* Unknown words count as critical: what somebody took the trouble to mark goes last. */
static int criticality_rank(const struct node *node)
{
	static const char *const ranks[] = {"low", "normal", "high", "critical"};
	const char *word = kube_strmap_get(&node->annotations, PW_ANNOTATION_CRITICALITY);

	if (!word)
		word = kube_strmap_get(&node->labels, PW_ANNOTATION_CRITICALITY);
	if (!word)
		return 1;
	for (int rank = 0; rank < (int)KUBE_ARRAY_LEN(ranks); rank++)
		if (!strcmp(word, ranks[rank]))
			return rank;
	return (int)KUBE_ARRAY_LEN(ranks) - 1;
}

/* Criticality, Zone, PodCount, Name: ascending. */
static int by_order(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->criticality != y->criticality)
		return x->criticality < y->criticality ? -1 : 1;
	int zones = strcmp(x->zone, y->zone);
	if (zones)
		return zones;
	if (x->pods != y->pods)
		return x->pods < y->pods ? -1 : 1;
	return strcmp(x->node->object.name, y->node->object.name);
}

static struct candidate candidate_of(const struct rollout_snapshot *s, size_t index)
{
	const struct node *node = s->nodes[index];
	const char *zone = kube_strmap_get(&node->labels, "topology.kubernetes.io/zone");
	return (struct candidate){
	    .node = node,
	    .criticality = criticality_rank(node),
	    .zone = zone ? zone : "",
	    .pods = s->pods_per_node ? s->pods_per_node[index] : 0,
	};
}

/* Percentages of sizes round up (api.md, "Conventions"). */
static size_t wave_size(const struct wave_spec *wave, size_t total, size_t left)
{
	if (!wave->size.set)
		return left;
	uint64_t value = wave->size.value < 0 ? 0 : (uint64_t)wave->size.value;
	uint64_t size = wave->size.percent ? (total * value + 99) / 100 : value;
	return size < left ? (size_t)size : left;
}

static void assign_waves(struct frozen_plan *plan, const struct rules *rules)
{
	size_t next = 0;
	for (size_t w = 0; w < rules->waves.count; w++) {
		size_t size = wave_size(&rules->waves.items[w], plan->count, plan->count - next);
		for (size_t i = 0; i < size; i++)
			plan->waves[next++] = (int64_t)w;
	}
	while (next < plan->count) /* every wave has a size, and they do not add up: the last one takes what is left */
		plan->waves[next++] = (int64_t)rules->waves.count - 1;
}

static const char *hash_plan(const struct frozen_plan *plan, const char *policy_hash, struct kube_arena *arena)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	_cleanup_buf_ struct kube_buf text = {0};

	kube_buf_init(&text, (size_t)64 << 20);
	kube_buf_addf(&text, "%s\n", policy_hash);
	for (size_t i = 0; i < plan->count; i++)
		kube_buf_addf(&text, "%s %lld\n", plan->nodes[i]->object.uid, (long long)plan->waves[i]);
	return plan_printf(arena, "%s", kube_sha256_hex(text.data ? text.data : "", text.len, digest));
}

/* Its status was lost, and it is planned again: what it works on belongs to it still. */
static bool carries_state(const struct rollout_snapshot *s, const struct node *node)
{
	return node->state && !strcmp(node->state->rollout_uid, s->rollout->object.uid);
}

void freeze_targets(const struct rollout_snapshot *s, const struct rules *rules, const char *policy_hash,
                    struct kube_arena *arena, struct frozen_plan *ret_plan)
{
	struct frozen_plan plan = {0};
	struct candidate *candidates = plan_alloc(arena, s->node_count * sizeof(*candidates));

	for (size_t i = 0; i < s->node_count; i++) {
		if (!node_selected(s->nodes[i], rules))
			continue;
		enum standing standing = node_standing(s->nodes[i], rules);
		plan.selected++;
		plan.newer += standing == STANDING_NEWER;
		plan.unknown += standing == STANDING_UNKNOWN;
		if (carries_state(s, s->nodes[i]) ||
		    (standing == STANDING_OUTDATED && s->nodes[i]->object.deleted_ms == KUBE_TIME_NONE))
			candidates[plan.count++] = candidate_of(s, i);
	}
	qsort(candidates, plan.count, sizeof(*candidates), by_order);
	plan.nodes = plan_alloc(arena, plan.count * sizeof(struct node *));
	plan.waves = plan_alloc(arena, plan.count * sizeof(int64_t));
	for (size_t i = 0; i < plan.count; i++)
		plan.nodes[i] = candidates[i].node;
	assign_waves(&plan, rules);
	plan.hash = hash_plan(&plan, policy_hash, arena);
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
	}
}

const char *freeze_page_data(const struct frozen_plan *plan, const struct policy *policy, size_t page,
                             struct kube_arena *arena)
{
	_cleanup_json_ cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "planHash", plan->hash);
	cJSON_AddStringToObject(data, "policyHash", policy->hash);
	cJSON_AddNumberToObject(data, "pages", (double)freeze_pages(plan));
	if (page == 1)
		cJSON_AddRawToObject(data, "rules", policy->rules_json);
	add_targets(data, plan, page);
	_cleanup_free_ char *text = cJSON_PrintUnformatted(data);
	return text ? plan_printf(arena, "%s", text) : plan_printf(arena, "{}");
}
