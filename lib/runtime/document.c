#include "lib/runtime/document.h"

#include <string.h>

enum form form_of(const char *content_type)
{
	const char *proto = KUBE_PROTO_CONTENT_TYPE;

	return strncmp(content_type, proto, strlen(proto)) == 0 ? FORM_PROTO : FORM_JSON;
}

int document_decode(const struct document *document, const struct kube_json_field *table, void *out,
                    struct kube_arena *arena, struct kube_err *err)
{
	if (document->form == FORM_PROTO)
		return kube_proto_decode(document->proto, table, out, arena, err);
	return kube_json_decode(document->json, table, out, arena, err);
}
