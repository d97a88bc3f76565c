/*
 * Texts and maps of texts that many objects have in common (namespaces, node names, labels), each kept once and
 * counted.
 *
 * What is in the pool lives until it is released as often as it was asked for, also when the pool's owner has gone.
 */
#ifndef LIB_RUNTIME_POOL_H
#define LIB_RUNTIME_POOL_H

#include <kube/store.h>

struct kube_pool *pool_new(void); /* NULL when out of memory */
/* The owner goes; the pool goes with its last text. NULL is fine. */
void pool_free(struct kube_pool *pool);

/* The text, or the pairs of the map (NULL for an empty one). False when out of memory. */
bool pool_text(struct kube_pool *pool, const char *text, const char **ret_text);
bool pool_map(struct kube_pool *pool, const struct kube_strmap *map, struct kube_str_pair **ret_pairs);
/* Of either; NULL is fine. The pool may be gone afterwards. */
void pool_release(struct kube_pool *pool, const void *shared);

/* The pool of the objects that are made for a store. */
struct kube_pool *store_pool(struct kube_store *store);

/* For tests. */
size_t pool_count(const struct kube_pool *pool);

#endif
