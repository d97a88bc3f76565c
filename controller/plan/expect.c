/*
 * How long a node is expected to take, so that none is started that would run on when the window has closed.
 *
 * Once a target of the rollout is patched, it is what was seen: for each step the longest time that one of the last
 * ones took, and the sum of these. One that was held by a person, or took longer than the policy's own limits add up
 * to, because no controller ran, tells nothing. Before one is known nothing is but the policy's own limits, which are
 * meant for the worst case; they count up to half of the window, so that the first nodes start in its first half and
 * not at its end.
 */
#include "controller/plan/step.h"
#include <string.h>

#define SEEN_TARGETS 20

/* The targets that were patched last, the latest first. */
struct seen {
	const struct node_state *states[SEEN_TARGETS];
	size_t count;
};

static void note(struct seen *seen, const struct node_state *state)
{
	size_t at = seen->count < SEEN_TARGETS ? seen->count++ : SEEN_TARGETS;

	for (; at > 0 && seen->states[at - 1]->times[STEP_PATCHED] < state->times[STEP_PATCHED]; at--)
		if (at < SEEN_TARGETS)
			seen->states[at] = seen->states[at - 1];
	if (at < SEEN_TARGETS)
		seen->states[at] = state;
}

/* A step lasts until the next one that the target has been in. */
static void add_steps(const struct node_state *state, struct expectation *expected)
{
	int64_t end_ms = state->times[STEP_PATCHED];

	for (int step = STEP_PATCHED - 1; step > STEP_NONE; step--) {
		int64_t begin_ms = state->times[step];
		if (begin_ms == KUBE_TIME_NONE || begin_ms > end_ms)
			continue;
		if (end_ms - begin_ms > expected->step_ms[step])
			expected->step_ms[step] = end_ms - begin_ms;
		end_ms = begin_ms;
	}
}

static int64_t attempts_ms(const struct job_template *job)
{
	return job ? job->timeout_ms * (job->retries + 1) : 0;
}

static int64_t limits(const struct rules *rules)
{
	int64_t jobs_ms = 0;

	for (size_t i = 0; i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		jobs_ms += attempts_ms(patch->prepare) + attempts_ms(&patch->job) + attempts_ms(patch->verify);
		if (patch->reboot_expected)
			jobs_ms += patch->reboot_timeout_ms;
	}
	int64_t drain_ms = rules->drain.on_timeout == DRAIN_FORCE ? 2 * rules->drain.timeout_ms : rules->drain.timeout_ms;
	return (rules->drain.enabled ? drain_ms : 0) + jobs_ms + observe_timeout(rules) + rules->settle_timeout_ms;
}

static bool tells_time(const struct target_pass *target, const struct expectation *expected)
{
	const struct node_state *state = target->state;

	return target->kind == TARGET_ENDED && target->ended == STEP_PATCHED && state &&
	       state->times[STEP_PATCHED] != KUBE_TIME_NONE && !state->paused &&
	       state->times[STEP_PATCHED] - state->started_ms <= expected->limits_ms;
}

void expect_node(const struct pass *pass, struct expectation *ret_expected)
{
	struct expectation expected = {.limits_ms = limits(pass->rules)};
	struct seen seen = {0};

	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		if (tells_time(target, &expected))
			note(&seen, target->state);
	}
	for (size_t i = 0; i < seen.count; i++)
		add_steps(seen.states[i], &expected);
	for (int step = 0; step < STEP_COUNT; step++)
		expected.sum_ms += expected.step_ms[step];
	expected.targets = seen.count;
	*ret_expected = expected;
}

int64_t expected_ms(const struct expectation *expected, const struct window_view *view)
{
	int64_t half_ms = view->longest_ms / 2;

	if (expected->targets > 0)
		return expected->sum_ms;
	return half_ms > 0 && half_ms < expected->limits_ms ? half_ms : expected->limits_ms;
}

static const char *duration_text(int64_t ms, struct kube_arena *arena)
{
	char text[KUBE_DURATION_TEXT_SIZE];
	return plan_printf(arena, "%s", kube_duration_format(ms < 1000 ? ms : ms / 1000 * 1000, text));
}

const char *expected_text(const struct expectation *expected, const struct window_view *view, struct kube_arena *arena)
{
	const char *steps = "", *took = duration_text(expected_ms(expected, view), arena);

	if (expected->targets == 0)
		return plan_printf(arena, "the first node is given %s", took);
	for (int step = 0; step < STEP_COUNT; step++)
		if (expected->step_ms[step] > 0)
			steps = plan_printf(arena, "%s%s%s %s", steps, *steps ? ", " : "", step_names[step],
			                    duration_text(expected->step_ms[step], arena));
	return plan_printf(arena, "a node is expected to take %s (%s, the longest of the last %zu)", took, steps,
	                   expected->targets);
}
