#include "lib/runtime/split.h"
#include "test/unit/check_main.h"

#include <kube/err.h>
#include <stdio.h>
#include <string.h>

#define LIMIT 16

/* Joins what it gets: "[a][b]"; "[-]" for a document that was too long. */
struct seen {
	char text[512];
	int stop_after;
};

static int note(void *arg, const char *text, size_t len)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "[%.*s]", (int)(text ? len : 1), text ? text : "-");
	return --seen->stop_after == 0 ? KUBE_E_CANCELED : 0;
}

START_TEST(lines_in_all_pieces)
{
	static const char text[] = "{\"a\":1}\n\n{\"b\":\"\\n\"}\n{\"c\":2}\nrest";

	for (size_t piece = 1; piece <= sizeof(text); piece++) {
		struct line_split split;
		struct seen seen = {.stop_after = 0};
		line_split_init(&split, LIMIT);
		for (size_t at = 0; at < strlen(text); at += piece) {
			size_t left = strlen(text) - at;
			ck_assert_int_eq(line_split_feed(&split, text + at, left < piece ? left : piece, note, &seen), 0);
		}
		ck_assert_str_eq(seen.text, "[{\"a\":1}][{\"b\":\"\\n\"}][{\"c\":2}]");
		line_split_finish(&split);
	}
}
END_TEST

START_TEST(lines_have_a_limit)
{
	struct line_split split;
	struct seen seen = {.stop_after = 0};

	line_split_init(&split, LIMIT);
	ck_assert_int_eq(line_split_feed(&split, "0123456789abcdef\n", 17, note, &seen), 0);
	ck_assert_str_eq(seen.text, "[0123456789abcdef]");
	ck_assert_int_eq(line_split_feed(&split, "0123456789abcdef", 16, note, &seen), 0);
	ck_assert_int_eq(line_split_feed(&split, "x", 1, note, &seen), KUBE_E_LIMIT); /* at once, not at its end */
	ck_assert_int_eq(line_split_feed(&split, "\n", 1, note, &seen), KUBE_E_LIMIT);
	line_split_reset(&split);
	ck_assert_int_eq(line_split_feed(&split, "y\n", 2, note, &seen), 0);
	ck_assert_str_eq(seen.text, "[0123456789abcdef][y]");
	line_split_finish(&split);
}
END_TEST

START_TEST(the_receiver_may_stop)
{
	struct line_split lines;
	struct list_split list;
	struct seen seen = {.stop_after = 2};

	line_split_init(&lines, LIMIT);
	ck_assert_int_eq(line_split_feed(&lines, "a\nb\nc\n", 6, note, &seen), KUBE_E_CANCELED);
	ck_assert_str_eq(seen.text, "[a][b]");
	line_split_finish(&lines);
	seen = (struct seen){.stop_after = 1};
	list_split_init(&list, LIMIT, LIMIT);
	ck_assert_int_eq(list_split_feed(&list, "{\"items\":[1,2]}", 15, note, &seen), KUBE_E_CANCELED);
	ck_assert_str_eq(seen.text, "[1]");
	list_split_finish(&list);
}
END_TEST

START_TEST(lists_in_all_pieces)
{
	static const struct {
		const char *text, *items, *rest;
	} cases[] = {
	    {"{\"kind\":\"L\",\"items\":[{\"a\":1},{\"b\":[2]}],\"z\":0}", "[{\"a\":1}][{\"b\":[2]}]",
	     "{\"kind\":\"L\",\"items\":[],\"z\":0}"},
	    {"{ \"items\" : [\n { } ,\t{}\n] }", "[{ }][{}]", "{ \"items\" : [] }"},
	    {"{\"items\":[]}", "", "{\"items\":[]}"},
	    {"{\"items\":null}", "", "{\"items\":null}"},
	    {"{\"items\":[null,1 ,\"a,]\",[3]]}", "[null][1][\"a,]\"][[3]]", "{\"items\":[]}"},
	    {"{\"items\":[{\"s\":\"}]\\\"\"}]}", "[{\"s\":\"}]\\\"\"}]", "{\"items\":[]}"},
	    /* Only the member of the top level counts, and only a list. */
	    {"{\"a\":{\"items\":[1]}}", "", "{\"a\":{\"items\":[1]}}"},
	    {"{\"k\":\"items\",\"b\":[1]}", "", "{\"k\":\"items\",\"b\":[1]}"},
	    {"{\"items\":{\"b\":[1]}}", "", "{\"items\":{\"b\":[1]}}"},
	    {"[\"items\",[1]]", "", "[\"items\",[1]]"},
	    {"{\"items\":[{\"items\":[1]}]}", "[{\"items\":[1]}]", "{\"items\":[]}"},
	    {"{\"\\\"items\":[1]}", "", "{\"\\\"items\":[1]}"},
	    /* An element beyond the limit is left out, those around it are not. */
	    {"{\"items\":[1,{\"a\":\"0123456789\"},2]}", "[1][-][2]", "{\"items\":[]}"},
	    {"{\"items\":[1,", "[1]", "{\"items\":["},
	    {"", "", ""},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].text);
		for (size_t piece = 1; piece <= len + 1; piece++) {
			struct list_split split;
			struct seen seen = {.stop_after = 0};
			list_split_init(&split, LIMIT, 64);
			for (size_t at = 0; at < len; at += piece)
				ck_assert_int_eq(
				    list_split_feed(&split, cases[i].text + at, len - at < piece ? len - at : piece, note, &seen), 0);
			ck_assert_str_eq(seen.text, cases[i].items);
			ck_assert_str_eq(split.rest.data ? split.rest.data : "", cases[i].rest);
			list_split_finish(&split);
		}
	}
}
END_TEST

START_TEST(the_rest_has_a_limit)
{
	struct list_split split;
	struct seen seen = {.stop_after = 0};

	list_split_init(&split, LIMIT, 4);
	ck_assert_int_eq(list_split_feed(&split, "{\"metadata\"", 11, note, &seen), KUBE_E_LIMIT);
	list_split_reset(&split);
	ck_assert_int_eq(list_split_feed(&split, "{}", 2, note, &seen), 0);
	ck_assert_str_eq(split.rest.data, "{}");
	list_split_finish(&split);
}
END_TEST

CHECK_MAIN("runtime/split", lines_in_all_pieces, lines_have_a_limit, the_receiver_may_stop, lists_in_all_pieces,
           the_rest_has_a_limit)
