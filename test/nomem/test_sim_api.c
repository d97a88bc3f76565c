/*
 * The simulated API server has no answer for lack of memory: as its header says, it ends the process, with a sentence.
 * What it must not do is to go on with half an object.
 */
#include "test/nomem/sweep.h"

#include <kube/client.h>
#include <kube/json.h>
#include <kube/sim_api.h>
#include <stdio.h>
#include <string.h>

#define NODE "/api/v1/nodes/n"
#define PODS "/api/v1/namespaces/ns/pods"

struct operation {
	const char *name, *method, *target, *type, *body;
	char *expected; /* the answer of the first round, in which memory suffices, and all objects afterwards */
};

static cJSON *unquoted(const char *text)
{
	char json[2048];

	snprintf(json, sizeof(json), "%s", text ? text : "");
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	return cJSON_Parse(json);
}

static struct kube_sim_api *make_world(struct kube_sim *sim)
{
	struct kube_sim_api *api = kube_sim_api_new(sim);

	kube_sim_api_do(api, "POST", "/api/v1/namespaces", NULL, "{'metadata':{'name':'ns'}}");
	kube_sim_api_do(api, "POST", "/api/v1/nodes", NULL,
	                "{'metadata':{'name':'n','labels':{'a':'b'},'finalizers':['x.io/f']},'spec':{'taints':[{'key':'k',"
	                "'effect':'NoSchedule'}]}}");
	kube_sim_api_do(api, "POST", "/api/v1/nodes", NULL, "{'metadata':{'name':'n2','labels':{'a':'b'}}}");
	kube_sim_api_do(api, "POST", PODS, NULL,
	                "{'metadata':{'name':'p','labels':{'app':'w'}},'spec':{'nodeName':'n'},'status':{'phase':'Running',"
	                "'conditions':[{'type':'Ready','status':'True'}]}}");
	kube_sim_api_do(api, "POST", "/apis/policy/v1/namespaces/ns/poddisruptionbudgets", NULL,
	                "{'metadata':{'name':'b'},'spec':{'maxUnavailable':0,'selector':{'matchLabels':{'app':'w'}}}}");
	return api;
}

static cJSON *everything(struct kube_sim_api *api)
{
	static const struct kube_resource *const kinds[] = {&kube_nodes, &kube_pods, &kube_pdbs, &kube_leases};
	cJSON *all = cJSON_CreateArray();

	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++)
		for (size_t k = 0; k < kube_sim_api_count(api, kinds[i]); k++)
			cJSON_AddItemToArray(all, cJSON_Duplicate(kube_sim_api_at(api, kinds[i], k), true));
	return all;
}

static int compare(const char *text, const char *expected, struct kube_err *err)
{
	size_t at = 0;

	if (strcmp(text, expected) == 0)
		return 0;
	while (text[at] == expected[at])
		at++;
	fprintf(stderr, "%.200s\ninstead of\n%.200s\n", text + at, expected + at);
	return kube_fail(err, KUBE_E_INVALID, "another answer");
}

/* 0 when the answer, and what is there afterwards, is what it is without a failure. */
static int serve(void *arg, struct kube_err *err)
{
	struct operation *operation = arg;
	struct kube_sim *sim = NULL;
	cJSON *answer = NULL, *body = unquoted(operation->body);

	ck_assert_int_eq(kube_sim_new(1, INT64_C(1767225600000), &sim, err), 0);
	struct kube_sim_api *api = make_world(sim);
	sweep_begin();
	int status = kube_sim_api_call(api, operation->method, operation->target, operation->type, body, &answer);
	sweep_end();
	cJSON *all = everything(api);
	cJSON_AddItemToArray(all, answer ? answer : cJSON_CreateNull());
	cJSON_AddItemToArray(all, cJSON_CreateNumber(status));
	char *text = cJSON_PrintUnformatted(all);
	if (!operation->expected)
		operation->expected = strdup(text);
	int code = compare(text, operation->expected, err);
	free(text);
	cJSON_Delete(all);
	cJSON_Delete(body);
	kube_sim_api_free(api);
	kube_sim_free(sim);
	return code;
}

static struct operation operations[] = {
    {"creation", "POST", "/api/v1/nodes", NULL,
     "{'metadata':{'generateName':'m-','labels':{'c':'d'}},'spec':{'podCIDR':'x'}}", NULL},
    {"bad creation", "POST", "/api/v1/nodes", NULL, "{'metadata':{'name':'N_','labels':{'-':'d'}}}", NULL},
    {"read", "GET", NODE, NULL, NULL, NULL},
    {"list", "GET", "/api/v1/nodes?limit=1&labelSelector=a%3Db", NULL, NULL, NULL},
    /* {"v":"meta.k8s.io/v1","rv":4,"start":"a\\u0000"} */
    {"further page", "GET",
     "/api/v1/nodes?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NCwic3RhcnQiOiJhXHUwMDAwIn0", NULL, NULL,
     NULL},
    {"absent", "GET", "/api/v1/nodes/x", NULL, NULL, NULL},
    {"merge patch", "PATCH", NODE, KUBE_PATCH_MERGE,
     "{'metadata':{'labels':{'a':null,'e':'f'}},'spec':{'unschedulable':true}}", NULL},
    {"JSON patch", "PATCH", NODE, KUBE_PATCH_JSON,
     "[{'op':'test','path':'/metadata/labels/a','value':'b'},{'op':'add','path':'/metadata/labels/"
     "g','value':'h'},{'op':'remove','path':'/spec/taints/0'}]",
     NULL},
    {"JSON patch that does not fit", "PATCH", NODE, KUBE_PATCH_JSON,
     "[{'op':'test','path':'/metadata/labels/a','value':'x'}]", NULL},
    {"strategic patch", "PATCH", NODE, KUBE_PATCH_STRATEGIC,
     "{'metadata':{'$deleteFromPrimitiveList/finalizers':['x.io/f']}}", NULL},
    {"status", "PATCH", NODE "/status", KUBE_PATCH_MERGE,
     "{'status':{'conditions':[{'type':'Ready','status':'True'}]}}", NULL},
    {"conflict", "PATCH", NODE, KUBE_PATCH_MERGE, "{'metadata':{'resourceVersion':'1'}}", NULL},
    {"replacement", "PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", NULL,
     "{'metadata':{'name':'l','namespace':'ns'},'spec':{'holderIdentity':'i'}}", NULL},
    {"eviction", "POST", PODS "/p/eviction", NULL, "{'metadata':{'name':'p'}}", NULL},
    {"deletion that waits", "DELETE", NODE, NULL, "{}", NULL},
    {"deletion", "DELETE", PODS "/p?gracePeriodSeconds=0", NULL, NULL, NULL},
    {"deletion of all", "DELETE", PODS, NULL, "{'gracePeriodSeconds':0}", NULL},
};

static void sweep_operations(size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		sweep_fatal(operations[i].name, serve, &operations[i], "simulated API server: out of memory");
		free(operations[i].expected);
	}
}

START_TEST(creations_and_reads)
{
	sweep_operations(0, 6);
}
END_TEST

START_TEST(patches)
{
	sweep_operations(6, 10);
}
END_TEST

START_TEST(statuses_and_evictions)
{
	sweep_operations(10, 14);
}
END_TEST

START_TEST(deletions)
{
	sweep_operations(14, KUBE_ARRAY_LEN(operations));
}
END_TEST

CHECK_MAIN("allocation failures: simulated API server", creations_and_reads, patches, statuses_and_evictions, deletions)
