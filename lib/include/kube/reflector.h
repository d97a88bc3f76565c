/*
 * Keeps a store equal to what the API server has: list, then watch, for ever.
 *
 * List at resourceVersion "0" at first, at the last known one later, at "" after an expiry; pages of 500. Watches ask
 * for bookmarks and a server timeout drawn from [300, 600] s; an idle deadline (that timeout + 5 s, or 150 s without
 * any byte once a bookmark has been seen, as servers send one a minute) ends half-open ones. 410 and "too large
 * resource version" list again (after a pause when the last list is younger than 10 s); a clean end watches again from
 * the last version; everything else backs off (800 ms doubled to 30 s, jittered, reset after 2 quiet minutes). A lost
 * connection, 401, 403, 429 and 5xx then watch again from the last version (the fifth refusal in a row lists), as a
 * server that restarts must not be asked for everything by everybody; the rest lists.
 * resourceVersions are compared for equality only.
 *
 * What a table projects (kube/object.h) is asked for in protobuf, with JSON as the second choice; the rest in JSON. Of
 * a list no more than one object and the piece that has just arrived is in memory beside what is kept.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include <kube/client.h>
#include <kube/store.h>

KUBE_BEGIN_DECLS

#define KUBE_REFLECTOR_MAX_EVENT_BYTES ((size_t)8 << 20)  /* one watch event */
#define KUBE_REFLECTOR_MAX_PAGE_BYTES ((size_t)512 << 20) /* one page of a list */

struct kube_reflector;

struct kube_reflector_options {
	struct kube_client *client; /* borrowed, as are the next two */
	const struct kube_projection *projection;
	struct kube_store *store;   /* nobody else changes it; freed after the reflector */
	const char *namespace_;     /* NULL: all */
	const char *label_selector; /* NULL: none; copied, as are the others */
	const char *field_selector;
	/*
	 * Instead of a list a watch that begins with all objects (WatchList: Kubernetes 1.32), which spares the server from
	 * having the whole list in memory. Where that is refused or breaks off, a list follows.
	 */
	bool watch_list;
	/* Optional. The first complete list is in the store (called once). */
	void (*on_synced)(void *arg);
	/* Optional. A list or watch failed (err), or works again (NULL). Called on change only: the same error is reported
	 * once. */
	void (*on_health)(void *arg, const struct kube_err *err);
	/* Optional. An object that cannot be decoded is kept out of the store (an older version of it leaves the store),
	 * and stops nothing. The same error is reported once. */
	void (*on_left_out)(void *arg, const struct kube_err *err);
	void *arg;
};

/* KUBE_E_NOMEM; whatever goes wrong later is told to on_health. */
int kube_reflector_new(const struct kube_reflector_options *options, struct kube_reflector **ret_reflector,
                       struct kube_err *err);
void kube_reflector_start(struct kube_reflector *reflector);
/* Stops at once; no callbacks any more. NULL is fine. May be called in its own callbacks. */
void kube_reflector_free(struct kube_reflector *reflector);
bool kube_reflector_synced(const struct kube_reflector *reflector);
/* For metrics and health: lists and watches that were started so far. */
unsigned kube_reflector_lists(const struct kube_reflector *reflector);
unsigned kube_reflector_watches(const struct kube_reflector *reflector);

KUBE_END_DECLS

#endif
