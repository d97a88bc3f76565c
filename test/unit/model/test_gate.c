/* spec.gates: defaults, every member, and what cannot be. */
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include "controller/model/policy.h"

#include <kube/mem.h>

#define SPEC(gates) \
	"{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}},'patches':[{'component':'Kubelet','version':'1.34.4'," \
	"'job':{'image':'i'}}],'gates':[" gates "]}"
#define PROMETHEUS(more) \
	"{'name':'g','type':'Prometheus','prometheus':{'address':'https://p','query':'up','max':'0'}" more "}"

static int decode(const char *spec, struct rules *ret_rules, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = json_of(spec);
	int rc = rules_decode(json, ret_rules, arena, err);
	return rc ? rc : rules_check(ret_rules, err);
}

static struct rules rules_of(const char *spec, struct kube_arena *arena)
{
	struct rules rules;
	struct kube_err err = {0};
	ck_assert_msg(decode(spec, &rules, arena, &err) == 0, "%s: %s", spec, err.message);
	return rules;
}

START_TEST(defaults)
{
	struct kube_arena arena = {0};
	const struct gate_spec *gate = rules_of(SPEC(PROMETHEUS("")), &arena).gates.items;
	ck_assert_uint_eq(gate->at, GATE_AT_NODE);
	ck_assert_int_eq(gate->on_error, GATE_ON_ERROR_WAIT);
	ck_assert_int_eq(gate->timeout_ms, 10000);
	ck_assert_int_eq(gate->interval_ms, 30000);
	ck_assert_ptr_null(gate->prometheus.min);
	ck_assert_ptr_null(gate->prometheus.secret);
	gate = rules_of(SPEC("{'name':'g','type':'HTTP','http':{'url':'https://p'}}"), &arena).gates.items;
	ck_assert_int_eq(gate->http.status, 200);
	ck_assert_ptr_null(gate->http.field);
	gate = rules_of(SPEC("{'name':'g','type':'Pods','pods':{'namespace':'n','selector':{'matchLabels':{'a':'b'}}}}"),
	                &arena)
	           .gates.items;
	ck_assert(gate->pods.min_ready.percent && gate->pods.min_ready.value == 100);
	gate = rules_of(
	           SPEC("{'name':'g','type':'Resource','resource':{'apiVersion':'v1','kind':'K','name':'n','condition':'C'}"
	                "}"),
	           &arena)
	           .gates.items;
	ck_assert_str_eq(gate->resource.status, "True");
	ck_assert_ptr_null(gate->resource.namespace_);
	ck_assert_uint_eq(rules_of(SPEC(""), &arena).gates.count, 0);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(every_member_and_copies)
{
	struct kube_arena arena = {0}, copies = {0};
	struct rules rules = rules_of(
	    SPEC("{'name':'a','at':['Rollout','Wave'],'type':'Prometheus','prometheus':{'address':'https://p','query':"
	         "'x{{active}}','min':'-1.5','max':'2','secretRef':{'name':'s'}},'onError':'Fail','timeout':'2s','interval'"
	         ":'4s'},"
	         "{'name':'b','type':'HTTP','http':{'url':'https://"
	         "q','status':204,'field':'f','value':'v','secretRef':{'name':"
	         "'t'}}},{'name':'c','type':'Pods','pods':{'namespace':'n','selector':{'matchLabels':{'a':'b'}},'minReady':"
	         "3}},"
	         "{'name':'d','type':'Resource','resource':{'apiVersion':'g/"
	         "v1','kind':'K','namespace':'m','name':'r','condition':"
	         "'C','status':'False'}}"),
	    &arena);
	struct gate_spec copied[4];
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(gate_copy(&rules.gates.items[i], &copies, &copied[i], NULL), 0);
	kube_arena_finish(&arena);
	ck_assert_uint_eq(copied[0].at, GATE_AT_ROLLOUT | GATE_AT_WAVE);
	ck_assert_str_eq(copied[0].name, "a");
	ck_assert_str_eq(copied[0].prometheus.address, "https://p");
	ck_assert_str_eq(copied[0].prometheus.query, "x{{active}}");
	ck_assert_str_eq(copied[0].prometheus.min, "-1.5");
	ck_assert_str_eq(copied[0].prometheus.max, "2");
	ck_assert_str_eq(copied[0].prometheus.secret, "s");
	ck_assert_int_eq(copied[0].on_error, GATE_ON_ERROR_FAIL);
	ck_assert_int_eq(copied[0].timeout_ms, 2000);
	ck_assert_int_eq(copied[0].interval_ms, 4000);
	ck_assert_str_eq(copied[1].http.url, "https://q");
	ck_assert_int_eq(copied[1].http.status, 204);
	ck_assert_str_eq(copied[1].http.field, "f");
	ck_assert_str_eq(copied[1].http.value, "v");
	ck_assert_str_eq(copied[1].http.secret, "t");
	ck_assert_str_eq(copied[2].pods.namespace_, "n");
	ck_assert(!copied[2].pods.min_ready.percent && copied[2].pods.min_ready.value == 3);
	ck_assert_str_eq(copied[3].resource.api_version, "g/v1");
	ck_assert_str_eq(copied[3].resource.kind, "K");
	ck_assert_str_eq(copied[3].resource.namespace_, "m");
	ck_assert_str_eq(copied[3].resource.name, "r");
	ck_assert_str_eq(copied[3].resource.condition, "C");
	ck_assert_str_eq(copied[3].resource.status, "False");
	kube_arena_finish(&copies);
}
END_TEST

#define POD_GATE(selector) "{'name':'g','type':'Pods','pods':{'namespace':'n','selector':" selector "}}"
#define BOUNDS(bounds) "{'name':'g','type':'Prometheus','prometheus':{'address':'https://p','query':'up'" bounds "}}"

static const struct {
	const char *spec, *says;
} wrong[] = {
    {SPEC("{'name':'g','type':'Alertmanager'}"), "Prometheus"},
    {SPEC("{'name':'g','type':'HTTP','prometheus':{'address':'https://p','query':'up','max':'0'}}"),
     "gates[0].http: required, but absent"},
    {SPEC(PROMETHEUS(",'at':['Pod']")), "expected Rollout, Wave or Node"},
    {SPEC(PROMETHEUS(",'timeout':'30s'")), "spec.gates[0] (g): timeout: must be above 0 and below interval"},
    {SPEC(BOUNDS("")), "spec.gates[0] (g): prometheus: needs max, min or both"},
    {SPEC(BOUNDS(",'max':'many'")), "decimal numbers"},
    {SPEC(BOUNDS(",'min':'nan'")), "decimal numbers"},
    {SPEC(BOUNDS(",'max':'inf'")), "decimal numbers"},
    {SPEC(BOUNDS(",'max':''")), "decimal numbers"},
    {SPEC(BOUNDS(",'max':'1','min':'1.5'")), "no value is good"},
    {SPEC("{'name':'g','type':'Prometheus','prometheus':{'address':'https://p','query':'x{{activ}}','max':'0'}}"),
     "\"{{activ}}\" is no placeholder"},
    {SPEC(POD_GATE("{}")), "pods.selector is empty"},
    {SPEC(POD_GATE("{'matchExpressions':[{'key':'a','operator':'In'}]}")), "spec.gates[0] (g): pods"},
    {SPEC("{'name':'g','type':'HTTP','http':{'url':'https://p','field':'f'}}"), "field and value go together"},
    {SPEC(PROMETHEUS("") "," PROMETHEUS("")), "spec.gates[1].name: \"g\" stands there twice"},
    {SPEC(PROMETHEUS("") "," PROMETHEUS("") "," PROMETHEUS("") "," PROMETHEUS("") "," PROMETHEUS("") "," PROMETHEUS(
         "") "," PROMETHEUS("") "," PROMETHEUS("") "," PROMETHEUS("")),
     "gates: 9 entries, expected at most 8"},
};

START_TEST(what_cannot_be)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(wrong); i++) {
		struct kube_arena arena = {0};
		struct rules rules;
		struct kube_err err = {0};
		ck_assert_msg(decode(wrong[i].spec, &rules, &arena, &err) < 0, "not refused: %s", wrong[i].spec);
		ck_assert_msg(strstr(err.message, wrong[i].says) != NULL, "\"%s\" does not say: %s", err.message,
		              wrong[i].says);
		kube_arena_finish(&arena);
	}
}
END_TEST

CHECK_MAIN("gate of a policy", defaults, every_member_and_copies, what_cannot_be)
