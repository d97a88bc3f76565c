#include "controller/model/condition.h"
#include "controller/model/internal.h"

#include <string.h>

const char *const condition_status_names[] = {"False", "True", "Unknown", NULL};

const struct kube_json_field condition_table[] = {
    {.name = "type", .type = KUBE_JSON_STRING, .offset = offsetof(struct condition, type), .required = true},
    {.name = "status",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct condition, status),
     .required = true,
     .words = condition_status_names},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = offsetof(struct condition, reason), .required = true},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = offsetof(struct condition, message)},
    {.name = "observedGeneration", .type = KUBE_JSON_INT, .offset = offsetof(struct condition, observed_generation)},
    {.name = "lastTransitionTime",
     .type = KUBE_JSON_TIME,
     .offset = offsetof(struct condition, last_transition_ms),
     .required = true},
    KUBE_JSON_END,
};

const struct condition *condition_get(const struct conditions *conditions, const char *type)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (strcmp(conditions->items[i].type, type) == 0)
			return &conditions->items[i];
	return NULL;
}

bool condition_true(const struct conditions *conditions, const char *type)
{
	const struct condition *condition = condition_get(conditions, type);
	return condition && condition->status == CONDITION_TRUE;
}

void conditions_complete(struct conditions *conditions)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (!conditions->items[i].message)
			conditions->items[i].message = "";
}
