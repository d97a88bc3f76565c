/*
 * Read, change, write (client-go util/retry.RetryOnConflict): an object is fetched, altered by a function, and written
 * back; when somebody else was faster (409 Conflict) it is fetched and altered again, 5 times in all, after 10 ms
 * doubled each time and jittered.
 *
 * For changes that depend on what is there. What does not is a patch or an apply: one request, no conflict.
 *
 * The whole object passes through cJSON, whose numbers are doubles: whole ones beyond 2^53 would come back altered.
 * Objects that may hold such are changed by patches.
 */
#ifndef KUBE_UPDATE_H
#define KUBE_UPDATE_H

#include <kube/client.h>

KUBE_BEGIN_DECLS

#define KUBE_UPDATE_TRIES 5
#define KUBE_UPDATE_FIRST_DELAY_MS 10
#define KUBE_UPDATE_NOTHING 1

struct kube_update; /* one under way; gone after done or kube_update_cancel() */

struct kube_update_options {
	struct kube_client *client; /* borrowed */
	const struct kube_resource *resource;
	const char *namespace_, *name; /* copied, as is subresource */
	const char *subresource;       /* what is written, "status" for one; NULL: the object itself */
	/* Alters object, which was just read. 0: write it; KUBE_UPDATE_NOTHING: it is as it should be; negative, with err
	 * filled: no. Once a try; it must not keep object. */
	int (*change)(void *arg, cJSON *object, struct kube_err *err);
	/* Once, from the loop, unless cancelled: with the object as it is on the server now, or err. */
	kube_reply_fn *done;
	void *arg;
};

int kube_update_start(const struct kube_update_options *options, struct kube_update **ret_update, struct kube_err *err);
/* Not from within change. NULL is fine. */
void kube_update_cancel(struct kube_update *update);

KUBE_END_DECLS

#endif
