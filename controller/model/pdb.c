#include "controller/model/internal.h"
#include "controller/model/pod.h"

#include <string.h>

static const struct kube_json_field spec_table[] = {
    {.name = "selector",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct pdb, selector),
     .table = kube_selector_table},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "disruptionsAllowed", .type = KUBE_JSON_INT, .offset = offsetof(struct pdb, disruptions_allowed)},
    {.name = "currentHealthy", .type = KUBE_JSON_INT, .offset = offsetof(struct pdb, current_healthy)},
    {.name = "desiredHealthy", .type = KUBE_JSON_INT, .offset = offsetof(struct pdb, desired_healthy)},
    {.name = "observedGeneration", .type = KUBE_JSON_INT, .offset = offsetof(struct pdb, observed_generation)},
    KUBE_JSON_END,
};

static const struct kube_json_field pdb_table[] = {
    {.name = "spec", .type = KUBE_JSON_OBJECT, .table = spec_table},
    {.name = "status", .type = KUBE_JSON_OBJECT, .table = status_table},
    KUBE_JSON_END,
};

static int decode(const cJSON *item, struct kube_object *self, struct kube_err *err)
{
	struct pdb *pdb = (struct pdb *)self;
	const char *unhealthy = kube_json_str(item, "spec.unhealthyPodEvictionPolicy");
	int rc = kube_json_decode(item, pdb_table, pdb, &self->arena, err);
	if (rc)
		return rc;
	pdb->has_selector = kube_json_get(item, "spec.selector") != NULL;
	pdb->always_allow_unhealthy = unhealthy && strcmp(unhealthy, "AlwaysAllow") == 0;
	return 0;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct pdb *x = (const struct pdb *)a, *y = (const struct pdb *)b;
	return same_object(a, b) && a->generation == b->generation && x->has_selector == y->has_selector &&
	       x->always_allow_unhealthy == y->always_allow_unhealthy && same_fields(pdb_table, x, y);
}

const struct kube_projection pdb_projection = {
    .resource = &kube_pdbs,
    .size = sizeof(struct pdb),
    .decode = decode,
    .same = same,
};
