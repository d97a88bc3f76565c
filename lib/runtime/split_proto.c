#include "lib/runtime/split_proto.h"

#include <string.h>

/* Frames */

void frame_split_init(struct frame_split *split, size_t max_frame_bytes)
{
	*split = (struct frame_split){.head_len = 0};
	kube_buf_init(&split->frame, max_frame_bytes);
}

void frame_split_finish(struct frame_split *split)
{
	kube_buf_finish(&split->frame);
}

void frame_split_reset(struct frame_split *split)
{
	kube_buf_reset(&split->frame);
	split->head_len = 0;
}

static size_t smaller(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

/* Returns how many bytes belonged to the head. */
static size_t take_frame_head(struct frame_split *split, const char *bytes, size_t len)
{
	size_t taken = smaller(sizeof(split->head) - split->head_len, len);

	memcpy(split->head + split->head_len, bytes, taken);
	split->head_len += taken;
	split->left = 0;
	for (size_t i = 0; i < sizeof(split->head); i++)
		split->left = split->left << 8 | split->head[i];
	return taken;
}

int frame_split_feed(struct frame_split *split, const char *bytes, size_t len, split_fn *fn, void *arg)
{
	struct kube_buf *frame = &split->frame;
	size_t taken;

	for (; len > 0; bytes += taken, len -= taken) {
		if (split->head_len < sizeof(split->head)) {
			taken = take_frame_head(split, bytes, len);
			if (split->head_len == sizeof(split->head) && split->left > frame->max)
				return KUBE_E_LIMIT;
			if (split->head_len == sizeof(split->head) && split->left == 0)
				split->head_len = 0;
			continue;
		}
		taken = smaller(split->left, len);
		split->left -= (uint32_t)taken;
		bool whole = split->left == 0 && frame->len == 0;
		int rc = whole ? 0 : kube_buf_add(frame, bytes, taken);
		if (rc)
			return rc;
		if (split->left > 0)
			continue;
		split->head_len = 0;
		rc = whole ? fn(arg, bytes, taken) : fn(arg, frame->data, frame->len);
		if (rc)
			return rc;
		kube_buf_reset(frame);
	}
	return 0;
}

/* Lists */

enum { UNKNOWN_RAW = 2, LIST_META = 1, LIST_ITEMS = 2 };

void message_split_init(struct message_split *split, size_t max_item_bytes, size_t max_meta_bytes)
{
	*split = (struct message_split){.part = PART_MAGIC};
	kube_buf_init(&split->item, max_item_bytes);
	kube_buf_init(&split->meta, max_meta_bytes);
}

void message_split_finish(struct message_split *split)
{
	kube_buf_finish(&split->item);
	kube_buf_finish(&split->meta);
}

void message_split_reset(struct message_split *split)
{
	struct kube_buf item = split->item, meta = split->meta;

	kube_buf_reset(&item);
	kube_buf_reset(&meta);
	*split = (struct message_split){.item = item, .meta = meta};
}

bool message_split_complete(const struct message_split *split)
{
	return split->complete && split->part == PART_ENVELOPE && split->head_len == 0;
}

/* Adds bytes to the head until it is a field's: 1, 0 when more are needed, or KUBE_E_PARSE. */
static int take_head(struct message_split *split, const char *bytes, size_t len, struct kube_proto_field *ret_field,
                     size_t *ret_taken)
{
	int rc = 0;

	for (*ret_taken = 0; rc == 0 && *ret_taken < len; (*ret_taken)++) {
		if (split->head_len == sizeof(split->head))
			return KUBE_E_PARSE;
		split->head[split->head_len++] = (unsigned char)bytes[*ret_taken];
		rc = kube_proto_head(kube_proto_of(split->head, split->head_len), ret_field);
	}
	return rc > 0 ? 1 : rc;
}

static int begin_in_envelope(struct message_split *split, const struct kube_proto_field *field)
{
	if (field->wire == KUBE_PROTO_VARINT)
		return 0;
	split->part = field->number == UNKNOWN_RAW && field->wire == KUBE_PROTO_BYTES ? PART_LIST : PART_SKIP;
	split->left_in_list = split->part == PART_LIST ? field->value : 0;
	split->left = field->value;
	split->after_skip = PART_ENVELOPE;
	return 0;
}

static int begin_in_list(struct message_split *split, const struct kube_proto_field *field)
{
	uint64_t body = field->wire == KUBE_PROTO_VARINT ? 0 : field->value;

	if (split->head_len > split->left_in_list || body > split->left_in_list - split->head_len)
		return KUBE_E_PARSE;
	split->left_in_list -= split->head_len + body;
	split->left = body;
	split->part = PART_SKIP;
	split->after_skip = PART_LIST;
	if (field->wire == KUBE_PROTO_BYTES && field->number == LIST_META)
		split->part = PART_META;
	else if (field->wire == KUBE_PROTO_BYTES && field->number == LIST_ITEMS)
		split->part = PART_ITEM;
	return 0;
}

static int magic_byte(struct message_split *split, char c)
{
	if (c != KUBE_PROTO_MAGIC[split->head_len])
		return KUBE_E_PARSE;
	if (++split->head_len == KUBE_PROTO_MAGIC_BYTES) {
		split->head_len = 0;
		split->part = PART_ENVELOPE;
	}
	return 0;
}

static int take_field_head(struct message_split *split, const char *bytes, size_t len, size_t *ret_taken)
{
	struct kube_proto_field field;
	int rc = take_head(split, bytes, len, &field, ret_taken);

	if (rc <= 0)
		return rc;
	rc = split->part == PART_LIST ? begin_in_list(split, &field) : begin_in_envelope(split, &field);
	split->head_len = 0;
	return rc;
}

/* What belongs to the present item; one that is too long shows when it ends. */
static int take_item(struct message_split *split, const char *bytes, size_t taken, split_fn *fn, void *arg)
{
	bool whole = split->left == 0 && split->item.len == 0 && !split->item.failed;

	if (whole)
		return taken <= split->item.max ? fn(arg, bytes, taken) : fn(arg, NULL, 0);
	kube_buf_add(&split->item, bytes, taken);
	return split->left == 0 ? split_hand_over(&split->item, fn, arg) : 0;
}

/* The body of a field, as far as it is there. */
static int take_body(struct message_split *split, const char *bytes, size_t len, split_fn *fn, void *arg,
                     size_t *ret_taken)
{
	enum message_part part = split->part;
	size_t taken = smaller(split->left, len);
	int rc = 0;

	*ret_taken = taken;
	split->left -= taken;
	if (split->left == 0)
		split->part = split->after_skip;
	if (part == PART_ITEM)
		rc = take_item(split, bytes, taken, fn, arg);
	else if (part == PART_META)
		rc = kube_buf_add(&split->meta, bytes, taken);
	return rc;
}

static bool in_body(const struct message_split *split)
{
	return split->part == PART_ITEM || split->part == PART_META || split->part == PART_SKIP;
}

/* Whether there is something to do that needs no further byte: the end of an empty field, or of the list. */
static bool is_over(const struct message_split *split)
{
	return in_body(split) ? split->left == 0 : split->part == PART_LIST && split->left_in_list == 0;
}

int message_split_feed(struct message_split *split, const char *bytes, size_t len, split_fn *fn, void *arg)
{
	size_t taken;
	int rc = 0;

	while (!rc && (len > 0 || is_over(split))) {
		taken = 0;
		if (in_body(split)) {
			rc = take_body(split, bytes, len, fn, arg, &taken);
		} else if (split->part == PART_MAGIC) {
			rc = magic_byte(split, *bytes);
			taken = 1;
		} else if (is_over(split)) {
			split->part = PART_ENVELOPE;
			split->complete = true;
		} else {
			rc = take_field_head(split, bytes, len, &taken);
		}
		bytes += taken;
		len -= taken;
	}
	return rc;
}
