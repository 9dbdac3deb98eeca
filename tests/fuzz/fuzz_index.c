// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Bytes as an index of results, and as the journal behind it. Whatever they are: texts can be
 * shown, and ATTACHED and PASSED stand nowhere beside a reason against them.
 */
#include <string.h>

#include "fuzz.h"
#include "sweep/index.h"

#define SIZE_MAX_FUZZED 65536u

static void check_text(const char *text)
{
	for (; *text; text++)
		FUZZ_CHECK((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check_row(const struct avd__table *table, size_t at)
{
	const struct avd__row *row = &table->rows[at];
	const struct avd__came *came = &row->came;
	FUZZ_CHECK(*row->id && avd__table_find(table, row->id) == (int64_t)at);
	check_text(row->id);
	check_text(row->command);
	for (size_t axis = 0; axis < AVD__AXIS_COUNT; axis++)
		check_text(row->name[axis]);
	if (!row->ran)
		return;
	check_text(came->reason);
	check_text(came->result_reason);
	FUZZ_CHECK((came->outcome == AVD_OUTCOME_ATTACHED) ==
		   (came->reason_code == AVD_REASON_NONE && !*came->reason));
	FUZZ_CHECK((came->result == AVD_RESULT_PASSED) ==
		   (came->result_code == AVD_REASON_NONE && !*came->result_reason));
	FUZZ_CHECK(came->result != AVD_RESULT_PASSED || came->outcome == AVD_OUTCOME_ATTACHED);
}

static void check_table(const struct avd__table *table)
{
	for (size_t i = 0; i < table->count; i++)
		check_row(table, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct avd__table table;
	struct avd__error error;
	uint64_t torn;
	if (size > SIZE_MAX_FUZZED)
		return 0;
	if (avd__index_read(&table, bytes, size, "index", &error) < 0) {
		FUZZ_CHECK(*error.text && !table.rows && !table.texts);
		return 0;
	}
	check_table(&table);
	/* The same frames serve as a journal: cells in it are skipped, results taken again. */
	FUZZ_CHECK(avd__journal_read(&table, bytes, size, &torn, &error) == 0 && torn <= size);
	check_table(&table);
	avd__table_free(&table);
	return 0;
}
