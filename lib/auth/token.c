/* The bearer token and its file. */
#include "lib/auth/token.h"

#include "lib/auth/file.h"

#include <kube/mem.h>
#include <string.h>

bool kube_token_ok(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return *text != '\0';
}

int kube_token_init(struct kube_token *token, const char *fixed, const char *file, struct kube_err *err)
{
	struct kube_token made = {.fixed = fixed ? strdup(fixed) : NULL, .file = file ? strdup(file) : NULL};
	if ((fixed && !made.fixed) || (file && !made.file)) {
		kube_token_finish(&made);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the bearer token");
	}
	if (fixed && !kube_token_ok(fixed)) {
		kube_token_finish(&made);
		return kube_fail(err, KUBE_E_AUTH, "the bearer token contains blanks or control characters");
	}
	*token = made;
	return 0;
}

void kube_token_finish(struct kube_token *token)
{
	if (!token)
		return;
	kube_wipe_str(&token->fixed);
	kube_wipe_str(&token->cached);
	kube_freep(&token->file);
}

static int read_file(struct kube_token *token, struct kube_err *err)
{
	_cleanup_secret_buf_ struct kube_buf text = {0};
	kube_buf_init(&text, KUBE_FILE_MAX_TOKEN);
	int rc = kube_file_read("token file", token->file, &text, err);
	if (rc != 0)
		return rc;
	const char *trimmed = text.data ? kube_file_trim(text.data) : "";
	if (!kube_token_ok(trimmed))
		return kube_fail(err, KUBE_E_AUTH, "the token file %s holds no token", token->file);
	char *copy = strdup(trimmed);
	if (!copy)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the bearer token");
	kube_wipe_str(&token->cached);
	token->cached = copy;
	token->reads++;
	return 0;
}

int kube_token_get(struct kube_token *token, int64_t mono_ms, const char **ret_text, struct kube_err *err)
{
	struct kube_err why;
	kube_err_reset(&why);
	bool stale = !token->cached || mono_ms - token->read_ms >= KUBE_TOKEN_MAX_AGE_MS;
	if (token->file && stale && read_file(token, &why) == 0)
		token->read_ms = mono_ms;
	const char *text = token->cached ? token->cached : token->fixed;
	if (!text && token->file) {
		if (why.code == KUBE_E_NOMEM)
			return kube_fail(err, KUBE_E_NOMEM, "%s", why.message);
		return kube_fail(err, KUBE_E_AUTH, "there is no bearer token to send: %s", why.message);
	}
	*ret_text = text;
	return 0;
}

void kube_token_drop(struct kube_token *token)
{
	kube_wipe_str(&token->cached);
}
