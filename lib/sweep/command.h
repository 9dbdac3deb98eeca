/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The command that runs one cell of a plan alone. */
#ifndef AVD_LIB_SWEEP_COMMAND_H
#define AVD_LIB_SWEEP_COMMAND_H

#include <attachverdict/plan.h>

/* "attachverdict run ...", quoted for a shell. *ret_command: free(). -ENOMEM. */
int avd__plan_command(const avd_plan *plan, const struct avd_plan_cell *cell, char **ret_command);

#endif
