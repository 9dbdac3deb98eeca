/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The shape of a machine's CPUs: NUMA nodes, last-level caches, cores, threads. Pure: what
 * was asked for, where each CPU stands in it, and its APIC id. Both machines and the guest's
 * own report are held against this.
 */
#ifndef AVD_LIB_TOPOLOGY_TOPOLOGY_H
#define AVD_LIB_TOPOLOGY_TOPOLOGY_H

#include <attachverdict/message.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The largest shape in the field's presets; their APIC ids go beyond 254. */
#define AVD__TOPOLOGY_CPUS_MAX 252u
#define AVD__TOPOLOGY_LLCS_MAX AVD__TOPOLOGY_CPUS_MAX
#define AVD__TOPOLOGY_NODES_MAX 16u
/* A text of 252 counts, each of three digits and a plus, with room for the rest. */
#define AVD__TOPOLOGY_TEXT_MAX 1056u
#define AVD__TOPOLOGY_THREADS_MAX 2u /* what x86 has */

struct avd__topology {
	uint32_t nodes; /* NUMA nodes; each is one package */
	uint32_t llcs; /* in all; a multiple of nodes, spread evenly, in order */
	uint32_t node_llcs; /* of each node */
	uint32_t threads; /* of each core */
	uint32_t cpus; /* in all */
	uint16_t cores[AVD__TOPOLOGY_LLCS_MAX]; /* of each LLC; they may differ */
};

/* Where a CPU stands; indices count from 0 through the whole machine, but thread within its
 * core. CPUs are numbered thread by thread, core by core, LLC by LLC, node by node. */
struct avd__topology_cpu {
	uint32_t node, llc, core, thread;
	uint32_t apic_id; /* fields, from bit 0: thread, core, LLC within the node, node */
};

/* Widths of the APIC id's fields in bits. */
struct avd__topology_bits {
	uint32_t thread, core, llc, node;
};

/*
 * Reads what users write:
 *   N                CPUs of one LLC, one thread each
 *   AnBlCcDt         A nodes, B LLCs in all, C cores in each LLC, D threads in each core;
 *                    a missing part is 1 ("8c2t"); C may be a list of B counts, one an LLC,
 *                    joined by '+' ("1n3l4+4+2c2t")
 *   NAME             a preset
 * -EINVAL with a message that says what is wrong and what can be written.
 */
int avd__topology_parse(const char *text, struct avd__topology *ret_topology,
			struct avd__error *error);

/* What the text "N" stands for: one LLC of `cpus` cores, one thread each; 1 to
 * AVD__TOPOLOGY_CPUS_MAX. */
void avd__topology_flat(uint32_t cpus, struct avd__topology *ret_topology);

/* The i-th preset's name and shape (as parse() reads it), NULL after the last. Static. */
const char *avd__topology_preset(size_t i, const char **ret_shape);

void avd__topology_bits(const struct avd__topology *topology, struct avd__topology_bits *ret_bits);
/* cpu < topology->cpus */
void avd__topology_cpu(const struct avd__topology *topology, uint32_t cpu,
		       struct avd__topology_cpu *ret_cpu);
/* How many of the CPUs are in this node. */
uint32_t avd__topology_node_cpus(const struct avd__topology *topology, uint32_t node);
uint32_t avd__topology_max_apic_id(const struct avd__topology *topology);
uint32_t avd__topology_cores(const struct avd__topology *topology); /* in all */

struct avd__topology_counts {
	uint32_t cpus; /* online */
	uint32_t nodes; /* with CPUs */
	uint32_t packages; /* 0: not known; the same for llcs */
	uint32_t llcs;
	uint32_t cores;
	uint32_t threads; /* the most of a core */
};

/* What `count` CPUs of a guest make up. Any numbers will do. */
void avd__topology_count(const struct avd_topology_cpu *cpus, size_t count,
			 struct avd__topology_counts *ret_counts);

/*
 * Whether a guest sees what was asked: as many CPUs online, nodes, LLCs, cores and threads of a
 * core, then the same neighbours for each CPU. Packages need not match; a kernel that shows no
 * caches at all is as good as one LLC. `seen`: by ascending number. Returns 0, or 1 and writes
 * the first difference as one line to `why` ("asked for 2 LLCs, the guest sees 1").
 */
int avd__topology_differs(const struct avd__topology *asked, const struct avd_topology_cpu *seen,
			  size_t count, char *why, size_t size);

/* The whole shape, as parse() reads it: "2n4l4c2t", "1n3l4+4+2c2t". Returns `out`, which
 * AVD__TOPOLOGY_TEXT_MAX bytes are enough for. */
char *avd__topology_format(const struct avd__topology *topology, char *out, size_t size);

#endif
