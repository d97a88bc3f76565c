#include "test/unit/check_main.h"
#include <kube/err.h>
#include <stdio.h>
#include <string.h>

START_TEST(reset_clears_all_and_marks_no_retry_after)
{
	struct kube_err err = {.code = KUBE_E_API, .http_status = 409, .retry_after_s = 7, .reason = "Conflict"};

	kube_err_reset(&err);
	ck_assert_int_eq(err.code, 0);
	ck_assert_int_eq(err.http_status, 0);
	ck_assert_int_eq(err.retry_after_s, -1);
	ck_assert_str_eq(err.reason, "");
	kube_err_reset(NULL);
}
END_TEST

START_TEST(fail_fills_and_returns_the_code)
{
	struct kube_err err = {.http_status = 500, .reason = "old", .cause = "old"};

	ck_assert_int_eq(kube_fail(&err, KUBE_E_IO, "cannot read %s", "/x"), KUBE_E_IO);
	ck_assert_int_eq(err.code, KUBE_E_IO);
	ck_assert_str_eq(err.message, "cannot read /x");
	ck_assert_int_eq(err.http_status, 0);
	ck_assert_int_eq(err.retry_after_s, -1);
	ck_assert_str_eq(err.reason, "");
	ck_assert_str_eq(err.cause, "");
	ck_assert_int_eq(kube_fail(NULL, KUBE_E_TLS, "%d", 1), KUBE_E_TLS);
}
END_TEST

START_TEST(arguments_may_point_into_the_error_itself)
{
	struct kube_err err = {.message = "inner"};

	kube_fail(&err, KUBE_E_IO, "outer (%s)", err.message);
	ck_assert_str_eq(err.message, "outer (inner)");
	kube_err_prefix(&err, "again %s", err.message);
	ck_assert_str_eq(err.message, "again outer (inner): outer (inner)");
}
END_TEST

START_TEST(prefix_keeps_everything_but_the_message)
{
	struct kube_err err = {
	    .code = KUBE_E_API, .http_status = 409, .retry_after_s = 3, .reason = "Conflict", .message = "m"};

	ck_assert_int_eq(kube_err_prefix(&err, "node %s", "a"), KUBE_E_API);
	ck_assert_str_eq(err.message, "node a: m");
	ck_assert_int_eq(err.http_status, 409);
	ck_assert_int_eq(err.retry_after_s, 3);
	ck_assert_str_eq(err.reason, "Conflict");
	ck_assert_int_eq(kube_err_prefix(NULL, "x"), KUBE_E_INVALID);
}
END_TEST

START_TEST(long_messages_are_cut_between_code_points)
{
	static const char *const points[] = {"x", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

	for (size_t p = 0; p < 4; p++) {
		size_t width = strlen(points[p]);
		for (size_t pad = 0; pad < 4; pad++) {
			char text[1024] = "";
			memset(text, '.', pad);
			while (strlen(text) < 700)
				strcat(text, points[p]);
			struct kube_err err;
			kube_fail(&err, KUBE_E_IO, "%s", text);
			size_t len = strlen(err.message);
			ck_assert_uint_lt(len, sizeof(err.message));
			ck_assert_uint_ge(len + width, sizeof(err.message));
			ck_assert_uint_eq((len - pad) % width, 0);
			ck_assert_int_eq(strncmp(err.message, text, len), 0);
		}
	}
}
END_TEST

START_TEST(every_code_has_its_text)
{
#define CHECK_TEXT(name, number, text) \
	ck_assert_int_eq(KUBE_E_##name, -(number)); \
	ck_assert_str_eq(kube_code_text(KUBE_E_##name), text);
	KUBE_CODES(CHECK_TEXT)
	ck_assert_str_eq(kube_code_text(0), "ok");
	ck_assert_ptr_nonnull(kube_code_text(-999));
	ck_assert_ptr_nonnull(kube_code_text(12345));
}
END_TEST

START_TEST(is_asks_for_an_answer_of_the_api_server)
{
	struct kube_err api = {.code = KUBE_E_API, .http_status = 409}, other = {.code = KUBE_E_IO, .http_status = 409};

	ck_assert(kube_err_is(&api, 409));
	ck_assert(!kube_err_is(&api, 404));
	ck_assert(!kube_err_is(&other, 409));
	ck_assert(!kube_err_is(NULL, 409));
}
END_TEST

CHECK_MAIN("err", reset_clears_all_and_marks_no_retry_after, fail_fills_and_returns_the_code,
           arguments_may_point_into_the_error_itself, prefix_keeps_everything_but_the_message,
           long_messages_are_cut_between_code_points, every_code_has_its_text, is_asks_for_an_answer_of_the_api_server)
