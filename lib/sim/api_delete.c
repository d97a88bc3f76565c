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

static bool is_marked(const cJSON *json)
{
	return kube_json_get(json, "metadata.deletionTimestamp") != NULL;
}

/* ---- what is asked for ---- */

bool api_preconditions_hold(const struct api_request *request, const struct api_object *object, const cJSON *options,
                            struct api_answer *answer)
{
	static const struct {
		const char *wanted, *is, *word, *because;
	} conditions[] = {
	    {"preconditions.uid", "metadata.uid", "UID", "deleted and then recreated"},
	    {"preconditions.resourceVersion", "metadata.resourceVersion", "ResourceVersion", "modified"},
	};
	const struct kube_resource *resource = request->kind->about.resource;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(conditions); i++) {
		const char *wanted = kube_json_str(options, conditions[i].wanted);
		const char *is = kube_json_str(object->json, conditions[i].is), *word = conditions[i].word;
		if (!wanted || strcmp(wanted, is) == 0)
			continue;
		api_refuse_of_kind(
		    request, answer, 409, "Conflict",
		    "Operation cannot be fulfilled on %s%s%s \"%s\": the %s in the precondition (%s) does not match "
		    "the %s in record (%s). The object might have been %s",
		    resource->kind, *resource->group ? "." : "", resource->group, request->name, word, wanted, word, is,
		    conditions[i].because);
		return false;
	}
	return true;
}

/* The finalizer that a propagation policy means; NULL: none. */
static const char *finalizer_of(const char *policy)
{
	if (policy && strcmp(policy, "Foreground") == 0)
		return API_FOREGROUND;
	return policy && strcmp(policy, "Orphan") == 0 ? API_ORPHAN : NULL;
}

static bool has_policy(const struct api_request *request, struct api_answer *answer)
{
	const char *policy = kube_json_str(request->body, "propagationPolicy");
	static const struct api_cause cause = {
	    "FieldValueNotSupported",
	    "Unsupported value: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
	    "propagationPolicy"};

	if (!policy || strcmp(policy, "Background") == 0 || finalizer_of(policy))
		return true;
	api_refuse_options(answer, "DeleteOptions", &cause);
	return false;
}

/* Only pods end gracefully: what runs on no node, or no more, has nothing to end (registry/core/pod/strategy.go). */
static int64_t grace_of(const struct api_kind *kind, const cJSON *json, const cJSON *options)
{
	const char *phase = kube_json_str(json, "status.phase"), *node = kube_json_str(json, "spec.nodeName");

	if (kind->about.resource != &kube_pods || !node || !*node)
		return 0;
	if (phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0))
		return 0;
	int64_t grace_s = number_at(options, "gracePeriodSeconds",
	                            number_at(json, "spec.terminationGracePeriodSeconds", DEFAULT_GRACE_S));
	return grace_s < 0 ? 1 : grace_s;
}

/* ---- the mark ---- */

static void mark(struct kube_sim_api *api, const struct api_kind *kind, cJSON *json, int64_t grace_s)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const cJSON *generation = cJSON_GetObjectItemCaseSensitive(metadata, "generation");
	char at[32];

	if (generation && !is_marked(json))
		api_set(metadata, "generation", cJSON_CreateNumber(generation->valuedouble + 1));
	kube_time_format(kube_sim_server_ms(api->sim) + grace_s * 1000, at);
	api_set(metadata, "deletionTimestamp", cJSON_CreateString(at));
	if (kind->about.resource == &kube_namespaces)
		api_set(cJSON_GetObjectItemCaseSensitive(json, "status"), "phase", cJSON_CreateString("Terminating"));
	else
		api_set(metadata, "deletionGracePeriodSeconds", cJSON_CreateNumber((double)grace_s));
}

static void add_finalizer(cJSON *json, const char *name)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	cJSON *finalizers = cJSON_GetObjectItemCaseSensitive(metadata, "finalizers");

	cJSON_AddItemToArray(finalizers ? finalizers : cJSON_AddArrayToObject(metadata, "finalizers"),
	                     cJSON_CreateString(name));
}

static bool is_held(const cJSON *json)
{
	return cJSON_GetArraySize(kube_json_get(json, "metadata.finalizers")) > 0 ||
	       cJSON_GetArraySize(kube_json_get(json, "spec.finalizers")) > 0;
}

bool api_deletion_complete(const cJSON *json)
{
	return is_marked(json) && number_at(json, "metadata.deletionGracePeriodSeconds", 0) == 0 && !is_held(json);
}

void api_delete_object(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object, const cJSON *options)
{
	const char *finalizer = finalizer_of(kube_json_str(options, "propagationPolicy"));
	int64_t grace_s = grace_of(kind, object->json, options);
	bool pod = kind->about.resource == &kube_pods;
	char key[API_KEY_SIZE];

	if (!pod && !finalizer && !is_held(object->json)) {
		api_remove(api, kind, object);
		return;
	}
	/* A deletion that has begun can only get shorter. */
	bool begun = is_marked(object->json);
	if (begun && grace_s >= number_at(object->json, "metadata.deletionGracePeriodSeconds", 0) && is_held(object->json))
		return;
	if (begun && grace_s >= number_at(object->json, "metadata.deletionGracePeriodSeconds", 0) && grace_s > 0)
		return;
	cJSON *next = api_must(cJSON_Duplicate(object->json, true));
	mark(api, kind, next, grace_s);
	if (finalizer && !begun)
		add_finalizer(next, finalizer);
	snprintf(key, sizeof(key), "%s", object->key);
	object = api_put(api, kind, key, next);
	if (api_deletion_complete(object->json))
		api_remove(api, kind, object);
}

/* ---- requests ---- */

static void answer_deletion(const struct api_request *request, const char *key, struct api_answer *answer)
{
	struct api_kind *kind = request->kind;
	const struct api_object *left = api_find(kind, key);
	const char *text = left ? left->text : kind->events[kind->event_count - 1].text;

	answer->status = 200;
	if (left || api_rules_of(kind)->returns_deleted) {
		answer->text = api_must(strdup(text));
		return;
	}
	_cleanup_json_ cJSON *json = api_must(cJSON_Parse(text));
	api_deleted(request, answer, json);
}

void api_delete(const struct api_request *request, struct api_answer *answer)
{
	char key[API_KEY_SIZE];

	api_key(request->namespace_, request->name, key, sizeof(key));
	struct api_object *object = api_find(request->kind, key);
	if (!has_policy(request, answer))
		return;
	if (!object) {
		api_not_found(request, answer);
		return;
	}
	if (!api_preconditions_hold(request, object, request->body, answer))
		return;
	if (request->dry_run) {
		api_deleted(request, answer, object->json);
		return;
	}
	api_delete_object(request->api, request->kind, object, request->body);
	answer_deletion(request, key, answer);
}

/* The answer lists what was there. */
void api_delete_collection(const struct api_request *request, struct api_answer *answer)
{
	struct api_kind *kind = request->kind;
	struct api_request all = *request;

	all.body = NULL;
	api_list(&all, answer);
	if (answer->status != 200 || request->dry_run)
		return;
	for (size_t i = kind->count; i-- > 0;)
		if (i < kind->count &&
		    api_selected(kind->objects[i].json, request->namespace_, request->labels, request->fields))
			api_delete_object(request->api, kind, &kind->objects[i], request->body);
}
