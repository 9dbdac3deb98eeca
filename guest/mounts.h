/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The file systems and the bit of system that a scheduler expects to find. */
#ifndef AVD_GUEST_MOUNTS_H
#define AVD_GUEST_MOUNTS_H

#include "text.h"

#define AVD__CGROUP_ROOT "/sys/fs/cgroup"

/* Mounts everything; what is optional and fails is named in `notes`. 0, or -1 if /proc, /sys
 * or /dev can't be had (reason in `why`). */
int avd__mounts_make(struct avd__text *notes, struct avd__text *why);
/* Brings the loopback interface up. Without network support nothing happens. */
void avd__loopback_up(void);
/* What children get as environment; ends with NULL. */
extern const char *const avd__environment[];

#endif
