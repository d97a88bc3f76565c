#include "controller/model/node.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <kube/time.h>
#include <string.h>

#define OUR_PREFIX "patchwright.io/"

static const struct kube_json_field metadata_table[] = {
    {.name = "labels", .type = KUBE_JSON_STRMAP, .offset = offsetof(struct node, labels)},
    KUBE_JSON_END,
};

static const struct kube_json_field taint_table[] = {
    {.name = "key", .type = KUBE_JSON_STRING, .offset = offsetof(struct taint, key), .required = true},
    {.name = "value", .type = KUBE_JSON_STRING, .offset = offsetof(struct taint, value)},
    {.name = "effect", .type = KUBE_JSON_STRING, .offset = offsetof(struct taint, effect), .required = true},
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    {.name = "unschedulable", .type = KUBE_JSON_BOOL, .offset = offsetof(struct node, unschedulable)},
    {.name = "taints",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct node, taints),
     .table = taint_table,
     .size = sizeof(struct taint)},
    KUBE_JSON_END,
};

#define NODE_INFO(index) (offsetof(struct node, node_info) + (index) * sizeof(const char *))
static const struct kube_json_field info_table[] = {
    {.name = "bootID", .type = KUBE_JSON_STRING, .offset = offsetof(struct node, boot_id)},
    {.name = "operatingSystem", .type = KUBE_JSON_STRING, .offset = offsetof(struct node, os)},
    {.name = "kubeletVersion", .type = KUBE_JSON_STRING, .offset = NODE_INFO(NODE_INFO_KUBELET)},
    {.name = "containerRuntimeVersion", .type = KUBE_JSON_STRING, .offset = NODE_INFO(NODE_INFO_CONTAINER_RUNTIME)},
    {.name = "kernelVersion", .type = KUBE_JSON_STRING, .offset = NODE_INFO(NODE_INFO_KERNEL)},
    {.name = "osImage", .type = KUBE_JSON_STRING, .offset = NODE_INFO(NODE_INFO_OS_IMAGE)},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "nodeInfo", .type = KUBE_JSON_OBJECT, .table = info_table},
    KUBE_JSON_END,
};

static const struct kube_json_field node_table[] = {
    {.name = "metadata", .type = KUBE_JSON_OBJECT, .table = metadata_table},
    {.name = "spec", .type = KUBE_JSON_OBJECT, .table = spec_table},
    {.name = "status", .type = KUBE_JSON_OBJECT, .table = status_table},
    KUBE_JSON_END,
};

static bool worth_keeping(const cJSON *annotation)
{
	if (!cJSON_IsString(annotation))
		return false;
	return strncmp(annotation->string, OUR_PREFIX, strlen(OUR_PREFIX)) == 0 ||
	       strlen(annotation->valuestring) <= NODE_ANNOTATION_KEEP_BYTES;
}

static int keep_annotations(const cJSON *item, struct node *node, struct kube_err *err)
{
	struct kube_arena *arena = &node->object.arena;
	const cJSON *all = kube_json_get(item, "metadata.annotations"), *annotation;
	size_t count = 0;

	cJSON_ArrayForEach (annotation, all)
		count += worth_keeping(annotation);
	struct kube_str_pair *pair = kube_arena_calloc(arena, count, sizeof(*pair));
	if (!pair)
		return meta_out_of_memory(err);
	node->annotations = (struct kube_strmap){.items = pair, .count = count};
	cJSON_ArrayForEach (annotation, all) {
		if (!worth_keeping(annotation))
			continue;
		pair->key = kube_arena_strdup(arena, annotation->string);
		pair->value = kube_arena_strdup(arena, annotation->valuestring);
		if (!pair->key || !pair->value)
			return meta_out_of_memory(err);
		pair++;
	}
	return 0;
}

/* A state that cannot be read is told, and never taken for none: somebody's work may hang on it. */
static int read_state(struct node *node, struct kube_err *err)
{
	struct kube_arena *arena = &node->object.arena;
	struct node_state *state;
	struct kube_err problem;

	node->state_text = kube_strmap_get(&node->annotations, PW_ANNOTATION_STATE);
	if (!node->state_text)
		return 0;
	int rc = node_state_parse(node->state_text, arena, &state, &problem);
	if (rc == KUBE_E_NOMEM)
		return meta_out_of_memory(err);
	if (!rc) {
		node->state = state;
		return 0;
	}
	node->state_error = kube_arena_strdup(arena, problem.message);
	return node->state_error ? 0 : meta_out_of_memory(err);
}

/* Unknown (the kubelet is silent) is not ready. */
static void read_ready(const cJSON *item, struct node *node)
{
	const cJSON *condition;

	node->ready_since_ms = KUBE_TIME_NONE;
	cJSON_ArrayForEach (condition, kube_json_get(item, "status.conditions")) {
		const char *type = kube_json_str(condition, "type");
		if (!type || strcmp(type, "Ready") != 0)
			continue;
		const char *status = kube_json_str(condition, "status");
		const char *since = kube_json_str(condition, "lastTransitionTime");
		node->ready = status && strcmp(status, "True") == 0;
		if (since)
			kube_time_parse(since, &node->ready_since_ms, NULL);
		return;
	}
}

static void complete(struct node *node)
{
	const char **texts[] = {&node->boot_id,      &node->os,           &node->node_info[0],
	                        &node->node_info[1], &node->node_info[2], &node->node_info[3]};

	if (!node->os)
		node->os = kube_strmap_get(&node->labels, "kubernetes.io/os");
	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++)
		if (!*texts[i])
			*texts[i] = "";
	for (size_t i = 0; i < node->taints.count; i++) {
		struct taint *taint = &node->taints.items[i];
		if (!taint->value)
			taint->value = "";
		if (strcmp(taint->key, PW_TAINT_QUARANTINED) == 0)
			node->quarantined = true;
	}
}

static int decode(const cJSON *item, struct kube_object *self, struct kube_err *err)
{
	struct node *node = (struct node *)self;
	int rc = kube_json_decode(item, node_table, node, &self->arena, err);
	if (!rc)
		rc = keep_annotations(item, node, err);
	if (!rc)
		rc = read_state(node, err);
	if (rc)
		return rc;
	read_ready(item, node);
	complete(node);
	return 0;
}

/* Heartbeats change the resourceVersion and condition times that are not kept here: most updates end with "same". */
static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct node *x = (const struct node *)a, *y = (const struct node *)b;
	return same_object(a, b) && x->ready == y->ready && x->ready_since_ms == y->ready_since_ms &&
	       same_fields(node_table, x, y) && same_strmap(&x->annotations, &y->annotations);
}

const struct kube_projection node_projection = {
    .resource = &kube_nodes,
    .size = sizeof(struct node),
    .decode = decode,
    .same = same,
};

static const char *not_empty(const char *text)
{
	return text && *text ? text : NULL;
}

const char *node_observed(const struct node *node, const struct observed *observed)
{
	switch ((enum observed_type)observed->type) {
	case OBSERVED_DEFAULT: return NULL;
	case OBSERVED_NODE_INFO: return not_empty(node->node_info[observed->node_info]);
	case OBSERVED_LABEL: return not_empty(kube_strmap_get(&node->labels, observed->label));
	case OBSERVED_ANNOTATION: return not_empty(kube_strmap_get(&node->annotations, observed->annotation));
	}
	return NULL;
}

bool node_control_plane(const struct node *node)
{
	return kube_strmap_get(&node->labels, "node-role.kubernetes.io/control-plane") ||
	       kube_strmap_get(&node->labels, "node-role.kubernetes.io/master");
}

/* No machine that a job could run on: a gateway to another service that calls itself a node. */
static bool is_virtual(const struct node *node)
{
	const char *type = kube_strmap_get(&node->labels, "type");

	if (type && strcmp(type, "virtual-kubelet") == 0)
		return true;
	for (size_t i = 0; i < node->taints.count; i++)
		if (strcmp(node->taints.items[i].key, "virtual-kubelet.io/provider") == 0)
			return true;
	return false;
}

bool node_selected(const struct node *node, const struct rules *rules)
{
	/* An empty selector is refused (rules_check); should one get here, it must not mean the whole cluster. */
	return !kube_selector_empty(&rules->selector) && kube_selector_matches(&rules->selector, &node->labels) &&
	       !node_control_plane(node) && strcmp(node->os, "windows") != 0 && !is_virtual(node);
}
