/*
 * A cache of objects of one type by key, with indexes and change handlers.
 *
 * Handlers are told after store and indexes show the change. In old/new, NULL means "did not exist" / "is gone". A
 * deletion and re-creation under the same name may arrive as one update: compare UIDs. Handlers must not change the
 * store.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include <kube/err.h>
#include <kube/object.h>
#include <stddef.h>

KUBE_BEGIN_DECLS

struct kube_store;

struct kube_change {
	struct kube_object *old_object, *new_object; /* borrowed */
	bool changed; /* false: an update without any difference that the projection knows of (see kube_projection.same) */
};
typedef void kube_change_fn(void *arg, const struct kube_change *change);
/* Returns the index value of an object (borrowed from it), or NULL: not in this index. */
typedef const char *kube_index_fn(const struct kube_object *object);

#define KUBE_STORE_MAX_HANDLERS 8
#define KUBE_STORE_MAX_INDEXES 4

int kube_store_new(size_t max_objects, struct kube_store **ret_store, struct kube_err *err);
void kube_store_free(struct kube_store *store); /* NULL is fine; handlers are not called */

/* KUBE_E_LIMIT, KUBE_E_NOMEM, as for indexes. */
int kube_store_add_handler(struct kube_store *store, kube_change_fn *fn, void *arg, struct kube_err *err);
/* Undoes the above; unknown ones are ignored. Not from within a handler. */
void kube_store_remove_handler(struct kube_store *store, kube_change_fn *fn, void *arg);
/* Before the first object. *ret_index is the number for kube_store_index_next(). */
int kube_store_add_index(struct kube_store *store, kube_index_fn *fn, int *ret_index, struct kube_err *err);

struct kube_object *kube_store_get(const struct kube_store *store, const char *key); /* borrowed, NULL when absent */
size_t kube_store_count(const struct kube_store *store);
size_t kube_store_max(const struct kube_store *store); /* the limit given to kube_store_new() */

/* Iteration in the order of insertion. `previous` NULL: the first. The store must not change meanwhile. */
struct kube_object *kube_store_next(const struct kube_store *store, const struct kube_object *previous);
/* The same over the objects whose index value equals `value`. */
struct kube_object *kube_store_index_next(const struct kube_store *store, int index, const char *value,
                                          const struct kube_object *previous);
size_t kube_store_index_count(const struct kube_store *store, int index, const char *value);

/* For the reflector. Putting the very object that is stored already changes nothing and tells no one. put takes over
 * the caller's reference also on failure (KUBE_E_LIMIT, KUBE_E_NOMEM). */
int kube_store_put(struct kube_store *store, struct kube_object *object, struct kube_err *err);
void kube_store_remove(struct kube_store *store, const char *key);
/* Makes the contents exactly `objects` (references taken over): additions and updates first, then deletions of what
 * vanished. */
int kube_store_replace(struct kube_store *store, struct kube_object **objects, size_t count, struct kube_err *err);

KUBE_END_DECLS

#endif
