/* Nodes and job pods of rollouts that no longer work: nothing that we cordoned or held is forgotten. */
#include "controller/plan/internal.h"
#include <string.h>

/* The watch of rollouts may be blind: a rollout that is not there may be newer than what it has told. It is found out
 * after the watch's timeout, ten minutes. */
#define SURE_AFTER_MS (15 * 60 * 1000)

/* One that is done has let all its nodes go, as far as it saw them. */
static bool working(const char *uid, const struct rollout *const *rollouts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rollouts[i]->object.uid, uid))
			return !rollout_done(rollouts[i]);
	return false;
}

void plan_orphans(const struct node *const *nodes, size_t node_count, const struct rollout *const *rollouts,
                  size_t rollout_count, int64_t now_ms, struct kube_arena *arena, struct actions *ret_actions,
                  int64_t *ret_look_again_ms)
{
	*ret_actions = (struct actions){0};
	*ret_look_again_ms = KUBE_TIME_NONE;
	for (size_t i = 0; i < node_count; i++) {
		const struct node_state *state = nodes[i]->state;
		if (!state || nodes[i]->quarantined || held_at_work(nodes[i]) ||
		    working(state->rollout_uid, rollouts, rollout_count))
			continue;
		int64_t sure_ms = state->started_ms + SURE_AFTER_MS;
		if (now_ms >= sure_ms)
			release_node(nodes[i], arena, ret_actions);
		else
			*ret_look_again_ms = earlier_ms(*ret_look_again_ms, sure_ms);
	}
}

static bool known(const struct orphan_jobs_snapshot *s, const struct pod *job)
{
	for (size_t i = 0; i < s->rollout_count; i++)
		if (job->rollout_hash && !strcmp(s->rollouts[i]->hash, job->rollout_hash))
			return true;
	return false;
}

static bool node_there(const struct orphan_jobs_snapshot *s, const struct pod *job)
{
	for (size_t i = 0; i < s->node_count; i++)
		if (!strcmp(s->nodes[i]->object.uid, job->job_node_uid))
			return true;
	return false;
}

static bool same_rollout(const struct pod *a, const struct pod *b)
{
	return a->rollout_hash && b->rollout_hash && !strcmp(a->rollout_hash, b->rollout_hash);
}

/* One request deletes all that a rollout has left: when none of them has anything to wait for, and once. */
static bool may_delete(const struct orphan_jobs_snapshot *s, size_t index)
{
	const struct pod *job = s->jobs[index].pod;

	for (size_t i = 0; i < s->job_count; i++) {
		const struct pod *other = s->jobs[i].pod;
		if (!same_rollout(job, other))
			continue;
		bool ready = !s->jobs[i].busy && !other->job_finalizer && (pod_finished(other) || !node_there(s, other));
		bool told = i < index && other->object.deleted_ms == KUBE_TIME_NONE;
		if (!ready || told)
			return false;
	}
	return job->rollout_hash != NULL;
}

void plan_orphan_jobs(const struct orphan_jobs_snapshot *s, struct kube_arena *arena, struct actions *ret_actions,
                      int64_t *ret_look_again_ms)
{
	*ret_actions = (struct actions){0};
	*ret_look_again_ms = KUBE_TIME_NONE;
	for (size_t i = 0; i < s->job_count; i++) {
		const struct pod *job = s->jobs[i].pod;
		int64_t sure_ms = job->object.created_ms + SURE_AFTER_MS;
		if (s->jobs[i].busy || known(s, job) || (!pod_finished(job) && node_there(s, job)))
			continue;
		if (s->now_ms < sure_ms) {
			*ret_look_again_ms = earlier_ms(*ret_look_again_ms, sure_ms);
		} else if (job->job_finalizer) {
			plan_add_action(ret_actions, ACTION_RELEASE_JOB, arena)->pod = job;
		} else if (job->object.deleted_ms == KUBE_TIME_NONE && may_delete(s, i)) {
			plan_add_action(ret_actions, ACTION_DELETE_JOBS, arena)->delete_jobs = job->rollout_hash;
		}
	}
}
