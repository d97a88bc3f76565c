/* Windows and freezes in words, and whether a policy's leave a time to work in. */
#include "controller/plan/internal.h"

#include <stdio.h>

/* "window night opens at …", "freeze year-end ends at …, and no window is to be seen" */
static const char *next_text(const struct window_report *report, struct kube_arena *arena)
{
	char at[KUBE_TIME_TEXT_SIZE];

	if (report->opens_ms == KUBE_TIME_NONE)
		return "nothing opens in the next five years";
	kube_time_format(report->opens_ms, at);
	if (!report->next)
		return plan_printf(arena, "it is open again at %s", at);
	return plan_printf(arena, "window %s opens at %s", report->next->name, at);
}

static const char *open_text(const struct window_view *view, struct kube_arena *arena)
{
	char at[KUBE_TIME_TEXT_SIZE];
	const char *what = view->window ? plan_printf(arena, "window %s is open", view->window->name) : "no freeze is on";

	if (view->closes_ms == KUBE_TIME_NONE)
		return what;
	return plan_printf(arena, "%s until %s", what, kube_time_format(view->closes_ms, at));
}

static const char *freeze_text(const struct freeze_spec *freeze, struct kube_arena *arena)
{
	char at[KUBE_TIME_TEXT_SIZE];
	const char *reason = *freeze->reason ? plan_printf(arena, " (%s)", freeze->reason) : "";

	return plan_printf(arena, "freeze %s%s is on until %s", freeze->name, reason, kube_time_format(freeze->to_ms, at));
}

/* A freeze that begins or ends while it is closed anyway changes the reason. */
static int64_t next_change(const struct window_set *set, int64_t at_ms, int64_t change_ms)
{
	for (size_t i = 0; i < set->freeze_count; i++) {
		const int64_t bounds[] = {set->freezes[i].from_ms, set->freezes[i].to_ms};
		for (size_t k = 0; k < KUBE_ARRAY_LEN(bounds); k++)
			if (bounds[k] > at_ms)
				change_ms = earlier_ms(change_ms, bounds[k]);
	}
	return change_ms;
}

void window_report(const struct window_set *set, int64_t at_ms, struct kube_arena *arena,
                   struct window_report *ret_report)
{
	struct window_report report = {.opens_ms = KUBE_TIME_NONE, .closes_ms = KUBE_TIME_NONE};
	const struct window_view *view = &report.view;
	struct window_view then;

	window_look(set, at_ms, &report.view);
	if (window_next(set, at_ms, &report.opens_ms)) {
		window_look(set, report.opens_ms, &then);
		report.closes_ms = then.closes_ms;
		report.next = then.window;
	}
	report.changes_ms = next_change(set, at_ms, view->open ? view->closes_ms : report.opens_ms);
	report.reason = view->open ? "WindowOpen" : view->freeze ? "Frozen" : "WindowClosed";
	report.text = view->open ? open_text(view, arena)
	              : view->freeze
	                  ? plan_printf(arena, "%s; %s", freeze_text(view->freeze, arena), next_text(&report, arena))
	                  : next_text(&report, arena);
	*ret_report = report;
}

void want_window_open(struct conditions *conditions, const struct window_report *report)
{
	plan_want(conditions, "WindowOpen", report->view.open ? CONDITION_TRUE : CONDITION_FALSE, report->reason,
	          report->text);
}

static int never_opens(const struct window_view *now, struct kube_arena *arena, struct kube_err *err)
{
	const char *freeze = now->freeze ? freeze_text(now->freeze, arena) : "freezes cover all that do";

	kube_fail(
	    err, KUBE_E_INVALID,
	    "spec.windows and spec.freezes: no window opens in the next five years (%s): shorten spec.freezes, or add a "
	    "window",
	    freeze);
	if (err)
		snprintf(err->reason, sizeof(err->reason), "WindowNeverOpens");
	return KUBE_E_INVALID;
}

int policy_check(const struct policy *policy, const struct zone_list *zones, int64_t now_ms, struct kube_arena *arena,
                 struct window_set *ret_windows, struct kube_err *err)
{
	struct window_view now;
	int64_t opens_ms;

	int rc = rules_check(&policy->rules, err);
	if (!rc)
		rc = exceptions_accept(policy, now_ms, err);
	if (!rc)
		rc = window_set_init(&policy->rules, zones, arena, ret_windows, err);
	if (rc || !window_set_limits(ret_windows))
		return rc;
	window_look(ret_windows, now_ms, &now);
	return now.open || window_next(ret_windows, now_ms, &opens_ms) ? 0 : never_opens(&now, arena, err);
}
