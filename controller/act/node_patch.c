/*
 * One step of a node is one write: state, cordon and taint together.
 *
 * A claim is a merge patch with the resourceVersion that was looked at: whatever changed since makes it a 409. Later
 * steps must not fail because a kubelet reported something, so they test only what they rest on: the node's UID and our
 * own state as it was; a 422 says that either differs.
 */
#include "controller/act/bodies.h"
#include <kube/client.h>
#include <stdio.h>
#include <string.h>

/* ---- annotations that keep autoscalers away: set with the claim, put back with the end ---- */

/* The value that one of them gets with this write, *ret_value NULL: it goes. False: it stays as it is. */
static bool held_change(const struct node_write *write, size_t which, const char **ret_value)
{
	const char *before = node_state_held(write->node->state, which), *after = node_state_held(write->state, which);
	const char *now = kube_strmap_get(&write->node->annotations, held_annotations[which]);

	if (!before && write->claim) /* into its end: it was in work, and its state is lost */
		before = node_state_held_last(write->state, which);
	*ret_value = HELD_VALUE;
	if (write->claim && after)
		return true;
	if (!before || after || !now || strcmp(now, HELD_VALUE) != 0)
		return false; /* what somebody else has changed meanwhile is theirs */
	*ret_value = strcmp(before, HELD_ABSENT) == 0 ? NULL : before + strlen(HELD_BEFORE);
	return true;
}

static void change_held(cJSON *patch, const struct node_write *write)
{
	char path[BODY_PATH_SIZE];
	const char *value;

	for (size_t i = 0; i < HELD_COUNT; i++) {
		if (!held_change(write, i, &value))
			continue;
		body_annotation_path(held_annotations[i], path, sizeof(path));
		if (!write->claim)
			body_test_string(patch, path, HELD_VALUE);
		if (value)
			body_op_string(patch, "add", path, value);
		else
			body_op(patch, "remove", path, NULL);
	}
}

/* ---- the bodies ---- */

static cJSON *claim_body(const struct node_write *write, const char *state)
{
	const struct kube_object *object = &write->node->object;
	const char *value;
	cJSON *body = body_new();
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "resourceVersion", object->resource_version);
	body_string(metadata, "uid", object->uid);
	cJSON *annotations = body_object(metadata, "annotations");
	if (state)
		body_string(annotations, PW_ANNOTATION_STATE, state);
	else
		body_null(annotations, PW_ANNOTATION_STATE);
	for (size_t i = 0; i < HELD_COUNT; i++)
		if (held_change(write, i, &value))
			body_add(annotations, held_annotations[i], value ? cJSON_CreateString(value) : cJSON_CreateNull());
	if (write->cordon == CHANGE_ON)
		body_bool(body_object(body, "spec"), "unschedulable", true);
	else if (write->cordon == CHANGE_OFF)
		body_null(body_object(body, "spec"), "unschedulable");
	return body;
}

/* Tests before anything is changed: a patch that fails half-way is dropped whole anyway. */
static void test_identity(cJSON *patch, const struct node_write *write, const char *path)
{
	const struct node *node = write->node;
	body_op_string(patch, "test", "/metadata/uid", node->object.uid);
	if (node->state_text)
		body_test_string(patch, path, node->state_text);
	if (write->claim || !node->state_text)
		body_op_string(patch, "test", "/metadata/resourceVersion", node->object.resource_version);
}

static void change_state(cJSON *patch, const struct node *node, const char *path, const char *state)
{
	if (!state) {
		if (node->state_text)
			body_op(patch, "remove", path, NULL);
		return;
	}
	if (!node->state_text && node->annotations.count == 0) {
		/* The map may be absent, and then nothing can be added in it. A test for null passes only in that case. */
		body_op(patch, "test", "/metadata/annotations", cJSON_CreateNull());
		body_op(patch, "add", "/metadata/annotations", body_new());
	}
	body_op_string(patch, "add", path, state);
}

static void change_cordon(cJSON *patch, const struct node_write *write)
{
	if (write->cordon == CHANGE_ON) {
		body_op(patch, "add", "/spec/unschedulable", cJSON_CreateTrue());
	} else if (write->cordon == CHANGE_OFF && write->node->unschedulable) {
		body_op(patch, "test", "/spec/unschedulable", cJSON_CreateTrue());
		body_op(patch, "remove", "/spec/unschedulable", NULL);
	}
}

static void note_applied(cJSON *patch, const struct patch *applied)
{
	char path[BODY_PATH_SIZE];

	body_annotation_path(applied->observed.annotation, path, sizeof(path));
	body_op_string(patch, "add", path, applied->version);
}

static void add_taint(cJSON *patch, const struct node *node)
{
	cJSON *taint = body_new();
	body_string(taint, "key", PW_TAINT_QUARANTINED);
	body_string(taint, "effect", "NoSchedule");
	if (node->taints.count > 0) {
		body_op(patch, "add", "/spec/taints/-", taint);
		return;
	}
	/* This replaces the list, so it must still be absent. */
	body_op(patch, "test", "/spec/taints", cJSON_CreateNull());
	cJSON *taints = body_new_array();
	body_add(taints, NULL, taint);
	body_op(patch, "add", "/spec/taints", taints);
}

/* Only the key is tested at its place: the cache does not keep a taint's timeAdded, so the whole list cannot be. */
static void remove_taint(cJSON *patch, const struct node *node)
{
	for (size_t i = 0; i < node->taints.count; i++) {
		if (strcmp(node->taints.items[i].key, PW_TAINT_QUARANTINED) != 0)
			continue;
		char path[BODY_PATH_SIZE];
		snprintf(path, sizeof(path), "/spec/taints/%zu/key", i);
		body_op_string(patch, "test", path, PW_TAINT_QUARANTINED);
		snprintf(path, sizeof(path), "/spec/taints/%zu", i);
		body_op(patch, "remove", path, NULL);
		return;
	}
}

static cJSON *step_body(const struct node_write *write, const char *state)
{
	char path[BODY_PATH_SIZE];
	body_annotation_path(PW_ANNOTATION_STATE, path, sizeof(path));
	cJSON *patch = body_new_array();
	test_identity(patch, write, path);
	change_state(patch, write->node, path, state);
	change_held(patch, write);
	change_cordon(patch, write);
	if (write->applied)
		note_applied(patch, write->applied);
	if (write->quarantine == CHANGE_ON && !write->node->quarantined)
		add_taint(patch, write->node);
	else if (write->quarantine == CHANGE_OFF)
		remove_taint(patch, write->node);
	return patch;
}

cJSON *node_patch_body(const struct node_write *write, struct kube_arena *arena, const char **ret_content_type)
{
	const char *state = write->state ? node_state_format(write->state, arena) : NULL;
	/* A merge patch would replace the whole list of taints. */
	bool taints = write->quarantine == CHANGE_OFF || (write->quarantine == CHANGE_ON && !write->node->quarantined);
	if (!taints && (write->claim || !write->node->state_text)) {
		*ret_content_type = KUBE_PATCH_MERGE;
		return claim_body(write, state);
	}
	*ret_content_type = KUBE_PATCH_JSON;
	return step_body(write, state);
}
