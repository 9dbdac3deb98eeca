/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* How main() of a test with Check ends: `return run_suite(suite);`. */
#ifndef AVD_TESTS_RUN_SUITE_H
#define AVD_TESTS_RUN_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs all of the suite and frees it. Returns what main() returns. */
static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
