// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Results that are read while their sweep replaces the index: the old or the new, all of them. */
#include <attachverdict/results.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"

#define CELLS 2u

static struct avd__table table;
static struct avd__store store;
static struct avd__error error;
static unsigned int replacements; /* how many are left */

int __real_openat64(int dir_fd, const char *name, int flags, ...);
int __wrap_openat64(int dir_fd, const char *name, int flags, ...);

/* The sweep is never faster than between the reader's two files. */
int __wrap_openat64(int dir_fd, const char *name, int flags, ...)
{
	mode_t mode = 0;
	if (flags & O_CREAT) {
		va_list args;
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	} else if (replacements && strcmp(name, AVD__STORE_JOURNAL) == 0) {
		const unsigned int left = replacements - 1;
		replacements = 0; /* what the store opens itself */
		ck_assert_int_eq(avd__store_write(&store, &table, &error), 0);
		replacements = left;
	}
	return __real_openat64(dir_fd, name, flags, mode);
}

static void make_table(uint64_t plan)
{
	avd__table_free(&table);
	table.plan_digest = plan;
	for (uint32_t i = 0; i < CELLS; i++) {
		const struct avd__row row = {
			.id = i ? "k1/s/1" : "k0/s/1",
			.command = "attachverdict run",
			.name = {"s", i ? "k1" : "k0", "1", ""},
			.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
			.cpus = 1,
			.digest = plan + i,
		};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
	}
}

/* The result of a cell is in the journal, and not yet in the index. */
static void setup(void)
{
	const struct avd__came came = {
		.outcome = AVD_OUTCOME_ATTACHED,
		.result = AVD_RESULT_PASSED,
		.reason = "",
		.result_reason = "",
		.recording = AVD__STORE_CELLS "/r.avd",
	};
	scratch_enter();
	make_table(100);
	ck_assert_msg(avd__store_open("r", &table, &store, &error) == 0, "%s", error.text);
	ck_assert_int_eq(avd__table_set(&table, 0, &came), 0);
	ck_assert_int_eq(avd__store_add(&store, 0, &came, &error), 0);
}

static void teardown(void)
{
	avd__store_close(&store);
	avd__table_free(&table);
	scratch_leave();
}

static struct avd_results_counts read_counts(void)
{
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	avd_results *results;
	char text[512] = "";
	ck_assert_msg(avd_results_open("r", &results, text, sizeof(text)) == 0, "%s", text);
	avd_results_count(results, &counts);
	avd_results_free(results);
	return counts;
}

START_TEST(test_all_results_are_in_one_of_the_two)
{
	ck_assert_uint_eq(read_counts().ran, 1);
	for (unsigned int times = 1; times < 4; times++) {
		replacements = times;
		ck_assert_uint_eq(read_counts().ran, 1);
		ck_assert_uint_eq(replacements, 0);
	}
}
END_TEST

START_TEST(test_another_plan_is_read_as_a_whole)
{
	make_table(200);
	replacements = 1;
	const struct avd_results_counts counts = read_counts();
	ck_assert_uint_eq(counts.plan_digest, 200);
	ck_assert_uint_eq(counts.ran, 0);
	ck_assert_uint_eq(counts.torn_bytes, 0);
}
END_TEST

/* It neither waits for ever nor fails. */
START_TEST(test_an_index_that_never_rests)
{
	replacements = 1000;
	ck_assert_uint_eq(read_counts().cells, CELLS);
	ck_assert_uint_gt(replacements, 0);
	replacements = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-race");
	TCase *tc = tcase_create("sweep-race");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_all_results_are_in_one_of_the_two);
	tcase_add_test(tc, test_another_plan_is_read_as_a_whole);
	tcase_add_test(tc, test_an_index_that_never_rests);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
