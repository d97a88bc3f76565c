/*
 * Events (events.k8s.io/v1): what `kubectl describe` shows.
 *
 * The second occurrence of the same event (regarding, type, reason, note) makes it a series: counted locally, patched
 * at the 2nd occurrence and then at most every 30 min, finished after 6 quiet minutes. The queue is bounded; when it is
 * full, or the server refuses, events are dropped: they never block work.
 */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H

#include <kube/client.h>

KUBE_BEGIN_DECLS

#define KUBE_EVENTS_MAX_QUEUED 1000
#define KUBE_EVENTS_MAX_SERIES 4096

struct kube_events;

struct kube_event_ref {
	const struct kube_resource *resource;
	const char *namespace_, *name, *uid,
	    *resource_version; /* namespace_ "" for cluster-scoped: the event goes to "default" */
};

struct kube_event {
	struct kube_event_ref regarding;
	const struct kube_event_ref *related; /* NULL: none */
	bool warning;                         /* type Warning instead of Normal */
	const char *reason;                   /* CamelCase, at most 128 characters */
	const char *action;                   /* CamelCase: what was done */
	const char *note;                     /* at most 1 kB; cut */
};

int kube_events_new(struct kube_client *client, const char *controller, const char *instance,
                    struct kube_events **ret_events, struct kube_err *err);
void kube_events_free(struct kube_events *events); /* drops what is queued; NULL is fine */
/* Copies what it needs. */
void kube_events_emit(struct kube_events *events, const struct kube_event *event);
/* For an orderly stop: each series ends now, counts that the server lacks go out, a pause after a failure is cut short.
 * Ask kube_events_idle() until it is done, or as long as you can wait. */
void kube_events_flush(struct kube_events *events);
bool kube_events_idle(const struct kube_events *events); /* nothing queued or in flight */
size_t kube_events_dropped(const struct kube_events *events);

KUBE_END_DECLS

#endif
