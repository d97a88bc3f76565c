/*
 * Protobuf as the Kubernetes API writes it, decoded by the tables of kube/json.h.
 *
 * A field of a table whose .number is set is decoded from the field of that number, as named by the generated.proto
 * file of its API group. What JSON inlines (a pod's volume source, for instance) is a message of its own in protobuf:
 * the table names it as an OBJECT, beside the members that JSON has in its place. Go writes the empty text and the zero
 * number where JSON leaves a member out: an empty text counts as absent unless the field is required. DURATION, INTSTR
 * and CUSTOM are for JSON only.
 */
#ifndef KUBE_PROTO_H
#define KUBE_PROTO_H

#include <kube/json.h>

KUBE_BEGIN_DECLS

#define KUBE_PROTO_CONTENT_TYPE "application/vnd.kubernetes.protobuf"
#define KUBE_PROTO_MAX_FIELDS 32 /* longest table */

/* The bytes of a message, or what is left of them. Borrowed. */
struct kube_proto {
	const unsigned char *at, *end;
};

static inline struct kube_proto kube_proto_of(const void *bytes, size_t len)
{
	struct kube_proto proto;

	proto.at = (const unsigned char *)bytes;
	proto.end = proto.at + len;
	return proto;
}

enum kube_proto_wire { KUBE_PROTO_VARINT = 0, KUBE_PROTO_64 = 1, KUBE_PROTO_BYTES = 2, KUBE_PROTO_32 = 5 };

struct kube_proto_field {
	unsigned number;
	enum kube_proto_wire wire;
	uint64_t value;          /* of a VARINT */
	struct kube_proto bytes; /* of BYTES: a text or a message */
};

/* Takes the next field off the message: 1, 0 at its end, or KUBE_E_PARSE (with *ret_field in no particular state). */
int kube_proto_next(struct kube_proto *message, struct kube_proto_field *ret_field);
/*
 * The beginning of a field, as far as it is there: tag, and the value of a VARINT or the length of BYTES (in value).
 * Returns how many bytes that takes, 0 when there are too few, or KUBE_E_PARSE.
 */
int kube_proto_head(struct kube_proto bytes, struct kube_proto_field *ret_field);
#define KUBE_PROTO_MAX_HEAD_BYTES 20

/* Takes the envelope ("k8s\0" and a runtime.Unknown) off a document. KUBE_E_PARSE. */
int kube_proto_unwrap(struct kube_proto document, struct kube_proto *ret_object, struct kube_err *err);
#define KUBE_PROTO_MAGIC "k8s" /* with its NUL */
#define KUBE_PROTO_MAGIC_BYTES 4

/* As kube_json_decode(). KUBE_E_PARSE, KUBE_E_LIMIT, KUBE_E_NOMEM. */
int kube_proto_decode(struct kube_proto message, const struct kube_json_field *table, void *out,
                      struct kube_arena *arena, struct kube_err *err);

KUBE_END_DECLS

#endif
