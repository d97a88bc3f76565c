/* Leader election, events and metrics: none of them stops for good because memory was short for a moment. */
#include "test/nomem/scene.h"

#include <kube/elector.h>
#include <kube/events.h>
#include <kube/json.h>
#include <kube/metrics.h>
#include <string.h>

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/ns/leases"

/* ---- leader election ---- */

struct told {
	int started, lost;
};

static void on_started(void *arg)
{
	((struct told *)arg)->started++;
}

static void on_lost(void *arg, const struct kube_err *err)
{
	(void)err;
	((struct told *)arg)->lost++;
}

static const char *holder(const struct scene *scene)
{
	const cJSON *lease = kube_sim_api_get(scene->api, &kube_leases, "ns", "l");
	const char *identity = kube_json_str(lease, "spec.holderIdentity");

	return identity ? identity : "(none)";
}

static struct kube_elector_options options_of(struct scene *scene, struct told *told)
{
	return (struct kube_elector_options){.client = scene->client,
	                                     .namespace_ = "ns",
	                                     .name = "l",
	                                     .identity = "me",
	                                     .on_started = on_started,
	                                     .on_lost = on_lost,
	                                     .arg = told};
}

static int make(void *arg, struct kube_err *err)
{
	struct kube_elector *elector = NULL;
	struct told told = {.started = 0};
	struct scene scene;

	(void)arg;
	scene_init(&scene);
	const struct kube_elector_options options = options_of(&scene, &told);
	sweep_begin();
	int code = kube_elector_new(&options, &elector, err);
	sweep_end();
	kube_elector_free(elector);
	scene_finish(&scene);
	return code;
}

START_TEST(making)
{
	sweep("an elector", make, NULL);
}
END_TEST

/* An elector that has not been started, and what it needs. */
struct bench {
	struct scene scene;
	struct told told;
	struct kube_elector *elector;
};

/* lease: the one that is there already; NULL: none. */
static void set_up(struct bench *bench, const char *lease)
{
	bench->told = (struct told){.started = 0};
	scene_init(&bench->scene);
	scene_do(&bench->scene, "POST", "/api/v1/namespaces", "{'metadata':{'name':'ns'}}");
	if (lease)
		scene_do(&bench->scene, "POST", LEASES, lease);
	const struct kube_elector_options options = options_of(&bench->scene, &bench->told);
	ck_assert_int_eq(kube_elector_new(&options, &bench->elector, NULL), 0);
}

static void tear_down(struct bench *bench)
{
	kube_elector_free(bench->elector);
	scene_finish(&bench->scene);
}

/* It gets the lease, renews it, is asked to look whether it still has it, and gives it back. */
static int lead(void *arg, struct kube_err *err)
{
	struct bench bench;

	(void)arg, (void)err;
	set_up(&bench, NULL);
	sweep_begin();
	kube_elector_start(bench.elector);
	scene_run(&bench.scene, 2100);
	kube_elector_verify(bench.elector);
	scene_run(&bench.scene, 2100);
	sweep_end();
	scene_run(&bench.scene, 10000);
	ck_assert_int_eq(bench.told.started, 1);
	ck_assert_int_eq(bench.told.lost, 0);
	ck_assert(kube_elector_held(bench.elector));
	ck_assert_str_eq(holder(&bench.scene), "me");
	tear_down(&bench);
	return 0;
}

START_TEST(leading)
{
	sweep_survived("leading", lead, NULL);
}
END_TEST

/* Another one holds the lease, and then no longer. */
static int follow(void *arg, struct kube_err *err)
{
	struct bench bench;

	(void)arg, (void)err;
	set_up(&bench, "{'metadata':{'name':'l'},'spec':{'holderIdentity':'another','leaseDurationSeconds':4}}");
	sweep_begin();
	kube_elector_start(bench.elector);
	scene_run(&bench.scene, 3900);
	int early = bench.told.started;
	scene_run(&bench.scene, 5000);
	sweep_end();
	scene_run(&bench.scene, 15000);
	ck_assert_int_eq(early, 0);
	ck_assert_int_eq(bench.told.started, 1);
	ck_assert_str_eq(holder(&bench.scene), "me");
	tear_down(&bench);
	return 0;
}

START_TEST(following)
{
	sweep_survived("following", follow, NULL);
}
END_TEST

/* Without memory for the request the lease runs out by itself; either way it ends. */
static int release(void *arg, struct kube_err *err)
{
	struct bench bench;

	(void)arg, (void)err;
	set_up(&bench, NULL);
	kube_elector_start(bench.elector);
	scene_run(&bench.scene, 1000);
	ck_assert(kube_elector_held(bench.elector));
	sweep_begin();
	kube_elector_release(bench.elector);
	scene_run(&bench.scene, 20000);
	sweep_end();
	ck_assert(kube_elector_ended(bench.elector) && !kube_elector_held(bench.elector));
	tear_down(&bench);
	return 0;
}

START_TEST(releasing)
{
	sweep_survived("releasing", release, NULL);
}
END_TEST

/* ---- events ---- */

static void emit(struct kube_events *events, const char *reason)
{
	const struct kube_event event = {
	    .regarding = {.resource = &kube_pods, .namespace_ = "ns", .name = "p", .uid = "u"},
	    .reason = reason,
	    .action = "Doing",
	    .note = "a note",
	};

	kube_events_emit(events, &event);
}

/* Two events, of which the first becomes a series. Each is on the server or counted as dropped, and later ones work. */
static int record(void *arg, struct kube_err *err)
{
	struct kube_events *events = NULL;
	struct scene scene;

	(void)arg;
	scene_init(&scene);
	scene_do(&scene, "POST", "/api/v1/namespaces", "{'metadata':{'name':'ns'}}");
	sweep_begin();
	int code = kube_events_new(scene.client, "controller", "instance", &events, err);
	if (!code) {
		emit(events, "First");
		scene_run(&scene, 1000);
		emit(events, "First");
		emit(events, "Second");
		scene_run(&scene, 60000);
	}
	sweep_end();
	if (!code) {
		scene_run(&scene, 600000);
		ck_assert(kube_events_idle(events));
		size_t there = kube_sim_api_count(scene.api, &kube_events);
		ck_assert_uint_ge(there + kube_events_dropped(events), 2);
		emit(events, "Third");
		scene_run(&scene, 1000);
		ck_assert_uint_eq(kube_sim_api_count(scene.api, &kube_events), there + 1);
	}
	kube_events_free(events);
	scene_finish(&scene);
	return code;
}

START_TEST(recording)
{
	sweep("events", record, NULL);
}
END_TEST

/* ---- metrics ---- */

/* A family or a series that there is no memory for is left out; what is written is whole lines. */
static int measure(void *arg, struct kube_err *err)
{
	static const double bounds[] = {0.1, 1};
	struct kube_metrics *metrics = NULL;
	struct kube_buf out = {0};

	(void)arg;
	kube_buf_init(&out, 1 << 20);
	sweep_begin();
	int code = kube_metrics_new(&metrics, err);
	if (!code) {
		struct kube_family *count = kube_metrics_family(metrics, KUBE_COUNTER, "n", "N.", "a,b", NULL, 0);
		struct kube_family *time = kube_metrics_family(metrics, KUBE_HISTOGRAM, "t", "T.", "", bounds, 2);
		kube_metric_add(count, 1, "x", "y", NULL);
		kube_metric_add(count, 1, "x", "z", NULL);
		kube_metric_observe(time, 0.5, NULL);
		code = kube_metrics_write(metrics, &out);
		if (code)
			kube_fail(err, code, "no text");
	}
	sweep_end();
	if (!code)
		ck_assert(out.len > 0 && out.data[out.len - 1] == '\n');
	kube_metrics_free(metrics);
	kube_buf_finish(&out);
	return code;
}

START_TEST(measuring)
{
	sweep("metrics", measure, NULL);
}
END_TEST

CHECK_MAIN("allocation failures: runtime", making, leading, following, releasing, recording, measuring)
