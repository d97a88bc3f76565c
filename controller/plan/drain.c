/*
 * Draining: which pods may leave a node now, and who is in the way of the others. The pods are listed anew at each
 * pass, by node and UID.
 */
#include "controller/plan/drain.h"
#include <string.h>

/* A pod that is still there so long after it should have ended keeps the drain waiting, and is told. */
#define OVERDUE_MS (30 * 1000)
/* Refusals hold for half of it; the server's clock was set back meanwhile when one seems to hold for longer. */
#define REFUSAL_HOLDS_AT_MOST_MS (60 * 1000)

struct judged {
	enum pod_verdict verdict;
	const char *why;
	size_t group;
};

struct drain {
	struct pass *pass;
	const struct target_pass *target;
	const struct node *node; /* NULL in tests that have none */
	struct judged *judged;   /* by index of the target's pods */
	size_t group;            /* whose turn it is */
	int64_t leaving;         /* pods on their way, wherever they stand in the list */
	int64_t jobs_until_ms;   /* pods of Jobs may run on until then */
	bool forced;             /* pods are deleted, and nobody is asked */
	bool wait_for_detach;
	struct drain_view view;
};

/* ---- looking ---- */

static void judge_pods(struct drain *drain)
{
	const struct target_view *view = drain->target->view;

	drain->judged = plan_alloc(drain->pass->arena, view->pod_count * sizeof(*drain->judged));
	drain->group = SIZE_MAX;
	for (size_t i = 0; i < view->pod_count; i++) {
		struct judged *judged = &drain->judged[i];
		judged->verdict = drain_verdict(drain->pass, drain->target, &view->pods[i], &judged->why);
		if (judged->verdict == POD_STAYS)
			continue;
		judged->group = drain_group_of(drain->pass, view->pods[i].pod);
		if (judged->group < drain->group)
			drain->group = judged->group;
		drain->leaving += judged->verdict == POD_LEAVING || (judged->verdict == POD_GOES && view->pods[i].busy);
		drain->view.remaining++;
		drain->view.forcible += judged->verdict == POD_GOES;
	}
}

static struct drain look(struct pass *pass, const struct target_pass *target)
{
	const struct node_state *state = target->state;
	struct drain drain = {.pass = pass, .target = target, .node = target->view->node};

	drain.forced = target->granted && target->granted->forced;
	if (state && state->step == STEP_DRAINING) {
		drain.jobs_until_ms = state->since_ms + pass->rules->drain.wait_for_jobs_ms;
		drain.wait_for_detach = pass->rules->drain.wait_for_detach && !drain.forced;
	}
	judge_pods(&drain);
	return drain;
}

/* ---- what is waited for ---- */

/* No kubelet ends a pod of a node that is not Ready; elsewhere it is a finalizer, or the kubelet has trouble. */
static void note_overdue(struct drain *drain, const struct pod *pod)
{
	struct pass *pass = drain->pass;
	int64_t overdue_ms = pod->object.deleted_ms + OVERDUE_MS;
	char since[KUBE_TIME_TEXT_SIZE];

	if (pass->s->now_ms < overdue_ms) {
		look_again_at(pass->out, overdue_ms);
		return;
	}
	kube_time_format(pod->object.deleted_ms, since);
	if (drain->node && !drain->node->ready)
		drain_block(&drain->view, "Node", "", drain->node->object.name, pod,
		            plan_printf(pass->arena,
		                        "is not Ready, so that no kubelet ends the pod, which should be gone since %s: bring "
		                        "the node back, or see drain.skipWaitForDeleteTimeout",
		                        since));
	else
		drain_block(&drain->view, "Pod", pod->object.namespace_, pod->object.name, pod,
		            plan_printf(pass->arena,
		                        "is being deleted and should be gone since %s: a finalizer keeps it, or the kubelet "
		                        "cannot end it",
		                        since));
}

static bool job_runs_on(struct drain *drain, const struct pod *pod)
{
	struct pass *pass = drain->pass;
	char until[KUBE_TIME_TEXT_SIZE];

	if (strcmp(pod->owner_kind, "Job") != 0 || pod_finished(pod) || pass->s->now_ms >= drain->jobs_until_ms)
		return false;
	drain_block(&drain->view, "Job", pod->object.namespace_, pod->owner_name, pod,
	            plan_printf(pass->arena, "may run to its end until %s (drain.waitForJobs)",
	                        kube_time_format(drain->jobs_until_ms, until)));
	look_again_at(pass->out, drain->jobs_until_ms);
	return true;
}

/* A refusal of the server keeps a pod for a while: what the cache shows may be older than it. It is told until an
 * eviction is accepted, so that it is known since when there has been one. */
static bool refusal_holds(struct drain *drain, const struct pod_view *view)
{
	const struct eviction_fact *fact = view->fact;

	if (!fact)
		return false;
	drain_block(&drain->view, fact->kind, fact->namespace_, fact->name, view->pod, fact->message);
	int64_t wait_ms = fact->retry_at_ms - drain->pass->s->now_ms;
	if (wait_ms <= 0 || wait_ms > REFUSAL_HOLDS_AT_MOST_MS)
		return false;
	look_again_at(drain->pass->out, fact->retry_at_ms);
	return true;
}

/* ---- what is done ---- */

static void remove_pod(struct drain *drain, const struct pod *pod, int64_t delay_ms)
{
	struct pass *pass = drain->pass;
	enum action_type type = drain->forced ? ACTION_DELETE_POD : ACTION_EVICT_POD;
	struct action *action = plan_add_action(&pass->out->actions, type, pass->arena);

	action->evict.pod = pod;
	action->evict.self = is_self(pass, pod);
	action->evict.grace_period_s = pass->rules->drain.grace_period_s;
	action->evict.delay_ms = delay_ms;
	drain->leaving++;
}

/* The last one: nobody would do the rest. */
static bool waits_for_others(const struct drain *drain, const struct pod *pod)
{
	return is_self(drain->pass, pod) && drain->view.remaining > 1;
}

static void let_go(struct drain *drain, const struct pod_view *view)
{
	const struct pod *pod = view->pod;

	const char *unsafe = is_self(drain->pass, pod) ? self_drain_unsafe(drain->pass, drain->node) : NULL;
	if (waits_for_others(drain, pod))
		return;
	if (unsafe) {
		drain_block(&drain->view, "Node", "", drain->node->object.name, pod, unsafe);
		return;
	}
	if (drain->forced) {
		if (!view->busy && drain->leaving < drain->pass->rules->drain.parallelism)
			remove_pod(drain, pod, 0);
		return;
	}
	if (job_runs_on(drain, pod) || refusal_holds(drain, view) || view->busy)
		return;
	int64_t delay_ms;
	if (drain->leaving < drain->pass->rules->drain.parallelism &&
	    disruption_allowed(drain->pass, pod, &drain->view, &delay_ms))
		remove_pod(drain, pod, delay_ms);
}

void drain_target(struct pass *pass, const struct target_pass *target, struct drain_view *ret_view)
{
	const struct target_view *view = target->view;
	struct drain drain = look(pass, target);

	for (size_t i = 0; i < view->pod_count; i++) {
		const struct judged *judged = &drain.judged[i];
		const struct pod *pod = view->pods[i].pod;

		switch (judged->verdict) {
		case POD_STAYS: break;
		case POD_LEAVING: note_overdue(&drain, pod); break;
		case POD_BLOCKS:
			drain_block(&drain.view, "Pod", pod->object.namespace_, pod->object.name, pod, judged->why);
			break;
		case POD_GOES:
			if (judged->group == drain.group)
				let_go(&drain, &view->pods[i]);
			break;
		}
	}
	if (drain.view.remaining == 0 && drain.wait_for_detach)
		drain.view.attached = volumes_attached(pass, target, &drain.view);
	*ret_view = drain.view;
}
