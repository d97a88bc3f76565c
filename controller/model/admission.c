/* Whether the admission policy of approvals, and its binding, stand there as crds/admission.yaml has them. */
#include "controller/model/approval.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <string.h>

static const char *const expected[] = {
    "object.spec.user == request.userInfo.username",
    "!request.userInfo.username.startsWith('system:')",
    "authorizer.group('patchwright.io').resource('patchrollouts').name(object.spec.rolloutRef.name).check('approve')"
    ".allowed()",
};

static bool is_text(const cJSON *value, const char *text)
{
	return cJSON_IsString(value) && strcmp(value->valuestring, text) == 0;
}

static bool contains(const cJSON *list, const char *text)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, list)
		if (is_text(entry, text) || is_text(entry, "*"))
			return true;
	return false;
}

/* Absent, or without a member. */
static bool is_empty(const cJSON *value)
{
	return !value || cJSON_GetArraySize(value) == 0;
}

static bool covers_approvals(const cJSON *rule)
{
	const cJSON *scope = kube_json_get(rule, "scope");
	return contains(kube_json_get(rule, "apiGroups"), PW_GROUP) &&
	       contains(kube_json_get(rule, "apiVersions"), PW_VERSION) &&
	       contains(kube_json_get(rule, "operations"), "CREATE") &&
	       contains(kube_json_get(rule, "resources"), pw_approvals.plural) &&
	       is_empty(kube_json_get(rule, "resourceNames")) &&
	       (!scope || is_text(scope, "*") || is_text(scope, "Cluster"));
}

/* It looks at every approval: nothing is left out. */
static bool looks_at_all(const cJSON *constraints)
{
	const cJSON *rule;
	bool covers = false;

	cJSON_ArrayForEach (rule, kube_json_get(constraints, "resourceRules"))
		covers |= covers_approvals(rule);
	return covers && is_empty(kube_json_get(constraints, "excludeResourceRules")) &&
	       is_empty(kube_json_get(constraints, "objectSelector")) &&
	       is_empty(kube_json_get(constraints, "namespaceSelector"));
}

static bool demands(const cJSON *spec, const char *expression)
{
	const cJSON *validation;

	cJSON_ArrayForEach (validation, kube_json_get(spec, "validations"))
		if (is_text(kube_json_get(validation, "expression"), expression))
			return true;
	return false;
}

static bool policy_as_expected(const cJSON *spec)
{
	const cJSON *failure = kube_json_get(spec, "failurePolicy");

	for (size_t i = 0; i < KUBE_ARRAY_LEN(expected); i++)
		if (!demands(spec, expected[i]))
			return false;
	return (!failure || is_text(failure, "Fail")) && !kube_json_get(spec, "paramKind") &&
	       is_empty(kube_json_get(spec, "matchConditions")) && looks_at_all(kube_json_get(spec, "matchConstraints"));
}

static bool binding_as_expected(const cJSON *spec)
{
	return is_text(kube_json_get(spec, "policyName"), APPROVALS_ADMISSION) &&
	       contains(kube_json_get(spec, "validationActions"), "Deny") && !kube_json_get(spec, "paramRef") &&
	       is_empty(kube_json_get(spec, "matchResources"));
}

static int decode_policy(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	(void)arena, (void)err;
	((struct admission *)self)->as_expected = policy_as_expected(kube_json_get(item, "spec"));
	return 0;
}

static int decode_binding(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	(void)arena, (void)err;
	((struct admission *)self)->as_expected = binding_as_expected(kube_json_get(item, "spec"));
	return 0;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) &&
	       ((const struct admission *)a)->as_expected == ((const struct admission *)b)->as_expected;
}

const struct kube_projection admission_policy_projection = {
    .resource = &pw_admission_policies,
    .size = sizeof(struct admission),
    .decode = decode_policy,
    .same = same,
};

const struct kube_projection admission_binding_projection = {
    .resource = &pw_admission_bindings,
    .size = sizeof(struct admission),
    .decode = decode_binding,
    .same = same,
};
