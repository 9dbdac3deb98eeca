/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* How many cells fit on this host at a time. */
#ifndef AVD_LIB_SWEEP_ROOM_H
#define AVD_LIB_SWEEP_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* What a machine takes beside its guest's memory: QEMU's code, translated code, page tables. */
#define AVD__ROOM_MACHINE_BYTES (UINT64_C(192) << 20)
/* Of the available memory, in percent: the rest is for whoever else is there. */
#define AVD__ROOM_MEMORY_PERCENT 80u

struct avd__room {
	uint32_t jobs; /* most at a time; 0: as the others allow */
	uint32_t cpus, cpus_taken;
	uint64_t memory, memory_taken; /* bytes */
	bool one_thread; /* a machine runs all CPUs of its guest in one thread */
	uint32_t running;
};

/* Looks at this host. `machine` (enum avd_machine_kind) and `qemu` as a cell has them. */
void avd__room_init(struct avd__room *room, uint32_t jobs, uint32_t machine, const char *qemu);
/* Takes room for a cell, if there is; the first one always fits. */
bool avd__room_take(struct avd__room *room, uint32_t cpus, uint64_t memory_bytes);
void avd__room_give(struct avd__room *room, uint32_t cpus, uint64_t memory_bytes);

#endif
