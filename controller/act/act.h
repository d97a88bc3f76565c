/*
 * Effects: carries out what was planned. Each action is one request with its precondition (UID, resourceVersion, old
 * state); nothing is read first. Holds no state that matters: what is in flight, and which job pods and rollouts were
 * asked for and are not in the cache yet.
 *
 * An object is `busy` in its pending set from the sending of a write until the cache shows it; actions on busy objects
 * are passed over. Failures become facts and are tried again later (options.again); 409 and 422 mean that nothing was
 * written and that the plan rested on something old.
 */
#ifndef ACT_ACT_H
#define ACT_ACT_H

#include "controller/act/bodies.h"
#include "controller/observe/facts.h"
#include "controller/plan/plan.h"
#include <kube/client.h>
#include <kube/events.h>
#include <kube/pending.h>

struct act;

struct act_options {
	struct kube_client *client;
	struct facts *facts;
	struct kube_events *events; /* NULL: none are sent */
	const char *namespace_, *job_namespace;
	struct image_rules images;
	/* One for each store. */
	struct kube_pending *policies, *rollouts, *reports, *nodes, *pods, *revisions;
	/* The plan of this queue key is to be made again, not before delay_ms. */
	void (*again)(void *arg, const char *key, int64_t delay_ms);
	bool (*may_act)(void *arg);     /* optional: asked before each request; false: nothing is sent */
	void (*on_conflict)(void *arg); /* optional: a status was written by somebody else meanwhile */
	/* Optional: the status of the rollout that this key stands for was written, with this epoch. */
	void (*on_epoch)(void *arg, const char *key, int64_t epoch);
	/* Optional: instead of the removal of our own pod. forced: past the Eviction API. */
	void (*on_leave)(void *arg, const struct pod *pod, int64_t grace_period_s, bool forced);
	void (*on_eviction)(void *arg, const char *result); /* optional; a word of eviction_result_names */
	void *arg;
};

/* Everything in options is borrowed. */
int act_new(const struct act_options *options, struct act **ret_act, struct kube_err *err);
void act_free(struct act *act); /* cancels what is in flight; NULL is fine */

/* Sends what is not busy and not waiting after a failure. key: of the plan that these actions come from. */
void act_run(struct act *act, const char *key, const struct actions *actions);
/* Replaces the status of a policy or rollout; nothing when it is busy. False: it was not sent. */
bool act_write_status(struct act *act, const char *key, const struct kube_object *object, const cJSON *status);
/* A page of the ledger with the decisions that leave the status. */
void act_write_ledger(struct act *act, const char *key, const struct rollout *rollout, int64_t page,
                      const struct decision *const *decisions, size_t count);

size_t act_in_flight(const struct act *act);
/* A job pod for this node was asked for and is not in the cache yet. */
bool act_job_busy(const struct act *act, const char *node_uid);
/* A rollout for this policy was asked for and is not in the cache yet. */
bool act_creating(const struct act *act, const char *policy_uid);

#endif
