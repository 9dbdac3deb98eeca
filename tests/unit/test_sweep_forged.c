// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Ids and names of an index that somebody forged, so that a table of them would take for ever. */
#include <attachverdict/report.h>
#include <attachverdict/results.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"

#define CELLS 500u
/* Texts of one slot among so many, which is more than a table of CELLS has. */
#define SLOTS 1024u
/* A table half full needs two or three for each text; the square would be hundreds. */
#define COMPARISONS_EACH 40u

static struct avd__table table;
static struct avd__error error;
static uint64_t comparisons;

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);

int __wrap_strcmp(const char *a, const char *b)
{
	comparisons++;
	return __real_strcmp(a, b);
}

/* FNV-1a, as whoever reads the library's older source has it. */
static uint64_t fnv(const char *text, size_t len)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		value = (value ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return value ^ value >> 32;
}

/* Ids, or names of kernels with their end, that all begin in the first slot. */
static void next_text(char *text, size_t size, size_t *number, size_t end)
{
	do
		snprintf(text, size, "f%zu", (*number)++);
	while (fnv(text, strlen(text) + end) & (SLOTS - 1));
}

static void make_results(void)
{
	struct avd__store store;
	size_t id_number = 0, kernel_number = 0;
	for (size_t i = 0; i < CELLS; i++) {
		char id[32], kernel[32];
		next_text(id, sizeof(id), &id_number, 0);
		next_text(kernel, sizeof(kernel), &kernel_number, 1);
		const struct avd__row row = {
			.id = id,
			.command = "attachverdict run",
			.name = {"s", kernel, "1", ""},
			.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
			.cpus = 1,
			.digest = 1 + i,
		};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
	}
	ck_assert_msg(avd__store_open("r", &table, &store, &error) == 0, "%s", error.text);
	avd__store_close(&store);
	avd__table_free(&table);
}

START_TEST(texts_that_were_chosen_share_no_slot)
{
	avd_results *results;
	char text[512] = "", *page;
	size_t size;
	make_results();
	comparisons = 0;
	ck_assert_msg(avd_results_open("r", &results, text, sizeof(text)) == 0, "%s", text);
	ck_assert_uint_gt(comparisons, 0);
	/* Those of a row's names with the row's before are among them. */
	ck_assert_uint_lt(comparisons, COMPARISONS_EACH * CELLS);
	comparisons = 0;
	ck_assert_int_eq(avd_results_print(results, AVD_FORMAT_MARKDOWN, NULL, &page, &size), 0);
	ck_assert_uint_gt(comparisons, 0);
	ck_assert_uint_lt(comparisons, COMPARISONS_EACH * CELLS);
	avd_free(page);
	avd_results_free(results);
}
END_TEST

START_TEST(each_table_has_its_own_key)
{
	const struct avd__hash_key a = avd__hash_key(), b = avd__hash_key();
	ck_assert_uint_ne(avd__hash_text(&a, 0, "7.3/s/1"), avd__hash_text(&b, 0, "7.3/s/1"));
	/* The end of a text counts: "ab", "c" are not "a", "bc". */
	ck_assert_uint_ne(avd__hash_text(&a, avd__hash_text(&a, 0, "ab"), "c"),
			  avd__hash_text(&a, avd__hash_text(&a, 0, "a"), "bc"));
	for (size_t size = 2; size <= 1 << 20; size *= 2) {
		ck_assert_uint_lt(avd__hash_slot(&a, UINT64_MAX, size), size);
		ck_assert_uint_eq(avd__hash_slot(&a, 0, size), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-forged");
	TCase *tc = tcase_create("sweep-forged");
	tcase_add_checked_fixture(tc, scratch_enter, scratch_leave);
	tcase_add_test(tc, texts_that_were_chosen_share_no_slot);
	tcase_add_test(tc, each_table_has_its_own_key);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
