/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Readings of /sys/kernel/sched_ext. */
#ifndef AVD_GUEST_SCX_H
#define AVD_GUEST_SCX_H

#include "gate.h"

struct avd__scx {
	int dir, state, enable_seq, switch_all; /* kept open: see scx.c */
	int ops; /* of the scheduler that is there now, or -1 */
};

/* 0; -1: this kernel has no sched_ext. */
int avd__scx_open(struct avd__scx *scx);
void avd__scx_read(struct avd__scx *scx, struct avd__scx_reading *ret_reading);

#endif
