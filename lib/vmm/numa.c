// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/numa.h"

#include "vmm/boot.h"

#define SECTION (UINT64_C(128) << 20)
#define LARGEST_PIECE (UINT64_C(4) << 20)

uint32_t avd__numa_ranges(uint32_t nodes, uint64_t low_bytes, uint64_t high_bytes,
			  struct avd__numa_range ret_ranges[AVD__NUMA_RANGES_MAX])
{
	const uint64_t bytes = low_bytes + high_bytes, share = bytes / nodes;
	const uint64_t unit = share < SECTION ? LARGEST_PIECE : SECTION;
	uint32_t count = 0;
	uint64_t at = 0; /* as if there were no hole */
	for (uint32_t node = 0; node < nodes; node++) {
		const uint64_t end = node + 1 < nodes ? (node + 1) * share / unit * unit : bytes;
		if (at < low_bytes)
			ret_ranges[count++] = (struct avd__numa_range){
				at, (end < low_bytes ? end : low_bytes) - at, node};
		if (end > low_bytes) {
			const uint64_t from = at > low_bytes ? at : low_bytes;
			ret_ranges[count++] = (struct avd__numa_range){
				AVD__MEMORY_HIGH + from - low_bytes, end - from, node};
		}
		at = end;
	}
	return count;
}
