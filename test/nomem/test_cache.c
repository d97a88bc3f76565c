/* Work queue, store and pending writes; and a reflector, which must end up with what the server has. */
#include "test/nomem/scene.h"
#include "test/unit/runtime/thing.h"

#include <kube/pending.h>
#include <kube/queue.h>
#include <kube/reflector.h>

/* ---- queue ---- */

struct worked {
	struct kube_queue *queue;
	int times[4]; /* by the key's first letter */
};

/* Each key fails once, and is added once more while it is worked on. */
static void work(void *arg, const char *key)
{
	struct worked *worked = arg;
	int times = ++worked->times[key[0] - 'a'];

	if (times == 1 && kube_queue_add_rate_limited(worked->queue, key) != 0)
		worked->times[key[0] - 'a'] = 100;
	else
		kube_queue_forget(worked->queue, key);
	kube_queue_done(worked->queue, key);
}

static int use_queue(void *arg, struct kube_err *err)
{
	static const char *const keys[] = {"a", "b", "c", "d"};
	struct worked worked = {.queue = NULL};
	bool added[4] = {false};
	struct scene scene;

	(void)arg;
	scene_init(&scene);
	sweep_begin();
	int code = kube_queue_new(&scene.env, work, &worked, &worked.queue, err);
	for (int i = 0; !code && i < 4; i++) {
		int rc = i % 2 ? kube_queue_add_after(worked.queue, keys[i], 50) : kube_queue_add(worked.queue, keys[i]);
		added[i] = rc == 0;
		code = rc ? kube_fail(err, rc, "key %s", keys[i]) : code;
	}
	scene_run(&scene, 10000);
	sweep_end();
	scene_run(&scene, 10000);
	for (int i = 0; worked.queue && i < 4; i++) { /* what was taken is worked on, and what was not is not */
		ck_assert_int_eq(worked.times[i] > 0, added[i]);
		code = worked.times[i] >= 100 ? kube_fail(err, KUBE_E_NOMEM, "key %s again", keys[i]) : code;
	}
	ck_assert(!worked.queue || kube_queue_idle(worked.queue));
	kube_queue_free(worked.queue);
	scene_finish(&scene);
	return code;
}

START_TEST(a_queue)
{
	sweep("queue", use_queue, NULL);
}
END_TEST

/* A key that is added while it is worked on comes again, whatever is short at the end of the work. */
struct again {
	struct kube_queue *queue;
	int times;
};

static void work_again(void *arg, const char *key)
{
	struct again *again = arg;

	if (++again->times == 1)
		kube_queue_add(again->queue, key); /* it is there: nothing is needed for it */
}

static int use_queue_again(void *arg, struct kube_err *err)
{
	struct again again = {.times = 0};
	struct kube_timer others[200] = {0};
	struct scene scene;

	(void)arg;
	(void)err;
	scene_init(&scene);
	ck_assert_int_eq(kube_queue_new(&scene.env, work_again, &again, &again.queue, NULL), 0);
	ck_assert_int_eq(kube_queue_add(again.queue, "a"), 0);
	scene_run(&scene, 1000);
	ck_assert_int_eq(again.times, 1);
	/* Every place for a timer is taken meanwhile. */
	sweep_begin();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(others); i++)
		if (kube_timer_start(&scene.env, &others[i], 1000000, NULL, NULL) != 0)
			break;
	kube_queue_done(again.queue, "a");
	sweep_end();
	scene_run(&scene, 1000);
	ck_assert_int_eq(again.times, 2);
	kube_queue_done(again.queue, "a");
	kube_queue_free(again.queue);
	scene_finish(&scene);
	return 0;
}

START_TEST(a_key_is_not_lost)
{
	sweep_survived("a key that comes again", use_queue_again, NULL);
}
END_TEST

/* ---- store ---- */

struct mirror { /* what the store's handlers were told */
	int count;
};

static void on_change(void *arg, const struct kube_change *change)
{
	struct mirror *mirror = arg;

	mirror->count += !change->old_object;
	mirror->count -= !change->new_object;
}

/* Objects are made beforehand: they are not what is short. */
static int use_store(void *arg, struct kube_err *err)
{
	struct kube_object *objects[6], *replaced[3];
	struct kube_store *store = NULL;
	struct mirror mirror = {.count = 0};
	int index = 0, code = 0;
	char name[8], value[8];

	(void)arg;
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "n%d", i % 4);
		snprintf(value, sizeof(value), "v%d", i);
		objects[i] = thing_new(name, "u", value, value);
	}
	for (int i = 0; i < 3; i++)
		replaced[i] = thing_new(i ? "n9" : "n1", "u", "9", "v9");
	sweep_begin();
	code = kube_store_new(10, &store, err);
	if (!code)
		code = kube_store_add_index(store, thing_value, &index, err);
	if (!code)
		code = kube_store_add_handler(store, on_change, &mirror, err);
	for (int i = 0; i < 6; i++) {
		if (!store)
			kube_object_unref(objects[i]);
		else if (kube_store_put(store, objects[i], err) != 0)
			code = KUBE_E_NOMEM;
	}
	if (store && kube_store_replace(store, replaced, 3, err) != 0)
		code = KUBE_E_NOMEM;
	for (int i = 0; !store && i < 3; i++)
		kube_object_unref(replaced[i]);
	sweep_end();
	if (store)
		ck_assert_int_eq(mirror.count, (int)kube_store_count(store));
	if (!code) {
		ck_assert_uint_eq(kube_store_count(store), 2);
		ck_assert_ptr_nonnull(kube_store_index_next(store, index, "v9", NULL));
		ck_assert_ptr_null(kube_store_index_next(store, index, "v5", NULL));
	}
	kube_store_free(store);
	return code;
}

START_TEST(a_store)
{
	sweep("store", use_store, NULL);
}
END_TEST

/* ---- pending writes ---- */

static int use_pending(void *arg, struct kube_err *err)
{
	struct kube_object *old = thing_new("a", "u", "1", "x"), *new = thing_new("a", "u", "2", "y");
	struct kube_store *store = NULL;
	struct kube_pending *pending = NULL;
	struct scene scene;
	bool begun = false;

	(void)arg;
	scene_init(&scene);
	ck_assert_int_eq(kube_store_new(10, &store, NULL), 0);
	ck_assert_int_eq(kube_store_put(store, old, NULL), 0);
	sweep_begin();
	int code = kube_pending_new(&scene.env, store, NULL, NULL, &pending, err);
	if (!code)
		code = kube_pending_begin(pending, "ns/a", err);
	begun = pending && !code;
	if (begun)
		kube_pending_end(pending, "ns/a", "2");
	sweep_end();
	if (begun) /* until the cache shows the write, or for its while at least */
		ck_assert(kube_pending_busy(pending, "ns/a"));
	ck_assert_int_eq(kube_store_put(store, new, NULL), 0);
	scene_run(&scene, KUBE_PENDING_EXPIRE_MS);
	ck_assert(!pending || kube_pending_count(pending) == 0);
	kube_pending_free(pending);
	kube_store_free(store);
	scene_finish(&scene);
	return code;
}

START_TEST(pending_write)
{
	sweep("pending write", use_pending, NULL);
}
END_TEST

/* ---- reflector ---- */

static const struct kube_sim_kind kind = {.resource = &things, .custom = true};
#define PATH "/apis/test.example/v1/namespaces/ns/things"

struct reflected {
	struct scene scene;
	struct kube_store *store;
	struct kube_reflector *reflector;
};

static const char *value_of(const struct kube_store *store, const char *key)
{
	const struct kube_object *object = kube_store_get(store, key);

	return object ? ((const struct thing *)object)->value : "(none)";
}

static void change(struct scene *scene)
{
	alloc_pause();
	kube_sim_api_do(scene->api, "POST", PATH, NULL, "{'metadata':{'name':'c'},'spec':{'value':'new'}}");
	kube_sim_api_do(scene->api, "PATCH", PATH "/a", KUBE_PATCH_MERGE, "{'spec':{'value':'changed'}}");
	kube_sim_api_do(scene->api, "DELETE", PATH "/b", NULL, "{}");
	kube_sim_api_do(scene->api, "PATCH", PATH "/d", KUBE_PATCH_MERGE, "{'spec':{'value':'bad'}}");
	alloc_resume();
}

/* List, watch, changes; a quarter of an hour later the cache has what the server has. */
static int reflect(void *arg, struct kube_err *err)
{
	struct reflected r = {.store = NULL};
	const bool *watch_list = arg;

	scene_init(&r.scene);
	kube_sim_api_add_kind(r.scene.api, &kind);
	scene_do(&r.scene, "POST", "/api/v1/namespaces", "{'metadata':{'name':'ns'}}");
	scene_do(&r.scene, "POST", PATH, "{'metadata':{'name':'a'},'spec':{'value':'old'}}");
	scene_do(&r.scene, "POST", PATH, "{'metadata':{'name':'b'},'spec':{'value':'old'}}");
	scene_do(&r.scene, "POST", PATH, "{'metadata':{'name':'d'},'spec':{'value':'good'}}");
	ck_assert_int_eq(kube_store_new(100, &r.store, NULL), 0);
	const struct kube_reflector_options options = {.client = r.scene.client,
	                                               .projection = &thing_projection,
	                                               .store = r.store,
	                                               .namespace_ = "ns",
	                                               .label_selector = "!none",
	                                               .watch_list = *watch_list};
	sweep_begin();
	int code = kube_reflector_new(&options, &r.reflector, err);
	if (!code) {
		kube_reflector_start(r.reflector);
		scene_run(&r.scene, 2000);
		change(&r.scene);
		scene_run(&r.scene, 2000);
	}
	sweep_end();
	if (!code) {
		scene_run(&r.scene, 100000);
		ck_assert(kube_reflector_synced(r.reflector));
		ck_assert_uint_eq(kube_store_count(r.store), 2);
		ck_assert_str_eq(value_of(r.store, "ns/a"), "changed");
		ck_assert_str_eq(value_of(r.store, "ns/c"), "new");
	}
	kube_reflector_free(r.reflector);
	kube_store_free(r.store);
	scene_finish(&r.scene);
	return code;
}

START_TEST(reflector)
{
	bool no = false, yes = true;

	sweep("reflector", reflect, &no);
	sweep("reflector, WatchList", reflect, &yes);
}
END_TEST

CHECK_MAIN("allocation failures: caches", a_queue, a_key_is_not_lost, a_store, pending_write, reflector)
