// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * An index and a journal that were cut short at each length, and with each bit changed: a damaged
 * index is refused; of a damaged journal what stands before the damage counts, and no result
 * is ever another one than was written.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "run_suite.h"
#include "sweep/index.h"

#define CELLS 4u
#define DIGEST UINT64_C(42)

static const struct avd__came passed = {
	.outcome = AVD_OUTCOME_ATTACHED,
	.result = AVD_RESULT_PASSED,
	.reason = "",
	.result_reason = "",
	.recording = "cells/1.avd",
	.recording_bytes = 1000,
	.recording_crc = 7,
	.wall_ns = 3000000000,
};
static const struct avd__came died = {
	.outcome = AVD_OUTCOME_DIED,
	.reason_code = AVD_REASON_EXITED,
	.result_code = AVD_REASON_EXITED,
	.reason = "it died",
	.result_reason = "it died",
	.recording = "cells/2.avd",
	.recording_bytes = 2000,
};

/* What each cell came to; NULL: nothing yet. */
static const struct avd__came *const in_index[CELLS] = {&passed, &died, NULL, NULL};
static const struct avd__came *const in_journal[CELLS] = {&died, NULL, &passed, NULL};
static struct avd__index_out whole, journal;

static struct avd__table make_table(void)
{
	struct avd__table table = {.plan_digest = DIGEST};
	for (uint32_t i = 0; i < CELLS; i++) {
		char id[] = "k0/s/1";
		id[1] = (char)('0' + i);
		const struct avd__row row = {.id = id,
					     .command = "attachverdict run",
					     .name = {"s", "k", "1", ""},
					     .digest = 1000 + i};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
		if (in_index[i])
			ck_assert_int_eq(avd__table_set(&table, i, in_index[i]), 0);
	}
	return table;
}

static void setup(void)
{
	struct avd__table table = make_table();
	whole = journal = (struct avd__index_out){0};
	avd__index_header(&whole, &table);
	for (size_t i = 0; i < CELLS; i++)
		avd__index_cell(&whole, &table.rows[i]);
	avd__index_header(&journal, &table);
	for (size_t i = 0; i < CELLS; i++) {
		if (in_index[i])
			avd__index_came(&whole, i, in_index[i]);
		if (in_journal[i])
			avd__index_came(&journal, i, in_journal[i]);
	}
	ck_assert_int_eq(whole.buf.error | journal.buf.error, 0);
	avd__table_free(&table);
}

static void teardown(void)
{
	avd__buf_free(&whole.buf);
	avd__buf_free(&journal.buf);
}

static int is_same(const struct avd__row *row, const struct avd__came *came)
{
	if (!came || !row->ran)
		return !came && !row->ran;
	return row->came.outcome == came->outcome && row->came.result == came->result &&
	       row->came.result_code == came->result_code &&
	       row->came.recording_crc == came->recording_crc &&
	       strcmp(row->came.reason, came->reason) == 0 &&
	       strcmp(row->came.recording, came->recording) == 0;
}

/* In memory of just that size, so that the sanitizers and valgrind see a byte too many. */
static int read_index(struct avd__table *table, const void *bytes, size_t size)
{
	struct avd__error error;
	uint8_t *exact = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, size);
	const int r = avd__index_read(table, exact, size, "index", &error);
	free(exact);
	return r;
}

/* What the two say together: of the journal, entries up to some one. Cut between two entries it is
 * as sound as one that nothing more was written to; else what counts for nothing is told. */
static void check_journal(const void *bytes, size_t size, int is_told)
{
	struct avd__table table;
	struct avd__error error;
	uint64_t torn = 0;
	ck_assert_int_eq(read_index(&table, whole.buf.data, whole.buf.len), 0);
	uint8_t *exact = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, size);
	const int r = avd__journal_read(&table, exact, size, &torn, &error);
	free(exact);
	ck_assert(r == 0 || r == -ESTALE);
	ck_assert_uint_le(torn, size);
	int stopped = 0;
	for (size_t i = 0; i < CELLS; i++) {
		const struct avd__row *row = &table.rows[i];
		const int taken = in_journal[i] && is_same(row, in_journal[i]);
		ck_assert_msg(taken || is_same(row, in_index[i]), "cell %zu", i);
		ck_assert(!taken || !stopped); /* none behind one that was lost */
		stopped |= in_journal[i] && !taken;
	}
	ck_assert(!stopped || torn || r || !is_told);
	avd__table_free(&table);
}

START_TEST(what_is_whole_is_read)
{
	struct avd__table table;
	struct avd__error error;
	uint64_t torn = 1;
	ck_assert_int_eq(read_index(&table, whole.buf.data, whole.buf.len), 0);
	for (size_t i = 0; i < CELLS; i++)
		ck_assert(is_same(&table.rows[i], in_index[i]));
	ck_assert_int_eq(avd__journal_read(&table, (uint8_t *)journal.buf.data, journal.buf.len,
					   &torn, &error),
			 0);
	ck_assert_uint_eq(torn, 0);
	for (size_t i = 0; i < CELLS; i++)
		ck_assert(is_same(&table.rows[i], in_journal[i] ? in_journal[i] : in_index[i]));
	avd__table_free(&table);
}
END_TEST

START_TEST(an_index_cut_short_is_refused)
{
	struct avd__table table;
	for (size_t size = 0; size < whole.buf.len; size++)
		ck_assert_int_eq(read_index(&table, whole.buf.data, size), -EBADMSG);
}
END_TEST

START_TEST(an_index_with_a_changed_bit_is_refused)
{
	struct avd__table table;
	for (size_t bit = 0; bit < whole.buf.len * 8; bit++) {
		whole.buf.data[bit / 8] ^= (char)(1u << bit % 8);
		ck_assert_int_eq(read_index(&table, whole.buf.data, whole.buf.len), -EBADMSG);
		whole.buf.data[bit / 8] ^= (char)(1u << bit % 8);
	}
}
END_TEST

START_TEST(a_journal_cut_short_counts_as_far_as_it_goes)
{
	for (size_t size = 0; size < journal.buf.len; size++)
		check_journal(journal.buf.data, size, 0);
}
END_TEST

START_TEST(a_journal_with_a_changed_bit_counts_up_to_it)
{
	for (size_t bit = 0; bit < journal.buf.len * 8; bit++) {
		journal.buf.data[bit / 8] ^= (char)(1u << bit % 8);
		check_journal(journal.buf.data, journal.buf.len, 1);
		journal.buf.data[bit / 8] ^= (char)(1u << bit % 8);
	}
}
END_TEST

/* Sound frames that say what no verdict can. */
START_TEST(contradictions_are_refused)
{
	struct avd__came bad[13];
	for (size_t i = 0; i < AVD__ARRAY_SIZE(bad); i++)
		bad[i] = i < 5 ? passed : died;
	bad[0].reason_code = AVD_REASON_EXITED;
	bad[1].result_code = AVD_REASON_EXITED;
	bad[2].reason = "but";
	bad[3].result_reason = "but";
	bad[4].outcome = AVD_OUTCOME_DIED;
	bad[5].outcome = AVD_OUTCOME_ATTACHED;
	bad[6].result = AVD_RESULT_PASSED;
	bad[7].outcome = 99;
	/* What nobody saw is UNCONFIRMED, in both codes. */
	for (size_t i = 8; i < 12; i++) {
		const uint32_t code = i % 2 ? AVD_REASON_LOST : AVD_REASON_NOT_RUN;
		bad[i].result_code = code;
		bad[i].recording = "";
		if (i < 10)
			bad[i].reason_code = code;
		else
			bad[i].outcome = AVD_OUTCOME_UNCONFIRMED;
	}
	bad[12].outcome = AVD_OUTCOME_ATTACHED;
	bad[12].reason_code = AVD_REASON_NONE;
	bad[12].reason = "";
	bad[12].result_code = AVD_REASON_LOST;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(bad); i++) {
		struct avd__table table = make_table();
		struct avd__index_out out = {0};
		avd__index_header(&out, &table);
		for (size_t k = 0; k < CELLS; k++)
			avd__index_cell(&out, &table.rows[k]);
		avd__index_came(&out, 0, &passed);
		avd__index_came(&out, 1, &bad[i]);
		avd__table_free(&table);
		ck_assert_msg(read_index(&table, out.buf.data, out.buf.len) == -EBADMSG, "%zu", i);
		avd__buf_free(&out.buf);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-damage");
	TCase *tcase = tcase_create("damage");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_whole_is_read);
	tcase_add_test(tcase, an_index_cut_short_is_refused);
	tcase_add_test(tcase, an_index_with_a_changed_bit_is_refused);
	tcase_add_test(tcase, a_journal_cut_short_counts_as_far_as_it_goes);
	tcase_add_test(tcase, a_journal_with_a_changed_bit_counts_up_to_it);
	tcase_add_test(tcase, contradictions_are_refused);
	return run_suite(suite);
}
