#include "controller/observe/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERDICT(name, its_verdict) \
	struct verdict name(const char *fmt, ...) \
	{ \
		struct verdict verdict = {.verdict = (its_verdict)}; \
		va_list ap; \
		va_start(ap, fmt); \
		vsnprintf(verdict.message, sizeof(verdict.message), fmt, ap); \
		va_end(ap); \
		return verdict; \
	}
VERDICT(verdict_open, GATE_OPEN)
VERDICT(verdict_closed, GATE_CLOSED)
VERDICT(verdict_error, GATE_ERROR)

static cJSON *parse(const char *body, size_t len)
{
	cJSON *json = NULL;
	return kube_json_parse(body, len, &json, NULL) == 0 ? json : NULL;
}

/* ---- Prometheus ---- */

struct values {
	size_t count;
	double low, high;
	bool odd; /* one is NaN, or no number at all */
};

/* [time, "value"] */
static void add_value(struct values *values, const cJSON *sample)
{
	const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(sample, 1));
	char *end = NULL;
	double value = text ? strtod(text, &end) : NAN;
	if (!text || end == text || *end || isnan(value)) {
		values->odd = true;
		return;
	}
	values->low = values->count == 0 || value < values->low ? value : values->low;
	values->high = values->count == 0 || value > values->high ? value : values->high;
	values->count++;
}

static struct verdict within_bounds(const struct gate_spec *gate, const struct values *values)
{
	const char *min = gate->prometheus.min, *max = gate->prometheus.max;
	char of[48] = "";
	if (values->count > 1)
		snprintf(of, sizeof(of), ", of %zu series,", values->count);
	if (max && values->high > strtod(max, NULL))
		return verdict_closed("the value %.6g%s is above max %.32s", values->high, of, max);
	if (min && values->low < strtod(min, NULL))
		return verdict_closed("the value %.6g%s is below min %.32s", values->low, of, min);
	if (values->count > 1)
		return verdict_open("the values of %zu series are from %.6g to %.6g", values->count, values->low, values->high);
	return verdict_open("the value is %.6g", values->low);
}

static struct verdict judge_data(const struct gate_spec *gate, const cJSON *data)
{
	const char *type = kube_json_str(data, "resultType");
	const cJSON *result = kube_json_get(data, "result"), *series;
	struct values values = {0};
	if (!type || !cJSON_IsArray(result))
		return verdict_error("the answer is not that of a Prometheus query");
	if (strcmp(type, "scalar") == 0) {
		add_value(&values, result);
	} else if (strcmp(type, "vector") == 0) {
		cJSON_ArrayForEach (series, result)
			add_value(&values, kube_json_get(series, "value"));
	} else {
		return verdict_error("the query gives a range or a text, not one value for each series");
	}
	if (values.odd)
		return verdict_error("the query gives a value that is not a number");
	if (values.count == 0)
		return verdict_error("the query gives no data; end it with \"or vector(0)\" where none means 0");
	return within_bounds(gate, &values);
}

/* Only words that Prometheus is known to use: the rest of what it sends is nobody's business. */
static const char *known_error(const cJSON *json)
{
	static const char *const words[] = {"timeout",  "canceled",    "execution", "bad_data",
	                                    "internal", "unavailable", "not_found", "not_acceptable"};
	const char *type = kube_json_str(json, "errorType");
	for (size_t i = 0; type && i < KUBE_ARRAY_LEN(words); i++)
		if (strcmp(type, words[i]) == 0)
			return words[i];
	return "no reason that is known";
}

struct verdict verdict_of_prometheus(const struct gate_spec *gate, int status, const char *body, size_t len)
{
	_cleanup_json_ cJSON *json = parse(body, len);
	const char *word = kube_json_str(json, "status");
	if (status / 100 == 3)
		return verdict_error("the server answers %d, a redirect, and redirects are not followed", status);
	if (word && strcmp(word, "error") == 0) {
		const char *error = known_error(json);
		return verdict_error("the query fails with status %d: %s%s", status, error,
		                     strcmp(error, "bad_data") == 0 ? ", so the query is wrong: correct it" : "");
	}
	if (status != 200)
		return verdict_error("the server answers %d", status);
	if (!word || strcmp(word, "success") != 0)
		return verdict_error("the answer is not that of a Prometheus query");
	if (cJSON_GetArraySize(kube_json_get(json, "warnings")) > 0)
		return verdict_error("the answer comes with warnings, so something may be missing in it");
	return judge_data(gate, kube_json_get(json, "data"));
}

/* ---- HTTP ---- */

/* Numbers and truths as they are written in JSON. */
static bool shows(const cJSON *item, const char *value)
{
	_cleanup_free_ char *text = cJSON_IsString(item) ? NULL : cJSON_PrintUnformatted(item);
	const char *shown = cJSON_IsString(item) ? item->valuestring : text;
	return shown && strcmp(shown, value) == 0;
}

struct verdict verdict_of_http(const struct gate_spec *gate, int status, const char *body, size_t len)
{
	const char *field = gate->http.field;
	if (status != gate->http.status)
		return verdict_closed("the server answers %d, not %lld%s", status, (long long)gate->http.status,
		                      status / 100 == 3 ? "; redirects are not followed" : "");
	if (!field)
		return verdict_open("the server answers %d", status);
	_cleanup_json_ cJSON *json = parse(body, len);
	const cJSON *item = kube_json_get(json, field);
	if (!json)
		return verdict_error("the answer is no JSON, so there is no field %.100s in it", field);
	if (!item)
		return verdict_error("the answer has no field %.100s", field);
	if (!shows(item, gate->http.value))
		return verdict_closed("the field %.80s of the answer is not \"%.80s\"", field, gate->http.value);
	return verdict_open("the field %.80s of the answer is \"%.80s\"", field, gate->http.value);
}

/* ---- pods ---- */

/* Sizes round up. */
static int64_t needed(const struct kube_intstr *value, int64_t total)
{
	return value->percent ? (total * value->value + 99) / 100 : value->value;
}

struct verdict verdict_of_pods(const struct gate_spec *gate, int64_t matching, int64_t ready)
{
	int64_t least = needed(&gate->pods.min_ready, matching);
	const char *where = gate->pods.namespace_;
	if (matching == 0)
		return verdict_error("no pod of the namespace %.63s matches the selector", where);
	if (ready < least)
		return verdict_closed("%lld of %lld pods in %.63s are Ready, and %lld must be", (long long)ready,
		                      (long long)matching, where, (long long)least);
	return verdict_open("%lld of %lld pods in %.63s are Ready", (long long)ready, (long long)matching, where);
}

/* ---- a condition of an object ---- */

static const cJSON *condition_of(const cJSON *object, const char *type)
{
	const cJSON *item;
	cJSON_ArrayForEach (item, kube_json_get(object, "status.conditions")) {
		const char *its = kube_json_str(item, "type");
		if (its && strcmp(its, type) == 0)
			return item;
	}
	return NULL;
}

/* Whoever writes the condition has not seen the newest spec. */
static bool behind(const cJSON *object, const cJSON *condition)
{
	const cJSON *generation = kube_json_get(object, "metadata.generation");
	const cJSON *observed = kube_json_get(condition, "observedGeneration");
	if (!observed)
		observed = kube_json_get(object, "status.observedGeneration");
	return cJSON_IsNumber(generation) && cJSON_IsNumber(observed) && observed->valuedouble < generation->valuedouble;
}

struct verdict verdict_of_resource(const struct gate_spec *gate, const cJSON *object)
{
	const char *type = gate->resource.condition, *wanted = gate->resource.status;
	const cJSON *condition = condition_of(object, type);
	const char *status = kube_json_str(condition, "status");
	const char *what = gate->resource.kind, *name = gate->resource.name;
	if (!status)
		return verdict_error("%.63s %.80s has no condition %.60s", what, name, type);
	if (behind(object, condition))
		return verdict_closed("the condition %.60s of %.63s %.80s is older than its spec", type, what, name);
	if (strcmp(status, wanted) != 0)
		return verdict_closed("the condition %.60s of %.50s %.80s is not %s", type, what, name, wanted);
	return verdict_open("the condition %.60s of %.50s %.80s is %s", type, what, name, wanted);
}
