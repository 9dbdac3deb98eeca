// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Directories that others made, merged, marked and written into: what does not fit together, or was
 * not made by a sweep at all. */
#include <attachverdict/results.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"

#define RECORDING "cells/r.avd"

static const struct avd_expectation passing = {.any_outcome = 1, .result = AVD_RESULT_PASSED};
static const struct avd_expectation dying = {.outcome = AVD_OUTCOME_DIED,
					     .result = AVD_RESULT_FAILED};
static char text[1024];

/* Of a plan of one cell. */
static struct avd__table make_table(const struct avd_expectation *expect)
{
	struct avd__table table = {.plan_digest = 42};
	const struct avd__row row = {
		.id = "k/s/1",
		.command = "attachverdict run",
		.name = {"s", "k", "1", ""},
		.expect = *expect,
		.cpus = 1,
		.digest = 1000,
	};
	ck_assert_int_eq(avd__table_add(&table, &row), 0);
	return table;
}

/* Results of a plan of one cell, which came to this outcome. Its recording is made with them,
 * unless there is something of that name already. */
static void make_dir(const char *name, const struct avd_expectation *expect, uint32_t outcome)
{
	struct avd__table table = make_table(expect);
	struct avd__error error;
	struct avd__store store;
	const int passed = outcome == AVD_OUTCOME_ATTACHED;
	const struct avd__came came = {
		.outcome = outcome,
		.reason_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.result = passed ? AVD_RESULT_PASSED : AVD_RESULT_FAILED,
		.result_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.reason = passed ? "" : "it ended",
		.result_reason = passed ? "" : "it ended",
		.recording = RECORDING,
		.recording_bytes = 5,
		.recording_crc = 7 + outcome,
	};
	ck_assert_msg(avd__store_open(name, &table, &store, &error) == 0, "%s", error.text);
	const int fd = openat(store.dir_fd, RECORDING, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "hello", 5), 5);
	close(fd);
	ck_assert_msg(avd__store_add(&store, 0, &came, &error) == 0, "%s", error.text);
	avd__store_close(&store);
	avd__table_free(&table);
}

static int merge(const char *a, const char *b, uint32_t flags)
{
	const char *const dirs[] = {a, b};
	return avd_results_merge(dirs, b ? 2 : 1, "m", flags, text, sizeof(text));
}

static struct avd_results_counts counts(const char *name)
{
	struct avd_results_counts got = AVD_OPTIONS_INIT(struct avd_results_counts);
	avd_results *results;
	ck_assert_msg(avd_results_open(name, &results, text, sizeof(text)) == 0, "%s", text);
	ck_assert_int_eq(avd_results_count(results, &got), 0);
	avd_results_free(results);
	return got;
}

/* Where a cell must die, to have passed is the worse: whichever comes first, it is told. */
START_TEST(the_worse_is_what_was_not_expected)
{
	make_dir("a", &dying, AVD_OUTCOME_ATTACHED);
	make_dir("b", &dying, AVD_OUTCOME_DIED);
	ck_assert_msg(merge("a", "b", AVD_MERGE_WORST) == 0, "%s", text);
	ck_assert_uint_eq(counts("m").unmet, 1);
	ck_assert_int_eq(rename("m", "before"), 0);
	ck_assert_msg(merge("b", "a", AVD_MERGE_WORST) == 0, "%s", text);
	ck_assert_uint_eq(counts("m").unmet, 1);
}
END_TEST

/* What a cell must come to is the plan's word. Were it the first directory's, the order of the
 * arguments would decide whether the whole is as expected. */
START_TEST(other_expectations_are_another_plan)
{
	make_dir("a", &dying, AVD_OUTCOME_DIED);
	make_dir("b", &passing, AVD_OUTCOME_DIED);
	ck_assert_int_eq(merge("a", "b", 0), -EXDEV);
	ck_assert_msg(strstr(text, "k/s/1") && strstr(text, "DIED") && strstr(text, "passed"), "%s",
		      text);
	ck_assert_int_eq(access("m", F_OK), -1);
	ck_assert_int_eq(merge("b", "a", AVD_MERGE_WORST), -EXDEV);
}
END_TEST

/* What came from elsewhere is no reason to wait for ever, nor to bring along what lies elsewhere.
 */
START_TEST(only_files_are_brought_along)
{
	make_dir("a", &passing, AVD_OUTCOME_ATTACHED);
	ck_assert_int_eq(unlink("a/" RECORDING), 0);
	ck_assert_int_eq(mkfifo("a/" RECORDING, 0600), 0);
	ck_assert_int_eq(merge("a", NULL, 0), -EBADMSG);
	ck_assert_msg(strstr(text, "a/" RECORDING), "%s", text);
	ck_assert_int_eq(access("m", F_OK), -1);
	ck_assert_int_eq(unlink("a/" RECORDING), 0);
	ck_assert_int_eq(symlink("/etc/hostname", "a/" RECORDING), 0);
	ck_assert_int_eq(merge("a", NULL, 0), -EBADMSG);
	ck_assert_int_eq(access("m", F_OK), -1);
	ck_assert_int_eq(rename("a/cells", "elsewhere"), 0);
	ck_assert_int_eq(symlink("../elsewhere", "a/cells"), 0);
	ck_assert_int_eq(unlink("elsewhere/r.avd"), 0);
	scratch_write("elsewhere/r.avd", "secret", 6);
	ck_assert_int_eq(merge("a", NULL, 0), -ENOTDIR);
	ck_assert_int_eq(access("m", F_OK), -1);
}
END_TEST

/* As many machines as there are, with the descriptors that a shell gives. */
START_TEST(many_directories_need_few_descriptors)
{
	enum { DIRS = 100, LIMIT = 32 };
	const char *dirs[DIRS];
	struct rlimit before;
	make_dir("a", &passing, AVD_OUTCOME_ATTACHED);
	for (size_t i = 0; i < DIRS; i++)
		dirs[i] = "a";
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	const struct rlimit low = {.rlim_cur = LIMIT, .rlim_max = before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	const int r = avd_results_merge(dirs, DIRS, "m", 0, text, sizeof(text));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_msg(r == 0, "%s", text);
	ck_assert_uint_eq(counts("m").met, 1);
}
END_TEST

static int mark(const char *name, size_t *ret_marked)
{
	struct avd_mark_options options = AVD_OPTIONS_INIT(struct avd_mark_options);
	options.reason = "gone";
	return avd_results_mark(name, &options, ret_marked, text, sizeof(text));
}

/* What carries results from machine to machine drops empty directories. */
START_TEST(a_mark_needs_no_recording)
{
	size_t marked = 0;
	struct avd__table table = make_table(&passing);
	struct avd__error error;
	struct avd__store store;
	ck_assert_int_eq(avd__store_open("r", &table, &store, &error), 0);
	avd__store_close(&store);
	avd__table_free(&table);
	ck_assert_int_eq(rmdir("r/cells"), 0);
	ck_assert_msg(mark("r", &marked) == 0, "%s", text);
	ck_assert_uint_eq(marked, 1);
	const int fd = creat("r/cells", 0600); /* what is none is told as such */
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(mark("r", NULL), -ENOTDIR);
	ck_assert_msg(strstr(text, "r/cells"), "%s", text);
}
END_TEST

static void check_untouched(void)
{
	char bytes[16] = "";
	const int fd = open("mine", O_RDONLY);
	ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), 6);
	close(fd);
	ck_assert_str_eq(bytes, "my own");
	ck_assert_int_eq(access("new", F_OK), -1);
}

/* A directory that somebody sent is written into, and nothing that its links lead to. */
START_TEST(links_are_not_written_through)
{
	static const char *const names[] = {"r/journal.cbor", "r/index.cbor", "r/lock"};
	struct avd__table table;
	struct avd__error error;
	struct avd__store store;
	scratch_write("mine", "my own", 6);
	for (size_t i = 0; i < 2 * AVD__ARRAY_SIZE(names); i++) {
		const char *name = names[i / 2];
		make_dir("r", &passing, AVD_OUTCOME_ATTACHED);
		ck_assert_int_eq(unlink(name), 0);
		ck_assert_int_eq(symlink(i % 2 ? "../mine" : "../new", name), 0);
		ck_assert_int_eq(mark("r", NULL), -ELOOP);
		ck_assert_msg(strstr(text, name), "%s", text);
		table = make_table(&passing);
		ck_assert_int_eq(avd__store_open("r", &table, &store, &error), -ELOOP);
		avd__table_free(&table);
		check_untouched();
		ck_assert_int_eq(system("rm -r r"), 0);
	}
	/* Recordings: of a cell, and all of them. */
	table = make_table(&passing);
	ck_assert_int_eq(avd__store_open("r", &table, &store, &error), 0);
	ck_assert_int_eq(symlink("../../mine", "r/cells/r3.avd"), 0);
	ck_assert_int_eq(avd__store_drop_link(&store, "cells/r3.avd"), 0);
	ck_assert_int_eq(access("r/cells/r3.avd", F_OK), -1);
	avd__store_close(&store);
	check_untouched();
	ck_assert_int_eq(rename("r/cells", "elsewhere"), 0);
	ck_assert_int_eq(symlink("../elsewhere", "r/cells"), 0);
	ck_assert_int_eq(avd__store_open("r", &table, &store, &error), -ENOTDIR);
	ck_assert_msg(strstr(error.text, "r/cells"), "%s", error.text);
	avd__table_free(&table);
}
END_TEST

/* A program that embeds the library may go elsewhere while its sweep runs. */
START_TEST(a_sweep_stays_where_it_was_opened)
{
	struct avd__table table = make_table(&passing);
	struct avd__error error;
	struct avd__store store;
	ck_assert_int_eq(avd__store_open("r", &table, &store, &error), 0);
	ck_assert_int_eq(unlink("r/index.cbor"), 0);
	ck_assert_int_eq(mkdir("elsewhere", 0700), 0);
	ck_assert_int_eq(mkdir("elsewhere/r", 0700), 0);
	ck_assert_int_eq(chdir("elsewhere"), 0);
	const int r = avd__store_write(&store, &table, &error);
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_msg(r == 0, "%s", error.text);
	ck_assert_int_eq(access("r/index.cbor", F_OK), 0);
	ck_assert_int_eq(access("elsewhere/r/index.cbor", F_OK), -1);
	avd__store_close(&store);
	avd__table_free(&table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-merge");
	TCase *tests = tcase_create("sweep-merge");
	tcase_add_checked_fixture(tests, scratch_enter, scratch_leave);
	tcase_add_test(tests, the_worse_is_what_was_not_expected);
	tcase_add_test(tests, other_expectations_are_another_plan);
	tcase_add_test(tests, only_files_are_brought_along);
	tcase_add_test(tests, many_directories_need_few_descriptors);
	tcase_add_test(tests, a_mark_needs_no_recording);
	tcase_add_test(tests, links_are_not_written_through);
	tcase_add_test(tests, a_sweep_stays_where_it_was_opened);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
