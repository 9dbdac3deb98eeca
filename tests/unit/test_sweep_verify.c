// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What an index says against what the recordings prove. */
#include <attachverdict/results.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"
#include "verdict_kit.h"

#define CELLS 3u
#define DIGEST(index) (UINT64_C(0xabcdef0000000000) + (index))

static struct avd__table table;
static struct avd__store store;
static struct avd__error error;
static struct kit kit;
static char *names[CELLS]; /* of the recordings, below r */
static char told[CELLS][1024]; /* what was said of each cell */

static const char *id_of(size_t index)
{
	static const char *const ids[CELLS] = {"7.2/fifo/2", "7.3/fifo/2", "7.3/lavd/2"};
	return ids[index];
}

static void setup(void)
{
	scratch_enter();
	table = (struct avd__table){.plan_digest = 42};
	for (size_t i = 0; i < CELLS; i++) {
		const struct avd__row row = {
			.id = id_of(i),
			.command = "attachverdict run",
			.name = {[AVD__AXIS_SCHEDULER] = i == 2 ? "lavd" : "fifo",
				 [AVD__AXIS_KERNEL] = i == 0 ? "7.2" : "7.3",
				 [AVD__AXIS_TOPOLOGY] = "2",
				 [AVD__AXIS_PAYLOAD] = ""},
			.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
			.cpus = 2,
			.digest = DIGEST(i),
		};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
		ck_assert_int_eq(avd__store_recording(&table.rows[i], &names[i]), 0);
	}
}

static void teardown(void)
{
	for (size_t i = 0; i < CELLS; i++)
		free(names[i]);
	avd__table_free(&table);
	scratch_leave();
}

/* A cell that passes, as asked in `cell`; `more` is a line of its output. */
static void pass(const struct avd_msg_cell *cell, const char *more)
{
	static const uint32_t kinds[] = {AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING,
					 AVD_MSG_DISPATCH, AVD_MSG_PAYLOAD_EXIT, AVD_MSG_DONE};
	kit_start_cell(&kit, cell);
	kit_boot(&kit);
	kit_log(&kit, AVD_STREAM_SCHEDULER_STDOUT, more);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(kinds); i++)
		kit_add(&kit, kinds[i]);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
}

static struct avd_msg_cell asked(const char *id, uint64_t digest)
{
	const struct avd_message message = kit_message(AVD_MSG_CELL);
	struct avd_msg_cell cell = message.u.cell;
	cell.topology = (struct avd_str){"2", 1};
	cell.cpus = 2;
	cell.id = (struct avd_str){id, strlen(id)};
	cell.digest = digest;
	return cell;
}

/* Writes the recording that the kit has to the place of the cell at `index`. */
static void put(size_t index)
{
	char path[300];
	snprintf(path, sizeof(path), "r/%s", names[index]);
	scratch_write(path, kit.bytes, kit.size);
}

static void put_cell(size_t index, size_t of)
{
	const struct avd_msg_cell cell = asked(id_of(of), DIGEST(of));
	pass(&cell, id_of(of));
	put(index);
}

/* An index made from the files as they are, whosever they are. */
static void make_index(void)
{
	for (size_t i = 0; i < CELLS; i++) {
		struct avd__came came;
		ck_assert_msg(avd__store_judge(store.dir_fd, names[i], NULL, &table, &came,
					       &error) == 0,
			      "%s", error.text);
		ck_assert_int_eq(avd__table_set(&table, i, &came), 0);
	}
}

static void open_store(void)
{
	ck_assert_msg(avd__store_open("r", &table, &store, &error) == 0, "%s", error.text);
}

static void close_store(void)
{
	ck_assert_int_eq(avd__store_write(&store, &table, &error), 0);
	avd__store_close(&store);
}

static void hear(void *userdata, size_t index, const char *what)
{
	(void)userdata;
	snprintf(told[index], sizeof(told[index]), "%s", what);
}

/* How many are not proved; told[] says why. */
static size_t verify(void)
{
	char text[1024];
	size_t verified = 99, contradictions = 99;
	avd_results *results;
	memset(told, 0, sizeof(told));
	ck_assert_msg(avd_results_open("r", &results, text, sizeof(text)) == 0, "%s", text);
	ck_assert_int_eq(avd_results_verify(results, hear, NULL, &verified, &contradictions), 0);
	ck_assert_uint_eq(verified + contradictions, CELLS);
	avd_results_free(results);
	return contradictions;
}

START_TEST(each_of_its_cell_is_proved)
{
	open_store();
	for (size_t i = 0; i < CELLS; i++)
		put_cell(i, i);
	make_index();
	close_store();
	ck_assert_uint_eq(verify(), 0);
}
END_TEST

/* Two files changed places, and the index was made from them so: sizes, checksums and verdicts
 * fit. */
START_TEST(a_swap_is_told)
{
	open_store();
	put_cell(0, 1);
	put_cell(1, 0);
	put_cell(2, 2);
	make_index();
	close_store();
	ck_assert_uint_eq(verify(), 2);
	ck_assert_ptr_nonnull(strstr(told[0], names[0]));
	ck_assert_ptr_nonnull(strstr(told[0], "it is of another cell: 7.3/fifo/2 with the digest "
					      "abcdef0000000001, not 7.2/fifo/2 with "
					      "abcdef0000000000"));
	ck_assert_ptr_nonnull(strstr(told[1], "it is of another cell: 7.2/fifo/2"));
	ck_assert_str_eq(told[2], "");
}
END_TEST

/* The same names, but another scheduler's bytes. */
START_TEST(one_of_an_older_scheduler_is_told)
{
	const struct avd_msg_cell cell = asked(id_of(0), DIGEST(77));
	open_store();
	for (size_t i = 0; i < CELLS; i++)
		put_cell(i, i);
	pass(&cell, "older");
	put(0);
	make_index();
	close_store();
	ck_assert_uint_eq(verify(), 1);
	ck_assert_ptr_nonnull(strstr(told[0], "it is of another cell: 7.2/fifo/2 with the digest"));
}
END_TEST

/* The index is lost, and two files changed places: a sweep that goes on takes over neither. */
START_TEST(a_swap_is_not_taken_over)
{
	open_store(); /* makes the directory */
	avd__store_close(&store);
	ck_assert_int_eq(unlink("r/" AVD__STORE_INDEX), 0);
	put_cell(0, 1);
	put_cell(1, 0);
	put_cell(2, 2);
	open_store();
	ck_assert(!table.rows[0].ran);
	ck_assert(!table.rows[1].ran);
	ck_assert(table.rows[2].ran);
	ck_assert_uint_eq(table.rows[2].came.outcome, AVD_OUTCOME_ATTACHED);
	put_cell(0, 0);
	avd__store_close(&store);
	open_store();
	ck_assert(table.rows[0].ran);
	ck_assert(!table.rows[1].ran);
	avd__store_close(&store);
}
END_TEST

/* A recording that names no cell is held to what has the same words everywhere. */
START_TEST(one_that_names_no_cell)
{
	struct avd_msg_cell cell = asked("", 0);
	open_store();
	pass(&cell, "alone");
	put(0);
	cell.topology = (struct avd_str){"4", 1};
	cell.cpus = 4;
	pass(&cell, "four");
	put(1);
	cell = asked("", 0);
	cell.topology = (struct avd_str){"1n2l1c1t", 8};
	pass(&cell, "otherwise two");
	put(2);
	make_index();
	close_store();
	ck_assert_uint_eq(verify(), 2);
	ck_assert_str_eq(told[0], "");
	ck_assert_ptr_nonnull(strstr(told[1], "it is of another cell: with topology 4, 4 CPUs; "
					      "7.3/fifo/2 has topology 2, 2 CPUs"));
	ck_assert_ptr_nonnull(strstr(told[2], "it is of another cell: with topology 1n2l1c1t"));
}
END_TEST

START_TEST(what_it_proves_is_told)
{
	const struct avd_msg_cell cell = asked(id_of(0), DIGEST(0));
	open_store();
	for (size_t i = 0; i < CELLS; i++)
		put_cell(i, i);
	make_index();
	/* The index claims more than the file proves, whose bytes it knows. */
	kit_start_cell(&kit, &cell);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	put(0);
	struct avd__came came, claim = table.rows[0].came;
	ck_assert_int_eq(avd__store_judge(store.dir_fd, names[0], NULL, &table, &came, &error), 0);
	claim.recording_bytes = came.recording_bytes;
	claim.recording_crc = came.recording_crc;
	ck_assert_int_eq(avd__table_set(&table, 0, &claim), 0);
	/* How the machine ended. */
	claim = table.rows[1].came;
	claim.end_cause = AVD_END_WATCHDOG;
	ck_assert_int_eq(avd__table_set(&table, 1, &claim), 0);
	/* Other bytes that prove the same. */
	const struct avd_msg_cell last = asked(id_of(2), DIGEST(2));
	pass(&last, "7.3/lavd/x");
	put(2);
	close_store();
	ck_assert_uint_eq(verify(), 3);
	ck_assert_ptr_nonnull(strstr(told[0], ": the index says ATTACHED, the recording proves "
					      "DIED (exited); "));
	ck_assert_ptr_nonnull(strstr(told[1], "the index says ATTACHED, ended by watchdog, the "
					      "recording proves ATTACHED, ended by guest-reset"));
	ck_assert_ptr_nonnull(strstr(told[2], "it is not the recording that was judged, or was "
					      "changed since: "));
}
END_TEST

/* Gone, and no recording: neither is proved. */
START_TEST(what_can_not_be_read_is_told)
{
	char path[300];
	open_store();
	for (size_t i = 0; i < CELLS; i++)
		put_cell(i, i);
	make_index();
	close_store();
	snprintf(path, sizeof(path), "r/%s", names[0]);
	ck_assert_int_eq(unlink(path), 0);
	snprintf(path, sizeof(path), "r/%s", names[1]);
	scratch_write(path, "hello", 5);
	ck_assert_uint_eq(verify(), 2);
	ck_assert_ptr_nonnull(strstr(told[0], "No such file"));
	ck_assert_ptr_nonnull(strstr(told[1], "is no recording"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-verify");
	TCase *tests = tcase_create("sweep-verify");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_of_its_cell_is_proved);
	tcase_add_test(tests, a_swap_is_told);
	tcase_add_test(tests, one_of_an_older_scheduler_is_told);
	tcase_add_test(tests, a_swap_is_not_taken_over);
	tcase_add_test(tests, one_that_names_no_cell);
	tcase_add_test(tests, what_it_proves_is_told);
	tcase_add_test(tests, what_can_not_be_read_is_told);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
