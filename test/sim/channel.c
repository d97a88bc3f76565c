/*
 * A channel that moves, and what must hold of versions that come from it: none is used that the channel has not said
 * for minimumAge, none is frozen that did not stand in status.resolved before, and none takes a node back.
 */
#include "controller/model/channel.h"
#include "test/sim/check.h"
#include "test/sim/outside.h"

#include <string.h>

#define CONFIG_MAPS "/api/v1/namespaces/" OWN_NAMESPACE "/configmaps"
#define SLACK_MS 2000 /* the server's time as a process knows it, and whole seconds */

/* ---- what is drawn ---- */

/* In place of "version". */
bool draw_channel(struct world *world, struct kube_buf *out)
{
	if (!draw_chance(world, 30))
		return false;
	uint64_t dice = world->seed ^ UINT64_C(0x75726c);
	if (dice_between(&dice, 1, 3) == 1) {
		const char *secret, *url = draw_channel_url(world, &secret);
		kube_buf_addf(out, "'channel':{'type':'URL','url':'%s'%s,'interval':'%llds'},", url, secret,
		              (long long)dice_between(&dice, 20, 120));
	} else
		kube_buf_adds(out, "'channel':{'type':'ConfigMap','configMap':{'name':'channels','key':'runtime'}},");
	if (draw_chance(world, 50))
		kube_buf_addf(out, "'minimumAge':'%llds',", (long long)draw_between(world, 1, 120));
	return true;
}

void channel_say(struct world *world, const char *data)
{
	bool there = kube_sim_api_get(world->api, &kube_config_maps, OWN_NAMESPACE, "channels") != NULL;

	world_trace(world, "the channel says %s", data);
	if (there)
		kube_sim_api_do(world->api, "PATCH", CONFIG_MAPS "/channels", KUBE_PATCH_MERGE, "{'data':{%s}}", data);
	else
		kube_sim_api_do(world->api, "POST", CONFIG_MAPS, NULL,
		                "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'channels'},'data':{%s}}", data);
}

void channel_move(struct world *world)
{
	static const char *const data[] = {"'runtime':'1.7.27'", "'runtime':'1.7.28\\n'",  "'runtime':'1.6.10'",
	                                   "'runtime':'latest'", "'runtime':'1.9;reboot'", "'runtime':''",
	                                   "'runtime':null"};

	if (draw_chance(world, 15))
		kube_sim_api_do(world->api, "DELETE", CONFIG_MAPS "/channels", NULL, "{}");
	else
		channel_say(world, data[draw_between(world, 0, KUBE_ARRAY_LEN(data) - 1)]);
}

/* ---- what must hold ---- */

static bool trimmed_is(const char *text, const char *version)
{
	size_t len = strlen(version);
	return strncmp(text, version, len) == 0 && (text[len] == '\0' || text[len] == '\n');
}

static void note_said(struct checks *checks, const cJSON *config_map)
{
	const char *text = text_at(config_map, "data.runtime");

	for (size_t i = 0; i < checks->said_count; i++)
		if (strcmp(checks->said[i].text, text) == 0)
			return;
	if (checks->said_count < MAX_SAID)
		checks->said[checks->said_count++] =
		    (struct said){.text = strdup(text), .first_ms = world_now_ms(checks->world)};
}

static void check_resolved(struct checks *checks, const struct patch *patch, const char *name, const char *version)
{
	for (size_t i = 0; i < checks->said_count; i++) {
		struct said *said = &checks->said[i];
		if (!trimmed_is(said->text, version))
			continue;
		if (world_now_ms(checks->world) + SLACK_MS < said->first_ms + patch->minimum_age_ms)
			world_fail(checks->world, "policy %s wants %s, which the channel has said for %lld ms only", name, version,
			           (long long)(world_now_ms(checks->world) - said->first_ms));
		said->resolved = true;
		return;
	}
	world_fail(checks->world, "policy %s wants %s, which the channel never said", name, version);
}

static void check_policy(struct checks *checks, const cJSON *json)
{
	struct kube_object *object = NULL;

	if (!kube_json_get(json, "status.resolved") || kube_object_decode(&policy_projection, json, &object, NULL) != 0)
		return;
	const struct policy *policy = (const struct policy *)object;
	for (size_t i = 0; i < policy->rules.patches.count; i++) {
		const struct patch *patch = &policy->rules.patches.items[i];
		const struct resolved *resolved = patch->channel ? channel_resolved(policy, patch) : NULL;
		if (resolved && resolved->now.version)
			check_resolved(checks, patch, object->name, resolved->now.version);
	}
	kube_object_unref(object);
}

void check_channel(struct checks *checks, const struct kube_sim_change *change)
{
	if (change->new_json && change->resource == &kube_config_maps)
		note_said(checks, change->new_json);
	else if (change->new_json && change->resource == &pw_policies)
		check_policy(checks, change->new_json);
}

/* Of a runtime there are two versions that nobody needs to say: what is written in a policy, and what a host made. */
static bool is_pinned(const struct pins *pins, const char *version)
{
	for (size_t i = 0; i < pins->count; i++)
		if (strcmp(pins->items[i].version, version) == 0)
			return true;
	return false;
}

void check_frozen(struct checks *checks, const struct revision *page)
{
	for (size_t i = 0; i < page->rules->patches.count; i++) {
		const struct patch *patch = &page->rules->patches.items[i];
		if (is_pinned(&page->pins, patch->version))
			continue;
		bool known = patch->component != COMPONENT_CONTAINER_RUNTIME || strcmp(patch->version, "1.7.27") == 0;
		for (size_t k = 0; k < checks->said_count && !known; k++)
			known = checks->said[k].resolved && trimmed_is(checks->said[k].text, patch->version);
		if (!known)
			world_fail(checks->world, "a rollout is frozen with %s, which no status has had", patch->version);
	}
}
