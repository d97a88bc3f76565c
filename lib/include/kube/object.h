/*
 * Cached objects: immutable, reference-counted projections of API objects.
 *
 * A projection names the fields that decisions need; the document is dropped after decoding. A projected type embeds
 * struct kube_object as its first member; its memory is one block, made to measure (or to that of its
 * version before).
 *
 * A projection reads its documents in one of two ways. By hand: `decode` gets the JSON. Or by a table: what the table
 * names is read into `parts`, from JSON or, if all its fields have their numbers, from protobuf, and `make` turns the
 * parts into the object. Built-in types should do that: protobuf is a third of the bytes and of the server's work.
 */
#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H

#include <kube/mem.h>
#include <kube/proto.h>
#include <kube/resource.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

struct kube_object;
struct kube_pool;

/* Where the memory of an object comes from that is being made. */
struct kube_maker {
	struct kube_arena *arena; /* the object's own */
	struct kube_pool *pool;   /* texts that many objects have in common; NULL: they are copied into the arena */
	bool measuring;           /* this time it is only found out how much memory the object needs */
};

struct kube_projection {
	const struct kube_resource *resource;
	size_t size; /* sizeof the projected type */
	/*
	 * Fills the zeroed type behind self (metadata is already there); allocates from arena only. A pure function of the
	 * item: it may be called more than once, to find out how much memory the object needs.
	 */
	int (*decode)(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err);
	/* Instead of decode: */
	const struct kube_json_field *table; /* from the document to the parts */
	size_t parts_size;                   /* zeroed before: in them an absent time is 0 */
	/* As decode; parts are gone after the last call. */
	int (*make)(void *parts, struct kube_object *self, struct kube_maker *maker, struct kube_err *err);
	/* The members of the type (pointers; of a kube_strmap its items) that kube_share_…() gave: their offsets. */
	const size_t *shared;
	size_t shared_count;
	/*
	 * Optional: true when nothing that decisions need differs (resourceVersion aside). Such an update replaces the
	 * stored object but is reported with changed = false.
	 */
	bool (*same)(const struct kube_object *a, const struct kube_object *b);
};

struct kube_object {
	const struct kube_projection *projection;
	struct kube_pool *pool;                                 /* of the shared members; NULL: they are in the object */
	const char *key;                                        /* "namespace/name" or "name" */
	const char *namespace_, *name, *uid, *resource_version; /* "" when absent */
	int64_t generation;
	int64_t created_ms, deleted_ms; /* deletionTimestamp; KUBE_TIME_NONE when absent */
	unsigned refs;
	unsigned own_bytes; /* behind the type */
};

/* A text (NULL counts as "") or a map that many objects are likely to have in common. Never NULL but when out of
 * memory; KUBE_E_NOMEM. */
const char *kube_share_text(struct kube_maker *maker, const char *text);
int kube_share_map(struct kube_maker *maker, const struct kube_strmap *map, struct kube_strmap *ret_map);

/* One reference belongs to the caller. KUBE_E_PARSE when the item has no name, or what decode says, with "<Kind> <key>:
 * " before. */
int kube_object_decode(const struct kube_projection *projection, const cJSON *item, struct kube_object **ret_object,
                       struct kube_err *err);
/* The same from protobuf, without envelope; for projections with a table. */
int kube_object_decode_proto(const struct kube_projection *projection, struct kube_proto item,
                             struct kube_object **ret_object, struct kube_err *err);
struct kube_object *kube_object_ref(struct kube_object *object); /* NULL is fine */
void kube_object_unref(struct kube_object *object);              /* NULL is fine */

KUBE_END_DECLS

#endif
