/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* `sweep`: its options, apart from what is done with them. */
#ifndef ATTACHVERDICT_TOOLS_CMD_SWEEP_H
#define ATTACHVERDICT_TOOLS_CMD_SWEEP_H

#include "cli.h"

struct sweep_request {
	avd_plan *plan; /* finished; freed by the caller */
	struct avd_sweep_options options;
	int list;
	struct avd_progress end; /* how far it came */
};

#define SWEEP_OPTION_COUNT 19
extern const struct cli_option sweep_options[SWEEP_OPTION_COUNT];

/* -1: parsed, go on; else the exit code. The plan is to be freed in either case. */
int sweep_parse(const struct cli_command *command, int argc, char **argv,
		struct sweep_request *ret_request);

#endif
