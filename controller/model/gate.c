#include "controller/model/gate.h"
#include "controller/model/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)

static const char *const type_words[] = {"Prometheus", "HTTP", "Pods", "Resource", NULL};
static const char *const on_error_words[] = {"Wait", "Fail", NULL};

/* ---- decoding ---- */

static int decode_at(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	static const char *const words[] = {"Rollout", "Wave", "Node", NULL}; /* by bits of enum gate_at */

	(void)arena;
	return words_decode(value, words, "Rollout, Wave or Node", field, err);
}

#define AT(member) offsetof(struct gate_spec, member)
#define SECRET_REF(member) \
	{ \
		.name = "secretRef", .type = KUBE_JSON_OBJECT, .table = member##_secret_table \
	}

static const struct kube_json_field prometheus_secret_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(prometheus.secret), .required = true},
    KUBE_JSON_END,
};
static const struct kube_json_field prometheus_table[] = {
    {.name = "address", .type = KUBE_JSON_STRING, .offset = AT(prometheus.address), .required = true},
    {.name = "query", .type = KUBE_JSON_STRING, .offset = AT(prometheus.query), .required = true},
    {.name = "min", .type = KUBE_JSON_STRING, .offset = AT(prometheus.min)},
    {.name = "max", .type = KUBE_JSON_STRING, .offset = AT(prometheus.max)},
    SECRET_REF(prometheus),
    KUBE_JSON_END,
};

static const struct kube_json_field http_secret_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(http.secret), .required = true},
    KUBE_JSON_END,
};
static const struct kube_json_field http_table[] = {
    {.name = "url", .type = KUBE_JSON_STRING, .offset = AT(http.url), .required = true},
    {.name = "status", .type = KUBE_JSON_INT, .offset = AT(http.status)},
    {.name = "field", .type = KUBE_JSON_STRING, .offset = AT(http.field)},
    {.name = "value", .type = KUBE_JSON_STRING, .offset = AT(http.value)},
    SECRET_REF(http),
    KUBE_JSON_END,
};

static const struct kube_json_field pods_table[] = {
    {.name = "namespace", .type = KUBE_JSON_STRING, .offset = AT(pods.namespace_), .required = true},
    {.name = "selector",
     .type = KUBE_JSON_OBJECT,
     .offset = AT(pods.selector),
     .required = true,
     .table = kube_selector_table},
    {.name = "minReady", .type = KUBE_JSON_INTSTR, .offset = AT(pods.min_ready)},
    KUBE_JSON_END,
};

static const struct kube_json_field resource_table[] = {
    {.name = "apiVersion", .type = KUBE_JSON_STRING, .offset = AT(resource.api_version), .required = true},
    {.name = "kind", .type = KUBE_JSON_STRING, .offset = AT(resource.kind), .required = true},
    {.name = "namespace", .type = KUBE_JSON_STRING, .offset = AT(resource.namespace_)},
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(resource.name), .required = true},
    {.name = "condition", .type = KUBE_JSON_STRING, .offset = AT(resource.condition), .required = true},
    {.name = "status", .type = KUBE_JSON_STRING, .offset = AT(resource.status)},
    KUBE_JSON_END,
};

/* The members of the union are decoded where they are: their offsets are those in struct gate_spec. */
const struct kube_json_field gate_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "at", .type = KUBE_JSON_CUSTOM, .offset = AT(at), .decode = decode_at},
    {.name = "type", .type = KUBE_JSON_ENUM, .offset = AT(type), .required = true, .words = type_words},
    {.name = "prometheus", .type = KUBE_JSON_OBJECT, .table = prometheus_table},
    {.name = "http", .type = KUBE_JSON_OBJECT, .table = http_table},
    {.name = "pods", .type = KUBE_JSON_OBJECT, .table = pods_table},
    {.name = "resource", .type = KUBE_JSON_OBJECT, .table = resource_table},
    {.name = "onError", .type = KUBE_JSON_ENUM, .offset = AT(on_error), .words = on_error_words},
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = AT(timeout_ms)},
    {.name = "interval", .type = KUBE_JSON_DURATION, .offset = AT(interval_ms)},
    KUBE_JSON_END,
};
#undef AT

static int complete(const cJSON *item, struct gate_spec *gate, size_t index, struct kube_err *err)
{
	static const char *const members[] = {"prometheus", "http", "pods", "resource"};

	if (!kube_json_get(item, members[gate->type]))
		return kube_fail(err, KUBE_E_PARSE, "gates[%zu].%s: required, but absent", index, members[gate->type]);
	if (!gate->at)
		gate->at = GATE_AT_NODE;
	if (!kube_json_get(item, "http.status"))
		gate->http.status = 200;
	if (!gate->pods.min_ready.set)
		gate->pods.min_ready = (struct kube_intstr){.set = true, .percent = true, .value = 100};
	if (!gate->resource.status)
		gate->resource.status = "True";
	if (!kube_json_get(item, "timeout"))
		gate->timeout_ms = 10 * SECOND_MS;
	if (!kube_json_get(item, "interval"))
		gate->interval_ms = 30 * SECOND_MS;
	return 0;
}

int gates_complete(const cJSON *spec, struct rules *rules, struct kube_err *err)
{
	const cJSON *item;
	size_t index = 0;

	if (rules->gates.count > MAX_GATES)
		return kube_fail(err, KUBE_E_LIMIT, "gates: %zu entries, expected at most %d", rules->gates.count, MAX_GATES);
	cJSON_ArrayForEach (item, kube_json_get(spec, "gates")) {
		int rc = complete(item, &rules->gates.items[index], index, err);
		if (rc)
			return rc;
		index++;
	}
	return 0;
}

/* ---- checks ---- */

static bool is_number(const char *text)
{
	char *end = NULL;
	errno = 0;
	strtod(text, &end);
	return errno == 0 && end != text && !*end && strspn(text, "-0123456789.") == strlen(text);
}

static int check_bounds(const struct gate_spec *gate, struct kube_err *err)
{
	const char *min = gate->prometheus.min, *max = gate->prometheus.max;

	if (!min && !max)
		return kube_fail(err, KUBE_E_INVALID, "prometheus: needs max, min or both, for example max: \"0\"");
	if ((min && !is_number(min)) || (max && !is_number(max)))
		return kube_fail(err, KUBE_E_INVALID, "prometheus: max and min are decimal numbers, for example \"0.01\"");
	if (min && max && strtod(min, NULL) > strtod(max, NULL))
		return kube_fail(err, KUBE_E_INVALID, "prometheus: min %.32s is above max %.32s, so no value is good", min,
		                 max);
	return 0;
}

/* What is no placeholder would be sent as it stands, and match nothing. */
static int check_query(const struct gate_spec *gate, struct kube_err *err)
{
	const char *at = gate->prometheus.query;

	while ((at = strstr(at, "{{"))) {
		if (strncmp(at, GATE_PLACEHOLDER_ACTIVE, sizeof(GATE_PLACEHOLDER_ACTIVE) - 1) != 0)
			return kube_fail(err, KUBE_E_INVALID,
			                 "prometheus.query: \"%.20s\" is no placeholder; there is only " GATE_PLACEHOLDER_ACTIVE,
			                 at);
		at += 2;
	}
	return 0;
}

static int check_pods(const struct gate_spec *gate, struct kube_err *err)
{
	if (kube_selector_empty(&gate->pods.selector))
		return kube_fail(err, KUBE_E_INVALID, "pods.selector is empty: name at least one label");
	int rc = kube_selector_check(&gate->pods.selector, err);
	return rc ? kube_err_prefix(err, "pods") : 0;
}

static int check_gate(const struct gate_spec *gate, struct kube_err *err)
{
	if (gate->timeout_ms <= 0 || gate->timeout_ms >= gate->interval_ms)
		return kube_fail(err, KUBE_E_INVALID, "timeout: must be above 0 and below interval");
	switch ((enum gate_type)gate->type) {
	case GATE_PROMETHEUS: {
		int rc = check_bounds(gate, err);
		return rc ? rc : check_query(gate, err);
	}
	case GATE_PODS: return check_pods(gate, err);
	case GATE_HTTP:
		if (!gate->http.field != !gate->http.value)
			return kube_fail(err, KUBE_E_INVALID, "http: field and value go together");
		return 0;
	case GATE_RESOURCE: return 0;
	}
	return 0;
}

int gates_check(const struct rules *rules, struct kube_err *err)
{
	for (size_t i = 0; i < rules->gates.count; i++) {
		const struct gate_spec *gate = &rules->gates.items[i];
		for (size_t k = 0; k < i; k++)
			if (strcmp(rules->gates.items[k].name, gate->name) == 0)
				return kube_fail(err, KUBE_E_INVALID, "spec.gates[%zu].name: \"%.63s\" stands there twice", i,
				                 gate->name);
		if (check_gate(gate, err) != 0)
			return kube_err_prefix(err, "spec.gates[%zu] (%.63s)", i, gate->name);
	}
	return 0;
}

/* ---- copies ---- */

int gate_copy(const struct gate_spec *gate, struct kube_arena *arena, struct gate_spec *ret_copy, struct kube_err *err)
{
	struct gate_spec copy = *gate;
	const char **const texts[] = {
	    &copy.name,
	    &copy.prometheus.address,
	    &copy.prometheus.query,
	    &copy.prometheus.min,
	    &copy.prometheus.max,
	    &copy.prometheus.secret,
	    &copy.http.url,
	    &copy.http.field,
	    &copy.http.value,
	    &copy.http.secret,
	    &copy.pods.namespace_,
	    &copy.resource.api_version,
	    &copy.resource.kind,
	    &copy.resource.namespace_,
	    &copy.resource.name,
	    &copy.resource.condition,
	    &copy.resource.status,
	};
	copy.pods.selector = (struct kube_selector){0};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++) {
		const char *text = *texts[i] ? kube_arena_strdup(arena, *texts[i]) : NULL;
		if (*texts[i] && !text)
			return meta_out_of_memory(err);
		*texts[i] = text;
	}
	*ret_copy = copy;
	return 0;
}
