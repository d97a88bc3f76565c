/*
 * Cutting a stream of bytes into JSON documents, in whatever pieces it arrives, in linear time and bounded memory.
 */
#ifndef LIB_RUNTIME_SPLIT_H
#define LIB_RUNTIME_SPLIT_H

#include <kube/buf.h>
#include <stdbool.h>

/*
 * Gets one document; text is borrowed. What it returns other than 0 ends the feeding and is handed on; the splitter
 * must still exist then.
 */
typedef int split_fn(void *arg, const char *text, size_t len);

/* Calls fn with what was gathered, or with NULL when that was too long, and begins anew. */
int split_hand_over(struct kube_buf *buf, split_fn *fn, void *arg);

/* Watches: a document a line. */
struct line_split {
	struct kube_buf line; /* the beginning of a line whose end has not arrived */
};

void line_split_init(struct line_split *split, size_t max_line_bytes);
void line_split_finish(struct line_split *split); /* zeroed is fine */
void line_split_reset(struct line_split *split);
/* KUBE_E_LIMIT for a line that is too long, KUBE_E_NOMEM, or what fn returned. Empty lines are skipped. */
int line_split_feed(struct line_split *split, const char *bytes, size_t len, split_fn *fn, void *arg);

/*
 * Lists: the elements of the top-level member "items", one by one. What is left when they are taken out stays in
 * `rest`: a small document that has kind, metadata and an empty "items". A list may be hundreds of megabytes; it is
 * never in memory as a whole.
 */
struct list_split {
	struct kube_buf item; /* the beginning of an element */
	struct kube_buf rest;
	size_t depth;        /* of brackets around the present byte */
	size_t string_start; /* in rest, of the last string there */
	bool in_string, escaped;
	bool after_items; /* the last string was "items" at the top level */
	bool in_items, in_item;
};

void list_split_init(struct list_split *split, size_t max_item_bytes, size_t max_rest_bytes);
void list_split_finish(struct list_split *split); /* zeroed is fine */
void list_split_reset(struct list_split *split);
/* text is NULL for an element that is too long. KUBE_E_LIMIT when the rest is too long, KUBE_E_NOMEM, or what fn
 * returned. */
int list_split_feed(struct list_split *split, const char *bytes, size_t len, split_fn *fn, void *arg);

#endif
