/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The results in memory: a row a cell of the plan. 100,000 rows take about 60 MB. */
#ifndef AVD_LIB_SWEEP_TABLE_H
#define AVD_LIB_SWEEP_TABLE_H

#include <attachverdict/results.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/hash.h"
#include "sweep/plan.h"

/* What a cell came to. */
struct avd__came {
	uint32_t outcome, reason_code, result, result_code, end_cause;
	uint64_t recording_bytes, wall_ns, machine_cpu_ns, ended_unix_ns;
	uint32_t recording_crc; /* CRC-32C of its bytes; 0 without one */
	const char *reason, *result_reason, *recording; /* never NULL */
};

struct avd__row {
	const char *id, *command;
	const char *name[AVD__AXIS_COUNT];
	struct avd_expectation expect;
	uint32_t cpus;
	uint64_t digest;
	bool ran; /* `came` is set; see avd__row_has_result() */
	struct avd__came came;
};

struct avd__chunk;

struct avd__table {
	uint64_t plan_digest;
	struct avd__row *rows;
	size_t count, cap;
	struct avd__chunk *texts; /* what the rows point to */
	uint32_t *by_id; /* hash table of row numbers + 1; 0: empty */
	size_t by_id_size; /* power of two */
	struct avd__hash_key key; /* once there is a hash table */
};

void avd__table_free(struct avd__table *table);
/* A copy of the text that lives as long as the table; NULL: out of memory. */
const char *avd__table_text(struct avd__table *table, const char *text, size_t len);
/* A row more; its texts are copied. -ENOMEM, -EEXIST: the id is there. */
int avd__table_add(struct avd__table *table, const struct avd__row *row);
/* Sets what a row came to; texts are copied. -ENOMEM. */
int avd__table_set(struct avd__table *table, size_t index, const struct avd__came *came);
/* Row number, or -ENOENT. */
int64_t avd__table_find(const struct avd__table *table, const char *id);
/* Whether the row has a result, not only a word why there is none. */
bool avd__row_has_result(const struct avd__row *row);
/* The rows of a finished plan, none of which ran. */
int avd__table_plan(struct avd__table *table, const avd_plan *plan, struct avd__error *error);

#endif
