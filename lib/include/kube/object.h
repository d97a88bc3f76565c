/*
 * Cached objects: immutable, reference-counted projections of API objects.
 *
 * A projection names the fields that decisions need; the JSON document is dropped after decoding. A projected type
 * embeds struct kube_object as its first member and keeps all its memory in the object's arena.
 */
#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H

#include <cjson/cJSON.h>
#include <kube/err.h>
#include <kube/mem.h>
#include <kube/resource.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

struct kube_object;

struct kube_projection {
	const struct kube_resource *resource;
	size_t size; /* sizeof the projected type */
	/*
	 * Fills the zeroed type behind self (metadata is already there); allocates from self->arena only. A pure function
	 * of the item: it is called twice, to find out how much memory the object needs.
	 */
	int (*decode)(const cJSON *item, struct kube_object *self, struct kube_err *err);
	/*
	 * Optional: true when nothing that decisions need differs (resourceVersion aside). Such an update replaces the
	 * stored object but is reported with changed = false.
	 */
	bool (*same)(const struct kube_object *a, const struct kube_object *b);
};

struct kube_object {
	const struct kube_projection *projection;
	struct kube_arena arena;
	unsigned refs;
	const char *key;                                        /* "namespace/name" or "name" */
	const char *namespace_, *name, *uid, *resource_version; /* "" when absent */
	int64_t generation;
	int64_t created_ms, deleted_ms; /* deletionTimestamp; KUBE_TIME_NONE when absent */
};

/* One reference belongs to the caller. KUBE_E_PARSE when the item has no name, or what decode says, with "<Kind> <key>:
 * " before. */
int kube_object_decode(const struct kube_projection *projection, const cJSON *item, struct kube_object **ret_object,
                       struct kube_err *err);
struct kube_object *kube_object_ref(struct kube_object *object); /* NULL is fine */
void kube_object_unref(struct kube_object *object);              /* NULL is fine */

KUBE_END_DECLS

#endif
