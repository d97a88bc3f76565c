#include "controller/model/text.h"
#include "test/unit/check_main.h"

#include <string.h>

START_TEST(test_cut)
{
	static const struct {
		const char *text;
		size_t max, len;
	} cases[] = {
	    {NULL, 5, 0},
	    {"", 5, 0},
	    {"abc", 5, 3},
	    {"abcde", 5, 5},
	    {"abcdef", 5, 5},
	    {"abcdef", 0, 0},
	    {"abcd\xc3\xa9", 5, 4},       /* é would be split */
	    {"abc\xc3\xa9x", 5, 5},       /* é ends at the limit */
	    {"ab\xe2\x82\xac", 4, 2},     /* € after 2 of 3 bytes */
	    {"\xf0\x9f\x98\x80", 3, 0},   /* nothing fits */
	    {"a\xf0\x9f\x98\x80z", 5, 5}, /* all of it fits */
	    {"\xe2\x82\xac\xe2\x82\xac", 5, 3},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		ck_assert_msg(text_cut(cases[i].text, cases[i].max) == cases[i].len, "case %zu: %zu", i,
		              text_cut(cases[i].text, cases[i].max));
}
END_TEST

START_TEST(test_tail)
{
	static const struct {
		const char *text;
		size_t max;
		const char *tail;
	} cases[] = {
	    {"", 3, ""},
	    {"abc", 3, "abc"},
	    {"abcd", 3, "bcd"},
	    {"a\xc3\xa9"
	     "bc",
	     3, "bc"},
	    {"a\xc3\xa9"
	     "b",
	     3,
	     "\xc3\xa9"
	     "b"},
	    {"\xf0\x9f\x98\x80", 3, ""},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		ck_assert_str_eq(text_tail(cases[i].text, cases[i].max), cases[i].tail);
}
END_TEST

START_TEST(test_line)
{
	struct kube_arena arena = {0};
	ck_assert_str_eq(text_line(&arena, ""), "");
	ck_assert_str_eq(text_line(&arena, " \n"), "");
	ck_assert_str_eq(text_line(&arena, "\x1b[1ma\x7f\tb\xc3\xa9 \r\n"), " [1ma  b\xc3\xa9");
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_keep)
{
	struct kube_arena arena = {0};
	ck_assert_str_eq(text_keep(&arena, NULL, 4), "");
	ck_assert_str_eq(text_keep(&arena, "abc\xc3\xa9", 4), "abc");
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("text", test_cut, test_tail, test_line, test_keep)
