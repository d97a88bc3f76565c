/* One object as the API server sends it, in either form. */
#ifndef LIB_RUNTIME_DOCUMENT_H
#define LIB_RUNTIME_DOCUMENT_H

#include <kube/proto.h>

enum form { FORM_JSON, FORM_PROTO };

struct document {
	enum form form;
	const cJSON *json;       /* borrowed, as are … */
	struct kube_proto proto; /* … the bytes of the message */
};

enum form form_of(const char *content_type);

static inline struct document document_of_json(const cJSON *json)
{
	return (struct document){.form = FORM_JSON, .json = json};
}

static inline struct document document_of_proto(struct kube_proto proto)
{
	return (struct document){.form = FORM_PROTO, .proto = proto};
}

int document_decode(const struct document *document, const struct kube_json_field *table, void *out,
                    struct kube_arena *arena, struct kube_err *err);

#endif
