/* Two controllers of which one leads, on the virtual clock, against the API server in memory. */
#include "controller/cmd/health.h"
#include "test/unit/check_main.h"
#include "test/unit/sim_process.h"
#include <kube/json.h>
#include <kube/sim_api.h>
#include <stdio.h>

#define START INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define SYSTEM "patchwright-system"
#define JOBS "patchwright-jobs"
#define LEASE "patchwright-controller"
#define NODES 4
#define MAX_JOBS 32
#define TAKE_OVER_MS (15000 + 2 * 4400 + 100)

struct replica {
	struct sim_process machine;
	struct controller *controller;
	char identity[8];
	int quiet, ended, status;
	unsigned writes;                    /* of anything but the lease and Events */
	int64_t last_write_ms, released_ms; /* when the server worked on them */
};

static struct {
	struct kube_sim *sim;
	struct kube_sim_api *api;
	struct options options;
	struct replica replicas[2]; /* "a", "b" */
	unsigned lease_reads;
	bool slow;               /* all answers but those about leases */
	bool forbidden;          /* leases are */
	char conflict_for;       /* its status writes are answered with 409 */
	char jobs[MAX_JOBS][64]; /* UIDs of job pods that there ever were */
	size_t job_count;
} t;

/* ---- the server ---- */

static struct replica *sender(const struct kube_request *request)
{
	return &t.replicas[request->accept[0] - 'a'];
}

static void note_request(const struct kube_request *request)
{
	struct replica *replica = sender(request);
	bool read = strcmp(request->method, "GET") == 0;
	int64_t now_ms = kube_env_mono_ms(kube_sim_env(t.sim));
	if (strstr(request->target, "/leases")) {
		t.lease_reads += read;
		if (!read && strstr(request->body, "\"holderIdentity\":\"\""))
			replica->released_ms = now_ms;
	} else if (!read && !strstr(request->target, "events.k8s.io")) {
		replica->writes++;
		replica->last_write_ms = now_ms;
	}
}

static void decide_fate(void *arg, const struct kube_request *request, struct kube_sim_fate *fate)
{
	(void)arg;
	note_request(request);
	fate->answer_ms = t.slow && !strstr(request->target, "/leases") ? 500 : 5;
	if (t.forbidden && strstr(request->target, "/leases")) {
		fate->status = 403;
		fate->reason = "Forbidden";
	}
	if (sender(request)->machine.name[0] == t.conflict_for && strstr(request->target, "/status")) {
		fate->status = 409;
		fate->reason = "Conflict";
	}
}

static void note_job(void *arg, const struct kube_sim_change *change)
{
	(void)arg;
	if (change->old_json || !change->new_json || change->resource != &kube_pods)
		return;
	ck_assert_uint_lt(t.job_count, MAX_JOBS);
	snprintf(t.jobs[t.job_count++], sizeof(t.jobs[0]), "%s", kube_json_str(change->new_json, "spec.nodeName"));
}

static void add_world(void)
{
	for (int i = 0; i < NODES; i++)
		ck_assert_int_eq(
		    kube_sim_api_do(
		        t.api, "POST", "/api/v1/nodes", NULL,
		        "{'metadata':{'name':'n%d','labels':{'pool':'w'}},'spec':{},'status':{'conditions':[{'type':"
		        "'Ready','status':'True','lastTransitionTime':'2025-12-01T00:00:00Z'}],'nodeInfo':{"
		        "'operatingSystem':'linux','bootID':'b','containerRuntimeVersion':'containerd://1.6.20'}}}",
		        i),
		    201);
	ck_assert_int_eq(kube_sim_api_do(t.api, "POST", "/api/v1/namespaces", NULL, "{'metadata':{'name':'" SYSTEM "'}}"),
	                 201);
	ck_assert_int_eq(kube_sim_api_do(t.api, "POST", "/api/v1/namespaces", NULL, "{'metadata':{'name':'" JOBS "'}}"),
	                 201);
	ck_assert_int_eq(
	    kube_sim_api_do(t.api, "POST", "/apis/patchwright.io/v1alpha1/patchpolicies", NULL,
	                    "{'metadata':{'name':'p'},'spec':{'target':{'type':'Nodes','nodes':{'selector':{'matchLabels':{"
	                    "'pool':'w'}}}},"
	                    "'patches':[{'component':'ContainerRuntime','version':'1.7.27','job':{'image':"
	                    "'i@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}],'strategy':{"
	                    "'maxUnavailable':1,'waves':[{'name':'rest'}],'settle':{'readyFor':'1s'}}}}"),
	    201);
}

/* Every job that is there has done its work. */
static void play_hosts(void)
{
	for (size_t i = 0; i < kube_sim_api_count(t.api, &kube_pods); i++) {
		const cJSON *pod = kube_sim_api_at(t.api, &kube_pods, i);
		char path[256], node[64];
		if (kube_json_get(pod, "status.containerStatuses"))
			continue;
		snprintf(path, sizeof(path), "/api/v1/namespaces/" JOBS "/pods/%s/status", kube_json_str(pod, "metadata.name"));
		snprintf(node, sizeof(node), "/api/v1/nodes/%s/status", kube_json_str(pod, "spec.nodeName"));
		ck_assert_int_eq(kube_sim_api_do(t.api, "PATCH", path, KUBE_PATCH_MERGE,
		                                 "{'status':{'phase':'Succeeded','containerStatuses':[{'state':{'terminated':"
		                                 "{'exitCode':0}}}]}}"),
		                 200);
		ck_assert_int_eq(kube_sim_api_do(t.api, "PATCH", node, KUBE_PATCH_MERGE,
		                                 "{'status':{'nodeInfo':{'containerRuntimeVersion':'containerd://1.7.27'}}}"),
		                 200);
	}
}

/* ---- replicas ---- */

static void on_quiet(void *arg)
{
	struct replica *replica = arg;
	ck_assert_uint_eq(act_in_flight(replica->controller->act), 0);
	ck_assert_int_eq(replica->released_ms, 0);
	replica->quiet++;
}

static void on_end(void *arg, int status)
{
	struct replica *replica = arg;
	replica->ended++;
	replica->status = status;
}

static struct replica *start(char name)
{
	struct replica *replica = &t.replicas[name - 'a'];
	*replica = (struct replica){0};
	snprintf(replica->identity, sizeof(replica->identity), "id-%c", name);
	sim_process_init(&replica->machine, t.sim, name);
	const struct controller_options options = {
	    .options = &t.options,
	    .env = replica->machine.env,
	    .transport = &replica->machine.transport,
	    .host = "server",
	    .instance = replica->identity,
	    .identity = replica->identity,
	    .on_quiet = on_quiet,
	    .on_end = on_end,
	    .arg = replica,
	};
	ck_assert_int_eq(controller_new(&options, &replica->controller, NULL), 0);
	controller_start(replica->controller);
	return replica;
}

static void drop(struct replica *replica)
{
	if (!replica->controller)
		return;
	controller_free(take(replica->controller));
	sim_process_finish(&replica->machine);
}

static void run_for(int64_t ms)
{
	for (int64_t left = ms; left > 0; left -= 200) {
		int64_t until_ms = kube_env_mono_ms(kube_sim_env(t.sim)) + (left < 200 ? left : 200);
		ck_assert_uint_lt(kube_sim_run(t.sim, until_ms, 100000), 100000);
		play_hosts();
		for (size_t i = 0; i < 2; i++) /* a process that has ended is gone */
			if (t.replicas[i].ended)
				drop(&t.replicas[i]);
	}
}

static void set_up(void)
{
	static const struct kube_sim_kind kinds[] = {
	    {.resource = &pw_policies, .custom = true, .has_status = true, .has_generation = true},
	    {.resource = &pw_rollouts, .custom = true, .has_status = true, .has_generation = true, .immutable = "spec"},
	    {.resource = &pw_reports, .custom = true, .has_generation = true, .immutable = "spec"},
	    {.resource = &pw_approvals, .custom = true, .has_generation = true, .immutable = "spec"},
	    {.resource = &pw_admission_policies, .has_generation = true},
	    {.resource = &pw_admission_bindings, .has_generation = true},
	};
	static const struct kube_sim_api_hooks hooks = {.fate = decide_fate, .changed = note_job};
	memset(&t, 0, sizeof(t));
	t.options = (struct options){
	    .namespace_ = SYSTEM, .job_namespace = JOBS, .images = {"*"}, .image_count = 1, .leader_elect = true};
	ck_assert_int_eq(kube_sim_new(7, START, &t.sim, NULL), 0);
	t.api = kube_sim_api_new(t.sim);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++)
		kube_sim_api_add_kind(t.api, &kinds[i]);
	kube_sim_api_add_hooks(t.api, &hooks);
	add_world();
}

static void tear_down(void)
{
	drop(&t.replicas[0]);
	drop(&t.replicas[1]);
	kube_sim_api_free(t.api);
	kube_sim_free(t.sim);
}

static const char *holder(void)
{
	const char *name = kube_json_str(kube_sim_api_get(t.api, &kube_leases, SYSTEM, LEASE), "spec.holderIdentity");
	return name ? name : "";
}

static const cJSON *rollout(void)
{
	ck_assert_uint_eq(kube_sim_api_count(t.api, &pw_rollouts), 1);
	return kube_sim_api_at(t.api, &pw_rollouts, 0);
}

/* Every node was patched by one job. */
static void check_success(void)
{
	ck_assert_str_eq(kube_json_str(rollout(), "status.outcome"), "Succeeded");
	ck_assert_uint_eq(t.job_count, NODES);
	for (size_t i = 0; i < t.job_count; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(t.jobs[i], t.jobs[k]);
}

static int ask(const struct replica *replica, const char *path, const char *query, char *out, size_t size)
{
	struct kube_httpd_reply reply = {.status = 200};
	kube_buf_init(&reply.body, 1 << 20);
	ck_assert_int_eq(health_handle(replica->controller, path, query, &reply), 0);
	snprintf(out, size, "%s", reply.body.data ? reply.body.data : "");
	kube_buf_finish(&reply.body);
	return reply.status;
}

static void check_metric(const struct replica *replica, const char *line)
{
	static char text[1 << 16];
	ck_assert_int_eq(ask(replica, "/metrics", "", text, sizeof(text)), 200);
	ck_assert_msg(strstr(text, line) != NULL, "no %s", line);
}

static void check_leads(const struct replica *replica, bool leads)
{
	check_metric(replica, leads ? "leader_election_master_status{name=\"" LEASE "\"} 1\n"
	                            : "leader_election_master_status{name=\"" LEASE "\"} 0\n");
}

/* ---- tests ---- */

START_TEST(the_one_that_waits_is_ready_and_writes_nothing)
{
	char text[4096];
	set_up();
	struct replica *a = start('a');
	run_for(400);
	struct replica *b = start('b');
	run_for(60000);
	ck_assert_str_eq(holder(), "id-a");
	check_success();
	check_leads(a, true);
	check_leads(b, false);
	check_metric(b, "workqueue_adds_total{name=\"patchwright\"} 0\n"); /* nothing is planned */
	ck_assert_uint_gt(a->writes, 4 * NODES);
	ck_assert_uint_eq(b->writes, 0);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(ask(&t.replicas[i], "/readyz", "verbose", text, sizeof(text)), 200);
		ck_assert_ptr_nonnull(strstr(text, "[+]leader-election ok"));
		ck_assert_int_eq(ask(&t.replicas[i], "/healthz", "verbose", text, sizeof(text)), 200);
		ck_assert_ptr_nonnull(strstr(text, "[+]leader-election ok"));
	}
	tear_down();
}
END_TEST

START_TEST(a_stop_gives_the_lease_back_after_the_last_write)
{
	set_up();
	struct replica *a = start('a');
	run_for(400);
	struct replica *b = start('b');
	t.slow = true;
	for (int i = 0; i < 100 && act_in_flight(a->controller->act) == 0; i++)
		run_for(50);
	ck_assert_uint_gt(act_in_flight(a->controller->act), 0);
	controller_stop(a->controller);
	run_for(100);
	ck_assert_str_eq(holder(), "id-a"); /* a write is still in flight */
	run_for(1000);
	ck_assert_int_eq(a->ended, 1);
	ck_assert_int_eq(a->status, 0);
	ck_assert_int_eq(a->quiet, 1);
	ck_assert_str_eq(holder(), "");
	ck_assert_int_ge(a->released_ms, a->last_write_ms);
	t.slow = false;
	run_for(4600); /* the longest pause of one that waits */
	ck_assert_str_eq(holder(), "id-b");
	check_leads(b, true);
	ck_assert_int_eq(kube_json_get(rollout(), "status.epoch")->valueint, 2);
	run_for(60000);
	check_success();
	tear_down();
}
END_TEST

/* The leader's own node is the last one; its pod goes when the lease is given back, and the next leader goes on. */
START_TEST(a_leader_that_drains_its_own_node_hands_over)
{
	set_up();
	t.options.pod_namespace = SYSTEM;
	t.options.pod_name = "controller-a";
	ck_assert_int_eq(
	    kube_sim_api_do(t.api, "POST", "/api/v1/namespaces/" SYSTEM "/pods", NULL,
	                    "{'metadata':{'name':'controller-a','ownerReferences':[{'apiVersion':'apps/v1','kind':"
	                    "'ReplicaSet','name':'x','uid':'x','controller':true}]},'spec':{'nodeName':'n0',"
	                    "'terminationGracePeriodSeconds':0}}"),
	    201);
	ck_assert_int_eq(kube_sim_api_do(t.api, "PATCH", "/api/v1/namespaces/" SYSTEM "/pods/controller-a/status",
	                                 KUBE_PATCH_MERGE, "{'status':{'phase':'Running','containerStatuses':[{}]}}"),
	                 200);
	t.job_count = 0;
	struct replica *a = start('a');
	run_for(400);
	start('b');
	for (int i = 0; i < 300 && !a->ended; i++)
		run_for(200);
	ck_assert_int_eq(a->ended, 1);
	ck_assert_int_eq(a->status, 0);
	ck_assert_uint_eq(t.job_count, NODES - 1); /* all but its own */
	ck_assert_int_gt(a->released_ms, 0);
	ck_assert_int_ge(a->last_write_ms, a->released_ms); /* the eviction */
	ck_assert_ptr_null(kube_sim_api_get(t.api, &kube_pods, SYSTEM, "controller-a"));
	run_for(60000);
	ck_assert_str_eq(holder(), "id-b");
	check_success();
	tear_down();
}
END_TEST

/* At every moment of a node's way: whoever wakes up after another one took over touches nothing. */
START_TEST(a_frozen_leader_wakes_up_and_ends)
{
	for (int64_t at_ms = 200; at_ms < 4200; at_ms += getenv("UNIT_LIGHT") ? 1300 : 130) {
		set_up();
		struct replica *a = start('a');
		run_for(100);
		struct replica *b = start('b');
		run_for(at_ms);
		sim_process_freeze(&a->machine);
		run_for(TAKE_OVER_MS);
		ck_assert_str_eq(holder(), "id-b");
		check_leads(b, true);
		ck_assert(!election_may_act(a->controller));
		unsigned writes = a->writes;
		sim_process_thaw(&a->machine);
		run_for(200);
		ck_assert_int_eq(a->ended, 1);
		ck_assert_int_eq(a->status, 1);
		run_for(60000);
		ck_assert_uint_eq(a->writes, writes);
		ck_assert_int_eq(b->ended, 0);
		check_success();
		tear_down();
	}
}
END_TEST

/* As where a machine's clocks all stood still, so that only the server's word tells. */
START_TEST(a_conflict_makes_it_read_the_lease)
{
	static const bool taken[] = {false, true};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(taken); i++) {
		set_up();
		struct replica *a = start('a');
		run_for(400);
		if (taken[i])
			ck_assert_int_eq(kube_sim_api_do(t.api, "PATCH",
			                                 "/apis/coordination.k8s.io/v1/namespaces/" SYSTEM "/leases/" LEASE,
			                                 KUBE_PATCH_MERGE, "{'spec':{'holderIdentity':'id-x'}}"),
			                 200);
		unsigned reads = t.lease_reads;
		t.conflict_for = 'a';
		run_for(1000); /* less than until the next renewal */
		t.conflict_for = '\0';
		ck_assert_uint_gt(t.lease_reads, reads);
		ck_assert_int_eq(a->ended, taken[i]);
		if (taken[i]) {
			ck_assert_int_eq(a->status, 1);
		} else {
			run_for(60000);
			check_success();
		}
		tear_down();
	}
}
END_TEST

START_TEST(who_may_not_have_a_lease_says_so_and_waits)
{
	char text[8192];
	set_up();
	t.forbidden = true;
	struct replica *a = start('a');
	run_for(30000);
	ck_assert_int_eq(a->ended, 0);
	ck_assert_uint_eq(a->writes, 0);
	ck_assert_int_eq(ask(a, "/readyz", "", text, sizeof(text)), 500);
	ck_assert_ptr_nonnull(strstr(text, "[-]leader-election failed: GET /apis/coordination.k8s.io/v1/namespaces/" SYSTEM
	                                   "/leases/" LEASE));
	t.forbidden = false;
	run_for(5000);
	ck_assert_int_eq(ask(a, "/readyz", "", text, sizeof(text)), 200);
	ck_assert_uint_gt(a->writes, 0);
	tear_down();
}
END_TEST

CHECK_MAIN("election", the_one_that_waits_is_ready_and_writes_nothing, a_stop_gives_the_lease_back_after_the_last_write,
           a_leader_that_drains_its_own_node_hands_over, a_frozen_leader_wakes_up_and_ends,
           a_conflict_makes_it_read_the_lease, who_may_not_have_a_lease_says_so_and_waits)
