/*
 * Waves: Pending → Running → Soaking → Passed, or Failed. A wave begins only when every earlier one has passed; a
 * failed target fails its wave and with it everything later. The soak is continuous: it counts from when the last of
 * the wave's patched nodes became Ready.
 */
#include "controller/plan/internal.h"
#include <string.h>

struct tally {
	int64_t total, patched, bad, skipped, pending, working;
	const struct node *unready; /* a patched node that is not Ready; NULL: all are */
	int64_t ready_since_ms;     /* the latest of the patched ones */
};

static void count_ended(struct tally *tally, const struct target_pass *target)
{
	const struct node *node = target->view->node;

	if (step_bad(target->ended))
		tally->bad++;
	if (target->ended == STEP_SKIPPED)
		tally->skipped++;
	if (target->ended != STEP_PATCHED)
		return;
	tally->patched++;
	if (!node->ready)
		tally->unready = node;
	else if (node->ready_since_ms > tally->ready_since_ms)
		tally->ready_since_ms = node->ready_since_ms;
}

static struct tally *tally_waves(const struct pass *pass)
{
	struct tally *tallies = plan_alloc(pass->arena, pass->rules->waves.count * sizeof(*tallies));

	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		struct tally *tally = &tallies[target->view->target->wave];
		tally->total++;
		switch (target->kind) {
		case TARGET_GONE:
		case TARGET_UP_TO_DATE: tally->skipped++; break;
		case TARGET_PENDING: tally->pending++; break;
		case TARGET_WORKING: tally->working++; break;
		case TARGET_ENDED: count_ended(tally, target); break;
		}
	}
	return tallies;
}

static int64_t failing_in(const struct pass *pass, const char *wave)
{
	int64_t failing = 0;
	for (size_t i = 0; i < pass->want->active.count; i++) {
		const struct active *active = &pass->want->active.items[i];
		bool failed = active->reason && active->step != STEP_SKIPPED;
		failing += failed && !strcmp(active->wave, wave);
	}
	return failing;
}

static void pass_wave(struct pass *pass, struct wave_status *wave, const struct tally *tally)
{
	char soaked[KUBE_DURATION_TEXT_SIZE];
	int64_t soak = wave->finished_ms == KUBE_TIME_NONE ? 0 : pass->s->now_ms - wave->finished_ms;

	wave->state = WAVE_PASSED;
	wave->reason = "";
	decide(pass, DECISION_PROMOTE, wave->name, 1, "wave", "WavePassed",
	       plan_printf(pass->arena, "%lld patched, %lld skipped, none failed; soaked for %s", (long long)tally->patched,
	                   (long long)tally->skipped, kube_duration_format(soak / 1000 * 1000, soaked)));
}

static void fail_wave(struct pass *pass, struct wave_status *wave, int64_t failed)
{
	wave->state = WAVE_FAILED;
	wave->reason = "TargetFailed";
	decide(pass, DECISION_HALT, wave->name, 1, "failureBudget", "TargetFailed",
	       plan_printf(pass->arena, "%lld of %lld targets failed, none may: no further node is started",
	                   (long long)failed, (long long)wave->total));
}

static void run_wave(struct pass *pass, struct wave_status *wave, const struct wave_spec *spec,
                     const struct tally *tally)
{
	if (tally->pending || tally->working)
		return;
	wave->finished_ms = pass->s->now_ms;
	if (spec->soak_ms > 0 && tally->patched > 0)
		wave->state = WAVE_SOAKING;
	else
		pass_wave(pass, wave, tally);
}

static void soak_wave(struct pass *pass, struct wave_status *wave, const struct wave_spec *spec,
                      const struct tally *tally)
{
	if (tally->unready) {
		wave->reason = "NodeNotReady"; /* it starts again when the node is back: see the header of this file */
		wave->soak_until_ms = KUBE_TIME_NONE;
		return;
	}
	int64_t since = wave->finished_ms > tally->ready_since_ms ? wave->finished_ms : tally->ready_since_ms;
	wave->soak_until_ms = since + spec->soak_ms;
	wave->reason = "Soaking";
	if (pass->s->now_ms >= wave->soak_until_ms)
		pass_wave(pass, wave, tally);
	else
		look_again_at(pass->out, wave->soak_until_ms);
}

/* Whether new work may begin at all. */
static bool may_begin(const struct pass *pass)
{
	return !pass->aborting && !pass->stopping;
}

static void advance(struct pass *pass, struct wave_status *wave, const struct wave_spec *spec,
                    const struct tally *tally, bool earlier_passed)
{
	int64_t failed = tally->bad + failing_in(pass, wave->name);

	wave->total = tally->total;
	wave->patched = tally->patched;
	wave->failed = failed;
	if (failed && wave->state != WAVE_FAILED && wave->state != WAVE_PENDING && wave->state != WAVE_PASSED)
		fail_wave(pass, wave, failed);
	if (wave->state == WAVE_PENDING && earlier_passed && may_begin(pass)) {
		wave->state = WAVE_RUNNING;
		wave->started_ms = pass->s->now_ms;
	}
	if (wave->state == WAVE_RUNNING)
		run_wave(pass, wave, spec, tally);
	if (wave->state == WAVE_SOAKING)
		soak_wave(pass, wave, spec, tally);
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
			                             .reason = ""};
		wave->name = pass->rules->waves.items[w].name;
		advance(pass, wave, &pass->rules->waves.items[w], &tallies[w], earlier_passed);
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
