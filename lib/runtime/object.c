#include <kube/json.h>
#include <kube/object.h>
#include <kube/time.h>
#include <string.h>

#define ALIGNMENT_SLACK_BYTES 32 /* gaps may lie elsewhere when all is in one piece */

static const struct kube_json_field metadata_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct kube_object, name)},
    {.name = "namespace", .type = KUBE_JSON_STRING, .offset = offsetof(struct kube_object, namespace_)},
    {.name = "uid", .type = KUBE_JSON_STRING, .offset = offsetof(struct kube_object, uid)},
    {.name = "resourceVersion", .type = KUBE_JSON_STRING, .offset = offsetof(struct kube_object, resource_version)},
    {.name = "generation", .type = KUBE_JSON_INT, .offset = offsetof(struct kube_object, generation)},
    {.name = "creationTimestamp", .type = KUBE_JSON_TIME, .offset = offsetof(struct kube_object, created_ms)},
    {.name = "deletionTimestamp", .type = KUBE_JSON_TIME, .offset = offsetof(struct kube_object, deleted_ms)},
    KUBE_JSON_END,
};

static int decode_metadata(const cJSON *item, struct kube_object *object, struct kube_err *err)
{
	const cJSON *metadata = kube_json_get(item, "metadata");
	const char *kind = object->projection->resource->kind;

	if (!metadata || !kube_json_str(metadata, "name"))
		return kube_fail(err, KUBE_E_PARSE, "a %s without metadata.name", kind);
	object->namespace_ = object->uid = object->resource_version = "";
	object->created_ms = object->deleted_ms = KUBE_TIME_NONE;
	int rc = kube_json_decode(metadata, metadata_table, object, &object->arena, err);
	if (rc) {
		kube_err_prefix(err, "%s %s: metadata", kind, kube_json_str(metadata, "name"));
		return rc;
	}
	if (*object->namespace_)
		object->key = kube_arena_printf(&object->arena, "%s/%s", object->namespace_, object->name);
	else
		object->key = object->name;
	return object->key ? 0 : kube_fail(err, KUBE_E_NOMEM, "out of memory for a %s", kind);
}

static int decode(const cJSON *item, struct kube_object *object, struct kube_err *err)
{
	int rc = decode_metadata(item, object, err);

	if (rc)
		return rc;
	rc = object->projection->decode(item, object, err);
	if (rc)
		kube_err_prefix(err, "%s %s", object->projection->resource->kind, object->key);
	return rc;
}

/*
 * Decodes twice: a cache holds many small objects, and only the second time is it known how small. The tree is there
 * already; copying the few fields that count costs next to nothing beside parsing it.
 */
int kube_object_decode(const struct kube_projection *projection, const cJSON *item, struct kube_object **ret_object,
                       struct kube_err *err)
{
	struct kube_object *object = calloc(1, projection->size);

	if (!object)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a %s", projection->resource->kind);
	object->projection = projection;
	object->refs = 1;
	int rc = decode(item, object, err);
	if (!rc) {
		size_t need = object->arena.used_bytes + ALIGNMENT_SLACK_BYTES;
		kube_arena_finish(&object->arena);
		memset(object, 0, projection->size);
		*object = (struct kube_object){.projection = projection, .refs = 1, .arena.first_bytes = need};
		rc = decode(item, object, err);
	}
	if (rc) {
		kube_object_unref(object);
		return rc;
	}
	*ret_object = object;
	return 0;
}

struct kube_object *kube_object_ref(struct kube_object *object)
{
	if (object)
		object->refs++;
	return object;
}

void kube_object_unref(struct kube_object *object)
{
	if (!object || --object->refs > 0)
		return;
	kube_arena_finish(&object->arena);
	free(object);
}
