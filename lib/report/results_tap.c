// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * TAP version 14 (testanything.org), and KTAP as the kernel's own test tools read it
 * (Documentation/dev-tools/ktap.rst). A cell without a result is "not ok": neither format has a
 * word for "nobody knows", and a skipped test would pass.
 */
#include <string.h>

#include "report/results.h"
#include "sweep/result.h"

/* TAP::Parser, which comes with perl, takes no quoted string of more than 32,766 characters, and
 * loses the tests behind a longer one; an escape counts as one, at two bytes. */
#define YAML_TEXT_MAX ((size_t)32000)

/* A quoted string of YAML. Our text has no control characters. */
static void put_yaml(struct avd__buf *out, const char *key, const char *text)
{
	size_t len = strlen(text);
	if (len > YAML_TEXT_MAX) {
		len = YAML_TEXT_MAX;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80) /* UTF-8: inside of one */
			len--;
	}
	avd__buf_printf(out, "  %s: \"", key);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			avd__buf_puts(out, "\\");
		avd__buf_append(out, text + i, 1);
	}
	avd__buf_puts(out, text[len] ? " [cut]\"\n" : "\"\n");
}

/* A cell's id as a description. No plan makes one with '#' or a backslash, but an index may be
 * forged, and behind a '#' a reader looks for SKIP and TODO: "not ok" would count as a pass. TAP 14
 * escapes it by a backslash, which older readers don't know, and a name of KTAP must have none at
 * all; so it is shown like other bytes that are in the way. A backslash stands for itself in KTAP,
 * and is doubled in TAP, as it asks for. */
static void put_id(struct avd__buf *out, const char *id, const char *backslash)
{
	while (*id) {
		const size_t plain = strcspn(id, "#\\");
		avd__buf_append(out, id, plain);
		id += plain;
		if (!*id)
			break;
		avd__buf_puts(out, backslash);
		if (*id++ == '#')
			avd__buf_puts(out, "x23");
	}
}

void avd__results_tap(struct avd__buf *out, const avd_results *results)
{
	const size_t count = avd__results_counts(results).cells;
	avd__buf_printf(out, "TAP version 14\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		const struct avd_cell_result cell = avd__results_cell(results, i);
		char expect[64];
		avd__buf_printf(out, "%s %zu - ", cell.met ? "ok" : "not ok", i + 1);
		put_id(out, cell.id, "\\\\");
		avd__buf_puts(out, "\n  ---\n");
		put_yaml(out, "outcome", avd_outcome_name(cell.outcome));
		put_yaml(out, "result", avd_result_name(cell.result));
		avd_expectation_print(&cell.expect, expect, sizeof(expect));
		put_yaml(out, "expected", expect);
		avd__buf_printf(out, "  duration_ms: %llu.%03llu\n",
				(unsigned long long)(cell.wall_ns / 1000000),
				(unsigned long long)(cell.wall_ns / 1000 % 1000));
		if (cell.result_code != AVD_REASON_NONE) {
			put_yaml(out, "code", avd_reason_code_name(cell.result_code));
			put_yaml(out, "message", cell.result_reason);
		}
		if (!cell.met)
			put_yaml(out, "command", cell.command);
		avd__buf_puts(out, "  ...\n");
	}
}

void avd__results_ktap(struct avd__buf *out, const avd_results *results)
{
	const size_t count = avd__results_counts(results).cells;
	avd__buf_printf(out, "KTAP version 1\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		const struct avd_cell_result cell = avd__results_cell(results, i);
		/* Diagnostic lines stand before the result that they are about. They begin with
		 * words of ours: "# Subtest: " would be an order. */
		if (!cell.met) {
			avd__buf_puts(out, "# ");
			avd__put_outcome(out, &cell);
			avd__buf_printf(out, ": %s\n# command: %s\n",
					avd_reason_words(cell.result_reason), cell.command);
		}
		avd__buf_printf(out, "%s %zu ", cell.met ? "ok" : "not ok", i + 1);
		put_id(out, cell.id, "\\");
		avd__buf_puts(out, "\n");
	}
}
