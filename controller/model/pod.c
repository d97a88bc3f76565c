#include "controller/model/pod.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"
#include "controller/model/pod_spec.h"
#include "controller/model/text.h"

#include <string.h>

#define MESSAGE_BYTES 512

/* ---- what is read: k8s.io/api/core/v1/generated.proto Pod, PodSpec, PodStatus and what is in them ---- */

struct waiting_part {
	const char *reason;
};

struct terminated_part {
	struct kube_optional_int exit_code;
	const char *reason, *message;
};

struct container_part {
	const struct waiting_part *waiting;
	const struct terminated_part *terminated;
};

struct parts {
	struct kube_strmap labels, annotations;
	struct owner_parts owners;
	struct kube_strlist finalizers;
	struct pod_spec_parts spec;
	const char *phase, *reason, *message;
	struct condition_parts conditions;
	struct {
		struct container_part *items;
		size_t count;
	} containers;
};

#define AT(member) offsetof(struct parts, member)
/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto ObjectMeta */
static const struct kube_json_field metadata_table[] = {
    {.name = "labels", .number = 11, .type = KUBE_JSON_STRMAP, .offset = AT(labels)},
    {.name = "annotations", .number = 12, .type = KUBE_JSON_STRMAP, .offset = AT(annotations), .lenient = true},
    {.name = "ownerReferences",
     .number = 13,
     .type = KUBE_JSON_LIST,
     .offset = AT(owners),
     .lenient = true,
     .table = owner_part_table,
     .size = sizeof(struct owner_part)},
    {.name = "finalizers", .number = 14, .type = KUBE_JSON_STRLIST, .offset = AT(finalizers), .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field waiting_table[] = {
    {.name = "reason",
     .number = 1,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct waiting_part, reason),
     .lenient = true},
    KUBE_JSON_END,
};

#define IN(member) offsetof(struct terminated_part, member)
static const struct kube_json_field terminated_table[] = {
    {.name = "exitCode", .number = 1, .type = KUBE_JSON_OPTIONAL_INT, .offset = IN(exit_code), .lenient = true},
    {.name = "reason", .number = 3, .type = KUBE_JSON_STRING, .offset = IN(reason), .lenient = true},
    {.name = "message", .number = 4, .type = KUBE_JSON_STRING, .offset = IN(message), .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field state_table[] = {
    {.name = "waiting",
     .number = 1,
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct container_part, waiting),
     .lenient = true,
     .table = waiting_table,
     .size = sizeof(struct waiting_part)},
    {.name = "terminated",
     .number = 3,
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct container_part, terminated),
     .lenient = true,
     .table = terminated_table,
     .size = sizeof(struct terminated_part)},
    KUBE_JSON_END,
};

static const struct kube_json_field container_table[] = {
    {.name = "state", .number = 2, .type = KUBE_JSON_OBJECT, .lenient = true, .table = state_table},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "phase", .number = 1, .type = KUBE_JSON_STRING, .offset = AT(phase), .lenient = true},
    {.name = "conditions",
     .number = 2,
     .type = KUBE_JSON_LIST,
     .offset = AT(conditions),
     .lenient = true,
     .table = condition_part_table,
     .size = sizeof(struct condition_part)},
    {.name = "message", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(message), .lenient = true},
    {.name = "reason", .number = 4, .type = KUBE_JSON_STRING, .offset = AT(reason), .lenient = true},
    {.name = "containerStatuses",
     .number = 8,
     .type = KUBE_JSON_LIST,
     .offset = AT(containers),
     .lenient = true,
     .table = container_table,
     .size = sizeof(struct container_part)},
    KUBE_JSON_END,
};

static const struct kube_json_field pod_table[] = {
    {.name = "metadata", .number = 1, .type = KUBE_JSON_OBJECT, .table = metadata_table},
    {.name = "spec", .number = 2, .type = KUBE_JSON_OBJECT, .offset = AT(spec), .table = pod_spec_table},
    {.name = "status", .number = 3, .type = KUBE_JSON_OBJECT, .table = status_table},
    KUBE_JSON_END,
};
#undef AT

/* ---- what is made of it ---- */

#define AT(member) offsetof(struct pod, member)
static const struct kube_json_field members[] = {
    {.name = "labels", .type = KUBE_JSON_STRMAP, .offset = AT(labels)},
    {.name = "nodeName", .type = KUBE_JSON_STRING, .offset = AT(node_name)},
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

static const size_t shared[] = {
    AT(labels.items), AT(node_name), AT(owner_kind), AT(owner_name), AT(owner_uid),
};
#undef AT

static int phase_of(const char *phase)
{
	static const char *const words[] = {"Pending", "Running", "Succeeded", "Failed"};

	if (!phase)
		return POD_PENDING;
	for (int i = 0; i < (int)KUBE_ARRAY_LEN(words); i++)
		if (strcmp(phase, words[i]) == 0)
			return i;
	return POD_UNKNOWN;
}

static bool has_finalizer(const struct kube_strlist *finalizers, const char *finalizer)
{
	for (size_t i = 0; i < finalizers->count; i++)
		if (finalizers->items[i] && strcmp(finalizers->items[i], finalizer) == 0)
			return true;
	return false;
}

/* The end of a log says why; "OOMKilled" and the like say it where there is none. */
static const char *exit_message(const struct terminated_part *terminated)
{
	const char *message = terminated ? terminated->message : NULL, *reason = terminated ? terminated->reason : NULL;

	if (message && *message)
		return text_tail(message, MESSAGE_BYTES);
	bool tells_nothing = !reason || strcmp(reason, "Completed") == 0 || strcmp(reason, "Error") == 0;
	return tells_nothing ? "" : text_tail(reason, MESSAGE_BYTES);
}

static void read_exit(const struct terminated_part *terminated, struct pod *pod)
{
	pod->exited = terminated != NULL;
	if (terminated)
		pod->exit_code = terminated->exit_code.set ? terminated->exit_code.value : -1; /* unknown is no success */
}

static const char *copy(struct kube_arena *arena, const char *text)
{
	return text && *text ? kube_arena_strdup(arena, text) : "";
}

static bool make_job(const struct parts *parts, struct kube_arena *arena, struct pod *pod)
{
	const struct container_part none = {NULL, NULL};
	const struct container_part *container = parts->containers.count > 0 ? &parts->containers.items[0] : &none;

	pod->job_node_uid = copy(arena, kube_strmap_get(&parts->annotations, PW_ANNOTATION_NODE));
	pod->job_finalizer = has_finalizer(&parts->finalizers, PW_FINALIZER_JOB);
	pod->status_reason = copy(arena, parts->reason);
	pod->status_message = text_keep(arena, parts->message, MESSAGE_BYTES);
	read_exit(container->terminated, pod);
	pod->exit_message = text_line(arena, exit_message(container->terminated));
	pod->waiting_reason = copy(arena, container->waiting ? container->waiting->reason : NULL);
	return pod->job_node_uid && pod->status_reason && pod->status_message && pod->exit_message && pod->waiting_reason;
}

static bool make_common(const struct parts *parts, struct kube_maker *maker, struct pod *pod)
{
	const struct owner_part owner = owner_part_controller(&parts->owners);

	if (kube_share_map(maker, &parts->labels, &pod->labels))
		return false;
	pod->node_name = kube_share_text(maker, parts->spec.node_name);
	pod->owner_kind = kube_share_text(maker, owner.kind);
	pod->owner_name = kube_share_text(maker, owner.name);
	pod->owner_uid = kube_share_text(maker, owner.uid);
	pod->status_reason = pod->status_message = pod->exit_message = pod->waiting_reason = "";
	pod->phase = phase_of(parts->phase);
	pod->ready = condition_part_true(condition_part_get(&parts->conditions, "Ready"));
	pod->mirror = kube_strmap_get(&parts->annotations, "kubernetes.io/config.mirror") != NULL;
	pod->job_step = kube_strmap_get(&pod->labels, PW_LABEL_STEP);
	pod->rollout_hash = kube_strmap_get(&pod->labels, PW_LABEL_ROLLOUT_HASH);
	return pod->node_name && pod->owner_kind && pod->owner_name && pod->owner_uid;
}

static int make(void *all, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	const struct parts *parts = all;
	struct pod *pod = (struct pod *)self;

	bool complete = make_common(parts, maker, pod) && pod_spec_make(&parts->spec, maker->arena, pod) == 0 &&
	                (!pod->job_step || make_job(parts, maker->arena, pod));
	return complete ? 0 : meta_out_of_memory(err);
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct pod *x = (const struct pod *)a, *y = (const struct pod *)b;
	return same_object(a, b) && same_fields(members, a, b) && x->cpu_m == y->cpu_m && x->memory_kib == y->memory_kib;
}

const struct kube_projection pod_projection = {
    .resource = &kube_pods,
    .size = sizeof(struct pod),
    .table = pod_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .shared = shared,
    .shared_count = KUBE_ARRAY_LEN(shared),
    .same = same,
};

const char *pod_node_index(const struct kube_object *object)
{
	return ((const struct pod *)object)->node_name;
}

const char *pod_rollout_index(const struct kube_object *object)
{
	const struct pod *pod = (const struct pod *)object;
	return pod->job_step ? pod->rollout_hash : NULL;
}

const char *pod_job_node_index(const struct kube_object *object)
{
	const struct pod *pod = (const struct pod *)object;
	return pod->job_step ? pod->job_node_uid : NULL;
}

const char *pod_upgrade_index(const struct kube_object *object)
{
	const struct pod *pod = (const struct pod *)object;
	return pod_finished(pod) ? NULL : kube_strmap_get(&pod->labels, "upgrade.cattle.io/node");
}

bool pod_finished(const struct pod *pod)
{
	return pod->phase == POD_SUCCEEDED || pod->phase == POD_FAILED;
}
