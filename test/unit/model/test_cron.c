/* Cron schedules: what is one, and when it fires next and did last. test/oracle asks the same of thousands more. */
#include "controller/model/cron.h"

#include "test/unit/check_main.h"

#include <kube/mem.h>
#include <kube/time.h>
#include <string.h>

#define YEAR (INT64_C(366) * 86400)

static int64_t at(const char *text)
{
	int64_t ms;
	ck_assert_int_eq(kube_time_parse(text, &ms, NULL), 0);
	return ms / 1000;
}

static struct cron cron_of(const char *text)
{
	struct cron cron;
	struct kube_err err = {0};
	ck_assert_msg(cron_parse(text, &cron, &err) == 0, "%s: %s", text, err.message);
	return cron;
}

START_TEST(fields)
{
	static const struct {
		const char *text;
		uint64_t minutes;
		uint32_t hours, days, months, weekdays;
	} rows[] = {
	    {"0 0 1 1 0", 1, 1, 1 << 1, 1 << 1, 1},
	    {"1,3-5 0 1 1 0", 2 | 8 | 16 | 32, 1, 2, 2, 1},
	    {"*/30 */12 1 1 0", 1 | UINT64_C(1) << 30, 1 | 1 << 12, 2, 2, 1},
	    {"50/5 20-23/2 1 1 0", UINT64_C(1) << 50 | UINT64_C(1) << 55, 1 << 20 | 1 << 22, 2, 2, 1},
	    {"0 0 31 JAN,dec 7", 1, 1, UINT32_C(1) << 31, 2 | 1 << 12, 1},
	    {"0 0 1 Mar-may Fri-Sun", 1, 1, 2, 8 | 16 | 32, 1 << 5 | 1 << 6 | 1},
	    {" 0\t0  1 1 5-7 ", 1, 1, 2, 2, 1 << 5 | 1 << 6 | 1},
	    {"0 0 1 1 SUN-TUE", 1, 1, 2, 2, 7},
	    {"0 0 * * *", 1, 1, 0xfffffffe, 0x1ffe, 0x7f},
	    {"0 0 1 1 */2", 1, 1, 2, 2, 1 | 4 | 16 | 64},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct cron cron = cron_of(rows[i].text);
		ck_assert_msg(cron.minutes == rows[i].minutes && cron.hours == rows[i].hours && cron.days == rows[i].days &&
		                  cron.months == rows[i].months && cron.weekdays == rows[i].weekdays,
		              "%s", rows[i].text);
	}
	ck_assert(cron_of("0 0 * 1 1").any_day && !cron_of("0 0 */2 1 1").any_day && !cron_of("0 0 1-31 1 1").any_day);
	ck_assert(cron_of("0 0 1 1 *").any_weekday && !cron_of("0 0 1 1 0-6").any_weekday);
}
END_TEST

START_TEST(what_is_none)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {"", "it has 0 of 5 fields"},
	    {"0 2 * *", "it has 4 of 5 fields"},
	    {"0 2 * * * *", "more than 5"},
	    {"@daily", "\"@daily\" is no minute"},
	    {"TZ=UTC 0 2 * * *", "is no minute"},
	    {"60 2 * * *", "\"60\" is no minute: it takes *, numbers from 0 to 59"},
	    {"0 24 * * *", "is no hour"},
	    {"0 2 0 * *", "is no day of month"},
	    {"0 2 32 * *", "is no day of month"},
	    {"0 2 L * *", "\"L\" is no day of month"},
	    {"0 2 15W * *", "\"15W\" is no day of month"},
	    {"0 2 ? * 1", "is no day of month"},
	    {"0 2 * 13 *", "is no month: it takes *, numbers from 1 to 12 or JAN to DEC"},
	    {"0 2 * JANUARY *", "is no month"},
	    {"0 2 * * 8", "is no day of week"},
	    {"0 2 * * 5L", "is no day of week"},
	    {"0 2 * * MON#2", "is no day of week"},
	    {"5-1 2 * * *", "is no minute"},
	    {"*/0 2 * * *", "is no minute"},
	    {"*/ 2 * * *", "is no minute"},
	    {"1- 2 * * *", "is no minute"},
	    {"-1 2 * * *", "is no minute"},
	    {"1, 2 * * *", "is no minute"},
	    {",1 2 * * *", "is no minute"},
	    {"1,,2 2 * * *", "is no minute"},
	    {"1-2-3 2 * * *", "is no minute"},
	    {"** 2 * * *", "is no minute"},
	    {"99999999999999999999 2 * * *", "is no minute"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct cron cron = {0};
		struct kube_err err = {0};
		ck_assert_msg(cron_parse(rows[i].text, &cron, &err) == KUBE_E_INVALID, "taken: \"%s\"", rows[i].text);
		ck_assert_msg(strstr(err.message, rows[i].says) != NULL, "\"%s\" does not say %s", err.message, rows[i].says);
		ck_assert_int_eq((int)cron.hours, 0);
	}
}
END_TEST

START_TEST(next_and_previous)
{
	static const struct {
		const char *text, *at, *next, *previous;
	} rows[] = {
	    {"0 2 * * *", "2026-11-21T01:59:59Z", "2026-11-21T02:00:00Z", "2026-11-20T02:00:00Z"},
	    {"0 2 * * *", "2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z", "2026-11-21T02:00:00Z"},
	    {"0 2 * * *", "2026-11-21T02:00:59Z", "2026-11-22T02:00:00Z", "2026-11-21T02:00:00Z"},
	    {"*/20 8,17 * * *", "2026-11-21T08:40:00Z", "2026-11-21T17:00:00Z", "2026-11-21T08:40:00Z"},
	    {"59 23 31 12 *", "2026-01-01T00:00:00Z", "2026-12-31T23:59:00Z", "2025-12-31T23:59:00Z"},
	    {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
	    /* Fridays, and every 13th: either will do */
	    {"0 0 13 * 5", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-13T00:00:00Z"},
	    {"0 0 13 * 5", "2026-12-12T00:00:00Z", "2026-12-13T00:00:00Z", "2026-12-11T00:00:00Z"},
	    {"0 0 * * 5", "2026-12-12T00:00:00Z", "2026-12-18T00:00:00Z", "2026-12-11T00:00:00Z"},
	    {"0 0 13 * *", "2026-12-14T00:00:00Z", "2027-01-13T00:00:00Z", "2026-12-13T00:00:00Z"},
	    {"0 0 * JUN *", "2026-07-01T00:00:00Z", "2027-06-01T00:00:00Z", "2026-06-30T00:00:00Z"},
	    {"0 0 * * *", "1969-12-31T12:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31T00:00:00Z"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct cron cron = cron_of(rows[i].text);
		int64_t now = at(rows[i].at), got = 0;
		ck_assert(cron_next(&cron, now, now + 3 * YEAR, &got));
		ck_assert_msg(got == at(rows[i].next), "%s behind %s", rows[i].text, rows[i].at);
		ck_assert(cron_previous(&cron, now, now - 3 * YEAR, &got));
		ck_assert_msg(got == at(rows[i].previous), "%s before %s", rows[i].text, rows[i].at);
	}
}
END_TEST

START_TEST(limits)
{
	struct cron cron = cron_of("0 12 1 1 *");
	int64_t newyear = at("2027-01-01T12:00:00Z"), got = 7;
	ck_assert(!cron_next(&cron, newyear - 86400, newyear - 1, &got));
	ck_assert(cron_next(&cron, newyear - 86400, newyear, &got));
	ck_assert(!cron_previous(&cron, newyear + 86400, newyear + 1, &got));
	ck_assert(cron_previous(&cron, newyear + 86400, newyear, &got));
	ck_assert_int_eq(got, newyear);
}
END_TEST

START_TEST(days_that_never_come)
{
	static const char *const never[] = {"0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30-31 FEB *"};
	static const char *const some[] = {"0 0 29 2 *", "0 0 31 4,5 *", "0 0 30 2 1", "0 0 * 2 *", "0 0 30,1 2 *"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(never); i++) {
		struct cron cron = cron_of(never[i]);
		ck_assert_msg(!cron_ever(&cron), "%s", never[i]);
	}
	for (size_t i = 0; i < KUBE_ARRAY_LEN(some); i++) {
		struct cron cron = cron_of(some[i]);
		ck_assert_msg(cron_ever(&cron), "%s", some[i]);
	}
}
END_TEST

START_TEST(weekly)
{
	struct cron cron = cron_weekly(1 << 6 | 1, 150); /* Saturday and Sunday at 02:30 */
	int64_t got;
	ck_assert(cron_next(&cron, at("2026-11-16T00:00:00Z"), at("2027-01-01T00:00:00Z"), &got));
	ck_assert_int_eq(got, at("2026-11-21T02:30:00Z"));
	ck_assert(cron_next(&cron, got, at("2027-01-01T00:00:00Z"), &got));
	ck_assert_int_eq(got, at("2026-11-22T02:30:00Z"));
	ck_assert(cron_ever(&cron));
}
END_TEST

CHECK_MAIN("cron", fields, what_is_none, next_and_previous, limits, days_that_never_come, weekly)
