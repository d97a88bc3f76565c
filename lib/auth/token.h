/*
 * The bearer token: inline, or from a file that is rotated under us (client-go: transport/token_source.go).
 *
 * The file is read again once what was read is 50 s old; a failed read keeps the old token; a 401 drops it. The inline
 * token serves as long as the file has never been read.
 */
#ifndef KUBE_AUTH_TOKEN_H
#define KUBE_AUTH_TOKEN_H

#include <kube/err.h>
#include <stdbool.h>
#include <stdint.h>

#define KUBE_TOKEN_MAX_AGE_MS 50000

struct kube_token {
	char *file;   /* NULL: none */
	char *fixed;  /* the inline one; NULL: none */
	char *cached; /* what the file held; NULL: not read yet, or dropped */
	int64_t read_ms;
	unsigned reads; /* that gave a token, so far */
};

/* Copies both; each may be NULL. KUBE_E_NOMEM. */
int kube_token_init(struct kube_token *token, const char *fixed, const char *file, struct kube_err *err);
void kube_token_finish(struct kube_token *token); /* wipes */

/* The token to send now, or NULL when none is configured; valid until the next call. KUBE_E_AUTH names the file. */
int kube_token_get(struct kube_token *token, int64_t mono_ms, const char **ret_text, struct kube_err *err);
/* The server answered 401. */
void kube_token_drop(struct kube_token *token);

/* Visible ASCII only: nothing that could end a header line. */
bool kube_token_ok(const char *text);

#endif
