/*
 * bench-plan: what planning a large rollout costs, without a cluster. Half of the nodes are patched, a tenth of them
 * (at most 100) drain, and the others wait for a place in the budget.
 *
 *   bench-plan [NODES …]      default: 200 1000 5000
 */
#include "controller/act/bodies.h"
#include "controller/cmd/snapshot.h"
#include "controller/status/status.h"
#include "lib/runtime/draft.h"
#include "lib/runtime/pool.h"
#include <kube/sim.h>
#include <kube/time.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_MS INT64_C(1790000000000)
#define PODS_A_NODE 5
#define NODES_A_BUDGET 10 /* so many nodes' pods have a PodDisruptionBudget in common */
#define DECISIONS_A_PAGE 30
#define ROLLOUT "p-1"
#define ROLLOUT_UID "22222222-2222-4222-8222-222222222222"
#define AT_LEAST_S 0.5

struct bench {
	struct kube_sim *sim;
	struct options options;
	struct controller *controller;
	struct kube_arena arena; /* of what is put into the caches, until it is there */
	size_t nodes, patched, active;
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* ---- objects ---- */

/* As the reflector does: what objects have in common is there once. */
static const struct kube_object *put_json(struct bench *bench, enum cache_id id, const cJSON *json)
{
	const struct cache *cache = &bench->controller->caches[id];
	struct document document = document_of_json(json);
	struct kube_object *object;
	struct kube_err err = {0};
	struct draft draft;

	draft_init(&draft, cache->projection);
	if (draft_read(&draft, &document, &err) || draft_make(&draft, store_pool(cache->store), NULL, &object, &err) ||
	    kube_store_put(cache->store, object, &err))
		fail(cache->projection->resource->kind, err.message);
	draft_finish(&draft);
	return object;
}

/* JSON with ' for ". */
static cJSON *json_of(struct bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static cJSON *json_of(struct bench *bench, const char *fmt, ...)
{
	struct kube_err err = {0};
	cJSON *json = NULL;
	va_list ap;

	va_start(ap, fmt);
	char *text = (char *)kube_arena_vprintf(&bench->arena, fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	if (kube_json_parse(text, strlen(text), &json, &err))
		fail(text, err.message);
	return json;
}

static const char *node_name(struct bench *bench, size_t i)
{
	return plan_printf(&bench->arena, "node-%05zu", i);
}

static const char *node_uid(struct bench *bench, size_t i)
{
	return plan_printf(&bench->arena, "%08zx-1111-4111-8111-111111111111", i);
}

/* canary, early, rest: one, a tenth, and what is left. */
static int64_t wave_of(const struct bench *bench, size_t i)
{
	return i == 0 ? 0 : i <= bench->nodes / 10 ? 1 : 2;
}

static const char *const waves[] = {"canary", "early", "rest"};

static void add_state(struct bench *bench, size_t i, cJSON *node)
{
	const char *from[] = {"containerd://1.6.20"};
	struct node_state state = {
	    .node_uid = node_uid(bench, i),
	    .rollout_uid = ROLLOUT_UID,
	    .rollout = ROLLOUT,
	    .wave = waves[wave_of(bench, i)],
	    .step = i < bench->patched ? STEP_PATCHED : STEP_DRAINING,
	    .attempt = 1,
	    .since_ms = NOW_MS - 1000,
	    .started_ms = NOW_MS - 2000,
	    .boot_id = "b",
	    .from = {.items = from, .count = 1},
	};
	for (int step = 0; step < STEP_COUNT; step++)
		state.times[step] = step <= state.step && step > STEP_NONE ? NOW_MS - 2000 : KUBE_TIME_NONE;
	cJSON_AddStringToObject((cJSON *)kube_json_get(node, "metadata.annotations"), "patchwright.io/state",
	                        node_state_format(&state, &bench->arena));
}

static void add_node(struct bench *bench, size_t i)
{
	bool patched = i < bench->patched, drains = !patched && i < bench->patched + bench->active;
	const char *name = node_name(bench, i);
	_cleanup_json_ cJSON *node = json_of(
	    bench,
	    "{'metadata':{'name':'%s','uid':'%s','resourceVersion':'1','creationTimestamp':'2026-01-01T00:00:00Z','labels':"
	    "{'beta.kubernetes.io/arch':'amd64','beta.kubernetes.io/os':'linux','kubernetes.io/arch':'amd64',"
	    "'kubernetes.io/os':'linux','kubernetes.io/hostname':'%s','node.kubernetes.io/instance-type':'standard-16',"
	    "'topology.kubernetes.io/region':'region-1','topology.kubernetes.io/zone':'region-1a','example.com/team':"
	    "'team-7','pool':'workers'},'annotations':{'node.alpha.kubernetes.io/ttl':'300',"
	    "'volumes.kubernetes.io/controller-managed-attach-detach':'true','flannel.alpha.coreos.com/public-ip':"
	    "'10.0.0.1'}},'spec':{'unschedulable':%s},'status':{'allocatable':{'cpu':'16','memory':'64Gi','pods':'110'},"
	    "'conditions':[{'type':'Ready','status':'True','lastTransitionTime':'2026-01-01T00:00:00Z'}],'nodeInfo':"
	    "{'operatingSystem':'linux','bootID':'b','containerRuntimeVersion':'containerd://%s'}}}",
	    name, node_uid(bench, i), name, drains ? "true" : "false", patched ? "1.7.27" : "1.6.20");
	if (patched || drains)
		add_state(bench, i, node);
	put_json(bench, CACHE_NODES, node);
}

static void add_pod(struct bench *bench, size_t i, size_t number)
{
	size_t service = i / NODES_A_BUDGET;
	_cleanup_json_ cJSON *pod = json_of(
	    bench,
	    "{'metadata':{'name':'service-%zu-%zu-%zu','namespace':'team-%zu','uid':'%08zx-3333-4333-8333-%012zx','labels':"
	    "{'app.kubernetes.io/name':'service-%zu','app.kubernetes.io/part-of':'shop','pod-template-hash':'6b7f9c8d54'},"
	    "'ownerReferences':[{'apiVersion':'apps/v1','kind':'ReplicaSet','name':'service-%zu-6b7f9c8d54','uid':'r',"
	    "'controller':true}]},'spec':{'nodeName':'node-%05zu'},'status':{'phase':'Running','conditions':[{'type':"
	    "'Ready','status':'True'}]}}",
	    service, i, number, service % 50, i, number, service, service, i);
	put_json(bench, CACHE_PODS, pod);
}

static void add_budget(struct bench *bench, size_t service)
{
	_cleanup_json_ cJSON *pdb =
	    json_of(bench,
	            "{'metadata':{'name':'service-%zu','namespace':'team-%zu','uid':'b%zu'},'spec':{'minAvailable':1,"
	            "'selector':{'matchLabels':{'app.kubernetes.io/name':'service-%zu'}}},'status':{'disruptionsAllowed':"
	            "1,'currentHealthy':2,'desiredHealthy':1,'expectedPods':2}}",
	            service, service % 50, service, service);
	put_json(bench, CACHE_PDBS, pdb);
}

static void add_job(struct bench *bench, size_t i, const char *hash)
{
	_cleanup_json_ cJSON *pod =
	    json_of(bench,
	            "{'metadata':{'name':'pw-%05zu-0-job-1','namespace':'jobs','uid':'j%zu','labels':{'patchwright.io/step'"
	            ":'job','patchwright.io/rollout-hash':'%s'},'annotations':{'patchwright.io/node':'%s'}},'spec':"
	            "{'nodeName':'%s'},'status':{'phase':'Succeeded'}}",
	            i, i, hash, node_uid(bench, i), node_name(bench, i));
	put_json(bench, CACHE_PODS, pod);
}

static const struct policy *add_policy(struct bench *bench)
{
	_cleanup_json_ cJSON *policy = json_of(
	    bench,
	    "{'metadata':{'name':'p','uid':'p-uid','generation':1},'spec':{'target':{'type':'Nodes','nodes':{'selector':"
	    "{'matchLabels':{'pool':'workers'}}}},'patches':[{'component':'ContainerRuntime','version':'1.7.27','job':"
	    "{'image':'registry.example/patch:1'}}],'strategy':{'maxUnavailable':'10%%','waves':[{'name':'canary',"
	    "'size':1},{'name':'early','size':'10%%'},{'name':'rest'}]}}}");
	return (const struct policy *)put_json(bench, CACHE_POLICIES, policy);
}

/* ---- the rollout, its plan and its ledger ---- */

static cJSON *decision(struct bench *bench, size_t seq)
{
	return json_of(bench,
	               "{'id':'%016zx','seq':%zu,'at':'2026-09-21T00:00:00Z','type':'Start','subject':'node-%05zu','rule':"
	               "'maxUnavailable','actor':'patchwright','reason':'WithinBudget','evidence':'with it 20 of 200 nodes "
	               "are unavailable, at most 20 may be','previous':'%064zx','hash':'%064zx'}",
	               seq, seq, seq - 1, seq - 1, seq);
}

static void add_active(struct bench *bench, cJSON *status)
{
	cJSON *active = cJSON_AddArrayToObject(status, "active");

	for (size_t i = bench->patched; i < bench->patched + bench->active; i++)
		cJSON_AddItemToArray(active, json_of(bench,
		                                     "{'node':'%s','nodeUID':'%s','wave':'%s','step':'Draining','since':"
		                                     "'2026-09-21T00:00:00Z','attempt':1,'foreignCordon':false}",
		                                     node_name(bench, i), node_uid(bench, i), waves[wave_of(bench, i)]));
}

static size_t pages_of(const struct bench *bench)
{
	return (bench->nodes + PLAN_PAGE_TARGETS - 1) / PLAN_PAGE_TARGETS;
}

static const struct rollout *add_rollout(struct bench *bench, const struct policy *policy)
{
	_cleanup_json_ cJSON *rollout = json_of(
	    bench,
	    "{'metadata':{'name':'" ROLLOUT "','uid':'" ROLLOUT_UID "','generation':1,'finalizers':["
	    "'patchwright.io/rollout'],'ownerReferences':[{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchPolicy',"
	    "'name':'p','uid':'p-uid','controller':true}]},'spec':{'policyRef':{'name':'p'}},'status':{'observedGeneration'"
	    ":1,'epoch':1,'plan':{'hash':'h','policyHash':'%s','forUID':'" ROLLOUT_UID "','revisions':[]},'startedAt':"
	    "'2026-09-21T00:00:00Z','waves':[{'name':'canary','state':'Passed'},{'name':'early','state':'Passed'},"
	    "{'name':'rest','state':'Running'}],'decisions':[]}}",
	    policy->hash);
	cJSON *status = (cJSON *)kube_json_get(rollout, "status");
	size_t started = bench->patched + bench->active;

	for (size_t page = 1; page <= pages_of(bench); page++)
		cJSON_AddItemToArray((cJSON *)kube_json_get(status, "plan.revisions"),
		                     cJSON_CreateString(plan_printf(&bench->arena, "plan-%zu", page)));
	for (size_t seq = started - started % DECISIONS_A_PAGE + 1; seq <= started; seq++)
		cJSON_AddItemToArray((cJSON *)kube_json_get(status, "decisions"), decision(bench, seq));
	add_active(bench, status);
	return (const struct rollout *)put_json(bench, CACHE_ROLLOUTS, rollout);
}

static void put_page(struct bench *bench, const struct rollout *rollout, const char *name, bool ledger, size_t number,
                     cJSON *data)
{
	_cleanup_json_ cJSON *page = revision_body(name, "jobs", rollout, ledger, (int64_t)number, data);
	put_json(bench, CACHE_REVISIONS, page);
}

static void add_plan_page(struct bench *bench, const struct rollout *rollout, const struct policy *policy, size_t page)
{
	cJSON *data = json_of(bench, "{'planHash':'h','policyHash':'%s','pages':%zu}", policy->hash, pages_of(bench));
	size_t first = (page - 1) * PLAN_PAGE_TARGETS;

	if (page == 1)
		cJSON_AddRawToObject(data, "rules", policy->rules_json);
	cJSON *list = cJSON_AddArrayToObject(data, "targets");
	for (size_t i = first; i < bench->nodes && i < first + PLAN_PAGE_TARGETS; i++)
		cJSON_AddItemToArray(list, json_of(bench, "{'n':'%s','u':'%s','w':%d}", node_name(bench, i), node_uid(bench, i),
		                                   (int)wave_of(bench, i)));
	/* The raw rules become members. */
	_cleanup_free_ char *text = cJSON_PrintUnformatted(data);
	cJSON_Delete(data);
	put_page(bench, rollout, plan_printf(&bench->arena, "plan-%zu", page), false, page, cJSON_Parse(text));
}

static void add_ledger_page(struct bench *bench, const struct rollout *rollout, size_t page)
{
	cJSON *data = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(data, "decisions");

	for (size_t i = 1; i <= DECISIONS_A_PAGE; i++)
		cJSON_AddItemToArray(list, decision(bench, (page - 1) * DECISIONS_A_PAGE + i));
	put_page(bench, rollout, plan_printf(&bench->arena, "ledger-%zu", page), true, page, data);
}

static const struct rollout *fill(struct bench *bench)
{
	const struct policy *policy = add_policy(bench);
	const struct rollout *rollout = add_rollout(bench, policy);

	for (size_t page = 1; page <= pages_of(bench); page++)
		add_plan_page(bench, rollout, policy, page);
	for (size_t page = 1; page <= (bench->patched + bench->active) / DECISIONS_A_PAGE; page++)
		add_ledger_page(bench, rollout, page);
	for (size_t i = 0; i < bench->nodes; i++) {
		add_node(bench, i);
		for (size_t k = 0; k < PODS_A_NODE; k++)
			add_pod(bench, i, k);
		if (i % NODES_A_BUDGET == 0)
			add_budget(bench, i / NODES_A_BUDGET);
		if (i < bench->patched)
			add_job(bench, i, rollout->hash);
	}
	return rollout;
}

/* ---- measuring ---- */

/* Of processor time: the machine may be busy. */
static double seconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct times {
	double snapshot, plan, status, policy;
	size_t rounds, bytes;
};

static void plan_once(struct bench *bench, const struct rollout *rollout, struct times *times)
{
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	struct rollout_snapshot snapshot;
	struct rollout_result result;
	struct rollout_status_write write = {0};
	double start = seconds();

	snapshot_rollout(bench->controller, rollout, KEY_ROLLOUT ROLLOUT, 1, &arena, &snapshot);
	double seen = seconds();
	plan_rollout(&snapshot, &arena, &result);
	double planned = seconds();
	rollout_status_compose_urgent(rollout, &result.wanted, snapshot.ledger, snapshot.ledger_count, NOW_MS, &arena,
	                              &write, NULL);
	if (!snapshot.plan || !result.write_status || result.wanted.active.count < bench->active)
		fail("the plan", snapshot.plan_error ? snapshot.plan_error : result.wanted.summary);
	times->snapshot += seen - start;
	times->plan += planned - seen;
	times->status += seconds() - planned;
	times->bytes = arena.used_bytes;
	cJSON_Delete(write.status);
}

static void plan_policy_once(struct bench *bench, const struct policy *policy, struct times *times)
{
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	struct policy_snapshot snapshot;
	struct policy_result result = {0};
	double start = seconds();

	snapshot_policy(bench->controller, policy, KEY_POLICY "p", &arena, &snapshot);
	plan_policy(&snapshot, &arena, &result);
	times->policy += seconds() - start;
}

static void measure(struct bench *bench)
{
	const struct rollout *rollout = fill(bench);
	const struct policy *policy =
	    (const struct policy *)kube_store_next(bench->controller->caches[CACHE_POLICIES].store, NULL);
	struct times times = {0};

	while (times.snapshot + times.plan + times.status < AT_LEAST_S) {
		plan_once(bench, rollout, &times);
		plan_policy_once(bench, policy, &times);
		times.rounds++;
	}
	double us = 1e6 / (double)times.rounds;
	printf("%6zu %12.0f %12.0f %12.0f %12.0f %12.0f %9zu\n", bench->nodes, times.snapshot * us, times.plan * us,
	       times.status * us, (times.snapshot + times.plan + times.status) * us, times.policy * us, times.bytes >> 10);
}

static void run(size_t nodes)
{
	struct bench bench = {
	    .options = {.namespace_ = "jobs", .job_namespace = "jobs"},
	    .nodes = nodes,
	    .patched = nodes / 2,
	    .active = nodes / 10 < MAX_ACTIVE ? nodes / 10 : MAX_ACTIVE,
	};
	struct controller_options options = {.options = &bench.options, .host = "none", .instance = "bench"};
	struct kube_err err = {0};

	kube_arena_init(&bench.arena, (size_t)1 << 30);
	if (kube_sim_new(1, NOW_MS, &bench.sim, &err))
		fail("the simulated outside", err.message);
	options.env = kube_sim_env(bench.sim);
	options.transport = options.outgoing = kube_sim_transport(bench.sim);
	if (controller_new(&options, &bench.controller, &err))
		fail("the controller", err.message);
	measure(&bench);
	controller_free(bench.controller);
	kube_sim_free(bench.sim);
	kube_arena_finish(&bench.arena);
}

int main(int argc, char **argv)
{
	static const size_t usual[] = {200, 1000, 5000};

	printf("%6s %12s %12s %12s %12s %12s %9s\n", "nodes", "snapshot us", "plan us", "status us", "together us",
	       "policy us", "arena KiB");
	for (size_t i = 0; i < KUBE_ARRAY_LEN(usual) && argc == 1; i++)
		run(usual[i]);
	for (int i = 1; i < argc; i++)
		run((size_t)strtoul(argv[i], NULL, 10));
	return 0;
}
