/* spec.versions of a rollout: what it brings instead of what its policy says. */
#include "controller/model/channel.h"
#include "controller/model/internal.h"

static struct patch *patch_of(const struct rules *rules, int component, size_t *ret_count)
{
	struct patch *found = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < rules->patches.count; i++)
		if (rules->patches.items[i].component == component) {
			found = &rules->patches.items[i];
			++*ret_count;
		}
	return found;
}

static int pin(struct rules *rules, const struct version_of *version, size_t index, struct kube_err *err)
{
	const char *component = component_names[version->component];
	size_t count;
	struct patch *patch = patch_of(rules, version->component, &count);

	if (count != 1)
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.versions[%zu]: the policy has %zu patches of %s, and a version can be given where it "
		                 "has one",
		                 index, count, component);
	if (!channel_version_ok(patch, version->version))
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.versions[%zu].version: \"%.80s\" cannot be compared with the versions that nodes report "
		                 "for %s; write it as the node would show it, for example 1.7.27",
		                 index, version->version, component);
	patch->version = version->version;
	return 0;
}

int rules_pin(struct rules *rules, const struct pins *pins, struct kube_err *err)
{
	for (size_t i = 0; i < pins->count; i++) {
		int rc = pin(rules, &pins->items[i], i, err);
		if (rc)
			return rc;
	}
	return 0;
}
