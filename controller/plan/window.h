/*
 * Maintenance windows and freezes: whether new work may begin at a time, until when, and when next. Pure.
 *
 * A policy without windows is always open. Otherwise it is open while any of its windows is, and not while any freeze
 * is on. Windows that overlap or touch are one, so that "closes" is when the last of them does.
 *
 * A window begins by the clocks of its time zone and lasts for its duration in elapsed time, over midnight, the end of
 * the week and changes of the clocks alike: 4h from 00:00 end at 05:00 where clocks go forward by one hour. A start
 * that is skipped as they go forward is the moment at which they do; one that is shown twice as they go back is the
 * first of the two, and there is no second.
 */
#ifndef PLAN_WINDOW_H
#define PLAN_WINDOW_H

#include "controller/model/cron.h"
#include "controller/model/policy.h"
#include "controller/model/zone.h"
#include <kube/mem.h>

/* Further than this nothing is looked for. */
#define WINDOW_SEARCH_MS (INT64_C(5) * 366 * 86400 * 1000)
/* An end that is further away is not looked for: who sees it has time enough. Longer than any one window. */
#define WINDOW_SIGHT_MS (INT64_C(8) * 86400 * 1000)

struct window {
	const struct window_spec *spec;
	struct cron cron;
	const struct zone *zone;
};

/* Borrows from the rules and the zones. */
struct window_set {
	struct window *items;
	size_t count;
	const struct freeze_spec *freezes;
	size_t freeze_count;
};

/* KUBE_E_INVALID with a sentence and err->reason, KUBE_E_NOMEM. rules_check() must have passed. */
int window_set_init(const struct rules *rules, const struct zone_list *zones, struct kube_arena *arena,
                    struct window_set *ret_set, struct kube_err *err);
bool window_set_limits(const struct window_set *set); /* there is a window or a freeze */

struct window_view {
	bool open;
	const struct window_spec *window; /* that is open, the first in the list; NULL: there are none, or none is */
	const struct freeze_spec *freeze; /* that is on; NULL: none */
	int64_t closes_ms;                /* KUBE_TIME_NONE: it is closed, or does not close within WINDOW_SIGHT_MS */
	int64_t longest_ms;               /* the duration of the longest window that is open; 0: none is */
};
void window_look(const struct window_set *set, int64_t at_ms, struct window_view *ret_view);

/* The first time behind at_ms at which it opens; while it is open, the time after that. False: none is to be seen. */
bool window_next(const struct window_set *set, int64_t at_ms, int64_t *ret_opens_ms);

/* The same for people; set only by a set that limits. */
struct window_report {
	struct window_view view;
	const char *reason, *text;      /* of the condition WindowOpen */
	int64_t opens_ms, closes_ms;    /* of the next opening; KUBE_TIME_NONE: it is not to be seen */
	const struct window_spec *next; /* the window that opens then; NULL: a freeze ends, and there are no windows */
	int64_t changes_ms;             /* when all this changes; KUBE_TIME_NONE: it does not */
};
void window_report(const struct window_set *set, int64_t at_ms, struct kube_arena *arena,
                   struct window_report *ret_report);

/* ---- in the planner ---- */

/* The condition WindowOpen of a policy or a rollout. */
void want_window_open(struct conditions *conditions, const struct window_report *report);

#endif
