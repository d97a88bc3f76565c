/* Invariant 5 for gates: no grant unless what the gates ask has said yes no longer ago than its answer counts. */
#include "test/sim/check.h"
#include "test/sim/inside.h"
#include "test/sim/outside.h"

#include <string.h>

#define ANSWER_MS 1000 /* a yes may be on its way so long; the Date header tells the time by whole seconds */

static bool asked(const struct gate_spec *gate, const struct seen_rollout *seen, const struct rules *rules,
                  const struct active *grant)
{
	return (gate->at & GATE_AT_NODE) || ((gate->at & GATE_AT_WAVE) && !has_begun(seen, rules, grant->wave)) ||
	       ((gate->at & GATE_AT_ROLLOUT) && !has_begun(seen, rules, ""));
}

/* Where that is the end: an answer that cannot be judged, in the status that was there before. */
static bool must_have_failed(const struct gate_spec *gate, const struct rollout *old)
{
	for (size_t i = 0; i < old->status.gates.count; i++) {
		const struct gate_status *status = &old->status.gates.items[i];
		if (strcmp(status->name, gate->name) == 0)
			return gate->on_error == GATE_ON_ERROR_FAIL && status->verdict == GATE_ERROR;
	}
	return false;
}

/* How long ago what it asks said yes last; pods are not asked, but known. */
static int64_t yes_ago_ms(const struct checks *checks, const struct gate_spec *gate, unsigned sender)
{
	const struct world *world = checks->world;

	switch ((enum gate_type)gate->type) {
	case GATE_PROMETHEUS:
	case GATE_HTTP: return world_now_ms(world) - outside_yes_until_ms(world->outside);
	case GATE_RESOURCE: return world_now_ms(world) - inside_held_until_ms(world->inside);
	case GATE_PODS: return known_enough_ago_ms(checks, sender);
	}
	return INT64_MAX;
}

void check_gates(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                 const struct rollout *old, const struct active *grant, unsigned sender)
{
	const struct world *world = checks->world;

	for (size_t i = 0; i < rules->gates.count; i++) {
		const struct gate_spec *gate = &rules->gates.items[i];
		int64_t ago_ms = yes_ago_ms(checks, gate, sender);
		if (asked(gate, seen, rules, grant) && ago_ms > gate->interval_ms + ANSWER_MS + world->decision_ms)
			world_fail(checks->world, "node %s is granted, but what gate %s asks said yes last %lld ms ago",
			           grant->node, gate->name, (long long)ago_ms);
		if (must_have_failed(gate, old))
			world_fail(checks->world, "node %s is granted after gate %s could not be judged, and its onError is Fail",
			           grant->node, gate->name);
	}
}
