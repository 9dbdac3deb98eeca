/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What the kernel shows of its CPUs in sysfs
 * (Documentation/ABI/stable/sysfs-devices-system-cpu and -node): nodes, last-level caches,
 * cores, threads.
 */
#ifndef AVD_GUEST_CPUS_H
#define AVD_GUEST_CPUS_H

#include <attachverdict/message.h>

#include "codec/cpus.h"

struct avd__cpus {
	uint32_t possible, nodes;
	size_t len; /* of the table */
	uint8_t table[AVD_TOPOLOGY_CPUS_MAX * AVD__CPU_RECORD_SIZE];
};

/* Reads below `system`, which is /sys/devices/system. What is not there is told as unknown, a
 * missing `node` folder as one node. Some 5 files are read for each cache and 2 for each core. */
void avd__cpus_read(int system, struct avd__cpus *ret_cpus);

#endif
