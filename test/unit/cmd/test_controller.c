/* The whole controller on the virtual clock, against a small API server: from drift to the report, and what gets in the
 * way. */
#include "controller/cmd/health.h"
#include "test/unit/check_main.h"
#include "test/unit/cmd/server.h"

#define POLICIES "/apis/patchwright.io/v1alpha1/patchpolicies"
#define ROLLOUTS "/apis/patchwright.io/v1alpha1/patchrollouts"
#define REPORTS "/apis/patchwright.io/v1alpha1/patchreports"
#define NODES "/api/v1/nodes"
#define PODS "/api/v1/pods"
#define REVISIONS "/apis/apps/v1/controllerrevisions"
#define START INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static struct {
	struct server server;
	struct kube_sim *sim;
	struct controller *controller;
	struct options options;
	int ended, status; /* on_end */
	struct kube_timer jobs;
	unsigned jobs_seen;
} t;

static void on_end(void *arg, int status)
{
	(void)arg;
	t.ended++;
	t.status = status;
}

static void start_controller(void)
{
	const struct controller_options options = {
	    .options = &t.options,
	    .env = kube_sim_env(t.sim),
	    .transport = kube_sim_transport(t.sim),
	    .outgoing = kube_sim_transport(t.sim),
	    .host = "server",
	    .instance = "test",
	    .on_end = on_end,
	};
	ck_assert_int_eq(controller_new(&options, &t.controller, NULL), 0);
	controller_start(t.controller);
}

static void set_up(void)
{
	memset(&t, 0, sizeof(t));
	t.options = (struct options){
	    .namespace_ = "patchwright-system", .job_namespace = "patchwright-jobs", .images = {"*"}, .image_count = 1};
	ck_assert_int_eq(kube_sim_new(7, START, &t.sim, NULL), 0);
	t.server = (struct server){.sim = t.sim, .crds = true, .namespaces = true};
	kube_sim_serve(t.sim, serve, &t.server);
}

static void tear_down(void)
{
	kube_timer_stop(kube_sim_env(t.sim), &t.jobs);
	controller_free(t.controller);
	kube_sim_free(t.sim);
	server_finish(&t.server);
}

static void run_for(int64_t ms)
{
	size_t limit = 200000;
	size_t ran = kube_sim_run(t.sim, kube_env_mono_ms(kube_sim_env(t.sim)) + ms, limit);
	ck_assert_msg(ran < limit, "a hot loop: %zu callbacks within %lld ms", ran, (long long)ms);
}

static void add_node(const char *name)
{
	char text[512];
	snprintf(text, sizeof(text),
	         "{'metadata':{'name':'%s','labels':{'pool':'w'}},'spec':{},'status':{'conditions':[{'type':'Ready',"
	         "'status':'True','lastTransitionTime':'2025-12-01T00:00:00Z'}],'nodeInfo':{'operatingSystem':'linux',"
	         "'bootID':'b','containerRuntimeVersion':'containerd://1.6.20'}}}",
	         name);
	add_object(&t.server, NODES, json_of(text));
}

static void add_pod(const char *name, const char *node)
{
	char text[512];
	snprintf(
	    text, sizeof(text),
	    "{'metadata':{'name':'%s','namespace':'shop','ownerReferences':[{'apiVersion':'apps/v1','kind':'ReplicaSet',"
	    "'name':'x','uid':'x','controller':true}]},'spec':{'nodeName':'%s'},'status':{'phase':'Running'}}",
	    name, node);
	add_object(&t.server, PODS, json_of(text));
}

static void add_policy(void)
{
	add_object(
	    &t.server, POLICIES,
	    json_of("{'metadata':{'name':'p','generation':1},'spec':{'target':{'type':'Nodes','nodes':{'selector':"
	            "{'matchLabels':{'pool':'w'}}}},'patches':[{'component':'ContainerRuntime','version':'1.7.27','job':"
	            "{'image':'i@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}],"
	            "'strategy':{'maxUnavailable':1,'waves':[{'name':'canary','size':1,'soak':'5s'},{'name':'rest'}],"
	            "'settle':{'readyFor':'1s'}}}}"));
}

/* ---- the hosts: a job pod ends well after 2 s, and its node shows the version ---- */

static void end_jobs(struct kube_timer *timer, void *arg)
{
	(void)arg;
	(void)timer;
	for (size_t i = 0; i < t.server.count; i++) {
		struct stored *pod = &t.server.objects[i];
		bool job = strcmp(pod->collection, PODS) == 0 && kube_json_get(pod->json, "metadata.finalizers");
		if (!job || kube_json_get(pod->json, "status.phase"))
			continue;
		t.jobs_seen++;
		json_set(pod->json, "status",
		         "{'phase':'Succeeded','containerStatuses':[{'state':{'terminated':{'exitCode':0}}}]}");
		touch_object(&t.server, pod);
		struct stored *node = find_object(&t.server, NODES, kube_json_str(pod->json, "spec.nodeName"));
		json_set(node->json, "status>nodeInfo>containerRuntimeVersion", "'containerd://1.7.27'");
		touch_object(&t.server, node);
	}
}

static void play_hosts(struct server *server, const char *method, const char *target, const cJSON *object)
{
	(void)server;
	(void)object;
	if (strcmp(method, "POST") == 0 && strcmp(target, "/api/v1/namespaces/patchwright-jobs/pods") == 0)
		kube_timer_start(kube_sim_env(t.sim), &t.jobs, 2000, end_jobs, NULL);
}

static size_t count_of(const char *collection)
{
	size_t count = 0;
	for (size_t i = 0; i < t.server.count; i++)
		count += strcmp(t.server.objects[i].collection, collection) == 0;
	return count;
}

static const cJSON *first_of(const char *collection)
{
	for (size_t i = 0; i < t.server.count; i++)
		if (strcmp(t.server.objects[i].collection, collection) == 0)
			return t.server.objects[i].json;
	return NULL;
}

static void check_node_is_patched(const char *name)
{
	const cJSON *node = find_object(&t.server, NODES, name)->json;
	ck_assert_str_eq(kube_json_str(node, "status.nodeInfo.containerRuntimeVersion"), "containerd://1.7.27");
}

static void check_node_is_done(const char *name)
{
	const cJSON *node = find_object(&t.server, NODES, name)->json;
	check_node_is_patched(name);
	ck_assert_ptr_null(kube_json_get(node, "spec.unschedulable"));
	ck_assert_ptr_null(cJSON_GetObjectItem(kube_json_get(node, "metadata.annotations"), PW_ANNOTATION_STATE));
}

static void check_success(void)
{
	ck_assert_uint_eq(count_of(ROLLOUTS), 1);
	const cJSON *rollout = first_of(ROLLOUTS);
	ck_assert_str_eq(kube_json_str(rollout, "status.outcome"), "Succeeded");
	ck_assert_int_eq(cJSON_GetArraySize(kube_json_get(rollout, "metadata.finalizers")), 0);
	ck_assert_uint_eq(count_of(REPORTS), 1);
	ck_assert_uint_eq(count_of(PODS), 0); /* both drained, and the job pods are gone */
	check_node_is_done("n1");
	check_node_is_done("n2");
	ck_assert_str_eq(kube_json_str(first_of(POLICIES), "status.progress"), "2/2");
}

static void add_world(void)
{
	add_node("n1");
	add_node("n2");
	add_pod("web-1", "n1");
	add_pod("web-2", "n2");
	add_policy();
	t.server.on_write = play_hosts;
}

START_TEST(drift_becomes_a_rollout_that_succeeds)
{
	set_up();
	add_world();
	start_controller();
	run_for(60000);
	check_success();
	ck_assert_uint_eq(t.jobs_seen, 2);
	ck_assert_uint_eq(t.server.evictions, 2);
	tear_down();
}
END_TEST

/* A job pod of an earlier rollout on the node is nobody's to evict: it ends by its own deadline, and so long no other
 * one is started beside it. */
START_TEST(job_pods_are_not_drained)
{
	set_up();
	add_world();
	add_object(
	    &t.server, PODS,
	    json_of("{'metadata':{'name':'pw-old','namespace':'patchwright-jobs','labels':{'patchwright.io/step':'job',"
	            "'patchwright.io/rollout-hash':'another'}},'spec':{'nodeName':'n1'},"
	            "'status':{'phase':'Running'}}"));
	start_controller();
	run_for(20000);
	check_node_is_patched("n2"); /* the canary: it has fewer pods */
	ck_assert_uint_eq(t.jobs_seen, 1);
	ck_assert_uint_eq(t.server.evictions, 2);
	ck_assert_ptr_nonnull(strstr(kube_json_str(first_of(ROLLOUTS), "status.summary"), "Pod patchwright-jobs/pw-old"));
	struct stored *old = find_object(&t.server, PODS, "pw-old");
	cJSON_AddStringToObject(cJSON_GetObjectItem(old->json, "status"), "reason", "Completed");
	cJSON_ReplaceItemInObject(cJSON_GetObjectItem(old->json, "status"), "phase", cJSON_CreateString("Succeeded"));
	touch_object(&t.server, old);
	run_for(20000);
	check_node_is_patched("n1");
	ck_assert_uint_eq(t.jobs_seen, 2);
	tear_down();
}
END_TEST

/* Killed again and again at different moments: what was done is not done twice, what was begun ends. */
START_TEST(killed_and_started_again)
{
	for (int64_t life = 120; life < 3000; life += getenv("UNIT_LIGHT") ? 1100 : 330) {
		set_up();
		add_world();
		for (int i = 0; i < 8; i++) {
			start_controller();
			run_for(life);
			controller_free(t.controller);
			t.controller = NULL;
			t.server.watch_count = 0;
		}
		start_controller();
		run_for(120000);
		check_success();
		ck_assert_uint_eq(t.jobs_seen, 2);
		ck_assert_uint_eq(t.server.evictions, 2);
		tear_down();
	}
}
END_TEST

START_TEST(server_that_fails_now_and_then)
{
	for (unsigned refused = 1; refused < 12; refused += 3) {
		set_up();
		add_world();
		start_controller();
		for (int i = 0; i < 20; i++) {
			t.server.refuse_writes = refused;
			run_for(3000);
		}
		t.server.refuse_writes = 0;
		run_for(300000);
		check_success();
		tear_down();
	}
}
END_TEST

START_TEST(quiet_when_there_is_nothing_to_do)
{
	set_up();
	add_world();
	start_controller();
	run_for(60000);
	unsigned writes = t.server.posts + t.server.puts + t.server.patches + t.server.deletes;
	run_for(600000);
	ck_assert_uint_eq(t.server.posts + t.server.puts + t.server.patches + t.server.deletes, writes);
	tear_down();
}
END_TEST

START_TEST(higher_epoch_ends_the_process)
{
	set_up();
	add_world();
	start_controller();
	run_for(1500); /* at work on n1 */
	struct stored *rollout = find_object(&t.server, ROLLOUTS, kube_json_str(first_of(ROLLOUTS), "metadata.name"));
	ck_assert_int_eq(kube_json_get(rollout->json, "status.epoch")->valueint, 1);
	json_set(rollout->json, "status>epoch", "2");
	touch_object(&t.server, rollout);
	run_for(100);
	ck_assert_int_eq(t.ended, 1);
	ck_assert_int_eq(t.status, 1);
	unsigned writes = t.server.posts + t.server.puts + t.server.patches;
	run_for(60000);
	ck_assert_uint_eq(t.server.posts + t.server.puts + t.server.patches, writes);
	tear_down();
}
END_TEST

START_TEST(new_process_writes_a_higher_epoch)
{
	set_up();
	add_world();
	start_controller();
	run_for(1500);
	controller_free(t.controller);
	t.server.watch_count = 0;
	start_controller();
	run_for(1500);
	ck_assert_int_eq(kube_json_get(first_of(ROLLOUTS), "status.epoch")->valueint, 2);
	ck_assert_int_eq(t.ended, 0);
	tear_down();
}
END_TEST

/* ---- readiness ---- */

static int ask(const char *path, const char *query, char *out, size_t size)
{
	struct kube_httpd_reply reply = {.status = 200};
	kube_buf_init(&reply.body, 1 << 20);
	ck_assert_int_eq(health_handle(t.controller, path, query, &reply), 0);
	snprintf(out, size, "%s", reply.body.data ? reply.body.data : "");
	kube_buf_finish(&reply.body);
	return reply.status;
}

START_TEST(readiness_names_what_is_missing)
{
	char text[8192];
	set_up();
	t.server.crds = t.server.namespaces = false;
	start_controller();
	run_for(3000);
	ck_assert_int_eq(ask("/readyz", "", text, sizeof(text)), 500);
	ck_assert_ptr_nonnull(strstr(text, "[-]cache-patchpolicies failed: the CRD patchpolicies.patchwright.io is not "
	                                   "installed: kubectl apply -f crds/"));
	ck_assert_ptr_nonnull(
	    strstr(text, "[-]namespace-patchwright-jobs failed: namespace patchwright-jobs does not exist"));
	ck_assert_ptr_nonnull(strstr(text, "[+]cache-nodes ok"));
	ck_assert_int_eq(ask("/readyz/namespace-patchwright-jobs", "", text, sizeof(text)), 500);
	ck_assert_int_eq(strncmp(text, "namespace patchwright-jobs does not exist", 41), 0);
	ck_assert_int_eq(ask("/healthz", "", text, sizeof(text)), 200);
	ck_assert_str_eq(text, "ok");
	t.server.crds = t.server.namespaces = true;
	run_for(120000);
	ck_assert_int_eq(ask("/readyz", "", text, sizeof(text)), 200);
	ck_assert_str_eq(text, "ok");
	ck_assert_int_eq(ask("/readyz", "verbose", text, sizeof(text)), 200);
	ck_assert_ptr_nonnull(strstr(text, "[+]cache-patchpolicies ok"));
	ck_assert_int_eq(ask("/readyz/cache-nodes", "", text, sizeof(text)), 200);
	ck_assert_int_eq(ask("/healthz/loop", "", text, sizeof(text)), 200);
	ck_assert_int_eq(ask("/healthz/cache-nodes", "", text, sizeof(text)), 404);
	ck_assert_int_eq(ask("/other", "", text, sizeof(text)), 404);
	tear_down();
}
END_TEST

/* Nothing is in the cache then: more than an object that is passed over. */
START_TEST(readiness_tells_of_a_list_that_cannot_be_taken)
{
	char text[8192];
	set_up();
	t.server.odd_list = "/api/v1/nodes";
	start_controller();
	run_for(3000);
	ck_assert_int_eq(ask("/readyz/cache-nodes", "", text, sizeof(text)), 500);
	ck_assert_str_eq(text, "cannot list nodes: the answer is no list: it has no metadata\n");
	t.server.odd_list = NULL;
	run_for(120000);
	ck_assert_int_eq(ask("/readyz/cache-nodes", "", text, sizeof(text)), 200);
	tear_down();
}
END_TEST

START_TEST(metrics_have_the_known_names)
{
	static const char *const lines[] = {
	    "controller_runtime_reconcile_total{controller=\"patchrollout\",result=\"success\"}",
	    "controller_runtime_reconcile_errors_total{controller=\"patchrollout\"} 0",
	    "controller_runtime_reconcile_time_seconds_count{controller=\"patchrollout\"} ",
	    "controller_runtime_max_concurrent_reconciles{controller=\"patchrollout\"} 1",
	    "controller_runtime_active_workers{controller=\"patchrollout\"} 0",
	    "workqueue_depth{name=\"patchwright\"} 0",
	    "workqueue_adds_total{name=\"patchwright\"} ",
	    "workqueue_queue_duration_seconds_count{name=\"patchwright\"} ",
	    "workqueue_work_duration_seconds_count{name=\"patchwright\"} ",
	    "workqueue_retries_total{name=\"patchwright\"} ",
	    "workqueue_unfinished_work_seconds{name=\"patchwright\"} 0",
	    "workqueue_longest_running_processor_seconds{name=\"patchwright\"} 0",
	    "rest_client_requests_total{code=\"201\",method=\"POST\",host=\"server\"}",
	    "patchwright_evictions_total{result=\"accepted\"} 2",
	    "patchwright_policy_targets{policy=\"p\",state=\"uptodate\"} 2",
	    "patchwright_build_info{version=",
	    "patchwright_cache_objects{resource=\"nodes\"} 2",
	};
	static char text[1 << 20];
	set_up();
	add_world();
	start_controller();
	run_for(60000);
	ck_assert_int_eq(ask("/metrics", "", text, sizeof(text)), 200);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(lines); i++)
		ck_assert_msg(strstr(text, lines[i]) != NULL, "%s is missing in\n%s", lines[i], text);
	tear_down();
}
END_TEST

/* ---- the end ---- */

START_TEST(stop_lets_writes_end)
{
	set_up();
	add_world();
	start_controller();
	while (act_in_flight(t.controller->act) == 0)
		ck_assert(kube_sim_step(t.sim));
	controller_stop(t.controller);
	run_for(ANSWER_MS - 1);
	ck_assert_uint_gt(act_in_flight(t.controller->act), 0);
	ck_assert_int_eq(t.ended, 0);
	run_for(1000);
	ck_assert_int_eq(t.ended, 1);
	ck_assert_int_eq(t.status, 0);
	ck_assert_uint_eq(act_in_flight(t.controller->act), 0);
	unsigned writes = t.server.posts + t.server.puts + t.server.patches;
	run_for(60000);
	ck_assert_uint_eq(t.server.posts + t.server.puts + t.server.patches, writes);
	tear_down();
}
END_TEST

/* Up to the moment at which nothing but Events is under way. */
static void stop_with_events(void)
{
	t.server.events_ms = 1000;
	start_controller();
	while (t.server.events == 0)
		ck_assert(kube_sim_step(t.sim));
	controller_stop(t.controller);
	run_for(500);
	ck_assert_uint_eq(act_in_flight(t.controller->act), 0);
	ck_assert(!kube_events_idle(t.controller->events));
	ck_assert_int_eq(t.ended, 0);
}

START_TEST(stop_flushes_events)
{
	set_up();
	add_world();
	stop_with_events();
	run_for(3000);
	ck_assert(kube_events_idle(t.controller->events));
	ck_assert_int_eq(t.ended, 1);
	ck_assert_int_eq(t.status, 0);
	tear_down();
}
END_TEST

START_TEST(stop_does_not_wait_long_for_events)
{
	set_up();
	add_world();
	t.server.events_lost = true;
	stop_with_events();
	run_for(4400);
	ck_assert_int_eq(t.ended, 0);
	run_for(1000);
	ck_assert_int_eq(t.ended, 1);
	ck_assert_int_eq(t.status, 0);
	tear_down();
}
END_TEST

START_TEST(explanations)
{
	static const struct {
		int status;
		const struct kube_resource *resource;
		const char *says;
	} cases[] = {
	    {404, &pw_policies, "the CRD patchpolicies.patchwright.io is not installed: kubectl apply -f crds/"},
	    {403, &kube_nodes, "the controller may not list and watch nodes"},
	    {403, &kube_pdbs, "the controller may not list and watch poddisruptionbudgets.policy"},
	    {401, &kube_nodes, "does not accept our credentials"},
	    {404, &kube_pdbs, "the server's sentence"},
	    {500, &kube_nodes, "the server's sentence"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_err err = {.code = KUBE_E_API, .http_status = cases[i].status, .message = "the server's sentence"};
		char text[512];
		caches_explain(cases[i].resource, &err, text, sizeof(text));
		ck_assert_msg(strstr(text, cases[i].says) != NULL, "\"%s\" does not say \"%s\"", text, cases[i].says);
	}
}
END_TEST

/* Planning takes a twentieth of the time at most, and what waits for longer waits no longer. */
START_TEST(plans_that_take_longer_are_made_less_often)
{
	static const struct {
		int64_t plan_us, least_ms, pause_ms;
	} cases[] = {{0, 10, 10},    {400, 10, 10},    {1000, 10, 19},      {1999, 10, 37},
	             {2000, 1, 158}, {10000, 10, 790}, {30000, 10, 1000},   {30000, 1500, 1500},
	             {1000, 0, 19},  {0, 0, 0},        {5000, 60000, 60000}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		ck_assert_int_eq(changes_pause_ms(cases[i].plan_us, cases[i].least_ms), cases[i].pause_ms);
}
END_TEST

CHECK_MAIN("controller", plans_that_take_longer_are_made_less_often, drift_becomes_a_rollout_that_succeeds,
           job_pods_are_not_drained, killed_and_started_again, server_that_fails_now_and_then,
           quiet_when_there_is_nothing_to_do, higher_epoch_ends_the_process, new_process_writes_a_higher_epoch,
           readiness_names_what_is_missing, readiness_tells_of_a_list_that_cannot_be_taken,
           metrics_have_the_known_names, stop_lets_writes_end, stop_flushes_events, stop_does_not_wait_long_for_events,
           explanations)
