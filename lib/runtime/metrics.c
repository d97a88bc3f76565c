#include <kube/metrics.h>

#include "lib/base/utf8.h"
#include "lib/runtime/process.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#define VALUE_MAX_LEN 256 /* longer label values are cut */
#define KEY_MAX_LEN (KUBE_METRICS_MAX_LABELS * (VALUE_MAX_LEN + 1))
#define NUMBER_SIZE 32

struct series {
	UT_hash_handle hh; /* by key; iteration is in the order of first touch */
	size_t key_len;
	char *key;    /* the label values, each with its NUL */
	double value; /* a histogram's sum */
	uint64_t count;
	uint64_t buckets[]; /* observations in each bound's own bucket, not cumulative */
};

struct kube_family {
	struct kube_family *prev, *next;
	enum kube_family_type type;
	const char *name, *help, *labels;
	size_t label_count;
	const double *bounds;
	size_t bound_count;
	struct series *series;
};

struct kube_metrics {
	struct kube_family *families;
};

int kube_metrics_new(struct kube_metrics **ret_metrics, struct kube_err *err)
{
	struct kube_metrics *metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return kube_fail(err, KUBE_E_NOMEM, "metrics: out of memory");
	*ret_metrics = metrics;
	return 0;
}

void kube_metrics_free(struct kube_metrics *metrics)
{
	struct kube_family *family, *next;
	if (!metrics)
		return;
	DL_FOREACH_SAFE(metrics->families, family, next)
	{
		kube_metric_clear(family);
		free(family);
	}
	free(metrics);
}

static size_t count_labels(const char *labels)
{
	size_t count = labels[0] != '\0';
	for (const char *c = labels; *c; c++)
		count += *c == ',';
	return count;
}

/* A name is registered once: the same one again gives the same family, or NULL when it means something else. */
struct kube_family *kube_metrics_family(struct kube_metrics *metrics, enum kube_family_type type, const char *name,
                                        const char *help, const char *labels, const double *bounds, size_t bound_count)
{
	struct kube_family *family;
	DL_FOREACH (metrics->families, family) {
		if (strcmp(family->name, name) == 0)
			return family->type == type && strcmp(family->labels, labels) == 0 ? family : NULL;
	}
	if (count_labels(labels) > KUBE_METRICS_MAX_LABELS)
		return NULL;
	family = calloc(1, sizeof(*family));
	if (!family)
		return NULL;
	*family = (struct kube_family){.type = type, .name = name, .help = help, .labels = labels};
	family->label_count = count_labels(labels);
	if (type == KUBE_HISTOGRAM) {
		family->bounds = bounds;
		family->bound_count = bound_count;
	}
	DL_APPEND(metrics->families, family);
	return family;
}

static struct series *new_series(struct kube_family *family, const char *key, size_t key_len)
{
	if (HASH_COUNT(family->series) >= KUBE_METRICS_MAX_SERIES)
		return NULL;
	size_t head = sizeof(struct series) + family->bound_count * sizeof(uint64_t);
	struct series *series = calloc(1, head + key_len + 1);
	if (!series)
		return NULL;
	series->key = (char *)series + head;
	series->key_len = key_len;
	memcpy(series->key, key, key_len);
	HASH_ADD_KEYPTR(hh, family->series, series->key, series->key_len, series);
	if (!series->hh.tbl) { /* no memory for the index */
		free(series);
		return NULL;
	}
	return series;
}

/* The series of these label values, made when it is new; NULL when it cannot be, or the values do not fit the labels.
 */
static struct series *find_series(struct kube_family *family, va_list values)
{
	char key[KEY_MAX_LEN];
	size_t len = 0;
	struct series *series = NULL;

	for (size_t i = 0; i < family->label_count; i++) {
		const char *value = va_arg(values, const char *);
		if (!value)
			return NULL;
		size_t value_len = strnlen(value, VALUE_MAX_LEN);
		memcpy(key + len, value, value_len);
		len += value_len;
		key[len++] = '\0';
	}
	if (va_arg(values, const char *) != NULL)
		return NULL;
	HASH_FIND(hh, family->series, key, len, series);
	return series ? series : new_series(family, key, len);
}

/* A counter takes no negative (and no NaN) steps. */
void kube_metric_add(struct kube_family *family, double value, ...)
{
	va_list values;
	if (!family || family->type == KUBE_HISTOGRAM || (family->type == KUBE_COUNTER && !(value >= 0)))
		return;
	va_start(values, value);
	struct series *series = find_series(family, values);
	va_end(values);
	if (series)
		series->value += value;
}

/* A counter may follow a total that is kept elsewhere: it is raised to it, and never falls. */
void kube_metric_set(struct kube_family *family, double value, ...)
{
	va_list values;
	if (!family || family->type == KUBE_HISTOGRAM)
		return;
	va_start(values, value);
	struct series *series = find_series(family, values);
	va_end(values);
	if (series && (family->type == KUBE_GAUGE || value > series->value))
		series->value = value;
}

/* NaN is left out: one such value would make the sum useless for good. */
void kube_metric_observe(struct kube_family *family, double value, ...)
{
	va_list values;
	if (!family || family->type != KUBE_HISTOGRAM || isnan(value))
		return;
	va_start(values, value);
	struct series *series = find_series(family, values);
	va_end(values);
	if (!series)
		return;
	series->value += value;
	series->count++;
	for (size_t i = 0; i < family->bound_count; i++) {
		if (value <= family->bounds[i]) {
			series->buckets[i]++;
			return;
		}
	}
}

void kube_metric_clear(struct kube_family *family)
{
	struct series *series, *next;
	if (!family)
		return;
	HASH_ITER (hh, family->series, series, next) {
		HASH_DEL(family->series, series);
		free(series);
	}
}

/* The shortest of the usual forms that reads back as the same number. */
static const char *format_number(double value, char out[NUMBER_SIZE])
{
	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value > 0 ? "+Inf" : "-Inf";
	snprintf(out, NUMBER_SIZE, "%.15g", value);
	if (strtod(out, NULL) != value)
		snprintf(out, NUMBER_SIZE, "%.17g", value);
	return out;
}

/* Prometheus refuses a whole scrape for one byte that is no UTF-8: such bytes become '?'. */
static int add_escaped(struct kube_buf *out, const char *text, bool quoted)
{
	const char *end = text + strlen(text);
	int rc = 0;
	for (const char *c = text; c < end && rc == 0;) {
		uint32_t point;
		size_t len = utf8_next(c, (size_t)(end - c), &point);
		if (len == 1 && point == UTF8_REPLACEMENT)
			rc = kube_buf_adds(out, "?");
		else if (*c == '\n')
			rc = kube_buf_adds(out, "\\n");
		else if (*c == '\\')
			rc = kube_buf_adds(out, "\\\\");
		else if (*c == '"' && quoted)
			rc = kube_buf_adds(out, "\\\"");
		else
			rc = kube_buf_add(out, c, len);
		c += len;
	}
	return rc;
}

/* {code="200",le="0.5"}; nothing when there is no label at all. */
static int add_labels(struct kube_buf *out, const struct kube_family *family, const struct series *series,
                      const char *le)
{
	const char *name = family->labels, *value = series->key;
	int rc = 0;
	if (family->label_count == 0 && !le)
		return 0;
	rc = kube_buf_adds(out, "{");
	for (size_t i = 0; i < family->label_count && rc == 0; i++) {
		int len = (int)strcspn(name, ",");
		rc = kube_buf_addf(out, "%s%.*s=\"", i > 0 ? "," : "", len, name);
		if (rc == 0)
			rc = add_escaped(out, value, true);
		if (rc == 0)
			rc = kube_buf_adds(out, "\"");
		name += len + 1;
		value += strlen(value) + 1;
	}
	if (rc == 0 && le)
		rc = kube_buf_addf(out, "%sle=\"%s\"", family->label_count > 0 ? "," : "", le);
	return rc < 0 ? rc : kube_buf_adds(out, "}");
}

static int add_sample(struct kube_buf *out, const struct kube_family *family, const struct series *series,
                      const char *suffix, const char *le, double value)
{
	char number[NUMBER_SIZE];
	int rc = kube_buf_addf(out, "%s%s", family->name, suffix);
	if (rc == 0)
		rc = add_labels(out, family, series, le);
	return rc < 0 ? rc : kube_buf_addf(out, " %s\n", format_number(value, number));
}

static int add_histogram(struct kube_buf *out, const struct kube_family *family, const struct series *series)
{
	char bound[NUMBER_SIZE];
	uint64_t below = 0;
	int rc = 0;
	for (size_t i = 0; i < family->bound_count && rc == 0; i++) {
		below += series->buckets[i];
		rc = add_sample(out, family, series, "_bucket", format_number(family->bounds[i], bound), (double)below);
	}
	if (rc == 0)
		rc = add_sample(out, family, series, "_bucket", "+Inf", (double)series->count);
	if (rc == 0)
		rc = add_sample(out, family, series, "_sum", NULL, series->value);
	return rc < 0 ? rc : add_sample(out, family, series, "_count", NULL, (double)series->count);
}

static int add_family(struct kube_buf *out, const struct kube_family *family)
{
	static const char *const type_words[] = {"counter", "gauge", "histogram"};
	int rc;
	if (!family->series)
		return 0;
	rc = kube_buf_addf(out, "# HELP %s ", family->name);
	if (rc == 0)
		rc = add_escaped(out, family->help, false);
	if (rc == 0)
		rc = kube_buf_addf(out, "\n# TYPE %s %s\n", family->name, type_words[family->type]);
	for (const struct series *series = family->series; series && rc == 0; series = series->hh.next)
		rc = family->type == KUBE_HISTOGRAM ? add_histogram(out, family, series)
		                                    : add_sample(out, family, series, "", NULL, series->value);
	return rc;
}

static int add_process(struct kube_buf *out)
{
	const struct process_usage process = process_usage_read();
	const struct {
		struct kube_family family;
		double value;
	} rows[] = {
	    {{.name = "process_cpu_seconds_total", .help = "Total user and system CPU time spent in seconds."},
	     process.cpu_seconds},
	    {{.name = "process_resident_memory_bytes", .type = KUBE_GAUGE, .help = "Resident memory size in bytes."},
	     process.resident_bytes},
	    {{.name = "process_virtual_memory_bytes", .type = KUBE_GAUGE, .help = "Virtual memory size in bytes."},
	     process.virtual_bytes},
	    {{.name = "process_start_time_seconds",
	      .type = KUBE_GAUGE,
	      .help = "Start time of the process since unix epoch in seconds."},
	     process.start_seconds},
	    {{.name = "process_open_fds", .type = KUBE_GAUGE, .help = "Number of open file descriptors."},
	     process.open_fds},
	    {{.name = "process_max_fds", .type = KUBE_GAUGE, .help = "Maximum number of open file descriptors."},
	     process.max_fds},
	};
	int rc = 0;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows) && rc == 0; i++) {
		struct series only = {.value = rows[i].value};
		struct kube_family family = rows[i].family;
		family.labels = "";
		family.series = &only;
		if (rows[i].value >= 0)
			rc = add_family(out, &family);
	}
	return rc;
}

int kube_metrics_write(const struct kube_metrics *metrics, struct kube_buf *out)
{
	const struct kube_family *family;
	int rc = 0;
	DL_FOREACH (metrics->families, family) {
		if (rc == 0)
			rc = add_family(out, family);
	}
	return rc < 0 ? rc : add_process(out);
}
