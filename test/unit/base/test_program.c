#include "test/unit/check_main.h"
#include <kube/mem.h>
#include <kube/program.h>
#include <string.h>

static const struct {
	const char *text, *words;
} rows[] = {
    {"", ""},
    {" \n\r\n\t", ""},
    {"one", "one"},
    {"one\n", "one"},
    {"one\ntwo\n \n", "two"},
    {"50 %\r100 %\r\n", "100 %"},
    {"a\tb\x1b[31m\x7f", "a?b?[31m?"},
    {"z\xc3\xbcrich", "z\xc3\xbcrich"},
};

START_TEST(last_words)
{
	char out[KUBE_PROGRAM_LAST_WORDS_BYTES];
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++)
		ck_assert_str_eq(kube_program_last_words(rows[i].text, out), rows[i].words);
}
END_TEST

START_TEST(last_words_are_cut)
{
	char text[2 * KUBE_PROGRAM_LAST_WORDS_BYTES], out[KUBE_PROGRAM_LAST_WORDS_BYTES];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_uint_eq(strlen(kube_program_last_words(text, out)), KUBE_PROGRAM_LAST_WORDS_BYTES - 1);
}
END_TEST

/* Where there is no way to run programs it is said, not crashed. */
START_TEST(not_every_environment_runs_programs)
{
	const struct kube_env_ops ops = {.run = NULL};
	const char *const argv[] = {"true", NULL};
	const struct kube_program program = {.argv = argv, .timeout_ms = 1, .max_output_bytes = 1};
	struct kube_env env;
	struct kube_run *run = NULL;
	kube_env_init(&env, &ops);
	ck_assert_int_eq(kube_program_run(&env, &program, NULL, NULL, &run, NULL), KUBE_E_INVALID);
	ck_assert_ptr_null(run);
}
END_TEST

CHECK_MAIN("program", last_words, last_words_are_cut, not_every_environment_runs_programs)
