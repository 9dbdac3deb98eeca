// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What one cell came to, as callers see it. */
#include "sweep/result.h"

#include "sweep/table.h"

/* Of a cell that nobody ran. */
#define NOT_RUN "it was not run, or its result was lost"

struct avd__came avd__came_without(uint32_t code, const char *reason)
{
	return (struct avd__came){
		.outcome = AVD_OUTCOME_UNCONFIRMED,
		.reason_code = code,
		.result = AVD_RESULT_FAILED,
		.result_code = code,
		.reason = reason,
		.result_reason = reason,
		.recording = "",
	};
}

bool avd__row_met(const struct avd__row *row)
{
	const struct avd_verdict verdict = {.outcome = row->came.outcome,
					    .result = row->came.result,
					    .result_code = row->came.result_code};
	/* Even where UNCONFIRMED is what is expected: nobody saw it. */
	return avd__row_has_result(row) && avd_expectation_met(&row->expect, &verdict);
}

struct avd_cell_result avd__result_of(const struct avd__row *row)
{
	const struct avd__came not_run = avd__came_without(AVD_REASON_NOT_RUN, NOT_RUN);
	const struct avd__came *came = row->ran ? &row->came : &not_run;
	return (struct avd_cell_result){
		.id = row->id,
		.kernel = row->name[AVD__AXIS_KERNEL],
		.scheduler = row->name[AVD__AXIS_SCHEDULER],
		.topology = row->name[AVD__AXIS_TOPOLOGY],
		.payload = row->name[AVD__AXIS_PAYLOAD],
		.command = row->command,
		.expect = row->expect,
		.met = avd__row_met(row),
		.ran = avd__row_has_result(row),
		.outcome = came->outcome,
		.reason_code = came->reason_code,
		.result = came->result,
		.result_code = came->result_code,
		.end_cause = came->end_cause,
		.cpus = row->cpus,
		.reason = came->reason,
		.result_reason = came->result_reason,
		.recording = came->recording,
		.recording_bytes = came->recording_bytes,
		.wall_ns = came->wall_ns,
		.machine_cpu_ns = came->machine_cpu_ns,
		.ended_unix_ns = came->ended_unix_ns,
		.digest = row->digest,
	};
}

bool avd__same_verdict(const struct avd_cell_result *a, const struct avd_cell_result *b)
{
	return a->outcome == b->outcome && a->reason_code == b->reason_code &&
	       a->result == b->result && a->result_code == b->result_code;
}

void avd__put_outcome(struct avd__buf *out, const struct avd_cell_result *cell)
{
	avd__buf_puts(out, avd_outcome_name(cell->outcome));
	if (cell->result_code != AVD_REASON_NONE)
		avd__buf_printf(out, " (%s)", avd_reason_code_name(cell->result_code));
}
