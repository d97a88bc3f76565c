#include <kube/buf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAP_BYTES 128

void kube_buf_init(struct kube_buf *buf, size_t max_bytes)
{
	*buf = (struct kube_buf){.max = max_bytes};
}

void kube_buf_finish(struct kube_buf *buf)
{
	if (!buf)
		return;
	free(buf->data);
	kube_buf_init(buf, buf->max);
}

void kube_buf_reset(struct kube_buf *buf)
{
	buf->len = 0;
	buf->failed = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

static int fail(struct kube_buf *buf, int code)
{
	kube_buf_finish(buf);
	buf->failed = code;
	return code;
}

/* Makes room for extra bytes and the NUL. */
static int reserve(struct kube_buf *buf, size_t extra)
{
	if (buf->failed)
		return buf->failed;
	if (extra > buf->max - buf->len || buf->max == SIZE_MAX)
		return fail(buf, KUBE_E_LIMIT);
	size_t need = buf->len + extra + 1;
	if (need <= buf->cap)
		return 0;
	size_t cap = buf->cap ? buf->cap : FIRST_CAP_BYTES;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > buf->max + 1)
		cap = buf->max + 1;
	char *data = realloc(buf->data, cap);
	if (!data)
		return fail(buf, KUBE_E_NOMEM);
	buf->data = data;
	buf->cap = cap;
	return 0;
}

char *kube_buf_extend(struct kube_buf *buf, size_t len)
{
	if (reserve(buf, len))
		return NULL;
	char *room = buf->data + buf->len;
	buf->len += len;
	buf->data[buf->len] = '\0';
	return room;
}

int kube_buf_add(struct kube_buf *buf, const void *bytes, size_t len)
{
	char *room = kube_buf_extend(buf, len);

	if (room && len)
		memcpy(room, bytes, len);
	return buf->failed;
}

int kube_buf_adds(struct kube_buf *buf, const char *s)
{
	return kube_buf_add(buf, s, strlen(s));
}

int kube_buf_addf(struct kube_buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return fail(buf, KUBE_E_LIMIT);
	int rc = reserve(buf, (size_t)len);
	if (rc)
		return rc;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
	return 0;
}

void kube_buf_consume(struct kube_buf *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (n == 0)
		return;
	memmove(buf->data, buf->data + n, buf->len - n + 1);
	buf->len -= n;
}

/* RFC 3986 2.3; the locale must not matter, hence no isalnum(). */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

int kube_buf_add_urlencoded(struct kube_buf *buf, const char *s)
{
	while (*s) {
		size_t plain = 0;
		while (is_unreserved(s[plain])) /* false for the NUL */
			plain++;
		int rc = kube_buf_add(buf, s, plain);
		s += plain;
		if (!rc && *s)
			rc = kube_buf_addf(buf, "%%%02X", (unsigned)(unsigned char)*s++);
		if (rc)
			return rc;
	}
	return buf->failed;
}

char *kube_buf_take(struct kube_buf *buf)
{
	if (buf->failed)
		return NULL;
	char *data = buf->data ? take(buf->data) : calloc(1, 1);
	kube_buf_init(buf, buf->max);
	return data;
}
