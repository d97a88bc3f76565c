/* The command line. */
#include "controller/cmd/options.h"
#include "test/unit/check_main.h"
#include <string.h>

#define MAX_WORDS 10

static int parse(const char *const words[MAX_WORDS], struct options *options, struct kube_err *err)
{
	char *argv[MAX_WORDS + 2] = {(char *)"patchwright-controller"};
	int argc = 1;
	for (size_t i = 0; i < MAX_WORDS && words[i]; i++)
		argv[argc++] = (char *)words[i];
	return options_parse(argc, argv, options, err);
}

START_TEST(defaults)
{
	struct options o = {0};
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){NULL}, &o, NULL), 0);
	ck_assert_ptr_null(o.kubeconfig);
	ck_assert_ptr_null(o.context);
	ck_assert_str_eq(o.namespace_, "patchwright-system");
	ck_assert_str_eq(o.job_namespace, "patchwright-jobs");
	ck_assert_uint_eq(o.image_count, 1);
	ck_assert_str_eq(o.images[0], "*");
	ck_assert(!o.allow_image_tags);
	ck_assert_str_eq(o.allow_endpoints, "");
	ck_assert_str_eq(o.listen_address, ":8080");
	ck_assert_int_eq(o.log_level, KUBE_LOG_INFO);
	ck_assert_int_eq(o.log_format, KUBE_LOG_TEXT);
	ck_assert(!o.leader_elect);
	ck_assert(!o.help && !o.version);
}
END_TEST

START_TEST(everything_given)
{
	struct options o = {0};
	ck_assert_int_eq(
	    parse((const char *[MAX_WORDS]){"--kubeconfig=/k", "--context", "c", "--namespace=ns", "--job-namespace=js",
	                                    "--allow-image-tags", "--allow-endpoints=127.0.0.1:9090",
	                                    "--allow-insecure-tls", "--log-level=debug", "--log-format=json"},
	          &o, NULL),
	    0);
	ck_assert_str_eq(o.kubeconfig, "/k");
	ck_assert_str_eq(o.context, "c");
	ck_assert_str_eq(o.namespace_, "ns");
	ck_assert_str_eq(o.job_namespace, "js");
	ck_assert(o.allow_image_tags);
	ck_assert_str_eq(o.allow_endpoints, "127.0.0.1:9090");
	ck_assert(o.allow_insecure_tls);
	ck_assert_int_eq(o.log_level, KUBE_LOG_DEBUG);
	ck_assert_int_eq(o.log_format, KUBE_LOG_JSON);
	ck_assert(!o.leader_elect);
}
END_TEST

START_TEST(leader_election)
{
	struct options o = {0};
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){"--leader-elect"}, &o, NULL), 0);
	ck_assert(o.leader_elect);
	ck_assert_int_eq(
	    parse((const char *[MAX_WORDS]){"--leader-elect", "--leader-elect-lease-duration=3s",
	                                    "--leader-elect-renew-deadline", "2s", "--leader-elect-retry-period=500ms"},
	          &o, NULL),
	    0);
	ck_assert_int_eq(o.election.lease_ms, 3000);
	ck_assert_int_eq(o.election.renew_ms, 2000);
	ck_assert_int_eq(o.election.retry_ms, 500);
}
END_TEST

START_TEST(limit_of_the_cluster)
{
	struct options o = {0};
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){NULL}, &o, NULL), 0);
	ck_assert(!o.max_unavailable_total.set);
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){"--max-unavailable-total=12"}, &o, NULL), 0);
	ck_assert(o.max_unavailable_total.set && !o.max_unavailable_total.percent);
	ck_assert_int_eq(o.max_unavailable_total.value, 12);
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){"--max-unavailable-total", "100%"}, &o, NULL), 0);
	ck_assert(o.max_unavailable_total.percent);
	ck_assert_int_eq(o.max_unavailable_total.value, 100);
}
END_TEST

START_TEST(images_repeat_and_replace_the_default)
{
	struct options o = {0};
	ck_assert_int_eq(
	    parse((const char *[MAX_WORDS]){"--allowed-job-images=a/*", "--allowed-job-images", "b/*"}, &o, NULL), 0);
	ck_assert_uint_eq(o.image_count, 2);
	ck_assert_str_eq(o.images[0], "a/*");
	ck_assert_str_eq(o.images[1], "b/*");
}
END_TEST

START_TEST(empty_address_means_no_server)
{
	struct options o = {0};
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){"--listen-address="}, &o, NULL), 0);
	ck_assert_ptr_null(o.listen_address);
}
END_TEST

START_TEST(help_and_version)
{
	struct options o = {0};
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){"--help"}, &o, NULL), 0);
	ck_assert(o.help && !o.version);
	ck_assert_int_eq(parse((const char *[MAX_WORDS]){"--version"}, &o, NULL), 0);
	ck_assert(o.version && !o.help);
}
END_TEST

START_TEST(refusals_are_one_clear_sentence)
{
	static const struct {
		const char *words[MAX_WORDS];
		const char *says;
	} cases[] = {
	    {{"--bogus"}, "unknown option --bogus"},
	    {{"--bogus=1"}, "unknown option --bogus=1"},
	    {{"-x"}, "unknown option -x"},
	    {{"--namespace"}, "option --namespace needs a value"},
	    {{"--version=1"}, "option --version=1 takes no value"},
	    {{"--namespace="}, "--namespace \"\" is no namespace name"},
	    {{"--namespace=Foo"}, "--namespace \"Foo\""},
	    {{"--job-namespace=-a"}, "--job-namespace \"-a\""},
	    {{"--job-namespace=a.b"}, "--job-namespace \"a.b\""},
	    {{"--log-level=loud"}, "loud"},
	    {{"--log-format=xml"}, "xml"},
	    {{"--allowed-job-images="}, "--allowed-job-images must not be empty"},
	    {{"--max-unavailable-total=0"}, "--max-unavailable-total \"0\" is neither"},
	    {{"--max-unavailable-total=0%"}, "--max-unavailable-total \"0%\" is neither"},
	    {{"--max-unavailable-total=101%"}, "--max-unavailable-total \"101%\" is neither"},
	    {{"--max-unavailable-total=-1"}, "--max-unavailable-total \"-1\" is neither"},
	    {{"--max-unavailable-total="}, "--max-unavailable-total \"\" is neither"},
	    {{"--max-unavailable-total=5 %"}, "--max-unavailable-total \"5 %\" is neither"},
	    {{"--max-unavailable-total=99999999999999999999"}, "is neither"},
	    {{"--leader-elect=yes"}, "option --leader-elect=yes takes no value"},
	    {{"--leader-elect-lease-duration=soon"}, "--leader-elect-lease-duration"},
	    {{"--leader-elect-renew-deadline=0"}, "--leader-elect-renew-deadline: must be above 0"},
	    {{"--leader-elect-retry-period=-1s"}, "--leader-elect-retry-period"},
	    {{"--leader-elect", "--leader-elect-lease-duration=10s"}, "must be longer than the renew deadline"},
	    {{"--leader-elect", "--leader-elect-retry-period=9s"}, "1.2 times the retry period"},
	    {{"run"}, "unexpected argument \"run\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o = {.namespace_ = "untouched"};
		struct kube_err err = {0};
		ck_assert_msg(parse(cases[i].words, &o, &err) < 0, "%s was taken", cases[i].words[0]);
		ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "\"%s\" does not say \"%s\"", err.message,
		              cases[i].says);
		ck_assert_ptr_null(strchr(err.message, '\n'));
		ck_assert_str_eq(o.namespace_, "untouched");
	}
}
END_TEST

CHECK_MAIN("options", defaults, everything_given, leader_election, limit_of_the_cluster,
           images_repeat_and_replace_the_default, empty_address_means_no_server, help_and_version,
           refusals_are_one_clear_sentence)
