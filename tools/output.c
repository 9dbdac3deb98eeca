// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

#define COLUMNS_DEFAULT 80 /* where the terminal does not say */

int cli_parse_format(const struct cli_command *command, const char *text, uint32_t *ret_format)
{
	static const char *const formats[] = {[CLI_TEXT] = "text", [CLI_JSON] = "json"};
	return cli_parse_word(command, "format", text, formats, CLI_COUNT(formats), ret_format);
}

int cli_may_redraw(FILE *file)
{
	const char *term = getenv("TERM");
	return isatty(fileno(file)) && term && strcmp(term, "dumb") != 0;
}

int cli_may_color(FILE *file)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */
	return cli_may_redraw(file) && !(no_color && *no_color);
}

int cli_columns(FILE *file)
{
	struct winsize size = {0};
	return ioctl(fileno(file), TIOCGWINSZ, &size) < 0 || size.ws_col == 0 ? COLUMNS_DEFAULT
									      : size.ws_col;
}

int cli_print_report(const avd_stream *stream, uint32_t format, int verbose)
{
	struct avd_verdict verdict;
	char *text = NULL;
	size_t size = 0;
	uint32_t flags = verbose ? AVD_REPORT_VERBOSE : 0;

	if (cli_may_color(stdout))
		flags |= AVD_REPORT_COLOR;
	int r = avd_stream_verdict(stream, &verdict);
	if (r == 0 && format == CLI_JSON)
		r = avd_report_json(stream, flags, &text, &size);
	else if (r == 0)
		r = avd_report_text(stream, flags, &text, &size);
	if (r < 0)
		return cli_error("cannot write the report: %s", strerror(-r));
	fwrite(text, 1, size, stdout);
	avd_free(text);
	return verdict.result == AVD_RESULT_PASSED ? CLI_PASSED : CLI_FAILED;
}

void cli_print_outcome(const struct avd_cell_result *cell)
{
	fputs(avd_outcome_name(cell->outcome), stdout);
	if (cell->result_code != AVD_REASON_NONE)
		printf(" (%s)", avd_reason_code_name(cell->result_code));
}

void cli_print_clean(FILE *file, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c < 0x7f)
			fputc(c, file);
		else
			fprintf(file, "\\x%02x", c);
	}
}

void cli_print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			putchar(c);
		else
			printf("\\\\x%02x", c);
	}
	putchar('"');
}

int cli_finish(int code)
{
	static int told;
	if (told || (fflush(stdout) == 0 && !ferror(stdout)))
		return code;
	told = 1;
	return cli_error("cannot write to standard output: %s", strerror(errno));
}
