#include "test/unit/check_main.h"
#include <kube/mem.h>
#include <kube/quantity.h>

START_TEST(quantities_are_read_as_go_does)
{
	static const struct {
		const char *text;
		int64_t milli;
	} rows[] = {
	    {"0", 0},
	    {"8", 8000},
	    {"500m", 500},
	    {"0.5", 500},
	    {".5", 500},
	    {"1.", 1000},
	    {"+2", 2000},
	    {"-2", -2000},
	    {"-1n", -1},
	    {"1n", 1},
	    {"1u", 1},
	    {"1500u", 2},
	    {"2000u", 2},
	    {"0.0001", 1},
	    {"1.2345", 1235},
	    {"100k", 100000000},
	    {"1e3", 1000000},
	    {"1E3", 1000000},
	    {"1e-3", 1},
	    {"15e-1", 1500},
	    {"1E", INT64_MAX},
	    {"64Mi", INT64_C(67108864000)},
	    {"1.5Gi", INT64_C(1610612736000)},
	    {"0.1Ki", 102400},
	    {"32Gi", INT64_C(34359738368000)},
	    {"16Ti", INT64_C(17592186044416000)},
	    {"1Pi", INT64_C(1125899906842624000)},
	    {"8Ei", INT64_MAX},
	    {"-8Ei", -INT64_MAX},
	    {"129M", INT64_C(129000000000)},
	    {"000000000000000000000000000001", 1000},
	    {"1.000000000000000000000000000001", 1001},
	    {"123456789012345678", INT64_MAX},
	    {"1234567890123456", INT64_C(1234567890123456000)},
	    {"99999999999999999999999999", INT64_MAX},
	    {"1e999999", INT64_MAX},
	    {"1e-999999", 1},
	    {"0e5", 0},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t milli = 7;
		struct kube_err err = {0};
		ck_assert_msg(kube_quantity_parse(rows[i].text, &milli, &err) == 0, "%s: %s", rows[i].text, err.message);
		ck_assert_msg(milli == rows[i].milli, "%s: %lld", rows[i].text, (long long)milli);
	}
}
END_TEST

START_TEST(what_is_no_quantity_is_refused)
{
	static const char *const rows[] = {"",   ".",   "-",    "m",     "lots", "1 ",   " 1",    "1mi",  "1KI",     "1K",
	                                   "1e", "1e+", "1e3m", "1.2.3", "0x10", "1--2", "1e1.5", "1Mi ", "\xC2\xB5"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		int64_t milli = 7;
		ck_assert_msg(kube_quantity_parse(rows[i], &milli, NULL) == KUBE_E_PARSE, "\"%s\"", rows[i]);
		ck_assert_int_eq(milli, 7);
	}
}
END_TEST

CHECK_MAIN("base/quantity", quantities_are_read_as_go_does, what_is_no_quantity_is_refused)
