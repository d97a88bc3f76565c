/* PatchPolicy.status, put together from what the planner wants. */
#include "controller/model/put.h"
#include "controller/status/internal.h"

#include <kube/time.h>
#include <string.h>

#define MAX_VERSIONS 50
#define HASH_BYTES 64

static bool add_targets(cJSON *json, const struct policy_wanted *wanted)
{
	cJSON *targets = cJSON_AddObjectToObject(json, "targets");
	return put_int(targets, "total", wanted->targets.total) &&
	       put_int(targets, "upToDate", wanted->targets.up_to_date) &&
	       put_int(targets, "outdated", wanted->targets.outdated) &&
	       put_int(targets, "excepted", wanted->targets.excepted) &&
	       put_int(targets, "unsupported", wanted->targets.unsupported);
}

static bool add_next_window(cJSON *json, const struct policy_wanted *wanted)
{
	if (wanted->next_window.opens_ms == KUBE_TIME_NONE)
		return true;
	cJSON *next = cJSON_AddObjectToObject(json, "nextWindow");
	return put_time(next, "opens", wanted->next_window.opens_ms) &&
	       put_time(next, "closes", wanted->next_window.closes_ms) &&
	       put_str_if(next, "name", wanted->next_window.name, LABEL_BYTES);
}

static bool add_authors(cJSON *json, const struct authors *authors)
{
	if (!authors->generation)
		return true;
	cJSON *object = cJSON_AddObjectToObject(json, "authors");
	bool ok = put_int(object, "generation", authors->generation) &&
	          put_text(object, "policyHash", authors->policy_hash, HASH_BYTES);
	cJSON *list = ok ? cJSON_AddArrayToObject(object, "users") : NULL;

	ok = list != NULL;
	for (size_t i = 0; ok && i < authors->list.count; i++) {
		cJSON *entry = cJSON_CreateObject();
		ok = put_entry(list, entry) && put_text(entry, "user", authors->list.items[i].user, USER_BYTES) &&
		     put_int(entry, "generation", authors->list.items[i].generation);
	}
	return ok;
}

static bool add_exceptions(cJSON *json, const struct policy_wanted *wanted)
{
	cJSON *list;
	bool ok = put_list_if(json, "exceptions", wanted->exceptions.count, &list);

	for (size_t i = 0; ok && i < wanted->exceptions.count; i++) {
		const struct exception_status *exception = &wanted->exceptions.items[i];
		cJSON *entry = cJSON_CreateObject();
		ok = put_entry(list, entry) && put_text(entry, "name", exception->name, LABEL_BYTES) &&
		     put_time(entry, "expires", exception->expires_ms) && put_int(entry, "nodes", exception->nodes);
	}
	return ok;
}

static int by_count(const void *a, const void *b)
{
	const struct version_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->component != y->component)
		return x->component < y->component ? -1 : 1;
	return strcmp(x->version, y->version);
}

/* The most frequent ones, in an order that depends on nothing else. */
static bool add_versions(cJSON *json, const struct policy_wanted *wanted, struct kube_arena *arena)
{
	size_t count = wanted->versions.count;
	struct version_count *sorted = kube_arena_calloc(arena, count, sizeof(*sorted));
	cJSON *list = cJSON_AddArrayToObject(json, "versions");
	bool ok = sorted && list;

	if (ok && count > 0) {
		memcpy(sorted, wanted->versions.items, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), by_count);
	}
	for (size_t i = 0; ok && i < count && i < MAX_VERSIONS; i++) {
		cJSON *entry = cJSON_CreateObject();
		ok = put_entry(list, entry) && put_str(entry, "component", component_names[sorted[i].component]) &&
		     put_text(entry, "version", sorted[i].version, VERSION_BYTES) && put_int(entry, "count", sorted[i].count);
	}
	return ok;
}

static bool put_seen(cJSON *entry, const struct seen_version *seen)
{
	return !seen->version ||
	       (put_str(entry, "version", seen->version) && put_time(entry, "firstSeen", seen->first_seen_ms));
}

static bool put_other(cJSON *entry, const char *key, const struct seen_version *seen)
{
	return !seen->version || put_seen(cJSON_AddObjectToObject(entry, key), seen);
}

static bool add_resolved(cJSON *json, const struct policy_wanted *wanted)
{
	cJSON *list;
	bool ok = put_list_if(json, "resolved", wanted->resolved.count, &list);

	for (size_t i = 0; ok && i < wanted->resolved.count; i++) {
		const struct resolved *resolved = &wanted->resolved.items[i];
		cJSON *entry = cJSON_CreateObject();
		ok = put_entry(list, entry) && put_str(entry, "component", resolved->component) &&
		     put_text(entry, "channel", resolved->channel, CHANNEL_BYTES) && put_seen(entry, &resolved->now) &&
		     put_other(entry, "candidate", &resolved->candidate) && put_other(entry, "previous", &resolved->previous);
	}
	return ok;
}

static int parse_last(const char *text, cJSON **ret_json, struct kube_err *err)
{
	if (!text)
		return 0;
	int rc = kube_json_parse(text, strlen(text), ret_json, err);
	return rc ? kube_err_prefix(err, "status.lastSuccessfulRollout") : 0;
}

static cJSON *build(const struct policy *policy, const struct policy_wanted *wanted, const cJSON *last, int64_t now_ms,
                    struct kube_arena *arena)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *conditions = conditions_json(&wanted->conditions, &policy->conditions, wanted->observed_generation, now_ms,
	                                    CONDITION_MESSAGE_BYTES);
	bool ok =
	    put_item(json, "conditions", conditions) && put_int(json, "observedGeneration", wanted->observed_generation) &&
	    add_targets(json, wanted) && put_str_if(json, "version", wanted->version, VERSION_BYTES) &&
	    put_str_if(json, "progress", wanted->progress, PROGRESS_BYTES) &&
	    put_str_if(json, "currentRollout", wanted->current_rollout, NAME_BYTES) && add_next_window(json, wanted) &&
	    (!last || put_item(json, "lastSuccessfulRollout", cJSON_Duplicate(last, true))) && add_resolved(json, wanted) &&
	    add_exceptions(json, wanted) && add_versions(json, wanted, arena) && add_authors(json, &wanted->authors);
	if (ok)
		return json;
	cJSON_Delete(json);
	return NULL;
}

int policy_status_compose(const struct policy *policy, const struct policy_wanted *wanted, int64_t now_ms,
                          struct kube_arena *arena, cJSON **ret_status, struct kube_err *err)
{
	_cleanup_json_ cJSON *last = NULL;
	int rc = parse_last(wanted->last_successful_json, &last, err);
	if (rc)
		return rc;
	_cleanup_json_ cJSON *json = build(policy, wanted, last, now_ms, arena);
	_cleanup_free_ char *text = json ? kube_json_canonical(json) : NULL;
	if (!text)
		return status_out_of_memory(err);
	*ret_status = strcmp(text, policy->status_json) == 0 ? NULL : take(json);
	return 0;
}
