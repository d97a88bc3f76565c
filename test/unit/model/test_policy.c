#include "controller/model/policy.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/digest.h>
#include <stdio.h>

#define MINUTE INT64_C(60000)
#define TARGET "'target':{'type':'Nodes','nodes':{'selector':{'matchLabels':{'pool':'workers'}}}}"
#define MINIMAL TARGET ",'patches':[{'component':'ContainerRuntime','version':'1.7.27','job':{'image':'i'}}]"

static int decode_rules(const char *spec, struct rules *rules, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = json_of(spec);
	return rules_decode(json, rules, arena, err);
}

static struct rules rules_of(const char *spec, struct kube_arena *arena)
{
	struct rules rules;
	struct kube_err err = {0};
	ck_assert_msg(decode_rules(spec, &rules, arena, &err) == 0, "%s", err.message);
	return rules;
}

/* slice of the CRD's defaults, one by one. */
START_TEST(test_defaults)
{
	struct kube_arena arena = {0};
	struct rules rules = rules_of("{" MINIMAL "}", &arena);
	const struct patch *patch = &rules.patches.items[0];

	ck_assert_uint_eq(rules.patches.count, 1);
	ck_assert_int_eq(patch->component, COMPONENT_CONTAINER_RUNTIME);
	ck_assert_str_eq(patch->version, "1.7.27");
	ck_assert_int_eq(patch->observed.type, OBSERVED_NODE_INFO);
	ck_assert_int_eq(patch->observed.node_info, NODE_INFO_CONTAINER_RUNTIME);
	ck_assert_int_eq(patch->observe_timeout_ms, 5 * MINUTE);
	ck_assert_str_eq(patch->job.host_path, "/host");
	ck_assert(patch->job.privileged);
	ck_assert_int_eq(patch->job.timeout_ms, 15 * MINUTE);
	ck_assert_ptr_null(patch->job.resources);
	ck_assert_ptr_null(patch->rollback);
	ck_assert(rules.max_unavailable.set && !rules.max_unavailable.percent);
	ck_assert_int_eq(rules.max_unavailable.value, 1);
	ck_assert_uint_eq(rules.waves.count, 2);
	ck_assert_str_eq(rules.waves.items[0].name, "canary");
	ck_assert(rules.waves.items[0].size.set);
	ck_assert_int_eq(rules.waves.items[0].size.value, 1);
	ck_assert_int_eq(rules.waves.items[0].soak_ms, 10 * MINUTE);
	ck_assert_str_eq(rules.waves.items[1].name, "rest");
	ck_assert(!rules.waves.items[1].size.set);
	ck_assert_int_eq(rules.waves.items[1].soak_ms, 0);
	ck_assert_uint_eq(rules.order.count, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rules.order.keys[i], i);
	ck_assert_ptr_null(rules.waves.items[0].selector);
	ck_assert_ptr_null(rules.topology);
	ck_assert_int_eq(rules.failure_budget.value, 0);
	ck_assert_int_eq(rules.settle_ready_for_ms, 15000);
	ck_assert_int_eq(rules.settle_timeout_ms, 10 * MINUTE);
	ck_assert_int_eq(rules.on_failure, ON_FAILURE_QUARANTINE);
	ck_assert(rules.drain.enabled);
	ck_assert_int_eq(rules.drain.timeout_ms, 15 * MINUTE);
	ck_assert_int_eq(rules.drain.grace_period_s, -1);
	ck_assert_int_eq(rules.drain.parallelism, 10);
	ck_assert(!rules.drain.delete_empty_dir_data);
	ck_assert_int_eq(rules.drain.unmanaged_pods, UNMANAGED_BLOCK);
	ck_assert_int_eq(rules.rollback_timeout_ms, 30 * MINUTE);
	ck_assert(!rules.emergency.allow);
	ck_assert_uint_eq(rules.emergency.bypass, 1u << BYPASS_WINDOWS | 1u << BYPASS_SOAK);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_every_member)
{
	struct kube_arena arena = {0};
	struct rules rules = rules_of(
	    "{" TARGET ",'patches':[{'component':'Custom','version':'550.1','observed':{'type':'Label','label':'x/driver'},"
	    "'observeTimeout':'90s','job':{'image':'i','command':['c'],'args':['a','b'],'env':[{'name':'K','value':'v'},"
	    "{'name':'E'}],'hostPath':'','privileged':false,'timeout':'1m','resources':{'limits':{'memory':'1Gi','cpu':'1'}"
	    "}},"
	    "'rollback':{'image':'j'}},"
	    "{'component':'Kubelet','version':'1.34.2','observed':{'type':'Annotation','annotation':'x/"
	    "k'},'job':{'image':'k'}},"
	    "{'component':'Kernel','version':'6.1','job':{'image':'l'}},"
	    "{'component':'OperatingSystem','version':'12','observed':{'type':'NodeInfo','nodeInfo':'kernelVersion'},"
	    "'job':{'image':'l'}}],"
	    "'strategy':{'order':['PodCount','Name'],'maxUnavailable':'10%','waves':[{'name':'a','size':'25%',"
	    "'selector':{'matchLabels':{'rack':'b'}},'maxUnavailable':2,'soak':'1h30m'},"
	    "{'name':'b','topology':{'key':'rack'}}],'topology':{'key':'zone','maxDomainsInProgress':3},'failureBudget':'5%"
	    "','settle':{'readyFor':'1m','timeout':'20m'},'onFailure':'Uncordon'},"
	    "'drain':{'enabled':false,'timeout':'1h','gracePeriodSeconds':0,'parallelism':100,'deleteEmptyDirData':true,"
	    "'unmanagedPods':'Delete'},'rollback':{'timeout':'2h'},'emergency':{'allow':true,'bypass':['Approval','Freezes'"
	    "]}}",
	    &arena);
	const struct patch *patch = rules.patches.items;

	ck_assert_uint_eq(rules.patches.count, 4);
	ck_assert_int_eq(patch->observed.type, OBSERVED_LABEL);
	ck_assert_str_eq(patch->observed.label, "x/driver");
	ck_assert_int_eq(patch->observe_timeout_ms, 90000);
	ck_assert_str_eq(patch->job.command.items[0], "c");
	ck_assert_str_eq(patch->job.args.items[1], "b");
	ck_assert_str_eq(patch->job.env.items[0].value, "v");
	ck_assert_str_eq(patch->job.env.items[1].value, "");
	ck_assert_str_eq(patch->job.host_path, "");
	ck_assert(!patch->job.privileged);
	ck_assert_int_eq(patch->job.timeout_ms, MINUTE);
	ck_assert_str_eq(patch->job.resources, "{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}}");
	ck_assert_str_eq(patch->rollback->image, "j");
	ck_assert_str_eq(patch->rollback->host_path, "/host");
	ck_assert(patch->rollback->privileged);
	ck_assert_int_eq(patch->rollback->timeout_ms, 15 * MINUTE);
	ck_assert_int_eq(patch[1].observed.type, OBSERVED_ANNOTATION);
	ck_assert_str_eq(patch[1].observed.annotation, "x/k");
	ck_assert_int_eq(patch[2].observed.node_info, NODE_INFO_KERNEL);
	ck_assert_int_eq(patch[3].observed.node_info, NODE_INFO_KERNEL);
	ck_assert(rules.max_unavailable.percent);
	ck_assert_int_eq(rules.max_unavailable.value, 10);
	ck_assert_uint_eq(rules.order.count, 2);
	ck_assert_int_eq(rules.order.keys[0], ORDER_POD_COUNT);
	ck_assert_int_eq(rules.order.keys[1], ORDER_NAME);
	ck_assert_str_eq(rules.waves.items[0].selector->match_labels.items[0].value, "b");
	ck_assert(rules.waves.items[0].size.percent);
	ck_assert_int_eq(rules.waves.items[0].size.value, 25);
	ck_assert_int_eq(rules.waves.items[0].max_unavailable.value, 2);
	ck_assert_int_eq(rules.waves.items[0].soak_ms, 90 * MINUTE);
	ck_assert(!rules.waves.items[1].max_unavailable.set);
	ck_assert_str_eq(rules.topology->key, "zone");
	ck_assert_int_eq(rules.topology->max_domains, 3);
	ck_assert_ptr_null(rules.waves.items[0].topology);
	ck_assert_str_eq(rules.waves.items[1].topology->key, "rack");
	ck_assert_int_eq(rules.waves.items[1].topology->max_domains, 1);
	ck_assert(rules.failure_budget.percent);
	ck_assert_int_eq(rules.failure_budget.value, 5);
	ck_assert_int_eq(rules.settle_ready_for_ms, MINUTE);
	ck_assert_int_eq(rules.settle_timeout_ms, 20 * MINUTE);
	ck_assert_int_eq(rules.on_failure, ON_FAILURE_UNCORDON);
	ck_assert(!rules.drain.enabled);
	ck_assert_int_eq(rules.drain.timeout_ms, 60 * MINUTE);
	ck_assert_int_eq(rules.drain.grace_period_s, 0);
	ck_assert_int_eq(rules.drain.parallelism, 100);
	ck_assert(rules.drain.delete_empty_dir_data);
	ck_assert_int_eq(rules.drain.unmanaged_pods, UNMANAGED_DELETE);
	ck_assert_int_eq(rules.rollback_timeout_ms, 120 * MINUTE);
	ck_assert(rules.emergency.allow);
	ck_assert_uint_eq(rules.emergency.bypass, 1u << BYPASS_APPROVAL | 1u << BYPASS_FREEZES);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_default_observed)
{
	static const struct {
		const char *component;
		int type, node_info;
	} cases[] = {
	    {"Kubelet", OBSERVED_NODE_INFO, NODE_INFO_KUBELET},
	    {"ContainerRuntime", OBSERVED_NODE_INFO, NODE_INFO_CONTAINER_RUNTIME},
	    {"Kernel", OBSERVED_NODE_INFO, NODE_INFO_KERNEL},
	    {"OperatingSystem", OBSERVED_NODE_INFO, NODE_INFO_OS_IMAGE},
	    {"Custom", OBSERVED_DEFAULT, 0},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		char spec[512];
		snprintf(spec, sizeof(spec), "{" TARGET ",'patches':[{'component':'%s','version':'1','job':{'image':'i'}}]}",
		         cases[i].component);
		struct rules rules = rules_of(spec, &arena);
		ck_assert_int_eq(rules.patches.items[0].observed.type, cases[i].type);
		ck_assert_int_eq(rules.patches.items[0].observed.node_info, cases[i].node_info);
		kube_arena_finish(&arena);
	}
}
END_TEST

/* With a verify job, what no node shows is observed in our own note, and frozen so. */
START_TEST(test_applied)
{
	static const char *const patches[] = {
	    "{'component':'Custom','version':'1','job':{'image':'i'},'verify':{'image':'i'}}",
	    "{'component':'Custom','version':'1','job':{'image':'i'},'verify':{'image':'i'},'observed':{'type':'Label',"
	    "'label':'l'}}",
	    "{'component':'Kubelet','version':'1','job':{'image':'i'},'verify':{'image':'i'}}",
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(patches); i++) {
		struct kube_arena arena = {0};
		char json[512];
		snprintf(json, sizeof(json), "{'metadata':{'name':'pool'},'spec':{" TARGET ",'patches':[%s]}}", patches[i]);
		struct policy *policy = (struct policy *)object_of(&policy_projection, json);
		struct rules frozen = rules_of(policy->rules_json, &arena);
		const struct patch *patch = &policy->rules.patches.items[0], *later = &frozen.patches.items[0];
		ck_assert_int_eq(patch->applied, i == 0);
		ck_assert_int_eq(later->applied, i == 0);
		ck_assert_int_eq(later->observed.type, patch->observed.type);
		ck_assert_pstr_eq(later->observed.annotation, i == 0 ? "patchwright.io/applied.pool" : NULL);
		ck_assert_pstr_eq(patch->observed.annotation, later->observed.annotation);
		kube_object_unref(&policy->object);
		kube_arena_finish(&arena);
	}
}
END_TEST

#define PATCH "{'component':'Kubelet','version':'1','job':{'image':'i'}}"
START_TEST(test_refused)
{
	static const struct {
		const char *spec, *says;
	} cases[] = {
	    {"{}", "target"},
	    {"{'target':null,'patches':[" PATCH "]}", "target"},
	    {"{'target':{'type':'Workloads','nodes':{'selector':{}}},'patches':[" PATCH "]}", "target.type"},
	    {"{'target':{'nodes':{}},'patches':[" PATCH "]}", "target.nodes.selector"},
	    {"{" TARGET "}", "patches"},
	    {"{" TARGET ",'patches':[]}", "patches"},
	    {"{'emergency':{'bypass':['Health']}," MINIMAL "}",
	     "emergency.bypass: expected Windows, Freezes, Soak or Approval"},
	    {"{'emergency':{'bypass':'Soak'}," MINIMAL "}", "emergency.bypass: expected a list of Windows"},
	    {"{" TARGET ",'patches':[" PATCH "," PATCH "," PATCH "," PATCH "," PATCH "," PATCH "," PATCH "," PATCH "," PATCH
	     "]}",
	     "patches: 9"},
	    {"{" TARGET ",'patches':[" PATCH ",{'component':'Firmware','version':'1','job':{'image':'i'}}]}",
	     "patches[1].component"},
	    {"{" TARGET ",'patches':[{'component':'Kubelet','version':'1'}]}", "patches[0].job"},
	    {"{" TARGET ",'patches':[{'component':'Kubelet','version':'1','job':{'image':'i','timeout':'soon'}}]}",
	     "patches[0].job.timeout"},
	    {"{" TARGET ",'patches':[{'component':'Kubelet','version':'1','job':{'image':'i','resources':[]}}]}",
	     "patches[0].job.resources"},
	    {"{" TARGET ",'patches':[{'component':'Kubelet','version':'1','observed':{},'job':{'image':'i'}}]}",
	     "patches[0].observed.type"},
	    {"{" TARGET ",'patches':[{'component':'Kubelet','version':'1','observed':{'type':'Label','annotation':'x'},'"
	     "job':{'image':'i'}}]}",
	     "patches[0].observed.label"},
	    {"{" TARGET
	     ",'patches':[{'component':'Kubelet','version':'1','observed':{'type':'NodeInfo'},'job':{'image':'i'}}]}",
	     "patches[0].observed.nodeInfo"},
	    {"{" MINIMAL ",'strategy':{'onFailure':'Ignore'}}", "strategy.onFailure"},
	    {"{" MINIMAL ",'strategy':{'maxUnavailable':'some'}}", "strategy.maxUnavailable"},
	    {"{" MINIMAL ",'drain':{'unmanagedPods':'Ask'}}", "drain.unmanagedPods"},
	    {"{" MINIMAL ",'strategy':{'topology':{}}}", "strategy.topology.key"},
	    {"{" MINIMAL ",'strategy':{'order':'Name'}}", "strategy.order"},
	    {"{" MINIMAL ",'strategy':{'order':['Age']}}", "strategy.order"},
	    {"{" MINIMAL ",'strategy':{'order':[1]}}", "strategy.order"},
	    {"{" MINIMAL ",'strategy':{'order':['Name','Name','Name','Name','Name']}}", "strategy.order"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct rules rules;
		struct kube_err err = {0};
		ck_assert_msg(decode_rules(cases[i].spec, &rules, &arena, &err) < 0, "%s", cases[i].spec);
		ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "\"%s\" does not say %s", err.message, cases[i].says);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(test_check)
{
	static const struct {
		const char *target, *patch, *strategy, *says; /* says NULL: sound */
	} cases[] = {
	    {TARGET, "'component':'ContainerRuntime','version':'1.7.27'", "{}", NULL},
	    {TARGET, "'component':'ContainerRuntime','version':'latest'", "{}", "latest"},
	    {TARGET, "'component':'Kernel','version':'stable'", "{}", "patches[0].version"},
	    {TARGET, "'component':'Custom','version':'latest','observed':{'type':'Label','label':'x'}", "{}", NULL},
	    {TARGET, "'component':'Custom','version':'1'", "{}", "observed"},
	    {"'target':{'nodes':{'selector':{}}}", "'component':'Kubelet','version':'1'", "{}", "every node"},
	    {"'target':{'nodes':{'selector':{'matchExpressions':[{'key':'k','operator':'In'}]}}}",
	     "'component':'Kubelet','version':'1'", "{}", "In"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'maxUnavailable':0}", "maxUnavailable"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'maxUnavailable':'0%'}", "maxUnavailable"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'maxUnavailable':'101%'}", "maxUnavailable"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'maxUnavailable':'100%'}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'maxUnavailable':500}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','size':1},{'name':'b'}]}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','size':1},{'name':'a'}]}", "twice"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a'},{'name':'b'}]}", "waves[0].size"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','size':0},{'name':'b'}]}",
	     "waves[0].size"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','size':1}]}", "last wave"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','size':'101%'},{'name':'b'}]}",
	     "waves[0].size"},
	    {TARGET, "'component':'Kubelet','version':'1'",
	     "{'waves':[{'name':'a','selector':{'matchLabels':{'x':'y'}}},{'name':'b'}]}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','selector':{}},{'name':'b'}]}",
	     "waves[0]: selector: it is empty"},
	    {TARGET, "'component':'Kubelet','version':'1'",
	     "{'waves':[{'name':'a','selector':{'matchLabels':{'x y':'z'}}},{'name':'b'}]}", "waves[0]: selector: \"x y\""},
	    {TARGET, "'component':'Kubelet','version':'1'",
	     "{'waves':[{'name':'a','size':1},{'name':'b','selector':{'matchLabels':{'x':'y'}}}]}",
	     "waves[1].selector: the last wave takes what is left"},
	    {TARGET, "'component':'Kubelet','version':'1'",
	     "{'waves':[{'name':'a','size':'60%'},{'name':'b','size':'40%'},{'name':'c'}]}",
	     "waves[2] (c) can never get a node, because the sizes before it add up to 100%"},
	    {TARGET, "'component':'Kubelet','version':'1'",
	     "{'waves':[{'name':'a','size':'60%'},{'name':'b','selector':{'matchLabels':{'x':'y'}},'size':'100%'},"
	     "{'name':'c','size':'39%'},{'name':'d'}]}",
	     NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'topology':{'key':'z','maxDomainsInProgress':2}}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'topology':{'key':'z','maxDomainsInProgress':0}}",
	     "spec.strategy: topology: it needs a key"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','topology':{'key':''}}]}",
	     "spec.strategy.waves[0]: topology: it needs a key"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'failureBudget':0}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'failureBudget':'100%'}", NULL},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'failureBudget':-1}", "failureBudget: -1 is refused"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'failureBudget':'101%'}", "failureBudget: 101% is refused"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'order':['Name','Zone','Name']}",
	     "order[2]: Name stands there twice"},
	    {TARGET, "'component':'Kubelet','version':'1'", "{'waves':[{'name':'a','maxUnavailable':0}]}",
	     "waves.a.maxUnavailable"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct kube_err err = {0};
		char spec[1024];
		snprintf(spec, sizeof(spec), "{%s,'patches':[{%s,'job':{'image':'i'}}],'strategy':%s}", cases[i].target,
		         cases[i].patch, cases[i].strategy);
		struct rules rules = rules_of(spec, &arena);
		int rc = rules_check(&rules, &err);
		if (!cases[i].says) {
			ck_assert_msg(rc == 0, "%s: %s", spec, err.message);
		} else {
			ck_assert_msg(rc == KUBE_E_INVALID, "not refused: %s", spec);
			ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "\"%s\": no %s", err.message, cases[i].says);
		}
		kube_arena_finish(&arena);
	}
}
END_TEST

#define POLICY \
	"{'metadata':{'name':'p','uid':'u','generation':3,'resourceVersion':'1','managedFields':[{'time':'x'}]}," \
	"'spec':{'trigger':'Manual','historyLimit':0,'suspend':true,'strategy':{'maxUnavailable':2}," MINIMAL "}," \
	"'status':{'observedGeneration':2,'targets':{'total':5},'conditions':[{'type':'Ready','status':'False'," \
	"'reason':'Outdated','lastTransitionTime':'2026-11-21T11:00:00Z','observedGeneration':2}]," \
	"'lastSuccessfulRollout':{'name':'p-1','duration':'1m'}}}"

START_TEST(test_policy)
{
	static const char rules_json[] =
	    "{\"patches\":[{\"component\":\"ContainerRuntime\",\"job\":{\"image\":\"i\"},\"version\":\"1.7.27\"}],"
	    "\"strategy\":{\"maxUnavailable\":2},"
	    "\"target\":{\"nodes\":{\"selector\":{\"matchLabels\":{\"pool\":\"workers\"}}},\"type\":\"Nodes\"}}";
	char digest[KUBE_SHA256_HEX_SIZE];
	struct policy *policy = (struct policy *)object_of(&policy_projection, POLICY);

	ck_assert(policy->suspend);
	ck_assert_int_eq(policy->trigger, TRIGGER_MANUAL);
	ck_assert_int_eq(policy->history_limit, 0);
	ck_assert_int_eq(policy->rules.max_unavailable.value, 2);
	ck_assert_str_eq(policy->rules_json, rules_json);
	ck_assert_str_eq(policy->hash, kube_sha256_hex(rules_json, strlen(rules_json), digest));
	ck_assert_int_eq(policy->observed_generation, 2);
	ck_assert_uint_eq(policy->conditions.count, 1);
	ck_assert_int_eq(policy->conditions.items[0].status, CONDITION_FALSE);
	ck_assert_str_eq(policy->conditions.items[0].message, "");
	ck_assert_str_eq(policy->last_successful_json, "{\"duration\":\"1m\",\"name\":\"p-1\"}");
	ck_assert(strncmp(policy->status_json, "{\"conditions\":[{", 16) == 0);
	kube_object_unref(&policy->object);
}
END_TEST

START_TEST(test_new_policy)
{
	struct policy *policy =
	    (struct policy *)object_of(&policy_projection, "{'metadata':{'name':'p'},'spec':{" MINIMAL "},'status':null}");
	ck_assert(!policy->suspend);
	ck_assert_int_eq(policy->trigger, TRIGGER_AUTOMATIC);
	ck_assert_int_eq(policy->history_limit, 10);
	ck_assert_str_eq(policy->status_json, "");
	ck_assert_ptr_null(policy->last_successful_json);
	ck_assert_uint_eq(policy->conditions.count, 0);
	kube_object_unref(&policy->object);
}
END_TEST

#define EXCEPTION "{'name':'e','selector':{'matchLabels':{'gpu':'old'}},'reason':'why'"

/* The hash is that of what governs, whatever the order of members, and nothing else. */
START_TEST(test_hash)
{
	static const struct {
		const char *spec;
		bool same;
	} cases[] = {
	    {"{" MINIMAL "}", true},
	    {"{'suspend':true,'trigger':'Manual','historyLimit':3," MINIMAL "}", true},
	    {"{'patches':[{'version':'1.7.27','job':{'image':'i'},'component':'ContainerRuntime'}]," TARGET "}", true},
	    {"{'rollback':null," MINIMAL "}", true},
	    {"{'drain':{'timeout':'1m'}," MINIMAL "}", false},
	    {"{'rollback':{'timeout':'1m'}," MINIMAL "}", false},
	    {"{'emergency':{'allow':true}," MINIMAL "}", false},
	    {"{'strategy':{'maxUnavailable':2}," MINIMAL "}", false},
	    {"{'windows':[{'name':'w','type':'Cron','schedule':'0 2 * * *','duration':'2h'}]," MINIMAL "}", false},
	    {"{'freezes':[{'name':'f','from':'2026-12-18T00:00:00Z','to':'2027-01-04T00:00:00Z'}]," MINIMAL "}", false},
	    {"{'exceptions':[" EXCEPTION ",'expires':'2027-01-04T00:00:00Z'}]," MINIMAL "}", true},
	    {"{" TARGET ",'patches':[{'component':'ContainerRuntime','version':'1.7.28','job':{'image':'i'}}]}", false},
	};
	struct policy *base =
	    (struct policy *)object_of(&policy_projection, "{'metadata':{'name':'p'},'spec':{" MINIMAL "}}");
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		char json[1024];
		snprintf(json, sizeof(json), "{'metadata':{'name':'p'},'spec':%s}", cases[i].spec);
		struct policy *policy = (struct policy *)object_of(&policy_projection, json);
		ck_assert_msg((strcmp(policy->hash, base->hash) == 0) == cases[i].same, "%s", cases[i].spec);
		kube_object_unref(&policy->object);
	}
	kube_object_unref(&base->object);
}
END_TEST

START_TEST(test_exceptions)
{
	struct policy *policy = (struct policy *)object_of(
	    &policy_projection,
	    "{'metadata':{'name':'p'},'spec':{" MINIMAL ",'exceptions':[" EXCEPTION
	    ",'expires':'2027-01-04T00:00:00Z'}," EXCEPTION ",'reference':'CHG-1','expires':'2027-01-05T00:00:00+01:00'}]},"
	    "'status':{'exceptions':[{'name':'e','expires':'2027-01-04T00:00:00Z','nodes':2}]}}");
	const struct exception_spec *first = &policy->exceptions.items[0], *second = &policy->exceptions.items[1];
	struct kube_err err = {0};

	ck_assert_uint_eq(policy->exceptions.count, 2);
	ck_assert_str_eq(first->name, "e");
	ck_assert_str_eq(first->reason, "why");
	ck_assert_str_eq(first->reference, "");
	ck_assert_str_eq(kube_strmap_get(&first->selector.match_labels, "gpu"), "old");
	ck_assert_str_eq(second->reference, "CHG-1");
	ck_assert_int_eq(second->expires_ms - first->expires_ms, 23 * 3600 * INT64_C(1000));
	ck_assert_uint_eq(policy->exceptions_seen.count, 1);
	ck_assert_int_eq(policy->exceptions_seen.items[0].expires_ms, first->expires_ms);
	ck_assert_int_eq(policy->exceptions_seen.items[0].nodes, 2);
	ck_assert_int_eq(exceptions_check(policy, &err), KUBE_E_INVALID);
	ck_assert_str_eq(err.message, "spec.exceptions[1].name: \"e\" stands there twice");
	policy->exceptions.count = 1;
	ck_assert_int_eq(exceptions_check(policy, &err), 0);
	policy->exceptions.items[0].selector = (struct kube_selector){0};
	ck_assert_int_eq(exceptions_check(policy, &err), KUBE_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "it is empty, which would except every node"));
	kube_object_unref(&policy->object);
	check_refused(&policy_projection, "{'metadata':{'name':'p'},'spec':{" MINIMAL ",'exceptions':[" EXCEPTION "}]}}",
	              "exceptions[0].expires: required");
}
END_TEST

START_TEST(test_same)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'2'", true},
	    {"metadata>managedFields", NULL, true},
	    {"metadata>uid", "'v'", false},
	    {"metadata>generation", "4", false},
	    {"metadata>deletionTimestamp", "'2026-11-21T11:00:00Z'", false},
	    {"spec>suspend", "false", false},
	    {"spec>trigger", "'Automatic'", false},
	    {"spec>historyLimit", "10", false},
	    {"spec>drain", "{'enabled':false}", false},
	    {"status>targets>total", "6", false},
	};
	check_same(&policy_projection, POLICY, cases, KUBE_ARRAY_LEN(cases));
}
END_TEST

START_TEST(test_refused_policy)
{
	check_refused(&policy_projection, "{'metadata':{'name':'p'}}", "PatchPolicy p: spec: required");
	check_refused(&policy_projection, "{'metadata':{'name':'p'},'spec':{'patches':[]}}", "PatchPolicy p: spec: target");
	check_refused(&policy_projection, "{'metadata':{'name':'p'},'spec':{'trigger':'Never'," MINIMAL "}}",
	              "spec.trigger");
}
END_TEST

CHECK_MAIN("policy", test_defaults, test_every_member, test_default_observed, test_applied, test_refused, test_check,
           test_policy, test_new_policy, test_hash, test_exceptions, test_same, test_refused_policy)
