// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The grid of plans whose cells stand in few rows, in many, or each alone. */
#include <attachverdict/report.h>
#include <stdio.h>
#include <string.h>

#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"

static avd_results *results;
static char *text;
static size_t size;

static void enter(void)
{
	scratch_enter();
	results = NULL;
	text = NULL;
}

static void leave(void)
{
	avd_free(text);
	avd_results_free(results);
	scratch_leave();
}

/* Of `cells` cells each has a kernel, a scheduler and a payload of its own, or the same as all. All
 * passed but the last one, which was not run. */
static void make(size_t cells, int own_kernel, int own_scheduler, int own_payload)
{
	struct avd__table table = {.plan_digest = 42};
	struct avd__error error = {{0}};
	struct avd__store store;
	const struct avd__came passed = {
		.outcome = AVD_OUTCOME_ATTACHED,
		.result = AVD_RESULT_PASSED,
		.reason = "",
		.result_reason = "",
		.recording = "cells/r.avd",
	};
	for (size_t i = 0; i < cells; i++) {
		char id[128], kernel[32], scheduler[32], payload[32];
		snprintf(kernel, sizeof(kernel), "k%zu", own_kernel ? i : 0);
		snprintf(scheduler, sizeof(scheduler), "s%zu", own_scheduler ? i : 0);
		snprintf(payload, sizeof(payload), "p%zu", own_payload ? i : 0);
		snprintf(id, sizeof(id), "%s/%s/1/%s", kernel, scheduler, payload);
		const struct avd__row row = {
			.id = id,
			.command = "attachverdict run",
			.name = {scheduler, kernel, "1", payload},
			.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
			.digest = i + 1,
			.ran = i + 1 < cells,
			.came = passed,
		};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
	}
	ck_assert_msg(avd__store_make("r", &store, &error) == 0, "%s", error.text);
	ck_assert_msg(avd__store_write(&store, &table, &error) == 0, "%s", error.text);
	avd__store_close(&store);
	avd__table_free(&table);
	ck_assert_int_eq(avd_results_open("r", &results, error.text, sizeof(error.text)), 0);
}

static void print(uint32_t format)
{
	avd_free(text);
	text = NULL;
	ck_assert_int_eq(avd_results_print(results, format, NULL, &text, &size), 0);
}

static size_t lines(void)
{
	size_t count = 0;
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

/* Once each new row was looked for among all that were there: 5 * 10^9 looks for 100,000 cells. The
 * limit that Check has for a test ends that. */
START_TEST(as_many_rows_as_cells)
{
	enum { CELLS = 100000 };
	make(CELLS, 0, 0, 1);
	print(AVD_FORMAT_TEXT);
	/* A head, the rows, an empty line, what was not run in two, and the sum. */
	ck_assert_uint_eq(lines(), CELLS + 5);
	ck_assert_ptr_nonnull(strstr(text, "\ns0/1/p77  "));
	print(AVD_FORMAT_MARKDOWN);
	ck_assert_ptr_nonnull(strstr(text, "\n| `s0/1/p77` | passed |\n"));
}
END_TEST

/* A place for each kernel and each scheduler would be 25 million, of which 5,000 say anything. */
START_TEST(cells_of_their_own_are_a_list)
{
	enum { CELLS = 5000 };
	make(CELLS, 1, 1, 0);
	print(AVD_FORMAT_TEXT);
	ck_assert_uint_lt(size, 1 << 20);
	ck_assert_uint_eq(lines(), CELLS + 5);
	ck_assert_ptr_nonnull(strstr(text, "\nk77/s77/1/p0 "));
	ck_assert_ptr_nonnull(strstr(text, "  NOT RUN\n"));
	ck_assert_ptr_nonnull(strstr(text, "5000 cells: 4999 as expected, 0 not, 1 without"));
	print(AVD_FORMAT_MARKDOWN);
	ck_assert_uint_lt(size, 1 << 20);
	ck_assert_ptr_nonnull(strstr(text, "\n| `k77/s77/1/p0` | passed |\n"));
}
END_TEST

/* A few of that kind still make a table. */
START_TEST(a_small_table_may_have_holes)
{
	make(3, 1, 1, 0);
	print(AVD_FORMAT_TEXT);
	ck_assert_msg(strncmp(text,
			      "         k0       k1       k2\n"
			      "s0/1/p0  passed            \n"
			      "s1/1/p0           passed   \n"
			      "s2/1/p0                    NOT RUN\n",
			      100) == 0,
		      "%s", text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("results-grid");
	TCase *tests = tcase_create("results-grid");
	tcase_add_checked_fixture(tests, enter, leave);
	tcase_add_test(tests, as_many_rows_as_cells);
	tcase_add_test(tests, cells_of_their_own_are_a_list);
	tcase_add_test(tests, a_small_table_may_have_holes);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
