#include "test/unit/check_main.h"
#include <kube/buf.h>
#include <stdint.h>
#include <string.h>

START_TEST(appends_add_up_and_end_in_a_nul)
{
	_cleanup_buf_ struct kube_buf buf;

	kube_buf_init(&buf, 1 << 20);
	for (int i = 0; i < 10000; i++) {
		ck_assert_int_eq(kube_buf_addf(&buf, "%05d", i), 0);
		ck_assert_int_eq(kube_buf_adds(&buf, ","), 0);
		ck_assert_uint_eq(buf.len, (size_t)(i + 1) * 6);
		ck_assert_int_eq(buf.data[buf.len], '\0');
	}
	ck_assert_int_eq(strncmp(buf.data + 9999UL * 6, "09999,", 6), 0);
	ck_assert_int_eq(kube_buf_add(&buf, "a\0b", 3), 0);
	ck_assert_int_eq(memcmp(buf.data + 60000, "a\0b", 4), 0);
}
END_TEST

START_TEST(room_is_the_callers_to_write)
{
	_cleanup_buf_ struct kube_buf buf;

	kube_buf_init(&buf, 1000);
	ck_assert_int_eq(kube_buf_adds(&buf, "a"), 0);
	char *room = kube_buf_extend(&buf, 500);
	ck_assert_ptr_eq(room, buf.data + 1);
	memset(room, 'b', 500);
	ck_assert_uint_eq(buf.len, 501);
	ck_assert_uint_eq(strlen(buf.data), 501);
	ck_assert_ptr_null(kube_buf_extend(&buf, 500));
	ck_assert_int_eq(buf.failed, KUBE_E_LIMIT);
	ck_assert_ptr_null(kube_buf_extend(&buf, 1));
}
END_TEST

START_TEST(the_maximum_holds_exactly)
{
	static const struct {
		size_t max;
		const char *first, *second;
		int first_rc, second_rc;
	} rows[] = {
	    {0, "", "a", 0, KUBE_E_LIMIT},
	    {1, "a", "", 0, 0},
	    {3, "abc", "d", 0, KUBE_E_LIMIT},
	    {3, "ab", "c", 0, 0},
	    {3, "abcd", "", KUBE_E_LIMIT, KUBE_E_LIMIT},
	    {SIZE_MAX, "a", "", KUBE_E_LIMIT, KUBE_E_LIMIT}, /* no room for the NUL: not a maximum */
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct kube_buf buf;
		kube_buf_init(&buf, rows[i].max);
		ck_assert_int_eq(kube_buf_adds(&buf, rows[i].first), rows[i].first_rc);
		ck_assert_int_eq(kube_buf_addf(&buf, "%s", rows[i].second), rows[i].second_rc);
		ck_assert_uint_le(buf.len, rows[i].max);
		ck_assert_int_eq(buf.failed, rows[i].first_rc ? rows[i].first_rc : rows[i].second_rc);
	}
}
END_TEST

START_TEST(a_failed_append_empties_until_reset)
{
	_cleanup_buf_ struct kube_buf buf;

	kube_buf_init(&buf, 4);
	ck_assert_int_eq(kube_buf_adds(&buf, "abc"), 0);
	ck_assert_int_eq(kube_buf_adds(&buf, "de"), KUBE_E_LIMIT);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_ptr_null(buf.data);
	ck_assert(buf.failed);
	ck_assert_int_eq(kube_buf_adds(&buf, "a"), KUBE_E_LIMIT);
	ck_assert_int_eq(kube_buf_add_urlencoded(&buf, "a"), KUBE_E_LIMIT);
	ck_assert_int_eq(kube_buf_add_urlencoded(&buf, ""), KUBE_E_LIMIT);
	ck_assert_ptr_null(kube_buf_take(&buf));
	kube_buf_reset(&buf);
	ck_assert_int_eq(kube_buf_adds(&buf, "abcd"), 0);
	ck_assert_str_eq(buf.data, "abcd");
}
END_TEST

/* All that a process can address: malloc() refuses it, and the sanitizer is told to do just that. */
#define TOO_MUCH_BYTES ((size_t)1 << 47)
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(running_out_of_memory_is_told_from_the_limit)
{
	_cleanup_buf_ struct kube_buf buf;
	static const char byte = 'x';

	kube_buf_init(&buf, SIZE_MAX - 1);
	ck_assert_int_eq(kube_buf_adds(&buf, "abc"), 0);
	ck_assert_int_eq(kube_buf_add(&buf, &byte, TOO_MUCH_BYTES), KUBE_E_NOMEM);
	ck_assert_int_eq(kube_buf_adds(&buf, "abc"), KUBE_E_NOMEM);
	ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(reset_keeps_the_memory)
{
	_cleanup_buf_ struct kube_buf buf;

	kube_buf_init(&buf, 100);
	kube_buf_adds(&buf, "abc");
	const char *data = buf.data;
	kube_buf_reset(&buf);
	ck_assert_ptr_eq(buf.data, data);
	ck_assert_str_eq(buf.data, "");
	ck_assert_uint_eq(buf.len, 0);
}
END_TEST

START_TEST(consume_removes_from_the_front)
{
	static const struct {
		size_t n;
		const char *left;
	} rows[] = {{0, "abcdef"}, {1, "bcdef"}, {5, "f"}, {6, ""}, {100, ""}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct kube_buf buf;
		kube_buf_init(&buf, 100);
		kube_buf_adds(&buf, "abcdef");
		kube_buf_consume(&buf, rows[i].n);
		ck_assert_str_eq(buf.data, rows[i].left);
		ck_assert_uint_eq(buf.len, strlen(rows[i].left));
	}
	struct kube_buf empty = {0};
	kube_buf_consume(&empty, 0);
	ck_assert_ptr_null(empty.data);
}
END_TEST

START_TEST(urlencoding_leaves_only_unreserved_characters)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"", ""},
	    {"azAZ09-._~", "azAZ09-._~"},
	    {"a b", "a%20b"},
	    {"app in (x,y),tier!=z", "app%20in%20%28x%2Cy%29%2Ctier%21%3Dz"},
	    {"/?#&+%", "%2F%3F%23%26%2B%25"},
	    {"\xC3\xA4\x01\xFF", "%C3%A4%01%FF"},
	    {" ", "%20"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct kube_buf buf;
		kube_buf_init(&buf, 1000);
		ck_assert_int_eq(kube_buf_adds(&buf, "q="), 0);
		ck_assert_int_eq(kube_buf_add_urlencoded(&buf, rows[i].in), 0);
		ck_assert_str_eq(buf.data + 2, rows[i].out);
	}
}
END_TEST

START_TEST(take_hands_over)
{
	struct kube_buf buf;

	kube_buf_init(&buf, 100);
	char *nothing = kube_buf_take(&buf);
	ck_assert_str_eq(nothing, "");
	kube_buf_adds(&buf, "abc");
	char *text = kube_buf_take(&buf);
	ck_assert_str_eq(text, "abc");
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_int_eq(kube_buf_adds(&buf, "next"), 0); /* the maximum is still there */
	ck_assert_str_eq(buf.data, "next");
	free(nothing);
	free(text);
	kube_buf_finish(&buf);
	kube_buf_finish(&buf);
	kube_buf_finish(NULL);
}
END_TEST

CHECK_MAIN("buf", appends_add_up_and_end_in_a_nul, room_is_the_callers_to_write, the_maximum_holds_exactly,
           a_failed_append_empties_until_reset, running_out_of_memory_is_told_from_the_limit, reset_keeps_the_memory,
           consume_removes_from_the_front, urlencoding_leaves_only_unreserved_characters, take_hands_over)
