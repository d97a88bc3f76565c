/* The TZ strings of POSIX, with the extensions of RFC 9636: quoted names, times from -167 to 167 hours. */
#include "controller/model/civil.h"
#include "controller/model/zone_internal.h"

#include <string.h>

#define MAX_ZONE_HOURS 24
#define MAX_RULE_HOURS 167
#define LAST_YEAR 9999 /* of RFC 3339 */

/* ---- reading ---- */

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* One to three digits, of a value in [low, high]. */
static bool take_number(const char **text, int low, int high, int *ret_value)
{
	int value = 0, digits = 0;

	for (; **text >= '0' && **text <= '9' && digits < 3; (*text)++, digits++)
		value = value * 10 + (**text - '0');
	*ret_value = value;
	return digits > 0 && value >= low && value <= high;
}

/* "CET", "<+0530>" */
static bool take_name(const char **text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	bool quoted = take_char(text, '<');
	size_t len = quoted ? strcspn(*text, ">") : strspn(*text, letters);

	*text += len;
	return len > 0 && (!quoted || take_char(text, '>'));
}

/* "3", "-5:30", "02:00:00" */
static bool take_time(const char **text, int max_hours, int64_t *ret_s)
{
	int sign = take_char(text, '-') ? -1 : 1, hours = 0, minutes = 0, seconds = 0;

	if (sign > 0)
		take_char(text, '+');
	if (!take_number(text, 0, max_hours, &hours))
		return false;
	if (take_char(text, ':') && !take_number(text, 0, 59, &minutes))
		return false;
	if (take_char(text, ':') && !take_number(text, 0, 59, &seconds))
		return false;
	*ret_s = sign * ((int64_t)hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool take_day(const char **text, struct tz_date *date)
{
	if (take_char(text, 'M')) {
		date->type = TZ_DATE_MONTH;
		return take_number(text, 1, 12, &date->month) && take_char(text, '.') && take_number(text, 1, 5, &date->week) &&
		       take_char(text, '.') && take_number(text, 0, 6, &date->weekday);
	}
	bool julian = take_char(text, 'J');
	date->type = julian ? TZ_DATE_JULIAN : TZ_DATE_DAY;
	return take_number(text, julian, 365, &date->day);
}

/* ",M3.5.0/3" */
static bool take_date(const char **text, struct tz_date *date)
{
	date->time_s = 2 * 3600;
	if (!take_char(text, ',') || !take_day(text, date))
		return false;
	return !take_char(text, '/') || take_time(text, MAX_RULE_HOURS, &date->time_s);
}

/* POSIX counts offsets westwards. */
static bool take_all(const char *text, struct posix_tz *tz)
{
	int64_t west_s;

	if (!take_name(&text) || !take_time(&text, MAX_ZONE_HOURS, &west_s))
		return false;
	tz->standard_s = -west_s;
	if (!*text)
		return true;
	tz->has_dst = true;
	tz->dst_s = tz->standard_s + 3600;
	if (!take_name(&text))
		return false;
	if (*text != ',') {
		if (!take_time(&text, MAX_ZONE_HOURS, &west_s))
			return false;
		tz->dst_s = -west_s;
	}
	return take_date(&text, &tz->start) && take_date(&text, &tz->end) && !*text;
}

int posix_tz_parse(const char *text, struct posix_tz *ret_tz, struct kube_err *err)
{
	struct posix_tz tz = {0};

	if (!take_all(text, &tz))
		return kube_fail(err, KUBE_E_PARSE, "its rule for the future, \"%.80s\", is no TZ string", text);
	*ret_tz = tz;
	return 0;
}

/* ---- what it says ---- */

static int64_t month_day(int64_t year, const struct tz_date *date)
{
	int64_t first = civil_days(year, date->month, 1);
	int day = 1 + (date->weekday - civil_weekday(first) + 7) % 7 + 7 * (date->week - 1);

	while (day > civil_month_days(year, date->month))
		day -= 7;
	return first + day - 1;
}

/* The local time of a change in a year, as clocks show it before they change. */
static int64_t local_change(int64_t year, const struct tz_date *date)
{
	int64_t days = civil_days(year, 1, 1);

	switch (date->type) {
	case TZ_DATE_MONTH: days = month_day(year, date); break;
	case TZ_DATE_DAY: days += date->day; break;
	case TZ_DATE_JULIAN: days += date->day - 1 + (civil_leap_year(year) && date->day > 59); break;
	}
	return days * DAY_S + date->time_s;
}

struct change {
	int64_t at_s;
	bool to_dst;
};

/* Where both fall on one instant, daylight-saving time goes on: it ends and starts again. */
static bool before(const struct change *a, const struct change *b)
{
	return a->at_s != b->at_s ? a->at_s < b->at_s : b->to_dst && !a->to_dst;
}

static void insert(struct change *changes, size_t count, struct change change)
{
	for (; count > 0 && before(&change, &changes[count - 1]); count--)
		changes[count] = changes[count - 1];
	changes[count] = change;
}

/*
 * The changes of a year and of those around it, in order. A change may lie a week outside its year, so that the last
 * one before a new year's day may be of the year before the last.
 */
static size_t changes_around(const struct posix_tz *tz, int64_t year, struct change changes[8])
{
	size_t count = 0;

	for (int64_t y = year - 2; y <= year + 1; y++) {
		insert(changes, count++, (struct change){.at_s = local_change(y, &tz->start) - tz->standard_s, .to_dst = true});
		insert(changes, count++, (struct change){.at_s = local_change(y, &tz->end) - tz->dst_s});
	}
	return count;
}

struct zone_span posix_tz_span(const struct posix_tz *tz, int64_t at_s)
{
	struct zone_span span = {.from_s = -ZONE_FOREVER_S, .until_s = ZONE_FOREVER_S, .offset_s = tz->standard_s};
	int64_t year = civil_date(floor_div(at_s, DAY_S)).year;
	struct change changes[8];

	if (!tz->has_dst || year < 0 || year > LAST_YEAR)
		return span;
	size_t count = changes_around(tz, year, changes), behind = 0;
	while (behind < count && changes[behind].at_s <= at_s)
		behind++;
	bool dst = behind > 0 ? changes[behind - 1].to_dst : !changes[0].to_dst;
	span.offset_s = dst ? tz->dst_s : tz->standard_s;
	if (behind > 0)
		span.from_s = changes[behind - 1].at_s;
	if (behind < count)
		span.until_s = changes[behind].at_s;
	return span;
}
