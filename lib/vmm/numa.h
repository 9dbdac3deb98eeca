/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Which part of the guest's memory is on which NUMA node. */
#ifndef AVD_LIB_VMM_NUMA_H
#define AVD_LIB_VMM_NUMA_H

#include <stdint.h>

#include "topology/topology.h"

/* A kernel needs some memory of each node for the node's own bookkeeping. */
#define AVD__NUMA_NODE_MIN (UINT64_C(16) << 20)
/* Each node has one range, but for the one that the hole below 4 GiB cuts in two. */
#define AVD__NUMA_RANGES_MAX (AVD__TOPOLOGY_NODES_MAX + 1)

struct avd__numa_range {
	uint64_t start, size; /* guest physical */
	uint32_t node;
};

/*
 * Divides the memory evenly, in order of addresses. Borders are at multiples of 128 MiB, the
 * size of Linux's sections and memory blocks on x86, so that none belongs to two nodes; where nodes
 * get less than that, of 4 MiB, the largest piece of its page allocator. The last node takes what
 * is left. Returns how many ranges.
 */
uint32_t avd__numa_ranges(uint32_t nodes, uint64_t low_bytes, uint64_t high_bytes,
			  struct avd__numa_range ret_ranges[AVD__NUMA_RANGES_MAX]);

#endif
