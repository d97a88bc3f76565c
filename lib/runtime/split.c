#include "lib/runtime/split.h"

#include <string.h>

/* Lines */

void line_split_init(struct line_split *split, size_t max_line_bytes)
{
	kube_buf_init(&split->line, max_line_bytes);
}

void line_split_finish(struct line_split *split)
{
	kube_buf_finish(&split->line);
}

void line_split_reset(struct line_split *split)
{
	kube_buf_reset(&split->line);
}

int line_split_feed(struct line_split *split, const char *bytes, size_t len, split_fn *fn, void *arg)
{
	struct kube_buf *line = &split->line;
	const char *end = bytes + len, *newline;
	int rc = 0;

	while (!rc && (newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		rc = kube_buf_add(line, bytes, (size_t)(newline - bytes));
		if (!rc && line->len > 0)
			rc = fn(arg, line->data, line->len);
		if (!rc)
			kube_buf_reset(line);
		bytes = newline + 1;
	}
	return rc ? rc : kube_buf_add(line, bytes, (size_t)(end - bytes));
}

/* Lists */

void list_split_init(struct list_split *split, size_t max_item_bytes, size_t max_rest_bytes)
{
	*split = (struct list_split){.depth = 0};
	kube_buf_init(&split->item, max_item_bytes);
	kube_buf_init(&split->rest, max_rest_bytes);
}

void list_split_finish(struct list_split *split)
{
	kube_buf_finish(&split->item);
	kube_buf_finish(&split->rest);
}

void list_split_reset(struct list_split *split)
{
	struct kube_buf item = split->item, rest = split->rest;

	kube_buf_reset(&item);
	kube_buf_reset(&rest);
	*split = (struct list_split){.item = item, .rest = rest};
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One byte within a string; true when it closes the string. */
static bool string_byte(struct list_split *split, char c)
{
	if (split->escaped)
		split->escaped = false;
	else if (c == '\\')
		split->escaped = true;
	else if (c == '"')
		split->in_string = false;
	return !split->in_string;
}

static void plain_byte(struct list_split *split, char c)
{
	if (c == '"')
		split->in_string = true;
	else if (c == '{' || c == '[')
		split->depth++;
	else if ((c == '}' || c == ']') && split->depth > 0)
		split->depth--;
}

/* Items are elements at depth 2: an object ends with its bracket, anything else before the next comma or bracket. */
static bool ends_before(const struct list_split *split, char c)
{
	return split->depth == 2 && (c == ',' || c == ']' || is_space(c));
}

/* Takes what belongs to the present element; returns how many bytes that were. */
static size_t take_item(struct list_split *split, const char *bytes, size_t len, bool *ret_ended)
{
	size_t i = 0;

	*ret_ended = false;
	while (i < len && !*ret_ended) {
		char c = bytes[i];
		if (split->in_string) {
			string_byte(split, c);
			i++;
			continue;
		}
		*ret_ended = ends_before(split, c);
		if (*ret_ended)
			break;
		plain_byte(split, c);
		i++;
		*ret_ended = split->depth == 2 && (c == '}' || c == ']');
	}
	kube_buf_add(&split->item, bytes, i); /* a failure shows when the element ends */
	if (*ret_ended)
		split->in_item = false;
	return i;
}

int split_hand_over(struct kube_buf *buf, split_fn *fn, void *arg)
{
	if (buf->failed == KUBE_E_NOMEM)
		return buf->failed;
	int rc = buf->failed ? fn(arg, NULL, 0) : fn(arg, buf->data, buf->len);
	kube_buf_reset(buf);
	return rc;
}

/* One byte outside of the elements. */
static void rest_byte(struct list_split *split, char c)
{
	if (split->in_string) {
		if (string_byte(split, c) && split->depth == 1 && !split->rest.failed)
			split->after_items = strcmp(split->rest.data + split->string_start, "\"items") == 0;
	} else {
		if (c == '"')
			split->string_start = split->rest.len;
		split->in_items = split->after_items && c == '[';
		split->after_items = split->after_items && (c == ':' || is_space(c));
		plain_byte(split, c);
	}
	kube_buf_add(&split->rest, &c, 1);
}

/* One byte between the elements of "items"; true when an element begins with it. */
static bool between_items(struct list_split *split, char c)
{
	if (c == ',' || is_space(c))
		return false;
	if (c != ']')
		return true;
	split->in_items = false;
	rest_byte(split, c);
	return false;
}

int list_split_feed(struct list_split *split, const char *bytes, size_t len, split_fn *fn, void *arg)
{
	size_t i = 0;
	bool ended;
	int rc = 0;

	while (i < len && !rc) {
		if (split->in_item) {
			i += take_item(split, bytes + i, len - i, &ended);
			rc = ended ? split_hand_over(&split->item, fn, arg) : 0;
		} else if (split->in_items) {
			split->in_item = between_items(split, bytes[i]);
			i += split->in_item ? 0 : 1;
		} else {
			rest_byte(split, bytes[i++]);
		}
	}
	return rc ? rc : split->rest.failed;
}
