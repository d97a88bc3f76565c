/* A controller of one kind loses no object because memory was short for a moment. */
#include "test/nomem/scene.h"

#include <kube/controller.h>
#include <kube/json.h>
#include <string.h>

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	(void)item, (void)self, (void)arena, (void)err;
	return 0;
}

static const struct kube_projection projection = {
    .resource = &kube_nodes, .size = sizeof(struct kube_object), .decode = decode};

struct told {
	struct kube_controller *controller;
	int ended, code;
	bool fail;          /* each reconciliation, once */
	char newest[2][64]; /* versions of the nodes a and b that were reconciled last */
	bool failed[2];
};

static void reconcile(void *arg, const char *key, const struct kube_object *object)
{
	struct told *told = arg;
	int which = key[0] - 'a';
	bool fail = told->fail && !told->failed[which];

	told->failed[which] |= fail;
	if (object && !fail)
		strcpy(told->newest[which], object->resource_version);
	kube_controller_done(told->controller, key, fail ? KUBE_FAILED : KUBE_SUCCEEDED, 0);
}

static void on_end(void *arg, const struct kube_err *err)
{
	struct told *told = arg;

	told->ended++;
	told->code = err ? err->code : 0;
}

static struct kube_controller_options options_of(struct scene *scene, struct told *told)
{
	return (struct kube_controller_options){.client = scene->client,
	                                        .projection = &projection,
	                                        .lease_namespace = "ns",
	                                        .lease_name = "l",
	                                        .identity = "me",
	                                        .reconcile = reconcile,
	                                        .on_end = on_end,
	                                        .arg = told};
}

static int make(void *arg, struct kube_err *err)
{
	struct told told = {.ended = 0};
	struct scene scene;

	(void)arg;
	scene_init(&scene);
	const struct kube_controller_options options = options_of(&scene, &told);
	sweep_begin();
	int code = kube_controller_new(&options, &told.controller, err);
	sweep_end();
	kube_controller_free(told.controller);
	scene_finish(&scene);
	return code;
}

START_TEST(making)
{
	sweep("a controller", make, NULL);
}
END_TEST

static void check_seen(const struct scene *scene, const struct told *told, int which, const char *name)
{
	const cJSON *node = kube_sim_api_get(scene->api, &kube_nodes, NULL, name);

	ck_assert_str_eq(told->newest[which], kube_json_str(node, "metadata.resourceVersion"));
}

/* Its first list, a failure, a change, and the end. Without a lease, whose failures have tests of their own. */
static int work(void *arg, struct kube_err *err)
{
	struct told told = {.fail = true};
	struct scene scene;

	(void)arg;
	scene_init(&scene);
	scene_do(&scene, "POST", "/api/v1/nodes", "{'metadata':{'name':'a'}}");
	struct kube_controller_options options = options_of(&scene, &told);
	options.lease_name = NULL;
	ck_assert_int_eq(kube_controller_new(&options, &told.controller, err), 0);
	sweep_begin();
	kube_controller_start(told.controller);
	scene_run(&scene, 10000);
	sweep_end();
	scene_do(&scene, "POST", "/api/v1/nodes", "{'metadata':{'name':'b'}}");
	sweep_begin();
	scene_run(&scene, 10000);
	sweep_end();
	scene_run(&scene, 60000);
	check_seen(&scene, &told, 0, "a");
	check_seen(&scene, &told, 1, "b");
	kube_controller_stop(told.controller);
	scene_run(&scene, 60000);
	ck_assert_int_eq(told.ended, 1);
	ck_assert_int_eq(told.code, 0);
	kube_controller_free(told.controller);
	scene_finish(&scene);
	return 0;
}

START_TEST(working)
{
	sweep_survived("a controller", work, NULL);
}
END_TEST

CHECK_MAIN("allocation failures: controller", making, working)
