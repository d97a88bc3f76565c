#include "controller/model/internal.h"
#include "controller/model/volume.h"

/* k8s.io/api/storage/v1/generated.proto VolumeAttachment, -Spec, -Source */
struct parts {
	const char *node_name, *volume;
};

#define AT(member) offsetof(struct parts, member)
static const struct kube_json_field source_table[] = {
    {.name = "persistentVolumeName", .number = 1, .type = KUBE_JSON_STRING, .offset = AT(volume)},
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    {.name = "source", .number = 2, .type = KUBE_JSON_OBJECT, .table = source_table},
    {.name = "nodeName", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(node_name)},
    KUBE_JSON_END,
};

static const struct kube_json_field attachment_table[] = {
    {.name = "spec", .number = 2, .type = KUBE_JSON_OBJECT, .table = spec_table},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct attachment, member)
static const size_t shared[] = {AT(node_name)};
#undef AT

static int make(void *all, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	const struct parts *parts = all;
	struct attachment *attachment = (struct attachment *)self;

	attachment->node_name = kube_share_text(maker, parts->node_name);
	attachment->volume = kube_arena_strdup(maker->arena, parts->volume ? parts->volume : "");
	return attachment->node_name && attachment->volume ? 0 : meta_out_of_memory(err);
}

const struct kube_projection attachment_projection = {
    .resource = &kube_volume_attachments,
    .size = sizeof(struct attachment),
    .table = attachment_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .shared = shared,
    .shared_count = KUBE_ARRAY_LEN(shared),
    .same = same_object, /* its spec never changes */
};

const char *attachment_node_index(const struct kube_object *object)
{
	return ((const struct attachment *)object)->node_name;
}
