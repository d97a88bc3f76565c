/*
 * Whether windows and freezes let a target start now: open, and for as long as a node is expected to take. What is in
 * work goes on whatever they say, and so do soaks.
 */
#include "controller/plan/internal.h"

#define MAX_OPENINGS 100

void start_look(struct pass *pass)
{
	struct opening *start = &pass->start;
	struct kube_err err = {0};

	if (window_set_init(pass->rules, &pass->s->zones, pass->arena, &start->all, &err) == 0) {
		start->windows = start->all;
		if (may_bypass(pass, BYPASS_WINDOWS))
			start->windows.count = 0;
		if (may_bypass(pass, BYPASS_FREEZES))
			start->windows.freeze_count = 0;
		window_look(&start->windows, pass->s->now_ms, &start->view);
		return;
	}
	start->problem = plan_printf(pass->arena, "%s", err.message);
	look_again_at(pass->out, pass->s->now_ms + ZONES_LOOK_MS);
}

/* expected NULL: it was started already, and the time that it takes does not matter any more. */
static bool fits(const struct window_view *view, int64_t at_ms, const struct expectation *expected)
{
	return view->open &&
	       (!expected || view->closes_ms == KUBE_TIME_NONE || at_ms + expected_ms(expected, view) <= view->closes_ms);
}

/* The next time at which one of the next openings is long enough. */
static bool next_fit_of(const struct pass *pass, const struct window_set *windows, const struct expectation *expected,
                        int64_t *ret_opens_ms, struct window_view *ret_view)
{
	int64_t at_ms = pass->s->now_ms;

	for (int i = 0; i < MAX_OPENINGS && window_next(windows, at_ms, &at_ms); i++) {
		window_look(windows, at_ms, ret_view);
		if (!fits(ret_view, at_ms, expected))
			continue;
		*ret_opens_ms = at_ms;
		return true;
	}
	return false;
}

/* Those that are long enough by themselves: hundreds of short ones may come before. */
static struct window_set long_windows(const struct pass *pass, const struct expectation *expected)
{
	const struct window_set *all = &pass->start.windows;
	struct window_set set = *all;

	set.items = plan_alloc(pass->arena, all->count * sizeof(*set.items));
	set.count = 0;
	for (size_t i = 0; i < all->count; i++) {
		const struct window_view alone = {.longest_ms = all->items[i].spec->duration_ms};
		if (expected_ms(expected, &alone) <= alone.longest_ms)
			set.items[set.count++] = all->items[i];
	}
	return set;
}

/* The next time at which it opens for long enough. False: that never comes. */
static bool next_fit(const struct pass *pass, const struct expectation *expected, int64_t *ret_opens_ms,
                     struct window_view *ret_view)
{
	if (next_fit_of(pass, &pass->start.windows, expected, ret_opens_ms, ret_view))
		return true;
	struct window_set longer = long_windows(pass, expected);
	return longer.count > 0 && next_fit_of(pass, &longer, expected, ret_opens_ms, ret_view);
}

static void hold_back(struct pass *pass, const char *reason, const char *text, int64_t attempt)
{
	pass->start.reason = reason;
	pass->held_back = text;
	decide(pass, DECISION_WAIT, pass->s->rollout->object.name, attempt, "windows", reason, text);
}

/* What is in the way now, as a clause. */
static const char *in_the_way(const struct pass *pass, const struct window_view *view,
                              const struct expectation *expected, const char **ret_reason)
{
	char at[KUBE_TIME_TEXT_SIZE];

	if (view->freeze) {
		*ret_reason = "Frozen";
		return plan_printf(pass->arena, "freeze %s is on until %s", view->freeze->name,
		                   kube_time_format(view->freeze->to_ms, at));
	}
	if (!view->open) {
		*ret_reason = "WindowClosed";
		return "no window is open";
	}
	*ret_reason = "TooLateToStart";
	return plan_printf(pass->arena, "it closes at %s, and %s", kube_time_format(view->closes_ms, at),
	                   expected_text(expected, view, pass->arena));
}

static void wait_for_opening(struct pass *pass, const struct expectation *expected)
{
	struct window_view then;
	char at[KUBE_TIME_TEXT_SIZE];
	int64_t opens_ms;
	const char *reason, *way = in_the_way(pass, &pass->start.view, expected, &reason);

	if (!next_fit(pass, expected, &opens_ms, &then)) {
		pass->start.hopeless = true;
		hold_back(
		    pass, "WindowTooShort",
		    plan_printf(pass->arena,
		                "no window of the policy will be open for long enough (%s): make one longer, or the freezes "
		                "shorter",
		                way),
		    1);
		return;
	}
	kube_time_format(opens_ms, at);
	pass->start.waits = then.window ? plan_printf(pass->arena, "waiting for window %s, opens %s", then.window->name, at)
	                                : plan_printf(pass->arena, "waiting for the end of freezes at %s", at);
	/* One decision for each opening that is waited for, whatever is in the way meanwhile. */
	hold_back(pass, reason, plan_printf(pass->arena, "%s; %s", way, pass->start.waits), opens_ms / 1000);
}

static void overrule(struct pass *pass, enum bypass what, struct window_set set, const struct expectation *expected)
{
	struct window_view view;
	const char *reason;

	window_look(&set, pass->s->now_ms, &view);
	if (!fits(&view, pass->s->now_ms, expected))
		decide_override(pass, what, in_the_way(pass, &view, expected, &reason));
}

/* What would be in the way, were this no emergency: each of the two alone. */
static void overrule_closed(struct pass *pass, const struct expectation *expected)
{
	struct window_set windows = pass->start.all, freezes = pass->start.all;

	windows.freeze_count = freezes.count = 0;
	if (may_bypass(pass, BYPASS_WINDOWS))
		overrule(pass, BYPASS_WINDOWS, windows, expected);
	if (may_bypass(pass, BYPASS_FREEZES))
		overrule(pass, BYPASS_FREEZES, freezes, expected);
}

bool start_still_open(struct pass *pass)
{
	if (!pass->start.view.open)
		return false;
	overrule_closed(pass, NULL);
	return true;
}

bool start_allowed(struct pass *pass)
{
	const struct opening *start = &pass->start;
	struct expectation expected;

	if (start->problem) {
		pass->start.hopeless = true;
		hold_back(pass, "UnknownTimeZone", start->problem, 1);
		return false;
	}
	if (!window_set_limits(&start->all))
		return true;
	expect_node(pass, &expected);
	if (fits(&start->view, pass->s->now_ms, &expected)) {
		overrule_closed(pass, &expected);
		return true;
	}
	wait_for_opening(pass, &expected);
	return false;
}

void start_want(struct pass *pass)
{
	const struct opening *start = &pass->start;
	struct conditions *conditions = &pass->want->conditions;
	struct window_report report;

	if (start->hopeless && !pass->s->effect_error)
		plan_want(conditions, "Stalled", CONDITION_TRUE, start->reason, pass->held_back);
	if (start->problem) {
		plan_want(conditions, "WindowOpen", CONDITION_UNKNOWN, "UnknownTimeZone", start->problem);
		return;
	}
	if (!window_set_limits(&start->windows))
		return;
	window_report(&start->windows, pass->s->now_ms, pass->arena, &report);
	want_window_open(conditions, &report);
	look_again_at(pass->out, report.changes_ms);
}
