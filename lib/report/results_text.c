// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The grid as text and as Markdown, with what is not as expected below it. */
#include <errno.h>
#include <string.h>

#include "report/format.h"
#include "report/results.h"
#include "sweep/result.h"

static void put_counts(struct avd__buf *out, const avd_results *results)
{
	const struct avd_results_counts counts = avd__results_counts(results);
	avd__buf_printf(out, "%zu cell%s: %zu as expected, %zu not, %zu without a result",
			counts.cells, counts.cells == 1 ? "" : "s", counts.met, counts.unmet,
			counts.cells - counts.ran);
	if (counts.lost)
		avd__buf_printf(out, ", %zu of them lost", counts.lost);
}

/* What stands in a place of the grid: short, and clear without colours. */
static void put_place(struct avd__buf *out, const struct avd__grid *grid, size_t row, size_t column)
{
	const size_t at = grid->at[row * grid->kernel_count + column];
	if (!at)
		return;
	const struct avd_cell_result cell = avd__results_cell(grid->results, at - 1);
	if (!cell.ran) {
		avd__buf_puts(out, cell.result_code == AVD_REASON_LOST ? "LOST" : "NOT RUN");
		return;
	}
	if (!cell.met)
		avd__buf_puts(out, "! ");
	if (cell.result == AVD_RESULT_PASSED)
		avd__buf_puts(out, "passed");
	else
		avd__put_outcome(out, &cell);
}

/* Bytes that were put since `start`, padded to `width`. */
static void pad(struct avd__buf *out, size_t start, size_t width)
{
	const size_t len = out->len - start;
	avd__buf_printf(out, "%*s", (int)(len < width ? width - len : 0), "");
}

/* Widths are found by writing each place once into a buffer that is thrown away. */
static size_t widest(const struct avd__grid *grid, size_t column, int *failed)
{
	size_t width = column < grid->kernel_count ? strlen(grid->kernels[column]) : 0;
	struct avd__buf place = {0};
	for (size_t row = 0; row < grid->row_count; row++) {
		place.len = 0;
		if (column < grid->kernel_count)
			put_place(&place, grid, row, column);
		else
			avd__grid_label(&place, grid, row);
		if (place.len > width)
			width = place.len;
	}
	*failed |= place.error;
	avd__buf_free(&place);
	return width;
}

static void put_row(struct avd__buf *out, const struct avd__grid *grid, size_t row, size_t label,
		    size_t width)
{
	const size_t start = out->len;
	avd__grid_label(out, grid, row);
	pad(out, start, label);
	for (size_t column = 0; column < grid->kernel_count; column++) {
		avd__buf_puts(out, "  ");
		const size_t from = out->len;
		put_place(out, grid, row, column);
		if (column + 1 < grid->kernel_count)
			pad(out, from, width);
	}
	avd__buf_puts(out, "\n");
}

void avd__results_text(struct avd__buf *out, const avd_results *results)
{
	struct avd__grid grid;
	size_t width = 0;
	int failed = 0;
	if (avd__grid_make(&grid, results) < 0) {
		out->error = -ENOMEM;
		return;
	}
	const size_t label = widest(&grid, grid.kernel_count, &failed);
	for (size_t column = 0; column < grid.kernel_count; column++) {
		const size_t wide = widest(&grid, column, &failed);
		width = wide > width ? wide : width;
	}
	avd__buf_printf(out, "%*s", (int)label, "");
	for (size_t column = 0; column < grid.kernel_count; column++)
		avd__buf_printf(out, "  %-*s", column + 1 < grid.kernel_count ? (int)width : 0,
				grid.kernels[column]);
	avd__buf_puts(out, "\n");
	for (size_t row = 0; row < grid.row_count; row++)
		put_row(out, &grid, row, label, width);
	avd__buf_puts(out, "\n");
	for (size_t i = 0; i < grid.cells; i++) {
		const struct avd_cell_result cell = avd__results_cell(results, i);
		char expect[64];
		if (cell.met)
			continue;
		/* What it came to, why, and how to see it alone. */
		avd_expectation_print(&cell.expect, expect, sizeof(expect));
		avd__buf_printf(out, "not ok %s: ", cell.id);
		avd__put_outcome(out, &cell);
		avd__buf_printf(out, ", expected %s: %s\n    %s\n", expect,
				avd_reason_words(cell.result_reason), cell.command);
	}
	put_counts(out, results);
	avd__buf_puts(out, "\n");
	if (failed)
		out->error = failed;
	avd__grid_free(&grid);
}

/* Markdown takes some characters of ours for its own. */
static void put_markdown(struct avd__buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_{}[]<>|#~&", *text))
			avd__buf_puts(out, "\\");
		avd__buf_append(out, text, 1);
	}
}

/* Text of a guest, a plan or a forged index, as code: nothing in it becomes a link, calls somebody
 * by @name or refers to an issue, which no backslash prevents: who shows a page looks for these in
 * what Markdown has made of it, but not in code. Two characters can't be in code everywhere: a
 * backtick ends it, a bar ends a table's cell; they stand between two pieces. */
static void put_code(struct avd__buf *out, const char *text)
{
	while (*text) {
		const size_t plain = strcspn(text, "`|");
		if (plain) {
			avd__buf_puts(out, "`");
			avd__buf_append(out, text, plain);
			avd__buf_puts(out, "`");
		}
		text += plain;
		if (*text) {
			avd__buf_puts(out, "\\");
			avd__buf_append(out, text++, 1);
		}
	}
}

/* Puts what was gathered, and empties that. */
static void put_gathered(struct avd__buf *out, struct avd__buf *gathered,
			 void (*put)(struct avd__buf *out, const char *text))
{
	if (gathered->error)
		out->error = gathered->error;
	else if (gathered->len)
		put(out, gathered->data);
	gathered->len = 0;
}

static void put_markdown_row(struct avd__buf *out, const struct avd__grid *grid, size_t row,
			     struct avd__buf *scratch)
{
	avd__buf_puts(out, "| ");
	avd__grid_label(scratch, grid, row);
	put_gathered(out, scratch, put_code);
	for (size_t column = 0; column < grid->kernel_count; column++) {
		avd__buf_puts(out, " | ");
		put_place(scratch, grid, row, column);
		put_gathered(out, scratch, put_markdown);
	}
	avd__buf_puts(out, " |\n");
}

static void put_markdown_unmet(struct avd__buf *out, const struct avd_cell_result *cell,
			       struct avd__buf *scratch)
{
	char expect[64];
	avd__buf_puts(out, "- ");
	put_code(out, cell->id);
	avd__buf_puts(out, ": ");
	avd__put_outcome(scratch, cell);
	avd_expectation_print(&cell->expect, expect, sizeof(expect));
	avd__buf_printf(scratch, ", expected %s: ", expect);
	put_gathered(out, scratch, put_markdown);
	put_code(out, avd_reason_words(cell->result_reason));
	avd__buf_puts(out, "\n");
}

void avd__results_markdown(struct avd__buf *out, const avd_results *results)
{
	struct avd__grid grid;
	struct avd__buf scratch = {0};
	if (avd__grid_make(&grid, results) < 0) {
		out->error = -ENOMEM;
		return;
	}
	put_counts(out, results);
	avd__buf_puts(out, ".\n\n| |");
	for (size_t column = 0; column < grid.kernel_count; column++) {
		avd__buf_puts(out, " ");
		put_code(out, grid.kernels[column]);
		avd__buf_puts(out, " |");
	}
	avd__buf_puts(out, "\n|---|");
	for (size_t column = 0; column < grid.kernel_count; column++)
		avd__buf_puts(out, "---|");
	avd__buf_puts(out, "\n");
	for (size_t row = 0; row < grid.row_count; row++)
		put_markdown_row(out, &grid, row, &scratch);
	avd__buf_puts(out, "\n");
	for (size_t i = 0; i < grid.cells; i++) {
		const struct avd_cell_result cell = avd__results_cell(results, i);
		if (!cell.met)
			put_markdown_unmet(out, &cell, &scratch);
	}
	avd__buf_free(&scratch);
	avd__grid_free(&grid);
}
