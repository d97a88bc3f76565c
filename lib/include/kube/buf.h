/*
 * A growing byte buffer with a mandatory maximum.
 *
 * Whatever the network or a file fills goes through one of these. A failed append frees the contents
 * and leaves the buffer empty and failed until kube_buf_reset(): a caller that ignores one error cannot
 * go on with half a message. data is always NUL-terminated when it is not NULL; len excludes the NUL.
 */
#ifndef KUBE_BUF_H
#define KUBE_BUF_H

#include <kube/err.h>
#include <kube/mem.h>
#include <stddef.h>

KUBE_BEGIN_DECLS

struct kube_buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* most bytes it may hold */
	int failed; /* code of the append that failed; further appends return it */
};

void kube_buf_init(struct kube_buf *buf, size_t max_bytes);
void kube_buf_finish(struct kube_buf *buf); /* NULL and zeroed are fine */
void kube_buf_reset(struct kube_buf *buf);  /* len = 0, not failed; keeps the memory */

/* KUBE_E_LIMIT beyond max, KUBE_E_NOMEM. */
int kube_buf_add(struct kube_buf *buf, const void *bytes, size_t len);
int kube_buf_adds(struct kube_buf *buf, const char *s);
/* Appends len bytes that the caller writes next; NULL: the append failed. */
char *kube_buf_extend(struct kube_buf *buf, size_t len);
int kube_buf_addf(struct kube_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first n bytes (n <= len). */
void kube_buf_consume(struct kube_buf *buf, size_t n);
/* Appends s percent-encoded for use in a URL query value or path segment. */
int kube_buf_add_urlencoded(struct kube_buf *buf, const char *s);
/* Hands the contents to the caller (who frees them) and leaves the buffer empty; "" when it was empty, NULL when out of
 * memory or failed. */
char *kube_buf_take(struct kube_buf *buf);

#ifdef KUBE_SHORT_NAMES
#define _cleanup_buf_ _cleanup_(kube_buf_finish)
#endif

KUBE_END_DECLS

#endif
