#include "test/unit/check_main.h"
#include <kube/mem.h>
#include <kube/time.h>
#include <string.h>

START_TEST(durations_are_read_as_go_does)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
	    {"0", 0},
	    {"+0", 0},
	    {"0s", 0},
	    {"90s", 90000},
	    {"1h30m", 5400000},
	    {"30m1h", 5400000},
	    {"1.5h", 5400000},
	    {"+15m", 900000},
	    {"250ms", 250},
	    {".5s", 500},
	    {"1.s", 1000},
	    {"1h0m0.001s", 3600001},
	    {"1500us", 1},
	    {"1500\xC2\xB5s", 1},
	    {"1500\xCE\xBCs", 1},
	    {"500us600us", 1}, /* only the sum is cut */
	    {"999999ns", 0},
	    {"1000000ns", 1},
	    {"0.000277777778h", 1000},
	    {"0.1234567890123456789s", 123},
	    {"0.1m", 6000},
	    {"0000000000000000000000000005s", 5000},
	    {"87600h", 315360000000},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		struct kube_err err = {0};
		ck_assert_msg(kube_duration_parse(rows[i].text, &ms, &err) == 0, "%s: %s", rows[i].text, err.message);
		ck_assert_msg(ms == rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
	}
}
END_TEST

START_TEST(what_is_no_duration_is_refused)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
	    {"", KUBE_E_PARSE},
	    {"+", KUBE_E_PARSE},
	    {"-1s", KUBE_E_PARSE},
	    {"-0", KUBE_E_PARSE},
	    {"1", KUBE_E_PARSE},
	    {"00", KUBE_E_PARSE},
	    {"s", KUBE_E_PARSE},
	    {".s", KUBE_E_PARSE},
	    {"1.2.3s", KUBE_E_PARSE},
	    {"1d", KUBE_E_PARSE},
	    {"1 h", KUBE_E_PARSE},
	    {" 1h", KUBE_E_PARSE},
	    {"1h ", KUBE_E_PARSE},
	    {"1h30", KUBE_E_PARSE},
	    {"1H", KUBE_E_PARSE},
	    {"1e3s", KUBE_E_PARSE},
	    {"1h-1m", KUBE_E_PARSE},
	    {"99999999999999999999999x", KUBE_E_PARSE},
	    {"87601h", KUBE_E_LIMIT},
	    {"87600h1ns", KUBE_E_LIMIT},
	    {"87600h0.001s", KUBE_E_LIMIT},
	    {"5124095576h", KUBE_E_LIMIT}, /* wraps 64 bits of nanoseconds */
	    {"18446744073709551616s", KUBE_E_LIMIT},
	    {"99999999999999999999999999999999ns", KUBE_E_LIMIT},
	    {"87600h87600h87600h87600h", KUBE_E_LIMIT},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t ms = 42;
		struct kube_err err = {0};
		ck_assert_msg(kube_duration_parse(rows[i].text, &ms, &err) == rows[i].rc, "\"%s\"", rows[i].text);
		ck_assert_int_eq(ms, 42);
		ck_assert_int_eq(err.code, rows[i].rc);
		ck_assert_msg(strstr(err.message, rows[i].text) != NULL, "%s", err.message);
	}
}
END_TEST

START_TEST(a_sum_does_not_wrap)
{
	for (int parts = 2; parts < 200; parts++) { /* 59 of them are 2^64 ns and a bit */
		char text[200 * 8] = "";
		int64_t ms = 42;
		for (int i = 0; i < parts; i++)
			strcat(text, "87600h");
		ck_assert_int_eq(kube_duration_parse(text, &ms, NULL), KUBE_E_LIMIT);
		ck_assert_int_eq(ms, 42);
	}
}
END_TEST

START_TEST(durations_are_written_short_and_exact)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
	    {0, "0s"},
	    {1, "1ms"},
	    {250, "250ms"},
	    {1000, "1s"},
	    {1500, "1.5s"},
	    {1050, "1.05s"},
	    {1001, "1.001s"},
	    {60000, "1m"},
	    {60001, "1m0.001s"},
	    {90000, "1m30s"},
	    {900000, "15m"},
	    {3600000, "1h"},
	    {3601000, "1h1s"},
	    {5400000, "1h30m"},
	    {315360000000, "87600h"},
	    {-1500, "-1.5s"},
	    {-250, "-250ms"},
	    {INT64_MAX, "2562047788015h12m55.807s"},
	    {INT64_MIN, "-2562047788015h12m55.808s"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char out[KUBE_DURATION_TEXT_SIZE];
		ck_assert_ptr_eq(kube_duration_format(rows[i].ms, out), out);
		ck_assert_str_eq(out, rows[i].text);
	}
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	for (int64_t ms = 0; ms < 315360000000; ms += ms / 7 + 1) {
		char out[KUBE_DURATION_TEXT_SIZE];
		int64_t back = -1;
		ck_assert_int_eq(kube_duration_parse(kube_duration_format(ms, out), &back, NULL), 0);
		ck_assert_int_eq(back, ms);
	}
}
END_TEST

CHECK_MAIN("duration", durations_are_read_as_go_does, what_is_no_duration_is_refused, a_sum_does_not_wrap,
           durations_are_written_short_and_exact, what_is_written_is_read_back)
