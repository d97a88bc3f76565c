#include <kube/metrics.h>

#include "test/unit/check_main.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct kube_metrics *metrics;
static struct kube_buf out;

static void begin(void)
{
	ck_assert_int_eq(kube_metrics_new(&metrics, NULL), 0);
	kube_buf_init(&out, 4 << 20);
}

static void end(void)
{
	kube_metrics_free(metrics);
	kube_buf_finish(&out);
}

/* The exposition, up to the process' own metrics. */
static const char *write_own(void)
{
	kube_buf_reset(&out);
	ck_assert_int_eq(kube_metrics_write(metrics, &out), 0);
	char *process = strstr(out.data, "# HELP process_");
	ck_assert_ptr_nonnull(process);
	*process = '\0';
	return out.data;
}

START_TEST(counters_gauges_and_their_order)
{
	begin();
	struct kube_family *requests =
	    kube_metrics_family(metrics, KUBE_COUNTER, "requests_total", "Requests.", "code,method", NULL, 0);
	struct kube_family *depth = kube_metrics_family(metrics, KUBE_GAUGE, "depth", "Depth.", "", NULL, 0);
	ck_assert_str_eq(write_own(), ""); /* nothing was touched */
	kube_metric_add(requests, 1, "200", "GET", NULL);
	kube_metric_add(requests, 2.5, "409", "PATCH", NULL);
	kube_metric_add(requests, 1, "200", "GET", NULL);
	kube_metric_add(requests, -1, "200", "GET", NULL);  /* a counter never falls */
	kube_metric_add(requests, NAN, "200", "GET", NULL); /* … nor is it lost */
	kube_metric_set(depth, 7, NULL);
	kube_metric_add(depth, -9, NULL);
	ck_assert_str_eq(write_own(), "# HELP requests_total Requests.\n"
	                              "# TYPE requests_total counter\n"
	                              "requests_total{code=\"200\",method=\"GET\"} 2\n"
	                              "requests_total{code=\"409\",method=\"PATCH\"} 2.5\n"
	                              "# HELP depth Depth.\n"
	                              "# TYPE depth gauge\n"
	                              "depth -2\n");
	end();
}
END_TEST

START_TEST(a_counter_is_raised_and_a_gauge_is_set)
{
	begin();
	struct kube_family *total = kube_metrics_family(metrics, KUBE_COUNTER, "t", "T", "", NULL, 0);
	struct kube_family *gauge = kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "", NULL, 0);
	kube_metric_set(total, 5, NULL);
	kube_metric_set(total, 3, NULL);
	kube_metric_set(gauge, 5, NULL);
	kube_metric_set(gauge, 3, NULL);
	ck_assert_str_eq(write_own(), "# HELP t T\n# TYPE t counter\nt 5\n# HELP g G\n# TYPE g gauge\ng 3\n");
	end();
}
END_TEST

START_TEST(histograms_are_cumulative)
{
	static const double bounds[] = {0.005, 0.1, 1};
	begin();
	struct kube_family *seconds =
	    kube_metrics_family(metrics, KUBE_HISTOGRAM, "s", "Seconds.", "name", bounds, KUBE_ARRAY_LEN(bounds));
	kube_metric_observe(seconds, 0.005, "a", NULL); /* a bound is inclusive */
	kube_metric_observe(seconds, 0.0625, "a", NULL);
	kube_metric_observe(seconds, 0.0625, "a", NULL);
	kube_metric_observe(seconds, 8, "a", NULL);
	kube_metric_observe(seconds, NAN, "a", NULL);
	kube_metric_observe(seconds, 0.5, "b", NULL);
	kube_metric_add(seconds, 1, "a", NULL); /* neither is for histograms */
	kube_metric_set(seconds, 1, "a", NULL);
	ck_assert_str_eq(write_own(), "# HELP s Seconds.\n"
	                              "# TYPE s histogram\n"
	                              "s_bucket{name=\"a\",le=\"0.005\"} 1\n"
	                              "s_bucket{name=\"a\",le=\"0.1\"} 3\n"
	                              "s_bucket{name=\"a\",le=\"1\"} 3\n"
	                              "s_bucket{name=\"a\",le=\"+Inf\"} 4\n"
	                              "s_sum{name=\"a\"} 8.13\n"
	                              "s_count{name=\"a\"} 4\n"
	                              "s_bucket{name=\"b\",le=\"0.005\"} 0\n"
	                              "s_bucket{name=\"b\",le=\"0.1\"} 0\n"
	                              "s_bucket{name=\"b\",le=\"1\"} 1\n"
	                              "s_bucket{name=\"b\",le=\"+Inf\"} 1\n"
	                              "s_sum{name=\"b\"} 0.5\n"
	                              "s_count{name=\"b\"} 1\n");
	end();
}
END_TEST

START_TEST(a_histogram_without_labels_or_bounds)
{
	begin();
	struct kube_family *family = kube_metrics_family(metrics, KUBE_HISTOGRAM, "s", "S", "", NULL, 0);
	kube_metric_observe(family, 2, NULL);
	ck_assert_str_eq(write_own(), "# HELP s S\n# TYPE s histogram\ns_bucket{le=\"+Inf\"} 1\ns_sum 2\ns_count 1\n");
	end();
}
END_TEST

START_TEST(texts_are_escaped)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
	    {"plain", "plain"},
	    {"a\"b", "a\\\"b"},
	    {"a\\b", "a\\\\b"},
	    {"a\nb", "a\\nb"},
	    {"", ""},
	    {"a,b{c}=d", "a,b{c}=d"},
	    {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80"},
	    {"x\xff\xc3y", "x??y"},           /* no UTF-8: the whole scrape would be refused */
	    {"\xed\xa0\x80", "???"},          /* a surrogate */
	    {"\xef\xbf\xbd", "\xef\xbf\xbd"}, /* U+FFFD itself is a character */
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char want[256];
		begin();
		struct kube_family *family = kube_metrics_family(metrics, KUBE_GAUGE, "g", "A \"b\" \\ c\nd.", "l", NULL, 0);
		kube_metric_set(family, 1, rows[i].value, NULL);
		snprintf(want, sizeof(want), "# HELP g A \"b\" \\\\ c\\nd.\n# TYPE g gauge\ng{l=\"%s\"} 1\n", rows[i].want);
		ck_assert_str_eq(write_own(), want);
		end();
	}
}
END_TEST

START_TEST(numbers_read_back_as_they_are)
{
	static const struct {
		double value;
		const char *want;
	} rows[] = {
	    {0, "0"},
	    {0.1, "0.1"},
	    {-1.5, "-1.5"},
	    {1e21, "1e+21"},
	    {1795260041.25, "1795260041.25"},
	    {0.1 + 0.2, "0.30000000000000004"},
	    {9007199254740993.0, "9007199254740992"},
	    {INFINITY, "+Inf"},
	    {-INFINITY, "-Inf"},
	    {NAN, "NaN"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char want[128];
		begin();
		kube_metric_set(kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "", NULL, 0), rows[i].value, NULL);
		snprintf(want, sizeof(want), "# HELP g G\n# TYPE g gauge\ng %s\n", rows[i].want);
		ck_assert_str_eq(write_own(), want);
		end();
	}
}
END_TEST

START_TEST(wrong_uses_do_nothing)
{
	begin();
	struct kube_family *family = kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "a,b", NULL, 0);
	kube_metric_set(family, 1, "x", NULL);           /* a value is missing */
	kube_metric_set(family, 1, "x", "y", "z", NULL); /* one too many */
	kube_metric_observe(family, 1, "x", "y", NULL);
	kube_metric_add(NULL, 1, NULL);
	kube_metric_set(NULL, 1, NULL);
	kube_metric_observe(NULL, 1, NULL);
	kube_metric_clear(NULL);
	ck_assert_str_eq(write_own(), "");
	ck_assert_ptr_null(kube_metrics_family(metrics, KUBE_GAUGE, "four", "4", "a,b,c,d", NULL, 0));
	ck_assert_ptr_eq(kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "a,b", NULL, 0), family);
	ck_assert_ptr_null(kube_metrics_family(metrics, KUBE_COUNTER, "g", "G", "a,b", NULL, 0));
	ck_assert_ptr_null(kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "a", NULL, 0));
	kube_metrics_free(NULL);
	end();
}
END_TEST

START_TEST(values_do_not_run_together)
{
	begin();
	struct kube_family *family = kube_metrics_family(metrics, KUBE_COUNTER, "c", "C", "a,b", NULL, 0);
	kube_metric_add(family, 1, "x", "yz", NULL);
	kube_metric_add(family, 2, "xy", "z", NULL);
	const char *text = write_own();
	ck_assert_ptr_nonnull(strstr(text, "c{a=\"x\",b=\"yz\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "c{a=\"xy\",b=\"z\"} 2\n"));
	end();
}
END_TEST

static size_t count_samples(const char *text, const char *prefix)
{
	size_t count = 0;
	for (const char *at = strstr(text, prefix); at; at = strstr(at + 1, prefix))
		count++;
	return count;
}

START_TEST(series_are_bounded_and_cleared)
{
	char label[400];
	begin();
	struct kube_family *family = kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "node", NULL, 0);
	for (int i = 0; i < KUBE_METRICS_MAX_SERIES + 10; i++) {
		snprintf(label, sizeof(label), "node-%d", i);
		kube_metric_set(family, i, label, NULL);
	}
	kube_metric_set(family, 77, "node-0", NULL); /* those that are there go on */
	const char *text = write_own();
	ck_assert_uint_eq(count_samples(text, "g{"), KUBE_METRICS_MAX_SERIES);
	ck_assert_ptr_nonnull(strstr(text, "g{node=\"node-0\"} 77\n"));
	ck_assert_ptr_null(strstr(text, "\"node-2000\""));
	kube_metric_clear(family);
	ck_assert_str_eq(write_own(), "");
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	kube_metric_set(family, 1, label, NULL); /* and a long value is cut */
	ck_assert_uint_eq(count_samples(write_own(), "x"), 256);
	end();
}
END_TEST

START_TEST(a_full_buffer_is_an_error)
{
	begin();
	kube_metric_set(kube_metrics_family(metrics, KUBE_GAUGE, "g", "G", "", NULL, 0), 1, NULL);
	kube_buf_init(&out, 40);
	ck_assert_int_eq(kube_metrics_write(metrics, &out), KUBE_E_LIMIT);
	kube_buf_init(&out, 200); /* enough for ours, too little for process_* */
	ck_assert_int_eq(kube_metrics_write(metrics, &out), KUBE_E_LIMIT);
	end();
}
END_TEST

/* The value of a process metric, which must be there once, with its type. */
static double process_value(const char *name, const char *type)
{
	char line[128];
	double value = NAN;
	snprintf(line, sizeof(line), "\n# TYPE %s %s\n%s ", name, type, name);
	kube_buf_reset(&out);
	ck_assert_int_eq(kube_metrics_write(metrics, &out), 0);
	const char *at = strstr(out.data, line);
	ck_assert_msg(at != NULL, "%s", name);
	ck_assert_int_eq(sscanf(at + strlen(line), "%lf", &value), 1);
	return value;
}

START_TEST(the_process_describes_itself)
{
	struct rlimit limit;
	struct rusage usage;
	begin();
	double resident = process_value("process_resident_memory_bytes", "gauge");
	ck_assert_double_ge(resident, 64 * 1024);
	ck_assert_double_eq(fmod(resident, (double)sysconf(_SC_PAGESIZE)), 0);
	ck_assert_double_ge(process_value("process_virtual_memory_bytes", "gauge"), resident);

	double started = process_value("process_start_time_seconds", "gauge"), now = (double)time(NULL);
	ck_assert_double_le(started, now + 2); /* btime is rounded */
	ck_assert_double_ge(started, now - 120);

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	double used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	ck_assert_double_eq_tol(process_value("process_cpu_seconds_total", "counter"), used, 0.5);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_double_eq(process_value("process_max_fds", "gauge"), (double)limit.rlim_cur);
	end();
}
END_TEST

START_TEST(open_descriptors_are_counted)
{
	begin();
	double before = process_value("process_open_fds", "gauge");
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_double_eq(process_value("process_open_fds", "gauge"), before + 1);
	close(fd);
	ck_assert_double_eq(process_value("process_open_fds", "gauge"), before);

	int open_now = 0; /* by the listing (tools such as valgrind have hidden ones), without its own descriptor */
	DIR *dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		open_now += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir);
	closedir(dir);
	ck_assert_double_eq(before, open_now);
	end();
}
END_TEST

CHECK_MAIN("metrics", counters_gauges_and_their_order, a_counter_is_raised_and_a_gauge_is_set,
           histograms_are_cumulative, a_histogram_without_labels_or_bounds, texts_are_escaped,
           numbers_read_back_as_they_are, wrong_uses_do_nothing, values_do_not_run_together,
           series_are_bounded_and_cleared, a_full_buffer_is_an_error, the_process_describes_itself,
           open_descriptors_are_counted)
