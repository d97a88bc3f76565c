/*
 * Which target is in which wave. A target goes to the first wave that wants it: a wave wants the nodes that its
 * selector matches, any without one, in the frozen order, as many as its size says; a percentage is one of all targets
 * that the selector matches. The last wave takes what is left.
 */
#include "controller/plan/freeze.h"

static bool matches(const struct wave_spec *wave, const struct node *node)
{
	return !wave->selector || kube_selector_matches(wave->selector, &node->labels);
}

static size_t count_matching(const struct wave_spec *wave, const struct node *const *nodes, size_t count)
{
	size_t matching = 0;
	for (size_t i = 0; i < count; i++)
		matching += matches(wave, nodes[i]);
	return matching;
}

/* Percentages of sizes round up (api.md, "Conventions"). */
static size_t wave_size(const struct wave_spec *wave, const struct node *const *nodes, size_t count)
{
	if (!wave->size.set)
		return count;
	uint64_t value = wave->size.value < 0 ? 0 : (uint64_t)wave->size.value;
	return wave->size.percent ? (count_matching(wave, nodes, count) * value + 99) / 100 : value;
}

static void put_in_wave(struct frozen_plan *plan, const struct node *node, size_t wave)
{
	plan->nodes[plan->count] = node;
	plan->waves[plan->count++] = (int64_t)wave;
}

void assign_waves(const struct node *const *nodes, size_t count, const struct rules *rules, struct kube_arena *arena,
                  struct frozen_plan *plan)
{
	bool *taken = plan_alloc(arena, count * sizeof(*taken));

	plan->count = 0;
	for (size_t w = 0; w < rules->waves.count; w++) {
		const struct wave_spec *wave = &rules->waves.items[w];
		bool last = w + 1 == rules->waves.count;
		size_t left = last ? count : wave_size(wave, nodes, count);
		for (size_t i = 0; left && i < count; i++) {
			if (taken[i] || !(last || matches(wave, nodes[i])))
				continue;
			taken[i] = true;
			put_in_wave(plan, nodes[i], w);
			left--;
		}
	}
}

const char *uncovered_wave(const struct node *const *nodes, size_t count, const struct rules *rules,
                           struct kube_arena *arena)
{
	for (size_t w = 0; w < rules->waves.count; w++) {
		const struct wave_spec *wave = &rules->waves.items[w];
		char selector[200];
		size_t selected = 0, matching = 0;
		for (size_t i = 0; wave->selector && !matching && i < count; i++) {
			bool ours = node_selected(nodes[i], rules);
			selected += ours;
			matching += ours && matches(wave, nodes[i]);
		}
		if (selected && !matching)
			return plan_printf(arena,
			                   "spec.strategy.waves[%zu] (%s): its selector %s matches none of the %zu nodes of the "
			                   "policy; label nodes, correct the selector, or remove the wave",
			                   w, wave->name, kube_selector_format(wave->selector, selector, sizeof(selector)),
			                   selected);
	}
	return NULL;
}
