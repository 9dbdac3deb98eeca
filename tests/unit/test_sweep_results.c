// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/results.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

#define CELLS 6u

static struct avd__table table;
static struct avd__store store;
static struct avd__error error;
static char text[1024];

static void teardown(void)
{
	avd__table_free(&table);
	scratch_leave();
}

/* Rows k0/s0/1 ... that expect to pass; `salt` makes other cells of the same names. */
static void make_table(uint64_t salt)
{
	table = (struct avd__table){.plan_digest = 42 + salt};
	for (uint32_t i = 0; i < CELLS; i++) {
		char id[32], kernel[16];
		snprintf(id, sizeof(id), "k%u/s/1", i);
		snprintf(kernel, sizeof(kernel), "k%u", i);
		const struct avd__row row = {
			.id = id,
			.command = "attachverdict run",
			.name = {"s", kernel, "1", ""},
			.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
			.cpus = 1,
			.digest = 1000 + i + salt,
		};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
	}
}

static struct avd__came came(size_t index, uint32_t outcome)
{
	static char names[CELLS][64];
	const int passed = outcome == AVD_OUTCOME_ATTACHED;
	snprintf(names[index], sizeof(names[index]), "cells/r%zu.avd", index);
	return (struct avd__came){
		.outcome = outcome,
		.reason_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.result = passed ? AVD_RESULT_PASSED : AVD_RESULT_FAILED,
		.result_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.reason = passed ? "" : "it died",
		.result_reason = passed ? "" : "it died",
		.recording = names[index],
		.recording_bytes = 5,
		.recording_crc = (uint32_t)(7 + outcome),
		.wall_ns = 3000000000,
	};
}

static void open_store(const char *name)
{
	ck_assert_msg(avd__store_open(name, &table, &store, &error) == 0, "%s", error.text);
}

static void add(size_t index, uint32_t outcome)
{
	const struct avd__came what = came(index, outcome);
	const int fd = openat(store.dir_fd, what.recording, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "hello", 5), 5);
	close(fd);
	ck_assert_msg(avd__store_add(&store, index, &what, &error) == 0, "%s", error.text);
	ck_assert_int_eq(avd__table_set(&table, index, &what), 0);
}

/* A directory with results of cells `from` to `to`, all passed. Left as a killed sweep does. */
static void make_dir(const char *name, size_t from, size_t to)
{
	make_table(0);
	open_store(name);
	for (size_t i = from; i <= to; i++)
		add(i, AVD_OUTCOME_ATTACHED);
	avd__store_close(&store);
	avd__table_free(&table);
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

/* A disk that is full, as far as a process can be told so. Check writes files of its own, so there
 * is no assertion in between. */
static void set_file_limit(rlim_t bytes)
{
	const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		abort();
}

/* The index before stays, and what the journal has of the new results. */
START_TEST(a_full_disk_costs_no_result)
{
	struct avd__error at_index = {0};
	const struct avd__came last = came(3, AVD_OUTCOME_ATTACHED);
	int in_journal = 0, in_index;
	make_table(0);
	open_store("r");
	add(1, AVD_OUTCOME_DIED);
	add(2, AVD_OUTCOME_ATTACHED);
	set_file_limit(400); /* less than the index, more than the journal so far */
	while (in_journal == 0)
		in_journal = avd__store_add(&store, 3, &last, &error);
	in_index = avd__store_write(&store, &table, &at_index);
	set_file_limit(RLIM_INFINITY);
	ck_assert_int_eq(in_journal, -EFBIG);
	ck_assert_ptr_nonnull(strstr(error.text, "r/journal.cbor"));
	ck_assert_int_eq(in_index, -EFBIG);
	ck_assert_ptr_nonnull(strstr(at_index.text, "r/index.cbor"));
	avd__store_close(&store);
	ck_assert_uint_ge(counts("r").ran, 2);
	ck_assert_uint_gt(counts("r").torn_bytes, 0);
	avd__table_free(&table);
	make_table(0);
	open_store("r"); /* and with room again it goes on */
	ck_assert(table.rows[1].ran && table.rows[2].ran);
	avd__store_close(&store);
	ck_assert_uint_eq(counts("r").torn_bytes, 0);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct avd_cell_result got;
	avd_results *results;
	size_t at;
	make_table(0);
	open_store("r");
	add(1, AVD_OUTCOME_DIED);
	ck_assert_int_eq(avd__store_write(&store, &table, &error), 0);
	add(2, AVD_OUTCOME_ATTACHED); /* stands in the journal alone */
	avd__store_close(&store);
	ck_assert_int_eq(avd_results_open("r", &results, text, sizeof(text)), 0);
	ck_assert_int_eq(avd_results_find(results, "k1/s/1", &at), 0);
	ck_assert_uint_eq(at, 1);
	ck_assert_int_eq(avd_results_find(results, "nobody", &at), -ENOENT);
	ck_assert_int_eq(avd_results_get(results, 1, &got), 0);
	ck_assert_str_eq(got.reason, "it died");
	ck_assert_str_eq(got.kernel, "k1");
	ck_assert_str_eq(got.scheduler, "s");
	ck_assert_uint_eq(got.met, 0);
	ck_assert_uint_eq(got.wall_ns, 3000000000);
	ck_assert_int_eq(avd_results_get(results, 2, &got), 0);
	ck_assert_uint_eq(got.met, 1);
	/* No result is one that was not confirmed, never none. */
	ck_assert_int_eq(avd_results_get(results, 3, &got), 0);
	ck_assert_uint_eq(got.ran, 0);
	ck_assert_uint_eq(got.met, 0);
	ck_assert_uint_eq(got.outcome, AVD_OUTCOME_UNCONFIRMED);
	ck_assert_uint_eq(got.result_code, AVD_REASON_NOT_RUN);
	ck_assert_int_eq(avd_results_get(results, CELLS, &got), -ERANGE);
	avd_results_free(results);
	ck_assert_uint_eq(counts("r").ran, 2);
}
END_TEST

/* However the journal was cut, what was whole before the cut is there. */
START_TEST(a_torn_journal_loses_its_tail_alone)
{
	struct stat st;
	make_dir("r", 0, 2);
	ck_assert_int_eq(stat("r/journal.cbor", &st), 0);
	size_t last = 3;
	for (off_t size = st.st_size - 1; size >= 0; size--) {
		ck_assert_int_eq(truncate("r/journal.cbor", size), 0);
		const struct avd_results_counts got = counts("r");
		ck_assert_uint_le(got.ran, last);
		ck_assert_uint_le(got.torn_bytes, (uint64_t)size);
		ck_assert(got.ran == last || got.ran + 1 == last);
		last = got.ran;
	}
	ck_assert_uint_eq(last, 0);
}
END_TEST

START_TEST(each_damaged_byte_of_the_index_is_noticed)
{
	struct stat st;
	uint8_t *bytes;
	make_dir("r", 0, 1);
	make_table(0);
	open_store("r"); /* puts all into the index */
	avd__store_close(&store);
	ck_assert_int_eq(stat("r/index.cbor", &st), 0);
	bytes = malloc((size_t)st.st_size);
	ck_assert_ptr_nonnull(bytes);
	int fd = open("r/index.cbor", O_RDWR);
	ck_assert_int_eq(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	for (off_t at = 0; at < st.st_size; at++) {
		const uint8_t wrong = bytes[at] ^ 0x10;
		avd_results *results;
		ck_assert_int_eq(pwrite(fd, &wrong, 1, at), 1);
		ck_assert_int_eq(avd_results_open("r", &results, text, sizeof(text)), -EBADMSG);
		ck_assert_int_eq(pwrite(fd, &bytes[at], 1, at), 1);
	}
	ck_assert_int_eq(ftruncate(fd, st.st_size - 1), 0);
	avd_results *results;
	ck_assert_int_eq(avd_results_open("r", &results, text, sizeof(text)), -EBADMSG);
	close(fd);
	free(bytes);
}
END_TEST

START_TEST(what_is_there_is_taken_over)
{
	make_dir("r", 0, 2);
	make_table(0);
	open_store("r");
	ck_assert(table.rows[0].ran && table.rows[2].ran && !table.rows[3].ran);
	avd__store_close(&store);
	avd__table_free(&table);
	make_table(1); /* the same names, other contents: nothing of the old counts */
	open_store("r");
	for (size_t i = 0; i < CELLS; i++)
		ck_assert(!table.rows[i].ran);
	avd__store_close(&store);
}
END_TEST

START_TEST(one_writer_at_a_time)
{
	struct avd__store second;
	make_table(0);
	open_store("r");
	ck_assert_int_eq(avd__store_open("r", &table, &second, &error), -EBUSY);
	avd__store_close(&store);
}
END_TEST

static int merge(const char *a, const char *b, uint32_t flags)
{
	const char *const dirs[] = {a, b};
	return avd_results_merge(dirs, b ? 2 : 1, "m", flags, text, sizeof(text));
}

START_TEST(shards_make_a_whole)
{
	make_dir("a", 0, 2);
	make_dir("b", 3, 4);
	ck_assert_msg(merge("a", "b", 0) == 0, "%s", text);
	const struct avd_results_counts got = counts("m");
	ck_assert_uint_eq(got.cells, CELLS);
	ck_assert_uint_eq(got.ran, 5);
	ck_assert_uint_eq(got.met, 5);
	ck_assert_int_eq(access("m/cells/r4.avd", R_OK), 0);
	ck_assert_int_eq(merge("a", "b", 0), -EEXIST); /* it is there already */
}
END_TEST

START_TEST(the_same_result_twice_is_one)
{
	make_dir("a", 0, 2);
	make_dir("b", 0, 2);
	ck_assert_msg(merge("a", "b", 0) == 0, "%s", text);
	ck_assert_uint_eq(counts("m").ran, 3);
}
END_TEST

START_TEST(different_results_of_a_cell_are_an_error)
{
	make_dir("a", 0, 2);
	make_table(0);
	open_store("b");
	add(1, AVD_OUTCOME_DIED);
	avd__store_close(&store);
	ck_assert_int_eq(merge("a", "b", 0), -EEXIST);
	ck_assert_msg(strstr(text, "k1/s/1"), "%s", text);
	ck_assert_int_eq(access("m", F_OK), -1);
	ck_assert_msg(merge("a", "b", AVD_MERGE_WORST) == 0, "%s", text);
	ck_assert_uint_eq(counts("m").unmet, 1);
}
END_TEST

START_TEST(other_plans_are_not_merged)
{
	make_dir("a", 0, 2);
	make_table(1);
	open_store("b");
	avd__store_close(&store);
	ck_assert_int_eq(merge("a", "b", 0), -EXDEV);
	ck_assert_msg(strstr(text, "k0/s/1"), "%s", text);
}
END_TEST

START_TEST(a_merge_that_fails_leaves_nothing)
{
	make_dir("a", 0, 2);
	ck_assert_int_eq(unlink("a/cells/r2.avd"), 0); /* a recording is lost */
	ck_assert_int_eq(merge("a", NULL, 0), -ENOENT);
	ck_assert_int_eq(access("m", F_OK), -1);
	ck_assert_int_eq(merge("nowhere", NULL, 0), -ENOENT);
	ck_assert_int_eq(avd_results_merge(NULL, 0, "m", 0, text, sizeof(text)), -EINVAL);
}
END_TEST

/* As other structs that a caller gives the size of. Who does not look at what is returned, because
 * only a missing size can fail, would else take a result of its newer self for no cells at all. */
START_TEST(programs_of_other_releases_count)
{
	struct {
		struct avd_results_counts known;
		uint64_t newer;
	} got = {.known = {.size = sizeof(got)}, .newer = 7};
	struct avd_results_counts older = {.size = offsetof(struct avd_results_counts, met)};
	avd_results *results;
	make_dir("r", 0, 2);
	ck_assert_int_eq(avd_results_open("r", &results, text, sizeof(text)), 0);
	ck_assert_int_eq(avd_results_count(results, &got.known), 0);
	ck_assert_uint_eq(got.known.cells, CELLS);
	ck_assert_uint_eq(got.known.met, 3);
	ck_assert_uint_eq(got.known.size, sizeof(got));
	ck_assert_uint_eq(got.newer, 7);
	ck_assert_int_eq(avd_results_count(results, &older), 0);
	ck_assert_uint_eq(older.ran, 3);
	ck_assert_uint_eq(older.met, 0);
	older.size = 0;
	ck_assert_int_eq(avd_results_count(results, &older), -EINVAL);
	avd_results_free(results);
}
END_TEST

static int mark_cells(const char *name, size_t first, size_t count, const char *reason,
		      size_t *ret_marked)
{
	struct avd_mark_options options = AVD_OPTIONS_INIT(struct avd_mark_options);
	options.reason = reason;
	options.first = first;
	options.count = count;
	return avd_results_mark(name, &options, ret_marked, text, sizeof(text));
}

static struct avd_cell_result cell_of(const char *name, size_t at, char *reason, size_t size)
{
	struct avd_cell_result got;
	avd_results *results;
	ck_assert_msg(avd_results_open(name, &results, text, sizeof(text)) == 0, "%s", text);
	ck_assert_int_eq(avd_results_get(results, at, &got), 0);
	snprintf(reason, size, "%s", got.result_reason);
	avd_results_free(results);
	return got;
}

/* A mark says why, where nothing else says anything; it is no result. */
START_TEST(a_mark_is_no_result)
{
	char reason[64];
	size_t marked;
	make_dir("r", 0, 2);
	ck_assert_msg(mark_cells("r", 2, 3, "on \033[31mfire", &marked) == 0, "%s", text);
	ck_assert_uint_eq(marked, 2);
	struct avd_cell_result got = cell_of("r", 3, reason, sizeof(reason));
	ck_assert_uint_eq(got.outcome, AVD_OUTCOME_UNCONFIRMED);
	ck_assert_uint_eq(got.reason_code, AVD_REASON_LOST);
	ck_assert_uint_eq(got.result_code, AVD_REASON_LOST);
	ck_assert_uint_eq(got.ran, 0);
	ck_assert_uint_eq(got.met, 0);
	ck_assert_str_eq(reason, "on \\x1b[31mfire");
	ck_assert_uint_eq(cell_of("r", 2, reason, sizeof(reason)).met, 1);
	ck_assert_uint_eq(cell_of("r", 5, reason, sizeof(reason)).result_code, AVD_REASON_NOT_RUN);
	ck_assert_int_eq(mark_cells("r", 0, 0, "again", &marked), 0);
	ck_assert_uint_eq(marked, 1); /* cell 5: the first mark stays */
	cell_of("r", 3, reason, sizeof(reason));
	ck_assert_str_eq(reason, "on \\x1b[31mfire");
	const struct avd_results_counts all = counts("r");
	ck_assert_uint_eq(all.ran, 3);
	ck_assert_uint_eq(all.unmet, 0);
	ck_assert_uint_eq(all.lost, 3);
}
END_TEST

/* Nobody saw a lost cell: it is not the UNCONFIRMED that somebody expects. */
START_TEST(a_mark_meets_no_expectation)
{
	char reason[64];
	make_table(0);
	for (size_t i = 0; i < CELLS; i++)
		table.rows[i].expect = (struct avd_expectation){.outcome = AVD_OUTCOME_UNCONFIRMED,
								.result = AVD_RESULT_FAILED};
	open_store("r");
	avd__store_close(&store);
	ck_assert_int_eq(mark_cells("r", 0, 1, "gone", NULL), 0);
	const struct avd_cell_result got = cell_of("r", 0, reason, sizeof(reason));
	ck_assert_uint_eq(got.result_code, AVD_REASON_LOST);
	ck_assert_uint_eq(got.met, 0);
}
END_TEST

START_TEST(marks_stay_until_there_is_a_result)
{
	char reason[64];
	make_dir("a", 0, 1);
	make_dir("b", 4, 4);
	ck_assert_int_eq(mark_cells("a", 0, 0, "first", NULL), 0);
	ck_assert_int_eq(mark_cells("b", 0, 0, "second", NULL), 0);
	ck_assert_msg(merge("b", "a", 0) == 0, "%s", text);
	ck_assert_uint_eq(counts("m").met, 3);
	ck_assert_uint_eq(cell_of("m", 4, reason, sizeof(reason)).met, 1);
	cell_of("m", 2, reason, sizeof(reason));
	ck_assert_str_eq(reason, "second");
	/* A sweep that goes on there runs what is marked, and keeps the other marks meanwhile. */
	make_table(0);
	open_store("m");
	ck_assert(!avd__row_has_result(&table.rows[2]));
	add(2, AVD_OUTCOME_ATTACHED);
	avd__store_close(&store);
	ck_assert_uint_eq(counts("m").met, 4);
	ck_assert_uint_eq(counts("m").lost, 2);
}
END_TEST

START_TEST(what_can_not_be_marked)
{
	struct avd_mark_options options = AVD_OPTIONS_INIT(struct avd_mark_options);
	ck_assert_int_eq(mark_cells("nowhere", 0, 0, "gone", NULL), -ENOENT);
	ck_assert_int_eq(access("nowhere", F_OK), -1);
	make_dir("r", 0, 2);
	ck_assert_int_eq(mark_cells("r", CELLS, 1, "gone", NULL), -EINVAL);
	ck_assert_int_eq(mark_cells("r", 0, 0, "", NULL), -EINVAL);
	ck_assert_int_eq(mark_cells("r", 0, 0, NULL, NULL), -EINVAL);
	options.reason = "gone";
	options.shard = 3;
	options.shards = 2;
	ck_assert_int_eq(avd_results_mark("r", &options, NULL, text, sizeof(text)), -EINVAL);
	make_table(0);
	open_store("r"); /* a sweep writes there */
	ck_assert_int_eq(mark_cells("r", 0, 0, "gone", NULL), -EBUSY);
	avd__store_close(&store);
	ck_assert_uint_eq(counts("r").lost, 0);
}
END_TEST

/* A name in an index that leads elsewhere is not followed. */
START_TEST(a_merge_stays_in_its_directories)
{
	make_table(0);
	open_store("a");
	struct avd__came evil = came(0, AVD_OUTCOME_ATTACHED);
	evil.recording = "cells/../../../../../etc/hostname";
	ck_assert_int_eq(avd__store_add(&store, 0, &evil, &error), 0);
	avd__store_close(&store);
	ck_assert_int_eq(merge("a", NULL, 0), -EBADMSG);
	ck_assert_int_eq(access("m", F_OK), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-results");
	TCase *tests = tcase_create("sweep-results");
	tcase_add_checked_fixture(tests, scratch_enter, teardown);
	tcase_add_test(tests, what_was_written_is_read);
	tcase_add_test(tests, a_torn_journal_loses_its_tail_alone);
	tcase_add_test(tests, each_damaged_byte_of_the_index_is_noticed);
	tcase_add_test(tests, what_is_there_is_taken_over);
	tcase_add_test(tests, one_writer_at_a_time);
	tcase_add_test(tests, programs_of_other_releases_count);
	tcase_add_test(tests, shards_make_a_whole);
	tcase_add_test(tests, the_same_result_twice_is_one);
	tcase_add_test(tests, different_results_of_a_cell_are_an_error);
	tcase_add_test(tests, other_plans_are_not_merged);
	tcase_add_test(tests, a_merge_that_fails_leaves_nothing);
	tcase_add_test(tests, a_merge_stays_in_its_directories);
	tcase_add_test(tests, a_full_disk_costs_no_result);
	tcase_add_test(tests, a_mark_is_no_result);
	tcase_add_test(tests, a_mark_meets_no_expectation);
	tcase_add_test(tests, marks_stay_until_there_is_a_result);
	tcase_add_test(tests, what_can_not_be_marked);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
