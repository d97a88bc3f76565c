#include "controller/model/pod.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"
#include "controller/model/text.h"

#include <kube/time.h>
#include <string.h>

#define MESSAGE_BYTES 512

static const struct kube_json_field metadata_table[] = {
    {.name = "labels", .type = KUBE_JSON_STRMAP, .offset = offsetof(struct pod, labels)},
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    {.name = "nodeName", .type = KUBE_JSON_STRING, .offset = offsetof(struct pod, node_name)},
    KUBE_JSON_END,
};

static const struct kube_json_field pod_table[] = {
    {.name = "metadata", .type = KUBE_JSON_OBJECT, .table = metadata_table},
    {.name = "spec", .type = KUBE_JSON_OBJECT, .table = spec_table},
    KUBE_JSON_END,
};

/* What is read by hand, for same(). */
#define AT(member) offsetof(struct pod, member)
static const struct kube_json_field derived_table[] = {
    {.name = "phase", .type = KUBE_JSON_ENUM, .offset = AT(phase)},
    {.name = "ready", .type = KUBE_JSON_BOOL, .offset = AT(ready)},
    {.name = "mirror", .type = KUBE_JSON_BOOL, .offset = AT(mirror)},
    {.name = "emptyDir", .type = KUBE_JSON_BOOL, .offset = AT(empty_dir)},
    {.name = "ownerKind", .type = KUBE_JSON_STRING, .offset = AT(owner_kind)},
    {.name = "ownerName", .type = KUBE_JSON_STRING, .offset = AT(owner_name)},
    {.name = "ownerUID", .type = KUBE_JSON_STRING, .offset = AT(owner_uid)},
    {.name = "jobNodeUID", .type = KUBE_JSON_STRING, .offset = AT(job_node_uid)},
    {.name = "jobFinalizer", .type = KUBE_JSON_BOOL, .offset = AT(job_finalizer)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(status_reason)},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(status_message)},
    {.name = "exited", .type = KUBE_JSON_BOOL, .offset = AT(exited)},
    {.name = "exitCode", .type = KUBE_JSON_INT, .offset = AT(exit_code)},
    {.name = "exitMessage", .type = KUBE_JSON_STRING, .offset = AT(exit_message)},
    {.name = "waitingReason", .type = KUBE_JSON_STRING, .offset = AT(waiting_reason)},
    KUBE_JSON_END,
};

static int read_phase(const cJSON *item)
{
	static const char *const words[] = {"Pending", "Running", "Succeeded", "Failed"};
	const char *phase = kube_json_str(item, "status.phase");

	if (!phase)
		return POD_PENDING;
	for (int i = 0; i < (int)KUBE_ARRAY_LEN(words); i++)
		if (strcmp(phase, words[i]) == 0)
			return i;
	return POD_UNKNOWN;
}

static bool read_ready(const cJSON *item)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, kube_json_get(item, "status.conditions")) {
		const char *type = kube_json_str(condition, "type"), *status = kube_json_str(condition, "status");
		if (type && strcmp(type, "Ready") == 0)
			return status && strcmp(status, "True") == 0;
	}
	return false;
}

static bool has_empty_dir(const cJSON *item)
{
	const cJSON *volume;

	cJSON_ArrayForEach (volume, kube_json_get(item, "spec.volumes"))
		if (kube_json_get(volume, "emptyDir"))
			return true;
	return false;
}

static int read_owner(const cJSON *item, struct pod *pod, struct kube_err *err)
{
	const cJSON *owner = meta_controller(item);
	struct kube_arena *arena = &pod->object.arena;

	pod->owner_kind = meta_str(owner, "kind", arena);
	pod->owner_name = meta_str(owner, "name", arena);
	pod->owner_uid = meta_str(owner, "uid", arena);
	return pod->owner_kind && pod->owner_name && pod->owner_uid ? 0 : meta_out_of_memory(err);
}

/* The end of a log says why; "OOMKilled" and the like say it where there is none. */
static const char *exit_message(const cJSON *terminated)
{
	const char *message = kube_json_str(terminated, "message");
	const char *reason = kube_json_str(terminated, "reason");

	if (message && *message)
		return text_tail(message, MESSAGE_BYTES);
	bool tells_nothing = !reason || strcmp(reason, "Completed") == 0 || strcmp(reason, "Error") == 0;
	return tells_nothing ? "" : text_tail(reason, MESSAGE_BYTES);
}

static void read_exit(const cJSON *terminated, struct pod *pod)
{
	const cJSON *code = kube_json_get(terminated, "exitCode");

	pod->exited = terminated != NULL;
	if (cJSON_IsNumber(code))
		pod->exit_code = (int64_t)code->valueint;
	else if (terminated)
		pod->exit_code = -1; /* nobody knows: that is no success */
}

static int read_job(const cJSON *item, struct pod *pod, struct kube_err *err)
{
	struct kube_arena *arena = &pod->object.arena;
	const char *node_uid = meta_annotation(item, PW_ANNOTATION_NODE);
	const cJSON *container = cJSON_GetArrayItem(kube_json_get(item, "status.containerStatuses"), 0);
	const cJSON *terminated = kube_json_get(container, "state.terminated");

	pod->job_node_uid = kube_arena_strdup(arena, node_uid ? node_uid : "");
	pod->job_finalizer = meta_has_finalizer(item, PW_FINALIZER_JOB);
	pod->status_reason = meta_str(item, "status.reason", arena);
	pod->status_message = text_keep(arena, kube_json_str(item, "status.message"), MESSAGE_BYTES);
	read_exit(terminated, pod);
	pod->exit_message = kube_arena_strdup(arena, exit_message(terminated));
	pod->waiting_reason = meta_str(container, "state.waiting.reason", arena);
	return pod->job_node_uid && pod->status_reason && pod->status_message && pod->exit_message && pod->waiting_reason
	           ? 0
	           : meta_out_of_memory(err);
}

static int decode(const cJSON *item, struct kube_object *self, struct kube_err *err)
{
	struct pod *pod = (struct pod *)self;

	pod->node_name = pod->status_reason = pod->status_message = pod->exit_message = pod->waiting_reason = "";
	int rc = kube_json_decode(item, pod_table, pod, &self->arena, err);
	if (!rc)
		rc = read_owner(item, pod, err);
	if (rc)
		return rc;
	pod->phase = read_phase(item);
	pod->ready = read_ready(item);
	pod->mirror = meta_annotation(item, "kubernetes.io/config.mirror") != NULL;
	pod->empty_dir = has_empty_dir(item);
	pod->job_step = kube_strmap_get(&pod->labels, PW_LABEL_STEP);
	pod->rollout_hash = kube_strmap_get(&pod->labels, PW_LABEL_ROLLOUT_HASH);
	return pod->job_step ? read_job(item, pod, err) : 0;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) && same_fields(pod_table, a, b) && same_fields(derived_table, a, b);
}

const struct kube_projection pod_projection = {
    .resource = &kube_pods,
    .size = sizeof(struct pod),
    .decode = decode,
    .same = same,
};

const char *pod_node_index(const struct kube_object *object)
{
	const struct pod *pod = (const struct pod *)object;
	return *pod->node_name ? pod->node_name : NULL;
}

const char *pod_rollout_index(const struct kube_object *object)
{
	const struct pod *pod = (const struct pod *)object;
	return pod->job_step ? pod->rollout_hash : NULL;
}

bool pod_finished(const struct pod *pod)
{
	return pod->phase == POD_SUCCEEDED || pod->phase == POD_FAILED;
}
