/* The state of a target as it stands in the annotation patchwright.io/state. */
#include "controller/model/internal.h"
#include "controller/model/node.h"
#include "controller/model/put.h"

#include <kube/time.h>
#include <string.h>

#define MESSAGE_BYTES 200
#define MAX_ATTEMPTS 1000000
#define MAX_EXITS (4 * MAX_PATCHES)
#define EXIT_BYTES 32
#define REASON_BYTES 64
#define HELD_BYTES 64

/* "times" holds offsets in ms from "started", which keeps the annotation short. */
static int decode_times(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	struct kube_json_field table[STEP_COUNT] = {0}; /* the last one ends it */

	for (int step = STEP_CLAIMED; step < STEP_COUNT; step++)
		table[step - 1] = (struct kube_json_field){
		    .name = step_names[step], .type = KUBE_JSON_INT, .offset = (size_t)step * sizeof(int64_t)};
	return kube_json_decode(value, table, field, arena, err);
}

#define AT(member) offsetof(struct node_state, member)
static const struct kube_json_field state_table[] = {
    {.name = "nodeUID", .type = KUBE_JSON_STRING, .offset = AT(node_uid), .required = true},
    {.name = "rolloutUID", .type = KUBE_JSON_STRING, .offset = AT(rollout_uid), .required = true},
    {.name = "rollout", .type = KUBE_JSON_STRING, .offset = AT(rollout), .required = true},
    {.name = "wave", .type = KUBE_JSON_STRING, .offset = AT(wave), .required = true},
    {.name = "step", .type = KUBE_JSON_ENUM, .offset = AT(step), .required = true, .words = step_names},
    {.name = "patch", .type = KUBE_JSON_INT, .offset = AT(patch)},
    {.name = "attempt", .type = KUBE_JSON_INT, .offset = AT(attempt)},
    {.name = "since", .type = KUBE_JSON_TIME, .offset = AT(since_ms), .required = true},
    {.name = "started", .type = KUBE_JSON_TIME, .offset = AT(started_ms), .required = true},
    {.name = "foreignCordon", .type = KUBE_JSON_BOOL, .offset = AT(foreign_cordon)},
    {.name = "bootID", .type = KUBE_JSON_STRING, .offset = AT(boot_id)},
    {.name = "from", .type = KUBE_JSON_STRLIST, .offset = AT(from)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason)},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(message)},
    {.name = "failedStep", .type = KUBE_JSON_ENUM, .offset = AT(failed_step), .words = step_names},
    {.name = "times", .type = KUBE_JSON_CUSTOM, .offset = AT(times), .decode = decode_times},
    {.name = "exits", .type = KUBE_JSON_STRLIST, .offset = AT(exits)},
    {.name = "held", .type = KUBE_JSON_STRLIST, .offset = AT(held)},
    {.name = "paused", .type = KUBE_JSON_BOOL, .offset = AT(paused)},
    KUBE_JSON_END,
};

static int check(const struct node_state *state, struct kube_err *err)
{
	if (state->step == STEP_NONE)
		return kube_fail(err, KUBE_E_PARSE, "step: must not be empty");
	if (state->patch < 0 || state->patch >= MAX_PATCHES)
		return kube_fail(err, KUBE_E_PARSE, "patch: %lld is not within 0 to %d", (long long)state->patch,
		                 MAX_PATCHES - 1);
	if (state->attempt < 0 || state->attempt > MAX_ATTEMPTS)
		return kube_fail(err, KUBE_E_PARSE, "attempt: %lld is not within 0 to %d", (long long)state->attempt,
		                 MAX_ATTEMPTS);
	if (state->from.count > MAX_PATCHES)
		return kube_fail(err, KUBE_E_PARSE, "from: %zu entries, more than %d", state->from.count, MAX_PATCHES);
	if (state->held.count > HELD_COUNT)
		return kube_fail(err, KUBE_E_PARSE, "held: %zu entries, more than %d", state->held.count, HELD_COUNT);
	return 0;
}

int node_state_parse(const char *text, struct kube_arena *arena, struct node_state **ret_state, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;
	size_t len = strlen(text);
	struct node_state *state = kube_arena_alloc(arena, sizeof(*state));

	if (!state)
		return meta_out_of_memory(err);
	if (len > NODE_STATE_MAX_BYTES)
		return kube_fail(err, KUBE_E_LIMIT, "%zu bytes, more than %d", len, NODE_STATE_MAX_BYTES);
	for (int step = 0; step < STEP_COUNT; step++)
		state->times[step] = KUBE_TIME_NONE;
	int rc = kube_json_parse(text, len, &json, err);
	if (!rc)
		rc = kube_json_decode(json, state_table, state, arena, err);
	if (!rc)
		rc = check(state, err);
	if (rc)
		return rc;
	for (int step = 0; step < STEP_COUNT; step++)
		if (state->times[step] != KUBE_TIME_NONE)
			state->times[step] += state->started_ms;
	if (!state->boot_id)
		state->boot_id = "";
	*ret_state = state;
	return 0;
}

const char *const held_annotations[HELD_COUNT] = {
    [HELD_SCALE_DOWN] = "cluster-autoscaler.kubernetes.io/scale-down-disabled",
    [HELD_DISRUPTION] = "karpenter.sh/do-not-disrupt",
};

const char *node_state_held_last(const struct node_state *state, size_t which)
{
	const char *text = state && which < state->held.count ? state->held.items[which] : NULL;
	return text && *text ? text : NULL;
}

const char *node_state_held(const struct node_state *state, size_t which)
{
	return state && !step_ended((enum step)state->step) ? node_state_held_last(state, which) : NULL;
}

/* How much of a state is written; less and less, until it fits. */
struct extent {
	size_t message_bytes, exits;
	bool times;
	size_t from_bytes; /* longer versions are left empty: a cut version would be a wrong one */
};

/* Steps are timed in ms, and a metav1.Time has only seconds. */
static bool put_micro_time(cJSON *json, const char *key, int64_t ms)
{
	char text[KUBE_TIME_TEXT_SIZE];
	return put_str(json, key, kube_time_format_micro(ms, text));
}

static bool add_from(cJSON *json, const struct node_state *state, const struct extent *extent)
{
	cJSON *list = cJSON_AddArrayToObject(json, "from");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < state->from.count; i++) {
		const char *version = state->from.items[i];
		bool fits = version && strlen(version) <= extent->from_bytes;
		ok = put_entry(list, cJSON_CreateString(fits ? version : ""));
	}
	return ok;
}

/* The newest exit codes are the ones at the end. */
static bool add_exits(cJSON *json, const struct node_state *state, const struct extent *extent)
{
	size_t count = state->exits.count < extent->exits ? state->exits.count : extent->exits;

	if (count == 0)
		return true;
	const struct kube_strlist newest = {state->exits.items + (state->exits.count - count), count};
	return put_strlist(json, "exits", &newest, count, EXIT_BYTES);
}

/* With the end they are put back, and forgotten. */
static bool add_held(cJSON *json, const struct node_state *state)
{
	bool over = state->held.count == 0 || step_ended((enum step)state->step);
	return over || put_strlist(json, "held", &state->held, HELD_COUNT, HELD_BYTES);
}

static bool add_times(cJSON *json, const struct node_state *state)
{
	cJSON *times = cJSON_AddObjectToObject(json, "times");
	bool ok = times != NULL;

	for (int step = STEP_CLAIMED; ok && step < STEP_COUNT; step++)
		if (state->times[step] != KUBE_TIME_NONE)
			ok = put_int(times, step_names[step], state->times[step] - state->started_ms);
	return ok;
}

static cJSON *build(const struct node_state *state, const struct extent *extent)
{
	cJSON *json = cJSON_CreateObject();
	bool ok = put_str(json, "nodeUID", state->node_uid) && put_str(json, "rolloutUID", state->rollout_uid) &&
	          put_str(json, "rollout", state->rollout) && put_str(json, "wave", state->wave) &&
	          put_str(json, "step", step_names[state->step]) && put_int(json, "patch", state->patch) &&
	          put_int(json, "attempt", state->attempt) && put_micro_time(json, "since", state->since_ms) &&
	          put_micro_time(json, "started", state->started_ms) &&
	          put_bool(json, "foreignCordon", state->foreign_cordon) && put_str(json, "bootID", state->boot_id) &&
	          add_from(json, state, extent) && put_str_if(json, "reason", state->reason, REASON_BYTES) &&
	          put_str_if(json, "message", state->message, extent->message_bytes) &&
	          put_str_if(json, "failedStep", step_names[state->failed_step], SIZE_MAX) &&
	          (!extent->times || add_times(json, state)) && add_exits(json, state, extent) && add_held(json, state) &&
	          (!state->paused || put_bool(json, "paused", true));
	if (ok)
		return json;
	cJSON_Delete(json);
	return NULL;
}

static const char *print(const struct node_state *state, const struct extent *extent, struct kube_arena *arena)
{
	_cleanup_json_ cJSON *json = build(state, extent);
	_cleanup_free_ char *text = json ? cJSON_PrintUnformatted(json) : NULL;
	return text ? kube_arena_strdup(arena, text) : NULL;
}

const char *node_state_format(const struct node_state *state, struct kube_arena *arena)
{
	static const struct extent extents[] = {
	    {MESSAGE_BYTES, MAX_EXITS, true, SIZE_MAX},
	    {MESSAGE_BYTES / 2, MAX_EXITS, true, SIZE_MAX},
	    {0, MAX_EXITS, true, SIZE_MAX},
	    {0, 2, true, SIZE_MAX},
	    {0, 2, false, SIZE_MAX},
	    {0, 1, false, NODE_ANNOTATION_KEEP_BYTES},
	    {0, 1, false, 64},
	    {0, 1, false, 32},
	    {0, 1, false, 0},
	};
	const char *text = NULL;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(extents); i++) {
		text = print(state, &extents[i], arena);
		if (!text || strlen(text) <= NODE_STATE_MAX_BYTES)
			break;
	}
	return text;
}
