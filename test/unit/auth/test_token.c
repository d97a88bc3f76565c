/* The bearer token over time: its file is rotated, unreadable, refused. Time is a parameter. */
#include "lib/auth/file.h"
#include "lib/auth/token.h"
#include "test/unit/check_main.h"

#include <kube/mem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum act { WRITE, REMOVE, DROP, GET };

static const struct {
	enum act act;
	int64_t at_ms;
	const char *text; /* written, or expected; NULL: no token, an error */
} steps[] = {
    {GET, 0, "inline"},         /* the file is not there yet */
    {WRITE, 0, "  one\r\n\t"},  //
    {GET, 1, "one"},            /* a failed read is no read: tried again at once */
    {WRITE, 0, "two"},          //
    {GET, 50000, "one"},        /* 49,999 ms old */
    {GET, 50001, "two"},        //
    {REMOVE, 0, NULL},          //
    {GET, 150000, "two"},       /* a failed read keeps the old one */
    {WRITE, 0, "three"},        //
    {GET, 150001, "three"},     //
    {WRITE, 0, " \n"},          //
    {GET, 250000, "three"},     /* as good as unreadable */
    {WRITE, 0, "a b"},          //
    {GET, 250000, "three"},     //
    {WRITE, 0, "x\r\nEvil: y"}, //
    {GET, 250000, "three"},     //
    {WRITE, 0, "four"},         //
    {GET, 250000, "four"},      //
    {WRITE, 0, "five"},         //
    {GET, 250001, "four"},      //
    {DROP, 0, NULL},            /* a 401 */
    {GET, 250002, "five"},      //
    {REMOVE, 0, NULL},          //
    {DROP, 0, NULL},            //
    {GET, 250003, "inline"},    /* better than nothing */
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

START_TEST(follows_its_file)
{
	char dir[] = "/tmp/test-token-XXXXXX", path[64];
	struct kube_token token = {0};
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/token", dir);
	ck_assert_int_eq(kube_token_init(&token, "inline", path, NULL), 0);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++) {
		const char *text = NULL;
		struct kube_err err;
		switch (steps[i].act) {
		case WRITE: write_file(path, steps[i].text); break;
		case REMOVE: unlink(path); break;
		case DROP: kube_token_drop(&token); break;
		case GET:
			ck_assert_int_eq(kube_token_get(&token, steps[i].at_ms, &text, &err), 0);
			ck_assert_msg(strcmp(text, steps[i].text) == 0, "step %zu: %s", i, text);
			break;
		}
	}
	kube_token_finish(&token);
	rmdir(dir);
}
END_TEST

START_TEST(fails_without_any)
{
	struct kube_token token = {0};
	struct kube_err err;
	const char *text = "untouched";
	ck_assert_int_eq(kube_token_init(&token, NULL, "/nonexistent/token", NULL), 0);
	ck_assert_int_eq(kube_token_get(&token, 0, &text, &err), KUBE_E_AUTH);
	ck_assert_str_eq(text, "untouched");
	ck_assert_msg(strstr(err.message, "/nonexistent/token") != NULL, "%s", err.message);
	kube_token_finish(&token);
}
END_TEST

START_TEST(none_is_none)
{
	struct kube_token token = {0};
	const char *text = "";
	ck_assert_int_eq(kube_token_init(&token, NULL, NULL, NULL), 0);
	ck_assert_int_eq(kube_token_get(&token, 0, &text, NULL), 0);
	ck_assert_ptr_null(text);
	kube_token_finish(&token);
	kube_token_finish(NULL);
}
END_TEST

static const char *const unusable[] = {"", " ", "a b", "a\n", "a\rb", "\x01", "\x7f", "\xc3\xa4"};

START_TEST(refuses_what_could_end_a_header)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(unusable); i++) {
		struct kube_token token = {0};
		ck_assert_msg(!kube_token_ok(unusable[i]), "row %zu", i);
		ck_assert_int_eq(kube_token_init(&token, unusable[i], NULL, NULL), KUBE_E_AUTH);
		ck_assert_ptr_null(token.fixed);
	}
	ck_assert(kube_token_ok("eyJhbGciOi.J9_-~+/="));
}
END_TEST

/* The most that is taken, and one byte more. */
START_TEST(files_are_bounded)
{
	char path[] = "/tmp/test-file-XXXXXX";
	close(mkstemp(path));
	write_file(path, "12345");
	for (size_t max = 4; max <= 5; max++) {
		_cleanup_secret_buf_ struct kube_buf buf = {0};
		struct kube_err err;
		kube_buf_init(&buf, max);
		ck_assert_int_eq(kube_file_read("thing", path, &buf, &err), max == 5 ? 0 : KUBE_E_LIMIT);
		ck_assert_uint_eq(buf.len, max == 5 ? 5 : 0);
	}
	unlink(path);
	_cleanup_secret_buf_ struct kube_buf buf = {0};
	struct kube_err err;
	kube_buf_init(&buf, 10);
	ck_assert_int_eq(kube_file_read("thing", path, &buf, &err), KUBE_E_NOTFOUND);
	ck_assert_int_eq(kube_file_read("thing", "/tmp", &buf, &err), KUBE_E_IO);
	ck_assert_msg(strstr(err.message, "thing /tmp") != NULL, "%s", err.message);
}
END_TEST

CHECK_MAIN("token", follows_its_file, fails_without_any, none_is_none, refuses_what_could_end_a_header,
           files_are_bounded)
