#include "controller/model/version_range.h"
#include "test/unit/check_main.h"

START_TEST(a_version_is_in_a_range)
{
	static const struct {
		const char *range, *version;
		bool in;
	} cases[] = {
	    {">=1.6.0 <2.0.0", "1.6.0", true},
	    {">=1.6.0 <2.0.0", "containerd://1.7.27", true},
	    {">=1.6.0 <2.0.0", "1.6.20~ds1-1", true},
	    {">=1.6.0 <2.0.0", "1.5.99", false},
	    {">=1.6.0 <2.0.0", "2.0.0", false},
	    {">=1.6.0 <2.0.0", "2.0.0-rc.1", true}, /* where version_compare() puts it */
	    {">1.6.0", "1.6.0", false},
	    {">1.6.0", "1.6.1", true},
	    {"<=1.6", "1.6.0", true},
	    {"<=1.6", "1.6.1", false},
	    {"1.7", "v1.7.0", true},
	    {"=1.7", "1.7.1", false},
	    {">=1.6.0 !=1.6.9", "1.6.9", false},
	    {"\t >=1.6.0   <1.7 ", "1.6.9", true},
	    {">=1.6.0", "latest", false},
	    {"=1.x86.1", "1.x86.1", true},
	    {">=1.6.0", "", false},
	    {">= 1.6.0", "1.7.0", false}, /* refused: nothing is in it */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(version_in_range(cases[i].version, cases[i].range) == cases[i].in, "%s in %s", cases[i].version,
		              cases[i].range);
}
END_TEST

START_TEST(a_bad_range_is_refused_with_its_reason)
{
	static const struct {
		const char *range;
		int code;
		const char *says;
	} cases[] = {
	    {"", KUBE_E_INVALID, "empty"},
	    {"  ", KUBE_E_INVALID, "empty"},
	    {">= 1.6.0", KUBE_E_INVALID, "\">= 1.6.0\" needs a version directly behind it"},
	    {">=1.6.0 <", KUBE_E_INVALID, "\"<\" needs a version"},
	    {"~1.6", KUBE_E_INVALID, "\"~1.6\" is no version"},
	    {">=latest", KUBE_E_INVALID, "\"latest\" is no version"},
	    {"1.x", KUBE_E_INVALID, "\"1.x\": x and * have no meaning here"},
	    {">=1.6.0 <2.*.0", KUBE_E_INVALID, "\"2.*.0\": x and * have no meaning here"},
	    {"X", KUBE_E_INVALID, "\"X\": x and * have no meaning here"},
	    {">=1.6.0,<2", KUBE_E_INVALID, "is no version"},
	    {"=1 =1 =1 =1 =1 =1 =1 =1 =1", KUBE_E_LIMIT, "at most 8 comparators"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_err err = {0};
		ck_assert_int_eq(version_range_check(cases[i].range, &err), cases[i].code);
		ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "%s: %s", cases[i].range, err.message);
	}
	ck_assert_int_eq(version_range_check("=1 =1 =1 =1 =1 =1 =1 =1", NULL), 0);
}
END_TEST

START_TEST(a_kubelet_keeps_to_the_skew_policy)
{
	static const struct {
		const char *shown, *wanted, *server;
		enum skew skew;
	} cases[] = {
	    {"v1.33.2", "1.34.1", "v1.34.4", SKEW_FINE},
	    {"v1.34.4", "1.34.9", "v1.34.4", SKEW_FINE}, /* patch levels do not count */
	    {"v1.33.2", "1.35.0", "v1.34.4", SKEW_NEWER_THAN_SERVER},
	    {"v1.34.4", "1.35.0", "v1.34.4", SKEW_NEWER_THAN_SERVER},
	    {"v1.34.4", "2.0.0", "v1.34.4", SKEW_NEWER_THAN_SERVER},
	    {"v1.30.0", "1.31.3", "v1.34.4", SKEW_FINE},
	    {"v1.29.0", "1.30.3", "v1.34.4", SKEW_TOO_OLD},
	    {"v1.32.0", "1.34.3", "v1.34.4", SKEW_SKIPS_MINOR},
	    {"v1.32.0", "1.33.3", "v1.34.4+k3s1", SKEW_FINE},
	    {"v1.34.0", "1.33.3", "v1.34.4", SKEW_FINE}, /* a downgrade: another rule's matter */
	    {"", "1.33.3", "v1.34.4", SKEW_UNKNOWN},
	    {"v1.33.0", "1.33.3", "", SKEW_UNKNOWN},
	    {"v1.33.0", "34", "v1.34.4", SKEW_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(kubelet_skew(cases[i].shown, cases[i].wanted, cases[i].server) == cases[i].skew, "%s → %s at %s",
		              cases[i].shown, cases[i].wanted, cases[i].server);
}
END_TEST

CHECK_MAIN("version_range", a_version_is_in_a_range, a_bad_range_is_refused_with_its_reason,
           a_kubelet_keeps_to_the_skew_policy)
