/* The answers to lists and watches in either form, JSON or protobuf, as one. */
#ifndef LIB_RUNTIME_WIRE_H
#define LIB_RUNTIME_WIRE_H

#include "lib/runtime/document.h"
#include "lib/runtime/split.h"
#include "lib/runtime/split_proto.h"

/* Lists: object by object, then the ListMeta. */
struct wire_list {
	enum form form;
	struct list_split json;
	struct message_split proto;
};

struct wire_list_meta {
	const char *version, *continue_token; /* "" when absent */
};

void wire_list_init(struct wire_list *list, size_t max_item_bytes, size_t max_rest_bytes);
void wire_list_finish(struct wire_list *list); /* zeroed is fine */
void wire_list_begin(struct wire_list *list, enum form form);
/* fn gets the bytes of each object, for wire_open(), or NULL for one that is too long. KUBE_E_LIMIT, KUBE_E_PARSE,
 * KUBE_E_NOMEM, or what fn returned. */
int wire_list_feed(struct wire_list *list, const char *bytes, size_t len, split_fn *fn, void *arg);
/* At the end of the answer. KUBE_E_PARSE when it was no list, or not the whole of it. Texts are in the arena. */
int wire_list_end(const struct wire_list *list, struct kube_arena *arena, struct wire_list_meta *ret_meta,
                  struct kube_err *err);

/* Watches: event by event. */
struct wire_stream {
	enum form form;
	struct line_split json;
	struct frame_split proto;
};

void wire_stream_init(struct wire_stream *stream, size_t max_event_bytes);
void wire_stream_finish(struct wire_stream *stream); /* zeroed is fine */
void wire_stream_begin(struct wire_stream *stream, enum form form);
/* fn gets the bytes of each event, for wire_open_event(). Errors as above. */
int wire_stream_feed(struct wire_stream *stream, const char *bytes, size_t len, split_fn *fn, void *arg);

/* A document, and what had to be parsed to have it. Holds on to the bytes. */
struct wire_open {
	struct document document;
	char event[32]; /* type of the event, cut; "" when absent */
	cJSON *parsed;
};

int wire_open(enum form form, const char *bytes, size_t len, struct wire_open *ret_open, struct kube_err *err);
/* An event without object has a document of nothing. */
int wire_open_event(enum form form, const char *bytes, size_t len, struct wire_open *ret_open, struct kube_err *err);
void wire_close(struct wire_open *open); /* zeroed is fine */
#define _cleanup_wire_ _cleanup_(wire_close)

#endif
