/* Objects as an API server may send them; the first byte says as what they are decoded. */
#include "controller/model/node.h"
#include "controller/model/pod.h"
#include "controller/model/rollout.h"
#include "controller/model/volume.h"
#include "lib/runtime/lease.h"
#include "test/fuzz/fuzz.h"

#include <kube/client.h>

static const struct kube_projection *const projections[] = {
    &node_projection,     &pod_projection,    &pdb_projection,    &policy_projection,     &rollout_projection,
    &revision_projection, &report_projection, &volume_projection, &attachment_projection,
};

/* A state that was read can be written, and says the same then; it may be shorter. */
static void node(const struct node *node)
{
	struct kube_arena arena = {0};
	struct node_state *again = NULL;

	REQUIRE(!node->state || !node->state_error);
	if (node->state) {
		const char *text = node_state_format(node->state, &arena);
		REQUIRE(text && strlen(text) <= NODE_STATE_MAX_BYTES);
		REQUIRE(node_state_parse(text, &arena, &again, NULL) == 0);
		REQUIRE(again->step == node->state->step && again->patch == node->state->patch &&
		        again->attempt == node->state->attempt && again->foreign_cordon == node->state->foreign_cordon);
	}
	node_control_plane(node);
	kube_arena_finish(&arena);
}

/* What is frozen into a plan is what the policy said. */
static void policy(const struct policy *policy)
{
	struct kube_arena arena = {0};
	struct rules rules = {.patches.count = 0};
	cJSON *json = NULL;

	REQUIRE(kube_json_parse(policy->rules_json, strlen(policy->rules_json), &json, NULL) == 0);
	REQUIRE(rules_decode(json, &rules, &arena, NULL) == 0);
	REQUIRE(rules.patches.count == policy->rules.patches.count);
	rules_check(&rules, NULL);
	cJSON_Delete(json);
	kube_arena_finish(&arena);
}

static void object(const struct kube_projection *projection, const cJSON *json)
{
	struct kube_object *made = NULL, *again = NULL;
	struct kube_err err = {0};

	int code = kube_object_decode(projection, json, &made, &err);
	REQUIRE(code == err.code && !made == (code != 0));
	if (!made)
		return;
	REQUIRE(kube_object_decode(projection, json, &again, NULL) == 0);
	REQUIRE(!projection->same || projection->same(made, again));
	if (projection == &node_projection)
		node((const struct node *)made);
	if (projection == &policy_projection)
		policy((const struct policy *)made);
	kube_object_unref(made);
	kube_object_unref(again);
}

static void lease(const cJSON *json)
{
	const struct lease_claim claim = {.holder = "me", .duration_ms = 15000};
	cJSON *body = cJSON_IsObject(json) ? lease_update_body(json, &claim) : NULL;

	REQUIRE(lease_duration_ms(json) >= 0 && lease_transitions(json) >= 0);
	REQUIRE(lease_same_record(json, json) || !kube_json_get(json, "spec"));
	REQUIRE(!body || fuzz_members(json, "spec") > 1 || strcmp(lease_holder(body), "me") == 0);
	cJSON_Delete(body);
}

static void status(const cJSON *json)
{
	struct kube_err err = {0};

	kube_err_from_status(&err, 500, -1, json);
	REQUIRE(err.code == KUBE_E_API && *err.message);
	REQUIRE(memchr(err.message, 0, sizeof(err.message)) && memchr(err.reason, 0, sizeof(err.reason)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t kind = fuzz_byte(&data, &size) % (KUBE_ARRAY_LEN(projections) + 1);
	cJSON *json = NULL;

	if (kube_json_parse((const char *)data, size, &json, NULL) != 0)
		return 0;
	if (kind < KUBE_ARRAY_LEN(projections)) {
		object(projections[kind], json);
	} else {
		lease(json);
		status(json);
	}
	cJSON_Delete(json);
	return 0;
}
