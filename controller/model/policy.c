#include "controller/model/policy.h"
#include "controller/model/channel.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"
#include "controller/model/put.h"

#include <kube/digest.h>
#include <string.h>

#define DEFAULT_HISTORY_LIMIT 10

static const char *const trigger_words[] = {"Automatic", "Manual", NULL};

static const struct kube_json_field spec_table[] = {
    {.name = "suspend", .type = KUBE_JSON_BOOL, .offset = offsetof(struct policy, suspend)},
    {.name = "trigger", .type = KUBE_JSON_ENUM, .offset = offsetof(struct policy, trigger), .words = trigger_words},
    {.name = "historyLimit", .type = KUBE_JSON_INT, .offset = offsetof(struct policy, history_limit)},
    {.name = "exceptions",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct policy, exceptions),
     .table = exception_table,
     .size = sizeof(struct exception_spec)},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "observedGeneration", .type = KUBE_JSON_INT, .offset = offsetof(struct policy, observed_generation)},
    {.name = "conditions",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct policy, conditions),
     .table = condition_table,
     .size = sizeof(struct condition)},
    {.name = "resolved",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct policy, resolved),
     .table = resolved_table,
     .size = sizeof(struct resolved)},
    {.name = "authors", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct policy, authors), .table = authors_table},
    {.name = "exceptions",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct policy, exceptions_seen),
     .table = exception_status_table,
     .size = sizeof(struct exception_status)},
    KUBE_JSON_END,
};

static const struct kube_json_field policy_table[] = {
    {.name = "spec", .type = KUBE_JSON_OBJECT, .required = true, .table = spec_table},
    {.name = "status", .type = KUBE_JSON_OBJECT, .table = status_table},
    KUBE_JSON_END,
};

/* A verify job may say that a node has what no node shows; then that is noted on the node. */
static int observe_applied(struct policy *policy, struct kube_arena *arena, struct kube_err *err)
{
	for (size_t i = 0; i < policy->rules.patches.count; i++) {
		struct patch *patch = &policy->rules.patches.items[i];
		if (patch->observed.type != OBSERVED_DEFAULT || !patch->verify)
			continue;
		const char *note = kube_arena_printf(arena, PW_ANNOTATION_APPLIED "%s", policy->object.name);
		if (!note)
			return meta_out_of_memory(err);
		patch->observed = (struct observed){.type = OBSERVED_ANNOTATION, .annotation = note};
		patch->applied = true;
	}
	return 0;
}

static bool write_version(cJSON *item, const struct patch *patch)
{
	cJSON_DeleteItemFromObjectCaseSensitive(item, "channel");
	cJSON_DeleteItemFromObjectCaseSensitive(item, "minimumAge");
	return put_str(item, "version", patch->version);
}

static bool write_observed(cJSON *item, const struct patch *patch)
{
	cJSON *observed = cJSON_CreateObject();
	return put_item(item, "observed", observed) && put_str(observed, "type", "Annotation") &&
	       put_str(observed, "annotation", patch->observed.annotation);
}

/* What a channel says stands there as if it had been written: a rollout is frozen with it, and another version is a
 * change of the policy. So does the place of our own note. */
static bool write_what_follows(cJSON *patches, const struct rules *rules)
{
	bool ok = true;
	cJSON *item;
	size_t i = 0;

	cJSON_ArrayForEach (item, patches) {
		const struct patch *patch = &rules->patches.items[i++];
		if (patch->channel && patch->version)
			ok = ok && write_version(item, patch);
		if (patch->applied)
			ok = ok && write_observed(item, patch);
	}
	return ok;
}

/* The members as stored, that is with the API server's defaults; what is absent stays absent. */
static char *governing_json(const cJSON *spec, const struct rules *rules)
{
	static const char *const members[] = {"approval", "drain",    "emergency", "freezes", "gates",
	                                      "patches",  "rollback", "strategy",  "target",  "windows"};
	_cleanup_json_ cJSON *governing = cJSON_CreateObject();

	for (size_t i = 0; i < KUBE_ARRAY_LEN(members); i++) {
		const cJSON *member = kube_json_get(spec, members[i]);
		if (!member)
			continue;
		cJSON *copy = cJSON_Duplicate(member, true);
		if (!cJSON_AddItemToObject(governing, members[i], copy)) {
			cJSON_Delete(copy);
			return NULL;
		}
	}
	bool ok = governing && write_what_follows(cJSON_GetObjectItemCaseSensitive(governing, "patches"), rules);
	return ok ? kube_json_canonical(governing) : NULL;
}

static int hash_rules(const cJSON *spec, struct policy *policy, struct kube_arena *arena, struct kube_err *err)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	_cleanup_free_ char *text = governing_json(spec, &policy->rules);

	if (!text)
		return meta_out_of_memory(err);
	policy->rules_json = kube_arena_strdup(arena, text);
	policy->hash = kube_arena_strdup(arena, kube_sha256_hex(text, strlen(text), digest));
	return policy->rules_json && policy->hash ? 0 : meta_out_of_memory(err);
}

static int decode_spec(const cJSON *spec, struct policy *policy, struct kube_arena *arena, struct kube_err *err)
{
	int rc = rules_decode(spec, &policy->rules, arena, err);
	if (rc)
		return kube_err_prefix(err, "spec");
	channels_apply(policy);
	rc = observe_applied(policy, arena, err);
	if (rc)
		return rc;
	return hash_rules(spec, policy, arena, err);
}

static int complete_exceptions(struct policy *policy, struct kube_err *err)
{
	if (policy->exceptions.count > MAX_EXCEPTIONS)
		return kube_fail(err, KUBE_E_LIMIT, "spec.exceptions: %zu entries, expected at most %d",
		                 policy->exceptions.count, MAX_EXCEPTIONS);
	for (size_t i = 0; i < policy->exceptions.count; i++)
		if (!policy->exceptions.items[i].reference)
			policy->exceptions.items[i].reference = "";
	return 0;
}

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct policy *policy = (struct policy *)self;
	policy->history_limit = DEFAULT_HISTORY_LIMIT;
	int rc = kube_json_decode(item, policy_table, policy, arena, err);
	conditions_complete(&policy->conditions);
	authors_complete(&policy->authors);
	if (!rc)
		rc = meta_author(item, &policy->author, arena, err);
	if (!rc)
		rc = complete_exceptions(policy, err);
	if (!rc)
		rc = decode_spec(kube_json_get(item, "spec"), policy, arena, err);
	if (!rc)
		rc = meta_canonical(item, "status", "", &policy->status_json, arena, err);
	if (!rc)
		rc = meta_canonical(item, "status.lastSuccessfulRollout", NULL, &policy->last_successful_json, arena, err);
	return rc;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct policy *x = (const struct policy *)a, *y = (const struct policy *)b;
	return same_object(a, b) && a->generation == b->generation && same_fields(spec_table, x, y) &&
	       same_str(x->author, y->author) && same_str(x->rules_json, y->rules_json) &&
	       same_str(x->status_json, y->status_json);
}

const struct kube_projection policy_projection = {
    .resource = &pw_policies,
    .size = sizeof(struct policy),
    .decode = decode,
    .same = same,
};
