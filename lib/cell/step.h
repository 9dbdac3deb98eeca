/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* From the machine's start to the verdict. */
#ifndef AVD_LIB_CELL_STEP_H
#define AVD_LIB_CELL_STEP_H

#include "cell/internal.h"

/* The machine has just been started: sets the watchdog and the timer. */
int avd__cell_begin(struct avd_cell *cell);
/* The stream's callback: looks at what matters to the watchdog, then hands on to the caller. */
void avd__cell_on_event(void *userdata, const struct avd_event *event);

/* Ends a cell that can't go on: no verdict, no recording, nothing left. Returns `r`. */
int avd__cell_give_up(struct avd_cell *cell, int r);

#endif
