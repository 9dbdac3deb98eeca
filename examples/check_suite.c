// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * A Check suite that asserts what becomes of two schedulers: GOOD attaches and passes, BROKEN
 * dies, and for the reason that is expected. A test that fails prints the evidence.
 *
 *     cc check_suite.c $(pkg-config --cflags --libs libattachverdict check) -o check_suite
 *     KERNEL=vmlinuz ./check_suite GOOD BROKEN REASON-CODE     (KERNEL: the library's default)
 *
 * Exit status: 0 all tests passed, 1 not, 2 usage. Check's own environment variables hold.
 */
#include <attachverdict/attachverdict.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cell ends by itself, with a verdict, before Check would end the test without one. Check's
 * own limit, four seconds, is too short for a kernel that boots under emulation. */
#define CELL_SECONDS 300
#define TEST_SECONDS (CELL_SECONDS + 60)

static const char *good, *broken, *reason_code;

/* Boots a kernel with this scheduler; the test fails here if that can't be tried at all. */
static avd_cell *run_cell(const char *scheduler)
{
	struct avd_cell_options options = AVD_OPTIONS_INIT(struct avd_cell_options);
	char error[512];
	avd_cell *cell;

	options.kernel = getenv("KERNEL"); /* NULL: the default */
	options.scheduler = &scheduler;
	options.scheduler_count = 1;
	options.timeout_ms = CELL_SECONDS * 1000;
	if (avd_cell_new(&options, &cell, error, sizeof(error)) < 0)
		ck_abort_msg("%s", error);
	if (avd_cell_run(cell) < 0)
		ck_abort_msg("%s", avd_cell_error(cell));
	return cell;
}

static void expect(const char *scheduler, uint32_t outcome, uint32_t result, const char *code)
{
	avd_cell *cell = run_cell(scheduler);
	const avd_stream *stream = avd_cell_stream(cell);
	struct avd_verdict verdict;
	char line[2048], *evidence;
	size_t size;

	ck_assert_int_eq(avd_stream_verdict(stream, &verdict), 0);
	if (verdict.outcome != outcome || verdict.result != result ||
	    strcmp(avd_reason_code_name(verdict.result_code), code) != 0) {
		/* All of it, where Check cuts its message; the test's process ends with it. */
		if (avd_report_text(stream, 0, &evidence, &size) == 0)
			fwrite(evidence, 1, size, stderr);
		avd_verdict_print(&verdict, line, sizeof(line));
		ck_abort_msg("expected %s, %s (%s), but: %s", avd_outcome_name(outcome),
			     avd_result_name(result), code, line);
	}
	avd_cell_free(cell);
}

START_TEST(good_one_passes)
{
	expect(good, AVD_OUTCOME_ATTACHED, AVD_RESULT_PASSED, "none");
}
END_TEST

START_TEST(broken_one_dies)
{
	expect(broken, AVD_OUTCOME_DIED, AVD_RESULT_FAILED, reason_code);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: %s GOOD BROKEN REASON-CODE\n", argv[0]);
		return 2;
	}
	good = argv[1];
	broken = argv[2];
	reason_code = argv[3];

	Suite *suite = suite_create("schedulers");
	TCase *tc = tcase_create("verdicts");
	tcase_set_timeout(tc, TEST_SECONDS);
	tcase_add_test(tc, good_one_passes);
	tcase_add_test(tc, broken_one_dies);
	suite_add_tcase(suite, tc);

	/* Each test is a process of its own (CK_FORK, unless the environment has it otherwise),
	 * so that one which crashes or hangs takes no other along. */
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
