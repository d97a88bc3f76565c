/*
 * Whether a node may be brought from what it shows to what is wanted: the policy's supportedFrom, and for kubelets the
 * version skew policy. A refusal needs knowledge: while the API server's version is not known, nothing is refused and
 * no kubelet is started (server_unknown()).
 */
#include "controller/model/version_range.h"
#include "controller/plan/internal.h"
#include <string.h>

static bool supported(const char *shown, const struct patch *patch)
{
	for (size_t i = 0; shown && i < patch->supported_from.count; i++)
		if (version_in_range(shown, patch->supported_from.items[i]))
			return true;
	return patch->supported_from.count == 0 || !shown; /* what was never applied has no version to come from */
}

static enum skew skew_of(const char *shown, const struct patch *patch, const char *server)
{
	return patch->component == COMPONENT_KUBELET && server ? kubelet_skew(shown, patch->version, server) : SKEW_FINE;
}

enum standing upgrade_standing(const char *shown, const struct patch *patch, const char *server)
{
	enum standing standing = version_standing(shown, patch);

	if (standing != STANDING_OUTDATED)
		return standing;
	if (!supported(shown, patch))
		return STANDING_REFUSED;
	switch (skew_of(shown, patch, server)) {
	case SKEW_FINE:
	case SKEW_UNKNOWN: return STANDING_OUTDATED;
	case SKEW_NEWER_THAN_SERVER:
	case SKEW_TOO_OLD:
	case SKEW_SKIPS_MINOR: break;
	}
	return STANDING_REFUSED;
}

static enum standing known_standing(const char *shown, const struct patch *patch, const char *server,
                                    struct standings *standings)
{
	for (size_t i = 0; shown && i < KUBE_ARRAY_LEN(standings->items); i++)
		if (standings->items[i].patch == patch && !strcmp(standings->items[i].shown, shown))
			return standings->items[i].standing;
	enum standing standing = upgrade_standing(shown, patch, server);
	if (shown)
		standings->items[standings->next++ % KUBE_ARRAY_LEN(standings->items)] =
		    (struct known_standing){patch, shown, standing};
	return standing;
}

/* Over all patches: one that is unknown or refused keeps the node as it is. */
enum standing node_standing_of_many(const struct node *node, const struct rules *rules, const char *server,
                                    struct standings *standings)
{
	bool seen[STANDING_UNKNOWN + 1] = {false};

	for (size_t i = 0; i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		seen[known_standing(node_observed(node, &patch->observed), patch, server, standings)] = true;
	}
	if (seen[STANDING_UNKNOWN])
		return STANDING_UNKNOWN;
	if (seen[STANDING_REFUSED])
		return STANDING_REFUSED;
	if (seen[STANDING_OUTDATED])
		return STANDING_OUTDATED;
	return seen[STANDING_NEWER] ? STANDING_NEWER : STANDING_UP_TO_DATE;
}

enum standing node_standing(const struct node *node, const struct rules *rules, const char *server)
{
	struct standings none = {0};
	return node_standing_of_many(node, rules, server, &none);
}

bool server_unknown(const struct rules *rules, const char *server)
{
	for (size_t i = 0; !server && i < rules->patches.count; i++)
		if (rules->patches.items[i].component == COMPONENT_KUBELET)
			return true;
	return false;
}

static const char *skew_text(enum skew skew, const char *server, struct kube_arena *arena)
{
	switch (skew) {
	case SKEW_NEWER_THAN_SERVER:
		return plan_printf(arena, "a kubelet may not be newer than its API server, which is at %s: upgrade that first",
		                   server);
	case SKEW_TOO_OLD:
		return plan_printf(arena,
		                   "a kubelet may be at most %d minor versions older than its API server, which is at %s",
		                   SKEW_MAX_MINORS, server);
	case SKEW_SKIPS_MINOR: return "no minor version may be skipped: name the next one first";
	case SKEW_FINE:
	case SKEW_UNKNOWN: break;
	}
	return "";
}

const char *upgrade_refusal(const struct node *node, const struct rules *rules, const char *server,
                            struct kube_arena *arena)
{
	for (size_t i = 0; i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		const char *shown = node_observed(node, &patch->observed);
		if (upgrade_standing(shown, patch, server) != STANDING_REFUSED)
			continue;
		if (!supported(shown, patch))
			return plan_printf(arena,
			                   "node %s shows %s as its version of %s, from which patches[%zu].supportedFrom allows no "
			                   "way to %s",
			                   node->object.name, shown, component_names[patch->component], i, patch->version);
		return plan_printf(arena, "node %s shows kubelet %s, which may not be brought to %s: %s", node->object.name,
		                   shown, patch->version, skew_text(skew_of(shown, patch, server), server, arena));
	}
	return "";
}
