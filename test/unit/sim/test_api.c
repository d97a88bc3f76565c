/* The simulated API server answers as the real one does: codes, reasons, causes, and what is stored afterwards. */
#include "test/unit/check_main.h"

#include <kube/client.h>
#include <kube/json.h>
#include <kube/sim_api.h>
#include <stdio.h>
#include <string.h>

#define NODES "/api/v1/nodes"
#define PODS "/api/v1/namespaces/shop/pods"
#define PDBS "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"

static const struct kube_resource widgets = {"example.org", "v1", "widgets", "Widget", false};

static struct kube_sim *sim;
static struct kube_sim_api *api;
static cJSON *answer; /* to the last call */

static int call(const char *method, const char *target, const char *type, const char *quoted)
{
	char *text = strdup(quoted ? quoted : "");
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	cJSON *body = cJSON_Parse(text);
	cJSON_Delete(answer);
	answer = NULL;
	int status = kube_sim_api_call(api, method, target, type, body, &answer);
	cJSON_Delete(body);
	free(text);
	return status;
}

static const char *told(const char *path)
{
	const char *text = kube_json_str(answer, path);
	return text ? text : "";
}

static const char *cause(void)
{
	const char *text = kube_json_str(cJSON_GetArrayItem(kube_json_get(answer, "details.causes"), 0), "reason");
	return text ? text : "";
}

static void set_up(void)
{
	static const struct kube_sim_kind kind = {
	    .resource = &widgets, .custom = true, .has_status = true, .has_generation = true, .immutable = "fixed"};
	ck_assert_int_eq(kube_sim_new(1, INT64_C(1767225600000), &sim, NULL), 0);
	api = kube_sim_api_new(sim);
	kube_sim_api_add_kind(api, &kind);
	ck_assert_int_eq(call("POST", "/api/v1/namespaces", NULL, "{'metadata':{'name':'shop'}}"), 201);
	ck_assert_int_eq(call("POST", NODES, NULL, "{'metadata':{'name':'n1'},'spec':{}}"), 201);
}

static void tear_down(void)
{
	cJSON_Delete(answer);
	answer = NULL;
	kube_sim_api_free(api);
	kube_sim_free(sim);
}

#define WIDGETS "/apis/example.org/v1/widgets"

START_TEST(creation)
{
	set_up();
	ck_assert_int_eq(call("POST", WIDGETS, NULL, "{'metadata':{'name':'w'},'spec':{'a':1},'status':{'b':2}}"), 201);
	ck_assert_str_ne(told("metadata.uid"), "");
	ck_assert_str_eq(told("metadata.creationTimestamp"), "2026-01-01T00:00:00Z");
	ck_assert_int_eq(kube_json_get(answer, "metadata.generation")->valueint, 1);
	ck_assert_ptr_null(kube_json_get(answer, "status")); /* a subresource is not created along */
	ck_assert_int_eq(call("POST", WIDGETS, NULL, "{'metadata':{'name':'w'}}"), 409);
	ck_assert_str_eq(told("reason"), "AlreadyExists");
	ck_assert_int_eq(call("POST", "/api/v1/namespaces/none/pods", NULL, "{'metadata':{'name':'p'}}"), 404);
	ck_assert_int_eq(call("GET", WIDGETS "/x", NULL, NULL), 404);
	ck_assert_str_eq(told("message"), "widgets.example.org \"x\" not found");
	ck_assert_int_eq(call("GET", "/apis/example.org/v1/gadgets", NULL, NULL), 404);
	tear_down();
}
END_TEST

START_TEST(changes_and_their_preconditions)
{
	static const struct {
		const char *what, *method, *target, *type, *body;
		int status;
		const char *reason;
	} cases[] = {
	    {"merge", "PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'spec':{'a':2,'c':null}}", 200, ""},
	    {"old version", "PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'metadata':{'resourceVersion':'1'}}", 409,
	     "Conflict"},
	    {"other uid", "PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'metadata':{'uid':'x'}}", 422, "Invalid"},
	    {"test fails", "PATCH", WIDGETS "/w", KUBE_PATCH_JSON, "[{'op':'test','path':'/spec/a','value':7}]", 422,
	     "Invalid"},
	    {"test for null", "PATCH", WIDGETS "/w", KUBE_PATCH_JSON, "[{'op':'test','path':'/spec/z','value':null}]", 200,
	     ""},
	    {"no such parent", "PATCH", WIDGETS "/w", KUBE_PATCH_JSON, "[{'op':'add','path':'/x/y','value':1}]", 422,
	     "Invalid"},
	    {"remove nothing", "PATCH", WIDGETS "/w", KUBE_PATCH_JSON, "[{'op':'remove','path':'/spec/z'}]", 200, ""},
	    {"escapes", "PATCH", WIDGETS "/w", KUBE_PATCH_JSON, "[{'op':'add','path':'/spec/a~1b~0c','value':1}]", 200, ""},
	    {"strategic", "PATCH", WIDGETS "/w", KUBE_PATCH_STRATEGIC, "{}", 415, "UnsupportedMediaType"},
	    {"immutable", "PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'fixed':2}", 422, "Invalid"},
	    {"put without version", "PUT", WIDGETS "/w", NULL, "{'metadata':{'name':'w'}}", 422, "Invalid"},
	    {"gone", "PATCH", WIDGETS "/x", KUBE_PATCH_MERGE, "{}", 404, "NotFound"},
	};
	set_up();
	call("POST", WIDGETS, NULL, "{'metadata':{'name':'w'},'spec':{'a':1,'c':1},'fixed':1}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = call(cases[i].method, cases[i].target, cases[i].type, cases[i].body);
		ck_assert_msg(status == cases[i].status, "%s: %d", cases[i].what, status);
		ck_assert_msg(strcmp(told("reason"), cases[i].reason) == 0, "%s: %s", cases[i].what, told("reason"));
	}
	tear_down();
}
END_TEST

START_TEST(status_is_a_subresource_and_nothing_changes_for_nothing)
{
	set_up();
	call("POST", WIDGETS, NULL, "{'metadata':{'name':'w'},'spec':{'a':1}}");
	ck_assert_int_eq(call("PATCH", WIDGETS "/w/status", KUBE_PATCH_MERGE, "{'spec':{'a':9},'status':{'s':1}}"), 200);
	ck_assert_int_eq(kube_json_get(answer, "spec.a")->valueint, 1);
	ck_assert_int_eq(kube_json_get(answer, "status.s")->valueint, 1);
	ck_assert_int_eq(kube_json_get(answer, "metadata.generation")->valueint, 1);
	int64_t version = kube_sim_api_version(api);
	ck_assert_int_eq(call("PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'spec':{'a':1},'status':{'s':5}}"), 200);
	ck_assert_int_eq(kube_json_get(answer, "status.s")->valueint, 1);
	ck_assert_int_eq(kube_sim_api_version(api), version);
	call("PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'spec':{'a':3}}");
	ck_assert_int_eq(kube_json_get(answer, "metadata.generation")->valueint, 2);
	tear_down();
}
END_TEST

START_TEST(deletion_waits_for_finalizers_and_kubelets)
{
	set_up();
	call("POST", WIDGETS, NULL, "{'metadata':{'name':'w','finalizers':['a/b']}}");
	ck_assert_int_eq(call("DELETE", WIDGETS "/w", NULL, "{'preconditions':{'uid':'x'}}"), 409);
	ck_assert_int_eq(call("DELETE", WIDGETS "/w", NULL, NULL), 200);
	call("GET", WIDGETS "/w", NULL, NULL);
	ck_assert_str_ne(told("metadata.deletionTimestamp"), "");
	call("PATCH", WIDGETS "/w", KUBE_PATCH_JSON, "[{'op':'remove','path':'/metadata/finalizers/0'}]");
	ck_assert_ptr_null(kube_sim_api_get(api, &widgets, NULL, "w"));

	call("POST", PODS, NULL, "{'metadata':{'name':'p','finalizers':['a/b']},'spec':{'nodeName':'n1'}}");
	call("DELETE", PODS "/p", NULL, NULL);
	call("PATCH", PODS "/p", KUBE_PATCH_STRATEGIC, "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a/b']}}");
	ck_assert_ptr_nonnull(kube_sim_api_get(api, &kube_pods, "shop", "p")); /* its grace period holds it */
	call("DELETE", PODS "/p", NULL, "{'gracePeriodSeconds':0}");
	ck_assert_ptr_null(kube_sim_api_get(api, &kube_pods, "shop", "p"));

	call("POST", PODS, NULL, "{'metadata':{'name':'a','labels':{'x':'y'}}}");
	call("POST", PODS, NULL, "{'metadata':{'name':'b'}}");
	ck_assert_int_eq(call("DELETE", PODS "?labelSelector=x%3Dy", NULL, NULL), 200);
	ck_assert_uint_eq(kube_sim_api_count(api, &kube_pods), 1);
	tear_down();
}
END_TEST

static int evict(const char *pod)
{
	char target[128], body[128];
	snprintf(target, sizeof(target), PODS "/%s/eviction", pod);
	snprintf(body, sizeof(body), "{'metadata':{'name':'%s'}}", pod);
	return call("POST", target, NULL, body);
}

static void add_pod(const char *name, const char *phase, const char *ready)
{
	char text[256], target[128];
	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','labels':{'app':'x'}},'spec':{'nodeName':'n1'}}", name);
	call("POST", PODS, NULL, text);
	snprintf(target, sizeof(target), PODS "/%s/status", name);
	snprintf(text, sizeof(text), "{'status':{'phase':'%s','conditions':[{'type':'Ready','status':'%s'}]}}", phase,
	         ready);
	ck_assert_int_eq(call("PATCH", target, KUBE_PATCH_MERGE, text), 200);
}

START_TEST(evictions)
{
	set_up();
	add_pod("a", "Running", "True");
	add_pod("b", "Running", "True");
	add_pod("unready", "Running", "False");
	add_pod("pending", "Pending", "False");
	add_pod("over", "Succeeded", "False");
	call("POST", PDBS, NULL, "{'metadata':{'name':'x'},'spec':{'selector':{'matchLabels':{'app':'x'}}}}");
	ck_assert_int_eq(evict("a"), 429); /* its status is not there yet */
	ck_assert_int_eq(kube_json_get(answer, "details.retryAfterSeconds")->valueint, 10);
	call("PATCH", PDBS "/x/status", KUBE_PATCH_MERGE,
	     "{'status':{'observedGeneration':1,'disruptionsAllowed':1,'currentHealthy':1,'desiredHealthy':2}}");
	ck_assert_int_eq(evict("a"), 201);
	ck_assert_int_eq(evict("b"), 429);
	ck_assert_str_eq(cause(), "DisruptionBudget");
	ck_assert_int_eq(evict("unready"), 429); /* not even the others are enough */
	ck_assert_int_eq(evict("pending"), 201);
	ck_assert_int_eq(evict("over"), 201);
	ck_assert_int_eq(evict("none"), 404);
	call("PATCH", PDBS "/x/status", KUBE_PATCH_MERGE, "{'status':{'currentHealthy':2}}");
	ck_assert_int_eq(evict("unready"), 201);
	call("POST", PDBS, NULL, "{'metadata':{'name':'y'},'spec':{'selector':{'matchLabels':{'app':'x'}}}}");
	ck_assert_int_eq(evict("b"), 500);
	tear_down();
}
END_TEST

START_TEST(pages_are_one_state_until_it_is_compacted)
{
	char target[256];
	set_up();
	for (int i = 0; i < 5; i++) {
		snprintf(target, sizeof(target), "{'metadata':{'name':'w%d'}}", i);
		call("POST", WIDGETS, NULL, target);
	}
	call("GET", WIDGETS "?limit=2", NULL, NULL);
	ck_assert_int_eq(cJSON_GetArraySize(kube_json_get(answer, "items")), 2);
	snprintf(target, sizeof(target), WIDGETS "?limit=10&continue=%s", told("metadata.continue"));
	call("DELETE", WIDGETS "/w4", NULL, NULL);
	call("GET", target, NULL, NULL);
	ck_assert_int_eq(cJSON_GetArraySize(kube_json_get(answer, "items")), 3); /* w4 is still in this state */
	ck_assert_str_eq(told("metadata.continue"), "");
	kube_sim_api_compact(api);
	ck_assert_int_eq(call("GET", target, NULL, NULL), 410);
	ck_assert_str_eq(told("reason"), "Expired");
	ck_assert_int_eq(call("GET", WIDGETS "?resourceVersion=999999", NULL, NULL), 504);
	ck_assert_str_eq(cause(), "ResourceVersionTooLarge");
	tear_down();
}
END_TEST

START_TEST(names_and_selectors_are_checked)
{
	static const struct {
		const char *method, *target, *body;
		int status;
	} cases[] = {
	    {"POST", WIDGETS, "{'metadata':{'name':'Upper'}}", 422},
	    {"POST", WIDGETS, "{'metadata':{}}", 422},
	    {"POST", WIDGETS, "{'metadata':{'generateName':'g-'}}", 201},
	    {"POST", WIDGETS, "{'metadata':{'name':'l','labels':{'a b':'c'}}}", 422},
	    {"POST", WIDGETS, "{'metadata':{'name':'v','resourceVersion':'1'}}", 500},
	    {"POST", WIDGETS, "{'kind':'Gadget','apiVersion':'example.org/v1','metadata':{'name':'k'}}", 400},
	    {"POST", PODS, "{'metadata':{'name':'p','namespace':'other'}}", 400},
	    {"POST", WIDGETS "?dryRun=All", "{'metadata':{'name':'dry'}}", 201},
	    {"GET", WIDGETS "/dry", NULL, 404},
	    {"GET", WIDGETS "?labelSelector=a%20in%20b", NULL, 400},
	    {"GET", WIDGETS "?labelSelector=a%20in%20(b,c),!d", NULL, 200},
	    {"GET", WIDGETS "?fieldSelector=spec.a%3Db", NULL, 400},
	    {"GET", PODS "?fieldSelector=spec.nodeName%3Db", NULL, 200},
	    {"GET", WIDGETS "?resourceVersion=x", NULL, 400},
	    {"GET", WIDGETS "?resourceVersionMatch=Exact", NULL, 422},
	};
	set_up();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = call(cases[i].method, cases[i].target, NULL, cases[i].body);
		ck_assert_msg(status == cases[i].status, "%s %s %s: %d", cases[i].method, cases[i].target, cases[i].body,
		              status);
	}
	tear_down();
}
END_TEST

/* ---- watches, as a client of the transport sees them ---- */

static char heard[4096];

static int on_data(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	strncat(heard, bytes, len < sizeof(heard) - strlen(heard) - 1 ? len : 0);
	return 0;
}

static void on_done(void *arg, const struct kube_err *err)
{
	(void)arg;
	strcat(heard, err ? "BROKEN" : "END");
}

static void watch(const char *target)
{
	static const struct kube_exchange_handlers handlers = {.on_data = on_data, .on_done = on_done};
	struct kube_exchange *exchange;
	heard[0] = '\0';
	ck_assert_int_eq(kube_transport_send(kube_sim_transport(sim),
	                                     &(struct kube_request){.method = "GET", .target = target}, &handlers, NULL,
	                                     &exchange, NULL),
	                 0);
	kube_sim_run(sim, kube_env_mono_ms(kube_sim_env(sim)) + 1, 1000);
}

static void pass(int64_t ms)
{
	kube_sim_run(sim, kube_env_mono_ms(kube_sim_env(sim)) + ms, 1000);
}

START_TEST(discovery)
{
	set_up();
	ck_assert_int_eq(call("GET", "/apis/example.org/v1", NULL, NULL), 200);
	ck_assert_str_eq(told("kind"), "APIResourceList");
	ck_assert_str_eq(told("groupVersion"), "example.org/v1");
	const cJSON *resources = kube_json_get(answer, "resources");
	ck_assert_int_eq(cJSON_GetArraySize(resources), 1);
	ck_assert_str_eq(kube_json_str(resources->child, "name"), "widgets");
	ck_assert_str_eq(kube_json_str(resources->child, "kind"), "Widget");
	ck_assert(cJSON_IsFalse(kube_json_get(resources->child, "namespaced")));
	ck_assert_int_eq(call("GET", "/api/v1", NULL, NULL), 200);
	ck_assert_str_eq(told("groupVersion"), "v1");
	ck_assert_int_eq(call("GET", "/api/v2", NULL, NULL), 404);
	ck_assert_int_eq(call("GET", "/apis/example.org/v2", NULL, NULL), 404);
	ck_assert_int_eq(call("GET", "/apis/example.com/v1", NULL, NULL), 404);
	ck_assert_int_eq(call("GET", "/version/", NULL, NULL), 404);
	tear_down();
}
END_TEST

START_TEST(watches)
{
	char target[128];
	set_up();
	call("POST", WIDGETS, NULL, "{'metadata':{'name':'w','labels':{'a':'b'}}}");
	snprintf(target, sizeof(target),
	         WIDGETS "?watch=true&allowWatchBookmarks=true&timeoutSeconds=100&resourceVersion=%s",
	         told("metadata.resourceVersion"));
	call("PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'spec':{'a':1}}");
	watch(target);
	ck_assert_ptr_nonnull(strstr(heard, "\"MODIFIED\"")); /* what happened since */
	call("DELETE", WIDGETS "/w", NULL, NULL);
	pass(1);
	ck_assert_ptr_nonnull(strstr(heard, "\"DELETED\""));
	pass(61000);
	ck_assert_ptr_nonnull(strstr(heard, "\"BOOKMARK\""));
	pass(60000);
	ck_assert_ptr_nonnull(strstr(heard, "END"));
	kube_sim_api_compact(api);
	watch(target);
	ck_assert_ptr_nonnull(strstr(heard, "\"code\":410"));
	tear_down();
}
END_TEST

START_TEST(watches_with_a_selector_see_objects_come_and_go)
{
	set_up();
	watch(WIDGETS "?watch=true&labelSelector=a%3Db");
	call("POST", WIDGETS, NULL, "{'metadata':{'name':'w'}}");
	pass(1);
	ck_assert_str_eq(heard, "");
	call("PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'metadata':{'labels':{'a':'b'}}}");
	pass(1);
	ck_assert_ptr_nonnull(strstr(heard, "\"ADDED\""));
	call("PATCH", WIDGETS "/w", KUBE_PATCH_MERGE, "{'metadata':{'labels':{'a':'c'}}}");
	pass(1);
	ck_assert_ptr_nonnull(strstr(heard, "\"DELETED\""));
	tear_down();
}
END_TEST

START_TEST(half_open_watches_are_silent)
{
	set_up();
	watch(WIDGETS "?watch=true&timeoutSeconds=10");
	ck_assert_uint_eq(kube_sim_api_watch_count(api), 1);
	kube_sim_api_disturb(api, 0, KUBE_SIM_WATCH_STALL);
	call("POST", WIDGETS, NULL, "{'metadata':{'name':'w'}}");
	pass(20000);
	ck_assert_str_eq(heard, "");
	watch(WIDGETS "?watch=true");
	kube_sim_api_disturb(api, 0, KUBE_SIM_WATCH_BREAK);
	pass(1);
	ck_assert_ptr_nonnull(strstr(heard, "BROKEN"));
	tear_down();
}
END_TEST

/* ---- the cluster's controllers ---- */

START_TEST(an_evicted_pod_is_replaced_and_its_budget_follows)
{
	static const struct kube_sim_cluster_options options = {10, 10, 10, 10, 10, 10};
	set_up();
	struct kube_sim_cluster *cluster = kube_sim_cluster_new(api, &options);
	call("PATCH", NODES "/n1/status", KUBE_PATCH_MERGE, "{'status':{'conditions':[{'type':'Ready','status':'True'}]}}");
	call("POST", "/apis/apps/v1/namespaces/shop/replicasets", NULL,
	     "{'metadata':{'name':'x'},'spec':{'replicas':2,'template':{'metadata':{'labels':{'app':'x'}},'spec':{}}}}");
	call("POST", PDBS, NULL,
	     "{'metadata':{'name':'x'},'spec':{'maxUnavailable':1,'selector':{'matchLabels':{'app':'x'}}}}");
	pass(1000);
	ck_assert_uint_eq(kube_sim_api_count(api, &kube_pods), 2);
	call("GET", PDBS "/x", NULL, NULL);
	ck_assert_int_eq(kube_json_get(answer, "status.disruptionsAllowed")->valueint, 1);
	ck_assert_int_eq(evict("x-00001"), 201);
	ck_assert_int_eq(evict("x-00002"), 429);
	pass(1000);
	ck_assert_ptr_null(kube_sim_api_get(api, &kube_pods, "shop", "x-00001"));
	ck_assert_uint_eq(kube_sim_api_count(api, &kube_pods), 2);
	ck_assert_int_eq(evict("x-00002"), 201);
	call("DELETE", "/apis/apps/v1/namespaces/shop/replicasets/x", NULL, NULL);
	pass(1000);
	ck_assert_uint_eq(kube_sim_api_count(api, &kube_pods), 0); /* its owner is gone */
	kube_sim_cluster_free(cluster);
	tear_down();
}
END_TEST

START_TEST(owners_and_namespaces_take_along_what_is_theirs)
{
	static const struct kube_sim_cluster_options options = {10, 10, 10, 10, 10, 10};
	static const char *const policies[] = {"Background", "Foreground", "Orphan"};
	char text[256];
	set_up();
	struct kube_sim_cluster *cluster = kube_sim_cluster_new(api, &options);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(call("POST", WIDGETS, NULL, "{'metadata':{'name':'owner'}}"), 201);
		snprintf(text, sizeof(text),
		         "{'metadata':{'name':'p%zu','ownerReferences':[{'apiVersion':'example.org/"
		         "v1','kind':'Widget','name':'owner'"
		         ",'uid':'%s','blockOwnerDeletion':true}]}}",
		         i, told("metadata.uid"));
		ck_assert_int_eq(call("POST", PODS, NULL, text), 201);
		snprintf(text, sizeof(text), "{'propagationPolicy':'%s'}", policies[i]);
		ck_assert_int_eq(call("DELETE", WIDGETS "/owner", NULL, text), 200);
		ck_assert_int_eq(kube_sim_api_get(api, &widgets, NULL, "owner") != NULL,
		                 i > 0); /* it waits for the collector */
		pass(1000);
		ck_assert_ptr_null(kube_sim_api_get(api, &widgets, NULL, "owner"));
	}
	ck_assert_uint_eq(kube_sim_api_count(api, &kube_pods), 1);
	ck_assert_ptr_null(kube_json_get(kube_sim_api_get(api, &kube_pods, "shop", "p2"), "metadata.ownerReferences"));

	ck_assert_int_eq(call("DELETE", "/api/v1/namespaces/shop", NULL, NULL), 200);
	ck_assert_str_eq(told("status.phase"), "Terminating");
	ck_assert_int_eq(call("POST", PODS, NULL, "{'metadata':{'name':'late'}}"), 403);
	ck_assert_str_eq(cause(), "NamespaceTerminating");
	pass(1000);
	ck_assert_uint_eq(kube_sim_api_count(api, &kube_pods), 0);
	ck_assert_int_eq(call("GET", "/api/v1/namespaces/shop", NULL, NULL), 404);
	kube_sim_cluster_free(cluster);
	tear_down();
}
END_TEST

static void count_change(void *arg, const struct kube_sim_change *change)
{
	(void)change;
	++*(int *)arg;
}

/* One that was left out would be missed by nobody: for some time the simulation had no faults for that reason. */
START_TEST(all_sets_of_hooks_are_called)
{
	int counts[8] = {0};

	set_up();
	for (size_t i = 0; i < 8; i++)
		kube_sim_api_add_hooks(api, &(struct kube_sim_api_hooks){.changed = count_change, .arg = &counts[i]});
	ck_assert_int_eq(call("POST", PODS, NULL, "{'metadata':{'name':'p'}}"), 201);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(counts[i], 1);
	tear_down();
}
END_TEST

CHECK_MAIN("sim api", creation, changes_and_their_preconditions,
           status_is_a_subresource_and_nothing_changes_for_nothing, deletion_waits_for_finalizers_and_kubelets,
           evictions, discovery, names_and_selectors_are_checked, pages_are_one_state_until_it_is_compacted, watches,
           watches_with_a_selector_see_objects_come_and_go, half_open_watches_are_silent,
           an_evicted_pod_is_replaced_and_its_budget_follows, owners_and_namespaces_take_along_what_is_theirs,
           all_sets_of_hooks_are_called)
