/*
 * The simulated API server with a watch on it, and the cluster's own controllers: what they do later, by timers, is not
 * left undone for lack of memory either. They end the process; what a client is not told it knows of.
 */
#include "test/nomem/sweep.h"

#include <kube/client.h>
#include <kube/json.h>
#include <kube/sim_api.h>
#include <stdio.h>
#include <string.h>

#define START_MS INT64_C(1767225600000)
#define LAST_WORDS "simulated API server: out of memory"
#define HEAP 64 /* timers of a clock, with which its heap is full */
#define CONFIG_MAPS "/api/v1/namespaces/ns/configmaps"
#define PODS "/api/v1/namespaces/ns/pods"

struct world {
	struct kube_sim *sim;
	struct kube_sim_api *api;
	struct kube_timer others[HEAP];
};

static void never(struct kube_timer *timer, void *arg)
{
	(void)timer, (void)arg;
	ck_abort_msg("a timer of a day fires");
}

/* room: how many timers there may be before the heap has to grow. */
static void begin(struct world *world, size_t room)
{
	memset(world, 0, sizeof(*world));
	ck_assert_int_eq(kube_sim_new(1, START_MS, &world->sim, NULL), 0);
	world->api = kube_sim_api_new(world->sim);
	kube_sim_api_do(world->api, "POST", "/api/v1/namespaces", NULL, "{'metadata':{'name':'ns'}}");
	for (size_t i = 0; i < HEAP - room; i++)
		ck_assert_int_eq(
		    kube_timer_start(kube_sim_env(world->sim), &world->others[i], INT64_C(86400) * 1000, never, NULL), 0);
}

static void end(struct world *world)
{
	kube_sim_api_free(world->api);
	kube_sim_free(world->sim);
}

static void wait(const struct world *world, int64_t ms)
{
	kube_sim_run(world->sim, kube_env_mono_ms(kube_sim_env(world->sim)) + ms, 10000);
}

static int differs(const char *what, const char *is, const char *expected, struct kube_err *err)
{
	while (*is && *is == *expected) {
		is++;
		expected++;
	}
	fprintf(stderr, "%s: %.200s\ninstead of\n%.200s\n", what, is, expected);
	return kube_fail(err, KUBE_E_INVALID, "%s", what);
}

/* ---- a watch ---- */

struct heard {
	char text[4096];
	int heads, done, code;
};

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct heard *heard = arg;
	heard->heads += head->status == 200;
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct heard *heard = arg;
	if (strlen(heard->text) + len >= sizeof(heard->text))
		return KUBE_E_LIMIT;
	strncat(heard->text, bytes, len);
	return 0;
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct heard *heard = arg;
	heard->done++;
	heard->code = err ? err->code : 0;
}

/* What there is, what happens, a bookmark a minute later, and the end after a hundred seconds. */
static int open_watch(struct world *world, bool quiet, struct heard *heard)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	static const struct kube_request request = {.method = "GET",
	                                            .target = CONFIG_MAPS
	                                            "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&"
	                                            "resourceVersionMatch=NotOlderThan&timeoutSeconds=100",
	                                            .watch = true};
	struct kube_exchange *exchange = NULL;

	int rc = kube_transport_send(kube_sim_transport(world->sim), &request, &handlers, heard, &exchange, NULL);
	if (rc)
		return rc;
	wait(world, 1000);
	if (!quiet)
		kube_sim_api_do(world->api, "POST", CONFIG_MAPS, NULL, "{'metadata':{'name':'b'}}");
	kube_sim_api_do(world->api, "PATCH", CONFIG_MAPS "/a", KUBE_PATCH_MERGE, "{'data':{'c':'d'}}");
	wait(world, 70000);
	if (!quiet)
		kube_sim_api_do(world->api, "DELETE", CONFIG_MAPS "/a", NULL, "{}");
	wait(world, 100000);
	return 0;
}

struct watching {
	size_t room;
	bool quiet;
	char *expected;
};

/* Whoever is not told everything is told that. */
static int watch(void *arg, struct kube_err *err)
{
	struct watching *watching = arg;
	char **expected = &watching->expected;
	struct heard heard = {.heads = 0};
	struct world world;
	int code = 0;

	begin(&world, watching->room);
	kube_sim_api_do(world.api, "POST", CONFIG_MAPS, NULL, "{'metadata':{'name':'a'}}");
	sweep_begin();
	int rc = open_watch(&world, watching->quiet, &heard);
	sweep_end();
	if (!*expected)
		*expected = strdup(heard.text);
	if (rc ? heard.done : heard.done != 1)
		code = kube_fail(err, KUBE_E_INVALID, "%d ends", heard.done);
	else if (!rc && !heard.code && (heard.heads != 1 || strcmp(heard.text, *expected) != 0))
		code = differs("other events", heard.text, *expected, err);
	else if (strncmp(heard.text, *expected, strlen(heard.text)) != 0)
		code = differs("another beginning", heard.text, *expected, err);
	end(&world);
	return code;
}

static void sweep_watch(size_t room, bool quiet, const char *last)
{
	struct watching watching = {.room = room, .quiet = quiet};

	sweep_fatal("a watch", watch, &watching, LAST_WORDS);
	ck_assert_ptr_nonnull(strstr(watching.expected, "BOOKMARK"));
	ck_assert_ptr_nonnull(strstr(watching.expected, last));
	free(watching.expected);
}

/* The heap grows with a piece of the answer, with the timer of the bookmarks, and with that of the end. */
START_TEST(a_watch)
{
	sweep_watch(2, false, "DELETED");
	sweep_watch(4, true, "MODIFIED");
	sweep_watch(5, true, "MODIFIED");
}
END_TEST

/* ---- the cluster ---- */

static cJSON *everything(const struct kube_sim_api *api)
{
	static const struct kube_resource *const kinds[] = {&kube_namespaces, &kube_nodes, &kube_replica_sets, &kube_pods,
	                                                    &kube_pdbs};
	cJSON *all = cJSON_CreateArray();

	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++)
		for (size_t k = 0; k < kube_sim_api_count(api, kinds[i]); k++)
			cJSON_AddItemToArray(all, cJSON_Duplicate(kube_sim_api_at(api, kinds[i], k), true));
	return all;
}

static void add_workload(struct kube_sim_api *api)
{
	kube_sim_api_do(api, "POST", "/api/v1/nodes", NULL,
	                "{'metadata':{'name':'n'},'status':{'conditions':[{'type':'Ready','status':'True'}]}}");
	kube_sim_api_do(api, "PATCH", "/api/v1/nodes/n/status", KUBE_PATCH_MERGE,
	                "{'status':{'conditions':[{'type':'Ready','status':'True'}]}}");
	kube_sim_api_do(api, "POST", "/apis/policy/v1/namespaces/ns/poddisruptionbudgets", NULL,
	                "{'metadata':{'name':'b'},'spec':{'maxUnavailable':1,'selector':{'matchLabels':{'app':'w'}}}}");
	kube_sim_api_do(api, "POST", "/apis/apps/v1/namespaces/ns/replicasets", NULL,
	                "{'metadata':{'name':'w'},'spec':{'replicas':1,'selector':{'matchLabels':{'app':'w'}},'template':{"
	                "'metadata':{'labels':{'app':'w'}},'spec':{'containers':[{'name':'c'}]}}}}");
}

struct scene {
	void (*before)(struct world *world); /* with memory */
	void (*act)(struct world *world);
	char *expected;
};

/* A pod is made, bound and started; it is counted. */
static void start(struct world *world)
{
	add_workload(world->api);
	wait(world, 60000);
}

/* Up to the moment at which the pod is gone. */
static void evict(struct world *world)
{
	char name[128], target[256];

	snprintf(name, sizeof(name), "%s", kube_json_str(kube_sim_api_at(world->api, &kube_pods, 0), "metadata.name"));
	snprintf(target, sizeof(target), PODS "/%s/eviction", name);
	kube_sim_api_do(world->api, "POST", target, NULL, "{'metadata':{'name':'%s'}}", name);
	while (kube_sim_api_get(world->api, &kube_pods, "ns", name))
		kube_sim_step(world->sim);
}

static void start_and_evict(struct world *world)
{
	start(world);
	evict(world);
}

/* Another one takes its place. */
static void replace(struct world *world)
{
	wait(world, 60000);
}

/* The set goes, and what is its own; and then all. */
static void collect(struct world *world)
{
	kube_sim_api_do(world->api, "DELETE", "/apis/apps/v1/namespaces/ns/replicasets/w", NULL, "{}");
	wait(world, 60000);
	kube_sim_api_do(world->api, "DELETE", "/api/v1/namespaces/ns", NULL, "{}");
	wait(world, 60000);
}

static int play(void *arg, struct kube_err *err)
{
	static const struct kube_sim_cluster_options options = {500, 500, 500, 500, 500, 500};
	struct scene *scene = arg;
	struct world world;

	begin(&world, 2);
	struct kube_sim_cluster *cluster = kube_sim_cluster_new(world.api, &options);
	scene->before(&world);
	sweep_begin();
	scene->act(&world);
	sweep_end();
	cJSON *all = everything(world.api);
	char *text = cJSON_PrintUnformatted(all);
	if (!scene->expected)
		scene->expected = strdup(text);
	int code = strcmp(text, scene->expected) == 0 ? 0 : differs("another cluster", text, scene->expected, err);
	free(text);
	cJSON_Delete(all);
	kube_sim_cluster_free(cluster);
	end(&world);
	return code;
}

static void sweep_scene(const char *name, struct scene scene)
{
	sweep_fatal(name, play, &scene, LAST_WORDS);
	free(scene.expected);
}

START_TEST(a_pod_is_evicted)
{
	sweep_scene("a pod is evicted", (struct scene){start, evict, NULL});
}
END_TEST

START_TEST(another_takes_its_place)
{
	sweep_scene("another takes its place", (struct scene){start_and_evict, replace, NULL});
}
END_TEST

START_TEST(what_is_owned_goes)
{
	sweep_scene("what is owned goes", (struct scene){start, collect, NULL});
}
END_TEST

CHECK_MAIN("allocation failures: watches and actors", a_watch, a_pod_is_evicted, another_takes_its_place,
           what_is_owned_goes)
