// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "verifier/fold_internal.h"

/* Handed out at a time. */
#define PIECE 65536u
/* Loops in loops; each has at least two lines more than what it holds, so 2^18 records could nest
 * deeper, but not for any reader. Deeper ones are not indented further. */
#define DEPTH_SHOWN 16u

/* A loop whose body is one line. */
static int is_line_loop(const struct avd__fold_record *record)
{
	return record->kind == FOLD_LOOP && record->size == 1 && record[1].kind == FOLD_TEXT;
}

struct printer {
	const struct avd__fold *fold;
	avd_verifier_text_fn fn;
	void *userdata;
	struct avd__buf out;
	uint32_t *open; /* records of the loops that are open */
	uint32_t *end; /* where each one's body ends */
	size_t depth, cap;
	int error;
};

static void flush(struct printer *printer, size_t above)
{
	if (printer->out.error || printer->error || printer->out.len <= above)
		return;
	const int r = printer->fn(printer->userdata, printer->out.data, printer->out.len);
	printer->error = r < 0 ? r : 0;
	printer->out.len = 0;
}

static void indent(struct printer *printer)
{
	for (size_t i = 0; i < printer->depth && i < DEPTH_SHOWN; i++)
		avd__buf_puts(&printer->out, "| ");
}

static void put_times(struct printer *printer, const char *mark,
		      const struct avd__fold_record *loop)
{
	avd__buf_printf(&printer->out, "%s %" PRIu32, mark, loop->least);
	if (loop->least != loop->most)
		avd__buf_printf(&printer->out, " to %" PRIu32, loop->most);
	avd__buf_puts(&printer->out, " times");
}

static void close_loop(struct printer *printer)
{
	const struct avd__fold_record *loop =
		&printer->fold->records[printer->open[--printer->depth]];
	indent(printer);
	put_times(printer, "\\", loop);
	avd__buf_printf(&printer->out, ", %" PRIu64 " lines\n", loop->more);
}

static int open_loop(struct printer *printer, uint32_t record)
{
	const struct avd__fold_record *loop = &printer->fold->records[record];
	if (printer->depth == printer->cap) {
		const size_t cap = printer->cap ? printer->cap * 2 : 16;
		uint32_t *open = realloc(printer->open, cap * sizeof(*open));
		if (!open)
			return -ENOMEM;
		printer->open = open;
		uint32_t *end = realloc(printer->end, cap * sizeof(*end));
		if (!end)
			return -ENOMEM;
		printer->end = end;
		printer->cap = cap;
	}
	indent(printer);
	put_times(printer, "/", loop);
	if (loop->at && loop->more % loop->at == 0)
		avd__buf_printf(&printer->out, ", %" PRIu64 " line%s each", loop->more / loop->at,
				loop->more == loop->at ? "" : "s");
	avd__buf_puts(&printer->out, ":\n");
	printer->open[printer->depth] = record;
	printer->end[printer->depth++] = record + 1 + loop->size;
	return 0;
}

static void put_text(struct printer *printer, const struct avd__fold_record *record)
{
	const char *text = printer->fold->text + record->at;
	size_t from = 0;
	for (size_t i = 0; i <= record->size; i++) { /* tabs are the kernel's own layout */
		if (i < record->size && text[i] != '\t')
			continue;
		if (i > from)
			avd__buf_escape(&printer->out, text + from, i - from);
		if (i < record->size)
			avd__buf_puts(&printer->out, "\t");
		from = i + 1;
	}
	if (record->more)
		avd__buf_printf(&printer->out, " ... (%" PRIu64 " bytes more)", record->more);
	avd__buf_puts(&printer->out, "\n");
}

/* Repeated lines take one: "* 59 times, 59 lines: mark_precise: ..." */
static void put_line_loop(struct printer *printer, const struct avd__fold_record *loop)
{
	indent(printer);
	put_times(printer, "*", loop);
	avd__buf_printf(&printer->out, ", %" PRIu64 " lines: ", loop->more);
	put_text(printer, loop + 1);
}

static void put_hole(struct printer *printer)
{
	avd__buf_printf(&printer->out,
			"- %" PRIu64 " lines (%" PRIu64
			" bytes) are left out here: over the limit of what is kept\n",
			printer->fold->left_out, printer->fold->left_out_bytes);
}

static int print_all(struct printer *printer)
{
	const struct avd__fold *fold = printer->fold;
	for (size_t i = 0;; i++) {
		while (printer->depth && printer->end[printer->depth - 1] == i)
			close_loop(printer);
		if (fold->left_out && i == fold->hole)
			put_hole(printer);
		if (i == fold->record_count || printer->out.error || printer->error)
			break;
		if (is_line_loop(&fold->records[i])) {
			put_line_loop(printer, &fold->records[i]);
			i++; /* its line */
		} else if (fold->records[i].kind == FOLD_LOOP) {
			const int r = open_loop(printer, (uint32_t)i);
			if (r < 0)
				return r;
		} else {
			indent(printer);
			put_text(printer, &fold->records[i]);
		}
		flush(printer, PIECE);
	}
	flush(printer, 0);
	return printer->out.error ? printer->out.error : printer->error;
}

int avd__fold_print(const struct avd__fold *fold, avd_verifier_text_fn fn, void *userdata)
{
	struct printer printer = {.fold = fold, .fn = fn, .userdata = userdata};
	const int r = print_all(&printer);
	avd__buf_free(&printer.out);
	free(printer.open);
	free(printer.end);
	return r;
}

uint64_t avd__fold_lines(const struct avd__fold *fold)
{
	uint64_t lines = fold->record_count + (fold->left_out ? 1 : 0);
	for (size_t i = 0; i < fold->record_count; i++)
		if (is_line_loop(&fold->records[i]))
			lines--; /* one line for two records */
		else
			lines += fold->records[i].kind == FOLD_LOOP; /* it has a foot too */
	return lines;
}

int avd__fold_is_ours(struct avd_str line)
{
	return line.len >= 2 && line.data[1] == ' ' &&
	       (line.data[0] == '/' || line.data[0] == '|' || line.data[0] == '\\' ||
		line.data[0] == '-' || line.data[0] == '*');
}
