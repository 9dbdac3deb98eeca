// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The programs of a recording or log as a table, and as veristat's CSV. */
#include "report/verifier_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "report/format.h"

#define NAME_SHOWN_MAX 48u /* a longer name pushes its own row out of the columns */

const struct avd__csv_column avd__csv_columns[AVD__CSV_COLUMNS] = {
	{"duration", AVD_FIGURE_TIME_NS, 1000},
	{"total_insns", AVD_FIGURE_PROCESSED_INSNS, 1},
	{"total_states", AVD_FIGURE_TOTAL_STATES, 1},
	{"peak_states", AVD_FIGURE_PEAK_STATES, 1},
	{"max_states_per_insn", AVD_FIGURE_MAX_STATES_PER_INSN, 1},
	{"max_mark_read_len", AVD_FIGURE_MARK_READ, 1},
};

/* Columns of the table, in its order. */
static const struct {
	const char *head;
	uint32_t figure;
} columns[] = {
	{"verified", AVD_FIGURE_VERIFIED_INSNS},
	{"processed", AVD_FIGURE_PROCESSED_INSNS},
	{"states", AVD_FIGURE_TOTAL_STATES},
	{"peak", AVD_FIGURE_PEAK_STATES},
	{"max/insn", AVD_FIGURE_MAX_STATES_PER_INSN},
	{"time", AVD_FIGURE_TIME_NS},
	{"stack", AVD_FIGURE_STACK_DEPTH},
	{"xlated", AVD_FIGURE_XLATED_BYTES},
	{"jited", AVD_FIGURE_JITED_BYTES},
};
#define COLUMN_COUNT AVD__ARRAY_SIZE(columns)
/* The longest figure: 20 digits and the letter of its source. */
#define CELL_MAX 32u

int avd__is_listed(const struct avd_program *program)
{
	return program->order == 0 || !avd__is_trial_name(program->name.data);
}

void avd__put_figure(struct avd__buf *out, uint32_t figure, uint64_t value)
{
	if (figure != AVD_FIGURE_TIME_NS)
		avd__buf_printf(out, "%" PRIu64, value);
	else if (value < 1000000)
		avd__buf_printf(out, "%" PRIu64 "us", value / 1000);
	else if (value < UINT64_C(10000000000))
		avd__buf_printf(out, "%" PRIu64 ".%" PRIu64 "ms", value / 1000000,
				value / 100000 % 10);
	else
		avd__buf_printf(out, "%" PRIu64 "s", value / UINT64_C(1000000000));
}

/* Figure and the letter of its source, or a dash. */
static void format_cell(char cell[CELL_MAX], const struct avd_program *program, uint32_t figure)
{
	static const char letters[] = {
		[AVD_FIGURE_FROM_LOG] = 'l',
		[AVD_FIGURE_FROM_PROBE] = 'p',
		[AVD_FIGURE_FROM_PROG_INFO] = 'i',
	};
	const uint32_t source = program->sources[figure];
	struct avd__buf text = {0};
	snprintf(cell, CELL_MAX, "-");
	if (source == AVD_FIGURE_NONE || source >= sizeof(letters))
		return;
	avd__put_figure(&text, figure, program->figures[figure]);
	if (!text.error)
		snprintf(cell, CELL_MAX, "%.29s %c", text.data, letters[source]);
	avd__buf_free(&text);
}

struct widths {
	size_t name, type, column[COLUMN_COUNT];
};

static void widen(size_t *width, size_t len)
{
	if (len > *width)
		*width = len < NAME_SHOWN_MAX ? len : NAME_SHOWN_MAX;
}

static const char *name_of(const struct avd_program *program)
{
	return program->name.len ? program->name.data : "(no name)";
}

static struct widths measure(const avd_verifier *verifier)
{
	struct widths widths = {.name = strlen("program"), .type = strlen("type")};
	struct avd_program program;
	char cell[CELL_MAX];
	for (size_t k = 0; k < COLUMN_COUNT; k++)
		widths.column[k] = strlen(columns[k].head);
	for (uint32_t i = 0; avd_verifier_program(verifier, i, sizeof(program), &program) == 0;
	     i++) {
		if (!avd__is_listed(&program))
			continue;
		widen(&widths.name, strlen(name_of(&program)));
		widen(&widths.type, program.type.len);
		for (size_t k = 0; k < COLUMN_COUNT; k++) {
			format_cell(cell, &program, columns[k].figure);
			widen(&widths.column[k], strlen(cell));
		}
	}
	return widths;
}

/* Why it was refused, and where. */
static void put_refusal(struct avd__buf *out, const struct avd_program *program)
{
	avd__buf_puts(out, "      refused");
	if (program->error) {
		avd__buf_puts(out, ": ");
		avd__put_errno(out, (uint32_t)program->error);
	}
	if (program->attempts > 1)
		avd__buf_printf(out, ", tried %" PRIu32 " times", program->attempts);
	avd__buf_puts(out, "\n");
	if (program->message.len || program->failing_insn >= 0) {
		avd__buf_puts(out, "      ");
		if (program->failing_insn >= 0)
			avd__buf_printf(out, "insn %" PRId64 "%s", program->failing_insn,
					program->message.len ? ": " : "");
		avd__buf_printf(out, "%s\n", program->message.data);
	}
	if (program->failing_code.len)
		avd__buf_printf(out, "      %s\n", program->failing_code.data);
	if (program->failing_source.len)
		avd__buf_printf(out, "      ; %s\n", program->failing_source.data);
}

static void put_log_flags(struct avd__buf *out, const struct avd_program *program)
{
	static const struct {
		uint32_t flag;
		const char *words;
	} told[] = {
		{AVD_PROGRAM_HEAD_MISSING,
		 "the log's start is missing: give the load a larger log buffer"},
		{AVD_PROGRAM_TAIL_MISSING, "the log's end is missing"},
		{AVD_PROGRAM_ELIDED, "the collapsed log has a hole: its limit was reached"},
	};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(told); i++) {
		if (program->flags & told[i].flag)
			avd__buf_printf(out, "      %s\n", told[i].words);
	}
}

static void put_row(struct avd__buf *out, const struct widths *widths,
		    const struct avd_program *program)
{
	char cell[CELL_MAX];
	if (program->order)
		avd__buf_printf(out, "%4" PRIu32, program->order);
	else
		avd__buf_puts(out, "   -");
	avd__buf_printf(out, "  %-*s  %-*s  %-7s", (int)widths->name, name_of(program),
			(int)widths->type, program->type.len ? program->type.data : "-",
			avd_program_verdict_name(program->verdict));
	for (size_t k = 0; k < COLUMN_COUNT; k++) {
		format_cell(cell, program, columns[k].figure);
		avd__buf_printf(out, "  %*s", (int)widths->column[k], cell);
	}
	avd__buf_puts(out, "\n");
	if (program->verdict == AVD_PROGRAM_FAILURE)
		put_refusal(out, program);
	put_log_flags(out, program);
}

static void put_table(struct avd__buf *out, const avd_verifier *verifier)
{
	const struct widths widths = measure(verifier);
	struct avd_program program;
	uint64_t shown = 0, trials = 0;
	for (uint32_t i = 0; avd_verifier_program(verifier, i, sizeof(program), &program) == 0;
	     i++) {
		if (!avd__is_listed(&program)) {
			trials++;
			continue;
		}
		if (shown++ == 0) {
			avd__buf_printf(out, "load  %-*s  %-*s  %-7s", (int)widths.name, "program",
					(int)widths.type, "type", "verdict");
			for (size_t k = 0; k < COLUMN_COUNT; k++)
				avd__buf_printf(out, "  %*s", (int)widths.column[k],
						columns[k].head);
			avd__buf_puts(out, "\n");
		}
		put_row(out, &widths, &program);
	}
	if (!shown)
		avd__buf_puts(out,
			      "no program: neither a frame nor a verifier's log tells of one\n");
	else
		avd__buf_puts(out, "\nfigures: l from the verifier's log, p from the probe in the "
				   "verifier, i asked of the\nloaded program; - nobody told\n");
	if (trials)
		avd__buf_printf(out, "(%" PRIu64 " trial%s of libbpf left out)\n", trials,
				trials == 1 ? "" : "s");
	if (avd_verifier_programs_lost(verifier))
		avd__buf_printf(out, "(%" PRIu64 " programs more were over the limit)\n",
				avd_verifier_programs_lost(verifier));
}

/* veristat takes a line apart at its commas and knows no quotes; other readers do, and one at the
 * start of a name would swallow the rows behind it. What a spreadsheet would take for a formula
 * gets the apostrophe with which one writes it as text (no name of C starts so). */
void avd__put_csv(struct avd__buf *out, const char *text)
{
	if (*text && strchr("=+-@", *text))
		avd__buf_puts(out, "'");
	for (; *text; text++)
		avd__buf_append(out, *text == ',' ? ";" : *text == '"' ? "'" : text, 1);
}

void avd__put_csv_head(struct avd__buf *out)
{
	avd__buf_puts(out, "file_name,prog_name,verdict");
	for (size_t k = 0; k < AVD__CSV_COLUMNS; k++)
		avd__buf_printf(out, ",%s", avd__csv_columns[k].name);
	avd__buf_puts(out, "\n");
}

size_t avd__put_csv_rows(struct avd__buf *out, const avd_verifier *verifier, const char *file_name)
{
	struct avd_program program;
	size_t rows = 0;
	for (uint32_t i = 0; avd_verifier_program(verifier, i, sizeof(program), &program) == 0;
	     i++) {
		/* veristat has no third verdict. */
		if (!avd__is_listed(&program) || program.verdict == AVD_PROGRAM_UNKNOWN)
			continue;
		avd__put_csv(out, file_name);
		avd__buf_puts(out, ",");
		avd__put_csv(out, name_of(&program));
		avd__buf_printf(out, ",%s", avd_program_verdict_name(program.verdict));
		for (size_t k = 0; k < AVD__CSV_COLUMNS; k++)
			avd__buf_printf(out, ",%" PRIu64,
					program.figures[avd__csv_columns[k].figure] /
						avd__csv_columns[k].divisor);
		avd__buf_puts(out, "\n");
		rows++;
	}
	return rows;
}

int avd_verifier_report(const avd_verifier *verifier, uint32_t format, char **ret_text,
			size_t *ret_size)
{
	struct avd__buf out = {0};
	if (!verifier || !ret_text)
		return -EINVAL;
	switch (format) {
	case AVD_VERIFIER_TEXT:
		put_table(&out, verifier);
		break;
	case AVD_VERIFIER_JSON:
		avd__verifier_json(verifier, &out);
		break;
	case AVD_VERIFIER_CSV:
		avd__put_csv_head(&out);
		avd__put_csv_rows(&out, verifier, avd_verifier_origin(verifier));
		break;
	default:
		return -EINVAL;
	}
	return avd__buf_take(&out, ret_text, ret_size);
}
