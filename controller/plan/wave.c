/*
 * Waves: Pending → Running → Soaking → Passed, or Failed. A wave begins only when every earlier one has passed. More
 * failures than strategy.failureBudget tolerates fail the wave, and with it everything later; so does a wave of which
 * nothing is left but failures, whatever the budget.
 */
#include "controller/plan/internal.h"
#include <string.h>

struct tally {
	int64_t total, patched, bad, skipped, pending, working, held;
	const char *first_held, *reason; /* which one and why; NULL: none is */
};

/* By a person, or by another operator that works on it. */
static void count_held(struct pass *pass, struct tally *tally, const struct target_pass *target)
{
	const struct node *node = target->view->node;
	const char *hold = node_hold(node, pass->arena);
	const char *neighbour = !hold && target->kind == TARGET_PENDING ? neighbour_at_work(pass, target->view) : NULL;

	if (!hold && !neighbour)
		return;
	tally->held++;
	if (tally->first_held)
		return;
	tally->first_held = hold ? plan_printf(pass->arena, "%s is held: %s", node->object.name, hold) : neighbour;
	tally->reason = hold ? REASON_NODE_HELD : REASON_NEIGHBOUR;
}

static void count_ended(const struct pass *pass, struct tally *tally, const struct target_pass *target)
{
	bool patched = target_patched(pass, target);

	bool bad = target_bad(pass, target);

	tally->patched += patched;
	tally->skipped += target->ended == STEP_SKIPPED || (step_bad(target->ended) && !bad);
	tally->bad += bad || (target->ended == STEP_PATCHED && !patched);
}

static struct tally *tally_waves(struct pass *pass)
{
	struct tally *tallies = plan_alloc(pass->arena, pass->rules->waves.count * sizeof(*tallies));

	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		struct tally *tally = &tallies[target->view->target->wave];
		tally->total += target->kind != TARGET_EXCEPTED;
		if (target->kind == TARGET_PENDING || target->kind == TARGET_WORKING)
			count_held(pass, tally, target);
		switch (target->kind) {
		case TARGET_GONE:
		case TARGET_UP_TO_DATE: tally->skipped++; break;
		case TARGET_EXCEPTED: break;
		case TARGET_PENDING: tally->pending++; break;
		case TARGET_WORKING: tally->working++; break;
		case TARGET_ENDED: count_ended(pass, tally, target); break;
		}
	}
	return tallies;
}

static int64_t failing_in(const struct pass *pass, const char *wave)
{
	int64_t failing = 0;
	for (size_t i = 0; i < pass->want->active.count; i++) {
		const struct active *active = &pass->want->active.items[i];
		failing += entry_failing(active) && !strcmp(active->wave, wave);
	}
	return failing;
}

static void pass_wave(struct pass *pass, struct wave_status *wave, const struct tally *tally)
{
	char soaked[KUBE_DURATION_TEXT_SIZE];
	bool soaked_at_all = wave->finished_ms != KUBE_TIME_NONE && pass->s->now_ms > wave->finished_ms;
	int64_t soak = soaked_at_all ? pass->s->now_ms - wave->finished_ms : 0;
	const char *failed = tally->bad ? plan_printf(pass->arena, "%lld", (long long)tally->bad) : "none";

	wave->state = WAVE_PASSED;
	wave->reason = tally->total ? "" : "NoTargets";
	wave->message = tally->total ? "" : "no node of the rollout is in this wave";
	decide(pass, DECISION_PROMOTE, wave->name, 1, "wave", "WavePassed",
	       plan_printf(pass->arena, "%lld patched, %lld skipped, %s failed; soaked for %s", (long long)tally->patched,
	                   (long long)tally->skipped, failed, kube_duration_format(soak / 1000 * 1000, soaked)));
}

void fail_wave(struct pass *pass, struct wave_status *wave, const char *reason, const char *message)
{
	wave->state = WAVE_FAILED;
	wave->reason = reason;
	wave->message = message;
	wave->soak_until_ms = KUBE_TIME_NONE;
	decide(pass, DECISION_HALT, wave->name, 1, pass->gate_failed ? "gates" : "failureBudget", reason,
	       plan_printf(pass->arena, "%s: no further node is started", message));
}

static void fail_over_budget(struct pass *pass, struct wave_status *wave)
{
	fail_wave(pass, wave, "TargetFailed",
	          plan_printf(pass->arena, "%zu of %zu targets failed, %s", failures_so_far(pass), targets_to_patch(pass),
	                      failure_budget_text(pass)));
}

/* A canary that is dead has shown something, whatever may fail later. */
static bool fail_without_success(struct pass *pass, struct wave_status *wave, const struct tally *tally)
{
	if (tally->patched || !tally->bad)
		return false;
	fail_wave(pass, wave, "EveryTargetFailed",
	          plan_printf(pass->arena, "%lld of %lld nodes of the wave failed, and none was patched",
	                      (long long)tally->bad, (long long)tally->total));
	return true;
}

/* The others of the wave go on; the wave does not. */
static void tell_held(struct pass *pass, struct wave_status *wave, const struct tally *tally)
{
	wave->reason = tally->held ? tally->reason : "";
	wave->message = tally->held > 1
	                    ? plan_printf(pass->arena, "%s (and %lld more)", tally->first_held, (long long)tally->held - 1)
	                : tally->held ? tally->first_held
	                              : "";
	if (tally->held && tally->held == tally->pending + tally->working)
		decide(pass, DECISION_WAIT, wave->name, 1, "hold", tally->reason, wave->message);
}

/* The status has no other; a soak must not begin before its time for it. */
static int64_t whole_second(int64_t ms)
{
	return (ms + 999) / 1000 * 1000;
}

static void run_wave(struct pass *pass, struct wave_status *wave, const struct wave_spec *spec,
                     const struct tally *tally)
{
	if (tally->pending || tally->working) {
		tell_held(pass, wave, tally);
		return;
	}
	wave->finished_ms = whole_second(pass->s->now_ms);
	if (fail_without_success(pass, wave, tally))
		return;
	if (spec->soak_ms > 0 && tally->patched > 0)
		wave->state = WAVE_SOAKING;
	else
		pass_wave(pass, wave, tally);
}

static void soak_wave(struct pass *pass, size_t index, struct wave_status *wave, const struct tally *tally)
{
	struct soak_view soak;

	if (fail_without_success(pass, wave, tally))
		return;
	soak_look(pass, index, wave, &soak);
	if (soak.unlisted)
		fail_wave(pass, wave, "TargetFailed",
		          plan_printf(pass->arena, "%d targets failed, and more than that are always too many", MAX_FAILED));
	else if (soak.over)
		pass_wave(pass, wave, tally);
}

/* Whether new work may begin at all. */
static bool may_begin(const struct pass *pass)
{
	return !pass->aborting && !pass->stopping;
}

static void advance(struct pass *pass, size_t index, struct wave_status *wave, const struct tally *tally,
                    bool earlier_passed)
{
	bool open = wave->state != WAVE_PASSED && wave->state != WAVE_FAILED;

	wave->total = tally->total;
	wave->patched = tally->patched;
	wave->failed = tally->bad + failing_in(pass, wave->name);
	if (open && earlier_passed && over_failure_budget(pass))
		fail_over_budget(pass, wave);
	if (wave->state == WAVE_PENDING && earlier_passed && may_begin(pass)) {
		wave->state = WAVE_RUNNING;
		wave->started_ms = pass->s->now_ms;
	}
	if (wave->state == WAVE_RUNNING)
		run_wave(pass, wave, &pass->rules->waves.items[index], tally);
	if (wave->state == WAVE_SOAKING)
		soak_wave(pass, index, wave, tally);
}

void waves_advance(struct pass *pass)
{
	struct rollout_status *want = pass->want;
	const struct rollout_status *status = &pass->s->rollout->status;
	struct tally *tallies = tally_waves(pass);
	bool earlier_passed = true;

	want->waves.items = plan_alloc(pass->arena, pass->rules->waves.count * sizeof(*want->waves.items));
	want->waves.count = pass->rules->waves.count;
	for (size_t w = 0; w < want->waves.count; w++) {
		struct wave_status *wave = &want->waves.items[w];
		if (w < status->waves.count)
			*wave = status->waves.items[w];
		else
			*wave = (struct wave_status){.started_ms = KUBE_TIME_NONE,
			                             .finished_ms = KUBE_TIME_NONE,
			                             .soak_until_ms = KUBE_TIME_NONE,
			                             .reason = "",
			                             .message = ""};
		wave->name = pass->rules->waves.items[w].name;
		advance(pass, w, wave, &tallies[w], earlier_passed);
		earlier_passed = earlier_passed && wave->state == WAVE_PASSED;
	}
}

size_t waves_current(const struct pass *pass)
{
	size_t w = 0;
	while (w < pass->want->waves.count && pass->want->waves.items[w].state == WAVE_PASSED)
		w++;
	return w;
}

bool waves_all_passed(const struct pass *pass)
{
	return waves_current(pass) == pass->want->waves.count;
}
