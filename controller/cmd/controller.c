#include "controller/cmd/controller.h"
#include <kube/log.h>
#include <stdlib.h>
#include <string.h>

#define STOP_POLL_MS 20

static void plan_again(void *arg, const char *key, int64_t delay_ms)
{
	struct controller *controller = arg;
	if (delay_ms > 0)
		changes_plan_after(controller, key, delay_ms);
	else
		kube_queue_add(controller->queue, key);
}

static void count_eviction(void *arg, const char *result)
{
	struct controller *controller = arg;
	kube_metric_add(controller->meters.evictions, 1, result, NULL);
}

static void note_epoch(void *arg, const char *key, int64_t epoch)
{
	struct controller *controller = arg;
	track_wrote_epoch(tracks_find(&controller->tracks, key), epoch);
}

/* A deprecated API version, a field that is not known: somebody should update the controller or its CRDs. */
static void on_warning(void *arg, const char *text)
{
	(void)arg;
	kube_log(KUBE_LOG_WARN, "the API server warns", "warning", text, NULL);
}

static int init_act(struct controller *controller, struct kube_err *err)
{
	const struct options *options = controller->options;
	struct cache *caches = controller->caches;
	const struct act_options act_options = {
	    .client = controller->client,
	    .facts = controller->facts,
	    .events = controller->events,
	    .namespace_ = options->namespace_,
	    .job_namespace = options->job_namespace,
	    .images = {.globs = options->images, .count = options->image_count, .allow_tags = options->allow_image_tags},
	    .policies = caches[CACHE_POLICIES].pending,
	    .rollouts = caches[CACHE_ROLLOUTS].pending,
	    .reports = caches[CACHE_REPORTS].pending,
	    .nodes = caches[CACHE_NODES].pending,
	    .pods = caches[CACHE_PODS].pending,
	    .revisions = caches[CACHE_REVISIONS].pending,
	    .again = plan_again,
	    .on_eviction = count_eviction,
	    .may_act = election_may_act,
	    .on_leave = leave_begin,
	    .on_conflict = election_verify,
	    .on_epoch = note_epoch,
	    .arg = controller,
	};
	return act_new(&act_options, &controller->act, err);
}

static int init_observer(struct controller *controller, struct kube_transport *outgoing, struct kube_err *err)
{
	controller->fetcher = (struct fetcher){
	    .client = controller->client,
	    .outgoing = outgoing,
	    .namespace_ = controller->options->namespace_,
	};
	const struct observer_options options = {
	    .fetcher = &controller->fetcher,
	    .pods = controller->caches[CACHE_PODS].store,
	    .again = plan_again,
	    .arg = controller,
	};
	return observer_new(&options, &controller->observer, err);
}

static int init(struct controller *controller, const struct controller_options *options, struct kube_err *err)
{
	int rc = meters_init(&controller->meters, options->host, err);
	if (rc == 0)
		rc = facts_new(&controller->facts, err);
	if (rc == 0)
		rc = zones_new(controller->options->zoneinfo, &controller->zones, err);
	if (rc == 0)
		rc = kube_client_new(options->env, options->transport, &controller->client, err);
	if (rc == 0)
		rc = kube_events_new(controller->client, "patchwright-controller", options->instance, &controller->events, err);
	if (rc == 0)
		rc = kube_queue_new(options->env, reconcile, controller, &controller->queue, err);
	if (rc == 0)
		rc = caches_init(controller, err);
	if (rc == 0)
		rc = changes_subscribe(controller, err);
	if (rc == 0)
		rc = init_observer(controller, options->outgoing, err);
	if (rc == 0)
		rc = polls_new(&controller->fetcher, changes_url, controller, &controller->polls, err);
	if (rc == 0)
		rc = init_act(controller, err);
	if (rc == 0 && controller->options->leader_elect)
		rc = election_init(controller, options->identity, err);
	if (rc < 0)
		return rc;
	meters_observe_queue(&controller->meters, controller->queue);
	kube_client_observe(controller->client, meters_count_request, controller);
	kube_client_on_warning(controller->client, on_warning, NULL);
	return 0;
}

int controller_new(const struct controller_options *options, struct controller **ret_controller, struct kube_err *err)
{
	struct controller *controller = calloc(1, sizeof(*controller));
	if (!controller)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the controller");
	controller->options = options->options;
	controller->env = options->env;
	controller->on_quiet = options->on_quiet;
	controller->on_end = options->on_end;
	controller->arg = options->arg;
	int rc = init(controller, options, err);
	if (rc < 0) {
		controller_free(controller);
		return rc;
	}
	*ret_controller = controller;
	return 0;
}

void controller_start(struct controller *controller)
{
	namespaces_start(controller);
	server_version_start(controller);
	caches_start(controller);
}

void controller_work(struct controller *controller)
{
	controller->working = true;
	changes_all(controller);
}

void controller_synced(struct controller *controller)
{
	if (controller->working || controller->stopping)
		return;
	if (controller->elector) {
		kube_log(KUBE_LOG_INFO, "caches are synced; work begins when the lease is ours", NULL);
		kube_elector_start(controller->elector);
		return;
	}
	kube_log(KUBE_LOG_INFO, "caches are synced; work begins", NULL);
	controller_work(controller);
}

void controller_end(struct controller *controller, int status)
{
	void (*on_end)(void *, int) = controller->on_end;
	kube_timer_stop(controller->env, &controller->stop_timer);
	controller->stopping = true;
	controller->on_end = NULL;
	if (on_end)
		on_end(controller->arg, status);
}

/* No effect goes out any more: nothing needs to be looked at. */
static void be_quiet(struct controller *controller)
{
	void (*on_quiet)(void *) = controller->on_quiet;
	caches_stop(controller);
	controller->on_quiet = NULL;
	if (on_quiet)
		on_quiet(controller->arg);
}

/* Work and lease are over: what tells about it has a while of its own, and no more of the deadline than is left. */
static void flush_events(struct controller *controller)
{
	int64_t until_ms = kube_env_mono_ms(controller->env) + EVENTS_DEADLINE_MS;
	if (controller->flushing)
		return;
	controller->flushing = true;
	if (until_ms < controller->stop_at_ms)
		controller->stop_at_ms = until_ms;
	kube_events_flush(controller->events);
}

/* Writes first, then the lease, so that the next one begins when we have ended, then what tells about it all. */
static void stop_when_done(struct kube_timer *timer, void *arg)
{
	struct controller *controller = arg;
	bool quiet = act_in_flight(controller->act) == 0;
	if (quiet)
		be_quiet(controller);
	bool over = quiet && election_over(controller) && leave_over(controller);
	if (over)
		flush_events(controller);
	bool done = over && kube_events_idle(controller->events);
	bool late = kube_env_mono_ms(controller->env) >= controller->stop_at_ms;
	if (!done && !late) {
		kube_timer_start(controller->env, timer, STOP_POLL_MS, stop_when_done, controller);
		return;
	}
	if (late && !done)
		kube_log(KUBE_LOG_WARN, "writes, the release of the lease or Events were still in flight at the end", NULL);
	controller_end(controller, 0);
}

void controller_stop(struct controller *controller)
{
	if (controller->stopping)
		return;
	controller->stopping = true;
	controller->stop_at_ms = kube_env_mono_ms(controller->env) + STOP_DEADLINE_MS;
	kube_queue_shut_down(controller->queue);
	kube_timer_start(controller->env, &controller->stop_timer, 0, stop_when_done, controller);
}

void controller_free(struct controller *controller)
{
	if (!controller)
		return;
	kube_timer_stop(controller->env, &controller->stop_timer);
	namespaces_stop(controller);
	server_version_stop(controller);
	leave_finish(controller);
	kube_elector_free(controller->elector);
	polls_free(controller->polls);
	act_free(controller->act);
	observer_free(controller->observer);
	caches_finish(controller);
	kube_queue_free(controller->queue);
	kube_events_free(controller->events);
	kube_client_free(controller->client);
	facts_free(controller->facts);
	zones_free(controller->zones);
	tracks_finish(&controller->tracks);
	meters_finish(&controller->meters);
	free(controller);
}
