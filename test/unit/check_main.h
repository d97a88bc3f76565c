/* The main() of a unit test program: runs one Check suite; the exit status says whether it passed. */
#ifndef TEST_UNIT_CHECK_MAIN_H
#define TEST_UNIT_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* tcase_add_test() wants void functions made by START_TEST; name the suite and list its tests. */
#define CHECK_MAIN(suite_name, ...) \
	int main(void) \
	{ \
		const TTest *tests[] = {__VA_ARGS__}; \
		Suite *suite = suite_create(suite_name); \
		TCase *tcase = tcase_create(suite_name); \
		tcase_set_timeout(tcase, 60); \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) \
			tcase_add_test(tcase, tests[i]); \
		suite_add_tcase(suite, tcase); \
		SRunner *runner = srunner_create(suite); \
		srunner_run_all(runner, CK_ENV); \
		int failed = srunner_ntests_failed(runner); \
		srunner_free(runner); \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS; \
	}

#endif
