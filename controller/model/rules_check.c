/* What a schema cannot say about the governing part of a policy. */
#include "controller/model/policy.h"
#include "controller/model/version.h"

#include <string.h>

static int check_selector(const struct kube_selector *selector, struct kube_err *err)
{
	if (kube_selector_empty(selector))
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.target.nodes.selector is empty, which would mean every node; name at least one label");
	int rc = kube_selector_check(selector, err);
	return rc ? kube_err_prefix(err, "spec.target.nodes") : 0;
}

/* Custom versions are only ever compared for equality, so any text will do. */
static int check_version(const struct patch *patch, size_t index, struct kube_err *err)
{
	if (patch->component == COMPONENT_CUSTOM || version_comparable(patch->version))
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
	    "spec.patches[%zu].observed is missing; component Custom needs it, because there is no standard place "
	    "for its version",
	    index);
}

/* A limit of nothing would make a rollout that never ends, and look like one that has nothing to do. */
static int check_unavailable(const struct kube_intstr *value, const char *where, const char *name, struct kube_err *err)
{
	if (!value->set || (value->value >= 1 && (!value->percent || value->value <= 100)))
		return 0;
	return kube_fail(err, KUBE_E_INVALID, "%s%s.maxUnavailable: %lld%s is refused; use at least 1, or 1%% to 100%%",
	                 where, name, (long long)value->value, value->percent ? "%" : "");
}

/* Every wave has a size but the last, which takes what is left. */
static int check_wave(const struct rules *rules, size_t index, struct kube_err *err)
{
	const struct wave_spec *wave = &rules->waves.items[index];
	bool last = index + 1 == rules->waves.count;

	for (size_t i = 0; i < index; i++)
		if (strcmp(rules->waves.items[i].name, wave->name) == 0)
			return kube_fail(err, KUBE_E_INVALID, "spec.strategy.waves[%zu].name: \"%.63s\" stands there twice", index,
			                 wave->name);
	if (last && wave->size.set)
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.strategy.waves[%zu].size: the last wave takes what is left; leave its size out", index);
	if (!last && (!wave->size.set || wave->size.value < 1))
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.strategy.waves[%zu].size: every wave but the last needs a size of at least 1, or 1%%",
		                 index);
	return check_unavailable(&wave->max_unavailable, "spec.strategy.waves.", wave->name, err);
}

int rules_check(const struct rules *rules, struct kube_err *err)
{
	int rc = check_selector(&rules->selector, err);

	for (size_t i = 0; !rc && i < rules->patches.count; i++) {
		rc = check_version(&rules->patches.items[i], i, err);
		if (!rc)
			rc = check_observed(&rules->patches.items[i], i, err);
	}
	if (!rc)
		rc = check_unavailable(&rules->max_unavailable, "spec.strategy", "", err);
	for (size_t i = 0; !rc && i < rules->waves.count; i++)
		rc = check_wave(rules, i, err);
	return rc;
}
