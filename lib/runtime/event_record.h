/* What is kept of an event: its texts, packed into one block, and its counts; and the JSON made of it. Internal to
 * lib/runtime. */
#ifndef KUBE_RUNTIME_EVENT_RECORD_H
#define KUBE_RUNTIME_EVENT_RECORD_H

#include <cjson/cJSON.h>
#include <kube/buf.h>
#include <kube/events.h>

#define EVENT_WORD_MAX_LEN 128    /* reason, action, reportingInstance, in bytes */
#define EVENT_TEXT_MAX_BYTES 8192 /* all the texts of one event */

/* The texts of an event, in the order in which they lie in memory. */
enum event_text {
	EVENT_TEXT_NAMESPACE, /* of the event itself */
	EVENT_TEXT_API_VERSION,
	EVENT_TEXT_KIND,
	EVENT_TEXT_REGARDING_NAMESPACE,
	EVENT_TEXT_NAME,
	EVENT_TEXT_UID,
	EVENT_TEXT_TYPE,
	EVENT_TEXT_REASON,
	EVENT_TEXT_NOTE,
	EVENT_TEXT_IDENTITY_END, /* what differs only from here on is the same series */
	EVENT_TEXT_EVENT_NAME = EVENT_TEXT_IDENTITY_END,
	EVENT_TEXT_RESOURCE_VERSION,
	EVENT_TEXT_ACTION,
	EVENT_TEXT_RELATED_API_VERSION,
	EVENT_TEXT_RELATED_KIND,
	EVENT_TEXT_RELATED_NAMESPACE,
	EVENT_TEXT_RELATED_NAME,
	EVENT_TEXT_RELATED_UID,
	EVENT_TEXT_RELATED_RESOURCE_VERSION,
	EVENT_TEXT_COUNT
};

struct event_record {
	const char *text[EVENT_TEXT_COUNT];
	int64_t event_ms, last_ms; /* server time of the first and of the last occurrence */
	int64_t count;             /* occurrences */
};

/*
 * Appends all texts, each with its NUL, cut to what the server takes. random goes into the event's name;
 * *ret_identity_len is how many bytes the identity takes.
 */
int event_record_texts(struct kube_buf *buf, const struct kube_event *event, uint64_t random, size_t *ret_identity_len);

/* The whole event, owned by the caller. NULL when out of memory. */
cJSON *event_record_body(const struct event_record *record, const char *controller, const char *instance);
/* A merge patch of its series: everything else of an event is immutable. NULL when out of memory. */
cJSON *event_record_patch(const struct event_record *record);

#endif
