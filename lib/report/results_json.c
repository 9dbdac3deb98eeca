// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The schema is results.schema.json; a test holds the two together. */
#include <attachverdict/message.h>
#include <inttypes.h>
#include <stdio.h>

#include "report/json_writer.h"
#include "report/results.h"

/* Raised when a name goes away or changes its meaning; new names don't raise it. */
#define SCHEMA_VERSION 1

static void put_hex(struct avd__json *json, const char *key, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%016" PRIx64, value);
	avd__json_cstring(json, key, text);
}

static void put_cell(struct avd__json *json, const struct avd_cell_result *cell)
{
	char expect[64];
	const int failed = cell->result_code != AVD_REASON_NONE;
	avd__json_open(json, NULL, '{');
	avd__json_cstring(json, "id", cell->id);
	avd__json_cstring(json, "scheduler", cell->scheduler);
	avd__json_cstring(json, "kernel", cell->kernel);
	avd__json_cstring(json, "topology", cell->topology);
	avd__json_cstring(json, "payload", *cell->payload ? cell->payload : NULL);
	avd_expectation_print(&cell->expect, expect, sizeof(expect));
	avd__json_cstring(json, "expected", expect);
	avd__json_bool(json, "met", (int)cell->met);
	avd__json_bool(json, "ran", (int)cell->ran);
	avd__json_cstring(json, "outcome", avd_outcome_name(cell->outcome));
	avd__json_cstring(json, "reason_code",
			  cell->reason_code ? avd_reason_code_name(cell->reason_code) : NULL);
	avd__json_cstring(json, "result", avd_result_name(cell->result));
	avd__json_cstring(json, "result_code",
			  failed ? avd_reason_code_name(cell->result_code) : NULL);
	avd__json_cstring(json, "result_reason", failed ? cell->result_reason : NULL);
	avd__json_cstring(json, "end_cause",
			  cell->ran ? avd_end_cause_name(cell->end_cause) : NULL);
	avd__json_cstring(json, "recording", *cell->recording ? cell->recording : NULL);
	avd__json_u64(json, "wall_ns", cell->wall_ns);
	avd__json_u64(json, "machine_cpu_ns", cell->machine_cpu_ns);
	put_hex(json, "digest", cell->digest);
	avd__json_cstring(json, "command", cell->command);
	avd__json_close(json, '}');
}

void avd__results_json(struct avd__buf *out, const avd_results *results)
{
	struct avd__json json = {.out = out, .empty = 1};
	const struct avd_results_counts counts = avd__results_counts(results);
	avd__json_open(&json, NULL, '{');
	avd__json_u64(&json, "schema_version", SCHEMA_VERSION);
	avd__json_cstring(&json, "version", avd_version());
	put_hex(&json, "plan", counts.plan_digest);
	avd__json_u64(&json, "cell_count", counts.cells);
	avd__json_u64(&json, "met_count", counts.met);
	avd__json_u64(&json, "unmet_count", counts.unmet);
	avd__json_u64(&json, "not_run_count", counts.cells - counts.ran);
	avd__json_u64(&json, "lost_count", counts.lost);
	avd__json_open(&json, "cells", '[');
	for (size_t i = 0; i < counts.cells; i++) {
		const struct avd_cell_result cell = avd__results_cell(results, i);
		put_cell(&json, &cell);
	}
	avd__json_close(&json, ']');
	avd__json_close(&json, '}');
	avd__buf_puts(out, "\n");
}
