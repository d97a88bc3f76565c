/*
 * Draining: which pods leave a node, which may go now, and who is in the way of the others.
 *
 * The pods are listed anew at each pass, by node and UID. The filters are kubectl's, in its order
 * (k8s.io/kubectl/pkg/drain): being deleted, DaemonSet, mirror, emptyDir, unmanaged; finished pods are exempt from the
 * last two. A PodDisruptionBudget that allows nothing is seen in the cache: such an eviction is not even sent, and goes
 * out with the watch event that brings the relief.
 */
#include "controller/plan/internal.h"
#include <string.h>

#define EVICTION_PAUSE_MS 50
#define MAX_EVICTIONS_A_BUDGET 8

enum pod_verdict { POD_STAYS, POD_LEAVING, POD_GOES, POD_BLOCKS };

static bool protects(const struct pdb *pdb, const struct pod *pod)
{
	return pdb->has_selector && !strcmp(pdb->object.namespace_, pod->object.namespace_) &&
	       kube_selector_matches(&pdb->selector, &pod->labels);
}

/* The budgets that protect a pod: the first one, and how many there are. */
static size_t budgets_of(const struct pass *pass, const struct pod *pod, struct pdb_room **ret_first)
{
	size_t found = 0;
	for (size_t i = 0; i < pass->s->pdb_count; i++)
		if (protects(pass->rooms[i].pdb, pod) && found++ == 0)
			*ret_first = &pass->rooms[i];
	return found;
}

static enum pod_verdict judge(const struct pass *pass, const struct pod *pod, const char **ret_why)
{
	if (pod->job_step || !strcmp(pod->owner_kind, "DaemonSet") || pod->mirror)
		return POD_STAYS;
	if (pod->object.deleted_ms != KUBE_TIME_NONE)
		return POD_LEAVING;
	if (pod_finished(pod))
		return POD_GOES;
	if (pod->empty_dir && !pass->rules->drain.delete_empty_dir_data) {
		*ret_why = "has data in an emptyDir volume: set drain.deleteEmptyDirData, or delete the pod";
		return POD_BLOCKS;
	}
	if (!*pod->owner_kind && pass->rules->drain.unmanaged_pods == UNMANAGED_BLOCK) {
		*ret_why = "no controller would start it again: set drain.unmanagedPods to Delete, or delete the pod";
		return POD_BLOCKS;
	}
	return POD_GOES;
}

static void block(struct drain_view *view, const char *kind, const char *namespace_, const char *name,
                  const struct pod *pod, const char *message)
{
	if (view->blocker.kind)
		return;
	view->blocker = (struct blocker){
	    .kind = kind, .namespace_ = namespace_, .name = name, .pod = pod->object.key, .message = message};
}

/* K8S registry/core/pod/storage/eviction.go: pods that never ran or are over are not protected, whatever budgets there
 * are; unready ones as the budget says. */
static bool unprotected(const struct pod *pod)
{
	return pod->phase == POD_PENDING || pod_finished(pod);
}

static bool outside_budget(const struct pdb *pdb, const struct pod *pod)
{
	if (unprotected(pod))
		return true;
	if (pod->ready)
		return false;
	return pdb->always_allow_unhealthy || (pdb->desired_healthy > 0 && pdb->current_healthy >= pdb->desired_healthy);
}

/* An eviction that is under way has used its place in the budget, whether the cache shows it already or not. */
static void count_in_flight(struct pass *pass, const struct target_view *target)
{
	for (size_t i = 0; i < target->pod_count; i++) {
		const struct pod *pod = target->pods[i].pod;
		struct pdb_room *room = NULL;

		if (!target->pods[i].busy || pod->object.deleted_ms != KUBE_TIME_NONE)
			continue;
		if (budgets_of(pass, pod, &room) == 1 && !outside_budget(room->pdb, pod)) {
			room->left--;
			room->in_flight++;
		}
	}
}

void rooms_init(struct pass *pass)
{
	const struct rollout_snapshot *s = pass->s;
	pass->rooms = plan_alloc(pass->arena, s->pdb_count * sizeof(*pass->rooms));
	for (size_t i = 0; i < s->pdb_count; i++)
		pass->rooms[i] = (struct pdb_room){.pdb = s->pdbs[i], .left = s->pdbs[i]->disruptions_allowed};
	for (size_t i = 0; i < s->target_count; i++)
		count_in_flight(pass, &s->targets[i]);
}

/*
 * Evictions under one budget go out one after another. Each rewrites the budget's status, and where two collide the API
 * server lets one sleep for half a second (EvictionsRetry): of twenty that come at once most sleep several times over.
 */
static bool budget_allows(struct pass *pass, const struct pod *pod, struct drain_view *view)
{
	struct pdb_room *room = NULL;
	size_t budgets = unprotected(pod) ? 0 : budgets_of(pass, pod, &room);

	if (budgets == 0 || (budgets == 1 && outside_budget(room->pdb, pod)))
		return true;
	const struct pdb *pdb = room->pdb;
	if (budgets > 1) {
		block(view, "PodDisruptionBudget", pdb->object.namespace_, pdb->object.name, pod,
		      plan_printf(pass->arena,
		                  "%zu PodDisruptionBudgets select this pod, and the Eviction API refuses that: leave it one",
		                  budgets));
		return false;
	}
	if (room->left > 0 && (room->sent || room->in_flight >= MAX_EVICTIONS_A_BUDGET)) {
		look_again_at(pass->out, pass->s->now_ms + EVICTION_PAUSE_MS);
		return false;
	}
	if (room->left <= 0) {
		block(view, "PodDisruptionBudget", pdb->object.namespace_, pdb->object.name, pod,
		      plan_printf(pass->arena, "allows no disruption now: %lld pods are healthy, %lld must be",
		                  (long long)pdb->current_healthy, (long long)pdb->desired_healthy));
		return false;
	}
	room->left--;
	room->sent = true;
	return true;
}

/* A refusal of the server keeps a pod for a while: what the cache shows may be older than it. */
static bool fact_holds(struct pass *pass, const struct pod_view *view, struct drain_view *drain)
{
	const struct eviction_fact *fact = view->fact;
	if (!fact || fact->retry_at_ms <= pass->s->now_ms)
		return false;
	block(drain, fact->kind, fact->namespace_, fact->name, view->pod, fact->message);
	look_again_at(pass->out, fact->retry_at_ms);
	return true;
}

static void evict(struct pass *pass, const struct pod *pod)
{
	struct action *action = plan_add_action(&pass->out->actions, ACTION_EVICT_POD, pass->arena);
	action->evict.pod = pod;
	action->evict.grace_period_s = pass->rules->drain.grace_period_s;
}

/* Wherever they stand in the list. */
static int64_t count_leaving(const struct pass *pass, const struct target_view *view)
{
	int64_t leaving = 0;
	for (size_t i = 0; i < view->pod_count; i++) {
		const char *why = NULL;
		enum pod_verdict verdict = judge(pass, view->pods[i].pod, &why);
		leaving += verdict == POD_LEAVING || (verdict == POD_GOES && view->pods[i].busy);
	}
	return leaving;
}

void drain_target(struct pass *pass, const struct target_pass *target, struct drain_view *ret_view)
{
	const struct target_view *view = target->view;
	struct drain_view drain = {0};
	int64_t leaving = count_leaving(pass, view);

	for (size_t i = 0; i < view->pod_count; i++) {
		const struct pod *pod = view->pods[i].pod;
		const char *why = NULL;
		enum pod_verdict verdict = judge(pass, pod, &why);

		if (verdict == POD_STAYS)
			continue;
		drain.remaining++;
		if (verdict == POD_BLOCKS)
			block(&drain, "Pod", pod->object.namespace_, pod->object.name, pod, why);
		else if (verdict == POD_GOES && !view->pods[i].busy && leaving < pass->rules->drain.parallelism &&
		         !fact_holds(pass, &view->pods[i], &drain) && budget_allows(pass, pod, &drain)) {
			evict(pass, pod);
			leaving++;
		}
	}
	*ret_view = drain;
}
