/* policy/v1 Eviction (K8S registry/core/pod/storage/eviction.go). */
#include "lib/sim/api.h"

#include <kube/selector.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t number_at(const cJSON *json, const char *path)
{
	const cJSON *number = kube_json_get(json, path);
	return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : 0;
}

bool api_pdb_protects(const cJSON *pdb, const cJSON *pod)
{
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	struct kube_selector selector = {0};
	struct labels {
		struct kube_strmap map;
	} labels = {0};
	static const struct kube_json_field table[] = {{.name = "labels", .type = KUBE_JSON_STRMAP}, KUBE_JSON_END};
	const cJSON *wanted = kube_json_get(pdb, "spec.selector");

	if (!wanted || strcmp(kube_json_str(pdb, "metadata.namespace"), kube_json_str(pod, "metadata.namespace")) != 0)
		return false;
	int rc = kube_json_decode(wanted, kube_selector_table, &selector, &arena, NULL);
	if (!rc)
		rc = kube_json_decode(kube_json_get(pod, "metadata"), table, &labels, &arena, NULL);
	if (rc == KUBE_E_NOMEM)
		api_must(NULL);
	return !rc && kube_selector_matches(&selector, &labels.map);
}

bool api_is_ready(const cJSON *pod)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, kube_json_get(pod, "status.conditions"))
		if (strcmp(kube_json_str(condition, "type"), "Ready") == 0)
			return strcmp(kube_json_str(condition, "status"), "True") == 0;
	return false;
}

/* Nothing is disrupted where nothing runs. */
static bool outside_budgets(const cJSON *pod)
{
	const char *phase = kube_json_str(pod, "status.phase");

	return kube_json_get(pod, "metadata.deletionTimestamp") || !phase || strcmp(phase, "Running") != 0;
}

/* An unready pod may go when the others are enough, or always, as the budget says. */
static bool unready_may_go(const cJSON *pdb, const cJSON *pod)
{
	const char *policy = kube_json_str(pdb, "spec.unhealthyPodEvictionPolicy");
	int64_t desired = number_at(pdb, "status.desiredHealthy");

	if (api_is_ready(pod))
		return false;
	return (policy && strcmp(policy, "AlwaysAllow") == 0) ||
	       (desired > 0 && number_at(pdb, "status.currentHealthy") >= desired);
}

static bool has_room(const cJSON *pdb, struct api_answer *answer)
{
	const char *name = kube_json_str(pdb, "metadata.name");
	char message[256];
	struct api_cause cause = {"DisruptionBudget", message, NULL};

	if (number_at(pdb, "status.observedGeneration") < number_at(pdb, "metadata.generation")) {
		snprintf(message, sizeof(message), "The disruption budget %s is still being processed by the server.", name);
		answer->retry_after_s = 10;
	} else if (number_at(pdb, "status.disruptionsAllowed") <= 0) {
		snprintf(message, sizeof(message), "The disruption budget %s needs %d healthy pods and has %d currently", name,
		         (int)number_at(pdb, "status.desiredHealthy"), (int)number_at(pdb, "status.currentHealthy"));
	} else {
		return true;
	}
	api_refuse_with_cause(answer, 429, "TooManyRequests", &cause,
	                      "Cannot evict pod as it would violate the pod's disruption budget.");
	return false;
}

/* K8S pkg/controller/disruption: its condition DisruptionAllowed. */
void api_pdb_say_allowed(const struct kube_sim_api *api, cJSON *pdb)
{
	cJSON *status = cJSON_GetObjectItemCaseSensitive(pdb, "status"), *conditions = cJSON_CreateArray();
	bool allowed = number_at(status, "disruptionsAllowed") > 0;
	cJSON *condition = cJSON_CreateObject();
	const cJSON *old = cJSON_GetArrayItem(kube_json_get(status, "conditions"), 0);
	bool same = old && strcmp(api_text(old, "status"), allowed ? "True" : "False") == 0;
	char now[32];

	cJSON_AddStringToObject(condition, "type", "DisruptionAllowed");
	cJSON_AddStringToObject(condition, "status", allowed ? "True" : "False");
	cJSON_AddNumberToObject(condition, "observedGeneration", (double)number_at(status, "observedGeneration"));
	cJSON_AddStringToObject(condition, "lastTransitionTime",
	                        same ? api_text(old, "lastTransitionTime") : api_now(api, now));
	cJSON_AddStringToObject(condition, "reason", allowed ? "SufficientPods" : "InsufficientPods");
	cJSON_AddStringToObject(condition, "message", "");
	cJSON_AddItemToArray(conditions, condition);
	api_set(status, "conditions", conditions);
}

static void use_room(struct kube_sim_api *api, const cJSON *pdb, const char *pod)
{
	struct api_kind *kind = api_kind_of(api, &kube_pdbs);
	cJSON *next = api_must(cJSON_Duplicate(pdb, true)), *status = cJSON_GetObjectItemCaseSensitive(next, "status");
	cJSON *disrupted = cJSON_GetObjectItemCaseSensitive(status, "disruptedPods");
	char key[API_KEY_SIZE], now[32];

	if (!disrupted)
		disrupted = cJSON_AddObjectToObject(status, "disruptedPods");
	api_set(disrupted, pod, cJSON_CreateString(api_now(api, now)));
	api_set(status, "disruptionsAllowed", cJSON_CreateNumber((double)number_at(pdb, "status.disruptionsAllowed") - 1));
	api_pdb_say_allowed(api, next);
	api_key(kube_json_str(pdb, "metadata.namespace"), kube_json_str(pdb, "metadata.name"), key, sizeof(key));
	api_put(api, kind, key, next);
}

/* False: a budget is in the way, and the answer says so. */
static bool pass_budgets(const struct api_request *request, const cJSON *pod, struct api_answer *answer)
{
	const struct api_kind *kind = api_kind_of(request->api, &kube_pdbs);
	const cJSON *pdb = NULL;

	for (size_t i = 0; i < kind->count; i++) {
		if (!api_pdb_protects(kind->objects[i].json, pod))
			continue;
		if (pdb) {
			api_refuse_plainly(answer, 500, NULL,
			                   "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
			                   "not support.");
			return false;
		}
		pdb = kind->objects[i].json;
	}
	if (!pdb || unready_may_go(pdb, pod))
		return true;
	if (!has_room(pdb, answer))
		return false;
	if (!request->dry_run)
		use_room(request->api, pdb, request->name);
	return true;
}

/* The pod is told why it goes. */
static void say_why(struct kube_sim_api *api, struct api_kind *kind, const char *key)
{
	cJSON *next = api_must(cJSON_Duplicate(api_find(kind, key)->json, true));
	cJSON *status = cJSON_GetObjectItemCaseSensitive(next, "status"), *condition = cJSON_CreateObject();
	cJSON *conditions = cJSON_GetObjectItemCaseSensitive(status, "conditions");
	char now[32];

	cJSON_AddStringToObject(condition, "type", "DisruptionTarget");
	cJSON_AddStringToObject(condition, "status", "True");
	cJSON_AddStringToObject(condition, "lastTransitionTime", api_now(api, now));
	cJSON_AddStringToObject(condition, "reason", "EvictionByEvictionAPI");
	cJSON_AddStringToObject(condition, "message", "Eviction API: evicting");
	cJSON_AddItemToArray(conditions ? conditions : cJSON_AddArrayToObject(status, "conditions"), condition);
	api_put(api, kind, key, next);
}

static bool has_been_told(const cJSON *pod)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, kube_json_get(pod, "status.conditions"))
		if (strcmp(api_text(condition, "type"), "DisruptionTarget") == 0)
			return true;
	return false;
}

static bool is_admitted(const struct api_request *request, struct api_answer *answer)
{
	if (strcmp(api_text(request->body, "metadata.name"), request->name) == 0)
		return api_namespace_takes(request, answer);
	api_refuse_plainly(answer, 400, "BadRequest", "name in URL does not match name in Eviction object");
	return false;
}

void api_evict(const struct api_request *request, struct api_answer *answer)
{
	const cJSON *options = kube_json_get(request->body, "deleteOptions");
	char key[API_KEY_SIZE];

	api_key(request->namespace_, request->name, key, sizeof(key));
	struct api_object *object = api_find(request->kind, key);
	if (!is_admitted(request, answer))
		return;
	if (!object) {
		api_not_found(request, answer);
		return;
	}
	if (!api_preconditions_hold(request, object, options, answer))
		return;
	if (!outside_budgets(object->json) && !pass_budgets(request, object->json, answer))
		return;
	if (!request->dry_run) {
		if (!has_been_told(object->json))
			say_why(request->api, request->kind, key);
		api_delete_object(request->api, request->kind, api_find(request->kind, key), options);
	}
	api_success(answer, 201);
}
