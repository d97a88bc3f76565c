/*
 * Jobs: a pod bound to one node that changes its host (api.md, "Jobs").
 *
 * The pod's name is a function of rollout, node, patch, step and attempt: a job exists at most once an attempt, whoever
 * creates it. Its finalizer keeps it until its result stands on the node; one whose UID was recorded and that is gone
 * was taken away by somebody.
 */
#include "controller/plan/step.h"
#include <kube/digest.h>
#include <string.h>

/* The kubelet ends a job at its deadline; after this much more nobody on the node does. */
#define JOB_DEADLINE_GRACE_MS (60 * 1000)
/* A kubelet that mounts and pulls says no more than ContainerCreating, also where a Secret is missing. */
#define JOB_START_MS (60 * 1000)

const char *job_pod_name(const struct rollout *rollout, const char *node_uid, size_t patch, const char *step,
                         int64_t attempt, struct kube_arena *arena)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	const char *text =
	    plan_printf(arena, "%s/%s/%zu/%s/%lld", rollout->object.uid, node_uid, patch, step, (long long)attempt);
	kube_sha256_hex(text, strlen(text), digest);
	return plan_printf(arena, "pw-%.24s", digest);
}

const char *job_word(enum step step)
{
	switch (step) {
	case STEP_PREPARING: return "prepare";
	case STEP_PATCHING:
	case STEP_REBOOTING: return "job";
	case STEP_VERIFYING: return "verify";
	case STEP_ROLLING_BACK: return "rollback";
	case STEP_NONE:
	case STEP_CLAIMED:
	case STEP_DRAINING:
	case STEP_SETTLING:
	case STEP_PATCHED:
	case STEP_FAILED:
	case STEP_ROLLED_BACK:
	case STEP_QUARANTINED:
	case STEP_SKIPPED:
	case STEP_COUNT: break;
	}
	return NULL;
}

const struct job_template *job_template_of(const struct patch *patch, const char *step)
{
	const struct {
		const char *word;
		const struct job_template *job;
	} jobs[] = {
	    {"prepare", patch->prepare}, {"job", &patch->job}, {"verify", patch->verify}, {"rollback", patch->rollback}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(jobs); i++)
		if (!strcmp(step, jobs[i].word))
			return jobs[i].job;
	return NULL;
}

static const struct job_fact *fact_of(const struct target_view *view, const char *name)
{
	return view->job_fact && !strcmp(view->job_fact->name, name) ? view->job_fact : NULL;
}

static const struct pod *cached_job(const struct target_view *view, const char *name)
{
	for (size_t i = 0; i < view->job_count; i++)
		if (!strcmp(view->jobs[i].pod->object.name, name))
			return view->jobs[i].pod;
	return NULL;
}

/* As the cache shows it; as the server did, where the cache has nothing or is behind. */
static const struct pod *find_job(const struct target_view *view, const char *name)
{
	const struct pod *cached = cached_job(view, name);
	const struct job_fact *fact = fact_of(view, name);
	const struct pod *read = fact && !fact->absent ? fact->pod : NULL;

	return read && (!cached || (pod_finished(read) && !strcmp(read->object.uid, cached->object.uid))) ? read : cached;
}

/* The UID of the job pod as the status has it; NULL: it was never seen. */
static const char *recorded_uid(const struct target_pass *target, const char *name)
{
	const struct active *granted = target->granted;
	return granted && granted->job_name && !strcmp(granted->job_name, name) ? granted->job_uid : NULL;
}

static void fail(struct job_view *view, const char *reason, const char *message)
{
	view->progress = JOB_FAILED;
	view->reason = reason;
	view->message = message;
}

static void create(struct pass *pass, const struct target_pass *target, size_t patch, const char *step,
                   const char *name)
{
	const struct node_state *state = target->state;
	const struct patch *spec = &pass->rules->patches.items[patch];
	struct action *action = plan_add_action(&pass->out->actions, ACTION_CREATE_JOB, pass->arena);

	action->job = (struct job_create){
	    .name = name,
	    .step = step,
	    .node = target->view->target->node,
	    .node_uid = target->view->target->node_uid,
	    .rollout = pass->s->rollout,
	    .patch = spec,
	    .job = job_template_of(spec, step),
	    .from_version = patch < state->from.count ? state->from.items[patch] : "",
	    .wave = target->wave->name,
	    .attempt = state->attempt,
	};
}

static void ask_server(struct pass *pass, const struct target_pass *target, const char *name)
{
	if (target->view->job_busy)
		return;
	plan_add_action(&pass->out->actions, ACTION_READ_JOB, pass->arena)->read_job =
	    (struct job_read){.name = name, .node_uid = target->view->target->node_uid};
}

/* Another job that may still run on the node: two at once would be worse than waiting. */
static const struct pod *other_job(const struct target_view *view, const char *name)
{
	for (size_t i = 0; i < view->bound_job_count; i++)
		if (!pod_finished(view->bound_jobs[i]) && strcmp(view->bound_jobs[i]->object.name, name) != 0)
			return view->bound_jobs[i];
	return NULL;
}

/* One that we had made here, maybe for a rollout that is gone, and that the cache does not show: it may be blind. NULL:
 * there is none. */
static const char *unseen_job(const struct target_view *view, const char *name)
{
	const struct job_fact *fact = view->job_fact;

	if (!fact || !fact->existed || fact->absent || !strcmp(fact->name, name) || (fact->pod && pod_finished(fact->pod)))
		return NULL;
	for (size_t i = 0; i < view->bound_job_count; i++)
		if (!strcmp(view->bound_jobs[i]->object.name, fact->name))
			return NULL;
	return fact->name;
}

/* uid: NULL when nobody knows it. */
static void fail_lost(struct pass *pass, struct job_view *view, const char *uid)
{
	fail(view, "JobLost",
	     plan_printf(pass->arena,
	                 "job pod %s (UID %s) is gone before its result was seen: somebody removed its finalizer",
	                 view->name, uid ? uid : "unknown"));
}

static void fail_not_created(struct pass *pass, struct job_view *view)
{
	const struct effect_error *error = pass->s->effect_error;
	const char *why = view->blocker.kind ? blocker_text(pass, &view->blocker) : error ? error->message : "";

	fail(view, "JobNotCreated",
	     plan_printf(pass->arena, "job pod %s could not be created within its timeout%s%s", view->name,
	                 *why ? ": " : "", why));
}

/* How long after the beginning of its step a job may still be made. */
static int64_t creation_timeout(const struct pass *pass, size_t patch, const char *step)
{
	if (!strcmp(step, "rollback")) /* drains within the same step: rollback.timeout bounds both */
		return pass->rules->rollback_timeout_ms;
	int64_t timeout_ms = job_template_of(&pass->rules->patches.items[patch], step)->timeout_ms;
	if (!strcmp(step, "verify")) /* begins when the version is seen */
		timeout_ms += observe_timeout(pass->rules);
	return timeout_ms;
}

/*
 * A job pod that was there is never made a second time in its attempt: not when the status has its UID, and not when
 * this process has learned of it. One that nobody has learned of looks like one that was never made.
 */
static void judge_missing(struct pass *pass, const struct target_pass *target, size_t patch, const char *step,
                          struct job_view *view)
{
	const struct job_fact *fact = fact_of(target->view, view->name);
	const char *uid = recorded_uid(target, view->name);
	bool existed = uid || (fact && fact->existed), back = !strcmp(step, "rollback");
	int64_t timeout_ms = creation_timeout(pass, patch, step);
	bool late = pass->s->now_ms - target->state->since_ms > timeout_ms;
	bool to_be_made = !existed && !late && (back || !pass->aborting);

	if (fact && fact->uid)
		view->uid = plan_printf(pass->arena, "%s", fact->uid);
	if (!late)
		look_again_at(pass->out, target->state->since_ms + timeout_ms + 1);
	const struct pod *other = other_job(target->view, view->name);
	if (other)
		view->blocker = (struct blocker){.kind = "Pod",
		                                 .namespace_ = other->object.namespace_,
		                                 .name = other->object.name,
		                                 .message = "another job has not ended on this node"};
	const char *unseen = other ? NULL : unseen_job(target->view, view->name);
	if (unseen)
		view->blocker =
		    (struct blocker){.kind = "Pod", .name = unseen, .message = "nobody has seen the end of this job"};
	if (to_be_made && unseen)
		ask_server(pass, target, unseen);
	else if (to_be_made && !other && !target->view->job_busy)
		create(pass, target, patch, step, view->name);
	else if (!to_be_made && !(fact && fact->absent))
		ask_server(pass, target, view->name);
	else if (existed)
		fail_lost(pass, view, uid ? uid : fact->uid);
	else if (late)
		fail_not_created(pass, view);
	else
		view->absent = !to_be_made;
}

static void judge_finished(struct pass *pass, const struct pod *pod, struct job_view *view)
{
	if (pod->phase == POD_SUCCEEDED && (!pod->exited || pod->exit_code == 0)) {
		view->progress = JOB_DONE;
		return;
	}
	if (pod->object.deleted_ms != KUBE_TIME_NONE) {
		fail(view, "JobLost",
		     plan_printf(pass->arena, "job pod %s was deleted by somebody before it had ended", pod->object.name));
		return;
	}
	if (!strcmp(pod->status_reason, "DeadlineExceeded")) {
		fail(view, "JobTimeout",
		     plan_printf(pass->arena, "job pod %s did not end within its timeout", pod->object.name));
		return;
	}
	if (!pod->exited) {
		fail(view, "JobFailed",
		     plan_printf(pass->arena, "job pod %s failed without an exit code: %s %s", pod->object.name,
		                 pod->status_reason, pod->status_message));
		return;
	}
	fail(view, "JobFailed",
	     plan_printf(pass->arena, "job pod %s ended with exit code %lld%s%s", pod->object.name,
	                 (long long)pod->exit_code, *pod->exit_message ? ": " : "", pod->exit_message));
}

/* A container that does not start is told: at once where the kubelet has a reason, else when it takes long. */
static void note_pending(struct pass *pass, const struct pod *pod, struct job_view *view)
{
	bool told = *pod->waiting_reason && strcmp(pod->waiting_reason, "ContainerCreating") != 0;
	int64_t late_ms = pod->object.created_ms + JOB_START_MS;

	if (pod->phase != POD_PENDING)
		return;
	if (!told && pass->s->now_ms < late_ms) {
		look_again_at(pass->out, late_ms);
		return;
	}
	const char *message =
	    plan_printf(pass->arena,
	                "its container has not started (%s): kubectl describe tells which image or Secret of it is missing",
	                *pod->waiting_reason ? pod->waiting_reason : "Pending");
	view->blocker = (struct blocker){
	    .kind = "Pod", .namespace_ = pod->object.namespace_, .name = pod->object.name, .message = message};
}

static void judge_running(struct pass *pass, const struct target_pass *target, const struct pod *pod,
                          const struct job_template *job, struct job_view *view)
{
	int64_t deadline = pod->object.created_ms + job->timeout_ms + JOB_DEADLINE_GRACE_MS;
	const struct job_fact *fact = fact_of(target->view, view->name);
	bool sure = fact && fact->read_ms != KUBE_TIME_NONE && fact->read_ms > deadline;

	if (fact && pod == fact->pod)
		ask_server(pass, target, view->name); /* nothing else tells how it goes on */
	if (pass->s->now_ms > deadline && fact && fact->absent) {
		fail_lost(pass, view, pod->object.uid); /* the cache is blind */
		return;
	}
	if (pass->s->now_ms > deadline && !sure) {
		ask_server(pass, target, view->name); /* the cache may be blind */
		return;
	}
	if (pass->s->now_ms > deadline) {
		fail(view, "JobTimeout",
		     plan_printf(pass->arena, "job pod %s is neither running to its end nor ended by the kubelet%s%s",
		                 pod->object.name, *pod->waiting_reason ? ": " : "", pod->waiting_reason));
		return;
	}
	look_again_at(pass->out, deadline + 1);
	note_pending(pass, pod, view);
}

static void judge_pod(struct pass *pass, const struct target_pass *target, const struct pod *pod,
                      const struct job_template *job, struct job_view *view)
{
	const char *uid = recorded_uid(target, view->name);

	view->exists = true;
	view->uid = plan_printf(pass->arena, "%s", pod->object.uid);
	view->exit_code = pod->exited ? pod->exit_code : (pod->phase == POD_SUCCEEDED ? 0 : -1);
	if (strcmp(pod->job_node_uid ? pod->job_node_uid : "", target->view->target->node_uid) != 0)
		fail(view, "JobLost",
		     plan_printf(pass->arena, "pod %s has our name but was made for another node", view->name));
	else if (uid && strcmp(uid, pod->object.uid) != 0)
		fail(view, "JobLost",
		     plan_printf(pass->arena, "job pod %s (UID %s) is gone, and another one has its name (UID %s)", view->name,
		                 uid, pod->object.uid));
	else if (pod_finished(pod))
		judge_finished(pass, pod, view);
	else
		judge_running(pass, target, pod, job, view);
}

void job_run(struct pass *pass, const struct target_pass *target, size_t patch, const char *step,
             struct job_view *ret_view)
{
	const struct patch *spec = &pass->rules->patches.items[patch];
	const struct job_template *job = job_template_of(spec, step);
	struct job_view view = {.progress = JOB_WAIT};

	view.name = job_pod_name(pass->s->rollout, target->view->target->node_uid, patch, step, target->state->attempt,
	                         pass->arena);
	const struct pod *pod = find_job(target->view, view.name);
	if (pod)
		judge_pod(pass, target, pod, job, &view);
	else
		judge_missing(pass, target, patch, step, &view);
	*ret_view = view;
}

bool job_exit_code(const struct pass *pass, const struct target_pass *target, size_t patch, const char *step,
                   int64_t *ret_exit_code)
{
	const struct pod *pod = find_job(target->view, job_pod_name(pass->s->rollout, target->view->target->node_uid, patch,
	                                                            step, target->state->attempt, pass->arena));
	if (!pod || !pod_finished(pod) || (!pod->exited && pod->phase != POD_SUCCEEDED))
		return false;
	*ret_exit_code = pod->exited ? pod->exit_code : 0;
	return true;
}
