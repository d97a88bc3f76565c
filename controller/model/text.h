/* Texts of foreign origin (logs, messages, evidence) are kept to a number of bytes, never splitting a character. */
#ifndef MODEL_TEXT_H
#define MODEL_TEXT_H

#include <kube/mem.h>
#include <stddef.h>

/* The length at which text (UTF-8, NULL counts as "") is cut to keep at most max_bytes. */
size_t text_cut(const char *text, size_t max_bytes);
/* The last max_bytes of text at most: a pointer into it. */
const char *text_tail(const char *text, size_t max_bytes);
/* A copy of the first max_bytes at most; NULL when out of memory. */
const char *text_keep(struct kube_arena *arena, const char *text, size_t max_bytes);
/* A copy as one line: what controls a terminal, line breaks included, becomes a blank, and none are left at the end.
 * NULL when out of memory. */
const char *text_line(struct kube_arena *arena, const char *text);

#endif
