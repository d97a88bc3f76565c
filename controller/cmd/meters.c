#include "controller/cmd/controller.h"
#include <stdio.h>
#include <string.h>

static const double seconds_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

struct family_spec {
	size_t offset;
	enum kube_family_type type;
	const char *name, *help, *labels;
};
#define FAMILY(field, type, name, help, labels) \
	{ \
		offsetof(struct meters, field), type, name, help, labels \
	}

static const struct family_spec specs[] = {
    FAMILY(reconciles, KUBE_COUNTER, "controller_runtime_reconcile_total", "Reconciliations by result.",
           "controller,result"),
    FAMILY(reconcile_errors, KUBE_COUNTER, "controller_runtime_reconcile_errors_total", "Reconciliations that failed.",
           "controller"),
    FAMILY(reconcile_seconds, KUBE_HISTOGRAM, "controller_runtime_reconcile_time_seconds",
           "How long a reconciliation took.", "controller"),
    FAMILY(max_concurrent, KUBE_GAUGE, "controller_runtime_max_concurrent_reconciles",
           "Reconciliations that may run at a time.", "controller"),
    FAMILY(active_workers, KUBE_GAUGE, "controller_runtime_active_workers", "Reconciliations that run now.",
           "controller"),
    FAMILY(queue_depth, KUBE_GAUGE, "workqueue_depth", "Keys that wait.", "name"),
    FAMILY(queue_adds, KUBE_COUNTER, "workqueue_adds_total", "Keys that were added.", "name"),
    FAMILY(queue_retries, KUBE_COUNTER, "workqueue_retries_total", "Keys that were added after a failure.", "name"),
    FAMILY(queue_wait_seconds, KUBE_HISTOGRAM, "workqueue_queue_duration_seconds",
           "How long a key waited until it was worked on.", "name"),
    FAMILY(queue_work_seconds, KUBE_HISTOGRAM, "workqueue_work_duration_seconds", "How long the work on a key took.",
           "name"),
    FAMILY(queue_unfinished, KUBE_GAUGE, "workqueue_unfinished_work_seconds", "Age of the work that is under way.",
           "name"),
    FAMILY(queue_longest, KUBE_GAUGE, "workqueue_longest_running_processor_seconds", "Age of the oldest work.", "name"),
    FAMILY(requests, KUBE_COUNTER, "rest_client_requests_total", "Requests to the API server.", "code,method,host"),
    FAMILY(requests_by_resource, KUBE_COUNTER, "patchwright_api_requests_total",
           "Requests to the API server by resource; subresources count for it.", "method,resource"),
    FAMILY(evictions, KUBE_COUNTER, "patchwright_evictions_total", "Answers to evictions.", "result"),
    FAMILY(rollout_targets, KUBE_GAUGE, "patchwright_rollout_targets", "Targets of unfinished rollouts.",
           "rollout,state"),
    FAMILY(node_steps, KUBE_GAUGE, "patchwright_node_step", "Nodes by the step that their state says.", "step"),
    FAMILY(node_step_oldest, KUBE_GAUGE, "patchwright_node_step_oldest_seconds",
           "How long the node that is in a step for the longest time has been in it.", "step"),
    FAMILY(rollouts, KUBE_GAUGE, "patchwright_rollouts", "Rollouts that there are, by outcome; Running without one.",
           "outcome"),
    FAMILY(rollout_waiting, KUBE_GAUGE, "patchwright_rollout_waiting",
           "1 for an unfinished rollout that does not progress, with the reason.", "rollout,reason"),
    FAMILY(policy_unavailable, KUBE_GAUGE, "patchwright_policy_unavailable_nodes",
           "Nodes of a policy that are not Ready, cordoned or in work.", "policy"),
    FAMILY(policy_limit, KUBE_GAUGE, "patchwright_policy_max_unavailable",
           "How many of them strategy.maxUnavailable allows; a wave may have a limit of its own.", "policy"),
    FAMILY(cluster_unavailable, KUBE_GAUGE, "patchwright_cluster_unavailable_nodes",
           "Nodes of the cluster that are not Ready, cordoned or in work.", ""),
    FAMILY(cluster_limit, KUBE_GAUGE, "patchwright_cluster_max_unavailable",
           "How many of them --max-unavailable-total allows; absent without that.", ""),
    FAMILY(lease_holder, KUBE_GAUGE, "patchwright_lease_holder", "1 for the process that holds the lease.", "holder"),
    FAMILY(policy_targets, KUBE_GAUGE, "patchwright_policy_targets", "Nodes that policies select.", "policy,state"),
    FAMILY(blocked_targets, KUBE_GAUGE, "patchwright_blocked_targets", "Targets that wait for an object, by its kind.",
           "rollout,kind"),
    FAMILY(cache_objects, KUBE_GAUGE, "patchwright_cache_objects", "Objects in the caches.", "resource"),
    FAMILY(leader, KUBE_GAUGE, "leader_election_master_status", "1 for the one that holds the lease.", "name"),
    FAMILY(effects_in_flight, KUBE_GAUGE, "patchwright_effects_in_flight", "Writes without an answer.", ""),
    FAMILY(events_dropped, KUBE_COUNTER, "patchwright_events_dropped_total", "Events that were dropped.", ""),
    FAMILY(build_info, KUBE_GAUGE, "patchwright_build_info", "Always 1.", "version"),
};

int meters_init(struct meters *meters, const char *host, struct kube_err *err)
{
	meters->host = host;
	int rc = kube_metrics_new(&meters->metrics, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(specs); i++) {
		const struct family_spec *spec = &specs[i];
		bool histogram = spec->type == KUBE_HISTOGRAM;
		struct kube_family *family =
		    kube_metrics_family(meters->metrics, spec->type, spec->name, spec->help, spec->labels,
		                        histogram ? seconds_bounds : NULL, histogram ? KUBE_ARRAY_LEN(seconds_bounds) : 0);
		if (!family)
			return kube_fail(err, KUBE_E_NOMEM, "out of memory for the metric %s", spec->name);
		memcpy((char *)meters + spec->offset, &family, sizeof(family));
	}
	kube_metric_set(meters->build_info, 1, PATCHWRIGHT_VERSION, NULL);
	return 0;
}

void meters_finish(struct meters *meters)
{
	kube_metrics_free(meters->metrics);
	meters->metrics = NULL;
}

void meters_reconciled(struct meters *meters, const char *controller, int64_t duration_us, bool failed)
{
	double seconds = (double)duration_us / 1e6;
	kube_metric_add(meters->reconciles, 1, controller, failed ? "error" : "success", NULL);
	kube_metric_add(meters->reconcile_errors, failed ? 1 : 0, controller, NULL);
	kube_metric_observe(meters->reconcile_seconds, seconds, controller, NULL);
	/* One loop, no threads: one at a time, and none while somebody scrapes. */
	kube_metric_set(meters->max_concurrent, 1, controller, NULL);
	kube_metric_set(meters->active_workers, 0, controller, NULL);
}

/* As client-go names what has no answer. */
void meters_count_request(void *arg, const char *method, const struct kube_resource *resource, int http_status)
{
	struct controller *controller = arg;
	char code[16] = "<error>";
	if (http_status > 0)
		snprintf(code, sizeof(code), "%d", http_status);
	kube_metric_add(controller->meters.requests, 1, code, method, controller->meters.host, NULL);
	kube_metric_add(controller->meters.requests_by_resource, 1, method, resource ? resource->plural : "none",
	                NULL); /* "none": a path like /version */
}

static void key_waited(void *arg, int64_t us)
{
	struct meters *meters = arg;
	kube_metric_observe(meters->queue_wait_seconds, (double)us / 1e6, QUEUE_NAME, NULL);
}

static void key_worked(void *arg, int64_t us)
{
	struct meters *meters = arg;
	kube_metric_observe(meters->queue_work_seconds, (double)us / 1e6, QUEUE_NAME, NULL);
}

void meters_observe_queue(struct meters *meters, struct kube_queue *queue)
{
	const struct kube_queue_observer observer = {.waited = key_waited, .worked = key_worked, .arg = meters};
	kube_queue_observe(queue, &observer);
}

static void measure_queue(struct controller *controller)
{
	struct meters *meters = &controller->meters;
	struct kube_queue_stats stats;
	kube_queue_get_stats(controller->queue, &stats);
	kube_metric_set(meters->queue_depth, (double)stats.depth, QUEUE_NAME, NULL);
	kube_metric_set(meters->queue_adds, (double)stats.adds, QUEUE_NAME, NULL);
	kube_metric_set(meters->queue_retries, (double)stats.retries, QUEUE_NAME, NULL);
	kube_metric_set(meters->queue_unfinished, (double)stats.unfinished_us / 1e6, QUEUE_NAME, NULL);
	kube_metric_set(meters->queue_longest, (double)stats.longest_us / 1e6, QUEUE_NAME, NULL);
}

static void measure_caches(struct controller *controller)
{
	for (size_t i = 0; i < CACHE_COUNT; i++) {
		const struct cache *cache = &controller->caches[i];
		kube_metric_set(controller->meters.cache_objects, (double)kube_store_count(cache->store),
		                cache->projection->resource->plural, NULL);
	}
	kube_metric_set(controller->meters.effects_in_flight, (double)act_in_flight(controller->act), NULL);
	kube_metric_set(controller->meters.events_dropped, (double)kube_events_dropped(controller->events), NULL);
}

int meters_write(struct controller *controller, struct kube_buf *out)
{
	measure_queue(controller);
	meters_measure_work(controller);
	measure_caches(controller);
	return kube_metrics_write(controller->meters.metrics, out);
}
