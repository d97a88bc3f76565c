#include <kube/controller.h>
#include <kube/queue.h>
#include <stdlib.h>

#define STOP_POLL_MS 20
#define MISSED_MS 1000

struct kube_controller {
	struct kube_controller_options options; /* its texts are not looked at after kube_controller_new() */
	struct kube_env *env;
	struct kube_store *store;
	struct kube_reflector *reflector;
	struct kube_queue *queue;
	struct kube_elector *elector; /* NULL: no lease */
	struct kube_timer stop_timer; /* reserved: a stop cannot fail … */
	struct kube_timer all_timer;  /* … nor this, which makes good what the queue had no room or memory for */
	int64_t stop_at_ms;           /* mono: no longer than this */
	bool working, stopping, ended;
	bool cache_fails, lease_fails;
};

static void end(struct kube_controller *controller, const struct kube_err *err)
{
	if (controller->ended)
		return;
	controller->ended = true;
	controller->stopping = true;
	kube_timer_stop(controller->env, &controller->stop_timer);
	kube_timer_stop(controller->env, &controller->all_timer);
	controller->options.on_end(controller->options.arg, err);
}

/* ---- work ---- */

static void add_all(struct kube_timer *timer, void *arg);

/* A key that could not be queued must not be lost: all that there is will be looked at in a while. */
static void make_good(struct kube_controller *controller, int rc)
{
	if (rc && !kube_timer_active(&controller->all_timer))
		kube_timer_start(controller->env, &controller->all_timer, MISSED_MS, add_all, controller);
}

static void add_all(struct kube_timer *timer, void *arg)
{
	struct kube_controller *controller = arg;

	(void)timer;
	for (struct kube_object *o = kube_store_next(controller->store, NULL); o; o = kube_store_next(controller->store, o))
		make_good(controller, kube_queue_add(controller->queue, o->key));
}

static void begin_work(void *arg)
{
	struct kube_controller *controller = arg;

	if (controller->stopping)
		return;
	controller->working = true;
	if (controller->options.on_working)
		controller->options.on_working(controller->options.arg);
	add_all(NULL, controller);
}

static void on_synced(void *arg)
{
	struct kube_controller *controller = arg;

	if (!controller->elector)
		begin_work(controller);
	else if (!controller->stopping)
		kube_elector_start(controller->elector);
}

/* Before it works, all that counts is what the cache shows when work begins. */
static void on_change(void *arg, const struct kube_change *change)
{
	struct kube_controller *controller = arg;

	if (change->changed)
		kube_controller_enqueue(controller, (change->new_object ? change->new_object : change->old_object)->key);
}

static void work(void *arg, const char *key)
{
	struct kube_controller *controller = arg;
	struct kube_object *object = kube_object_ref(kube_store_get(controller->store, key));

	if (!controller->stopping && kube_controller_may_act(controller))
		controller->options.reconcile(controller->options.arg, key, object);
	else
		kube_queue_done(controller->queue, key);
	kube_object_unref(object);
}

void kube_controller_done(struct kube_controller *controller, const char *key, enum kube_outcome outcome,
                          int64_t again_ms)
{
	switch (outcome) {
	case KUBE_SUCCEEDED:
		kube_queue_forget(controller->queue, key);
		if (again_ms > 0)
			make_good(controller, kube_queue_add_after(controller->queue, key, again_ms));
		break;
	case KUBE_FAILED: make_good(controller, kube_queue_add_rate_limited(controller->queue, key)); break;
	case KUBE_GIVEN_UP: break;
	}
	kube_queue_done(controller->queue, key);
}

void kube_controller_enqueue(struct kube_controller *controller, const char *key)
{
	if (controller->working && !controller->stopping)
		make_good(controller, kube_queue_add(controller->queue, key));
}

/* ---- the end ---- */

static void on_lost(void *arg, const struct kube_err *err)
{
	end(arg, err);
}

static bool lease_is_over(struct kube_controller *controller)
{
	if (!controller->elector)
		return true;
	kube_elector_release(controller->elector);
	return kube_elector_ended(controller->elector);
}

static void stop_when_done(struct kube_timer *timer, void *arg)
{
	struct kube_controller *controller = arg;
	struct kube_err err;

	if (kube_queue_idle(controller->queue) && lease_is_over(controller)) {
		end(controller, NULL);
		return;
	}
	if (kube_env_mono_ms(controller->env) < controller->stop_at_ms) {
		kube_timer_start(controller->env, timer, STOP_POLL_MS, stop_when_done, controller);
		return;
	}
	kube_fail(&err, KUBE_E_TIMEOUT, "the controller did not come to rest within %d s: %s",
	          KUBE_CONTROLLER_STOP_MS / 1000,
	          kube_queue_idle(controller->queue) ? "the lease could not be given back"
	                                             : "a reconciliation was still under way");
	end(controller, &err);
}

void kube_controller_stop(struct kube_controller *controller)
{
	if (controller->stopping)
		return;
	controller->stopping = true;
	controller->stop_at_ms = kube_env_mono_ms(controller->env) + KUBE_CONTROLLER_STOP_MS;
	kube_queue_shut_down(controller->queue);
	kube_timer_start(controller->env, &controller->stop_timer, 0, stop_when_done, controller);
}

/* ---- */

static void tell_health(struct kube_controller *controller, bool *fails, const struct kube_err *err)
{
	*fails = err != NULL;
	if (controller->options.on_health && (err || !(controller->cache_fails || controller->lease_fails)))
		controller->options.on_health(controller->options.arg, err);
}

static void on_cache_health(void *arg, const struct kube_err *err)
{
	struct kube_controller *controller = arg;

	tell_health(controller, &controller->cache_fails, err);
}

static void on_lease_health(void *arg, const struct kube_err *err)
{
	struct kube_controller *controller = arg;

	tell_health(controller, &controller->lease_fails, err);
}

static void on_left_out(void *arg, const struct kube_err *err)
{
	struct kube_controller *controller = arg;

	if (controller->options.on_left_out)
		controller->options.on_left_out(controller->options.arg, err);
}

static int init_elector(struct kube_controller *controller, struct kube_err *err)
{
	const struct kube_controller_options *options = &controller->options;
	const struct kube_elector_options lease = {
	    .client = options->client,
	    .namespace_ = options->lease_namespace,
	    .name = options->lease_name,
	    .identity = options->identity,
	    .times = options->lease_times,
	    .on_started = begin_work,
	    .on_lost = on_lost,
	    .on_health = on_lease_health,
	    .arg = controller,
	};
	return options->lease_name ? kube_elector_new(&lease, &controller->elector, err) : 0;
}

static int init(struct kube_controller *controller, struct kube_err *err)
{
	const struct kube_controller_options *options = &controller->options;
	int rc = kube_timer_reserve(controller->env, &controller->stop_timer);

	if (!rc)
		rc = kube_timer_reserve(controller->env, &controller->all_timer);
	if (rc)
		return kube_fail(err, rc, "out of memory for a controller");
	rc = kube_store_new(options->max_objects ? options->max_objects : KUBE_CONTROLLER_MAX_OBJECTS, &controller->store,
	                    err);
	if (!rc)
		rc = kube_store_add_handler(controller->store, on_change, controller, err);
	if (!rc)
		rc = kube_queue_new(controller->env, work, controller, &controller->queue, err);
	if (!rc)
		rc = init_elector(controller, err);
	if (rc)
		return rc;
	const struct kube_reflector_options cache = {
	    .client = options->client,
	    .projection = options->projection,
	    .store = controller->store,
	    .namespace_ = options->namespace_,
	    .label_selector = options->label_selector,
	    .on_synced = on_synced,
	    .on_health = on_cache_health,
	    .on_left_out = on_left_out,
	    .arg = controller,
	};
	return kube_reflector_new(&cache, &controller->reflector, err);
}

int kube_controller_new(const struct kube_controller_options *options, struct kube_controller **ret_controller,
                        struct kube_err *err)
{
	struct kube_controller *controller = calloc(1, sizeof(*controller));

	if (!controller)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a controller");
	controller->options = *options;
	controller->env = kube_client_env(options->client);
	int rc = init(controller, err);
	if (rc) {
		kube_controller_free(controller);
		return rc;
	}
	*ret_controller = controller;
	return 0;
}

void kube_controller_free(struct kube_controller *controller)
{
	if (!controller)
		return;
	kube_timer_release(controller->env, &controller->stop_timer);
	kube_timer_release(controller->env, &controller->all_timer);
	kube_elector_free(controller->elector);
	kube_reflector_free(controller->reflector);
	kube_queue_free(controller->queue);
	kube_store_free(controller->store);
	free(controller);
}

void kube_controller_start(struct kube_controller *controller)
{
	kube_reflector_start(controller->reflector);
}

bool kube_controller_may_act(const struct kube_controller *controller)
{
	return controller->working && !controller->ended &&
	       (!controller->elector || kube_elector_held(controller->elector));
}

bool kube_controller_synced(const struct kube_controller *controller)
{
	return kube_reflector_synced(controller->reflector);
}

struct kube_store *kube_controller_store(struct kube_controller *controller)
{
	return controller->store;
}

struct kube_queue *kube_controller_queue(struct kube_controller *controller)
{
	return controller->queue;
}
