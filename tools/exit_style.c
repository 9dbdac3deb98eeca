// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "exit_style.h"

#include <string.h>

#define OPTION "--exit-style"
#define BISECT_SKIP 125
#define BISECT_ABORT 128
#define KSELFTEST_SKIP 4
#define TAP_BAIL_OUT 255

static const char *const styles[] = {[EXIT_STYLE_DEFAULT] = "default",
				     [EXIT_STYLE_TAP] = "tap",
				     [EXIT_STYLE_BISECT] = "bisect",
				     [EXIT_STYLE_KSELFTEST] = "kselftest"};

/* getopt_long() takes the beginning of a name for the whole; where it is that of two options it
 * refuses it, and the style does not matter. The value, or NULL. */
static const char *value_of(const char *word, const char *next)
{
	const size_t len = strcspn(word, "=");
	if (len < sizeof("--e") - 1 || len >= sizeof(OPTION) || strncmp(word, OPTION, len) != 0)
		return NULL;
	return word[len] ? word + len + 1 : next;
}

uint32_t exit_style_of(int argc, char **argv)
{
	uint32_t style = EXIT_STYLE_DEFAULT;
	for (int i = 1; i < argc && argv[i] && strcmp(argv[i], "--") != 0; i++) {
		const char *word = value_of(argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		for (uint32_t at = 0; word && at < CLI_COUNT(styles); at++) {
			if (strcmp(word, styles[at]) == 0)
				style = at;
		}
	}
	return style;
}

int exit_style_parse(const struct cli_command *command, const char *text, uint32_t *ret_style)
{
	return cli_parse_word(command, "exit-style", text, styles, CLI_COUNT(styles), ret_style);
}

static int bisect(int code, int unconfirmed)
{
	if (code == CLI_USAGE)
		return BISECT_ABORT;
	return code == CLI_NOT_TRIED || (code == CLI_FAILED && unconfirmed) ? BISECT_SKIP : code;
}

int exit_style_status(uint32_t style, int code)
{
	return exit_style_of_cells(style, code, 0, 0, 0);
}

static int status(uint32_t style, int code, int unconfirmed)
{
	switch (style) {
	case EXIT_STYLE_BISECT:
		return bisect(code, unconfirmed);
	case EXIT_STYLE_TAP:
		return code > CLI_FAILED ? TAP_BAIL_OUT : code;
	case EXIT_STYLE_KSELFTEST:
		return code == CLI_NOT_TRIED ? KSELFTEST_SKIP
		       : code == CLI_USAGE   ? CLI_FAILED
					     : code;
	default:
		return code;
	}
}

int exit_style_of_cells(uint32_t style, int code, size_t ran, size_t unmet, size_t unconfirmed)
{
	code = cli_finish(code);
	/* A skip would pass: that some could not be tried, or told, is no reason for one. */
	if (style == EXIT_STYLE_KSELFTEST && code == CLI_NOT_TRIED && ran)
		return CLI_FAILED;
	/* What is known to be bad is not skipped, whatever else went wrong. */
	if (style == EXIT_STYLE_BISECT && code == CLI_NOT_TRIED && unmet > unconfirmed)
		return CLI_FAILED;
	return status(style, code, unmet == unconfirmed);
}
