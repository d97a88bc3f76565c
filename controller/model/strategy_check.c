/* What a schema cannot say about spec.strategy. */
#include "controller/model/internal.h"

#include <string.h>

/* A limit of nothing would make a rollout that never ends, and look like one that has nothing to do. */
static int check_unavailable(const struct kube_intstr *value, const char *where, const char *name, struct kube_err *err)
{
	if (!value->set || (value->value >= 1 && (!value->percent || value->value <= 100)))
		return 0;
	return kube_fail(err, KUBE_E_INVALID, "%s%s.maxUnavailable: %lld%s is refused; use at least 1, or 1%% to 100%%",
	                 where, name, (long long)value->value, value->percent ? "%" : "");
}

static int check_failure_budget(const struct kube_intstr *value, struct kube_err *err)
{
	if (value->value >= 0 && (!value->percent || value->value <= 100))
		return 0;
	return kube_fail(err, KUBE_E_INVALID,
	                 "spec.strategy.failureBudget: %lld%s is refused; use 0 or more, or 0%% to 100%%",
	                 (long long)value->value, value->percent ? "%" : "");
}

static int check_order(const struct order *order, struct kube_err *err)
{
	for (size_t i = 0; i < order->count; i++)
		for (size_t k = 0; k < i; k++)
			if (order->keys[i] == order->keys[k])
				return kube_fail(err, KUBE_E_INVALID, "spec.strategy.order[%zu]: %s stands there twice", i,
				                 order_names[order->keys[i]]);
	return 0;
}

static int check_name(const struct rules *rules, size_t index, struct kube_err *err)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(rules->waves.items[i].name, rules->waves.items[index].name) == 0)
			return kube_fail(err, KUBE_E_INVALID, "spec.strategy.waves[%zu].name: \"%.63s\" stands there twice", index,
			                 rules->waves.items[index].name);
	return 0;
}

/* Whatever the last wave left out would never be patched. */
static int check_last(const struct wave_spec *wave, size_t index, struct kube_err *err)
{
	if (!wave->size.set && !wave->selector)
		return 0;
	const char *member = wave->size.set ? "size" : "selector";
	return kube_fail(err, KUBE_E_INVALID,
	                 "spec.strategy.waves[%zu].%s: the last wave takes what is left; leave its %s out", index, member,
	                 member);
}

static int check_size(const struct wave_spec *wave, size_t index, struct kube_err *err)
{
	if (!wave->size.set && wave->selector)
		return 0;
	if (wave->size.set && wave->size.value >= 1 && (!wave->size.percent || wave->size.value <= 100))
		return 0;
	return kube_fail(err, KUBE_E_INVALID,
	                 "spec.strategy.waves[%zu].size: every wave but the last needs a size of at least 1, or 1%% to "
	                 "100%%, or a selector",
	                 index);
}

static int check_wave_selector(const struct wave_spec *wave, size_t index, struct kube_err *err)
{
	if (!wave->selector)
		return 0;
	int rc = kube_selector_empty(wave->selector)
	             ? kube_fail(err, KUBE_E_INVALID,
	                         "selector: it is empty; name at least one label, or leave it out to take any node")
	             : kube_selector_check(wave->selector, err);
	return rc ? kube_err_prefix(err, "spec.strategy.waves[%zu]", index) : 0;
}

/* No domain at a time would be a rollout that never ends. */
static int check_topology(const struct topology *topology, struct kube_err *err)
{
	if (!topology || (*topology->key && topology->max_domains >= 1))
		return 0;
	return kube_fail(
	    err, KUBE_E_INVALID,
	    "topology: it needs a key, for example topology.kubernetes.io/zone, and a maxDomainsInProgress of at "
	    "least 1");
}

static int check_wave(const struct rules *rules, size_t index, struct kube_err *err)
{
	const struct wave_spec *wave = &rules->waves.items[index];
	int rc = check_name(rules, index, err);

	if (!rc)
		rc = index + 1 == rules->waves.count ? check_last(wave, index, err) : check_size(wave, index, err);
	if (!rc)
		rc = check_wave_selector(wave, index, err);
	if (!rc && check_topology(wave->topology, err) != 0)
		rc = kube_err_prefix(err, "spec.strategy.waves[%zu]", index);
	return rc ? rc : check_unavailable(&wave->max_unavailable, "spec.strategy.waves.", wave->name, err);
}

/* A wave after sizes of 100% together would never get a node. Waves with a selector take from their own nodes only. */
static int check_coverage(const struct rules *rules, struct kube_err *err)
{
	int64_t percent = 0;

	for (size_t i = 0; i < rules->waves.count; i++) {
		const struct wave_spec *wave = &rules->waves.items[i];
		if (wave->selector)
			continue;
		if (percent >= 100)
			return kube_fail(
			    err, KUBE_E_INVALID,
			    "spec.strategy.waves[%zu] (%.63s) can never get a node, because the sizes before it add up "
			    "to %lld%%; make one of them smaller, or remove the wave",
			    i, wave->name, (long long)percent);
		percent += wave->size.percent ? wave->size.value : 0;
	}
	return 0;
}

int strategy_check(const struct rules *rules, struct kube_err *err)
{
	int rc = check_unavailable(&rules->max_unavailable, "spec.strategy", "", err);

	if (!rc)
		rc = check_failure_budget(&rules->failure_budget, err);
	if (!rc)
		rc = check_order(&rules->order, err);
	if (!rc && check_topology(rules->topology, err) != 0)
		rc = kube_err_prefix(err, "spec.strategy");
	for (size_t i = 0; !rc && i < rules->waves.count; i++)
		rc = check_wave(rules, i, err);
	return rc ? rc : check_coverage(rules, err);
}
