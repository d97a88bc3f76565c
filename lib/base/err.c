#include "utf8.h"
#include <kube/err.h>
#include <stdio.h>
#include <string.h>

void kube_err_reset(struct kube_err *err)
{
	if (err)
		*err = (struct kube_err){.retry_after_s = -1};
}

/* vsnprintf() that never leaves half a code point behind: messages end up in status fields, which are UTF-8. */
__attribute__((format(printf, 3, 0))) static void format_cut(char *out, size_t size, const char *fmt, va_list ap)
{
	int len = vsnprintf(out, size, fmt, ap);

	if (len < 0)
		out[0] = '\0';
	else if ((size_t)len >= size)
		out[utf8_floor(out, size - 1)] = '\0';
}

__attribute__((format(printf, 3, 4))) static void print_cut(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format_cut(out, size, fmt, ap);
	va_end(ap);
}

int kube_fail(struct kube_err *err, int code, const char *fmt, ...)
{
	char message[sizeof(err->message)]; /* the arguments may point into err */
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	format_cut(message, sizeof(message), fmt, ap);
	va_end(ap);
	kube_err_reset(err);
	err->code = code;
	memcpy(err->message, message, sizeof(message));
	return code;
}

int kube_err_prefix(struct kube_err *err, const char *fmt, ...)
{
	char prefix[sizeof(err->message)], message[sizeof(err->message)];
	va_list ap;

	if (!err)
		return KUBE_E_INVALID;
	va_start(ap, fmt);
	format_cut(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	print_cut(message, sizeof(message), "%s: %s", prefix, err->message);
	memcpy(err->message, message, sizeof(message));
	return err->code;
}

const char *kube_code_text(int code)
{
	switch (code) {
	case KUBE_OK: return "ok";
#define CODE_TEXT(name, number, text) \
	case KUBE_E_##name: return text;
		KUBE_CODES(CODE_TEXT)
#undef CODE_TEXT
	default: return "unknown error";
	}
}
