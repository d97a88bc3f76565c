/* The approvals of a rollout, and whether anybody guards them, and emergencies. */
#include "controller/cmd/snapshot.h"
#include "controller/model/admission.h"

#include <kube/time.h>
#include <stdlib.h>
#include <string.h>

static int by_age(const void *a, const void *b)
{
	const struct kube_object *x = &(*(const struct approval *const *)a)->object,
	                         *y = &(*(const struct approval *const *)b)->object;
	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void fill_approvals(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct kube_store *from = controller->caches[CACHE_APPROVALS].store;
	const char *name = s->rollout->object.name;
	int index = controller->approvals_by_rollout;
	const struct kube_object *o;
	size_t count = 0;
	for (o = kube_store_index_next(from, index, name, NULL); o; o = kube_store_index_next(from, index, name, o))
		count++;
	const struct approval **approvals = plan_alloc(arena, count * sizeof(*approvals));
	for (o = kube_store_index_next(from, index, name, NULL); o; o = kube_store_index_next(from, index, name, o))
		approvals[s->approval_count++] = (const struct approval *)o;
	qsort(approvals, s->approval_count, sizeof(const void *), by_age);
	s->approvals = approvals;
}

/* An admission policy, and what it is good for. */
struct admission_use {
	const char *name, *without, *danger;
};

static void guard_by(const struct controller *controller, enum cache_id id, const struct admission_use *use,
                     struct kube_arena *arena, struct guard *guard)
{
	const struct kube_object *object = kube_store_get(controller->caches[id].store, use->name);
	bool missing = !object || object->deleted_ms != KUBE_TIME_NONE;
	if (missing || !((const struct admission *)object)->as_expected)
		guard->problem =
		    plan_printf(arena, "%s, because the %s %s %s: %s; kubectl apply -f crds/", use->without,
		                controller->caches[id].projection->resource->kind, use->name,
		                missing ? "is missing" : "is not the one of this version of Patchwright", use->danger);
	else if (object->created_ms > guard->since_ms)
		guard->since_ms = object->created_ms;
}

static struct guard guard_of(const struct controller *controller, const struct admission_use *use,
                             struct kube_arena *arena)
{
	struct guard guard = {.problem = NULL};

	guard_by(controller, CACHE_ADMISSION_BINDINGS, use, arena, &guard);
	guard_by(controller, CACHE_ADMISSION_POLICIES, use, arena, &guard);
	return guard;
}

void snapshot_approvals(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	static const struct admission_use approvals = {APPROVALS_ADMISSION, "no approval counts",
	                                               "anybody could approve in the name of another"},
	                                  emergencies = {RIGHTS_ADMISSION, "no emergency passes anything by",
	                                                 "anybody could make one"},
	                                  authors = {AUTHORS_ADMISSION, "no author counts",
	                                             "anybody could write in the name of another"};

	s->approval_guard = guard_of(controller, &approvals, arena);
	s->emergency_guard = guard_of(controller, &emergencies, arena);
	s->author_guard = guard_of(controller, &authors, arena);
	fill_approvals(controller, arena, s);
}
