/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The QEMU machine: a child process, its serial ports and its QMP monitor. */
#ifndef AVD_LIB_QEMU_QEMU_H
#define AVD_LIB_QEMU_QEMU_H

#include "machine/machine.h"

extern const struct avd__machine_ops avd__qemu_ops;

/* Below this major version two vCPU threads crash guests under emulation ("Oops: int3"): 6 of 10
 * boots with 7.2, none of 10 with 10.0.2 or with one thread. */
#define AVD__QEMU_MTTCG_SOUND_SINCE 10u

/* For `doctor`: what this QEMU is. */
struct avd__qemu_info {
	char path[256];
	uint32_t major, minor, micro;
	bool sandbox; /* built with seccomp */
};
int avd__qemu_find(const char *qemu, struct avd__qemu_info *ret_info, struct avd__error *error);

#endif
