/*
 * Errors.
 *
 * Everything that can fail returns an int: 0, or a negative enum kube_code. The details go into a
 * caller-owned struct kube_err, always the last parameter; passing NULL is allowed. A function that
 * fails leaves its other outputs untouched. A function either reports an error or logs it, never both.
 */
#ifndef KUBE_ERR_H
#define KUBE_ERR_H

#include <kube/decls.h>
#include <stdarg.h>
#include <stdbool.h>

KUBE_BEGIN_DECLS

#define KUBE_CODES(X) \
	X(NOMEM, 1, "out of memory") \
	X(INVALID, 2, "invalid input") \
	X(LIMIT, 3, "a limit was exceeded") \
	X(PARSE, 4, "cannot be parsed") \
	X(IO, 5, "input/output error") \
	X(CONNECT, 6, "cannot connect") \
	X(TLS, 7, "TLS failed") \
	X(TIMEOUT, 8, "timed out") \
	X(CLOSED, 9, "the connection ended early") \
	X(API, 10, "the API server refused the request") \
	X(AUTH, 11, "no usable credentials") \
	X(NOTFOUND, 12, "not found") \
	X(CANCELED, 13, "canceled")

enum kube_code {
	KUBE_OK = 0,
#define KUBE_CODE_ENUM(name, number, text) KUBE_E_##name = -(number),
	KUBE_CODES(KUBE_CODE_ENUM)
#undef KUBE_CODE_ENUM
};

struct kube_err {
	int code;          /* enum kube_code; 0 when nothing failed */
	int http_status;   /* status of the answer; 0 when there was none */
	int retry_after_s; /* the server's Retry-After in seconds; -1 when absent */
	char reason[64];   /* metav1.Status.reason ("Conflict", "Forbidden", …); "" when there is none */
	char cause[64];    /* first metav1.Status.details.causes[].reason, e.g. "DisruptionBudget" */
	char message[512]; /* one sentence: what happened, to which object, what to do; truncated to fit */
};

/* Clears err (NULL is allowed). */
void kube_err_reset(struct kube_err *err);

/* Fills err with code and a formatted message, and returns code. */
int kube_fail(struct kube_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before err's message and returns err's code (KUBE_E_INVALID when err is NULL). */
int kube_err_prefix(struct kube_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A static text for a code; never NULL. */
const char *kube_code_text(int code);

/* True for an answer of the API server with this HTTP status. */
static inline bool kube_err_is(const struct kube_err *err, int http_status)
{
	return err && err->code == KUBE_E_API && err->http_status == http_status;
}

KUBE_END_DECLS

#endif
