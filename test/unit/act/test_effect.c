/* Effects against a scripted server, on the virtual clock: what is sent, what an answer leaves behind, when it is tried
 * again. */
#include "controller/act/effect.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include <kube/sim.h>
#include <stdio.h>

#define IMAGE "p@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY "rollout/r"

static struct {
	struct kube_sim *sim;
	struct kube_client *client;
	struct kube_store *nodes, *pods, *rollouts;
	struct kube_pending *node_writes, *pod_writes, *rollout_writes;
	struct facts *facts;
	struct act *act;
	struct kube_arena arena;
	/* The server's side. */
	int status;
	const char *reply;
	unsigned requests;
	char method[16], target[512], content_type[64], body[8192];
	/* What the queue was told. */
	unsigned agains;
	char again_key[64];
	int64_t again_ms;
	const char *eviction;
	/* Leader election. */
	bool follower;
	unsigned conflicts;
	int retry_after_s; /* of the server's answers; 0: none */
} t;

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	(void)arg;
	t.requests++;
	snprintf(t.method, sizeof(t.method), "%s", request->method);
	snprintf(t.target, sizeof(t.target), "%s", request->target);
	snprintf(t.content_type, sizeof(t.content_type), "%s", request->content_type ? request->content_type : "");
	snprintf(t.body, sizeof(t.body), "%.*s", (int)request->body_len, request->body ? (const char *)request->body : "");
	if (t.retry_after_s) {
		kube_sim_reply_head(sim, exchange, 5, t.status, t.retry_after_s, "application/json");
		kube_sim_reply_end(sim, exchange, 5, 0, NULL);
	} else if (t.status)
		kube_sim_reply_json(sim, exchange, 5, t.status, t.reply);
	else
		kube_sim_reply_end(sim, exchange, 5, KUBE_E_CLOSED, "the connection ended early");
}

static void again(void *arg, const char *key, int64_t delay_ms)
{
	(void)arg;
	t.agains++;
	snprintf(t.again_key, sizeof(t.again_key), "%s", key);
	t.again_ms = delay_ms;
}

static void on_eviction(void *arg, const char *result)
{
	(void)arg;
	t.eviction = result;
}

static bool may_act(void *arg)
{
	(void)arg;
	return !t.follower;
}

static void on_conflict(void *arg)
{
	(void)arg;
	t.conflicts++;
}

static struct kube_pending *pending_for(struct kube_store **store)
{
	struct kube_pending *pending = NULL;
	ck_assert_int_eq(kube_store_new(100, store, NULL), 0);
	ck_assert_int_eq(kube_pending_new(kube_sim_env(t.sim), *store, NULL, NULL, &pending, NULL), 0);
	return pending;
}

static void set_up(int status, const char *reply)
{
	static const char *const globs[] = {"*"};
	memset(&t, 0, sizeof(t));
	t.status = status;
	t.reply = reply;
	ck_assert_int_eq(kube_sim_new(1, 1767225600000, &t.sim, NULL), 0);
	kube_sim_serve(t.sim, serve, NULL);
	ck_assert_int_eq(kube_client_new(kube_sim_env(t.sim), kube_sim_transport(t.sim), &t.client, NULL), 0);
	ck_assert_int_eq(facts_new(&t.facts, NULL), 0);
	t.node_writes = pending_for(&t.nodes);
	t.pod_writes = pending_for(&t.pods);
	t.rollout_writes = pending_for(&t.rollouts);
	const struct act_options options = {
	    .client = t.client,
	    .facts = t.facts,
	    .namespace_ = "ns",
	    .job_namespace = "jobs",
	    .images = {.globs = globs, .count = 1},
	    .policies = t.rollout_writes,
	    .rollouts = t.rollout_writes,
	    .reports = t.rollout_writes,
	    .nodes = t.node_writes,
	    .pods = t.pod_writes,
	    .revisions = t.rollout_writes,
	    .again = again,
	    .on_eviction = on_eviction,
	    .may_act = may_act,
	    .on_conflict = on_conflict,
	};
	ck_assert_int_eq(act_new(&options, &t.act, NULL), 0);
}

static void tear_down(void)
{
	act_free(t.act);
	kube_pending_free(t.node_writes);
	kube_pending_free(t.pod_writes);
	kube_pending_free(t.rollout_writes);
	kube_store_free(t.nodes);
	kube_store_free(t.pods);
	kube_store_free(t.rollouts);
	kube_client_free(t.client);
	facts_free(t.facts);
	kube_sim_free(t.sim);
	kube_arena_finish(&t.arena);
}

static void run_for(int64_t ms)
{
	kube_sim_run(t.sim, kube_env_mono_ms(kube_sim_env(t.sim)) + ms, 1000);
}

static int64_t now(void)
{
	return kube_client_server_ms(t.client);
}

static struct kube_object *put(struct kube_store *store, const struct kube_projection *projection, const char *quoted)
{
	struct kube_object *object = object_of(projection, quoted);
	ck_assert_int_eq(kube_store_put(store, object, NULL), 0);
	return object;
}

static struct pod *put_pod(const char *version)
{
	char text[512];
	snprintf(
	    text, sizeof(text),
	    "{'metadata':{'name':'cart-0','namespace':'shop','uid':'p1','resourceVersion':'%s'},'spec':{},'status':{}}",
	    version);
	return (struct pod *)put(t.pods, &pod_projection, text);
}

/* With more in its metadata: ",'finalizers':[]". */
static struct kube_object *put_rollout(const char *more)
{
	char text[256];
	snprintf(text, sizeof(text),
	         "{'metadata':{'name':'r','uid':'ru','resourceVersion':'7'%s},'spec':{'policyRef':{'name':'p'}}}", more);
	return put(t.rollouts, &rollout_projection, text);
}

static void run_action(struct action action)
{
	struct actions actions = {.items = &action, .count = 1};
	act_run(t.act, KEY, &actions);
}

static struct rollout rollout = {.object = {.name = "r", .key = "r", .uid = "ru"}, .hash = "00aa"};

static void create_job(const char *image)
{
	static struct patch patch;
	patch = (struct patch){.component = COMPONENT_KERNEL, .version = "1", .job = {.image = image, .timeout_ms = 1000}};
	run_action((struct action){.type = ACTION_CREATE_JOB,
	                           .job = {.name = "pw-1",
	                                   .step = "job",
	                                   .node = "n1",
	                                   .node_uid = "u1",
	                                   .rollout = &rollout,
	                                   .patch = &patch,
	                                   .job = &patch.job,
	                                   .wave = "w"}});
}

/* ---- the table of answers ---- */

struct verdict_case {
	enum effect_kind kind;
	int code, http_status;
	const char *reason;
	enum effect_verdict verdict;
};

static const struct verdict_case verdicts[] = {
    {EFFECT_PATCH, 0, 0, "", EFFECT_WRITTEN},
    {EFFECT_PATCH, KUBE_E_API, 409, "Conflict", EFFECT_STALE},
    {EFFECT_PATCH, KUBE_E_API, 422, "Invalid", EFFECT_STALE},
    {EFFECT_PATCH, KUBE_E_API, 404, "NotFound", EFFECT_GONE},
    {EFFECT_PATCH, KUBE_E_API, 403, "Forbidden", EFFECT_FAILED},
    {EFFECT_PATCH, KUBE_E_TIMEOUT, 0, "", EFFECT_FAILED},
    {EFFECT_PATCH, KUBE_E_CANCELED, 0, "", EFFECT_STALE}, /* it was to be repeated too late, or by nobody */
    {EFFECT_STATUS, KUBE_E_API, 409, "Conflict", EFFECT_STALE},
    {EFFECT_STATUS, KUBE_E_API, 422, "Invalid", EFFECT_FAILED},
    {EFFECT_STATUS, KUBE_E_API, 404, "NotFound", EFFECT_GONE},
    {EFFECT_DELETE, KUBE_E_API, 404, "NotFound", EFFECT_GONE},
    /* Not about the object: a proxy's, or that of a server which does not serve its kind (yet). */
    {EFFECT_PATCH, KUBE_E_API, 404, "", EFFECT_FAILED},
    {EFFECT_STATUS, KUBE_E_API, 404, "", EFFECT_FAILED},
    {EFFECT_DELETE, KUBE_E_API, 404, "", EFFECT_FAILED},
    {EFFECT_READ, KUBE_E_API, 404, "", EFFECT_FAILED},
    {EFFECT_DELETE, KUBE_E_API, 409, "Conflict", EFFECT_STALE},
    {EFFECT_CREATE, KUBE_E_API, 409, "AlreadyExists", EFFECT_EXISTS},
    {EFFECT_CREATE, KUBE_E_API, 409, "Conflict", EFFECT_STALE},
    {EFFECT_CREATE, KUBE_E_API, 404, "NotFound", EFFECT_FAILED},
    {EFFECT_CREATE, KUBE_E_API, 422, "Invalid", EFFECT_FAILED},
    {EFFECT_CREATE, KUBE_E_CONNECT, 0, "", EFFECT_FAILED},
};

START_TEST(answers_and_what_they_mean)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(verdicts); i++) {
		const struct verdict_case *c = &verdicts[i];
		struct kube_err err = {.code = c->code, .http_status = c->http_status};
		snprintf(err.reason, sizeof(err.reason), "%s", c->reason);
		ck_assert_msg(effect_verdict(c->kind, c->code ? &err : NULL) == c->verdict, "case %zu", i);
	}
}
END_TEST

/* ---- nodes ---- */

static struct node *put_node(void)
{
	return (struct node *)put(t.nodes, &node_projection,
	                          "{'metadata':{'name':'n1','uid':'u1','resourceVersion':'7'},'spec':{},'status':{}}");
}

static void cordon(const struct node *node)
{
	run_action((struct action){.type = ACTION_PATCH_NODE, .node = {.node = node, .claim = true, .cordon = CHANGE_ON}});
}

START_TEST(node_is_busy_until_the_cache_shows_the_write)
{
	set_up(200, "{\"metadata\":{\"name\":\"n1\",\"resourceVersion\":\"8\"}}");
	const struct node *node = put_node();
	cordon(node);
	ck_assert(kube_pending_busy(t.node_writes, "n1"));
	cordon(node); /* a second plan before the answer must not write again */
	run_for(100);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_str_eq(t.method, "PATCH");
	ck_assert_str_eq(t.target, "/api/v1/nodes/n1");
	ck_assert_str_eq(t.content_type, KUBE_PATCH_MERGE);
	ck_assert_uint_eq(act_in_flight(t.act), 0);
	ck_assert(kube_pending_busy(t.node_writes, "n1"));
	cordon(node);
	run_for(100);
	ck_assert_uint_eq(t.requests, 1);
	put(t.nodes, &node_projection,
	    "{'metadata':{'name':'n1','uid':'u1','resourceVersion':'8'},'spec':{'unschedulable':true},'status':{}}");
	ck_assert(!kube_pending_busy(t.node_writes, "n1"));
	tear_down();
}
END_TEST

START_TEST(conflict_plans_again_soon_and_is_told_only_when_it_lasts)
{
	set_up(409, "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"changed\",\"code\":409}");
	const struct node *node = put_node();
	for (unsigned i = 1; i <= 6; i++) {
		cordon(node);
		run_for(10);
		ck_assert_uint_eq(t.requests, i);
		ck_assert(!kube_pending_busy(t.node_writes, "n1"));
		ck_assert_str_eq(t.again_key, KEY);
		ck_assert_int_gt(t.again_ms, 0);
		ck_assert_int_le(t.again_ms, 50 << (i - 1));
		ck_assert_int_eq(facts_effect_error(t.facts, KEY, now()) != NULL, i == 6);
		run_for(t.again_ms);
	}
	tear_down();
}
END_TEST

START_TEST(too_early_sends_nothing_but_comes_back)
{
	set_up(403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"nodes is forbidden\",\"code\":403}");
	const struct node *node = put_node();
	cordon(node);
	run_for(10);
	const struct effect_error *error = facts_effect_error(t.facts, KEY, now());
	ck_assert_str_eq(error->reason, "Forbidden");
	ck_assert_str_eq(error->what, "patch node n1");
	ck_assert_ptr_nonnull(strstr(error->message, "nodes is forbidden"));
	ck_assert_int_eq(error->http_status, 403);
	unsigned agains = t.agains;
	cordon(node);
	run_for(10);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_uint_eq(t.agains, agains + 1);
	ck_assert_int_gt(t.again_ms, 0);
	run_for(t.again_ms);
	t.status = 200;
	t.reply = "{\"metadata\":{\"resourceVersion\":\"8\"}}";
	cordon(node);
	run_for(10);
	ck_assert_uint_eq(t.requests, 2);
	ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
	tear_down();
}
END_TEST

START_TEST(broken_connection_is_not_repeated_by_itself)
{
	set_up(0, NULL);
	cordon(put_node());
	run_for(900);
	ck_assert_uint_eq(t.requests, 1); /* nobody knows whether it was written: the plan decides */
	ck_assert(!kube_pending_busy(t.node_writes, "n1"));
	ck_assert_str_eq(facts_effect_error(t.facts, KEY, now())->reason, "ServerUnreachable");
	tear_down();
}
END_TEST

/* ---- evictions ---- */

static void evict(const struct pod *pod, int64_t delay_ms)
{
	run_action(
	    (struct action){.type = ACTION_EVICT_POD, .evict = {.pod = pod, .grace_period_s = -1, .delay_ms = delay_ms}});
}

START_TEST(eviction_that_a_budget_refuses)
{
	set_up(429,
	       "{\"kind\":\"Status\",\"reason\":\"TooManyRequests\",\"message\":\"Cannot evict pod as it would violate "
	       "the pod's disruption budget.\",\"details\":{\"causes\":[{\"reason\":\"DisruptionBudget\",\"message\":\"The "
	       "disruption budget cart needs 3 healthy pods and has 3 currently\"}]},\"code\":429}");
	const struct pod *pod = put_pod("1");
	evict(pod, 0);
	run_for(10);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_str_eq(t.target, "/api/v1/namespaces/shop/pods/cart-0/eviction");
	const struct eviction_fact *fact = facts_eviction(t.facts, "p1");
	ck_assert_str_eq(fact->name, "cart");
	ck_assert_str_eq(fact->namespace_, "shop");
	ck_assert_int_gt(fact->retry_at_ms, now());
	ck_assert_int_le(fact->retry_at_ms, now() + EVICTION_RETRY_FIRST_MS);
	ck_assert_str_eq(t.again_key, KEY);
	ck_assert_int_gt(t.again_ms, 0);
	ck_assert_str_eq(t.eviction, "blocked");
	ck_assert(!kube_pending_busy(t.pod_writes, "shop/cart-0"));
	/* It is a blocker of the target, no failure of an effect. */
	ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
	tear_down();
}
END_TEST

START_TEST(eviction_is_waited_for)
{
	set_up(201, "{\"kind\":\"Status\",\"status\":\"Success\",\"code\":201}");
	evict(put_pod("1"), 0);
	run_for(10);
	ck_assert_str_eq(t.eviction, "accepted");
	ck_assert_ptr_null(facts_eviction(t.facts, "p1"));
	ck_assert(kube_pending_busy(t.pod_writes, "shop/cart-0"));
	kube_store_remove(t.pods, "shop/cart-0");
	ck_assert(!kube_pending_busy(t.pod_writes, "shop/cart-0"));
	tear_down();
}
END_TEST

/* ---- job pods ---- */

START_TEST(job_is_asked_for_once_and_its_target_is_busy)
{
	set_up(201, "{\"metadata\":{\"name\":\"pw-1\",\"namespace\":\"jobs\",\"resourceVersion\":\"9\"}}");
	create_job(IMAGE);
	ck_assert(act_job_busy(t.act, "u1"));
	ck_assert(!act_job_busy(t.act, "u2"));
	create_job(IMAGE);
	run_for(10);
	create_job(IMAGE);
	run_for(10);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_str_eq(t.method, "POST");
	ck_assert_str_eq(t.target, "/api/v1/namespaces/jobs/pods");
	ck_assert(act_job_busy(t.act, "u1"));
	put(t.pods, &pod_projection,
	    "{'metadata':{'name':'pw-1','namespace':'jobs','uid':'j1','resourceVersion':'9'},'spec':{},'status':{}}");
	ck_assert(!act_job_busy(t.act, "u1"));
	tear_down();
}
END_TEST

/* It may have been made, have run and have been removed by the time at which a busy server is asked again. */
START_TEST(job_is_not_asked_for_again_without_a_plan)
{
	set_up(500, NULL);
	t.retry_after_s = 10;
	create_job(IMAGE);
	run_for(60000);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert(!act_job_busy(t.act, "u1"));
	ck_assert_uint_eq(t.agains, 1);
	ck_assert_int_eq(t.again_ms, 10000);
	tear_down();
}
END_TEST

START_TEST(a_busy_server_is_told_of_only_when_it_lasts)
{
	set_up(429, "{}");
	for (unsigned i = 1; i <= 4; i++) {
		ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
		create_job(IMAGE);
		run_for(30000);
		ck_assert_uint_eq(t.requests, i);
	}
	ck_assert_ptr_nonnull(facts_effect_error(t.facts, KEY, now()));
	tear_down();
}
END_TEST

START_TEST(forbidden_image_is_never_sent)
{
	set_up(201, "{}");
	create_job("p:latest");
	run_for(10);
	ck_assert_uint_eq(t.requests, 0);
	const struct effect_error *error = facts_effect_error(t.facts, KEY, now());
	ck_assert_str_eq(error->reason, "ImageNotAllowed");
	ck_assert_ptr_nonnull(strstr(error->message, "p:latest"));
	ck_assert(!act_job_busy(t.act, "u1"));
	ck_assert_uint_eq(t.agains, 1);
	tear_down();
}
END_TEST

static const struct job_fact *fact(void)
{
	return job_facts_get(facts_jobs(t.facts), "u1");
}

START_TEST(job_that_was_made_is_known_by_its_uid)
{
	set_up(201, "{\"metadata\":{\"name\":\"pw-1\",\"uid\":\"j1\",\"resourceVersion\":\"9\"}}");
	ck_assert_ptr_null(fact());
	create_job(IMAGE);
	ck_assert(!fact()->existed && !fact()->absent);
	run_for(10);
	ck_assert_str_eq(fact()->name, "pw-1");
	ck_assert_str_eq(fact()->uid, "j1");
	ck_assert(fact()->existed && !fact()->absent);
	ck_assert_ptr_null(fact()->pod);
	tear_down();
}
END_TEST

START_TEST(job_that_is_there_already_is_known_to_exist)
{
	set_up(409,
	       "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"pods pw-1 already exists\",\"code\":409}");
	create_job(IMAGE);
	run_for(10);
	ck_assert(fact()->existed && !fact()->absent);
	ck_assert_ptr_null(fact()->uid);
	ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
	ck_assert_int_eq(t.again_ms, 0);
	ck_assert(!act_job_busy(t.act, "u1"));
	tear_down();
}
END_TEST

static void read_job(void)
{
	run_action((struct action){.type = ACTION_READ_JOB, .read_job = {.name = "pw-1", .node_uid = "u1"}});
}

START_TEST(job_is_read_from_the_server)
{
	set_up(200, "{\"metadata\":{\"name\":\"pw-1\",\"namespace\":\"jobs\",\"uid\":\"j1\",\"resourceVersion\":\"9\","
	            "\"labels\":{\"patchwright.io/step\":\"job\"},\"annotations\":{\"patchwright.io/node\":\"u1\"}},"
	            "\"status\":{\"phase\":\"Running\"}}");
	read_job();
	ck_assert(act_job_busy(t.act, "u1"));
	run_for(10);
	ck_assert_str_eq(t.method, "GET");
	ck_assert_str_eq(t.target, "/api/v1/namespaces/jobs/pods/pw-1");
	ck_assert(!act_job_busy(t.act, "u1"));
	ck_assert_str_eq(fact()->uid, "j1");
	ck_assert_int_eq(fact()->pod->phase, POD_RUNNING);
	ck_assert_int_eq(fact()->read_ms, now() - 5);
	ck_assert_int_eq(t.agains, 2); /* now, and when it may be read again */
	read_job();
	run_for(10);
	ck_assert_uint_eq(t.requests, 1);
	run_for(10000);
	t.status = 404;
	t.reply = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\",\"code\":404}";
	read_job();
	run_for(10);
	ck_assert(fact()->existed && fact()->absent);
	ck_assert_str_eq(fact()->uid, "j1");
	ck_assert_ptr_null(fact()->pod);
	tear_down();
}
END_TEST

START_TEST(job_that_was_never_there)
{
	set_up(404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\",\"code\":404}");
	read_job();
	run_for(10);
	ck_assert(!fact()->existed && fact()->absent);
	ck_assert_int_eq(t.again_ms, 0);
	t.status = 500;
	create_job(IMAGE); /* whether this one is there nobody knows */
	run_for(10);
	ck_assert(!fact()->existed && !fact()->absent);
	tear_down();
}
END_TEST

START_TEST(job_that_is_released_is_known_no_longer)
{
	set_up(200, "{\"metadata\":{\"name\":\"pw-1\",\"uid\":\"j1\",\"resourceVersion\":\"9\"}}");
	create_job(IMAGE);
	run_for(10);
	ck_assert(!act_job_busy(t.act, "u2"));
	const struct pod *pod = (const struct pod *)put(
	    t.pods, &pod_projection,
	    "{'metadata':{'name':'pw-1','namespace':'jobs','uid':'j1','resourceVersion':'9','labels':{"
	    "'patchwright.io/step':'job'},'annotations':{'patchwright.io/node':'u1'}},'spec':{},'status':{}}");
	run_action((struct action){.type = ACTION_RELEASE_JOB, .pod = pod});
	run_for(10);
	ck_assert_ptr_null(fact());
	tear_down();
}
END_TEST

START_TEST(all_job_pods_go_in_one_request_and_not_at_once_again)
{
	set_up(200, "{\"kind\":\"PodList\",\"metadata\":{},\"items\":[]}");
	run_action((struct action){.type = ACTION_DELETE_JOBS, .delete_jobs = rollout.hash});
	run_for(10);
	ck_assert_str_eq(t.method, "DELETE");
	ck_assert_str_eq(t.target, "/api/v1/namespaces/jobs/pods?labelSelector=patchwright.io/rollout-hash%3D00aa");
	run_action((struct action){.type = ACTION_DELETE_JOBS, .delete_jobs = rollout.hash});
	run_for(1000);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
	run_for(5000);
	run_action((struct action){.type = ACTION_DELETE_JOBS, .delete_jobs = rollout.hash});
	run_for(10);
	ck_assert_uint_eq(t.requests, 2);
	tear_down();
}
END_TEST

/* ---- rollouts ---- */

START_TEST(status_goes_to_its_subresource_once)
{
	set_up(200, "{\"metadata\":{\"resourceVersion\":\"8\"},\"status\":{}}");
	struct kube_object *object = put_rollout("");
	_cleanup_json_ cJSON *status = json_of("{'epoch':1}");
	ck_assert(act_write_status(t.act, KEY, object, status));
	ck_assert(!act_write_status(t.act, KEY, object, status));
	run_for(10);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_str_eq(t.method, "PUT");
	ck_assert_str_eq(t.target, "/apis/patchwright.io/v1alpha1/patchrollouts/r/status");
	ck_assert_ptr_nonnull(strstr(t.body, "\"resourceVersion\":\"7\""));
	tear_down();
}
END_TEST

/* Its cache is blind, and shows it as being deleted: that is what a deletion is waited for. */
START_TEST(status_of_what_is_gone_is_not_written_again_at_once)
{
	set_up(404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\",\"code\":404}");
	struct kube_object *object = put_rollout(",'deletionTimestamp':'2026-09-21T11:22:33Z'");
	_cleanup_json_ cJSON *status = json_of("{'epoch':1}");
	ck_assert(act_write_status(t.act, KEY, object, status));
	run_for(10);
	ck_assert(!act_write_status(t.act, KEY, object, status));
	ck_assert_int_gt(t.again_ms, 1000);
	ck_assert_uint_eq(t.requests, 1);
	run_for(10000);
	ck_assert(act_write_status(t.act, KEY, object, status));
	tear_down();
}
END_TEST

/* Else the cache would be expected to lose the object, and it would stay busy for ever. */
START_TEST(a_404_that_is_not_about_the_object_is_a_failure)
{
	set_up(404, "{}");
	struct kube_object *object = put_rollout("");
	_cleanup_json_ cJSON *status = json_of("{'epoch':1}");
	ck_assert(act_write_status(t.act, KEY, object, status));
	run_for(10);
	ck_assert(!kube_pending_busy(t.rollout_writes, "r"));
	ck_assert_ptr_nonnull(facts_effect_error(t.facts, KEY, now()));
	run_for(5000);
	ck_assert(act_write_status(t.act, KEY, object, status));
	run_for(10);
	ck_assert_uint_eq(t.requests, 2);
	tear_down();
}
END_TEST

START_TEST(creation_of_a_rollout_is_seen_by_its_policy)
{
	set_up(201, "{\"metadata\":{\"name\":\"p-1\",\"resourceVersion\":\"8\"}}");
	struct policy policy = {.object = {.name = "p", .uid = "pu"}};
	ck_assert(!act_creating(t.act, "pu"));
	run_action((struct action){.type = ACTION_CREATE_ROLLOUT, .create_rollout = {&policy, "p-1"}});
	ck_assert(act_creating(t.act, "pu"));
	run_for(10);
	ck_assert(act_creating(t.act, "pu"));
	put(t.rollouts, &rollout_projection,
	    "{'metadata':{'name':'p-1','uid':'ru','resourceVersion':'8'},'spec':{'policyRef':{'name':'p'}}}");
	ck_assert(!act_creating(t.act, "pu"));
	tear_down();
}
END_TEST

START_TEST(deletion_of_what_is_gone_is_fine)
{
	set_up(404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\",\"code\":404}");
	struct kube_object *object = put_rollout("");
	run_action((struct action){.type = ACTION_DELETE_ROLLOUT, .delete_rollout = (struct rollout *)object});
	run_for(10);
	ck_assert_str_eq(t.method, "DELETE");
	ck_assert_ptr_nonnull(strstr(t.body, "\"uid\":\"ru\""));
	ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
	kube_store_remove(t.rollouts, "r");
	ck_assert(!kube_pending_busy(t.rollout_writes, "r"));
	tear_down();
}
END_TEST

/* The pod is busy meanwhile: no plan decides about it again. */
START_TEST(an_eviction_waits_for_its_turn)
{
	set_up(201, "{\"kind\":\"Status\",\"status\":\"Success\"}");
	evict(put_pod("1"), 300);
	ck_assert(kube_pending_busy(t.pod_writes, "shop/cart-0"));
	ck_assert_uint_eq(act_in_flight(t.act), 1);
	run_for(290);
	ck_assert_uint_eq(t.requests, 0);
	evict(put_pod("1"), 0);
	run_for(20);
	ck_assert_uint_eq(t.requests, 1);
	ck_assert_str_eq(t.target, "/api/v1/namespaces/shop/pods/cart-0/eviction");
	ck_assert_ptr_nonnull(strstr(t.body, "\"uid\":\"p1\""));
	ck_assert_uint_eq(act_in_flight(t.act), 0);
	tear_down();
}
END_TEST

START_TEST(who_no_longer_leads_misses_its_turn)
{
	set_up(201, "{}");
	evict(put_pod("1"), 300);
	t.follower = true;
	run_for(1000);
	ck_assert_uint_eq(t.requests, 0);
	ck_assert_uint_eq(act_in_flight(t.act), 0);
	ck_assert(!kube_pending_busy(t.pod_writes, "shop/cart-0"));
	tear_down();
}
END_TEST

START_TEST(end_before_its_turn)
{
	set_up(201, "{}");
	evict(put_pod("1"), 300);
	tear_down();
}
END_TEST

START_TEST(end_with_writes_in_flight)
{
	set_up(200, "{}");
	cordon(put_node());
	ck_assert_uint_eq(act_in_flight(t.act), 1);
	tear_down();
}
END_TEST

/* ---- leader election ---- */

START_TEST(who_does_not_lead_sends_nothing)
{
	set_up(200, "{}");
	_cleanup_json_ cJSON *status = json_of("{'epoch':1}");
	t.follower = true;
	cordon(put_node());
	create_job(IMAGE);
	evict(put_pod("1"), 0);
	run_action((struct action){.type = ACTION_DELETE_JOBS, .delete_jobs = rollout.hash});
	ck_assert(!act_write_status(t.act, KEY, put_rollout(""), status));
	run_for(60000);
	ck_assert_uint_eq(t.requests, 0);
	ck_assert_uint_eq(t.agains, 0);
	ck_assert(!kube_pending_busy(t.node_writes, "n1"));
	tear_down();
}
END_TEST

START_TEST(who_leads_no_longer_repeats_nothing)
{
	set_up(429, NULL);
	t.retry_after_s = 10;
	cordon(put_node());
	run_for(15000);
	ck_assert_uint_eq(t.requests, 2);
	t.follower = true;
	run_for(60000);
	ck_assert_uint_eq(t.requests, 2);
	ck_assert_uint_eq(act_in_flight(t.act), 0);
	tear_down();
}
END_TEST

/* A server that puts it off, or a process that is frozen: what was decided then need not be right any more. */
START_TEST(old_decisions_are_not_repeated)
{
	set_up(429, NULL);
	t.retry_after_s = 10;
	cordon(put_node());
	run_for(19000);
	ck_assert_uint_eq(t.requests, 2);
	ck_assert_uint_eq(act_in_flight(t.act), 1);
	run_for(60000);
	ck_assert_uint_eq(t.requests, 2);
	ck_assert_uint_eq(act_in_flight(t.act), 0);
	ck_assert_uint_eq(t.agains, 1);
	ck_assert_ptr_null(facts_effect_error(t.facts, KEY, now()));
	tear_down();
}
END_TEST

START_TEST(only_a_conflict_of_a_status_is_told)
{
	static const struct {
		int status;
		bool node;
		unsigned conflicts;
	} cases[] = {{409, false, 1}, {409, true, 0}, {500, false, 0}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		set_up(cases[i].status, "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"changed\"}");
		_cleanup_json_ cJSON *status = json_of("{'epoch':1}");
		if (cases[i].node)
			cordon(put_node());
		else
			ck_assert(act_write_status(t.act, KEY, put_rollout(""), status));
		run_for(10);
		ck_assert_uint_eq(t.conflicts, cases[i].conflicts);
		tear_down();
	}
}
END_TEST

CHECK_MAIN("effect", answers_and_what_they_mean, node_is_busy_until_the_cache_shows_the_write,
           conflict_plans_again_soon_and_is_told_only_when_it_lasts, too_early_sends_nothing_but_comes_back,
           broken_connection_is_not_repeated_by_itself, eviction_that_a_budget_refuses, eviction_is_waited_for,
           job_is_asked_for_once_and_its_target_is_busy, job_is_not_asked_for_again_without_a_plan,
           a_busy_server_is_told_of_only_when_it_lasts, forbidden_image_is_never_sent,
           job_that_was_made_is_known_by_its_uid, job_that_is_there_already_is_known_to_exist,
           job_is_read_from_the_server, job_that_was_never_there, job_that_is_released_is_known_no_longer,
           all_job_pods_go_in_one_request_and_not_at_once_again, status_goes_to_its_subresource_once,
           status_of_what_is_gone_is_not_written_again_at_once, a_404_that_is_not_about_the_object_is_a_failure,
           creation_of_a_rollout_is_seen_by_its_policy, deletion_of_what_is_gone_is_fine, end_with_writes_in_flight,
           an_eviction_waits_for_its_turn, who_no_longer_leads_misses_its_turn, end_before_its_turn,
           who_does_not_lead_sends_nothing, who_leads_no_longer_repeats_nothing, old_decisions_are_not_repeated,
           only_a_conflict_of_a_status_is_told)
