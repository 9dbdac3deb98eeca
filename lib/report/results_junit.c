// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * JUnit XML, as CI systems read it: a test suite a scheduler, a test case a cell. What is not as
 * expected is a failure, what has no result an error.
 */
#include <string.h>

#include "report/results.h"

/* Our text is UTF-8 without control characters and noncharacters: all of it is XML's (1.0, 2.2). */
static void put_xml(struct avd__buf *out, const char *text)
{
	while (*text) {
		const size_t len = strcspn(text, "<>&\"");
		avd__buf_append(out, text, len);
		text += len;
		if (!*text)
			break;
		avd__buf_puts(out, *text == '<'	  ? "&lt;"
				   : *text == '>' ? "&gt;"
				   : *text == '&' ? "&amp;"
						  : "&quot;");
		text++;
	}
}

static void put_attribute(struct avd__buf *out, const char *name, const char *text)
{
	avd__buf_printf(out, " %s=\"", name);
	put_xml(out, text);
	avd__buf_puts(out, "\"");
}

static void put_seconds(struct avd__buf *out, uint64_t ns)
{
	avd__buf_printf(out, " time=\"%llu.%03llu\"", (unsigned long long)(ns / 1000000000),
			(unsigned long long)(ns / 1000000 % 1000));
}

static void put_case(struct avd__buf *out, const struct avd_cell_result *cell)
{
	const char *kind = cell->ran && *cell->recording ? "failure" : "error";
	char expect[64];
	avd__buf_puts(out, "    <testcase");
	put_attribute(out, "classname", cell->scheduler);
	put_attribute(out, "name", cell->id);
	put_seconds(out, cell->wall_ns);
	if (cell->met) {
		avd__buf_puts(out, "/>\n");
		return;
	}
	avd_expectation_print(&cell->expect, expect, sizeof(expect));
	avd__buf_printf(out, ">\n      <%s", kind);
	put_attribute(out, "type", avd_reason_code_name(cell->result_code));
	put_attribute(out, "message", cell->result_reason);
	avd__buf_printf(out, ">%s, expected %s\n", avd_outcome_name(cell->outcome), expect);
	put_xml(out, cell->command);
	avd__buf_printf(out, "</%s>\n    </testcase>\n", kind);
}

struct suite {
	size_t tests, failures, errors;
	uint64_t wall_ns;
};

static void count(struct suite *suite, const struct avd_cell_result *cell)
{
	const int error = !cell->met && !(cell->ran && *cell->recording);
	suite->tests++;
	suite->errors += (size_t)error;
	suite->failures += (size_t)(!cell->met && !error);
	suite->wall_ns += cell->wall_ns;
}

static void put_suite(struct avd__buf *out, const char *element, const char *name,
		      const struct suite *suite)
{
	avd__buf_printf(out, "<%s", element);
	put_attribute(out, "name", name);
	avd__buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", suite->tests,
			suite->failures, suite->errors);
	put_seconds(out, suite->wall_ns);
	avd__buf_puts(out, ">\n");
}

void avd__results_junit(struct avd__buf *out, const avd_results *results)
{
	const size_t cells = avd__results_counts(results).cells;
	struct suite all = {0};
	for (size_t i = 0; i < cells; i++) {
		const struct avd_cell_result cell = avd__results_cell(results, i);
		count(&all, &cell);
	}
	avd__buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	put_suite(out, "testsuites", "attachverdict", &all);
	for (size_t first = 0, next; first < cells; first = next) {
		const struct avd_cell_result head = avd__results_cell(results, first);
		struct suite suite = {0};
		for (next = first; next < cells; next++) {
			const struct avd_cell_result cell = avd__results_cell(results, next);
			if (strcmp(cell.scheduler, head.scheduler) != 0)
				break;
			count(&suite, &cell);
		}
		avd__buf_puts(out, "  ");
		put_suite(out, "testsuite", head.scheduler, &suite);
		for (size_t i = first; i < next; i++) {
			const struct avd_cell_result cell = avd__results_cell(results, i);
			put_case(out, &cell);
		}
		avd__buf_puts(out, "  </testsuite>\n");
	}
	avd__buf_puts(out, "</testsuites>\n");
}
