/* From an action to its request: which object, which body, what is told about it. */
#include "controller/act/effect.h"
#include <stdio.h>
#include <string.h>

#define DELETE_JOBS_PAUSE_MS 5000
#define READ_JOB_PAUSE_MS 10000

static const char *text(struct kube_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *text(struct kube_arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *out = kube_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return out ? out : "";
}

/* ---- objects that are there ---- */

static void patch_node(struct act *act, const char *key, const struct node_write *write, struct kube_arena *arena)
{
	const struct node *node = write->node;
	struct effect effect = {
	    .kind = EFFECT_PATCH,
	    .key = key,
	    .what = text(arena, "patch node %s", node->object.name),
	    .pending = act_options(act)->nodes,
	    .object_key = node->object.key,
	    .last_seq = -1,
	    .done = "node step",
	    .log = {"node", node->object.name, "for", key, "from", step_names[node->state ? node->state->step : 0], "to",
	            write->state ? step_names[write->state->step] : "released", "reason",
	            write->state && write->state->reason ? write->state->reason : ""},
	};
	if (!effect_ready(act, &effect))
		return;
	struct kube_call call = {.method = "PATCH", .resource = &kube_nodes, .name = node->object.name};
	_cleanup_json_ cJSON *body = node_patch_body(write, arena, &call.content_type);
	call.body = body;
	effect_send(act, &effect, &call);
}

static void evict_pod(struct act *act, const char *key, const struct action *action, struct kube_arena *arena)
{
	const struct pod *pod = action->evict.pod;
	struct effect effect = {
	    .kind = EFFECT_EVICT,
	    .key = key,
	    .what = text(arena, "evict pod %s", pod->object.key),
	    .pending = act_options(act)->pods,
	    .object_key = pod->object.key,
	    .uid = pod->object.uid,
	    .namespace_ = pod->object.namespace_,
	    .delay_ms = action->evict.delay_ms,
	    .last_seq = -1,
	};
	_cleanup_json_ cJSON *body = evict_body(pod, action->evict.grace_period_s);
	struct kube_call call = {
	    .method = "POST",
	    .resource = &kube_pods,
	    .namespace_ = pod->object.namespace_,
	    .name = pod->object.name,
	    .subresource = "eviction",
	    .body = body,
	    .no_retry = true, /* a 429 is an answer here */
	};
	effect_send(act, &effect, &call);
}

/* Past the Eviction API: the decision for it is in the rollout's status. */
static void delete_pod(struct act *act, const char *key, const struct pod *pod, int64_t grace_period_s,
                       struct kube_arena *arena)
{
	struct effect effect = {
	    .kind = EFFECT_DELETE,
	    .key = key,
	    .what = text(arena, "delete pod %s", pod->object.key),
	    .pending = act_options(act)->pods,
	    .object_key = pod->object.key,
	    .last_seq = -1,
	    .done = "pod deleted without the Eviction API",
	    .log = {"pod", pod->object.key, "for", key},
	};
	_cleanup_json_ cJSON *body = body_delete_options(pod->object.uid);
	if (grace_period_s >= 0)
		body_int(body, "gracePeriodSeconds", grace_period_s);
	struct kube_call call = {
	    .method = "DELETE",
	    .resource = &kube_pods,
	    .namespace_ = pod->object.namespace_,
	    .name = pod->object.name,
	    .body = body,
	};
	effect_send(act, &effect, &call);
}

static void delete_object(struct act *act, const char *key, const struct kube_object *object,
                          struct kube_pending *pending, struct kube_arena *arena)
{
	const struct kube_resource *resource = object->projection->resource;
	struct effect effect = {
	    .kind = EFFECT_DELETE,
	    .key = key,
	    .what = text(arena, "delete %s %s", resource->kind, object->key),
	    .pending = pending,
	    .object_key = object->key,
	    .last_seq = -1,
	    .done = "deleted",
	    .log = {"kind", resource->kind, "name", object->key, "for", key},
	};
	_cleanup_json_ cJSON *body = body_delete_options(object->uid);
	struct kube_call call = {
	    .method = "DELETE",
	    .resource = resource,
	    .namespace_ = resource->namespaced ? object->namespace_ : NULL,
	    .name = object->name,
	    .body = body,
	};
	effect_send(act, &effect, &call);
}

/* All job pods of a rollout in one request. A second one would find nothing more: the watch needs its time to say so.
 */
static void delete_jobs(struct act *act, const char *key, const char *hash, struct kube_arena *arena)
{
	const struct act_options *options = act_options(act);
	struct effect effect = {
	    .kind = EFFECT_DELETE,
	    .key = key,
	    .what = text(arena, "delete the job pods of rollout hash %s", hash),
	    .pending = options->pods,
	    .object_key = text(arena, "%s/%s=%s", options->job_namespace, PW_LABEL_ROLLOUT_HASH, hash),
	    .last_seq = -1,
	    .pause_ms = DELETE_JOBS_PAUSE_MS,
	};
	struct kube_call call = {
	    .method = "DELETE",
	    .resource = &kube_pods,
	    .namespace_ = options->job_namespace,
	    .query = text(arena, "labelSelector=%s%%3D%s", PW_LABEL_ROLLOUT_HASH, hash),
	    .no_document = true,
	};
	effect_send(act, &effect, &call);
}

static void release_job(struct act *act, const char *key, const struct pod *pod, struct kube_arena *arena)
{
	struct effect effect = {
	    .kind = EFFECT_PATCH,
	    .key = key,
	    .what = text(arena, "release job pod %s", pod->object.key),
	    .pending = act_options(act)->pods,
	    .object_key = pod->object.key,
	    .job = pod->object.name,
	    .job_node = pod->job_node_uid,
	    .last_seq = -1,
	};
	_cleanup_json_ cJSON *body = job_release_body(pod);
	struct kube_call call = {
	    .method = "PATCH",
	    .resource = &kube_pods,
	    .namespace_ = pod->object.namespace_,
	    .name = pod->object.name,
	    .content_type = KUBE_PATCH_STRATEGIC,
	    .body = body,
	};
	effect_send(act, &effect, &call);
}

static void finalize_rollout(struct act *act, const char *key, const struct rollout *rollout, bool on,
                             struct kube_arena *arena)
{
	struct effect effect = {
	    .kind = EFFECT_PATCH,
	    .key = key,
	    .what = text(arena, "%s the finalizer of PatchRollout %s", on ? "put on" : "take off", rollout->object.name),
	    .pending = act_options(act)->rollouts,
	    .object_key = rollout->object.key,
	    .last_seq = -1,
	};
	_cleanup_json_ cJSON *body = rollout_finalizer_body(rollout, on);
	if (!body)
		return;
	struct kube_call call = {
	    .method = "PATCH",
	    .resource = &pw_rollouts,
	    .name = rollout->object.name,
	    .content_type = KUBE_PATCH_JSON,
	    .body = body,
	};
	effect_send(act, &effect, &call);
}

/* ---- objects that are made ---- */

static void create(struct act *act, struct effect *effect, const struct kube_resource *resource, const char *namespace_,
                   const char *name, const cJSON *body, struct kube_arena *arena)
{
	effect->kind = EFFECT_CREATE;
	effect->last_seq = -1;
	effect->object_key = namespace_ ? text(arena, "%s/%s", namespace_, name) : name;
	effect->what = text(arena, "create %s %s", resource->kind, effect->object_key);
	effect->done = "created";
	effect->log[0] = "kind";
	effect->log[1] = resource->kind;
	effect->log[2] = "name";
	effect->log[3] = effect->object_key;
	effect->log[4] = "for";
	effect->log[5] = effect->key;
	/* One that failed may have been made all the same, and have been removed since: that is decided anew. */
	struct kube_call call = {
	    .method = "POST", .resource = resource, .namespace_ = namespace_, .body = body, .no_retry = true};
	effect_send(act, effect, &call);
}

static void create_job(struct act *act, const char *key, const struct job_create *job, struct kube_arena *arena)
{
	const struct act_options *options = act_options(act);
	struct effect effect = {
	    .key = key, .pending = options->pods, .mark = job->node_uid, .job = job->name, .job_node = job->node_uid};
	struct kube_err err = {0};
	if (job_image_check(job->job->image, &options->images, &err) < 0) {
		effect.what = text(arena, "create Pod %s/%s", options->job_namespace, job->name);
		effect.object_key = job->name;
		if (effect_ready(act, &effect))
			effect_refused(act, &effect, &err);
		return;
	}
	_cleanup_json_ cJSON *body = job_body(job, options->job_namespace);
	create(act, &effect, &kube_pods, options->job_namespace, job->name, body, arena);
}

/* Past the cache, which does not show it: it was made, and may be gone. */
static void read_job(struct act *act, const char *key, const struct job_read *job, struct kube_arena *arena)
{
	const struct act_options *options = act_options(act);
	struct effect effect = {
	    .kind = EFFECT_READ,
	    .key = key,
	    .what = text(arena, "read job pod %s/%s", options->job_namespace, job->name),
	    .pending = options->pods,
	    .object_key = text(arena, "%s/%s", options->job_namespace, job->name),
	    .mark = job->node_uid,
	    .job = job->name,
	    .job_node = job->node_uid,
	    .last_seq = -1,
	    .pause_ms = READ_JOB_PAUSE_MS,
	};
	struct kube_call call = {
	    .method = "GET", .resource = &kube_pods, .namespace_ = options->job_namespace, .name = job->name};
	effect_send(act, &effect, &call);
}

static void create_rollout(struct act *act, const char *key, const struct policy *policy, const char *name,
                           struct kube_arena *arena)
{
	struct effect effect = {.key = key, .pending = act_options(act)->rollouts, .mark = policy->object.uid};
	_cleanup_json_ cJSON *body = rollout_body(policy, name);
	create(act, &effect, &pw_rollouts, NULL, name, body, arena);
}

static void create_report(struct act *act, const char *key, const struct report_page *page, struct kube_arena *arena)
{
	struct effect effect = {.key = key, .pending = act_options(act)->reports};
	_cleanup_json_ cJSON *body = report_body(page);
	create(act, &effect, &pw_reports, NULL, page->name, body, arena);
}

static void create_revision(struct act *act, const char *key, const char *name, const struct rollout *rollout,
                            bool ledger, int64_t number, cJSON *data, struct kube_arena *arena)
{
	const char *namespace_ = act_options(act)->namespace_;
	struct effect effect = {.key = key, .pending = act_options(act)->revisions};
	_cleanup_json_ cJSON *body = revision_body(name, namespace_, rollout, ledger, number, data);
	create(act, &effect, &kube_controller_revisions, namespace_, name, body, arena);
}

static void create_plan_page(struct act *act, const char *key, const struct action *action, struct kube_arena *arena)
{
	create_revision(act, key, action->create_revision.name, action->create_revision.rollout,
	                action->create_revision.ledger, action->create_revision.number,
	                cJSON_CreateRaw(action->create_revision.data), arena);
}

void act_write_ledger(struct act *act, const char *key, const struct rollout *rollout, int64_t page,
                      const struct decision *const *decisions, size_t count)
{
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	const char *name = text(&arena, "%s-ledger-%lld", rollout->object.name, (long long)page);
	create_revision(act, key, name, rollout, true, page, ledger_data(decisions, count), &arena);
}

/* ---- the rest ---- */

static void emit_event(struct act *act, const struct event_emit *event)
{
	const struct kube_object *object = event->regarding;
	if (!act_options(act)->events)
		return;
	struct kube_event out = {
	    .regarding = {.resource = object->projection->resource,
	                  .namespace_ = object->namespace_,
	                  .name = object->name,
	                  .uid = object->uid,
	                  .resource_version = object->resource_version},
	    .warning = event->warning,
	    .reason = event->reason,
	    .action = event->action,
	    .note = event->note,
	};
	kube_events_emit(act_options(act)->events, &out);
}

static void remove_pod(struct act *act, const char *key, const struct action *action, struct kube_arena *arena)
{
	const struct act_options *options = act_options(act);
	const struct pod *pod = action->evict.pod;
	bool forced = action->type == ACTION_DELETE_POD;
	if (action->evict.self && options->on_leave)
		options->on_leave(options->arg, pod, action->evict.grace_period_s, forced);
	else if (forced)
		delete_pod(act, key, pod, action->evict.grace_period_s, arena);
	else
		evict_pod(act, key, action, arena);
}

static void run_one(struct act *act, const char *key, const struct action *action, struct kube_arena *arena)
{
	const struct act_options *options = act_options(act);
	switch (action->type) {
	case ACTION_CREATE_ROLLOUT:
		create_rollout(act, key, action->create_rollout.policy, action->create_rollout.name, arena);
		break;
	case ACTION_DELETE_ROLLOUT:
		delete_object(act, key, &action->delete_rollout->object, options->rollouts, arena);
		break;
	case ACTION_CREATE_REVISION: create_plan_page(act, key, action, arena); break;
	case ACTION_FINALIZE_ROLLOUT:
		finalize_rollout(act, key, action->finalize.rollout, action->finalize.on, arena);
		break;
	case ACTION_PATCH_NODE: patch_node(act, key, &action->node, arena); break;
	case ACTION_EVICT_POD:
	case ACTION_DELETE_POD: remove_pod(act, key, action, arena); break;
	case ACTION_CREATE_JOB: create_job(act, key, &action->job, arena); break;
	case ACTION_READ_JOB: read_job(act, key, &action->read_job, arena); break;
	case ACTION_RELEASE_JOB: release_job(act, key, action->pod, arena); break;
	case ACTION_DELETE_JOBS: delete_jobs(act, key, action->delete_jobs, arena); break;
	case ACTION_CREATE_REPORT: create_report(act, key, &action->report, arena); break;
	case ACTION_EMIT_EVENT: emit_event(act, &action->event); break;
	}
}

void act_run(struct act *act, const char *key, const struct actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
		run_one(act, key, &actions->items[i], &arena);
	}
}

static int64_t newest_seq(const struct rollout *rollout)
{
	int64_t newest = 0;
	for (size_t i = 0; i < rollout->status.decisions.count; i++)
		if (rollout->status.decisions.items[i].seq > newest)
			newest = rollout->status.decisions.items[i].seq;
	return newest;
}

bool act_write_status(struct act *act, const char *key, const struct kube_object *object, const cJSON *status)
{
	const struct kube_resource *resource = object->projection->resource;
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	bool rollout = resource == &pw_rollouts;
	struct effect effect = {
	    .kind = EFFECT_STATUS,
	    .key = key,
	    .what = text(&arena, "write the status of %s %s", resource->kind, object->name),
	    .pending = rollout ? act_options(act)->rollouts : act_options(act)->policies,
	    .object_key = object->key,
	    .last_seq = rollout ? newest_seq((const struct rollout *)object) : -1,
	};
	_cleanup_json_ cJSON *body = status_body(object, status);
	struct kube_call call = {
	    .method = "PUT", .resource = resource, .name = object->name, .subresource = "status", .body = body};
	return effect_send(act, &effect, &call);
}
