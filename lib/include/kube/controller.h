/*
 * A controller of one kind: its cache, a queue of its keys, and a lease if several processes may run.
 *
 * It starts in the order of sigs.k8s.io/controller-runtime: the cache is complete, then the lease is taken, then every
 * object is reconciled, and from then on each that changes. It stops in the reverse: no reconciliation begins, those
 * under way end, the lease is given back, on_end is called; KUBE_CONTROLLER_STOP_MS are all that this may take.
 *
 * A key for which the queue had no room or memory is not lost: all objects of the cache are reconciled a second later.
 * (One that was deleted meanwhile is not among them: what must be seen to its end has a finalizer.)
 *
 * More kinds, or objects that belong together, are put together of kube/reflector.h, kube/queue.h and kube/elector.h.
 */
#ifndef KUBE_CONTROLLER_H
#define KUBE_CONTROLLER_H

#include <kube/elector.h>
#include <kube/reflector.h>

KUBE_BEGIN_DECLS

#define KUBE_CONTROLLER_MAX_OBJECTS 100000
#define KUBE_CONTROLLER_STOP_MS 30000

struct kube_controller;

struct kube_controller_options {
	struct kube_client *client;               /* borrowed */
	const struct kube_projection *projection; /* borrowed */
	const char *namespace_;                   /* NULL: all */
	const char *label_selector;               /* NULL: none */
	size_t max_objects;                       /* of the cache; 0: KUBE_CONTROLLER_MAX_OBJECTS */
	/* The Lease, and who we are (kube_elector_identity()). lease_name NULL: none, it works when the cache is complete.
	 */
	const char *lease_namespace, *lease_name, *identity;
	struct kube_elector_times lease_times;
	/*
	 * Brings about what object asks for; NULL: it is gone. kube_controller_done() ends it, from within or later; a key
	 * is never reconciled twice at a time, different ones may be. object is borrowed until this returns.
	 */
	void (*reconcile)(void *arg, const char *key, const struct kube_object *object);
	/* Optional. Work begins: the cache is complete, and the lease, if any, is ours. Once. */
	void (*on_working)(void *arg);
	/* Optional. Cache or lease are in trouble; NULL: both work again. */
	void (*on_health)(void *arg, const struct kube_err *err);
	/* Optional. An object cannot be decoded, and is not in the cache (kube/reflector.h). */
	void (*on_left_out)(void *arg, const struct kube_err *err);
	/* Once, the last callback: it has stopped (NULL), or the lease is lost, or the stop took too long: the process is
	 * to end. It must not free the controller. */
	void (*on_end)(void *arg, const struct kube_err *err);
	void *arg;
};

/* Copies texts. KUBE_E_INVALID for the times of the lease, KUBE_E_NOMEM. */
int kube_controller_new(const struct kube_controller_options *options, struct kube_controller **ret_controller,
                        struct kube_err *err);
/* Stops at once, without a callback; the lease is not given back. Not from within a callback. NULL is fine. */
void kube_controller_free(struct kube_controller *controller);

void kube_controller_start(struct kube_controller *controller);
void kube_controller_stop(struct kube_controller *controller); /* in good order; again: harmless */

enum kube_outcome {
	KUBE_SUCCEEDED, /* the back-off of the key is forgotten */
	KUBE_FAILED,    /* reconciled again after the key's back-off (kube_queue_add_rate_limited()) */
	KUBE_GIVEN_UP,  /* no repetition helps: reconciled again when the object changes */
};
/* The reconciliation of key is over. again_ms: after KUBE_SUCCEEDED, it is reconciled again in so long; 0: when it
 * changes. */
void kube_controller_done(struct kube_controller *controller, const char *key, enum kube_outcome outcome,
                          int64_t again_ms);
/* As if the object had changed: for keys that something else makes worth a look. Dropped unless it works. */
void kube_controller_enqueue(struct kube_controller *controller, const char *key);

/* It works, and the lease, if any, is still ours by our clock. To be asked before each effect. */
bool kube_controller_may_act(const struct kube_controller *controller);
bool kube_controller_synced(const struct kube_controller *controller);        /* the cache is complete */
struct kube_store *kube_controller_store(struct kube_controller *controller); /* borrowed */
struct kube_queue *kube_controller_queue(struct kube_controller *controller); /* borrowed; for its figures */

KUBE_END_DECLS

#endif
