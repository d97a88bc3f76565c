/* spec.emergency of a policy, decoded with the defaults of crds/patchpolicies.yaml. */
#include "controller/model/internal.h"

static int decode_bypass(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	static const char *const words[] = {"Windows", "Freezes", "Soak", "Approval", NULL}; /* by enum bypass */

	(void)arena;
	return words_decode(value, words, "Windows, Freezes, Soak or Approval", field, err);
}

#define AT(member) offsetof(struct emergency_rules, member)
const struct kube_json_field emergency_rules_table[] = {
    {.name = "allow", .type = KUBE_JSON_BOOL, .offset = AT(allow)},
    {.name = "bypass", .type = KUBE_JSON_CUSTOM, .offset = AT(bypass), .decode = decode_bypass},
    KUBE_JSON_END,
};

struct emergency_rules emergency_rules_defaults(void)
{
	return (struct emergency_rules){.bypass = UINT32_C(1) << BYPASS_WINDOWS | UINT32_C(1) << BYPASS_SOAK};
}
