// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "report/lines.h"
#include "report/text.h"

/* A report that is read on a terminal fits a screen of 24 lines in the common cases. */
#define KERNEL_LINES_SHOWN 5u
#define OUTPUT_LINES_SHOWN 6u
#define OUTPUT_LINES_PASSED 2u /* enough to see that it is the right scheduler */
#define CONSOLE_LINES_SHOWN 8u
/* Of a line; verifier messages with a path in front fit. */
#define LINE_SHOWN_MAX 160u

static void put_line(struct avd__text *text, const char *bytes, size_t len)
{
	while (len && (bytes[len - 1] == ' ' || bytes[len - 1] == '\t'))
		len--;
	size_t shown = len;
	if (!text->verbose && len > LINE_SHOWN_MAX) {
		shown = LINE_SHOWN_MAX;
		while (shown > LINE_SHOWN_MAX - 3 && ((uint8_t)bytes[shown] & 0xc0) == 0x80)
			shown--; /* not inside a character of UTF-8 */
	}
	size_t from = 0;
	for (size_t i = 0; i <= shown; i++) {
		if (i < shown && bytes[i] != '\t')
			continue;
		avd__buf_escape(&text->out, bytes + from, i - from);
		if (i < shown)
			avd__buf_puts(&text->out, "    ");
		from = i + 1;
	}
	if (shown < len)
		avd__buf_printf(&text->out, " ... (%zu bytes more)", len - shown);
	avd__buf_puts(&text->out, "\n");
}

/* The label before the first line, a bar before each. */
static void put_bar(struct avd__text *text, const char *label, int first)
{
	avd__text_row(text, first ? label : "");
	avd__buf_puts(&text->out, "| ");
}

/* "[    3.663260]  kernel_init+0x1f/0x140": a line of a backtrace, which tells least of what the
 * console's last lines could. */
static int is_console_trace(struct avd_str line)
{
	const char *end = line.len ? memchr(line.data, ']', line.len) : NULL;
	const size_t rest = end ? line.len - (size_t)(end - line.data) : 0;
	return line.data[0] == '[' && rest > 2 && end[1] == ' ' && end[2] == ' ';
}

/* Leaves the backtraces out. */
static void keep_telling(struct avd__lines *lines)
{
	size_t kept = 0;
	for (size_t i = 0; i < lines->count; i++) {
		if (!is_console_trace(lines->line[i]))
			lines->line[kept++] = lines->line[i];
	}
	lines->count = kept;
}

/* The last lines of an output. */
static int quote_tail(struct avd__text *text, const char *label, const struct avd__tail *tail,
		      size_t most, uint64_t dropped)
{
	struct avd__lines lines;
	if (!tail->total)
		return 0;
	const int r = avd__lines_load(&lines, tail);
	if (r < 0)
		return r;
	if (tail == &text->ev->console && !text->verbose)
		keep_telling(&lines);
	const size_t from = !text->verbose && lines.count > most ? lines.count - most : 0;
	for (size_t i = from; i < lines.count; i++) {
		put_bar(text, label, i == from);
		put_line(text, lines.line[i].data, lines.line[i].len);
	}
	if (dropped) {
		avd__text_row(text, lines.count ? "" : label);
		avd__buf_printf(&text->out, "(%" PRIu64 " bytes more were over the limit)\n",
				dropped);
	}
	avd__lines_free(&lines);
	return 0;
}

/* Lines of a backtrace are indented (kernel/sched/ext.c, scx_dump_state(); stack_trace_print()). */
static int is_backtrace(const struct avd__kernel_line *line)
{
	return line->len && (line->text[0] == ' ' || line->text[0] == '\t');
}

static void quote_kernel(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	const uint32_t count = ev->kernel_line_count;
	uint32_t telling = 0, seen = 0, shown = 0;
	for (uint32_t i = 0; i < count; i++)
		telling += !is_backtrace(avd__evidence_kernel_line(ev, i));
	for (uint32_t i = 0; i < count; i++) {
		const struct avd__kernel_line *line = avd__evidence_kernel_line(ev, i);
		if (!text->verbose) {
			if (is_backtrace(line))
				continue;
			/* The first lines tell the cause, the last one the end. */
			if (++seen >= KERNEL_LINES_SHOWN && seen < telling)
				continue;
		}
		put_bar(text, "kernel log", shown++ == 0);
		avd__buf_printf(&text->out, "[%5" PRIu64 ".%06" PRIu64 "] ",
				line->time_us / 1000000, line->time_us % 1000000);
		put_line(text, line->text, line->len);
	}
	if (ev->kernel_lines_total > shown) {
		avd__text_row(text, shown ? "" : "kernel log");
		avd__buf_printf(&text->out, "(%" PRIu64 " lines more%s)\n",
				ev->kernel_lines_total - shown, text->verbose ? "" : ": -v");
	}
}

int avd__text_quotes(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	const int passed = text->verdict->result == AVD_RESULT_PASSED;
	const int unconfirmed = text->verdict->outcome == AVD_OUTCOME_UNCONFIRMED;
	const size_t most = passed ? OUTPUT_LINES_PASSED : OUTPUT_LINES_SHOWN;
	static const struct {
		uint32_t stream;
		const char *label;
	} output[] = {
		{AVD_STREAM_SCHEDULER_STDOUT, "stdout"},
		{AVD_STREAM_SCHEDULER_STDERR, "stderr"},
		{AVD_STREAM_PAYLOAD_STDOUT, "payload out"},
		{AVD_STREAM_PAYLOAD_STDERR, "payload err"},
		{AVD_STREAM_INIT, "init"},
	};

	quote_kernel(text);
	if (text->verbose) {
		const int r = quote_tail(text, "dump", &ev->output[AVD_STREAM_DUMP], most,
					 ev->output_dropped[AVD_STREAM_DUMP]);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < AVD__ARRAY_SIZE(output); i++) {
		const uint32_t stream = output[i].stream;
		if (stream == AVD_STREAM_INIT && !unconfirmed && !text->verbose)
			continue;
		const int r = quote_tail(text, output[i].label, &ev->output[stream], most,
					 ev->output_dropped[stream]);
		if (r < 0)
			return r;
	}
	if (unconfirmed || text->verbose)
		return quote_tail(text, "console", &ev->console, CONSOLE_LINES_SHOWN, 0);
	return 0;
}
