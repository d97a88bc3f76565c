/* What /metrics shows, with the names that dashboards know (kube-semantics "Metrics"). */
#ifndef CMD_METERS_H
#define CMD_METERS_H

#include <kube/buf.h>
#include <kube/metrics.h>
#include <kube/queue.h>
#include <kube/resource.h>
#include <stdbool.h>
#include <stdint.h>

struct controller;

struct meters {
	struct kube_metrics *metrics;
	const char *host; /* of the API server */
	struct kube_family *reconciles, *reconcile_errors, *reconcile_seconds, *max_concurrent, *active_workers;
	struct kube_family *queue_depth, *queue_adds, *queue_retries, *queue_wait_seconds, *queue_work_seconds,
	    *queue_unfinished, *queue_longest;
	struct kube_family *requests, *requests_by_resource, *evictions;
	/* Set anew at each scrape. */
	struct kube_family *rollout_targets, *node_steps, *policy_targets, *blocked_targets, *cache_objects, *build_info;
	struct kube_family *node_step_oldest, *rollouts, *rollout_waiting, *policy_unavailable, *policy_limit,
	    *cluster_unavailable, *cluster_limit;
	struct kube_family *leader, *lease_holder;
	struct kube_family *effects_in_flight, *events_dropped;
};

int meters_init(struct meters *meters, const char *host, struct kube_err *err);
void meters_finish(struct meters *meters);
void meters_observe_queue(struct meters *meters, struct kube_queue *queue); /* its waits and its work */

void meters_reconciled(struct meters *meters, const char *controller, int64_t duration_us, bool failed);
/* kube_request_observer. */
void meters_count_request(void *arg, const char *method, const struct kube_resource *resource, int http_status);
void meters_measure_work(struct controller *controller); /* meters_work.c */
/* The exposition, with what the caches and the queue say now. */
int meters_write(struct controller *controller, struct kube_buf *out);

#endif
