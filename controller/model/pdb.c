#include "controller/model/internal.h"
#include "controller/model/pod.h"

#include <string.h>

/* k8s.io/api/policy/v1/generated.proto PodDisruptionBudget, -Spec, -Status */
struct parts {
	const struct kube_selector *selector;
	const char *unhealthy;
	int64_t disruptions_allowed, current_healthy, desired_healthy, observed_generation;
};

#define AT(member) offsetof(struct parts, member)
static const struct kube_json_field spec_table[] = {
    {.name = "selector",
     .number = 2,
     .type = KUBE_JSON_POINTER,
     .offset = AT(selector),
     .table = kube_selector_table,
     .size = sizeof(struct kube_selector)},
    {.name = "unhealthyPodEvictionPolicy",
     .number = 4,
     .type = KUBE_JSON_STRING,
     .offset = AT(unhealthy),
     .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "observedGeneration", .number = 1, .type = KUBE_JSON_INT, .offset = AT(observed_generation)},
    {.name = "disruptionsAllowed", .number = 3, .type = KUBE_JSON_INT, .offset = AT(disruptions_allowed)},
    {.name = "currentHealthy", .number = 4, .type = KUBE_JSON_INT, .offset = AT(current_healthy)},
    {.name = "desiredHealthy", .number = 5, .type = KUBE_JSON_INT, .offset = AT(desired_healthy)},
    KUBE_JSON_END,
};

static const struct kube_json_field pdb_table[] = {
    {.name = "spec", .number = 2, .type = KUBE_JSON_OBJECT, .table = spec_table},
    {.name = "status", .number = 3, .type = KUBE_JSON_OBJECT, .table = status_table},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct pdb, member)
static const struct kube_json_field members[] = {
    {.name = "selector", .type = KUBE_JSON_OBJECT, .offset = AT(selector), .table = kube_selector_table},
    {.name = "hasSelector", .type = KUBE_JSON_BOOL, .offset = AT(has_selector)},
    {.name = "disruptionsAllowed", .type = KUBE_JSON_INT, .offset = AT(disruptions_allowed)},
    {.name = "currentHealthy", .type = KUBE_JSON_INT, .offset = AT(current_healthy)},
    {.name = "desiredHealthy", .type = KUBE_JSON_INT, .offset = AT(desired_healthy)},
    {.name = "observedGeneration", .type = KUBE_JSON_INT, .offset = AT(observed_generation)},
    {.name = "alwaysAllowUnhealthy", .type = KUBE_JSON_BOOL, .offset = AT(always_allow_unhealthy)},
    KUBE_JSON_END,
};
#undef AT

static int make(void *all, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	const struct parts *parts = all;
	struct pdb *pdb = (struct pdb *)self;

	pdb->has_selector = parts->selector != NULL;
	pdb->disruptions_allowed = parts->disruptions_allowed;
	pdb->current_healthy = parts->current_healthy;
	pdb->desired_healthy = parts->desired_healthy;
	pdb->observed_generation = parts->observed_generation;
	pdb->always_allow_unhealthy = parts->unhealthy && strcmp(parts->unhealthy, "AlwaysAllow") == 0;
	if (parts->selector && kube_selector_copy(parts->selector, maker->arena, &pdb->selector))
		return meta_out_of_memory(err);
	return 0;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) && a->generation == b->generation && same_fields(members, a, b);
}

const struct kube_projection pdb_projection = {
    .resource = &kube_pdbs,
    .size = sizeof(struct pdb),
    .table = pdb_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .same = same,
};
