#include "lib/runtime/split_proto.h"
#include "test/unit/check_main.h"
#include "test/unit/proto_text.h"

#include <stdio.h>

#define LIMIT 16

/* Joins what it gets: "[a][b]"; "[-]" for an item that was too long. */
struct seen {
	char text[512];
	int stop_after;
};

static int note(void *arg, const char *bytes, size_t len)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "[%.*s]", (int)(bytes ? len : 1), bytes ? bytes : "-");
	return --seen->stop_after == 0 ? KUBE_E_CANCELED : 0;
}

/* Frames */

static const char frames[] = "\0\0\0\3one\0\0\0\0\0\0\0\1x\0\0\0\20"
                             "0123456789abcdef\0\0\0\5cut";

START_TEST(frames_in_all_pieces)
{
	size_t len = sizeof(frames) - 1;

	for (size_t piece = 1; piece <= len; piece++) {
		struct frame_split split;
		struct seen seen = {.stop_after = 0};
		frame_split_init(&split, LIMIT);
		for (size_t at = 0; at < len; at += piece)
			ck_assert_int_eq(frame_split_feed(&split, frames + at, len - at < piece ? len - at : piece, note, &seen),
			                 0);
		ck_assert_str_eq(seen.text, "[one][x][0123456789abcdef]");
		frame_split_reset(&split);
		ck_assert_int_eq(frame_split_feed(&split, "\0\0\0\1y", 5, note, &seen), 0);
		ck_assert_str_eq(seen.text, "[one][x][0123456789abcdef][y]");
		frame_split_finish(&split);
	}
}
END_TEST

START_TEST(frames_have_a_limit)
{
	static const char *const heads[] = {"\0\0\0\21", "\x7f\xff\xff\xff", "\xff\xff\xff\xff"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(heads); i++) {
		struct frame_split split;
		struct seen seen = {.stop_after = 0};
		frame_split_init(&split, LIMIT);
		ck_assert_int_eq(frame_split_feed(&split, heads[i], 3, note, &seen), 0);
		ck_assert_int_eq(frame_split_feed(&split, heads[i] + 3, 1, note, &seen), KUBE_E_LIMIT); /* not at its end */
		frame_split_finish(&split);
	}
}
END_TEST

/* Lists */

static struct kube_buf list_of(const char *const *items, const char *meta)
{
	struct kube_buf out = pb_new(), list = pb_new();

	if (meta)
		pb_text(&list, 1, meta);
	pb_varint(&list, 9, 300); /* what nobody knows is passed over */
	for (; *items; items++) {
		pb_text(&list, 2, *items);
		pb_text(&list, 7, "other");
	}
	pb_document(&out, "ThingList", &list);
	return out;
}

static int feed_in_pieces(struct message_split *split, const struct kube_buf *bytes, size_t len, size_t piece,
                          struct seen *seen)
{
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < len; at += piece)
		rc = message_split_feed(split, bytes->data + at, len - at < piece ? len - at : piece, note, seen);
	return rc;
}

START_TEST(lists_in_all_pieces)
{
	static const struct {
		const char *items[5];
		const char *meta, *seen;
	} cases[] = {
	    {{NULL}, "m", ""},
	    {{NULL}, NULL, ""},
	    {{"a", "bc"}, "meta", "[a][bc]"},
	    {{"", "x", ""}, "", "[][x][]"},
	    {{"0123456789abcdef"}, "m", "[0123456789abcdef]"},
	    {{"one", "0123456789abcdefg", "two"}, "m", "[one][-][two]"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct kube_buf bytes = list_of(cases[i].items, cases[i].meta);
		for (size_t piece = 1; piece <= bytes.len; piece++) {
			struct message_split split;
			struct seen seen = {.stop_after = 0};
			message_split_init(&split, LIMIT, LIMIT);
			ck_assert_int_eq(feed_in_pieces(&split, &bytes, bytes.len, piece, &seen), 0);
			ck_assert_str_eq(seen.text, cases[i].seen);
			ck_assert_str_eq(split.meta.len ? split.meta.data : "", cases[i].meta ? cases[i].meta : "");
			ck_assert(message_split_complete(&split));
			message_split_finish(&split);
		}
	}
}
END_TEST

/* An answer that ends early is never taken for a list, wherever it is cut. */
START_TEST(a_cut_list_is_not_complete)
{
	static const char *const items[] = {"a", "bc", NULL};
	_cleanup_buf_ struct kube_buf bytes = list_of(items, "m");
	size_t end_of_list = bytes.len - 4; /* two empty fields of the envelope follow */

	for (size_t len = 0; len < bytes.len; len++) {
		struct message_split split;
		struct seen seen = {.stop_after = 0};
		message_split_init(&split, LIMIT, LIMIT);
		ck_assert_int_eq(feed_in_pieces(&split, &bytes, len, 5, &seen), 0);
		bool between_fields = len == end_of_list || len == end_of_list + 2;
		ck_assert_msg(message_split_complete(&split) == between_fields, "%zu of %zu bytes", len, bytes.len);
		message_split_finish(&split);
	}
}
END_TEST

START_TEST(what_is_no_list_is_refused)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
	    {"{\"items\":[]}", 12},
	    {"k8x\0", 4},
	    {"k8s\0\x0b", 5},             /* a group */
	    {"k8s\0\x12\x02\x12\x05", 8}, /* an item that is longer than the list */
	    {"k8s\0\x12\x01\x12\x00", 8}, /* … or whose head is */
	    {"k8s\0\x12\x03\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 17},
	    {"k8s\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 15}, /* a varint without end */
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		for (size_t piece = 1; piece <= cases[i].len; piece++) {
			struct message_split split;
			struct seen seen = {.stop_after = 0};
			struct kube_buf bytes = {.data = (char *)cases[i].bytes};
			message_split_init(&split, LIMIT, LIMIT);
			ck_assert_msg(feed_in_pieces(&split, &bytes, cases[i].len, piece, &seen) == KUBE_E_PARSE, "case %zu", i);
			ck_assert_str_eq(seen.text, "");
			message_split_finish(&split);
		}
	}
}
END_TEST

START_TEST(the_metadata_has_a_limit)
{
	static const char *const items[] = {NULL};
	_cleanup_buf_ struct kube_buf bytes = list_of(items, "0123456789abcdefg");
	struct message_split split;
	struct seen seen = {.stop_after = 0};

	message_split_init(&split, LIMIT, LIMIT);
	ck_assert_int_eq(feed_in_pieces(&split, &bytes, bytes.len, 3, &seen), KUBE_E_LIMIT);
	message_split_reset(&split);
	ck_assert_int_eq(message_split_feed(&split, "k8s\0\x12\x03\x0a\x01m", 9, note, &seen), 0);
	ck_assert_str_eq(split.meta.data, "m");
	ck_assert(message_split_complete(&split));
	message_split_finish(&split);
}
END_TEST

START_TEST(the_receiver_may_stop)
{
	static const char *const items[] = {"a", "b", "c", NULL};
	_cleanup_buf_ struct kube_buf bytes = list_of(items, "m");
	struct message_split list;
	struct frame_split stream;
	struct seen seen = {.stop_after = 2};

	message_split_init(&list, LIMIT, LIMIT);
	ck_assert_int_eq(message_split_feed(&list, bytes.data, bytes.len, note, &seen), KUBE_E_CANCELED);
	ck_assert_str_eq(seen.text, "[a][b]");
	message_split_finish(&list);
	seen = (struct seen){.stop_after = 1};
	frame_split_init(&stream, LIMIT);
	ck_assert_int_eq(frame_split_feed(&stream, frames, sizeof(frames) - 1, note, &seen), KUBE_E_CANCELED);
	ck_assert_str_eq(seen.text, "[one]");
	frame_split_finish(&stream);
}
END_TEST

CHECK_MAIN("runtime/split_proto", frames_in_all_pieces, frames_have_a_limit, lists_in_all_pieces,
           a_cut_list_is_not_complete, what_is_no_list_is_refused, the_metadata_has_a_limit, the_receiver_may_stop)
