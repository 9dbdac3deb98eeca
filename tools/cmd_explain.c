// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "cli.h"

/* Codes are small numbers without large holes; the library's names say which are in use. */
#define CODE_LIMIT 256u

static int is_code(uint32_t code)
{
	return code != AVD_REASON_NONE && strcmp(avd_reason_code_name(code), "unknown") != 0;
}

static int explain(const char *name)
{
	for (uint32_t code = 0; code < CODE_LIMIT; code++) {
		if (!is_code(code) || strcmp(avd_reason_code_name(code), name) != 0)
			continue;
		printf("%s: %s\nhint: %s\n", name, avd_reason_code_explain(code),
		       avd_reason_code_hint(code));
		return CLI_PASSED;
	}
	cli_error("explain: '%s' is no reason code; '" CLI_NAME " explain' lists them all", name);
	return CLI_USAGE;
}

static void list(void)
{
	for (uint32_t code = 0; code < CODE_LIMIT; code++) {
		if (is_code(code))
			printf("%-19s %s\n", avd_reason_code_name(code),
			       avd_reason_code_explain(code));
	}
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *name = NULL;
	int code, id;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		if (name)
			return cli_usage(command, "explain: one code at a time");
		name = value;
	}
	if (name)
		return explain(name);
	list();
	return CLI_PASSED;
}

static const struct cli_option options[] = {CLI_OPTION_HELP};

const struct cli_command cli_explain = {
	.name = "explain",
	.usage = "[CODE]",
	.summary = "what a reason code means and what to do about it",
	.about = "Explains a reason code of a verdict, and what to do about it.\n"
		 "Without CODE: lists all of them.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.run = run,
};
