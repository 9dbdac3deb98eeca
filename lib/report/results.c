// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* So many places may a grid have at least, and so many for each cell. What has more is all but
 * empty: each cell has a row and a column of its own, say, and 100,000 of them would make a table
 * of 10^10 places. */
#define GRID_PLACES_FREE ((size_t)1 << 20)
#define GRID_SPARSE 8u

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

void avd__grid_label(struct avd__buf *out, const struct avd__grid *grid, size_t row)
{
	const struct avd_cell_result first = avd__results_cell(grid->results, grid->rows[row]);
	if (grid->is_list)
		avd__buf_puts(out, first.id);
	else
		avd__buf_printf(out, "%s/%s%s%s", first.scheduler, first.topology,
				*first.payload ? "/" : "", first.payload);
}

static int same_row(const struct avd_cell_result *a, const struct avd_cell_result *b)
{
	return strcmp(a->scheduler, b->scheduler) == 0 && strcmp(a->topology, b->topology) == 0 &&
	       strcmp(a->payload, b->payload) == 0;
}

static int same_column(const struct avd_cell_result *a, const struct avd_cell_result *b)
{
	return strcmp(a->kernel, b->kernel) == 0;
}

static uint64_t hash_row(const struct avd__hash_key *key, const struct avd_cell_result *cell)
{
	uint64_t value = avd__hash_text(key, 0, cell->scheduler);
	value = avd__hash_text(key, value, cell->topology);
	return avd__hash_text(key, value, cell->payload);
}

static uint64_t hash_column(const struct avd__hash_key *key, const struct avd_cell_result *cell)
{
	return avd__hash_text(key, 0, cell->kernel);
}

/* Rows, or columns: numbered as they come. A plan may have as many of either as it has cells, so
 * nothing is looked for by going through those that are there. */
struct lanes {
	size_t *first; /* index of the first cell of each */
	size_t count;
	size_t *slots; /* hash table of their numbers + 1; 0: empty */
	size_t size; /* power of two, more than twice as many as there are cells */
	struct avd__hash_key key;
	uint64_t (*hash)(const struct avd__hash_key *key, const struct avd_cell_result *cell);
	int (*same)(const struct avd_cell_result *a, const struct avd_cell_result *b);
};

static size_t lane_of(struct lanes *lanes, const avd_results *results, size_t index)
{
	const struct avd_cell_result cell = avd__results_cell(results, index);
	size_t at = avd__hash_slot(&lanes->key, lanes->hash(&lanes->key, &cell), lanes->size);
	for (; lanes->slots[at]; at = (at + 1) & (lanes->size - 1)) {
		const size_t lane = lanes->slots[at] - 1;
		const struct avd_cell_result first = avd__results_cell(results, lanes->first[lane]);
		if (lanes->same(&first, &cell))
			return lane;
	}
	lanes->first[lanes->count] = index;
	lanes->slots[at] = ++lanes->count;
	return lanes->count - 1;
}

/* Of each cell the number of its lane; 0 or -ENOMEM. */
static int find_lanes(struct lanes *lanes, const struct avd__grid *grid, size_t *lane)
{
	lanes->key = avd__hash_key();
	lanes->size = 16;
	while (lanes->size <= 2 * grid->cells)
		lanes->size *= 2;
	lanes->first = calloc(grid->cells + 1, sizeof(*lanes->first));
	lanes->slots = calloc(lanes->size, sizeof(*lanes->slots));
	const int r = lanes->first && lanes->slots ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < grid->cells; i++)
		lane[i] = lane_of(lanes, grid->results, i);
	free(lanes->slots);
	lanes->slots = NULL;
	return r;
}

/* One place a cell, for results that would leave a table all but empty. */
static void make_list(struct avd__grid *grid, size_t *row, size_t *column)
{
	grid->is_list = 1;
	grid->kernel_count = 1;
	grid->kernels[0] = "";
	grid->row_count = grid->cells;
	for (size_t i = 0; i < grid->cells; i++) {
		grid->rows[i] = row[i] = i;
		column[i] = 0;
	}
}

/* Where each cell stands. */
static int place(struct avd__grid *grid, size_t *row, size_t *column)
{
	struct lanes rows = {.hash = hash_row, .same = same_row};
	struct lanes columns = {.hash = hash_column, .same = same_column};
	int r = find_lanes(&rows, grid, row);
	if (r == 0)
		r = find_lanes(&columns, grid, column);
	grid->rows = rows.first;
	grid->row_count = rows.count;
	grid->kernel_count = columns.count;
	for (size_t i = 0; r == 0 && i < columns.count; i++)
		grid->kernels[i] = avd__results_cell(grid->results, columns.first[i]).kernel;
	free(columns.first);
	if (r < 0)
		return r;
	/* No product overflows: neither has more than AVD_PLAN_CELLS_MAX, or memory would not do.
	 */
	if (grid->row_count * grid->kernel_count > GRID_PLACES_FREE + GRID_SPARSE * grid->cells)
		make_list(grid, row, column);
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
	const int r = row && column && grid->kernels ? place(grid, row, column) : -ENOMEM;
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
