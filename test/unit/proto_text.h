/* Protobuf messages for tests, field by field, at the end of a buffer. */
#ifndef TEST_UNIT_PROTO_TEXT_H
#define TEST_UNIT_PROTO_TEXT_H

#include <check.h>
#include <kube/buf.h>
#include <kube/proto.h>
#include <string.h>

#define PB_MAX_BYTES ((size_t)64 << 20)

static inline struct kube_buf pb_new(void)
{
	struct kube_buf buf;

	kube_buf_init(&buf, PB_MAX_BYTES);
	return buf;
}

static inline void pb_raw_varint(struct kube_buf *out, uint64_t value)
{
	do {
		unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		ck_assert_int_eq(kube_buf_add(out, &byte, 1), 0);
		value >>= 7;
	} while (value);
}

static inline void pb_varint(struct kube_buf *out, unsigned number, int64_t value)
{
	pb_raw_varint(out, number << 3 | KUBE_PROTO_VARINT);
	pb_raw_varint(out, (uint64_t)value);
}

static inline void pb_bytes(struct kube_buf *out, unsigned number, const void *bytes, size_t len)
{
	pb_raw_varint(out, number << 3 | KUBE_PROTO_BYTES);
	pb_raw_varint(out, len);
	ck_assert_int_eq(kube_buf_add(out, bytes, len), 0);
}

static inline void pb_text(struct kube_buf *out, unsigned number, const char *text)
{
	pb_bytes(out, number, text, strlen(text));
}

/* Ends the inner message. */
static inline void pb_message(struct kube_buf *out, unsigned number, struct kube_buf *inner)
{
	pb_bytes(out, number, inner->len ? inner->data : "", inner->len);
	kube_buf_finish(inner);
}

static inline void pb_pair(struct kube_buf *out, unsigned number, const char *key, const char *value)
{
	struct kube_buf pair = pb_new();

	pb_text(&pair, 1, key);
	pb_text(&pair, 2, value);
	pb_message(out, number, &pair);
}

static inline void pb_time(struct kube_buf *out, unsigned number, int64_t seconds, int64_t nanos)
{
	struct kube_buf time = pb_new();

	pb_varint(&time, 1, seconds);
	pb_varint(&time, 2, nanos);
	pb_message(out, number, &time);
}

/* The envelope of Kubernetes around a message of that kind, which ends here. */
static inline void pb_document(struct kube_buf *out, const char *kind, struct kube_buf *object)
{
	struct kube_buf type = pb_new();

	ck_assert_int_eq(kube_buf_add(out, KUBE_PROTO_MAGIC, KUBE_PROTO_MAGIC_BYTES), 0);
	pb_text(&type, 1, "v1");
	pb_text(&type, 2, kind);
	pb_message(out, 1, &type);
	pb_message(out, 2, object);
	pb_text(out, 3, "");
	pb_text(out, 4, "");
}

static inline struct kube_proto pb_of(const struct kube_buf *buf)
{
	return kube_proto_of(buf->len ? buf->data : "", buf->len);
}

#endif
