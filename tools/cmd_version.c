// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cli.h"

#ifdef __clang__
#define COMPILER __VERSION__ /* starts with its name */
#else
#define COMPILER "GCC " __VERSION__
#endif

static int run(const struct cli_command *command, int argc, char **argv)
{
	const char *value;
	int code, id;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		return cli_usage(command, "version: unexpected argument '%s'", value);
	}
	printf(CLI_NAME " %d.%d.%d, library %s, protocol %u, compiled by " COMPILER "\n",
	       AVD_VERSION_MAJOR, AVD_VERSION_MINOR, AVD_VERSION_PATCH, avd_version(),
	       AVD_PROTOCOL_VERSION);
	printf("features: %s\n", avd_features());
	return CLI_PASSED;
}

static const struct cli_option options[] = {CLI_OPTION_HELP};

const struct cli_command cli_version = {
	.name = "version",
	.usage = "",
	.summary = "versions of program, library and protocol, and features",
	.about = "Prints the versions of the program, the library and the protocol, and what the\n"
		 "library was built with.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.run = run,
};
