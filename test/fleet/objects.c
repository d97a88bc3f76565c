#include "test/fleet/objects.h"
#include <string.h>

static const struct kube_json_field node_info_table[] = {
    {.name = "kubeletVersion", .type = KUBE_JSON_STRING, .offset = 0 * sizeof(char *)},
    {.name = "containerRuntimeVersion", .type = KUBE_JSON_STRING, .offset = 1 * sizeof(char *)},
    {.name = "kernelVersion", .type = KUBE_JSON_STRING, .offset = 2 * sizeof(char *)},
    {.name = "osImage", .type = KUBE_JSON_STRING, .offset = 3 * sizeof(char *)},
    KUBE_JSON_END,
};

static const struct kube_json_field node_metadata_table[] = {
    {.name = "annotations", .type = KUBE_JSON_STRMAP, .offset = offsetof(struct fleet_node, annotations)},
    {.name = "labels", .type = KUBE_JSON_STRMAP, .offset = offsetof(struct fleet_node, labels)},
    KUBE_JSON_END,
};

static int decode_node(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct fleet_node *node = (struct fleet_node *)self;
	const cJSON *info = kube_json_get(item, "status.nodeInfo");
	int result = kube_json_decode(kube_json_get(item, "metadata"), node_metadata_table, node, arena, err);

	if (!result && info)
		result = kube_json_decode(info, node_info_table, node->info, arena, err);
	return result;
}

const struct kube_projection fleet_node_projection = {
    .resource = &kube_nodes, .size = sizeof(struct fleet_node), .decode = decode_node};

static const char *copy(struct kube_arena *arena, const char *text)
{
	return kube_arena_strdup(arena, text ? text : "");
}

static void read_env(struct fleet_pod *pod, const cJSON *env, struct kube_arena *arena)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, env) {
		const char *name = kube_json_str(item, "name"), *value = kube_json_str(item, "value");
		if (!name || !value)
			continue;
		if (!strcmp(name, "PATCHWRIGHT_COMPONENT"))
			pod->component = copy(arena, value);
		else if (!strcmp(name, "PATCHWRIGHT_VERSION"))
			pod->version = copy(arena, value);
		else if (!strcmp(name, "PATCHWRIGHT_FROM_VERSION"))
			pod->from_version = copy(arena, value);
		else if (!strcmp(name, "PATCHWRIGHT_ATTEMPT"))
			pod->first = !strcmp(value, "1");
		else if (!strcmp(name, "FLEET_LABEL"))
			pod->marker_label = copy(arena, value);
	}
}

static int decode_pod(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct fleet_pod *pod = (struct fleet_pod *)self;
	const cJSON *labels = kube_json_get(item, "metadata.labels");
	const cJSON *deadline = kube_json_get(item, "spec.activeDeadlineSeconds");

	(void)err;
	pod->node_name = copy(arena, kube_json_str(item, "spec.nodeName"));
	pod->phase = copy(arena, kube_json_str(item, "status.phase"));
	pod->step = copy(arena, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, "patchwright.io/step")));
	pod->rollback = pod->step && !strcmp(pod->step, "rollback");
	pod->prepare = pod->step && !strcmp(pod->step, "prepare");
	pod->verify = pod->step && !strcmp(pod->step, "verify");
	pod->deadline_ms = cJSON_IsNumber(deadline) ? (int64_t)(deadline->valuedouble * 1000) : 0;
	pod->component = pod->version = pod->from_version = "";
	pod->finalized = cJSON_GetArraySize(kube_json_get(item, "metadata.finalizers")) > 0;
	read_env(pod, kube_json_get(cJSON_GetArrayItem(kube_json_get(item, "spec.containers"), 0), "env"), arena);
	return 0;
}

const struct kube_projection fleet_pod_projection = {
    .resource = &kube_pods, .size = sizeof(struct fleet_pod), .decode = decode_pod};
