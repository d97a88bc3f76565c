/*
 * Our own writes that the cache has not shown yet ("expectations").
 *
 * A key is busy from the moment a write to it is sent until the store shows the resourceVersion that the answer carried
 * (or an answer said that nothing was written). A relist may skip that version: KUBE_PENDING_EXPIRE_MS after the last
 * answer a key is busy no more, unless the store still shows the very version that was written to. Then its watch is
 * blind, and whoever looked would see the past. Every write that begins must end, a cancelled one too. Plans leave busy
 * objects alone. One such set serves one store.
 */
#ifndef KUBE_PENDING_H
#define KUBE_PENDING_H

#include <kube/env.h>
#include <kube/err.h>
#include <kube/store.h>

KUBE_BEGIN_DECLS

#define KUBE_PENDING_EXPIRE_MS 30000

struct kube_pending;

/* Watches `store` by a handler of its own; on_idle (optional) is called from the loop when a key stops being busy. */
int kube_pending_new(struct kube_env *env, struct kube_store *store, void (*on_idle)(void *arg, const char *key),
                     void *arg, struct kube_pending **ret_pending, struct kube_err *err);
void kube_pending_free(struct kube_pending *pending); /* NULL is fine; before the store is freed */

/* A write to key is going out. Writes to one key nest: it is busy until all have ended. KUBE_E_LIMIT, KUBE_E_NOMEM. */
int kube_pending_begin(struct kube_pending *pending, const char *key, struct kube_err *err);
/* The answer came: resource_version of the object as written; NULL: failed or without effect. A deletion that was
 * accepted: "" (busy until it is gone from the store or marked as being deleted). */
void kube_pending_end(struct kube_pending *pending, const char *key, const char *resource_version);
bool kube_pending_busy(const struct kube_pending *pending, const char *key);
size_t kube_pending_count(const struct kube_pending *pending);

KUBE_END_DECLS

#endif
