/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The shape of a machine's CPUs, as the option `topology` of cells, machines and plans takes it:
 *
 *   N           CPUs of one last-level cache (LLC), one thread each ("4")
 *   AnBlCcDt    A NUMA nodes, B LLCs in all, C cores in each LLC, D threads in each core
 *               ("2n4l4c2t": 32 CPUs). A part that is left out is 1, but that each node has an
 *               LLC. C may be one count for each LLC, joined by + ("1n3l4+2+1c1t").
 *   NAME        a preset ("numa2-4llc")
 *
 * At most 252 CPUs, 16 nodes and 2 threads in a core; the LLCs spread evenly over the nodes. CPUs
 * are numbered thread by thread, core by core, LLC by LLC, node by node.
 */
#ifndef ATTACHVERDICT_TOPOLOGY_H
#define ATTACHVERDICT_TOPOLOGY_H

#include <attachverdict/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avd_topology_info {
	size_t size; /* sizeof(struct avd_topology_info), by the caller */
	uint32_t cpus; /* in all, as are the next three */
	uint32_t nodes;
	uint32_t llcs;
	uint32_t cores;
	uint32_t threads_per_core;
	uint32_t even; /* 1: all LLCs have as many cores */
};

/* Reads `text` into *ret_info: ret_info->size is what the caller set, members beyond it are left
 * out, those that this library does not know become zero. -EINVAL, with the reason as one line in
 * `error` (if error_size > 0). Thread-safe. Since 0.1. */
AVD_API int avd_topology_describe(const char *text, struct avd_topology_info *ret_info, char *error,
				  size_t error_size);

/* The i-th preset, from 0: its name, and its shape as above if ret_shape is not NULL. A name keeps
 * its shape in later releases. NULL after the last one. Static storage. Thread-safe. Since 0.1. */
AVD_API const char *avd_topology_preset(size_t i, const char **ret_shape);

#ifdef __cplusplus
}
#endif

#endif
