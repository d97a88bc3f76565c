/* Protobuf's wire format: fields of a message, and the envelope of Kubernetes around one. */
#include <kube/proto.h>
#include <string.h>

#define MAX_VARINT_BYTES 10

/* Returns how many bytes it took, 0 when there are too few, or KUBE_E_PARSE. */
static int read_long_varint(const unsigned char *at, const unsigned char *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (int i = 0; i < MAX_VARINT_BYTES; i++) {
		if (at + i == end)
			return 0;
		value |= (uint64_t)(at[i] & 0x7f) << (7 * i);
		if (at[i] < 0x80) {
			*ret_value = value;
			return i + 1;
		}
	}
	return KUBE_E_PARSE;
}

/* Nearly all are a single byte, and a document has hundreds of them. */
static inline int read_varint(const unsigned char *at, const unsigned char *end, uint64_t *ret_value)
{
	if (at == end || *at >= 0x80)
		return read_long_varint(at, end, ret_value);
	*ret_value = *at;
	return 1;
}

static inline int read_head(struct kube_proto bytes, struct kube_proto_field *field)
{
	uint64_t tag;
	int tag_len = read_varint(bytes.at, bytes.end, &tag), value_len = 0;

	if (tag_len <= 0)
		return tag_len;
	if (tag >> 3 == 0 || tag >> 3 >= UINT64_C(1) << 29)
		return KUBE_E_PARSE;
	field->number = (unsigned)(tag >> 3);
	field->wire = (enum kube_proto_wire)(tag & 7);
	switch (field->wire) {
	case KUBE_PROTO_VARINT:
	case KUBE_PROTO_BYTES:
		value_len = read_varint(bytes.at + tag_len, bytes.end, &field->value);
		if (value_len <= 0)
			return value_len;
		break;
	case KUBE_PROTO_64: field->value = 8; break;
	case KUBE_PROTO_32: field->value = 4; break;
	default: return KUBE_E_PARSE; /* groups: Kubernetes has none */
	}
	return tag_len + value_len;
}

int kube_proto_head(struct kube_proto bytes, struct kube_proto_field *ret_field)
{
	struct kube_proto_field field = {.number = 0};
	int len = read_head(bytes, &field);

	if (len > 0)
		*ret_field = field;
	return len;
}

int kube_proto_next(struct kube_proto *message, struct kube_proto_field *ret_field)
{
	if (message->at == message->end)
		return 0;
	int len = read_head(*message, ret_field);
	if (len <= 0)
		return KUBE_E_PARSE;
	const unsigned char *body = message->at + len;
	uint64_t body_len = ret_field->wire == KUBE_PROTO_VARINT ? 0 : ret_field->value;
	if (body_len > (uint64_t)(message->end - body))
		return KUBE_E_PARSE;
	ret_field->bytes.at = body;
	ret_field->bytes.end = message->at = body + body_len;
	return 1;
}

/* apimachinery runtime/serializer/protobuf: the magic number, then runtime.Unknown, whose field 2 is the object. */
int kube_proto_unwrap(struct kube_proto document, struct kube_proto *ret_object, struct kube_err *err)
{
	enum { RAW = 2 };
	struct kube_proto_field field;
	struct kube_proto object = {NULL, NULL};
	int rc = KUBE_E_PARSE;

	if (document.end - document.at >= KUBE_PROTO_MAGIC_BYTES &&
	    memcmp(document.at, KUBE_PROTO_MAGIC, KUBE_PROTO_MAGIC_BYTES) == 0) {
		document.at += KUBE_PROTO_MAGIC_BYTES;
		while ((rc = kube_proto_next(&document, &field)) > 0)
			if (field.number == RAW && field.wire == KUBE_PROTO_BYTES)
				object = field.bytes;
	}
	if (rc < 0)
		return kube_fail(err, rc, "the document is no protobuf object of Kubernetes");
	*ret_object = object;
	return 0;
}
