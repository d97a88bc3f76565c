/* Deletion: at once, when nothing holds the object; else it is marked, and goes with its last finalizer (and, a pod,
 * when its kubelet has stopped it). */
#include "lib/sim/api.h"

#include <kube/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_GRACE_S 30

static int64_t number_at(const cJSON *json, const char *path, int64_t fallback)
{
	const cJSON *number = kube_json_get(json, path);
	return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : fallback;
}

bool api_preconditions_hold(const struct api_request *request, const struct api_object *object, const cJSON *options,
                            struct api_answer *answer)
{
	static const struct {
		const char *wanted, *is, *word;
	} conditions[] = {
	    {"preconditions.uid", "metadata.uid", "UID"},
	    {"preconditions.resourceVersion", "metadata.resourceVersion", "ResourceVersion"},
	};
	char why[256];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(conditions); i++) {
		const char *wanted = kube_json_str(options, conditions[i].wanted);
		const char *is = kube_json_str(object->json, conditions[i].is);
		if (!wanted || strcmp(wanted, is) == 0)
			continue;
		snprintf(why, sizeof(why), "Precondition failed: %s in precondition: %s, %s in object meta: %s",
		         conditions[i].word, wanted, conditions[i].word, is);
		api_conflict(request, answer, why);
		return false;
	}
	return true;
}

bool api_deletion_complete(const cJSON *json)
{
	return kube_json_get(json, "metadata.deletionTimestamp") &&
	       number_at(json, "metadata.deletionGracePeriodSeconds", 0) == 0 &&
	       cJSON_GetArraySize(kube_json_get(json, "metadata.finalizers")) == 0;
}

/* Only pods end gracefully: what runs on no node, or no more, has nothing to end (registry/core/pod/strategy.go). */
static int64_t grace_of(const struct api_kind *kind, const cJSON *json, const cJSON *options)
{
	const char *phase = kube_json_str(json, "status.phase"), *node = kube_json_str(json, "spec.nodeName");

	if (kind->about.resource != &kube_pods || !node || !*node)
		return 0;
	if (phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0))
		return 0;
	return number_at(options, "gracePeriodSeconds",
	                 number_at(json, "spec.terminationGracePeriodSeconds", DEFAULT_GRACE_S));
}

static void mark(struct kube_sim_api *api, cJSON *json, int64_t grace_s)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	char at[32];

	kube_time_format(kube_sim_server_ms(api->sim) + grace_s * 1000, at);
	api_set(metadata, "deletionTimestamp", cJSON_CreateString(at));
	api_set(metadata, "deletionGracePeriodSeconds", cJSON_CreateNumber((double)grace_s));
}

void api_delete_object(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object, const cJSON *options)
{
	bool marked = kube_json_get(object->json, "metadata.deletionTimestamp") != NULL;
	int64_t grace_s = grace_of(kind, object->json, options);
	bool held = grace_s > 0 || cJSON_GetArraySize(kube_json_get(object->json, "metadata.finalizers")) > 0;
	char key[320];

	if (!held) {
		api_remove(api, kind, object);
		return;
	}
	/* A deletion that has begun can only get shorter. */
	if (marked && grace_s >= number_at(object->json, "metadata.deletionGracePeriodSeconds", 0))
		return;
	cJSON *next = api_must(cJSON_Duplicate(object->json, true));
	mark(api, next, grace_s);
	snprintf(key, sizeof(key), "%s", object->key);
	api_put(api, kind, key, next);
}

void api_delete(const struct api_request *request, struct api_answer *answer)
{
	char key[320];

	api_key(request->namespace_, request->name, key, sizeof(key));
	struct api_object *object = api_find(request->kind, key);
	if (!object) {
		api_not_found(request, answer);
		return;
	}
	if (!api_preconditions_hold(request, object, request->body, answer))
		return;
	api_delete_object(request->api, request->kind, object, request->body);
	api_success(answer, 200);
}

void api_delete_collection(const struct api_request *request, struct api_answer *answer)
{
	struct api_kind *kind = request->kind;

	for (size_t i = kind->count; i-- > 0;)
		if (i < kind->count &&
		    api_selected(kind->objects[i].json, request->namespace_, request->labels, request->fields))
			api_delete_object(request->api, kind, &kind->objects[i], request->body);
	api_success(answer, 200);
}
