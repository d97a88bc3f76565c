/* Invariant 5 for gates: no grant unless what the gates ask has said yes no longer ago than its answer counts. */
#include "test/sim/check.h"
#include "test/sim/outside.h"

#include <string.h>

#define ANSWER_MS 1000 /* a yes may be on its way so long; the Date header tells the time by whole seconds */

/* Another target of the rollout has been granted, in this wave or in any. */
static bool begun(const struct rollout *old, const char *wave)
{
	for (size_t i = 0; i < old->status.active.count; i++)
		if (!wave || strcmp(old->status.active.items[i].wave, wave) == 0)
			return true;
	for (size_t i = 0; i < old->status.waves.count; i++) {
		const struct wave_status *status = &old->status.waves.items[i];
		if ((!wave || strcmp(status->name, wave) == 0) && status->patched + status->failed > 0)
			return true;
	}
	return old->status.failed.count > 0;
}

static bool asked(const struct gate_spec *gate, const struct rollout *old, const struct active *grant)
{
	return (gate->at & GATE_AT_NODE) || ((gate->at & GATE_AT_WAVE) && !begun(old, grant->wave)) ||
	       ((gate->at & GATE_AT_ROLLOUT) && !begun(old, NULL));
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

void check_gates(struct checks *checks, const struct rules *rules, const struct rollout *old,
                 const struct active *grant)
{
	const struct world *world = checks->world;
	int64_t ago_ms = world_now_ms(world) - outside_yes_until_ms(world->outside);

	for (size_t i = 0; i < rules->gates.count; i++) {
		const struct gate_spec *gate = &rules->gates.items[i];
		if (asked(gate, old, grant) && ago_ms > gate->interval_ms + ANSWER_MS + world->decision_ms)
			world_fail(checks->world, "node %s is granted, but what gate %s asks said yes last %lld ms ago",
			           grant->node, gate->name, (long long)ago_ms);
		if (must_have_failed(gate, old))
			world_fail(checks->world, "node %s is granted after gate %s could not be judged, and its onError is Fail",
			           grant->node, gate->name);
	}
}
