/* What a person reads of a rollout at work: its summary and conditions. */
#include "controller/plan/internal.h"
#include <string.h>

static const char *steps_in_work(const struct pass *pass)
{
	int by_step[STEP_COUNT] = {0};
	const char *text = "";

	for (size_t i = 0; i < pass->want->active.count; i++)
		by_step[pass->want->active.items[i].step]++;
	for (int step = STEP_CLAIMED; step < STEP_COUNT; step++)
		if (by_step[step])
			text = plan_printf(pass->arena, "%s, %d %s", text, by_step[step], step_names[step]);
	return text;
}

static const char *waiting_text(const struct pass *pass)
{
	const struct blocker *b = pass->first_blocker;
	if (b && !strcmp(b->kind, BLOCKED_BY_HOLD))
		return plan_printf(pass->arena, ", waiting for node %s: %s", b->name, b->message);
	if (b)
		return plan_printf(pass->arena, ", waiting for %s %s%s%s", b->kind, b->namespace_ ? b->namespace_ : "",
		                   b->namespace_ && *b->namespace_ ? "/" : "", b->name ? b->name : "");
	if (pass->want->active.count > 0)
		return "";
	if (pass->start.waits)
		return plan_printf(pass->arena, ", %s", pass->start.waits);
	if (pass->held_back)
		return plan_printf(pass->arena, ", waiting: %s", pass->held_back);
	return "";
}

static const char *failed_text(const struct pass *pass)
{
	int64_t failed = pass->want->counts.failed + pass->want->counts.rolled_back;
	return failed ? plan_printf(pass->arena, ", %lld failed", (long long)failed) : "";
}

static const char *summarize(struct pass *pass)
{
	size_t current = waves_current(pass);
	char until[KUBE_TIME_TEXT_SIZE];

	if (current == pass->want->waves.count)
		return "every wave has passed";
	const struct wave_status *wave = &pass->want->waves.items[current];
	pass->want->current_wave = wave->name;
	if (wave->state == WAVE_SOAKING && wave->soak_until_ms != KUBE_TIME_NONE)
		return plan_printf(pass->arena, "wave %s %lld/%lld, soaking until %s", wave->name, (long long)wave->patched,
		                   (long long)wave->total, kube_time_format(wave->soak_until_ms, until));
	if (wave->state == WAVE_SOAKING)
		return plan_printf(pass->arena, "wave %s %lld/%lld, its soak waits: %s", wave->name, (long long)wave->patched,
		                   (long long)wave->total, wave->message);
	return plan_printf(pass->arena, "wave %s %lld/%lld%s%s%s", wave->name, (long long)wave->patched,
	                   (long long)wave->total, failed_text(pass), steps_in_work(pass), waiting_text(pass));
}

void want_running(struct pass *pass, const char *pause_reason, const char *pause_text)
{
	struct rollout_status *want = pass->want;
	const struct effect_error *error = pass->s->effect_error;
	const struct failure *failure = first_failure(want);
	bool moving = want->active.count > pass->waiting_on || (!pass->held_back && !pause_reason);

	want_anew(want);
	want->summary = pause_reason ? plan_printf(pass->arena, "%s: %s", pause_text, summarize(pass)) : summarize(pass);
	plan_want(&want->conditions, "Progressing", moving ? CONDITION_TRUE : CONDITION_FALSE,
	          moving               ? "Working"
	          : pause_reason       ? pause_reason
	          : pass->start.reason ? "WaitingForWindow"
	          : pass->held_reason  ? pass->held_reason
	                               : "Waiting",
	          want->summary);
	plan_want(&want->conditions, "Reconciling", CONDITION_TRUE, "Working", want->summary);
	plan_want(&want->conditions, "Ready", CONDITION_FALSE, "Working", want->summary);
	plan_want(&want->conditions, "Healthy", failure ? CONDITION_FALSE : CONDITION_TRUE,
	          failure ? "TargetsFailed" : "NoFailures",
	          failure ? plan_printf(pass->arena, "%s: %s", failure->node, failure->message) : "no target has failed");
	if (error)
		plan_want(&want->conditions, "Stalled", CONDITION_TRUE, error->reason,
		          plan_printf(pass->arena, "%s: %s", error->what, error->message));
	start_want(pass);
	approvals_want(pass);
	emergency_want(pass);
}
