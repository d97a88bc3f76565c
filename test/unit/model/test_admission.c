/* The admission policies that we rely on: as crds/admission.yaml has them, and weakened in every way. */
#include "test/admission.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

/* With this member set to this value; path NULL: as installed. */
static bool as_expected(const char *kind, const char *name, const char *path, const char *value)
{
	bool policy = !strcmp(kind, "ValidatingAdmissionPolicy");
	_cleanup_json_ cJSON *json = admission_installed(kind, name);
	struct kube_object *object = NULL;

	ck_assert_msg(json != NULL, "crds/admission.yaml has no %s %s, or this does not run in the root", kind, name);
	if (path)
		json_set(json, path, value);
	int rc =
	    kube_object_decode(policy ? &admission_policy_projection : &admission_binding_projection, json, &object, NULL);
	ck_assert_int_eq(rc, 0);
	bool is = ((struct admission *)object)->as_expected;
	kube_object_unref(object);
	return is;
}

static const char *const names[] = {APPROVALS_ADMISSION, RIGHTS_ADMISSION, AUTHORS_ADMISSION};

START_TEST(as_installed)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(names); i++) {
		ck_assert_msg(as_expected("ValidatingAdmissionPolicy", names[i], NULL, NULL), "%s", names[i]);
		ck_assert_msg(as_expected("ValidatingAdmissionPolicyBinding", names[i], NULL, NULL), "%s", names[i]);
	}
	ck_assert(!as_expected("ValidatingAdmissionPolicy", "reports.patchwright.io", NULL, NULL)); /* not looked at */
}
END_TEST

/* What the server fills in, or nobody wrote, weakens nothing. */
START_TEST(defaults)
{
	static const struct {
		const char *path, *value;
	} same[] = {
	    {"spec>matchConstraints>matchPolicy", "'Equivalent'"},
	    {"spec>matchConstraints>namespaceSelector", "{}"},
	    {"spec>matchConstraints>objectSelector", "{}"},
	    {"spec>matchConstraints>resourceRules>0>scope", NULL},
	    {"spec>failurePolicy", NULL},
	};
	for (size_t n = 0; n < KUBE_ARRAY_LEN(names); n++)
		for (size_t i = 0; i < KUBE_ARRAY_LEN(same); i++)
			ck_assert_msg(as_expected("ValidatingAdmissionPolicy", names[n], same[i].path, same[i].value), "%s: %s",
			              names[n], same[i].path);
}
END_TEST

START_TEST(policies_that_are_weaker)
{
	static const struct {
		const char *name; /* NULL: each of them */
		const char *path, *value;
	} weaker[] = {
	    {NULL, "spec>failurePolicy", "'Ignore'"},
	    {NULL, "spec>paramKind", "{'kind':'ConfigMap'}"},
	    {NULL, "spec>matchConditions", "[{'name':'x','expression':'false'}]"},
	    {NULL, "spec>matchConstraints>objectSelector", "{'matchLabels':{'a':'b'}}"},
	    {NULL, "spec>matchConstraints>namespaceSelector", "{'matchLabels':{'a':'b'}}"},
	    {NULL, "spec>matchConstraints>excludeResourceRules", "[{'resources':['*']}]"},
	    {NULL, "spec>matchConstraints>resourceRules", "[]"},
	    {NULL, "spec>matchConstraints>resourceRules>0>operations", "['UPDATE']"},
	    {NULL, "spec>matchConstraints>resourceRules>0>resources", "['patchreports']"},
	    {NULL, "spec>matchConstraints>resourceRules>0>apiGroups", "['apps']"},
	    {NULL, "spec>matchConstraints>resourceRules>0>apiVersions", "['v2']"},
	    {NULL, "spec>matchConstraints>resourceRules>0>resourceNames", "['x']"},
	    {NULL, "spec>matchConstraints>resourceRules>0>scope", "'Namespaced'"},
	    {NULL, "spec>validations", "[]"},
	    {NULL, "spec", NULL},
	    {APPROVALS_ADMISSION, "spec>validations>0>expression", "'true'"},
	    {APPROVALS_ADMISSION, "spec>validations>1>expression", "'true'"},
	    {APPROVALS_ADMISSION, "spec>validations>2>expression", "'true'"},
	    {RIGHTS_ADMISSION, "spec>matchConstraints>resourceRules>0>operations", "['CREATE']"},
	    {RIGHTS_ADMISSION, "spec>validations>1>expression", "'true'"},
	    {RIGHTS_ADMISSION, "spec>variables>0>expression", "'true'"},
	    {RIGHTS_ADMISSION, "spec>variables>1>expression", "'{}'"},
	    {RIGHTS_ADMISSION, "spec>variables>2>expression", "'object.metadata.name'"},
	    {RIGHTS_ADMISSION, "spec>variables>3>expression", "'false'"},
	    {RIGHTS_ADMISSION, "spec>variables>4>expression", "'authorizer'"},
	    {RIGHTS_ADMISSION, "spec>variables", NULL},
	    {AUTHORS_ADMISSION, "spec>matchConstraints>resourceRules>0>operations", "['CREATE']"},
	    {AUTHORS_ADMISSION, "spec>matchConstraints>resourceRules>0>resources", "['patchpolicies']"},
	    {AUTHORS_ADMISSION, "spec>matchConstraints>resourceRules>0>resources", "['patchrollouts']"},
	    {AUTHORS_ADMISSION, "spec>validations>0>expression", "'true'"},
	    {AUTHORS_ADMISSION, "spec>variables>0>expression", "''"},
	    {AUTHORS_ADMISSION, "spec>variables>1>expression", "'bob'"},
	    {AUTHORS_ADMISSION, "spec>variables>2>expression", "'object.spec'"},
	    {AUTHORS_ADMISSION, "spec>variables>4>expression", "'true'"},
	};
	for (size_t n = 0; n < KUBE_ARRAY_LEN(names); n++)
		for (size_t i = 0; i < KUBE_ARRAY_LEN(weaker); i++)
			if (!weaker[i].name || !strcmp(weaker[i].name, names[n]))
				ck_assert_msg(!as_expected("ValidatingAdmissionPolicy", names[n], weaker[i].path, weaker[i].value),
				              "%s: %s is %s, and nothing is noticed", names[n], weaker[i].path, weaker[i].value);
}
END_TEST

START_TEST(bindings_that_are_weaker)
{
	static const struct {
		const char *path, *value;
	} weaker[] = {
	    {"spec>policyName", "'other'"},
	    {"spec>validationActions", "['Warn','Audit']"},
	    {"spec>matchResources", "{'objectSelector':{'matchLabels':{'a':'b'}}}"},
	    {"spec>paramRef", "{'name':'x'}"},
	    {"spec", NULL},
	};
	for (size_t n = 0; n < KUBE_ARRAY_LEN(names); n++)
		for (size_t i = 0; i < KUBE_ARRAY_LEN(weaker); i++)
			ck_assert_msg(!as_expected("ValidatingAdmissionPolicyBinding", names[n], weaker[i].path, weaker[i].value),
			              "%s: %s is %s, and nothing is noticed", names[n], weaker[i].path, weaker[i].value);
}
END_TEST

CHECK_MAIN("model/admission", as_installed, defaults, policies_that_are_weaker, bindings_that_are_weaker)
