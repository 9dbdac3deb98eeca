/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* `run`: its options, apart from what is done with them. */
#ifndef ATTACHVERDICT_TOOLS_CMD_RUN_H
#define ATTACHVERDICT_TOOLS_CMD_RUN_H

#include "cli.h"

struct run_request {
	struct avd_cell_options cell;
	uint32_t format; /* enum cli_format */
	int verbose;
	uint32_t exit_style; /* enum exit_style */
	size_t ran, unmet, unconfirmed; /* runs with a verdict; of these not passed, UNCONFIRMED */
	uint32_t repeat; /* runs of the cell; above 1 the next two have a number appended */
	const char *record, *keep;
	/* what the options point to */
	const char **scheduler, **includes;
	char **payload, *found[2];
};

#define RUN_OPTION_COUNT 33
extern const struct cli_option run_options[RUN_OPTION_COUNT];
extern const char run_more[];

/* -1: parsed, go on; else the exit code. run_request_free() is due in either case. */
int run_parse(const struct cli_command *command, int argc, char **argv,
	      struct run_request *ret_request);
void run_request_free(struct run_request *request);

#endif
