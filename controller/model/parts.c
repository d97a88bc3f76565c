#include "controller/model/internal.h"

#include <string.h>

#define AT(member) offsetof(struct condition_part, member)
/* k8s.io/api/core/v1/generated.proto NodeCondition and PodCondition, which have these at the same numbers */
const struct kube_json_field condition_part_table[] = {
    {.name = "type", .number = 1, .type = KUBE_JSON_STRING, .offset = AT(type), .lenient = true},
    {.name = "status", .number = 2, .type = KUBE_JSON_STRING, .offset = AT(status), .lenient = true},
    {.name = "lastTransitionTime", .number = 4, .type = KUBE_JSON_TIME, .offset = AT(since_ms), .lenient = true},
    KUBE_JSON_END,
};
#undef AT

const struct condition_part *condition_part_get(const struct condition_parts *conditions, const char *type)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (conditions->items[i].type && strcmp(conditions->items[i].type, type) == 0)
			return &conditions->items[i];
	return NULL;
}

bool condition_part_true(const struct condition_part *condition)
{
	return condition && condition->status && strcmp(condition->status, "True") == 0;
}

#define AT(member) offsetof(struct owner_part, member)
/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto OwnerReference */
const struct kube_json_field owner_part_table[] = {
    {.name = "kind", .number = 1, .type = KUBE_JSON_STRING, .offset = AT(kind), .lenient = true},
    {.name = "name", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(name), .lenient = true},
    {.name = "uid", .number = 4, .type = KUBE_JSON_STRING, .offset = AT(uid), .lenient = true},
    {.name = "controller", .number = 6, .type = KUBE_JSON_BOOL, .offset = AT(controller), .lenient = true},
    KUBE_JSON_END,
};

struct owner_part owner_part_controller(const struct owner_parts *owners)
{
	for (size_t i = 0; i < owners->count; i++)
		if (owners->items[i].controller)
			return owners->items[i];
	return (struct owner_part){.kind = NULL};
}
