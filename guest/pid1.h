/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What makes PID 1 run on when a scheduler stalls, and keeps others out of it. */
#ifndef AVD_GUEST_PID1_H
#define AVD_GUEST_PID1_H

#include "text.h"

/* fds 0 to 2 on /dev/null, signals, limits that children inherit, not dumpable. After the
 * mounts. */
void avd__pid1_settle(void);
/* SCHED_FIFO with memory locked. 0, or -1 with the reason in `why`: without it a stalled
 * scheduler would silence init. */
int avd__pid1_realtime(struct avd__text *why);

#endif
