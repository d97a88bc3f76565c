/* Drift: what a node shows against what the policy wants. */
#include "controller/model/version.h"
#include "controller/plan/internal.h"

/* A Custom component may carry any text as its version: then equal or not is all that can be said. */
static enum standing custom_standing(const char *shown, const char *wanted)
{
	return version_equal(shown, wanted) ? STANDING_UP_TO_DATE : STANDING_OUTDATED;
}

enum standing version_standing(const char *shown, const struct patch *patch)
{
	int order = 0;

	if (!patch->version)
		return STANDING_UNKNOWN;
	if (!shown || !*shown)
		return patch->applied ? STANDING_OUTDATED : STANDING_UNKNOWN;
	if (version_compare(shown, patch->version, &order, NULL) != 0)
		return patch->component == COMPONENT_CUSTOM ? custom_standing(shown, patch->version) : STANDING_UNKNOWN;
	if (order == 0)
		return STANDING_UP_TO_DATE;
	return order < 0 || patch->allow_downgrade ? STANDING_OUTDATED : STANDING_NEWER;
}

enum standing patch_standing(const struct node *node, const struct patch *patch)
{
	return version_standing(node_observed(node, &patch->observed), patch);
}

const char *shown_version(const struct node *node, const struct patch *patch)
{
	const char *shown = node_observed(node, &patch->observed);
	return shown && *shown ? shown : "nothing";
}
