/*
 * Cutting the protobuf answers of an API server, in whatever pieces they arrive, in linear time and bounded memory.
 * What lies in one piece is handed over where it is. See split.h for split_fn, and for the same with JSON.
 */
#ifndef LIB_RUNTIME_SPLIT_PROTO_H
#define LIB_RUNTIME_SPLIT_PROTO_H

#include "lib/runtime/split.h"

#include <kube/proto.h>
#include <stdint.h>

/* Watches: each event has its length, four bytes in big-endian order, before it. */
struct frame_split {
	struct kube_buf frame; /* the beginning of one whose end has not arrived */
	unsigned char head[4];
	size_t head_len;
	uint32_t left; /* of the frame, once its head is complete */
};

void frame_split_init(struct frame_split *split, size_t max_frame_bytes);
void frame_split_finish(struct frame_split *split); /* zeroed is fine */
void frame_split_reset(struct frame_split *split);
/* KUBE_E_LIMIT for a frame that is too long, KUBE_E_NOMEM, or what fn returned. Empty frames are skipped. */
int frame_split_feed(struct frame_split *split, const char *bytes, size_t len, split_fn *fn, void *arg);

/*
 * Lists: an envelope (kube/proto.h) around a message whose field 1 is the ListMeta and whose fields 2 are the items. A
 * list may be a hundred megabytes; it is never in memory as a whole.
 */
struct message_split {
	struct kube_buf item;                          /* the beginning of a field of the list whose end has not arrived */
	struct kube_buf meta;                          /* the ListMeta */
	unsigned char head[KUBE_PROTO_MAX_HEAD_BYTES]; /* of a field */
	size_t head_len;
	enum message_part { PART_MAGIC, PART_ENVELOPE, PART_LIST, PART_ITEM, PART_META, PART_SKIP } part;
	enum message_part after_skip;
	uint64_t left_in_list, left; /* left: of the present field */
	bool complete;               /* the list has been there */
};

void message_split_init(struct message_split *split, size_t max_item_bytes, size_t max_meta_bytes);
void message_split_finish(struct message_split *split); /* zeroed is fine */
void message_split_reset(struct message_split *split);
/* bytes are NULL for an item that is too long. KUBE_E_PARSE, KUBE_E_LIMIT for the ListMeta, KUBE_E_NOMEM, or what fn
 * returned. */
int message_split_feed(struct message_split *split, const char *bytes, size_t len, split_fn *fn, void *arg);
/* Whether the whole answer was there. */
bool message_split_complete(const struct message_split *split);

#endif
