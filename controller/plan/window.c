#include "controller/plan/window.h"

#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)
/* Local times and instants differ by at most so much. */
#define SLACK_S (3 * INT64_C(86400))

static int64_t seconds(int64_t ms)
{
	return ms / SECOND_MS - (ms % SECOND_MS < 0);
}

/* ---- building ---- */

static const struct zone_entry *find_zone(const struct zone_list *zones, const char *name)
{
	for (size_t i = 0; i < zones->count; i++)
		if (!strcmp(zones->items[i].name, name))
			return &zones->items[i];
	return NULL;
}

static int resolve_zone(const struct window_spec *spec, size_t index, const struct zone_list *zones,
                        const struct zone **ret_zone, struct kube_err *err)
{
	const struct zone_entry *entry = find_zone(zones, spec->zone);

	if (entry && entry->zone) {
		*ret_zone = entry->zone;
		return 0;
	}
	kube_fail(
	    err, KUBE_E_INVALID,
	    "spec.windows[%zu].timeZone of window %.63s: there is no time zone %.64s (%.200s): use a name of the IANA "
	    "database such as Europe/Berlin or Etc/UTC",
	    index, spec->name, spec->zone, entry ? entry->problem : "its name is too long, or too many zones are in use");
	if (err)
		snprintf(err->reason, sizeof(err->reason), "UnknownTimeZone");
	return KUBE_E_INVALID;
}

static int init_window(const struct window_spec *spec, size_t index, const struct zone_list *zones,
                       struct window *window, struct kube_err *err)
{
	window->spec = spec;
	window->cron = cron_weekly(spec->days, (int)spec->start_min);
	int rc = spec->type == WINDOW_CRON ? cron_parse(spec->schedule, &window->cron, err) : 0;
	return rc ? rc : resolve_zone(spec, index, zones, &window->zone, err);
}

int window_set_init(const struct rules *rules, const struct zone_list *zones, struct kube_arena *arena,
                    struct window_set *ret_set, struct kube_err *err)
{
	struct window_set set = {
	    .items = kube_arena_calloc(arena, rules->windows.count, sizeof(*set.items)),
	    .count = rules->windows.count,
	    .freezes = rules->freezes.items,
	    .freeze_count = rules->freezes.count,
	};
	if (!set.items)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for %zu windows", set.count);
	for (size_t i = 0; i < set.count; i++) {
		int rc = init_window(&rules->windows.items[i], i, zones, &set.items[i], err);
		if (rc)
			return rc;
	}
	*ret_set = set;
	return 0;
}

bool window_set_limits(const struct window_set *set)
{
	return set->count > 0 || set->freeze_count > 0;
}

/* ---- one window ---- */

/* The latest start up to and with at_ms, if it is not over before at_ms: of windows of one length it ends last. */
static bool last_start(const struct window *window, int64_t at_ms, int64_t *ret_ms)
{
	int64_t latest_s = zone_latest_local(window->zone, seconds(at_ms));
	int64_t local_s, limit_s = latest_s - seconds(window->spec->duration_ms) - SLACK_S;

	if (!cron_previous(&window->cron, latest_s, limit_s, &local_s))
		return false;
	*ret_ms = zone_first_instant(window->zone, local_s) * SECOND_MS;
	return *ret_ms + window->spec->duration_ms >= at_ms;
}

/* The first start behind at_ms. */
static bool next_start(const struct window *window, int64_t at_ms, int64_t limit_ms, int64_t *ret_ms)
{
	int64_t latest_s = zone_latest_local(window->zone, seconds(at_ms)), local_s;

	if (!cron_next(&window->cron, latest_s, seconds(limit_ms) + SLACK_S, &local_s))
		return false;
	*ret_ms = zone_first_instant(window->zone, local_s) * SECOND_MS;
	return *ret_ms <= limit_ms;
}

static bool is_open(const struct window *window, int64_t at_ms)
{
	int64_t start_ms;
	return last_start(window, at_ms, &start_ms) && start_ms + window->spec->duration_ms > at_ms;
}

/* ---- all of them ---- */

static bool any_open(const struct window_set *set, int64_t at_ms)
{
	for (size_t i = 0; i < set->count; i++)
		if (is_open(&set->items[i], at_ms))
			return true;
	return set->count == 0;
}

/* When the windows that are open at at_ms, and those that begin before they end, are over. */
static int64_t windows_end(const struct window_set *set, int64_t at_ms, int64_t limit_ms)
{
	int64_t end_ms = at_ms, before_ms, start_ms;

	do {
		before_ms = end_ms;
		for (size_t i = 0; i < set->count; i++) {
			int64_t duration_ms = set->items[i].spec->duration_ms;
			if (last_start(&set->items[i], end_ms, &start_ms) && start_ms + duration_ms > end_ms)
				end_ms = start_ms + duration_ms;
		}
	} while (end_ms > before_ms && end_ms < limit_ms);
	return end_ms;
}

static const struct freeze_spec *freeze_at(const struct window_set *set, int64_t at_ms)
{
	for (size_t i = 0; i < set->freeze_count; i++)
		if (set->freezes[i].from_ms <= at_ms && at_ms < set->freezes[i].to_ms)
			return &set->freezes[i];
	return NULL;
}

static int64_t first_freeze(const struct window_set *set, int64_t after_ms, int64_t limit_ms)
{
	for (size_t i = 0; i < set->freeze_count; i++)
		if (set->freezes[i].from_ms > after_ms && set->freezes[i].from_ms < limit_ms)
			limit_ms = set->freezes[i].from_ms;
	return limit_ms;
}

static int64_t closes(const struct window_set *set, int64_t at_ms)
{
	int64_t horizon_ms = at_ms + WINDOW_SIGHT_MS, limit_ms = first_freeze(set, at_ms, horizon_ms);
	int64_t end_ms = set->count ? windows_end(set, at_ms, limit_ms) : limit_ms;

	if (end_ms > limit_ms)
		end_ms = limit_ms;
	return end_ms < horizon_ms ? end_ms : KUBE_TIME_NONE;
}

void window_look(const struct window_set *set, int64_t at_ms, struct window_view *ret_view)
{
	struct window_view view = {.freeze = freeze_at(set, at_ms), .closes_ms = KUBE_TIME_NONE};

	for (size_t i = 0; i < set->count; i++) {
		const struct window_spec *spec = set->items[i].spec;
		if (!is_open(&set->items[i], at_ms))
			continue;
		view.window = view.window ? view.window : spec;
		view.longest_ms = spec->duration_ms > view.longest_ms ? spec->duration_ms : view.longest_ms;
	}
	view.open = !view.freeze && (view.window || set->count == 0);
	if (view.open)
		view.closes_ms = closes(set, at_ms);
	*ret_view = view;
}

bool window_next(const struct window_set *set, int64_t at_ms, int64_t *ret_opens_ms)
{
	int64_t limit_ms = at_ms + WINDOW_SEARCH_MS, when_ms = at_ms, start_ms;

	if (!freeze_at(set, at_ms) && any_open(set, at_ms))
		when_ms = closes(set, at_ms);
	/* Each round goes to the end of a freeze, to the next start of a window, or ends. */
	while (when_ms != KUBE_TIME_NONE && when_ms <= limit_ms) {
		const struct freeze_spec *freeze = freeze_at(set, when_ms);
		if (freeze) {
			when_ms = freeze->to_ms;
			continue;
		}
		if (any_open(set, when_ms)) {
			*ret_opens_ms = when_ms;
			return true;
		}
		int64_t next_ms = KUBE_TIME_NONE;
		for (size_t i = 0; i < set->count; i++)
			if (next_start(&set->items[i], when_ms, limit_ms, &start_ms) &&
			    (next_ms == KUBE_TIME_NONE || start_ms < next_ms))
				next_ms = start_ms;
		when_ms = next_ms;
	}
	return false;
}
