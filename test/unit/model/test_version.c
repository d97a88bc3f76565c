#include "controller/model/version.h"

#include "test/unit/check_main.h"

#include <kube/mem.h>
#include <stdio.h>
#include <string.h>

START_TEST(every_rule_does_what_its_example_says)
{
	ck_assert_uint_gt(version_rule_count, 20);
	for (size_t i = 0; i < version_rule_count; i++) {
		const struct version_rule *rule = &version_rules[i];
		char out[VERSION_TEXT_SIZE];
		ck_assert_uint_gt(strlen(rule->reason), 0);
		ck_assert_int_eq(version_normalise(rule->example, out), 0);
		ck_assert_str_eq(out, rule->gives);
		ck_assert(version_equal(rule->example, rule->gives));
	}
}
END_TEST

START_TEST(texts_of_the_field_are_normalised)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    /* kubelet, ControlPlane */
	    {"v1.34.4", "1.34.4"},
	    {"v1.34.4+k3s1", "1.34.4"},
	    {"v1.28.5+rke2r1", "1.28.5"},
	    {"v1.30.2-eks-1552ad0", "1.30.2"},
	    {"v1.29.4-gke.1043002", "1.29.4"},
	    {"v1.27.6+f67aeb3", "1.27.6"},
	    {"v1.35.0-rc.1", "1.35.0-rc.1"},
	    {"v1.35.0-alpha.0", "1.35.0-alpha.0"},
	    {"v1.35.0-beta.2", "1.35.0-beta.2"},
	    {"v1.35.0-rc.1+k3s1", "1.35.0-rc.1"},
	    {"v1.30.0-alpha.0.123+abcdef0123", "1.30.0-alpha.0.123"},
	    /* container runtimes */
	    {"containerd://1.6.20~ds1", "1.6.20"},
	    {"1.6.20~ds1-1+deb12u1", "1.6.20"},
	    {"containerd://2.0.0-rc.5", "2.0.0-rc.5"},
	    {"containerd://2.0.0~rc1", "2.0.0~rc1"},
	    {"containerd://1.7.15-1", "1.7.15-1"}, /* AKS; a bare revision could be a kernel's patch level */
	    {"containerd://v1.7.27", "1.7.27"},
	    {"containerd://1.6.18+bottlerocket", "1.6.18"},
	    {"1.7.2-0ubuntu1~22.04.3", "1.7.2"},
	    {"5:24.0.7-1~ubuntu.22.04~jammy", "24.0.7"},
	    {"docker://24.0.7", "24.0.7"},
	    {"cri-o://1.30.4", "1.30.4"},
	    {"containerd://Unknown", "Unknown"},
	    /* kernels */
	    {"6.1.0-18-amd64", "6.1.0-18"},
	    {"6.1.0-18-cloud-arm64", "6.1.0-18-cloud"},
	    {"5.15.0-1041-azure", "5.15.0-1041-azure"},
	    {"5.15.133+", "5.15.133"},
	    {"5.10.205-195.807.amzn2.x86_64", "5.10.205-195.807.amzn2"},
	    {"6.8.0-rc1", "6.8.0-rc1"},
	    {"5.15.167.4-microsoft-standard-WSL2", "5.15.167.4-microsoft-standard-WSL2"},
	    /* osImage */
	    {"Ubuntu 22.04.3 LTS", "22.04.3"},
	    {"Debian GNU/Linux 12 (bookworm)", "12"},
	    {"Debian GNU/Linux trixie/sid", "Debian GNU/Linux trixie/sid"},
	    {"Talos (v1.6.4)", "1.6.4"},
	    {"Bottlerocket OS 1.19.0 (aws-k8s-1.28)", "1.19.0"},
	    {"Flatcar Container Linux by Kinvolk 3760.2.0 (Oklo)", "3760.2.0"},
	    {"Red Hat Enterprise Linux CoreOS 414.92.202310210434-0 (Plow)", "414.92.202310210434-0"},
	    {"Amazon Linux 2023.3.20240131", "2023.3.20240131"},
	    {"Amazon Linux 2", "2"},
	    {"SUSE Linux Enterprise Server 15 SP5", "15.5"},
	    {"SUSE Linux Enterprise Server 15 SPX", "15"},
	    {"openSUSE Leap 15.5", "15.5"},
	    {"Alpine Linux v3.19", "3.19"},
	    {"Container-Optimized OS from Google", "Container-Optimized OS from Google"},
	    /* what must stay */
	    {"latest", "latest"},
	    {"vision", "vision"},
	    {"vv1.2", "vv1.2"},
	    {"v", "v"},
	    {"latest+k3s1", "latest+k3s1"},
	    {"rkt://1.2.3", "rkt://1.2.3"},
	    {"5:jammy", "5:jammy"},
	    {" \t1.2.3\r\n", "1.2.3"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char out[VERSION_TEXT_SIZE], again[VERSION_TEXT_SIZE];
		ck_assert_int_eq(version_normalise(rows[i].text, out), 0);
		ck_assert_msg(strcmp(out, rows[i].want) == 0, "\"%s\": want \"%s\", got \"%s\"", rows[i].text, rows[i].want,
		              out);
		ck_assert_int_eq(version_normalise(out, again), 0);
		ck_assert_str_eq(out, again); /* nothing is left to do */
	}
}
END_TEST

START_TEST(empty_and_long_texts_are_refused)
{
	char out[VERSION_TEXT_SIZE] = "untouched", text[VERSION_TEXT_SIZE + 1];
	memset(text, '1', sizeof(text));
	text[VERSION_TEXT_SIZE] = '\0';
	ck_assert_int_eq(version_normalise(NULL, out), KUBE_E_INVALID);
	ck_assert_int_eq(version_normalise("", out), KUBE_E_INVALID);
	ck_assert_int_eq(version_normalise(" \n", out), KUBE_E_INVALID);
	ck_assert_int_eq(version_normalise(text, out), KUBE_E_LIMIT);
	ck_assert_str_eq(out, "untouched");
	text[VERSION_TEXT_SIZE - 1] = '\0'; /* the longest that fits */
	ck_assert_int_eq(version_normalise(text, out), 0);
	ck_assert_str_eq(out, text);
}
END_TEST

static void assert_order(const char *a, const char *b, int want)
{
	struct kube_err err = {0};
	int forth = 99, back = 99;
	ck_assert_msg(version_compare(a, b, &forth, &err) == 0, "%s, %s: %s", a, b, err.message);
	ck_assert_int_eq(version_compare(b, a, &back, &err), 0);
	ck_assert_msg(forth == want && back == -want, "%s to %s: want %d, got %d and back %d", a, b, want, forth, back);
	ck_assert_msg(version_equal(a, b) == (want == 0), "%s equals %s", a, b);
}

START_TEST(equal_versions)
{
	static const char *const rows[][2] = {
	    {"1.7.27", "containerd://1.7.27"},
	    {"1.7", "1.7.0"},
	    {"v1.34.4+k3s1", "1.34.4"},
	    {"v1.34.4+k3s1", "v1.34.4+k3s1"},
	    {"v1.30.2-eks-1552ad0", "v1.30.2-eks-036c24b"}, /* commits have no order */
	    {"v1.27.6+f67aeb3", "v1.27.6+abcdef0"},
	    {"1.6.20~ds1", "1.6.20~ds1-1"}, /* the program reports less than the package */
	    {"1.7.2-0ubuntu1", "1.7.2-0ubuntu1~22.04.3"},
	    {"v1.27.4+k0s", "v1.27.4+k0s.0"},
	    {"v1.34.4+k3s1", "v1.34.4+rke2r2"}, /* other builders' counts do not compare */
	    {"6.1.0-18-amd64", "6.1.0-18-arm64"},
	    {"Ubuntu 22.04.3 LTS", "22.04.3"},
	    {"22.04", "22.4"},
	    {"2.0.0-rc.1", "2.0.0~rc1"},
	    {"00000000000000000000000001.2", "1.2"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++)
		assert_order(rows[i][0], rows[i][1], 0);
}
END_TEST

START_TEST(older_and_newer_versions)
{
	/* Each line ascends. */
	static const char *const rows[][8] = {
	    {"1.7.9", "1.7.10", "1.7.27", "1.8", "1.10", "2"},
	    {"1.26.3", "1.36.3"},
	    {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
	     "1.0.0-rc.1", "1.0.0"}, /* semver 2.0.0 item 11 */
	    {"6.8.0-rc1", "6.8.0-rc2", "6.8.0-rc10", "6.8.0", "6.8.0-31-generic"},
	    {"6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-20-amd64", "6.1.10", "6.2.0-1-amd64"},
	    {"5.15.0-92-generic", "5.15.0-101-generic"},
	    {"5.15.0-1041-azure", "5.15.0-1042-azure"},
	    {"4.18.0-372.el8.x86_64", "4.18.0-372.9.1.el8.x86_64", "4.18.0-372.13.1.el8_6.x86_64",
	     "4.18.0-425.3.1.el8.x86_64"},
	    {"5.10.205-195.807.amzn2.x86_64", "5.10.214-202.855.amzn2.x86_64"},
	    {"v1.34.4+k3s1", "v1.34.4+k3s2", "v1.34.4+k3s10", "v1.34.5+k3s1"},
	    {"v1.34.4-rc.1+k3s1", "v1.34.4"},
	    {"v1.27.3-gke.100", "v1.27.3-gke.1700", "v1.27.4-gke.1"},
	    {"1.7.2-0ubuntu1~22.04.1", "1.7.2-0ubuntu1~22.04.3", "1.7.2-0ubuntu2"},
	    {"containerd://1.6.20~ds1", "containerd://1.7.0"},
	    {"1.7.15", "containerd://1.7.15-1", "1.7.15-2", "1.7.16"},
	    {"1.7.0rc1", "1.7.0"},
	    {"1.0.2k", "1.0.2l", "1.0.3"},
	    {"SUSE Linux Enterprise Server 15 SP4", "SUSE Linux Enterprise Server 15 SP5"},
	    {"Ubuntu 22.04.3 LTS", "22.04.4", "Ubuntu 24.04 LTS"},
	    {"9223372036854775807.1", "9223372036854775808.0", "99999999999999999999999999"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++)
		for (size_t low = 0; low < 8 && rows[i][low]; low++)
			for (size_t high = low + 1; high < 8 && rows[i][high]; high++)
				assert_order(rows[i][low], rows[i][high], -1);
}
END_TEST

START_TEST(what_has_no_number_is_named_in_the_error)
{
	static const char *const rows[] = {"latest",
	                                   "",
	                                   "  ",
	                                   "Container-Optimized OS from Google",
	                                   "containerd://Unknown",
	                                   "1552ad0",
	                                   "sha256:1234",
	                                   "v",
	                                   "-1.2",
	                                   "1.2/3",
	                                   "1.2@3",
	                                   ".5",
	                                   "1.2,3"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_err err = {0};
		int order = 99;
		char quoted[160];
		snprintf(quoted, sizeof(quoted), "\"%s\"", rows[i]);
		ck_assert_msg(!version_comparable(rows[i]), "%s", quoted);
		ck_assert_int_eq(version_compare("1.2.3", rows[i], &order, &err), KUBE_E_INVALID);
		ck_assert_int_eq(err.code, KUBE_E_INVALID);
		ck_assert_ptr_nonnull(strstr(err.message, quoted));
		ck_assert_int_eq(version_compare(rows[i], "1.2.3", &order, &err), KUBE_E_INVALID);
		ck_assert_int_eq(version_compare(rows[i], "1.2.3", &order, NULL), KUBE_E_INVALID);
		ck_assert_int_eq(order, 99);
	}
	ck_assert(!version_comparable(NULL));
	ck_assert(version_comparable("v1.34.4+k3s1"));
	ck_assert(version_comparable("Ubuntu 22.04.3 LTS"));
	ck_assert(version_comparable("6rc1"));
	ck_assert(version_comparable("7"));
}
END_TEST

START_TEST(texts_without_a_number_are_equal_only_as_texts)
{
	ck_assert(version_equal("Container-Optimized OS from Google", " Container-Optimized OS from Google "));
	ck_assert(!version_equal("latest", "stable"));
	ck_assert(!version_equal("latest", "1.2.3"));
	ck_assert(!version_equal("", "")); /* unknown equals nothing */
	ck_assert(!version_equal("containerd://", "containerd://"));
	ck_assert(!version_equal(NULL, NULL));
}
END_TEST

CHECK_MAIN("version", every_rule_does_what_its_example_says, texts_of_the_field_are_normalised,
           empty_and_long_texts_are_refused, equal_versions, older_and_newer_versions,
           what_has_no_number_is_named_in_the_error, texts_without_a_number_are_equal_only_as_texts)
