/* Protobuf's wire format: fields of a message, and the envelope of Kubernetes around one. */
#include <kube/proto.h>
#include <string.h>

#define MAX_VARINT_BYTES 10

/* Returns how many bytes it took, 0 when there are too few, or KUBE_E_PARSE. */
static int read_varint(struct kube_proto bytes, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (int i = 0; i < MAX_VARINT_BYTES; i++) {
		if (bytes.at + i == bytes.end)
			return 0;
		value |= (uint64_t)(bytes.at[i] & 0x7f) << (7 * i);
		if (bytes.at[i] < 0x80) {
			*ret_value = value;
			return i + 1;
		}
	}
	return KUBE_E_PARSE;
}

int kube_proto_head(struct kube_proto bytes, struct kube_proto_field *ret_field)
{
	uint64_t tag, value = 0;
	int tag_len = read_varint(bytes, &tag), value_len = 0;

	if (tag_len <= 0)
		return tag_len;
	if (tag >> 3 == 0 || tag >> 3 >= UINT64_C(1) << 29)
		return KUBE_E_PARSE;
	switch (tag & 7) {
	case KUBE_PROTO_VARINT:
	case KUBE_PROTO_BYTES:
		bytes.at += tag_len;
		value_len = read_varint(bytes, &value);
		if (value_len <= 0)
			return value_len;
		break;
	case KUBE_PROTO_64: value = 8; break;
	case KUBE_PROTO_32: value = 4; break;
	default: return KUBE_E_PARSE; /* groups: Kubernetes has none */
	}
	*ret_field = (struct kube_proto_field){
	    .number = (unsigned)(tag >> 3), .wire = (enum kube_proto_wire)(tag & 7), .value = value};
	return tag_len + value_len;
}

int kube_proto_next(struct kube_proto *message, struct kube_proto_field *ret_field)
{
	struct kube_proto_field field;

	if (message->at == message->end)
		return 0;
	int len = kube_proto_head(*message, &field);
	if (len <= 0)
		return KUBE_E_PARSE;
	const unsigned char *body = message->at + len;
	size_t body_len = field.wire == KUBE_PROTO_VARINT ? 0 : (size_t)field.value;
	if (field.value > SIZE_MAX || body_len > (size_t)(message->end - body))
		return KUBE_E_PARSE;
	field.bytes = kube_proto_of(body, body_len);
	message->at = body + body_len;
	*ret_field = field;
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
