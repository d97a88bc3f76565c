#include "controller/model/cron.h"
#include "controller/model/civil.h"

#include <kube/mem.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"
#define FIELDS 5
#define ALL_DAYS 0xfffffffeu
#define ALL_MONTHS 0x1ffeu
#define ALL_WEEKDAYS 0x7fu

static const char *const month_words[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                          "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const weekday_words[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};

static const struct field {
	const char *name;
	unsigned low, high;
	const char *const *words; /* of low, low + 1, …; NULL: none */
	const char *takes;
} fields[FIELDS] = {
    {"minute", 0, 59, NULL, "0 to 59"},
    {"hour", 0, 23, NULL, "0 to 23"},
    {"day of month", 1, 31, NULL, "1 to 31"},
    {"month", 1, 12, month_words, "1 to 12 or JAN to DEC"},
    {"day of week", 0, 7, weekday_words, "0 to 7 or SUN to SAT"},
};

/* ---- reading ---- */

static bool take_number(const char **text, unsigned *ret_value)
{
	unsigned value = 0, digits = 0;

	for (; **text >= '0' && **text <= '9' && digits < 4; (*text)++, digits++)
		value = value * 10 + (unsigned)(**text - '0');
	*ret_value = value;
	return digits > 0;
}

static bool take_value(const struct field *field, const char **text, unsigned *ret_value)
{
	if (take_number(text, ret_value))
		return *ret_value >= field->low && *ret_value <= field->high;
	for (unsigned i = 0; field->words && field->words[i]; i++) {
		if (strncasecmp(*text, field->words[i], 3) != 0)
			continue;
		*text += 3;
		*ret_value = field->low + i;
		return true;
	}
	return false;
}

/* "*", "5", "1-5"; *ret_open: a number without an end, which a step lets go on to the last one. */
static bool take_range(const struct field *field, const char **text, unsigned *ret_low, unsigned *ret_high,
                       bool *ret_open)
{
	*ret_low = field->low;
	*ret_high = field->high;
	*ret_open = false;
	if (**text == '*') {
		(*text)++;
		return true;
	}
	if (!take_value(field, text, ret_low))
		return false;
	*ret_open = **text != '-';
	if (*ret_open)
		return true;
	(*text)++;
	if (!take_value(field, text, ret_high))
		return false;
	if (field->words == weekday_words && *ret_high == 0 && *ret_low > 0)
		*ret_high = 7; /* FRI-SUN */
	return *ret_low <= *ret_high;
}

static bool take_item(const struct field *field, const char **text, uint64_t *bits)
{
	unsigned low, high, step = 1;
	bool open;

	if (!take_range(field, text, &low, &high, &open))
		return false;
	if (**text == '/') {
		(*text)++;
		if (!take_number(text, &step) || step == 0)
			return false;
	} else if (open) {
		high = low;
	}
	for (unsigned value = low; value <= high; value += step)
		*bits |= UINT64_C(1) << value;
	return true;
}

static bool take_list(const struct field *field, const char **text, uint64_t *ret_bits)
{
	*ret_bits = 0;
	for (;;) {
		if (!take_item(field, text, ret_bits))
			return false;
		if (**text != ',')
			return **text == '\0' || strchr(BLANKS, **text) != NULL;
		(*text)++;
	}
}

static int refuse(const struct field *field, const char *text, struct kube_err *err)
{
	return kube_fail(err, KUBE_E_INVALID,
	                 "\"%.*s\" is no %s: it takes *, numbers from %s, ranges such as %u-%u, steps such as */%u, and "
	                 "lists of these with commas",
	                 (int)strcspn(text, BLANKS), text, field->name, field->takes, field->low + 1, field->low + 3,
	                 field->low + 2);
}

static bool is_star(const char *text)
{
	return text[0] == '*' && (text[1] == '\0' || strchr(BLANKS, text[1]));
}

int cron_parse(const char *text, struct cron *ret_cron, struct kube_err *err)
{
	uint64_t bits[FIELDS];
	bool star[FIELDS];

	for (size_t i = 0; i < FIELDS; i++) {
		text += strspn(text, BLANKS);
		if (!*text)
			return kube_fail(err, KUBE_E_INVALID,
			                 "it has %zu of 5 fields: minute, hour, day of month, month, day of week", i);
		const char *field = text;
		star[i] = is_star(text);
		if (!take_list(&fields[i], &text, &bits[i]))
			return refuse(&fields[i], field, err);
	}
	if (text[strspn(text, BLANKS)])
		return kube_fail(err, KUBE_E_INVALID,
		                 "it has more than 5 fields: minute, hour, day of month, month, day of week");
	*ret_cron = (struct cron){
	    .minutes = bits[0],
	    .hours = (uint32_t)bits[1],
	    .days = (uint32_t)bits[2],
	    .months = (uint32_t)bits[3],
	    .weekdays = (uint32_t)(bits[4] | bits[4] >> 7) & ALL_WEEKDAYS,
	    .any_day = star[2],
	    .any_weekday = star[4],
	};
	return 0;
}

struct cron cron_weekly(uint32_t weekdays, int minute_of_day)
{
	return (struct cron){
	    .minutes = UINT64_C(1) << minute_of_day % 60,
	    .hours = UINT32_C(1) << minute_of_day / 60,
	    .days = ALL_DAYS,
	    .months = ALL_MONTHS,
	    .weekdays = weekdays & ALL_WEEKDAYS,
	    .any_day = true,
	};
}

/* ---- what matches ---- */

bool cron_ever(const struct cron *cron)
{
	if (!cron->any_weekday)
		return true; /* each month has every weekday */
	for (int month = 1; month <= 12; month++) {
		int last = civil_month_days(2000, month); /* a leap year */
		if (cron->months >> month & 1 && cron->days & (UINT32_MAX >> (31 - last)) & ALL_DAYS)
			return true;
	}
	return false;
}

static bool day_matches(const struct cron *cron, int64_t days)
{
	struct civil date = civil_date(days);
	bool day = cron->days >> date.day & 1, weekday = cron->weekdays >> civil_weekday(days) & 1;

	if (!(cron->months >> date.month & 1))
		return false;
	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first matching minute of a day from this one on; -1: none. */
static int minute_from(const struct cron *cron, int minute_of_day)
{
	for (int hour = minute_of_day / 60, minute = minute_of_day % 60; hour < 24; hour++, minute = 0) {
		uint64_t later = cron->minutes >> minute << minute;
		if (cron->hours >> hour & 1 && later)
			return hour * 60 + __builtin_ctzll(later);
	}
	return -1;
}

static int minute_up_to(const struct cron *cron, int minute_of_day)
{
	for (int hour = minute_of_day / 60, minute = minute_of_day % 60; hour >= 0; hour--, minute = 59) {
		uint64_t earlier = cron->minutes & (UINT64_MAX >> (63 - minute));
		if (cron->hours >> hour & 1 && earlier)
			return hour * 60 + 63 - __builtin_clzll(earlier);
	}
	return -1;
}

bool cron_next(const struct cron *cron, int64_t after_s, int64_t limit_s, int64_t *ret_local_s)
{
	int64_t first_minute = floor_div(after_s, 60) + 1, day = floor_div(first_minute, 24 * 60);
	int from = (int)(first_minute - day * 24 * 60);

	for (; day * DAY_S <= limit_s; day++, from = 0) {
		int minute = day_matches(cron, day) ? minute_from(cron, from) : -1;
		int64_t local_s = day * DAY_S + minute * 60;
		if (minute < 0)
			continue;
		*ret_local_s = local_s;
		return local_s <= limit_s;
	}
	return false;
}

bool cron_previous(const struct cron *cron, int64_t until_s, int64_t limit_s, int64_t *ret_local_s)
{
	int64_t day = floor_div(until_s, DAY_S);
	int up_to = (int)((until_s - day * DAY_S) / 60);

	for (; (day + 1) * DAY_S > limit_s; day--, up_to = 24 * 60 - 1) {
		int minute = day_matches(cron, day) ? minute_up_to(cron, up_to) : -1;
		int64_t local_s = day * DAY_S + minute * 60;
		if (minute < 0)
			continue;
		*ret_local_s = local_s;
		return local_s >= limit_s;
	}
	return false;
}
