/* No grant outside a window or inside a freeze. What is drawn goes by UTC, and its schedules are "minute hours * * *".
 */
#include "test/sim/check.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MIN (24 * 60)

static bool cron_begins(const char *schedule, int64_t minute)
{
	int64_t of_hour = strtoll(schedule, NULL, 10), hour = minute % DAY_MIN / 60;
	const char *every = strstr(schedule, "*/");

	return minute % 60 == of_hour && (!every || hour % strtoll(every + 2, NULL, 10) == 0);
}

/* In a minute since 1970, which began on a Thursday. */
static bool begins(const struct window_spec *window, int64_t minute)
{
	int64_t day = (minute / DAY_MIN + 4) % 7;

	if (window->type == WINDOW_CRON)
		return cron_begins(window->schedule, minute);
	return (window->days & (1u << day)) && minute % DAY_MIN == window->start_min;
}

static bool window_open(const struct window_spec *window, int64_t at_ms)
{
	int64_t minute = at_ms / MINUTE_MS;

	for (; minute * MINUTE_MS + window->duration_ms > at_ms; minute--)
		if (begins(window, minute))
			return true;
	return false;
}

/* bypassed: bits by enum bypass. */
static bool is_open(const struct rules *rules, unsigned bypassed, int64_t at_ms)
{
	bool open = rules->windows.count == 0 || (bypassed & 1u << BYPASS_WINDOWS);

	for (size_t i = 0; i < rules->windows.count; i++)
		open |= window_open(&rules->windows.items[i], at_ms);
	for (size_t i = 0; i < rules->freezes.count && !(bypassed & 1u << BYPASS_FREEZES); i++)
		open &= at_ms < rules->freezes.items[i].from_ms || at_ms >= rules->freezes.items[i].to_ms;
	return open;
}

/* What was decided while it was open may come a moment late; the Date header tells the time by whole seconds. */
void check_window(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                  const struct active *grant, unsigned sender)
{
	int64_t now_ms = world_now_ms(checks->world);
	unsigned bypassed = 0;

	for (unsigned what = BYPASS_WINDOWS; what <= BYPASS_FREEZES; what++)
		bypassed |= may_override(checks, seen, rules, (enum bypass)what, sender) ? 1u << what : 0;

	for (int64_t at_ms = now_ms + 1000; at_ms >= now_ms - checks->world->decision_ms; at_ms -= 1000)
		if (is_open(rules, bypassed, at_ms))
			return;
	world_fail(checks->world, "node %s is granted while no window is open, or in a freeze", grant->node);
}
