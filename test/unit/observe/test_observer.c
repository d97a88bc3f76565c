/* Gates that are asked on the virtual clock: each type, each way to fail, and what is kept. */
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include "controller/model/pod.h"
#include "controller/observe/observer.h"

#include <kube/sim.h>
#include <stdio.h>

#define START INT64_C(1767225600000)
#define MAX_ROUTES 4

struct route {
	const char *target;
	int status;
	const char *body; /* ' for "; NULL: it never answers */
};

static struct {
	struct kube_sim *sim;
	struct kube_client *client;
	struct kube_store *pods;
	struct fetcher fetcher;
	struct observer *observer;
	const struct route *routes;
	size_t requests, again;
	char method[16], target[512], body[1024], key[64];
	int64_t delay_ms;
} t;

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	(void)arg;
	t.requests++;
	snprintf(t.method, sizeof(t.method), "%s", request->method);
	snprintf(t.target, sizeof(t.target), "%s", request->target);
	snprintf(t.body, sizeof(t.body), "%s", request->body ? (const char *)request->body : "");
	for (size_t i = 0; i < MAX_ROUTES && t.routes[i].target; i++) {
		if (strcmp(t.routes[i].target, request->target) != 0)
			continue;
		if (t.routes[i].body) {
			_cleanup_json_ cJSON *json = json_of(t.routes[i].body);
			_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
			kube_sim_reply_json(sim, exchange, 100, t.routes[i].status, text);
		}
		return;
	}
	kube_sim_reply_json(sim, exchange, 100, 404, "{}");
}

static void again(void *arg, const char *key, int64_t delay_ms)
{
	(void)arg;
	t.again++;
	t.delay_ms = delay_ms;
	snprintf(t.key, sizeof(t.key), "%s", key);
}

static void open_test(const struct route *routes)
{
	memset(&t, 0, sizeof(t));
	t.routes = routes;
	ck_assert_int_eq(kube_sim_new(1, START, &t.sim, NULL), 0);
	kube_sim_serve(t.sim, serve, NULL);
	ck_assert_int_eq(kube_client_new(kube_sim_env(t.sim), kube_sim_transport(t.sim), &t.client, NULL), 0);
	ck_assert_int_eq(kube_store_new(100, &t.pods, NULL), 0);
	t.fetcher =
	    (struct fetcher){.client = t.client, .outgoing = kube_sim_transport(t.sim), .namespace_ = "patchwright-system"};
	const struct observer_options options = {.fetcher = &t.fetcher, .pods = t.pods, .again = again};
	ck_assert_int_eq(observer_new(&options, &t.observer, NULL), 0);
}

static void close_test(void)
{
	observer_free(t.observer);
	kube_store_free(t.pods);
	kube_client_free(t.client);
	kube_sim_free(t.sim);
}

static void ask(const char *owner, const struct gate_spec *gate, const char *query)
{
	const struct question question = {.gate = gate, .query = query};
	observer_ask(t.observer, owner, "rollout/r", &question);
}

static void check_fact(const char *owner, const char *gate, int verdict, const char *says)
{
	struct gate_fact fact = observer_fact(t.observer, owner, gate);
	ck_assert_msg(fact.verdict == verdict, "%s, \"%s\"", gate_verdict_names[fact.verdict], fact.message);
	ck_assert_msg(strstr(fact.message, says) != NULL, "\"%s\" does not say: %s", fact.message, says);
}

static struct gate_spec gate_new(enum gate_type type)
{
	return (struct gate_spec){.name = "g",
	                          .type = type,
	                          .prometheus = {.address = "https://p:9090/x/", .query = "q", .max = "0"},
	                          .http = {.url = "https://h/ok", .status = 200},
	                          .pods = {.namespace_ = "shop", .min_ready = {true, true, 100}},
	                          .resource = {.api_version = "g/v1",
	                                       .kind = "Thing",
	                                       .namespace_ = "n",
	                                       .name = "a",
	                                       .condition = "Ready",
	                                       .status = "True"},
	                          .timeout_ms = 5000,
	                          .interval_ms = 30000};
}

#define ZERO "{'status':'success','data':{'resultType':'scalar','result':[1,'0']}}"

START_TEST(prometheus)
{
	static const struct route routes[MAX_ROUTES] = {{"https://p:9090/x/api/v1/query", 200, ZERO}};
	open_test(routes);
	struct gate_spec gate = gate_new(GATE_PROMETHEUS);
	check_fact("uid", "g", GATE_UNKNOWN, "");
	ask("uid", &gate, "a{n!~\"x\"} + b&c");
	memset(&gate, 0xff, sizeof(gate)); /* whose it was may be gone */
	check_fact("uid", "g", GATE_UNKNOWN, "");
	ck_assert_uint_eq(t.again, 0);
	kube_sim_run(t.sim, 60000, 1000);
	check_fact("uid", "g", GATE_OPEN, "the value is 0");
	ck_assert_int_eq(observer_fact(t.observer, "uid", "g").at_ms, START); /* when it was asked, not when it came */
	check_fact("other", "g", GATE_UNKNOWN, "");
	ck_assert_uint_eq(t.again, 1);
	ck_assert_str_eq(t.key, "rollout/r");
	ck_assert_str_eq(t.method, "POST");
	ck_assert_str_eq(t.body, "query=a%7Bn%21~%22x%22%7D%20%2B%20b%26c&timeout=5000ms");
	close_test();
}
END_TEST

START_TEST(too_slow)
{
	static const struct route routes[MAX_ROUTES] = {{"https://h/ok", 200, NULL}};
	open_test(routes);
	const struct gate_spec gate = gate_new(GATE_HTTP);
	ask("uid", &gate, NULL);
	kube_sim_run(t.sim, 4999, 1000);
	check_fact("uid", "g", GATE_UNKNOWN, "");
	kube_sim_run(t.sim, 5001, 1000);
	check_fact("uid", "g", GATE_ERROR, "");
	close_test();
}
END_TEST

/* One question at a time; the answer that there is stays until the next one. */
START_TEST(one_at_a_time)
{
	static const struct route yes[MAX_ROUTES] = {{"https://h/ok", 200, "{}"}},
	                          no[MAX_ROUTES] = {{"https://h/ok", 503, "{}"}};
	open_test(yes);
	const struct gate_spec gate = gate_new(GATE_HTTP);
	for (int i = 0; i < 5; i++)
		ask("uid", &gate, NULL);
	kube_sim_run(t.sim, 1000, 1000);
	ck_assert_uint_eq(t.requests, 1);
	check_fact("uid", "g", GATE_OPEN, "answers 200");
	t.routes = no;
	ask("uid", &gate, NULL);
	check_fact("uid", "g", GATE_OPEN, "answers 200");
	kube_sim_run(t.sim, 2000, 1000);
	check_fact("uid", "g", GATE_CLOSED, "answers 503");
	ck_assert_int_eq(observer_fact(t.observer, "uid", "g").at_ms, START + 1000);
	ck_assert_uint_eq(t.again, 2);
	close_test();
}
END_TEST

static void add_pod(const char *namespace_, const char *name, const char *app, const char *phase, const char *ready,
                    const char *more)
{
	char text[512];
	snprintf(text, sizeof(text),
	         "{'metadata':{'namespace':'%s','name':'%s','uid':'%s','labels':{'app':'%s'}%s},'spec':{'nodeName':'n'},'"
	         "status':"
	         "{'phase':'%s','conditions':[{'type':'Ready','status':'%s'}]}}",
	         namespace_, name, name, app, more, phase, ready);
	ck_assert_int_eq(kube_store_put(t.pods, object_of(&pod_projection, text), NULL), 0);
}

START_TEST(pods)
{
	static const struct route routes[MAX_ROUTES] = {0};
	struct kube_str_pair label = {"app", "cart"};
	open_test(routes);
	struct gate_spec gate = gate_new(GATE_PODS);
	gate.pods.selector.match_labels = (struct kube_strmap){&label, 1};
	ask("uid", &gate, NULL);
	check_fact("uid", "g", GATE_ERROR, "no pod of the namespace shop");
	add_pod("shop", "a", "cart", "Running", "True", "");
	add_pod("shop", "b", "other", "Running", "False", "");
	add_pod("else", "c", "cart", "Running", "False", "");
	add_pod("shop", "d", "cart", "Succeeded", "False", "");
	ask("uid", &gate, NULL);
	check_fact("uid", "g", GATE_OPEN, "1 of 1 pods");
	add_pod("shop", "e", "cart", "Pending", "False", "");
	ask("uid", &gate, NULL);
	check_fact("uid", "g", GATE_CLOSED, "1 of 2 pods");
	kube_store_remove(t.pods, "shop/e");
	add_pod("shop", "f", "cart", "Running", "True", ",'deletionTimestamp':'2026-01-01T00:00:00Z'");
	ask("uid", &gate, NULL);
	check_fact("uid", "g", GATE_CLOSED, "1 of 2 pods");
	ck_assert_uint_eq(t.requests, 0);
	close_test();
}
END_TEST

#define KINDS \
	"{'resources':[{'name':'things/status','kind':'Thing','namespaced':false},{'name':'things','kind':'Thing'," \
	"'namespaced':true},{'name':'wides','kind':'Wide','namespaced':false}]}"
#define READY(status) "{'status':{'conditions':[{'type':'Ready','status':'" status "'}]}}"
#define OBJECT "/apis/g/v1/namespaces/n/things/a"

static const struct {
	struct route routes[MAX_ROUTES];
	const char *kind, *namespace_;
	int verdict;
	const char *says;
} resources[] = {
    {{{"/apis/g/v1", 200, KINDS}, {OBJECT, 200, READY("True")}}, "Thing", "n", GATE_OPEN, "is True"},
    {{{"/apis/g/v1", 200, KINDS}, {OBJECT, 200, READY("False")}}, "Thing", "n", GATE_CLOSED, "is not True"},
    {{{"/apis/g/v1", 200, KINDS}, {OBJECT, 200, "{}"}}, "Thing", "n", GATE_ERROR, "has no condition Ready"},
    {{{"/apis/g/v1", 200, KINDS}}, "Thing", "n", GATE_ERROR, "Thing a does not exist"},
    {{{"/apis/g/v1", 200, KINDS}, {OBJECT, 403, "{}"}},
     "Thing",
     "n",
     GATE_ERROR,
     "grant it the verb get on things in \"g\""},
    {{{"/apis/g/v1", 200, KINDS}, {OBJECT, 500, "{}"}}, "Thing", "n", GATE_ERROR, ""},
    {{{"/apis/g/v1", 200, KINDS}}, "Thing", NULL, GATE_ERROR, "Thing is in namespaces: give resource.namespace"},
    {{{"/apis/g/v1", 200, KINDS}}, "Wide", "n", GATE_ERROR, "Wide is of the cluster: remove resource.namespace"},
    {{{"/apis/g/v1", 200, KINDS}, {"/apis/g/v1/wides/a", 200, READY("True")}}, "Wide", NULL, GATE_OPEN, ""},
    {{{"/apis/g/v1", 200, KINDS}}, "Other", "n", GATE_ERROR, "no kind Other in g/v1"},
    {{{"/apis/g/v1", 404, "{}"}}, "Thing", "n", GATE_ERROR, "no kind Thing in g/v1"},
    {{{"/apis/g/v1", 500, "{}"}}, "Thing", "n", GATE_ERROR, ""},
    {{{"/apis/g/v1", 200, NULL}}, "Thing", "n", GATE_ERROR, ""},
    {{{"/apis/g/v1", 200, KINDS}, {OBJECT, 200, NULL}}, "Thing", "n", GATE_ERROR, ""},
};

START_TEST(conditions_of_objects)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(resources); i++) {
		open_test(resources[i].routes);
		struct gate_spec gate = gate_new(GATE_RESOURCE);
		gate.resource.kind = resources[i].kind;
		gate.resource.namespace_ = resources[i].namespace_;
		ask("uid", &gate, NULL);
		kube_sim_run(t.sim, 60000, 1000);
		ck_assert_msg(t.again == 1, "row %zu", i);
		check_fact("uid", "g", resources[i].verdict, resources[i].says);
		close_test();
	}
}
END_TEST

/* No more than so many at the same time; who comes too late is to come again. */
START_TEST(bounded)
{
	static const struct route routes[MAX_ROUTES] = {{"https://h/ok", 200, NULL}};
	char owner[32];
	open_test(routes);
	const struct gate_spec gate = gate_new(GATE_HTTP);
	for (int i = 0; i < OBSERVER_MAX_ASKING; i++) {
		snprintf(owner, sizeof(owner), "u%d", i);
		ask(owner, &gate, NULL);
	}
	ck_assert_uint_eq(t.again, 0);
	ask("one-more", &gate, NULL);
	ck_assert_uint_eq(t.again, 1);
	ck_assert_int_eq(t.delay_ms, OBSERVER_BUSY_MS);
	kube_sim_run(t.sim, 6000, 10000);
	ck_assert_uint_eq(t.requests, OBSERVER_MAX_ASKING);
	ask("one-more", &gate, NULL);
	kube_sim_run(t.sim, 12000, 10000);
	check_fact("one-more", "g", GATE_ERROR, "");
	close_test();
}
END_TEST

START_TEST(the_oldest_goes)
{
	static const struct route routes[MAX_ROUTES] = {{"https://h/ok", 200, "{}"}};
	char owner[32];
	open_test(routes);
	const struct gate_spec gate = gate_new(GATE_HTTP);
	for (int i = 0; i <= OBSERVER_MAX_FACTS; i++) {
		snprintf(owner, sizeof(owner), "u%d", i);
		ask(owner, &gate, NULL);
		kube_sim_run(t.sim, (i + 1) * 200, 1000);
	}
	check_fact("u0", "g", GATE_UNKNOWN, "");
	check_fact("u1", "g", GATE_OPEN, "");
	close_test();
}
END_TEST

START_TEST(dropped_and_freed_while_asked)
{
	static const struct route routes[MAX_ROUTES] = {{"https://h/ok", 200, "{}"}, {"/apis/g/v1", 200, KINDS}};
	open_test(routes);
	const struct gate_spec http = gate_new(GATE_HTTP);
	struct gate_spec resource = gate_new(GATE_RESOURCE);
	resource.name = "r";
	ask("uid", &http, NULL);
	ask("uid", &resource, NULL);
	ask("uid-2", &http, NULL);
	observer_drop(t.observer, "uid");
	kube_sim_run(t.sim, 1000, 1000);
	check_fact("uid", "g", GATE_UNKNOWN, "");
	check_fact("uid-2", "g", GATE_OPEN, "");
	ck_assert_uint_eq(t.again, 1);
	ask("uid", &http, NULL);
	ask("uid", &resource, NULL);
	close_test();
}
END_TEST

CHECK_MAIN("observer", prometheus, too_slow, one_at_a_time, pods, conditions_of_objects, bounded, the_oldest_goes,
           dropped_and_freed_while_asked)
