// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/console.h"

#include <string.h>

#include "base/buf.h"

/* kernel/panic.c */
static const char panic_mark[] = "Kernel panic - not syncing";

/* arch/x86/kernel/dumpstack.c (__die_header), arch/x86/mm/fault.c, lib/bug.c, kernel/watchdog.c.
 * Each with what must stand before it, so that a word in a message is no hit. */
static const char *const oops_marks[] = {
	"Oops: ", "kernel BUG at ", "BUG: ", "general protection fault", "watchdog: BUG: ",
};

/* The kernel's own text begins after "[    1.234567] ", or "[    1.234567][    T1] " with
 * CONFIG_PRINTK_CALLER. */
static size_t timestamp_len(const char *line, size_t len)
{
	size_t i = 0;
	while (i < len && line[i] == '[') {
		size_t end = i + 1;
		while (end < len && line[end] && strchr(" .0123456789TC", line[end]))
			end++;
		if (end == len || line[end] != ']')
			break;
		i = end + 1;
	}
	return i < len && line[i] == ' ' ? i + 1 : i;
}

static void look_at_line(struct avd__console *console)
{
	const size_t skip = timestamp_len(console->line, console->line_len);
	const char *text = console->line + skip;
	const size_t len = console->line_len - skip;
	console->line_len = 0;
	if (!console->panic[0] && memmem(text, len, panic_mark, sizeof(panic_mark) - 1))
		avd__escape(console->panic, sizeof(console->panic), text, len);
	if (console->oops[0])
		return;
	for (size_t i = 0; i < sizeof(oops_marks) / sizeof(oops_marks[0]); i++) {
		const size_t mark_len = strlen(oops_marks[i]);
		if (len >= mark_len && memcmp(text, oops_marks[i], mark_len) == 0) {
			avd__escape(console->oops, sizeof(console->oops), text, len);
			return;
		}
	}
}

/* Puts bytes at their place in the ring; only the last AVD__CELL_CONSOLE_TAIL matter. */
static void keep_tail(struct avd__console *console, const uint8_t *bytes, size_t size)
{
	uint64_t at = console->total;
	console->total += size;
	if (size > sizeof(console->tail)) {
		const size_t cut = size - sizeof(console->tail);
		bytes += cut;
		size -= cut;
		at += cut;
	}
	const size_t start = (size_t)(at % sizeof(console->tail));
	size_t first = sizeof(console->tail) - start;
	if (first > size)
		first = size;
	memcpy(console->tail + start, bytes, first);
	memcpy(console->tail, bytes + first, size - first);
}

void avd__console_feed(struct avd__console *console, const void *bytes, size_t size)
{
	const char *p = bytes;
	if (size == 0)
		return;
	keep_tail(console, bytes, size);
	while (size) {
		/* A serial console ends lines with \r\n. */
		size_t span = 0;
		while (span < size && p[span] != '\n' && p[span] != '\r')
			span++;
		size_t room = sizeof(console->line) - console->line_len;
		const size_t take = span < room ? span : room;
		memcpy(console->line + console->line_len, p, take);
		console->line_len += (uint32_t)take;
		if (span == size)
			return;
		look_at_line(console);
		p += span + 1;
		size -= span + 1;
	}
}

void avd__console_end(struct avd__console *console)
{
	look_at_line(console);
}

size_t avd__console_tail(const struct avd__console *console, uint8_t *out)
{
	if (console->total <= sizeof(console->tail)) {
		memcpy(out, console->tail, (size_t)console->total);
		return (size_t)console->total;
	}
	const size_t start = (size_t)(console->total % sizeof(console->tail));
	memcpy(out, console->tail + start, sizeof(console->tail) - start);
	memcpy(out + sizeof(console->tail) - start, console->tail, start);
	return sizeof(console->tail);
}
