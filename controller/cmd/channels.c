/* What channels say: ConfigMaps in the controller's namespace, and URLs. */
#include "controller/cmd/snapshot.h"
#include "controller/model/config_map.h"

static struct channel_fact not_found(const char *message)
{
	return (struct channel_fact){.reason = "ChannelNotFound", .message = message};
}

static struct channel_fact read_config_map(const struct controller *controller, const struct channel *channel,
                                           struct kube_arena *arena)
{
	const char *key = plan_printf(arena, "%s/%s", controller->options->namespace_, channel->config_map);
	const struct config_map *config_map =
	    (const struct config_map *)kube_store_get(controller->caches[CACHE_CONFIG_MAPS].store, key);
	if (!config_map)
		return not_found(plan_printf(arena, "there is no ConfigMap %s: create it", key));
	const char *text = kube_strmap_get(&config_map->data, channel->key);
	if (!text)
		return not_found(plan_printf(arena, "ConfigMap %s has no key %s: add it, with the version", key, channel->key));
	return (struct channel_fact){.text = text};
}

/* Copied: what is known goes with the next question. */
static struct channel_fact read_url(const struct controller *controller, const struct channel *channel,
                                    struct kube_arena *arena)
{
	const struct poll_request request = {
	    .url = channel->url, .secret = channel->secret, .interval_ms = channel->interval_ms};
	struct channel_fact fact = *polls_get(controller->polls, &request);
	if (fact.text)
		fact.text = plan_printf(arena, "%s", fact.text);
	if (fact.message)
		fact.message = plan_printf(arena, "%s", fact.message);
	return fact;
}

static struct channel_fact read_channel(const struct controller *controller, const struct channel *channel,
                                        struct kube_arena *arena)
{
	switch ((enum channel_type)channel->type) {
	case CHANNEL_CONFIG_MAP: return read_config_map(controller, channel, arena);
	case CHANNEL_URL: return read_url(controller, channel, arena);
	}
	return (struct channel_fact){.reason = "ChannelNotFound", .message = "it is of no known type"};
}

const struct channel_fact *snapshot_channels(const struct controller *controller, const struct policy *policy,
                                             struct kube_arena *arena)
{
	struct channel_fact *facts = plan_alloc(arena, policy->rules.patches.count * sizeof(*facts));
	for (size_t i = 0; i < policy->rules.patches.count; i++)
		if (policy->rules.patches.items[i].channel)
			facts[i] = read_channel(controller, policy->rules.patches.items[i].channel, arena);
	return facts;
}
