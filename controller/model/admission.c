/* Whether the admission policies that we rely on, and their bindings, stand there as crds/admission.yaml has them. */
#include "controller/model/admission.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <string.h>

struct expected {
	const char *name;
	const struct kube_resource *resources[3]; /* of what it looks at */
	const char *operations[3];
	struct variable {
		const char *name, *expression;
	} variables[6];
	const char *validations[4];
};

static const struct expected expectations[] = {
    {
        .name = APPROVALS_ADMISSION,
        .resources = {&pw_approvals},
        .operations = {"CREATE"},
        .validations =
            {
                "object.spec.user == request.userInfo.username",
                "!request.userInfo.username.startsWith('system:')",
                "authorizer.group('patchwright.io').resource('patchrollouts').name(object.spec.rolloutRef.name)"
                ".check('approve').allowed()",
            },
    },
    {
        .name = RIGHTS_ADMISSION,
        .resources = {&pw_rollouts},
        .operations = {"CREATE", "UPDATE"},
        .variables =
            {
                {"isPolicy", "request.resource.resource == 'patchpolicies'"},
                {"oldSpec", "request.operation == 'CREATE' ? {} : oldObject.spec"},
                {"oldAuthor", "request.operation == 'CREATE' ? '' : "
                              "oldObject.metadata.?annotations[?'patchwright.io/author'].orValue('')"},
                {"authorChanged",
                 "object.metadata.?annotations[?'patchwright.io/author'].orValue('') != variables.oldAuthor"},
                {"check", "authorizer.group('patchwright.io').resource(request.resource.resource).name(object.metadata"
                          ".name)"},
            },
        .validations =
            {
                "variables.isPolicy || !object.spec.?emergency.?enabled.orValue(false) || (object.spec.?emergency == "
                "variables.oldSpec.?emergency && !variables.authorChanged) || variables.check.check('override')"
                ".allowed()",
            },
    },
    {
        .name = AUTHORS_ADMISSION,
        .resources = {&pw_policies, &pw_rollouts},
        .operations = {"CREATE", "UPDATE"},
        .variables =
            {
                {"author", "object.metadata.?annotations[?'patchwright.io/author'].orValue('')"},
                {"oldAuthor", "request.operation == 'CREATE' ? '' : "
                              "oldObject.metadata.?annotations[?'patchwright.io/author'].orValue('')"},
                {"oldSpec", "request.operation == 'CREATE' ? {} : oldObject.spec"},
                {"intentOnly", "request.resource.resource == 'patchrollouts' && request.operation == 'UPDATE'"},
            },
        .validations =
            {
                "variables.author == '' || variables.author == request.userInfo.username || (variables.author == "
                "variables.oldAuthor && (object.spec == variables.oldSpec || variables.intentOnly)) || "
                "authorizer.group('patchwright.io').resource(request.resource.resource).name(object.metadata.name)"
                ".check('vouch').allowed()",
            },
    },
};

static const struct expected *expected_of(const char *name)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(expectations); i++)
		if (strcmp(expectations[i].name, name) == 0)
			return &expectations[i];
	return NULL;
}

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

static bool covers(const cJSON *rule, const struct expected *expected, const struct kube_resource *resource)
{
	const cJSON *scope = kube_json_get(rule, "scope");
	bool operations = true;

	for (size_t i = 0; expected->operations[i]; i++)
		operations &= contains(kube_json_get(rule, "operations"), expected->operations[i]);
	return operations && contains(kube_json_get(rule, "apiGroups"), PW_GROUP) &&
	       contains(kube_json_get(rule, "apiVersions"), PW_VERSION) &&
	       contains(kube_json_get(rule, "resources"), resource->plural) &&
	       is_empty(kube_json_get(rule, "resourceNames")) &&
	       (!scope || is_text(scope, "*") || is_text(scope, "Cluster"));
}

static bool any_covers(const cJSON *rules, const struct expected *expected, const struct kube_resource *resource)
{
	const cJSON *rule;

	cJSON_ArrayForEach (rule, rules)
		if (covers(rule, expected, resource))
			return true;
	return false;
}

/* At every object of its kinds: nothing is left out. */
static bool looks_at_all(const cJSON *constraints, const struct expected *expected)
{
	bool covered = true;

	for (size_t i = 0; expected->resources[i]; i++)
		covered &= any_covers(kube_json_get(constraints, "resourceRules"), expected, expected->resources[i]);
	return covered && is_empty(kube_json_get(constraints, "excludeResourceRules")) &&
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

/* Names of variables are unique. */
static bool defines(const cJSON *spec, const struct variable *expected)
{
	const cJSON *variable;

	cJSON_ArrayForEach (variable, kube_json_get(spec, "variables"))
		if (is_text(kube_json_get(variable, "name"), expected->name))
			return is_text(kube_json_get(variable, "expression"), expected->expression);
	return false;
}

static bool says(const cJSON *spec, const struct expected *expected)
{
	for (size_t i = 0; expected->variables[i].name; i++)
		if (!defines(spec, &expected->variables[i]))
			return false;
	for (size_t i = 0; expected->validations[i]; i++)
		if (!demands(spec, expected->validations[i]))
			return false;
	return true;
}

static bool policy_as_expected(const char *name, const cJSON *spec)
{
	const struct expected *expected = expected_of(name);
	const cJSON *failure = kube_json_get(spec, "failurePolicy");

	return expected && says(spec, expected) && (!failure || is_text(failure, "Fail")) &&
	       !kube_json_get(spec, "paramKind") && is_empty(kube_json_get(spec, "matchConditions")) &&
	       looks_at_all(kube_json_get(spec, "matchConstraints"), expected);
}

/* Ours have the name of their policy. */
static bool binding_as_expected(const char *name, const cJSON *spec)
{
	return is_text(kube_json_get(spec, "policyName"), name) &&
	       contains(kube_json_get(spec, "validationActions"), "Deny") && !kube_json_get(spec, "paramRef") &&
	       is_empty(kube_json_get(spec, "matchResources"));
}

static int decode_policy(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	(void)arena, (void)err;
	((struct admission *)self)->as_expected = policy_as_expected(self->name, kube_json_get(item, "spec"));
	return 0;
}

static int decode_binding(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	(void)arena, (void)err;
	((struct admission *)self)->as_expected = binding_as_expected(self->name, kube_json_get(item, "spec"));
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
