/* spec.strategy, decoded into struct rules with the defaults of crds/patchpolicies.yaml. */
#include "controller/model/internal.h"

#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)

const char *const order_names[] = {"Criticality", "Zone", "PodCount", "Name", NULL};

static const char *const on_failure_words[] = {"Quarantine", "Uncordon", NULL};

static int order_key(const cJSON *word)
{
	int key = 0;
	while (key < ORDER_COUNT && (!cJSON_IsString(word) || strcmp(word->valuestring, order_names[key]) != 0))
		key++;
	return key;
}

static int decode_order(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	struct order order = {0};
	const cJSON *word;

	(void)arena;
	if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) > ORDER_COUNT)
		return kube_fail(err, KUBE_E_PARSE, "expected a list of at most %d words", ORDER_COUNT);
	cJSON_ArrayForEach (word, value) {
		int key = order_key(word);
		if (key == ORDER_COUNT)
			return kube_fail(err, KUBE_E_PARSE, "expected Criticality, Zone, PodCount or Name");
		order.keys[order.count++] = key;
	}
	memcpy(field, &order, sizeof(order));
	return 0;
}

static const struct kube_json_field topology_table[] = {
    {.name = "key", .type = KUBE_JSON_STRING, .offset = offsetof(struct topology, key), .required = true},
    {.name = "maxDomainsInProgress", .type = KUBE_JSON_INT, .offset = offsetof(struct topology, max_domains)},
    KUBE_JSON_END,
};

static const struct kube_json_field wave_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct wave_spec, name), .required = true},
    {.name = "selector",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct wave_spec, selector),
     .table = kube_selector_table,
     .size = sizeof(struct kube_selector)},
    {.name = "size", .type = KUBE_JSON_INTSTR, .offset = offsetof(struct wave_spec, size)},
    {.name = "maxUnavailable", .type = KUBE_JSON_INTSTR, .offset = offsetof(struct wave_spec, max_unavailable)},
    {.name = "soak", .type = KUBE_JSON_DURATION, .offset = offsetof(struct wave_spec, soak_ms)},
    {.name = "topology",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct wave_spec, topology),
     .table = topology_table,
     .size = sizeof(struct topology)},
    {.name = "approval", .type = KUBE_JSON_BOOL, .offset = offsetof(struct wave_spec, approval)},
    KUBE_JSON_END,
};

static const struct kube_json_field settle_table[] = {
    {.name = "readyFor", .type = KUBE_JSON_DURATION, .offset = offsetof(struct rules, settle_ready_for_ms)},
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = offsetof(struct rules, settle_timeout_ms)},
    KUBE_JSON_END,
};

const struct kube_json_field strategy_table[] = {
    {.name = "order", .type = KUBE_JSON_CUSTOM, .offset = offsetof(struct rules, order), .decode = decode_order},
    {.name = "maxUnavailable", .type = KUBE_JSON_INTSTR, .offset = offsetof(struct rules, max_unavailable)},
    {.name = "topology",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct rules, topology),
     .table = topology_table,
     .size = sizeof(struct topology)},
    {.name = "waves",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct rules, waves),
     .table = wave_table,
     .size = sizeof(struct wave_spec)},
    {.name = "settle", .type = KUBE_JSON_OBJECT, .table = settle_table},
    {.name = "failureBudget", .type = KUBE_JSON_INTSTR, .offset = offsetof(struct rules, failure_budget)},
    {.name = "onFailure",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct rules, on_failure),
     .words = on_failure_words},
    KUBE_JSON_END,
};

void strategy_init(struct rules *rules)
{
	static const struct order order = {{ORDER_CRITICALITY, ORDER_ZONE, ORDER_POD_COUNT, ORDER_NAME}, ORDER_COUNT};

	rules->order = order;
	rules->max_unavailable = (struct kube_intstr){.set = true, .value = 1};
	rules->settle_ready_for_ms = 15 * SECOND_MS;
	rules->settle_timeout_ms = 10 * MINUTE_MS;
}

static int default_waves(struct rules *rules, struct kube_arena *arena, struct kube_err *err)
{
	static const struct wave_spec waves[] = {
	    {.name = "canary", .size = {.set = true, .value = 1}, .soak_ms = 10 * MINUTE_MS},
	    {.name = "rest"},
	};
	rules->waves.items = kube_arena_alloc(arena, sizeof(waves));
	if (!rules->waves.items)
		return meta_out_of_memory(err);
	memcpy(rules->waves.items, waves, sizeof(waves));
	rules->waves.count = KUBE_ARRAY_LEN(waves);
	return 0;
}

static void default_topology(const cJSON *owner, struct topology *topology)
{
	if (topology && !kube_json_get(owner, "topology.maxDomainsInProgress"))
		topology->max_domains = 1;
}

int strategy_default(const cJSON *strategy, struct rules *rules, struct kube_arena *arena, struct kube_err *err)
{
	const cJSON *item;
	struct wave_spec *wave = rules->waves.items;

	if (rules->waves.count > MAX_WAVES)
		return kube_fail(err, KUBE_E_LIMIT, "strategy.waves: %zu entries, expected 1 to %d", rules->waves.count,
		                 MAX_WAVES);
	default_topology(strategy, rules->topology);
	cJSON_ArrayForEach (item, kube_json_get(strategy, "waves"))
		default_topology(item, wave++->topology);
	return rules->waves.count > 0 ? 0 : default_waves(rules, arena, err);
}
