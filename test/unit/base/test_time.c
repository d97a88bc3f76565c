#include "test/unit/check_main.h"
#include <kube/mem.h>
#include <kube/time.h>
#include <string.h>

#define T2026 INT64_C(1795260158000) /* 2026-11-21T11:22:38Z */

START_TEST(rfc3339_is_read)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-11-21T11:22:38Z", T2026},
	    {"2026-11-21t11:22:38z", T2026},
	    {"2026-11-21T11:22:38.1Z", T2026 + 100},
	    {"2026-11-21T11:22:38.123456Z", T2026 + 123},
	    {"2026-11-21T11:22:38.999999999Z", T2026 + 999},
	    {"2026-11-21T13:22:38+02:00", T2026},
	    {"2026-11-21T05:52:38-05:30", T2026},
	    {"2026-11-21T11:22:38+00:00", T2026},
	    {"2024-02-29T00:00:00Z", 1709164800000},
	    {"2000-02-29T00:00:00Z", 951782400000},
	    {"1969-12-31T23:59:59.500Z", -500},
	    {"0001-01-01T00:00:00Z", -62135596800000}, /* Go's zero time */
	    {"9999-12-31T23:59:59.999Z", 253402300799999},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		struct kube_err err = {0};
		ck_assert_msg(kube_time_parse(rows[i].text, &ms, &err) == 0, "%s: %s", rows[i].text, err.message);
		ck_assert_msg(ms == rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
	}
}
END_TEST

START_TEST(what_is_no_rfc3339_is_refused)
{
	static const char *const rows[] = {
	    "",
	    "now",
	    "2026-11-21",
	    "2026-11-21T11:22:38",
	    "2026-11-21 11:22:38Z",
	    "2026-11-21T11:22Z",
	    "2026-11-21T11:22:38Zx",
	    " 2026-11-21T11:22:38Z",
	    "2026-11-21T11:22:38.Z",
	    "2026-11-21T11:22:38,5Z",
	    "2026-13-21T11:22:38Z",
	    "2026-00-21T11:22:38Z",
	    "2026-11-31T11:22:38Z",
	    "2026-11-00T11:22:38Z",
	    "2026-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z",
	    "2026-11-21T24:00:00Z",
	    "2026-11-21T11:60:38Z",
	    "2026-11-21T11:22:60Z",
	    "2026-11-21T11:22:38+24:00",
	    "2026-11-21T11:22:38+02:60",
	    "2026-11-21T11:22:38+0200",
	    "2026-11-21T11:22:38+02",
	    "2026-11-21T1a:22:38Z",
	    "26-11-21T11:22:38Z",
	    "+026-11-21T11:22:38Z",
	    "2026-11-21T11:22:-8Z",
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t ms = 42;
		struct kube_err err = {0};
		ck_assert_msg(kube_time_parse(rows[i], &ms, &err) == KUBE_E_PARSE, "%s", rows[i]);
		ck_assert_int_eq(ms, 42);
		ck_assert_int_eq(err.code, KUBE_E_PARSE);
		ck_assert_ptr_nonnull(strstr(err.message, "2026-11-21T11:22:38Z"));
	}
}
END_TEST

START_TEST(times_are_written_as_the_api_does)
{
	static const struct {
		int64_t ms;
		const char *time, *micro;
	} rows[] = {
	    {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
	    {T2026 + 123, "2026-11-21T11:22:38Z", "2026-11-21T11:22:38.123000Z"},
	    {T2026 + 7, "2026-11-21T11:22:38Z", "2026-11-21T11:22:38.007000Z"},
	    {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999000Z"},
	    {-1000, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000000Z"},
	    {-62135596800000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
	    {KUBE_TIME_NONE, "", ""},
	    {KUBE_TIME_NONE + 1, "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
	    {INT64_MAX, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999000Z"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char out[KUBE_TIME_TEXT_SIZE];
		ck_assert_ptr_eq(kube_time_format(rows[i].ms, out), out);
		ck_assert_str_eq(out, rows[i].time);
		ck_assert_ptr_eq(kube_time_format_micro(rows[i].ms, out), out);
		ck_assert_str_eq(out, rows[i].micro);
	}
}
END_TEST

START_TEST(every_day_of_400_years_goes_there_and_back)
{
	int64_t stride =
	    getenv("UNIT_LIGHT") ? 31 : 1; /* a day of each month where every access is checked (make valgrind) */
	for (int64_t day = -40000; day < 106097; day += stride) {
		int64_t ms = day * 86400000 + 86399999, back = 0;
		char out[KUBE_TIME_TEXT_SIZE];
		if (kube_time_parse(kube_time_format_micro(ms, out), &back, NULL) != 0 || back != ms)
			ck_abort_msg("%s came back as %lld", out, (long long)back);
	}
}
END_TEST

START_TEST(http_dates)
{
	static const struct {
		const char *text;
		int rc;
		int64_t ms;
	} rows[] = {
	    {"Sat, 21 Nov 2026 11:22:38 GMT", 0, T2026},
	    {"Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 0, 784111777000},  /* RFC 9110 5.6.7 */
	    {"Sat, 31 Dec 2016 23:59:60 GMT", 0, 1483228800000}, /* a leap second is allowed there */
	    {"Sunday, 06-Nov-94 08:49:37 GMT", KUBE_E_PARSE, 0},
	    {"Sun Nov  6 08:49:37 1994", KUBE_E_PARSE, 0},
	    {"Sat, 21 Nov 2026 11:22:38 UTC", KUBE_E_PARSE, 0},
	    {"Sat, 21 Nov 2026 11:22:38", KUBE_E_PARSE, 0},
	    {"Sat, 21 Nov 2026 11:22:38 GMT ", KUBE_E_PARSE, 0},
	    {"Sat, 31 Nov 2026 11:22:38 GMT", KUBE_E_PARSE, 0},
	    {"Sat, 1 Nov 2026 11:22:38 GMT", KUBE_E_PARSE, 0},
	    {"Xxx, 21 Nov 2026 11:22:38 GMT", KUBE_E_PARSE, 0},
	    {"Sat, 21 Nox 2026 11:22:38 GMT", KUBE_E_PARSE, 0},
	    {"Sat, 21 nov 2026 11:22:38 GMT", KUBE_E_PARSE, 0},
	    {"Sa", KUBE_E_PARSE, 0},
	    {"", KUBE_E_PARSE, 0},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t ms = 42;
		struct kube_err err = {0};
		ck_assert_msg(kube_time_parse_http(rows[i].text, &ms, &err) == rows[i].rc, "%s", rows[i].text);
		ck_assert_msg(ms == (rows[i].rc ? 42 : rows[i].ms), "%s: %lld", rows[i].text, (long long)ms);
		ck_assert_int_eq(err.code, rows[i].rc);
	}
}
END_TEST

CHECK_MAIN("time", rfc3339_is_read, what_is_no_rfc3339_is_refused, times_are_written_as_the_api_does,
           every_day_of_400_years_goes_there_and_back, http_dates)
