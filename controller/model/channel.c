#include "controller/model/channel.h"
#include "controller/model/internal.h"
#include "controller/model/version.h"

#include <string.h>

#define DEFAULT_INTERVAL_MS (5 * 60 * INT64_C(1000))

static const char *const channel_words[] = {"ConfigMap", "URL", NULL};

static const struct kube_json_field config_map_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct channel, config_map), .required = true},
    {.name = "key", .type = KUBE_JSON_STRING, .offset = offsetof(struct channel, key), .required = true},
    KUBE_JSON_END,
};

static const struct kube_json_field secret_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct channel, secret), .required = true},
    KUBE_JSON_END,
};

const struct kube_json_field channel_table[] = {
    {.name = "type",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct channel, type),
     .required = true,
     .words = channel_words},
    {.name = "configMap", .type = KUBE_JSON_OBJECT, .table = config_map_table},
    {.name = "url", .type = KUBE_JSON_STRING, .offset = offsetof(struct channel, url)},
    {.name = "secretRef", .type = KUBE_JSON_OBJECT, .table = secret_table},
    {.name = "interval", .type = KUBE_JSON_DURATION, .offset = offsetof(struct channel, interval_ms)},
    KUBE_JSON_END,
};

#define SEEN_FIELDS(type_, version_, since_) \
	{.name = "version", .type = KUBE_JSON_STRING, .offset = offsetof(type_, version_)}, \
	{ \
		.name = "firstSeen", .type = KUBE_JSON_TIME, .offset = offsetof(type_, since_) \
	}

static const struct kube_json_field seen_table[] = {
    SEEN_FIELDS(struct seen_version, version, first_seen_ms),
    KUBE_JSON_END,
};

const struct kube_json_field resolved_table[] = {
    {.name = "component", .type = KUBE_JSON_STRING, .offset = offsetof(struct resolved, component), .required = true},
    {.name = "channel", .type = KUBE_JSON_STRING, .offset = offsetof(struct resolved, channel), .required = true},
    SEEN_FIELDS(struct resolved, now.version, now.first_seen_ms),
    {.name = "candidate",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct resolved, candidate),
     .table = seen_table},
    {.name = "previous", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct resolved, previous), .table = seen_table},
    KUBE_JSON_END,
};

int channel_complete(struct channel *channel, size_t patch, struct kube_arena *arena, struct kube_err *err)
{
	bool from_url = channel->type == CHANNEL_URL;

	if (from_url ? !channel->url : !channel->config_map)
		return kube_fail(err, KUBE_E_PARSE, "patches[%zu].channel.%s: required, but absent", patch,
		                 from_url ? "url" : "configMap");
	if (channel->interval_ms <= 0)
		channel->interval_ms = DEFAULT_INTERVAL_MS;
	channel->source = from_url ? kube_arena_printf(arena, "URL %s", channel->url)
	                           : kube_arena_printf(arena, "ConfigMap %s/%s", channel->config_map, channel->key);
	return channel->source ? 0 : meta_out_of_memory(err);
}

/* ^[0-9A-Za-z][0-9A-Za-z.+~:_-]{0,63}$ as in the schema, without a locale. */
static bool is_plain(const char *text)
{
	static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	static const char all[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+~:_-";
	size_t len = strspn(text, all);

	return strspn(text, alnum) > 0 && len <= CHANNEL_VERSION_BYTES && text[len] == '\0';
}

bool channel_version_ok(const struct patch *patch, const char *version)
{
	return is_plain(version) && (patch->component == COMPONENT_CUSTOM || version_comparable(version));
}

const struct resolved *channel_resolved(const struct policy *policy, const struct patch *patch)
{
	for (size_t i = 0; i < policy->resolved.count; i++) {
		const struct resolved *resolved = &policy->resolved.items[i];
		if (strcmp(resolved->component, component_names[patch->component]) == 0 &&
		    strcmp(resolved->channel, patch->channel->source) == 0)
			return resolved;
	}
	return NULL;
}

void channels_apply(struct policy *policy)
{
	for (size_t i = 0; i < policy->rules.patches.count; i++) {
		struct patch *patch = &policy->rules.patches.items[i];
		const struct resolved *resolved = patch->channel ? channel_resolved(policy, patch) : NULL;
		if (resolved && resolved->now.version && channel_version_ok(patch, resolved->now.version))
			patch->version = resolved->now.version;
	}
}

const struct patch *rules_unresolved(const struct rules *rules)
{
	for (size_t i = 0; i < rules->patches.count; i++)
		if (!rules->patches.items[i].version)
			return &rules->patches.items[i];
	return NULL;
}
