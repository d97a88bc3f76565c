/* spec.approval, decoded with the defaults of crds/patchpolicies.yaml. */
#include "controller/model/internal.h"

#define HOUR_MS (INT64_C(60) * 60 * 1000)

static const char *const mode_words[] = {"None", "Rollout", "Wave", NULL};

#define AT(member) offsetof(struct approval_rules, member)
const struct kube_json_field approval_rules_table[] = {
    {.name = "mode", .type = KUBE_JSON_ENUM, .offset = AT(mode), .words = mode_words},
    {.name = "required", .type = KUBE_JSON_INT, .offset = AT(required)},
    {.name = "separationOfDuties", .type = KUBE_JSON_BOOL, .offset = AT(separate_duties)},
    {.name = "expiresAfter", .type = KUBE_JSON_DURATION, .offset = AT(expires_after_ms)},
    KUBE_JSON_END,
};

struct approval_rules approval_rules_defaults(void)
{
	return (struct approval_rules){.required = 1, .separate_duties = true, .expires_after_ms = 24 * HOUR_MS};
}
