/* spec.exceptions of a policy: decoded, and what a schema cannot say about them. */
#include "controller/model/internal.h"

#include <string.h>

#define AT(member) offsetof(struct exception_spec, member)
const struct kube_json_field exception_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "selector",
     .type = KUBE_JSON_OBJECT,
     .offset = AT(selector),
     .required = true,
     .table = kube_selector_table},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason), .required = true},
    {.name = "reference", .type = KUBE_JSON_STRING, .offset = AT(reference)},
    {.name = "expires", .type = KUBE_JSON_TIME, .offset = AT(expires_ms), .required = true},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct exception_status, member)
const struct kube_json_field exception_status_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "expires", .type = KUBE_JSON_TIME, .offset = AT(expires_ms), .required = true},
    {.name = "nodes", .type = KUBE_JSON_INT, .offset = AT(nodes)},
    KUBE_JSON_END,
};
#undef AT

static int check_one(const struct policy *policy, size_t index, struct kube_err *err)
{
	const struct exception_spec *exception = &policy->exceptions.items[index];

	for (size_t i = 0; i < index; i++)
		if (!strcmp(policy->exceptions.items[i].name, exception->name))
			return kube_fail(err, KUBE_E_INVALID, "spec.exceptions[%zu].name: \"%.63s\" stands there twice", index,
			                 exception->name);
	int rc = kube_selector_empty(&exception->selector)
	             ? kube_fail(err, KUBE_E_INVALID,
	                         "selector: it is empty, which would except every node; name at least one label, or "
	                         "suspend the policy")
	             : kube_selector_check(&exception->selector, err);
	return rc ? kube_err_prefix(err, "spec.exceptions[%zu]", index) : 0;
}

int exceptions_check(const struct policy *policy, struct kube_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < policy->exceptions.count; i++)
		rc = check_one(policy, i, err);
	return rc;
}
