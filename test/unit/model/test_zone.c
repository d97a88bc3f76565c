/* Time zones: TZif files made by hand, TZ strings, and the way between instants and clocks. */
#include "controller/model/civil.h"
#include "controller/model/zone.h"

#include "test/unit/check_main.h"
#include "test/unit/tzif.h"

#include <kube/buf.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define HOUR INT64_C(3600)

static struct kube_arena arena;

__attribute__((destructor)) static void put_away(void)
{
	kube_arena_finish(&arena);
}

/* ---- files made by hand ---- */

struct file {
	char version;
	uint32_t times, types, leaps, chars;
	int64_t at[8];
	uint8_t type[8];
	int32_t offsets[8];
	const char *tail; /* with its newlines */
};

static void put(struct kube_buf *buf, uint64_t value, size_t len)
{
	for (size_t i = len; i-- > 0;) {
		char byte = (char)(i < sizeof(value) ? value >> (8 * i) : 0);
		ck_assert_int_eq(kube_buf_add(buf, &byte, 1), 0);
	}
}

static void put_header(struct kube_buf *buf, const struct file *file, bool empty)
{
	static const char reserved[15];
	const uint32_t counts[6] = {0, 0, file->leaps, file->times, file->types, file->chars};

	kube_buf_add(buf, "TZif", 4);
	put(buf, (uint8_t)file->version, 1);
	kube_buf_add(buf, reserved, sizeof(reserved));
	for (size_t i = 0; i < KUBE_ARRAY_LEN(counts); i++)
		put(buf, empty ? 0 : counts[i], 4);
}

static void put_file(struct kube_buf *buf, const struct file *file)
{
	kube_buf_init(buf, 4096);
	put_header(buf, file, true);
	put_header(buf, file, false);
	for (size_t i = 0; i < file->times; i++)
		put(buf, (uint64_t)file->at[i], 8);
	for (size_t i = 0; i < file->times; i++)
		put(buf, file->type[i], 1);
	for (size_t i = 0; i < file->types; i++) {
		put(buf, (uint32_t)file->offsets[i], 4);
		put(buf, 0, 2);
	}
	put(buf, 0, file->chars);
	for (size_t i = 0; i < file->leaps; i++)
		put(buf, 0, 12);
	kube_buf_adds(buf, file->tail);
}

static const struct zone *zone_of(const struct file *file)
{
	_cleanup_buf_ struct kube_buf buf = {0};
	const struct zone *zone = NULL;
	struct kube_err err = {0};

	put_file(&buf, file);
	ck_assert_msg(zone_decode(buf.data, buf.len, &arena, &zone, &err) == 0, "%s", err.message);
	return zone;
}

static int64_t at(const char *text)
{
	int64_t ms;
	ck_assert_int_eq(kube_time_parse(text, &ms, NULL), 0);
	return ms / 1000;
}

/* ---- tests ---- */

START_TEST(days_and_dates)
{
	static const struct {
		int64_t year;
		int month, day;
		int64_t days;
		int weekday;
	} rows[] = {
	    {1970, 1, 1, 0, 4},        {1969, 12, 31, -1, 3},  {2000, 2, 29, 11016, 2}, {2026, 11, 21, 20778, 6},
	    {1600, 2, 29, -135081, 2}, {2100, 3, 1, 47541, 1}, {0, 3, 1, -719468, 3},   {9999, 12, 31, 2932896, 5},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct civil date = civil_date(rows[i].days);
		ck_assert_int_eq(civil_days(rows[i].year, rows[i].month, rows[i].day), rows[i].days);
		ck_assert(date.year == rows[i].year && date.month == rows[i].month && date.day == rows[i].day);
		ck_assert_int_eq(civil_weekday(rows[i].days), rows[i].weekday);
	}
	ck_assert(civil_leap_year(2024) && civil_leap_year(2000) && !civil_leap_year(2100) && !civil_leap_year(2026));
	ck_assert_int_eq(civil_month_days(2024, 2), 29);
	ck_assert_int_eq(civil_month_days(2023, 2), 28);
	ck_assert_int_eq(floor_div(-1, 60), -1);
	ck_assert_int_eq(floor_div(-60, 60), -1);
	ck_assert_int_eq(floor_div(59, 60), 0);
}
END_TEST

START_TEST(a_table_of_transitions)
{
	static const struct file file = {.version = '2',
	                                 .times = 3,
	                                 .types = 3,
	                                 .at = {1000, 2000, 3000},
	                                 .type = {1, 2, 0},
	                                 .offsets = {60, -120, 180},
	                                 .chars = 4,
	                                 .tail = "\n\n"};
	const struct zone *zone = zone_of(&file);
	static const struct {
		int64_t at_s, offset_s;
	} rows[] = {{-1000000, 60}, {999, 60},   {1000, -120}, {1999, -120},
	            {2000, 180},    {2999, 180}, {3000, 60},   {1 << 30, 60}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct zone_span span = zone_span_at(zone, rows[i].at_s);
		ck_assert_int_eq(span.offset_s, rows[i].offset_s);
		ck_assert(span.from_s <= rows[i].at_s && rows[i].at_s < span.until_s);
	}
}
END_TEST

/* The table ends with 2025; the rule goes on. */
START_TEST(behind_the_table_the_rule_counts)
{
	struct file file = {.version = '3',
	                    .times = 1,
	                    .types = 2,
	                    .at = {at("2025-10-26T01:00:00Z")},
	                    .type = {1},
	                    .offsets = {7200, 3600},
	                    .tail = "\nCET-1CEST,M3.5.0,M10.5.0/3\n"};
	const struct zone *zone = zone_of(&file);

	ck_assert_int_eq(zone_span_at(zone, at("2025-10-26T00:59:59Z")).offset_s, 7200);
	ck_assert_int_eq(zone_span_at(zone, at("2025-10-26T01:00:00Z")).offset_s, 3600);
	ck_assert_int_eq(zone_span_at(zone, at("2026-03-29T00:59:59Z")).offset_s, 3600);
	ck_assert_int_eq(zone_span_at(zone, at("2026-03-29T01:00:00Z")).offset_s, 7200);
	ck_assert_int_eq(zone_span_at(zone, at("2400-07-01T00:00:00Z")).offset_s, 7200);
	ck_assert_int_eq(zone_span_at(zone, at("2025-12-01T00:00:00Z")).from_s, file.at[0]);
}
END_TEST

START_TEST(rules)
{
	static const struct {
		const char *tz, *at;
		int64_t offset_s;
	} rows[] = {
	    {"EST5", "2026-07-01T00:00:00Z", -5 * HOUR},
	    {"<+0545>-5:45", "2026-07-01T00:00:00Z", 5 * HOUR + 2700},
	    {"<-03>3", "2026-07-01T00:00:00Z", -3 * HOUR},
	    {"XYZ-1:02:03", "2026-07-01T00:00:00Z", HOUR + 123},
	    {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -5 * HOUR},
	    {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -4 * HOUR},
	    {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59Z", -4 * HOUR},
	    {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -5 * HOUR},
	    /* the southern summer goes over the new year; half an hour */
	    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-01-01T00:00:00Z", 11 * HOUR},
	    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-07-01T00:00:00Z", 10 * HOUR + 1800},
	    /* winter time as the exception */
	    {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00Z", HOUR},
	    {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-12-01T00:00:00Z", 0},
	    /* times before the day and days behind it */
	    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -2 * HOUR},
	    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -HOUR},
	    {"IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-26T23:59:59Z", 2 * HOUR},
	    {"IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 3 * HOUR},
	    /* the day of the year, without and with leap days */
	    {"AAA0BBB,J60/0,J300/0", "2024-02-29T23:59:59Z", 0},
	    {"AAA0BBB,J60/0,J300/0", "2024-03-01T00:00:00Z", HOUR},
	    {"AAA0BBB,59/0,300/0", "2024-02-28T23:59:59Z", 0},
	    {"AAA0BBB,59/0,300/0", "2024-02-29T00:00:00Z", HOUR},
	    /* summer time all the year round */
	    {"XXX3EDT4,0/0,J365/23", "2026-12-31T23:59:59Z", -4 * HOUR},
	    {"XXX3EDT4,0/0,J365/23", "2027-01-01T03:00:00Z", -4 * HOUR},
	    {"XXX3EDT4,0/0,J365/23", "2027-07-01T00:00:00Z", -4 * HOUR},
	    /* it ends after it has begun again */
	    {"XXX3EDT8,0/0,J365/23", "2027-01-01T02:59:59Z", -3 * HOUR},
	    {"XXX3EDT8,0/0,J365/23", "2027-01-01T03:00:00Z", -8 * HOUR},
	    {"XXX3EDT8,0/0,J365/23", "2027-01-01T07:00:00Z", -3 * HOUR},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct zone_span span = zone_span_at(zone_of_rule(rows[i].tz, &arena), at(rows[i].at));
		ck_assert_msg(span.offset_s == rows[i].offset_s, "%s at %s: %lld", rows[i].tz, rows[i].at,
		              (long long)span.offset_s);
		ck_assert(span.from_s <= at(rows[i].at) && at(rows[i].at) < span.until_s);
	}
}
END_TEST

START_TEST(what_is_no_rule)
{
	static const char *const rows[] = {
	    "X",
	    "CET",
	    "CET-",
	    "CET-25",
	    "CET-1:60",
	    "<CET-1",
	    "<>-1",
	    "CET-1CEST",
	    "CET-1CEST,M3",
	    "CET-1CEST,M3.5.0",
	    "CET-1C,M13.5.0,M1.1.0",
	    "C-1D,M3.6.0,M1.1.0",
	    "C-1D,M3.5.7,M1.1.0",
	    "C-1D,J0,J9",
	    "C-1D,366,9",
	    "C-1D,J1/168,J9",
	    "C-1D,J1,J9x",
	    "C-1D,J1,J9,J10",
	    "C-1D-,J1,J9",
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct kube_buf buf = {0};
		const struct zone *zone = NULL;
		char tail[100];
		snprintf(tail, sizeof(tail), "\n%s\n", rows[i]);
		put_file(&buf, &(struct file){.version = '2', .types = 1, .tail = tail});
		ck_assert_msg(zone_decode(buf.data, buf.len, &arena, &zone, NULL) == KUBE_E_PARSE, "taken: %s", rows[i]);
		ck_assert_ptr_null(zone);
	}
}
END_TEST

START_TEST(what_is_no_file)
{
	static const struct {
		struct file file;
		const char *says;
	} rows[] = {
	    {{.version = '\0', .types = 1, .tail = ""}, "version 1"},
	    {{.version = '2', .types = 0, .tail = "\n\n"}, "no local time types"},
	    {{.version = '2', .types = 1, .tail = ""}, "line behind"},
	    {{.version = '2', .types = 1, .tail = "\nEST5"}, "line behind"},
	    {{.version = '2', .types = 1, .leaps = 1, .tail = "\n\n"}, "leap seconds"},
	    {{.version = '2', .types = 1, .offsets = {100000}, .tail = "\n\n"}, "longer than a day"},
	    {{.version = '2', .types = 1, .times = 1, .type = {1}, .tail = "\n\n"}, "not there"},
	    {{.version = '2', .types = 1, .times = 2, .at = {5, 5}, .tail = "\n\n"}, "not in order"},
	    {{.version = '2', .types = 1, .times = 1, .at = {INT64_MAX}, .tail = "\n\n"}, "beyond"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct kube_buf buf = {0};
		const struct zone *zone = NULL;
		struct kube_err err = {0};
		put_file(&buf, &rows[i].file);
		ck_assert_int_eq(zone_decode(buf.data, buf.len, &arena, &zone, &err), KUBE_E_PARSE);
		ck_assert_msg(strstr(err.message, rows[i].says) != NULL, "\"%s\" does not say %s", err.message, rows[i].says);
	}
	struct kube_err err = {0};
	const struct zone *zone = NULL;
	ck_assert_int_eq(zone_decode("# tzdata", 8, &arena, &zone, &err), KUBE_E_PARSE);
	ck_assert_ptr_nonnull(strstr(err.message, "TZif"));
}
END_TEST

/* Cut off anywhere, or with any byte replaced, a file is refused or read, and nothing is read beyond its end. */
START_TEST(broken_files)
{
	static const struct file file = {.version = '2',
	                                 .times = 2,
	                                 .types = 2,
	                                 .at = {1000, 2000},
	                                 .type = {1, 0},
	                                 .offsets = {3600, 7200},
	                                 .chars = 4,
	                                 .tail = "\nCET-1CEST,M3.5.0,M10.5.0/3\n"};
	_cleanup_buf_ struct kube_buf buf = {0};

	put_file(&buf, &file);
	for (size_t len = 0; len < buf.len; len++) {
		const struct zone *zone = NULL;
		_cleanup_free_ char *copy = malloc(len ? len : 1);
		memcpy(copy, buf.data, len);
		ck_assert_int_eq(zone_decode(copy, len, &arena, &zone, NULL), KUBE_E_PARSE);
	}
	for (size_t i = 0; i < buf.len; i++) {
		char before = buf.data[i];
		for (int value = 0; value < 256; value += 5) {
			const struct zone *zone = NULL;
			struct kube_arena own __attribute__((cleanup(kube_arena_finish))) = {0};
			buf.data[i] = (char)value;
			if (zone_decode(buf.data, buf.len, &own, &zone, NULL) == 0)
				zone_latest_local(zone, zone_first_instant(zone, 1800000000));
		}
		buf.data[i] = before;
	}
}
END_TEST

/* Berlin's clocks: 02:00 to 03:00 is skipped on 29 March 2026, and shown twice on 25 October. */
START_TEST(clocks)
{
	static const struct {
		const char *local, *instant;
	} rows[] = {
	    {"2026-01-10T02:00:00Z", "2026-01-10T01:00:00Z"}, {"2026-07-10T02:00:00Z", "2026-07-10T00:00:00Z"},
	    {"2026-03-29T01:59:00Z", "2026-03-29T00:59:00Z"}, {"2026-03-29T02:00:00Z", "2026-03-29T01:00:00Z"},
	    {"2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z"}, {"2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"},
	    {"2026-03-29T03:01:00Z", "2026-03-29T01:01:00Z"}, {"2026-10-25T01:59:00Z", "2026-10-24T23:59:00Z"},
	    {"2026-10-25T02:00:00Z", "2026-10-25T00:00:00Z"}, {"2026-10-25T02:59:00Z", "2026-10-25T00:59:00Z"},
	    {"2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z"},
	};
	const struct zone *zone = zone_of_rule("CET-1CEST,M3.5.0,M10.5.0/3", &arena);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t local_s = at(rows[i].local), instant_s = at(rows[i].instant);
		ck_assert_msg(zone_first_instant(zone, local_s) == instant_s, "%s", rows[i].local);
		/* What has been shown by then, and not before. */
		ck_assert_int_ge(zone_latest_local(zone, instant_s), local_s);
		ck_assert_int_lt(zone_latest_local(zone, instant_s - 1), local_s);
	}
	/* After 03:00 became 02:00 again, 02:59:59 is the latest that was shown, for an hour. */
	ck_assert_int_eq(zone_latest_local(zone, at("2026-10-25T01:00:00Z")), at("2026-10-25T02:59:59Z"));
	ck_assert_int_eq(zone_latest_local(zone, at("2026-10-25T01:59:59Z")), at("2026-10-25T02:59:59Z"));
	ck_assert_int_eq(zone_latest_local(zone, at("2026-10-25T02:00:00Z")), at("2026-10-25T03:00:00Z"));
}
END_TEST

/* Apia left out 30 December 2011. */
START_TEST(a_day_that_was_not)
{
	struct file file = {.version = '2',
	                    .times = 1,
	                    .types = 2,
	                    .at = {at("2011-12-30T10:00:00Z")},
	                    .type = {1},
	                    .offsets = {-10 * 3600, 14 * 3600},
	                    .tail = "\n<+13>-13\n"};
	const struct zone *zone = zone_of(&file);
	ck_assert_int_eq(zone_first_instant(zone, at("2011-12-29T23:59:00Z")), at("2011-12-30T09:59:00Z"));
	ck_assert_int_eq(zone_first_instant(zone, at("2011-12-30T12:00:00Z")), at("2011-12-30T10:00:00Z"));
}
END_TEST

START_TEST(utc)
{
	struct zone_span span = zone_span_at(zone_utc(), at("2026-07-01T00:00:00Z"));
	ck_assert_int_eq(span.offset_s, 0);
	ck_assert_int_eq(zone_first_instant(zone_utc(), 12345), 12345);
	ck_assert_int_eq(zone_latest_local(zone_utc(), 12345), 12345);
}
END_TEST

START_TEST(names)
{
	static const char *const good[] = {"UTC",       "Europe/Berlin", "America/Argentina/Buenos_Aires",
	                                   "Etc/GMT+1", "Etc/GMT-14",    "America/Port-au-Prince",
	                                   "EST5EDT",   "W-SU",          "Antarctica/DumontDUrville"};
	static const char *const bad[] = {"",
	                                  "/etc/passwd",
	                                  "../../etc/passwd",
	                                  "Europe/../../etc/passwd",
	                                  "Europe//Berlin",
	                                  "Europe/",
	                                  "Europe/Berlin ",
	                                  "tzdata.zi",
	                                  "localtime",
	                                  "posixrules",
	                                  "Factory",
	                                  "right/Europe/Berlin",
	                                  "Europe\\Berlin",
	                                  "Z\xC3\xBCrich",
	                                  "A234567890123456789012345678901234567890123456789012345678901234x"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(good); i++)
		ck_assert_msg(zone_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad); i++)
		ck_assert_msg(!zone_name_valid(bad[i]), "%s", bad[i]);
}
END_TEST

CHECK_MAIN("zone", days_and_dates, a_table_of_transitions, behind_the_table_the_rule_counts, rules, what_is_no_rule,
           what_is_no_file, broken_files, clocks, a_day_that_was_not, utc, names)
