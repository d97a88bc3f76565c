#include "lib/runtime/wire.h"

#include <stdio.h>
#include <string.h>

/* Lists */

void wire_list_init(struct wire_list *list, size_t max_item_bytes, size_t max_rest_bytes)
{
	list->form = FORM_JSON;
	list_split_init(&list->json, max_item_bytes, max_rest_bytes);
	message_split_init(&list->proto, max_item_bytes, max_rest_bytes);
}

void wire_list_finish(struct wire_list *list)
{
	list_split_finish(&list->json);
	message_split_finish(&list->proto);
}

void wire_list_begin(struct wire_list *list, enum form form)
{
	list->form = form;
	list_split_reset(&list->json);
	message_split_reset(&list->proto);
}

int wire_list_feed(struct wire_list *list, const char *bytes, size_t len, split_fn *fn, void *arg)
{
	if (list->form == FORM_PROTO)
		return message_split_feed(&list->proto, bytes, len, fn, arg);
	return list_split_feed(&list->json, bytes, len, fn, arg);
}

#define AT(member) offsetof(struct wire_list_meta, member)
/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto ListMeta */
static const struct kube_json_field meta_table[] = {
    {.name = "resourceVersion", .number = 2, .type = KUBE_JSON_STRING, .offset = AT(version)},
    {.name = "continue", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(continue_token)},
    KUBE_JSON_END,
};

static int end_of_json(const struct kube_buf *rest, struct kube_arena *arena, struct wire_list_meta *meta,
                       struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;

	int rc = kube_json_parse(rest->data ? rest->data : "", rest->len, &json, err);
	if (rc)
		return rc;
	if (!kube_json_get(json, "metadata"))
		return kube_fail(err, KUBE_E_PARSE, "the answer is no list: it has no metadata");
	return kube_json_decode(kube_json_get(json, "metadata"), meta_table, meta, arena, err);
}

static int end_of_proto(const struct message_split *split, struct kube_arena *arena, struct wire_list_meta *meta,
                        struct kube_err *err)
{
	if (!message_split_complete(split))
		return kube_fail(err, KUBE_E_PARSE, "the answer is no complete protobuf list");
	if (split->meta.len == 0)
		return kube_fail(err, KUBE_E_PARSE, "the answer is no list: it has no metadata");
	return kube_proto_decode(kube_proto_of(split->meta.data, split->meta.len), meta_table, meta, arena, err);
}

int wire_list_end(const struct wire_list *list, struct kube_arena *arena, struct wire_list_meta *ret_meta,
                  struct kube_err *err)
{
	struct wire_list_meta meta = {.version = "", .continue_token = ""};
	int rc;

	if (list->form == FORM_PROTO)
		rc = end_of_proto(&list->proto, arena, &meta, err);
	else
		rc = end_of_json(&list->json.rest, arena, &meta, err);
	if (!rc)
		*ret_meta = meta;
	return rc;
}

/* Watches */

void wire_stream_init(struct wire_stream *stream, size_t max_event_bytes)
{
	stream->form = FORM_JSON;
	line_split_init(&stream->json, max_event_bytes);
	frame_split_init(&stream->proto, max_event_bytes);
}

void wire_stream_finish(struct wire_stream *stream)
{
	line_split_finish(&stream->json);
	frame_split_finish(&stream->proto);
}

void wire_stream_begin(struct wire_stream *stream, enum form form)
{
	stream->form = form;
	line_split_reset(&stream->json);
	frame_split_reset(&stream->proto);
}

int wire_stream_feed(struct wire_stream *stream, const char *bytes, size_t len, split_fn *fn, void *arg)
{
	if (stream->form == FORM_PROTO)
		return frame_split_feed(&stream->proto, bytes, len, fn, arg);
	return line_split_feed(&stream->json, bytes, len, fn, arg);
}

/* Documents */

void wire_close(struct wire_open *open)
{
	cJSON_Delete(open->parsed);
	*open = (struct wire_open){.parsed = NULL};
}

int wire_open(enum form form, const char *bytes, size_t len, struct wire_open *ret_open, struct kube_err *err)
{
	struct wire_open open = {.document = {.form = form}};
	int rc = 0;

	if (form == FORM_PROTO)
		open.document.proto = kube_proto_of(bytes, len);
	else
		rc = kube_json_parse(bytes, len, &open.parsed, err);
	open.document.json = open.parsed;
	if (!rc)
		*ret_open = open;
	return rc;
}

static void set_event(struct wire_open *open, const char *type, size_t len)
{
	snprintf(open->event, sizeof(open->event), "%.*s", (int)len, type);
}

/* meta/v1 WatchEvent: 1 type, 2 object: a runtime.RawExtension, whose field 1 is a document with its envelope. */
static int open_proto_event(struct kube_proto event, struct wire_open *open, struct kube_err *err)
{
	enum { TYPE = 1, OBJECT = 2, RAW = 1 };
	struct kube_proto_field field;
	struct kube_proto object = {NULL, NULL}, raw = {NULL, NULL};
	int rc;

	while ((rc = kube_proto_next(&event, &field)) > 0) {
		if (field.number == TYPE)
			set_event(open, (const char *)field.bytes.at, (size_t)(field.bytes.end - field.bytes.at));
		else if (field.number == OBJECT)
			object = field.bytes;
	}
	while (rc == 0 && (rc = kube_proto_next(&object, &field)) > 0)
		if (field.number == RAW)
			raw = field.bytes;
	if (rc < 0)
		return kube_fail(err, rc, "a watch event that is no protobuf");
	return raw.at == raw.end ? 0 : kube_proto_unwrap(raw, &open->document.proto, err);
}

int wire_open_event(enum form form, const char *bytes, size_t len, struct wire_open *ret_open, struct kube_err *err)
{
	struct wire_open open = {.document = {.form = form}};
	int rc = form == FORM_PROTO ? open_proto_event(kube_proto_of(bytes, len), &open, err)
	                            : kube_json_parse(bytes, len, &open.parsed, err);

	if (rc)
		return rc;
	if (form == FORM_JSON) {
		const char *type = kube_json_str(open.parsed, "type");
		set_event(&open, type ? type : "", type ? strlen(type) : 0);
		open.document.json = kube_json_get(open.parsed, "object");
	}
	*ret_open = open;
	return 0;
}
