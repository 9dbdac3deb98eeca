// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * A node is a socket, an LLC one of its dies: that is how QEMU's CPUID shares the third-level
 * cache. APIC ids come out as lib/topology says.
 */
#include "qemu/topology.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An id of 8 bits: 255 is the broadcast. Beyond it a guest must use x2APIC, which a kernel turns
 * on only with interrupt remapping, which QEMU's "pc" lacks. */
#define APIC_ID_MAX 254u
#define CPUS_MAX 255u /* of "pc", those that could be plugged in included */
/* SLIT: 10 is a node's own memory, 20 what stands for "another socket" everywhere. */
#define REMOTE_DISTANCE 20u

/* QEMU knows only LLCs of one size: the rest of the places stays empty. */
static uint32_t widest(const struct avd__topology *topology)
{
	uint32_t cores = 0;
	for (uint32_t llc = 0; llc < topology->llcs; llc++) {
		if (topology->cores[llc] > cores)
			cores = topology->cores[llc];
	}
	return cores;
}

static uint32_t places(const struct avd__topology *topology)
{
	return topology->llcs * widest(topology) * topology->threads;
}

static uint32_t last_apic_id(const struct avd__topology *topology)
{
	struct avd__topology_bits bits;
	avd__topology_bits(topology, &bits);
	return (topology->threads - 1) | (widest(topology) - 1) << bits.thread |
	       (topology->node_llcs - 1) << (bits.thread + bits.core) |
	       (topology->nodes - 1) << (bits.thread + bits.core + bits.llc);
}

int avd__qemu_check_topology(const struct avd__topology *topology, struct avd__error *error)
{
	char shape[AVD__TOPOLOGY_TEXT_MAX];
	avd__topology_format(topology, shape, sizeof(shape));
	if (places(topology) > CPUS_MAX)
		return avd__fail(error, ENOTSUP,
				 "topology %.64s: QEMU must keep %" PRIu32
				 " places for CPUs, because it has LLCs of one size only, and ends "
				 "at %u; take the machine kvm, or LLCs that differ less",
				 shape, places(topology), CPUS_MAX);
	if (last_apic_id(topology) > APIC_ID_MAX)
		return avd__fail(error, ENOTSUP,
				 "topology %.64s: the last CPU's APIC id is %" PRIu32
				 ", and QEMU's machine ends at %u (its fields are powers of two: "
				 "nodes, LLCs, cores, threads); take the machine kvm, or a shape "
				 "that fits, such as near-max-llc (240 CPUs)",
				 shape, last_apic_id(topology), APIC_ID_MAX);
	return 0;
}

/*
 * vendor     of the emulated CPU: Linux reads the shared caches of AMD's from TOPOEXT, which the
 *            emulation lacks, and those of Intel's from leaf 4
 * min-level  above leaf 0x1F, which dies bring along: QEMU 10 dies of an assertion when the
 *            firmware asks for a leaf that is none and gets the highest one, which this would be
 * topoext    of a real AMD CPU: QEMU leaves it off by default
 */
static void add_model(const struct avd__qemu_setup *setup, struct avd__buf *words)
{
	const bool emulated = !strcmp(setup->accel, "tcg");
	avd__qemu_word(words, "-cpu");
	avd__qemu_word(words, emulated	   ? "max,vendor=GenuineIntel,min-level=0x20"
			      : setup->amd ? "max,topoext=on"
					   : "max");
}

/* The first CPU is there; each other one is plugged into its place. */
static void plug(const struct avd__topology *topology, struct avd__buf *words)
{
	uint32_t llc = UINT32_MAX, first = 0; /* core of the LLC */
	for (uint32_t cpu = 0; cpu < topology->cpus; cpu++) {
		struct avd__topology_cpu place;
		avd__topology_cpu(topology, cpu, &place);
		if (place.llc != llc)
			first = place.core;
		llc = place.llc;
		if (cpu)
			avd__qemu_add(words, "-device",
				      "max-x86_64-cpu,socket-id=%" PRIu32 ",die-id=%" PRIu32
				      ",core-id=%" PRIu32 ",thread-id=%" PRIu32,
				      place.node, place.llc % topology->node_llcs,
				      place.core - first, place.thread);
	}
}

static void add_nodes(const struct avd__topology *topology, uint64_t mib, struct avd__buf *words)
{
	const uint64_t each = mib / topology->nodes;
	for (uint32_t i = 0; i < topology->nodes; i++) {
		avd__qemu_add(words, "-object",
			      "memory-backend-ram,id=node%" PRIu32 ",size=%" PRIu64 "M", i,
			      i ? each : mib - each * (topology->nodes - 1));
		avd__qemu_add(words, "-numa", "node,nodeid=%" PRIu32 ",memdev=node%" PRIu32, i, i);
		avd__qemu_add(words, "-numa", "cpu,node-id=%" PRIu32 ",socket-id=%" PRIu32, i, i);
	}
	for (uint32_t i = 0; i < topology->nodes; i++) {
		for (uint32_t k = i + 1; k < topology->nodes; k++)
			avd__qemu_add(words, "-numa", "dist,src=%" PRIu32 ",dst=%" PRIu32 ",val=%u",
				      i, k, REMOTE_DISTANCE);
	}
}

void avd__qemu_add_topology(const struct avd__qemu_setup *setup, struct avd__buf *words)
{
	const struct avd__topology *topology = setup->topology;
	const uint64_t mib = (setup->memory_bytes + (1u << 20) - 1) >> 20;
	add_model(setup, words);
	avd__qemu_add(words, "-m", "%" PRIu64 "M", mib);
	if (!topology) {
		avd__qemu_add(words, "-smp", "%" PRIu32, setup->cpus);
		return;
	}
	const bool uneven = places(topology) != topology->cpus;
	avd__qemu_add(words, "-smp",
		      "%" PRIu32 ",sockets=%" PRIu32 ",dies=%" PRIu32 ",cores=%" PRIu32
		      ",threads=%" PRIu32 ",maxcpus=%" PRIu32,
		      uneven ? 1 : topology->cpus, topology->nodes, topology->node_llcs,
		      widest(topology), topology->threads, places(topology));
	if (topology->nodes > 1)
		add_nodes(topology, mib, words);
	if (uneven)
		plug(topology, words);
}

void avd__qemu_possible_cpus(const struct avd__topology *topology, char *out, size_t size)
{
	if (topology && places(topology) != topology->cpus)
		snprintf(out, size, "possible_cpus=%" PRIu32, topology->cpus);
	else
		*out = '\0';
}
