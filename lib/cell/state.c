// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What a cell is at a time, and which inputs it takes then. */
#include <errno.h>
#include <unistd.h>

#include "cell/internal.h"

#define S(name) AVD__CELL_##name
#define I(name) AVD__CELL_ON_##name

static const uint8_t next[AVD__CELL_STATE_COUNT][AVD__CELL_INPUT_COUNT] = {
	[S(NEW)] = {[I(START)] = S(PREPARING)},
	[S(PREPARING)] = {[I(STARTED)] = S(RUNNING), [I(ERROR)] = S(FAILED)},
	[S(RUNNING)] = {[I(STOP)] = S(STOPPING), [I(END)] = S(ENDED), [I(ERROR)] = S(FAILED)},
	[S(STOPPING)] = {[I(END)] = S(ENDED), [I(ERROR)] = S(FAILED)},
};

static const char *const state_names[AVD__CELL_STATE_COUNT] = {
	[S(NONE)] = "none",	  [S(NEW)] = "new",	      [S(PREPARING)] = "preparing",
	[S(RUNNING)] = "running", [S(STOPPING)] = "stopping", [S(ENDED)] = "ended",
	[S(FAILED)] = "failed",
};

enum avd__cell_state avd__cell_next(enum avd__cell_state state, enum avd__cell_input input)
{
	return (enum avd__cell_state)next[state][input];
}

static void set_state(struct avd_cell *cell, enum avd__cell_state state)
{
	avd__log(&cell->log, AVD_LOG_DEBUG, "cell: %s -> %s", state_names[cell->state],
		 state_names[state]);
	cell->state = state;
}

int avd__cell_input(struct avd_cell *cell, enum avd__cell_input input)
{
	const enum avd__cell_state state = avd__cell_next(cell->state, input);
	if (state == S(NONE))
		return avd__fail(&cell->error, EINVAL, "the cell is %s: this can't be done now",
				 state_names[cell->state]);
	set_state(cell, state);
	return 0;
}

int avd__cell_check_cancel(struct avd_cell *cell, struct avd__error *error)
{
	uint64_t count;
	if (!cell->cancelled &&
	    read(cell->cancel_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		cell->cancelled = 1;
	if (cell->cancelled)
		return avd__fail(error, ECANCELED, "cancelled before the machine was started");
	return 0;
}

bool avd__cell_window(const struct avd_cell *cell)
{
	return cell->run.choice.ops->has_window &&
	       cell->config.options.carrier != AVD_CARRIER_SERIAL;
}
