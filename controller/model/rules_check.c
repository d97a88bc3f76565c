/* What a schema cannot say about the governing part of a policy. */
#include "controller/model/internal.h"
#include "controller/model/version.h"
#include "controller/model/version_range.h"

#include <string.h>

static int check_selector(const struct kube_selector *selector, struct kube_err *err)
{
	if (kube_selector_empty(selector))
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.target.nodes.selector is empty, which would mean every node; name at least one label");
	int rc = kube_selector_check(selector, err);
	return rc ? kube_err_prefix(err, "spec.target.nodes") : 0;
}

/* Custom versions are only ever compared for equality, so any text will do. What a channel says is looked at as it is
 * resolved. */
static int check_version(const struct patch *patch, size_t index, struct kube_err *err)
{
	if (!patch->version || patch->component == COMPONENT_CUSTOM || version_comparable(patch->version))
		return 0;
	return kube_fail(
	    err, KUBE_E_INVALID,
	    "spec.patches[%zu].version: \"%.80s\" cannot be compared with the versions that nodes report for %s; "
	    "write it as the node would show it, for example 1.7.27",
	    index, patch->version, component_names[patch->component]);
}

static int check_observed(const struct patch *patch, size_t index, struct kube_err *err)
{
	if (patch->observed.type != OBSERVED_DEFAULT)
		return 0;
	return kube_fail(
	    err, KUBE_E_INVALID,
	    "spec.patches[%zu].observed is missing; component Custom needs it, or a verify job, because there is no "
	    "standard place for its version",
	    index);
}

static int check_supported_from(const struct patch *patch, size_t index, struct kube_err *err)
{
	for (size_t i = 0; i < patch->supported_from.count; i++) {
		int rc = version_range_check(patch->supported_from.items[i], err);
		if (rc < 0) {
			kube_err_prefix(err, "spec.patches[%zu].supportedFrom[%zu]", index, i);
			return KUBE_E_INVALID;
		}
	}
	return 0;
}

int rules_check(const struct rules *rules, struct kube_err *err)
{
	int rc = check_selector(&rules->selector, err);

	for (size_t i = 0; !rc && i < rules->patches.count; i++) {
		rc = check_version(&rules->patches.items[i], i, err);
		if (!rc)
			rc = check_observed(&rules->patches.items[i], i, err);
		if (!rc)
			rc = check_supported_from(&rules->patches.items[i], i, err);
	}
	if (!rc)
		rc = strategy_check(rules, err);
	if (!rc)
		rc = drain_check(&rules->drain, err);
	if (!rc)
		rc = gates_check(rules, err);
	return rc ? rc : windows_check(rules, err);
}
