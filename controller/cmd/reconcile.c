/* One key: look, plan, tell, do. Synchronous; what is sent goes on by itself and comes back as changes. */
#include "controller/cmd/snapshot.h"
#include "controller/status/status.h"
#include <kube/log.h>
#include <kube/time.h>
#include <string.h>

/* Status writes that can wait are at most one a second an object: a drain of many pods is not as many writes. */
#define STATUS_INTERVAL_MS 1000
#define COUNTS_INTERVAL_MS 5000

/* Who waits for days looks at the time now and then: timers stand still while a machine is suspended, and clocks are
 * set. */
#define LOOK_AGAIN_AT_MOST_MS (10 * 60 * 1000)

static void look_again(struct controller *controller, const char *key, int64_t at_ms)
{
	if (at_ms == KUBE_TIME_NONE)
		return;
	int64_t delay_ms = at_ms - kube_client_server_ms(controller->client);
	if (delay_ms > LOOK_AGAIN_AT_MOST_MS)
		delay_ms = LOOK_AGAIN_AT_MOST_MS;
	changes_plan_after(controller, key, delay_ms > 0 ? delay_ms : 1);
}

/* How long a status that can wait has to; at most 0: not at all. */
static int64_t status_wait_ms(const struct controller *controller, const struct track *track, int64_t interval_ms)
{
	if (track->status_at_ms == INT64_MIN)
		return 0;
	return track->status_at_ms + interval_ms - kube_env_mono_ms(controller->env);
}

static void write_status(struct controller *controller, const char *key, struct track *track,
                         const struct kube_object *object, const cJSON *status)
{
	if (act_write_status(controller->act, key, object, status))
		track->status_at_ms = kube_env_mono_ms(controller->env);
}

/* ---- rollouts ---- */

/* The plan's own writes to the rollout come first: they change its resourceVersion. */
static int write_rollout_status(struct controller *controller, const char *key, struct track *track,
                                const struct rollout_snapshot *snapshot, const struct rollout_result *result,
                                struct kube_arena *arena, struct kube_err *err)
{
	struct rollout_status_write write = {0};
	int64_t wait_ms = status_wait_ms(controller, track, STATUS_INTERVAL_MS);
	int rc = (wait_ms > 0 ? rollout_status_compose_urgent
	                      : rollout_status_compose)(snapshot->rollout, &result->wanted, snapshot->ledger,
	                                                snapshot->ledger_count, snapshot->now_ms, arena, &write, err);
	if (rc < 0)
		return rc;
	_cleanup_json_ cJSON *status = write.status;
	if (write.spill.count > 0)
		act_write_ledger(controller->act, key, snapshot->rollout, write.spill.page, write.spill.items,
		                 write.spill.count);
	else if (status)
		write_status(controller, key, track, &snapshot->rollout->object, status);
	else if (write.later)
		changes_plan_after(controller, key, wait_ms);
	return 0;
}

static void taken_over(struct controller *controller, const struct rollout *rollout)
{
	kube_log(
	    KUBE_LOG_ERROR,
	    "another controller works on this PatchRollout (it wrote a higher status.epoch): run only one; this one ends",
	    "rollout", rollout->object.name, NULL);
	controller_end(controller, 1);
}

static int plan_one_rollout(struct controller *controller, const char *key, const struct rollout *rollout,
                            struct kube_arena *arena, struct kube_err *err)
{
	struct rollout_snapshot snapshot;
	struct rollout_result result = {0};
	struct track *track = tracks_get(&controller->tracks, key, rollout->object.uid);
	if (!track)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for PatchRollout %s", rollout->object.name);
	int64_t epoch = track_epoch(track, rollout->status.epoch);
	if (epoch == 0) {
		taken_over(controller, rollout);
		return 0;
	}
	snapshot_rollout(controller, rollout, key, epoch, arena, &snapshot);
	plan_rollout(&snapshot, arena, &result);
	act_run(controller->act, key, &result.actions);
	gates_ask(controller, key, rollout, &result);
	look_again(controller, key, result.look_again_ms);
	return result.write_status ? write_rollout_status(controller, key, track, &snapshot, &result, arena, err) : 0;
}

static bool has_jobs(const struct controller *controller, const struct rollout *rollout)
{
	const struct kube_store *pods = controller->caches[CACHE_PODS].store;
	return kube_store_index_next(pods, controller->pods_by_rollout, rollout->hash, NULL) != NULL;
}

static int reconcile_rollout(struct controller *controller, const char *key, struct kube_arena *arena,
                             struct kube_err *err)
{
	const struct cache *cache = &controller->caches[CACHE_ROLLOUTS];
	const struct kube_object *object = kube_store_get(cache->store, key + strlen(KEY_ROLLOUT));
	/* A busy one comes back when the cache has seen our write. A finished one is history, once its jobs are gone. */
	if (!object || kube_pending_busy(cache->pending, object->key))
		return 0;
	if (!rollout_unfinished((const struct rollout *)object) && !has_jobs(controller, (const struct rollout *)object))
		return 0;
	return plan_one_rollout(controller, key, (const struct rollout *)object, arena, err);
}

/* ---- policies ---- */

/* While its rollout runs, which the status names already, a policy's status only counts nodes. */
static bool only_counts(const struct policy *policy, const struct policy_wanted *wanted)
{
	return wanted->current_rollout && policy->status_json && strstr(policy->status_json, wanted->current_rollout);
}

static int write_policy_status(struct controller *controller, const char *key, const struct policy_snapshot *snapshot,
                               const struct policy_result *result, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *status = NULL;
	int rc = policy_status_compose(snapshot->policy, &result->wanted, snapshot->now_ms, arena, &status, err);
	struct track *track = rc < 0 ? NULL : tracks_get(&controller->tracks, key, snapshot->policy->object.uid);
	if (rc < 0)
		return rc;
	if (!track)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for PatchPolicy %s", snapshot->policy->object.name);
	/* Who changes it next must not be taken for the one who has changed it now. */
	bool author = result->wanted.authors.generation != snapshot->policy->authors.generation;
	bool patient = only_counts(snapshot->policy, &result->wanted);
	int64_t wait_ms = status_wait_ms(controller, track, patient ? COUNTS_INTERVAL_MS : STATUS_INTERVAL_MS);
	if (status && wait_ms > 0 && !author)
		changes_plan_after(controller, key, wait_ms);
	else if (status)
		write_status(controller, key, track, &snapshot->policy->object, status);
	return 0;
}

static int reconcile_policy(struct controller *controller, const char *key, struct kube_arena *arena,
                            struct kube_err *err)
{
	const struct cache *cache = &controller->caches[CACHE_POLICIES];
	const struct kube_object *object = kube_store_get(cache->store, key + strlen(KEY_POLICY));
	struct policy_snapshot snapshot;
	struct policy_result result = {0};
	if (!object || kube_pending_busy(cache->pending, object->key))
		return 0;
	snapshot_policy(controller, (const struct policy *)object, key, arena, &snapshot);
	plan_policy(&snapshot, arena, &result);
	act_run(controller->act, key, &result.actions);
	look_again(controller, key, result.look_again_ms);
	return result.write_status ? write_policy_status(controller, key, &snapshot, &result, arena, err) : 0;
}

static int reconcile_orphans(struct controller *controller, const char *key, struct kube_arena *arena)
{
	struct world world;
	struct actions actions = {0};
	snapshot_world(controller, arena, &world);
	int64_t look_again_ms;
	plan_orphans(world.nodes, world.node_count, world.rollouts, world.rollout_count,
	             kube_client_server_ms(controller->client), arena, &actions, &look_again_ms);
	act_run(controller->act, key, &actions);
	look_again(controller, key, look_again_ms);
	return 0;
}

static int reconcile_orphan_jobs(struct controller *controller, const char *key, struct kube_arena *arena)
{
	struct orphan_jobs_snapshot snapshot;
	struct actions actions = {0};
	int64_t look_again_ms;
	snapshot_orphan_jobs(controller, arena, &snapshot);
	plan_orphan_jobs(&snapshot, arena, &actions, &look_again_ms);
	act_run(controller->act, key, &actions);
	look_again(controller, key, look_again_ms);
	return 0;
}

/* ---- the queue's side ---- */

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int reconcile_key(struct controller *controller, const char *key, struct kube_err *err)
{
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	if (has_prefix(key, KEY_ROLLOUT))
		return reconcile_rollout(controller, key, &arena, err);
	if (has_prefix(key, KEY_POLICY))
		return reconcile_policy(controller, key, &arena, err);
	if (strcmp(key, KEY_ORPHAN_JOBS) == 0)
		return reconcile_orphan_jobs(controller, key, &arena);
	return reconcile_orphans(controller, key, &arena);
}

static const char *kind_of(const char *key)
{
	if (has_prefix(key, KEY_ROLLOUT))
		return "patchrollout";
	return has_prefix(key, KEY_POLICY) ? "patchpolicy" : "orphans";
}

void reconcile(void *arg, const char *key)
{
	struct controller *controller = arg;
	struct kube_err err = {0};
	if (!controller->working || controller->stopping || !election_may_act(controller)) {
		kube_queue_done(controller->queue, key);
		return;
	}
	int64_t start_us = kube_env_mono_us(controller->env);
	int rc = reconcile_key(controller, key, &err);
	int64_t took_us = kube_env_mono_us(controller->env) - start_us;
	if (has_prefix(key, KEY_ROLLOUT))
		controller->plan_us += (took_us - controller->plan_us) / 8;
	meters_reconciled(&controller->meters, kind_of(key), took_us, rc < 0);
	if (rc < 0) {
		kube_log(KUBE_LOG_ERROR, "cannot reconcile; trying on", "key", key, "error", err.message, NULL);
		kube_queue_add_rate_limited(controller->queue, key);
	} else {
		kube_queue_forget(controller->queue, key);
	}
	kube_queue_done(controller->queue, key);
}
