#include "controller/model/node.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <kube/time.h>
#include <string.h>

#define OUR_PREFIX "patchwright.io/"

/* ---- what is read: k8s.io/api/core/v1/generated.proto Node, NodeSpec, NodeStatus, NodeSystemInfo, Taint ---- */

struct parts {
	struct kube_strmap labels, annotations;
	bool unschedulable;
	struct taints {
		struct taint *items;
		size_t count;
	} taints;
	struct resource_parts allocatable;
	struct condition_parts conditions;
	const char *boot_id, *os;
	const char *node_info[4];
};

#define AT(member) offsetof(struct parts, member)
/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto ObjectMeta */
static const struct kube_json_field metadata_table[] = {
    {.name = "labels", .number = 11, .type = KUBE_JSON_STRMAP, .offset = AT(labels)},
    {.name = "annotations", .number = 12, .type = KUBE_JSON_STRMAP, .offset = AT(annotations), .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field taint_table[] = {
    {.name = "key", .number = 1, .type = KUBE_JSON_STRING, .offset = offsetof(struct taint, key), .required = true},
    {.name = "value", .number = 2, .type = KUBE_JSON_STRING, .offset = offsetof(struct taint, value)},
    {.name = "effect",
     .number = 3,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct taint, effect),
     .required = true},
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    {.name = "unschedulable", .number = 4, .type = KUBE_JSON_BOOL, .offset = AT(unschedulable)},
    {.name = "taints",
     .number = 5,
     .type = KUBE_JSON_LIST,
     .offset = AT(taints),
     .table = taint_table,
     .size = sizeof(struct taint)},
    KUBE_JSON_END,
};

#define INFO(index) (AT(node_info) + (index) * sizeof(const char *))
static const struct kube_json_field info_table[] = {
    {.name = "bootID", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(boot_id)},
    {.name = "kernelVersion", .number = 4, .type = KUBE_JSON_STRING, .offset = INFO(NODE_INFO_KERNEL)},
    {.name = "osImage", .number = 5, .type = KUBE_JSON_STRING, .offset = INFO(NODE_INFO_OS_IMAGE)},
    {.name = "containerRuntimeVersion",
     .number = 6,
     .type = KUBE_JSON_STRING,
     .offset = INFO(NODE_INFO_CONTAINER_RUNTIME)},
    {.name = "kubeletVersion", .number = 7, .type = KUBE_JSON_STRING, .offset = INFO(NODE_INFO_KUBELET)},
    {.name = "operatingSystem", .number = 9, .type = KUBE_JSON_STRING, .offset = AT(os)},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    RESOURCE_LIST("allocatable", 2, AT(allocatable)),
    {.name = "conditions",
     .number = 4,
     .type = KUBE_JSON_LIST,
     .offset = AT(conditions),
     .lenient = true,
     .table = condition_part_table,
     .size = sizeof(struct condition_part)},
    {.name = "nodeInfo", .number = 7, .type = KUBE_JSON_OBJECT, .table = info_table},
    KUBE_JSON_END,
};

static const struct kube_json_field node_table[] = {
    {.name = "metadata", .number = 1, .type = KUBE_JSON_OBJECT, .table = metadata_table},
    {.name = "spec", .number = 2, .type = KUBE_JSON_OBJECT, .table = spec_table},
    {.name = "status", .number = 3, .type = KUBE_JSON_OBJECT, .table = status_table},
    KUBE_JSON_END,
};
#undef AT

/* ---- what is made of it ---- */

#define AT(member) offsetof(struct node, member)
static const struct kube_json_field members[] = {
    {.name = "labels", .type = KUBE_JSON_STRMAP, .offset = AT(labels)},
    {.name = "annotations", .type = KUBE_JSON_STRMAP, .offset = AT(annotations)},
    {.name = "taints",
     .type = KUBE_JSON_LIST,
     .offset = AT(taints),
     .table = taint_table,
     .size = sizeof(struct taint)},
    {.name = "unschedulable", .type = KUBE_JSON_BOOL, .offset = AT(unschedulable)},
    {.name = "ready", .type = KUBE_JSON_BOOL, .offset = AT(ready)},
    {.name = "readySince", .type = KUBE_JSON_TIME, .offset = AT(ready_since_ms)},
    {.name = "cpu", .type = KUBE_JSON_INT, .offset = AT(allocatable.cpu_m)},
    {.name = "memory", .type = KUBE_JSON_INT, .offset = AT(allocatable.memory)},
    {.name = "pods", .type = KUBE_JSON_INT, .offset = AT(allocatable.pods)},
    {.name = "bootID", .type = KUBE_JSON_STRING, .offset = AT(boot_id)},
    {.name = "os", .type = KUBE_JSON_STRING, .offset = AT(os)},
    {.name = "kubelet", .type = KUBE_JSON_STRING, .offset = AT(node_info[0])},
    {.name = "containerRuntime", .type = KUBE_JSON_STRING, .offset = AT(node_info[1])},
    {.name = "kernel", .type = KUBE_JSON_STRING, .offset = AT(node_info[2])},
    {.name = "osImage", .type = KUBE_JSON_STRING, .offset = AT(node_info[3])},
    KUBE_JSON_END,
};

static const size_t shared[] = {
    AT(labels.items), AT(annotations.items), AT(os),           AT(node_info[0]),
    AT(node_info[1]), AT(node_info[2]),      AT(node_info[3]),
};
#undef AT

/* Those that we change are known whatever they say: nothing that is there may look absent. */
static bool is_held_annotation(const char *key)
{
	for (size_t i = 0; i < HELD_COUNT; i++)
		if (strcmp(key, held_annotations[i]) == 0)
			return true;
	return false;
}

static bool worth_keeping(const struct kube_str_pair *annotation)
{
	return is_held_annotation(annotation->key) || strncmp(annotation->key, OUR_PREFIX, strlen(OUR_PREFIX)) == 0 ||
	       strlen(annotation->value) <= NODE_ANNOTATION_KEEP_BYTES;
}

static void drop_long_annotations(struct kube_strmap *annotations)
{
	size_t kept = 0;

	for (size_t i = 0; i < annotations->count; i++)
		if (worth_keeping(&annotations->items[i]))
			annotations->items[kept++] = annotations->items[i];
	annotations->count = kept;
}

/* A state that cannot be read is told, and never taken for none: somebody's work may hang on it. */
static int read_state(struct node *node, struct kube_arena *arena, struct kube_err *err)
{
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

static const char *copy(struct kube_arena *arena, const char *text)
{
	return kube_arena_strdup(arena, text ? text : "");
}

static bool copy_taints(const struct taints *from, struct kube_arena *arena, struct node *node)
{
	struct taint *taints = from->count ? kube_arena_calloc(arena, from->count, sizeof(*taints)) : NULL;

	if (from->count && !taints)
		return false;
	for (size_t i = 0; i < from->count; i++) {
		const struct taint *taint = &from->items[i];
		taints[i] = (struct taint){copy(arena, taint->key), copy(arena, taint->value), copy(arena, taint->effect)};
		if (!taints[i].key || !taints[i].value || !taints[i].effect)
			return false;
		node->quarantined |= strcmp(taints[i].key, PW_TAINT_QUARANTINED) == 0;
	}
	node->taints.items = taints;
	node->taints.count = from->count;
	return true;
}

static bool copy_texts(const struct parts *parts, struct kube_maker *maker, struct node *node)
{
	const char *os = parts->os && *parts->os ? parts->os : kube_strmap_get(&parts->labels, "kubernetes.io/os");
	bool complete = true;

	node->boot_id = copy(maker->arena, parts->boot_id);
	node->os = kube_share_text(maker, os);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(node->node_info); i++) {
		node->node_info[i] = kube_share_text(maker, parts->node_info[i]);
		complete = complete && node->node_info[i];
	}
	return complete && node->boot_id && node->os;
}

/* Unknown (the kubelet is silent) is not ready. */
static void read_ready(const struct condition_parts *conditions, struct node *node)
{
	const struct condition_part *ready = condition_part_get(conditions, "Ready");

	node->ready = condition_part_true(ready);
	node->ready_since_ms = ready && ready->since_ms ? ready->since_ms : KUBE_TIME_NONE;
}

static int make(void *all, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	struct parts *parts = all;
	struct node *node = (struct node *)self;

	drop_long_annotations(&parts->annotations);
	if (kube_share_map(maker, &parts->labels, &node->labels) ||
	    kube_share_map(maker, &parts->annotations, &node->annotations) || !copy_texts(parts, maker, node) ||
	    !copy_taints(&parts->taints, maker->arena, node))
		return meta_out_of_memory(err);
	node->unschedulable = parts->unschedulable;
	node->allocatable = resources_of(&parts->allocatable);
	read_ready(&parts->conditions, node);
	return read_state(node, maker->arena, err);
}

/* Heartbeats change the resourceVersion and condition times that are not kept here: most updates end with "same". */
static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) && same_fields(members, a, b);
}

const struct kube_projection node_projection = {
    .resource = &kube_nodes,
    .size = sizeof(struct node),
    .table = node_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .shared = shared,
    .shared_count = KUBE_ARRAY_LEN(shared),
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

const struct node_state *node_state_of(const struct node *node, const char *rollout_uid)
{
	return node && node->state && !strcmp(node->state->rollout_uid, rollout_uid) ? node->state : NULL;
}
