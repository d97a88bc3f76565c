#include "test/sim/check.h"
#include "lib/runtime/draft.h"

#include <string.h>

struct seen_node *seen_node(struct checks *checks, const char *uid)
{
	for (size_t i = 0; i < checks->node_count; i++)
		if (strcmp(checks->nodes[i].uid, uid) == 0)
			return &checks->nodes[i];
	return NULL;
}

struct seen_rollout *seen_rollout(struct checks *checks, const char *uid)
{
	for (size_t i = 0; i < checks->rollout_count; i++)
		if (strcmp(checks->rollouts[i]->uid, uid) == 0)
			return checks->rollouts[i];
	if (checks->rollout_count == MAX_WATCHED) {
		world_fail(checks->world, "more than %d rollouts: one after the other is made", MAX_WATCHED);
		return checks->rollouts[0];
	}
	struct seen_rollout *seen = checks->rollouts[checks->rollout_count++] = calloc(1, sizeof(*seen));
	snprintf(seen->uid, sizeof(seen->uid), "%s", uid);
	return seen;
}

const struct rules *rules_of(const struct seen_rollout *rollout)
{
	for (size_t i = 0; i < rollout->page_count; i++)
		if (rollout->pages[i]->rules && rollout->now && rollout->now->status.plan_hash &&
		    strcmp(rollout->pages[i]->plan_hash, rollout->now->status.plan_hash) == 0)
			return rollout->pages[i]->rules;
	return NULL;
}

const struct active *grant_of(const struct rollout *rollout, const char *node_uid)
{
	for (size_t i = 0; i < rollout->status.active.count; i++)
		if (strcmp(rollout->status.active.items[i].node_uid, node_uid) == 0)
			return &rollout->status.active.items[i];
	return NULL;
}

bool is_granted(const struct rollout *rollout, const char *node_uid)
{
	return grant_of(rollout, node_uid) != NULL;
}

bool rollout_at_work(const struct rollout *rollout)
{
	return rollout->status.plan_hash && rollout->status.outcome == OUTCOME_NONE;
}

/* ---- decoding ---- */

/* before: a version of it, or NULL. */
static struct kube_object *decode(struct checks *checks, const struct kube_projection *projection, const cJSON *json,
                                  const struct kube_object *before)
{
	const struct document document = document_of_json(json);
	struct kube_object *object = NULL;
	struct kube_err err = {0};
	struct draft draft;

	draft_init(&draft, projection);
	if (draft_read(&draft, &document, &err) != 0 || draft_make(&draft, NULL, before, &object, &err) != 0)
		world_fail(checks->world, "%s cannot be decoded: %s", text_at(json, "metadata.name"), err.message);
	draft_finish(&draft);
	return object;
}

static void node_changed(struct checks *checks, const struct kube_sim_change *change)
{
	const cJSON *json = change->new_json ? change->new_json : change->old_json;
	const char *uid = text_at(json, "metadata.uid");
	struct seen_node *seen = seen_node(checks, uid);

	if (!seen && checks->node_count == MAX_WATCHED)
		return;
	if (!seen) {
		seen = &checks->nodes[checks->node_count++];
		seen->unavailable_since_ms = INT64_MAX;
		seen->drained_ms = seen->forced_ms = INT64_MIN;
		seen->held_since_ms = seen->marked_since_ms = INT64_MAX;
		snprintf(seen->uid, sizeof(seen->uid), "%s", uid);
		snprintf(seen->name, sizeof(seen->name), "%s", text_at(json, "metadata.name"));
	}
	struct node *old = take(seen->now);
	if (change->new_json)
		seen->now = (struct node *)decode(checks, &node_projection, change->new_json, NULL);
	if (seen->now && seen->now->state && change->sender)
		seen_rollout(checks, seen->now->state->rollout_uid)->changed_ms = world_now_ms(checks->world);
	check_node(checks, seen, old, seen->now, change->sender);
	if (!seen->now) {
		seen->gone_ms = world_now_ms(checks->world);
		seen->last = take(old);
	}
	kube_object_unref(old ? &old->object : NULL);
}

static void rollout_changed(struct checks *checks, const struct kube_sim_change *change)
{
	const cJSON *json = change->new_json ? change->new_json : change->old_json;
	struct seen_rollout *seen = seen_rollout(checks, text_at(json, "metadata.uid"));
	struct rollout *old = take(seen->now);

	seen->changed_ms = seen->gone_ms = world_now_ms(checks->world);
	if (change->new_json)
		seen->now = (struct rollout *)decode(checks, &rollout_projection, change->new_json, old ? &old->object : NULL);
	if (seen->now)
		snprintf(seen->hash, sizeof(seen->hash), "%s", seen->now->hash);
	if (old && seen->now)
		check_rollout(checks, seen, old, seen->now, change->sender);
	if (seen->now) {
		check_job_records(checks, seen->now);
		check_ledger(checks, seen);
	}
	kube_object_unref(old ? &old->object : NULL);
}

static void revision_changed(struct checks *checks, const struct kube_sim_change *change)
{
	if (change->old_json)
		return; /* pages are immutable, and what they said stays known */
	struct revision *page = (struct revision *)decode(checks, &revision_projection, change->new_json, NULL);
	if (!page)
		return;
	struct seen_rollout *seen = seen_rollout(checks, page->rollout_uid);
	if (page->rules)
		check_frozen(checks, page);
	if (seen->page_count < MAX_PAGES)
		seen->pages[seen->page_count++] = page;
	else
		kube_object_unref(&page->object);
}

static void trace(struct checks *checks, const struct kube_sim_change *change)
{
	const cJSON *json = change->new_json ? change->new_json : change->old_json;
	_cleanup_json_ cJSON *state = NULL;
	struct world *world = checks->world;
	const struct replica *replica = replicas_find(world->replicas, change->sender);
	const char *by = replica ? replica->identity : change->sender ? "a dead controller" : "cluster";
	const char *what = !change->new_json ? "removed" : change->old_json ? "changed" : "created";

	if (!world->trace || change->resource == &kube_events)
		return;
	const cJSON *annotation =
	    cJSON_GetObjectItemCaseSensitive(kube_json_get(json, "metadata.annotations"), PW_ANNOTATION_STATE);
	state = annotation ? cJSON_Parse(annotation->valuestring) : NULL;
	const cJSON *ready = cJSON_GetArrayItem(kube_json_get(json, "status.conditions"), 0);
	if (change->resource == &kube_nodes)
		world_trace(
		    world, "%s: node %s %s: step %s%s%s, %s/%s, Ready %s, rv %s", by, text_at(json, "metadata.name"), what,
		    text_at(state, "step"), cJSON_IsTrue(kube_json_get(json, "spec.unschedulable")) ? ", cordoned" : "",
		    kube_json_get(json, "spec.taints") ? ", tainted" : "",
		    text_at(json, "status.nodeInfo.containerRuntimeVersion"), text_at(json, "status.nodeInfo.kubeletVersion"),
		    text_at(ready, "status"), text_at(json, "metadata.resourceVersion"));
	else if (change->resource == &kube_pods)
		world_trace(world, "%s: pod %s %s: on %s, %s%s%s", by, text_at(json, "metadata.name"), what,
		            text_at(json, "spec.nodeName"), text_at(json, "status.phase"),
		            kube_json_get(json, "metadata.deletionTimestamp") ? ", being deleted" : "",
		            cJSON_GetArraySize(kube_json_get(json, "metadata.finalizers")) ? ", held" : "");
	else
		world_trace(world, "%s: %s %s %s: %s %s", by, change->resource->kind, text_at(json, "metadata.name"), what,
		            text_at(json, "status.outcome"), text_at(json, "status.summary"));
}

static void on_changed(void *arg, const struct kube_sim_change *change)
{
	struct checks *checks = arg;

	checks->world->changes++;
	trace(checks, change);
	hold_look(checks);
	if (change->resource == &kube_nodes)
		node_changed(checks, change);
	else if (change->resource == &pw_rollouts)
		rollout_changed(checks, change);
	else if (change->resource == &kube_controller_revisions)
		revision_changed(checks, change);
	else if (change->resource == &pw_approvals)
		check_approval_changed(checks, change);
	else if (change->resource == &kube_pods)
		check_pod(checks, change);
	else
		check_channel(checks, change);
}

/* ---- life ---- */

struct checks *checks_new(struct world *world)
{
	struct checks *checks = calloc(1, sizeof(*checks));

	checks->world = world;
	kube_sim_api_add_hooks(world->api,
	                       &(struct kube_sim_api_hooks){
	                           .fate = check_sender, .changed = on_changed, .served = check_request, .arg = checks});
	return checks;
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	for (size_t i = 0; i < checks->node_count; i++) {
		kube_object_unref(checks->nodes[i].now ? &checks->nodes[i].now->object : NULL);
		kube_object_unref(checks->nodes[i].last ? &checks->nodes[i].last->object : NULL);
	}
	for (size_t i = 0; i < checks->rollout_count; i++) {
		struct seen_rollout *seen = checks->rollouts[i];
		kube_object_unref(seen->now ? &seen->now->object : NULL);
		for (size_t p = 0; p < seen->page_count; p++)
			kube_object_unref(&seen->pages[p]->object);
		free(seen);
	}
	for (size_t i = 0; i < checks->said_count; i++)
		free(checks->said[i].text);
	free(checks);
}
