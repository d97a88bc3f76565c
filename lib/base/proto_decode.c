#include "lib/base/decode.h"

#include <kube/proto.h>
#include <kube/time.h>
#include <string.h>

#define MAX_WORD_BYTES 128
#define MAX_SECONDS (INT64_MAX / 2000)
#define NANOS_A_MS 1000000
#define NANOS_A_SECOND 1000000000

/* How far the field of one place in the table has come. */
struct progress {
	bool seen;
	size_t used, room; /* of repeated ones */
};

static int decode_message(const struct decoder *decoder, const struct place *place, struct kube_proto message,
                          const struct kube_json_field *table, void *out);

static int malformed(const struct decoder *decoder, const struct place *place, const char *what)
{
	kube_fail(decoder->err, KUBE_E_PARSE, "%s", what);
	return decode_at(decoder, place, KUBE_E_PARSE);
}

/* Texts */

/* As kube_json_parse(): a NUL becomes U+FFFD, as C strings would end there. */
static const char *copy_with_nuls(struct kube_arena *arena, struct kube_proto bytes, size_t nuls)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t more = strlen(replacement) - 1, len = (size_t)(bytes.end - bytes.at);
	char *text = kube_arena_alloc(arena, len + nuls * more + 1), *out = text;

	for (; text && bytes.at < bytes.end; bytes.at++) {
		if (*bytes.at)
			*out++ = (char)*bytes.at;
		else
			out = mempcpy(out, replacement, strlen(replacement));
	}
	return text;
}

static int copy_text(const struct decoder *decoder, const struct place *place, struct kube_proto bytes,
                     const char **ret_text)
{
	size_t len = (size_t)(bytes.end - bytes.at), nuls = 0;
	const char *text;

	if (len > 0 && memchr(bytes.at, '\0', len))
		for (size_t i = 0; i < len; i++)
			nuls += bytes.at[i] == '\0';
	if (nuls > 0)
		text = copy_with_nuls(decoder->arena, bytes, nuls);
	else
		text = kube_arena_strndup(decoder->arena, len > 0 ? (const char *)bytes.at : "", len);
	if (!text)
		return decode_no_memory(decoder, place);
	*ret_text = text;
	return 0;
}

static bool is_empty(struct kube_proto bytes)
{
	return bytes.at == bytes.end;
}

static int decode_enum(const struct decoder *decoder, const struct place *place, struct kube_proto bytes,
                       const char *const *words, void *out)
{
	char word[MAX_WORD_BYTES];
	size_t len = (size_t)(bytes.end - bytes.at);
	int index;

	if (len >= sizeof(word))
		return malformed(decoder, place, "a word that is too long");
	memcpy(word, bytes.at, len);
	word[len] = '\0';
	int rc = decode_word(decoder, place, word, words, &index);
	if (!rc)
		memcpy(out, &index, sizeof(index)); /* the caller's enum is no int to C */
	return rc;
}

/* meta/v1 Time and MicroTime: 1 seconds, 2 nanos. Go's zero time is the empty message. */
static int decode_time(const struct decoder *decoder, const struct place *place, struct kube_proto message,
                       int64_t *ret_ms)
{
	enum { SECONDS = 1, NANOS = 2 };
	struct kube_proto_field field;
	int64_t seconds = 0, nanos = 0;
	int rc;

	if (is_empty(message))
		return 0;
	while ((rc = kube_proto_next(&message, &field)) > 0) {
		if (field.number == SECONDS)
			seconds = (int64_t)field.value;
		else if (field.number == NANOS)
			nanos = (int64_t)field.value;
	}
	if (rc < 0 || seconds > MAX_SECONDS || seconds < -MAX_SECONDS || nanos < 0 || nanos >= NANOS_A_SECOND)
		return malformed(decoder, place, "no time");
	*ret_ms = seconds * 1000 + nanos / NANOS_A_MS;
	return 0;
}

/* Repeated fields */

/* Memory for this occurrence of a repeated field and all that follow: rest is what comes after the first. */
static int make_room(const struct decoder *decoder, const struct place *place, struct kube_proto rest, unsigned number,
                     size_t item_size, struct progress *progress, struct kube_list *list)
{
	struct kube_proto_field field;
	size_t count = 1;

	while (kube_proto_next(&rest, &field) > 0)
		count += field.number == number;
	if (count > KUBE_JSON_MAX_LIST) {
		kube_fail(decoder->err, KUBE_E_LIMIT, "%zu entries, more than %d", count, KUBE_JSON_MAX_LIST);
		return decode_at(decoder, place, KUBE_E_LIMIT);
	}
	void *items = kube_arena_calloc(decoder->arena, count, item_size);
	if (!items)
		return decode_no_memory(decoder, place);
	*list = (struct kube_list){.items = items, .count = 0};
	progress->room = count;
	return 0;
}

static size_t size_of_item(const struct kube_json_field *field)
{
	if (field->type == KUBE_JSON_STRMAP)
		return sizeof(struct kube_str_pair);
	return field->type == KUBE_JSON_STRLIST ? sizeof(const char *) : field->size;
}

/* An entry of a map is a message: 1 key, 2 value. */
static int decode_pair(const struct decoder *decoder, const struct place *place, struct kube_proto message,
                       struct kube_str_pair *pair)
{
	enum { KEY = 1, VALUE = 2 };
	struct kube_proto_field field;
	int rc;

	pair->key = pair->value = "";
	while ((rc = kube_proto_next(&message, &field)) > 0) {
		const char **text = field.number == KEY ? &pair->key : &pair->value;
		if (field.number > VALUE || field.wire != KUBE_PROTO_BYTES)
			continue;
		rc = copy_text(decoder, place, field.bytes, text);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? malformed(decoder, place, "no entry of a map") : 0;
}

static int decode_item(const struct decoder *decoder, const struct place *place, struct kube_proto bytes,
                       const struct kube_json_field *field, void *item)
{
	if (field->type == KUBE_JSON_STRMAP)
		return decode_pair(decoder, place, bytes, item);
	if (field->type == KUBE_JSON_STRLIST)
		return copy_text(decoder, place, bytes, item);
	return decode_message(decoder, place, bytes, field->table, item);
}

/* The lists of all three types are items and count; the caller's own types are no kube_list to C, hence memcpy. */
static int decode_repeated(const struct decoder *decoder, const struct place *place,
                           const struct kube_json_field *field, const struct kube_proto_field *value,
                           struct kube_proto rest, struct progress *progress, void *out)
{
	struct kube_list list;
	size_t size = size_of_item(field);
	int rc = 0;

	memcpy(&list, out, sizeof(list));
	if (progress->room == 0)
		rc = make_room(decoder, place, rest, value->number, size, progress, &list);
	if (rc)
		return rc;
	struct place here = {.parent = place, .index = progress->used, .depth = place->depth + 1};
	void *item = (char *)list.items + progress->used * size;
	rc = decode_item(decoder, &here, value->bytes, field, item);
	bool overlooked = decode_overlooks(decoder, field, rc);
	if (overlooked) {
		memset(item, 0, size);
		rc = 0;
	}
	progress->used += overlooked && field->type == KUBE_JSON_STRMAP ? 0 : 1;
	list.count = progress->used;
	memcpy(out, &list, sizeof(list));
	return rc;
}

/* Messages */

static int decode_pointer(const struct decoder *decoder, const struct place *place, struct kube_proto message,
                          const struct kube_json_field *field, void *out)
{
	void *object = kube_arena_alloc(decoder->arena, field->size);

	if (!object)
		return decode_no_memory(decoder, place);
	int rc = decode_message(decoder, place, message, field->table, object);
	if (!rc)
		memcpy(out, &object, sizeof(object));
	return rc;
}

static bool is_number(enum kube_json_type type)
{
	return type == KUBE_JSON_BOOL || type == KUBE_JSON_INT || type == KUBE_JSON_OPTIONAL_INT;
}

static int decode_value(const struct decoder *decoder, const struct place *place, const struct kube_json_field *field,
                        const struct kube_proto_field *value, struct kube_proto rest, struct progress *progress,
                        void *out)
{
	bool absent = is_empty(value->bytes) && !field->required;

	if (value->wire != (is_number(field->type) ? KUBE_PROTO_VARINT : KUBE_PROTO_BYTES))
		return malformed(decoder, place, "a field of another type");
	switch (field->type) {
	case KUBE_JSON_STRING: return absent ? 0 : copy_text(decoder, place, value->bytes, out);
	case KUBE_JSON_BOOL: *(bool *)out = value->value != 0; return 0;
	case KUBE_JSON_INT: *(int64_t *)out = (int64_t)value->value; return 0;
	case KUBE_JSON_OPTIONAL_INT:
		*(struct kube_optional_int *)out = (struct kube_optional_int){.set = true, .value = (int64_t)value->value};
		return 0;
	case KUBE_JSON_TIME: return decode_time(decoder, place, value->bytes, out);
	case KUBE_JSON_STRMAP:
	case KUBE_JSON_STRLIST:
	case KUBE_JSON_LIST: return decode_repeated(decoder, place, field, value, rest, progress, out);
	case KUBE_JSON_OBJECT: return decode_message(decoder, place, value->bytes, field->table, out);
	case KUBE_JSON_POINTER: return decode_pointer(decoder, place, value->bytes, field, out);
	case KUBE_JSON_ENUM: return absent ? 0 : decode_enum(decoder, place, value->bytes, field->words, out);
	case KUBE_JSON_DURATION:
	case KUBE_JSON_INTSTR:
	case KUBE_JSON_CUSTOM: break;
	}
	return kube_fail(decoder->err, KUBE_E_INVALID, "the table gives \"%s\" a type that protobuf has not", field->name);
}

static size_t length_of(const struct kube_json_field *table)
{
	size_t length = 0;

	while (length < KUBE_PROTO_MAX_FIELDS && table[length].name)
		length++;
	return length;
}

/* The length of the table when there is none. */
static size_t find_field(const struct kube_json_field *table, size_t length, unsigned number)
{
	size_t i = 0;

	while (i < length && table[i].number != number)
		i++;
	return i;
}

static int check_required(const struct decoder *decoder, const struct place *place, const struct kube_json_field *table,
                          size_t length, const struct progress *progress)
{
	for (size_t i = 0; i < length; i++) {
		if (!table[i].required || progress[i].seen)
			continue;
		struct place here = {.parent = place, .name = table[i].name};
		return malformed(decoder, &here, "required, but absent");
	}
	return 0;
}

static int decode_message(const struct decoder *decoder, const struct place *place, struct kube_proto message,
                          const struct kube_json_field *table, void *out)
{
	struct progress progress[KUBE_PROTO_MAX_FIELDS];
	size_t length = length_of(table);
	struct kube_proto_field value;
	int rc;

	if (place->depth > KUBE_JSON_MAX_DEPTH) {
		kube_fail(decoder->err, KUBE_E_LIMIT, "nested more than %d levels deep", KUBE_JSON_MAX_DEPTH);
		return decode_at(decoder, place, KUBE_E_LIMIT);
	}
	memset(progress, 0, length * sizeof(*progress));
	while ((rc = kube_proto_next(&message, &value)) > 0) {
		size_t i = find_field(table, length, value.number);
		if (i == length)
			continue;
		const struct kube_json_field *field = &table[i];
		struct place here = {.parent = place, .name = field->name, .depth = place->depth + 1};
		rc = decode_value(decoder, &here, field, &value, message, &progress[i], (char *)out + field->offset);
		if (rc && !decode_overlooks(decoder, field, rc))
			return rc;
		progress[i].seen = true;
	}
	return rc < 0 ? malformed(decoder, place, "a field that is cut")
	              : check_required(decoder, place, table, length, progress);
}

int kube_proto_decode(struct kube_proto message, const struct kube_json_field *table, void *out,
                      struct kube_arena *arena, struct kube_err *err)
{
	const struct decoder decoder = {.arena = arena, .err = err};
	const struct place root = {.parent = NULL};

	return decode_message(&decoder, &root, message, table, out);
}
