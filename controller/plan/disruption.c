/*
 * PodDisruptionBudgets, as the Eviction API will look at them (K8S registry/core/pod/storage/eviction.go). A budget
 * that allows nothing is seen in the cache: such an eviction is not even sent, and goes out with the watch event that
 * brings the relief.
 */
#include "controller/plan/drain.h"
#include <stdlib.h>
#include <string.h>

#define EVICTION_PAUSE_MS 50
#define MAX_EVICTIONS_A_BUDGET 8

struct pdb_room {
	const struct pdb *pdb;
	int64_t left;      /* evictions that may still be sent in this pass */
	int64_t in_flight; /* evictions under way, with those of this pass */
	int64_t sent;      /* in this pass */
};

static int by_namespace(const void *a, const void *b)
{
	const struct kube_object *x = &((const struct pdb_room *)a)->pdb->object,
	                         *y = &((const struct pdb_room *)b)->pdb->object;
	int order = strcmp(x->namespace_, y->namespace_);
	return order ? order : strcmp(x->name, y->name);
}

static size_t first_room_of(const struct pass *pass, const char *namespace_)
{
	size_t low = 0, high = pass->s->pdb_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(pass->rooms[middle].pdb->object.namespace_, namespace_) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool protects(const struct pdb *pdb, const struct pod *pod)
{
	return pdb->has_selector && kube_selector_matches(&pdb->selector, &pod->labels);
}

/* The budgets that protect a pod: the first one, and how many there are. */
static size_t budgets_of(const struct pass *pass, const struct pod *pod, struct pdb_room **ret_first)
{
	const char *namespace_ = pod->object.namespace_;
	struct pdb_room *room = pass->rooms + first_room_of(pass, namespace_), *end = pass->rooms + pass->s->pdb_count;
	size_t found = 0;
	for (; room < end && !strcmp(room->pdb->object.namespace_, namespace_); room++)
		if (protects(room->pdb, pod) && found++ == 0)
			*ret_first = room;
	return found;
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
	qsort(pass->rooms, s->pdb_count, sizeof(*pass->rooms), by_namespace);
	for (size_t i = 0; i < s->target_count; i++)
		count_in_flight(pass, &s->targets[i]);
}

/*
 * Evictions under one budget go out one after another. Each rewrites the budget's status, and where two collide the API
 * server lets one sleep for half a second (EvictionsRetry): of twenty that come at once most sleep several times over.
 */
bool disruption_allowed(struct pass *pass, const struct pod *pod, struct drain_view *view, int64_t *ret_delay_ms)
{
	*ret_delay_ms = 0;
	struct pdb_room *room = NULL;
	size_t budgets = unprotected(pod) ? 0 : budgets_of(pass, pod, &room);

	if (budgets == 0 || (budgets == 1 && outside_budget(room->pdb, pod)))
		return true;
	const struct pdb *pdb = room->pdb;
	if (budgets > 1) {
		drain_block(
		    view, "PodDisruptionBudget", pdb->object.namespace_, pdb->object.name, pod,
		    plan_printf(pass->arena,
		                "%zu PodDisruptionBudgets select this pod, and the Eviction API refuses that: leave it one",
		                budgets));
		return false;
	}
	if (room->left > 0 && room->in_flight >= MAX_EVICTIONS_A_BUDGET) {
		look_again_at(pass->out, pass->s->now_ms + MAX_EVICTIONS_A_BUDGET * EVICTION_PAUSE_MS);
		return false;
	}
	if (room->left <= 0) {
		drain_block(view, "PodDisruptionBudget", pdb->object.namespace_, pdb->object.name, pod,
		            plan_printf(pass->arena, "allows no disruption now: %lld pods are healthy, %lld must be",
		                        (long long)pdb->current_healthy, (long long)pdb->desired_healthy));
		return false;
	}
	*ret_delay_ms = room->sent * EVICTION_PAUSE_MS;
	room->left--;
	room->in_flight++;
	room->sent++;
	return true;
}
