// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* `mark`: what an engine that ran a part of a sweep knows of cells that it lost. */
#include "cli.h"

enum { OPT_SHARD = 256, OPT_CELLS, OPT_REASON };

static int mark(const char *dir, const struct avd_mark_options *options)
{
	char error[1024];
	size_t marked;
	if (avd_results_mark(dir, options, &marked, error, sizeof(error)) < 0)
		return cli_error("%s", error);
	printf("%zu cell%s marked as lost\n", marked, marked == 1 ? "" : "s");
	return CLI_PASSED;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct avd_mark_options options = AVD_OPTIONS_INIT(struct avd_mark_options);
	const char *value, *dir = NULL;
	int id, code;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		code = 0;
		if (id == OPT_SHARD)
			code = cli_parse_shard(command, value, &options.shard, &options.shards);
		else if (id == OPT_CELLS)
			code = cli_parse_cells(command, value, &options.first, &options.count);
		else if (id == OPT_REASON)
			options.reason = value;
		else if (dir)
			code = cli_usage(command, "mark: '%s': one directory at a time", value);
		else
			dir = value;
		if (code)
			return code;
	}
	if (!dir)
		return cli_usage(command, "mark: no directory of results was named");
	if (!options.reason || !*options.reason)
		return cli_usage(command, "mark: no reason was given: --reason TEXT");
	return mark(dir, &options);
}

static const struct cli_option options[] = {
	{OPT_REASON, "reason", "TEXT", "why they have no result, in the engine's words"},
	{OPT_SHARD, "shard", "M/N", "the Mth of N equal parts of the plan [all cells]"},
	{OPT_CELLS, "cells", "A-B", "cells by their numbers in the plan [all]"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_mark = {
	.name = "mark",
	.usage = "DIR --reason TEXT [OPTION]...",
	.summary = "say of cells without a result why they were lost",
	.about = "Marks cells of DIR without a result as lost: UNCONFIRMED, with a reason.\n"
		 "Results are never touched; a sweep that goes on in DIR runs what is marked.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.more = "Exit status: 0 done, also if none was without a result; 2 wrong usage;\n"
		"3 not done",
	.run = run,
};
