/* PatchRollouts: made for a policy, and our finalizer on them. */
#include "controller/act/bodies.h"
#include <stdio.h>
#include <string.h>

cJSON *rollout_body(const struct policy *policy, const char *name)
{
	cJSON *body = body_of(&pw_rollouts);
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "name", name);
	body_string(body_object(metadata, "labels"), PW_LABEL_POLICY, policy->object.name);
	body_owner(metadata, &pw_policies, policy->object.name, policy->object.uid);
	cJSON *reference = body_object(body_object(body, "spec"), "policyRef");
	body_string(reference, "name", policy->object.name);
	return body;
}

static size_t find_finalizer(const struct rollout *rollout)
{
	size_t i = 0;
	while (i < rollout->finalizers.count && strcmp(rollout->finalizers.items[i], PW_FINALIZER_ROLLOUT) != 0)
		i++;
	return i;
}

static void put_on(cJSON *patch, const struct rollout *rollout)
{
	/* Others' finalizers come and go: what is added to must be the list that was looked at. */
	body_op_string(patch, "test", "/metadata/resourceVersion", rollout->object.resource_version);
	if (rollout->finalizers.count == 0)
		body_op(patch, "add", "/metadata/finalizers", body_new_array());
	body_op_string(patch, "add", "/metadata/finalizers/-", PW_FINALIZER_ROLLOUT);
}

static void take_off(cJSON *patch, size_t at)
{
	char path[BODY_PATH_SIZE];
	snprintf(path, sizeof(path), "/metadata/finalizers/%zu", at);
	body_op_string(patch, "test", path, PW_FINALIZER_ROLLOUT);
	body_op(patch, "remove", path, NULL);
}

cJSON *rollout_finalizer_body(const struct rollout *rollout, bool on)
{
	size_t at = find_finalizer(rollout);
	bool is_on = at < rollout->finalizers.count;
	if (is_on == on)
		return NULL;
	cJSON *patch = body_new_array();
	body_op_string(patch, "test", "/metadata/uid", rollout->object.uid);
	if (on)
		put_on(patch, rollout);
	else
		take_off(patch, at);
	return patch;
}
