/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The results of a sweep in other people's formats; a function each. */
#ifndef AVD_LIB_REPORT_RESULTS_H
#define AVD_LIB_REPORT_RESULTS_H

#include <attachverdict/results.h>

#include "base/buf.h"

void avd__results_text(struct avd__buf *out, const avd_results *results);
void avd__results_json(struct avd__buf *out, const avd_results *results);
void avd__results_tap(struct avd__buf *out, const avd_results *results);
void avd__results_ktap(struct avd__buf *out, const avd_results *results);
void avd__results_junit(struct avd__buf *out, const avd_results *results);
void avd__results_markdown(struct avd__buf *out, const avd_results *results);
/* Logs how many cells have no row, and why; `log` may be NULL. */
void avd__results_veristat(struct avd__buf *out, const avd_results *results, avd_log_fn log,
			   void *userdata);
/* `details_limit`: bytes; 0: none. */
void avd__results_html(struct avd__buf *out, const avd_results *results, uint64_t details_limit);

/* The table that people look at: a row for each scheduler, topology and payload, a column for each
 * kernel. Where it would be all but empty, a list: a row for each cell, and one column without a
 * head. */
struct avd__grid {
	const avd_results *results;
	size_t cells;
	const char **kernels; /* views */
	size_t kernel_count;
	size_t *rows; /* index of a row's first cell */
	size_t row_count;
	int is_list;
	size_t *at; /* row * kernel_count + column: index + 1; 0: the plan has no such cell */
};

/* -ENOMEM. */
int avd__grid_make(struct avd__grid *grid, const avd_results *results);
void avd__grid_free(struct avd__grid *grid);
/* "SCHEDULER/TOPOLOGY[/PAYLOAD]"; in a list the cell's id. */
void avd__grid_label(struct avd__buf *out, const struct avd__grid *grid, size_t row);

struct avd_results_counts avd__results_counts(const avd_results *results);
/* The cell at `index`, which is one of the results'. */
struct avd_cell_result avd__results_cell(const avd_results *results, size_t index);

#endif
