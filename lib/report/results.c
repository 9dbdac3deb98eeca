// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct avd_results_counts avd__results_counts(const avd_results *results)
{
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	avd_results_count(results, &counts);
	return counts;
}

struct avd_cell_result avd__results_cell(const avd_results *results, size_t index)
{
	struct avd_cell_result cell = {.id = ""};
	avd_results_get(results, index, &cell);
	return cell;
}

void avd__grid_label(struct avd__buf *out, const struct avd_cell_result *cell)
{
	avd__buf_printf(out, "%s/%s%s%s", cell->scheduler, cell->topology,
			*cell->payload ? "/" : "", cell->payload);
}

static int same_row(const struct avd_cell_result *a, const struct avd_cell_result *b)
{
	return strcmp(a->scheduler, b->scheduler) == 0 && strcmp(a->topology, b->topology) == 0 &&
	       strcmp(a->payload, b->payload) == 0;
}

/* Rows are found from the end: cells of one scheduler stand together. */
static size_t row_of(struct avd__grid *grid, size_t index)
{
	const struct avd_cell_result cell = avd__results_cell(grid->results, index);
	for (size_t row = grid->row_count; row > 0; row--) {
		const struct avd_cell_result first =
			avd__results_cell(grid->results, grid->rows[row - 1]);
		if (strcmp(first.scheduler, cell.scheduler) != 0)
			break;
		if (same_row(&first, &cell))
			return row - 1;
	}
	grid->rows[grid->row_count] = index;
	return grid->row_count++;
}

static size_t column_of(struct avd__grid *grid, const char *kernel)
{
	for (size_t i = 0; i < grid->kernel_count; i++) {
		if (grid->kernels[i] && strcmp(grid->kernels[i], kernel) == 0)
			return i;
	}
	grid->kernels[grid->kernel_count] = kernel;
	return grid->kernel_count++;
}

/* Where each cell stands: rows and columns are found as they come. */
static int place(struct avd__grid *grid, size_t *row, size_t *column)
{
	for (size_t i = 0; i < grid->cells; i++) {
		column[i] = column_of(grid, avd__results_cell(grid->results, i).kernel);
		row[i] = row_of(grid, i);
	}
	grid->at = calloc(grid->row_count * grid->kernel_count + 1, sizeof(*grid->at));
	if (!grid->at)
		return -ENOMEM;
	for (size_t i = 0; i < grid->cells; i++)
		grid->at[row[i] * grid->kernel_count + column[i]] = i + 1;
	return 0;
}

int avd__grid_make(struct avd__grid *grid, const avd_results *results)
{
	*grid = (struct avd__grid){.results = results, .cells = avd__results_counts(results).cells};
	size_t *row = calloc(grid->cells + 1, sizeof(*row));
	size_t *column = calloc(grid->cells + 1, sizeof(*column));
	grid->kernels = calloc(grid->cells + 1, sizeof(*grid->kernels));
	grid->rows = calloc(grid->cells + 1, sizeof(*grid->rows));
	const int r =
		row && column && grid->kernels && grid->rows ? place(grid, row, column) : -ENOMEM;
	free(row);
	free(column);
	if (r < 0)
		avd__grid_free(grid);
	return r;
}

void avd__grid_free(struct avd__grid *grid)
{
	free(grid->kernels);
	free(grid->rows);
	free(grid->at);
	*grid = (struct avd__grid){0};
}
