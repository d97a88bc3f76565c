#include "lib/runtime/draft.h"

#include "lib/runtime/pool.h"

#include <kube/time.h>
#include <stdalign.h>
#include <string.h>

#define LARGE_BYTES 1024 /* an object without a table that is smaller is soon read twice */

#define AT(member) offsetof(struct draft, member)
/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto ObjectMeta. What makes up the key comes first: an error further
 * on leaves it known. */
static const struct kube_json_field metadata_table[] = {
    {.name = "name", .number = 1, .type = KUBE_JSON_STRING, .offset = AT(name)},
    {.name = "namespace", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(namespace_)},
    {.name = "uid", .number = 5, .type = KUBE_JSON_STRING, .offset = AT(uid)},
    {.name = "resourceVersion", .number = 6, .type = KUBE_JSON_STRING, .offset = AT(resource_version)},
    {.name = "generation", .number = 7, .type = KUBE_JSON_INT, .offset = AT(generation)},
    {.name = "creationTimestamp", .number = 8, .type = KUBE_JSON_TIME, .offset = AT(created_ms)},
    {.name = "deletionTimestamp", .number = 9, .type = KUBE_JSON_TIME, .offset = AT(deleted_ms)},
    KUBE_JSON_END,
};

static const struct kube_json_field document_table[] = {
    {.name = "metadata", .number = 1, .type = KUBE_JSON_OBJECT, .table = metadata_table},
    KUBE_JSON_END,
};

void draft_init(struct draft *draft, const struct kube_projection *projection)
{
	*draft = (struct draft){.projection = projection};
}

void draft_finish(struct draft *draft)
{
	kube_arena_finish(&draft->arena);
}

static int no_memory(const struct draft *draft, struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for a %s", draft->projection->resource->kind);
}

static bool set_key(struct draft *draft)
{
	if (!*draft->name)
		return true;
	if (*draft->namespace_)
		draft->key = kube_arena_printf(&draft->arena, "%s/%s", draft->namespace_, draft->name);
	else
		draft->key = draft->name;
	return draft->key != NULL;
}

int draft_read(struct draft *draft, const struct document *document, struct kube_err *err)
{
	struct kube_arena arena = draft->arena;
	const char *kind = draft->projection->resource->kind;

	kube_arena_reset(&arena);
	*draft = (struct draft){.projection = draft->projection, .arena = arena, .document = *document};
	draft->key = draft->name = draft->namespace_ = draft->uid = draft->resource_version = "";
	int rc = document_decode(document, document_table, draft, &draft->arena, err);
	if (!set_key(draft))
		return no_memory(draft, err);
	if (rc && *draft->key)
		kube_err_prefix(err, "%s %s", kind, draft->key);
	else if (rc)
		kube_err_prefix(err, "a %s", kind);
	else if (!*draft->name)
		rc = kube_fail(err, KUBE_E_PARSE, "a %s without metadata.name", kind);
	return rc;
}

/* Making */

/* The key holds the name, and the object has each text once. */
static int fill_metadata(const struct draft *draft, struct kube_object *object, struct kube_maker *maker,
                         struct kube_err *err)
{
	const char *key = kube_arena_strdup(maker->arena, draft->key);

	object->projection = draft->projection;
	object->refs = 1;
	object->generation = draft->generation;
	object->created_ms = draft->created_ms ? draft->created_ms : KUBE_TIME_NONE;
	object->deleted_ms = draft->deleted_ms ? draft->deleted_ms : KUBE_TIME_NONE;
	object->key = key;
	object->name = key ? key + strlen(draft->key) - strlen(draft->name) : NULL;
	object->uid = kube_arena_strdup(maker->arena, draft->uid);
	object->resource_version = kube_arena_strdup(maker->arena, draft->resource_version);
	object->namespace_ = kube_share_text(maker, draft->namespace_);
	return key && object->uid && object->resource_version && object->namespace_ ? 0 : no_memory(draft, err);
}

static int fill(const struct draft *draft, void *parts, struct kube_object *object, struct kube_maker *maker,
                struct kube_err *err)
{
	const struct kube_projection *projection = draft->projection;
	int rc = fill_metadata(draft, object, maker, err);

	if (rc)
		return rc;
	if (projection->table)
		rc = projection->make(parts, object, maker, err);
	else
		rc = projection->decode(draft->document.json, object, maker->arena, err);
	if (rc)
		kube_err_prefix(err, "%s %s", projection->resource->kind, draft->key);
	return rc;
}

static int read_parts(struct draft *draft, void **ret_parts, struct kube_err *err)
{
	const struct kube_projection *projection = draft->projection;
	void *parts;

	if (!projection->table && draft->document.form == FORM_PROTO)
		return kube_fail(err, KUBE_E_PARSE, "%s %s is in protobuf, which was not asked for", projection->resource->kind,
		                 draft->key);
	if (!projection->table)
		return 0;
	parts = kube_arena_alloc(&draft->arena, projection->parts_size);
	if (!parts)
		return no_memory(draft, err);
	int rc = document_decode(&draft->document, projection->table, parts, &draft->arena, err);
	if (rc)
		return kube_err_prefix(err, "%s %s", projection->resource->kind, draft->key);
	*ret_parts = parts;
	return 0;
}

/* How many bytes of its own the object needs beside its type. */
static int measure(struct draft *draft, void *parts, struct kube_pool *pool, size_t *ret_bytes, struct kube_err *err)
{
	struct kube_arena *arena = &draft->arena;
	struct kube_maker maker = {.arena = arena, .pool = pool, .measuring = true};
	struct kube_object *object = kube_arena_alloc(arena, draft->projection->size);
	size_t before = arena->used_bytes;

	int rc = object ? fill(draft, parts, object, &maker, err) : no_memory(draft, err);
	*ret_bytes = arena->used_bytes - before;
	return rc;
}

static size_t aligned(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static int make(const struct draft *draft, void *parts, struct kube_pool *pool, size_t own_bytes,
                struct kube_object **ret_object, struct kube_err *err)
{
	size_t type_bytes = aligned(draft->projection->size);
	struct kube_object *object = calloc(1, type_bytes + own_bytes);
	struct kube_arena arena;
	struct kube_maker maker = {.arena = &arena, .pool = pool};

	if (!object)
		return no_memory(draft, err);
	object->pool = pool;
	kube_arena_init_fixed(&arena, (char *)object + type_bytes, own_bytes);
	int rc = fill(draft, parts, object, &maker, err);
	if (rc) {
		object->refs = 1;
		kube_object_unref(object);
		return rc;
	}
	object->own_bytes = (unsigned)arena.used_bytes;
	*ret_object = object;
	return 0;
}

/* In a block as large as that of its version before; for what is not measured a little larger. False: it needs more, or
 * (much) less, and has to be measured. */
static bool make_alike(const struct draft *draft, void *parts, const struct kube_object *before, struct kube_pool *pool,
                       struct kube_object **ret_object)
{
	struct kube_object *object = NULL;
	bool exact = draft->projection->table != NULL;
	size_t own_bytes = before->own_bytes + (exact ? 0 : before->own_bytes / 16);

	if ((!exact && own_bytes < LARGE_BYTES) || make(draft, parts, pool, own_bytes, &object, NULL) != 0)
		return false;
	if (own_bytes - object->own_bytes > (exact ? 0 : own_bytes / 8)) {
		kube_object_unref(object);
		return false;
	}
	*ret_object = object;
	return true;
}

int draft_make(struct draft *draft, struct kube_pool *pool, const struct kube_object *before,
               struct kube_object **ret_object, struct kube_err *err)
{
	size_t own_bytes;
	void *parts = NULL;

	int rc = read_parts(draft, &parts, err);
	if (rc)
		return rc;
	if (before && make_alike(draft, parts, before, pool, ret_object))
		return 0;
	rc = measure(draft, parts, pool, &own_bytes, err);
	return rc ? rc : make(draft, parts, pool, own_bytes, ret_object, err);
}
