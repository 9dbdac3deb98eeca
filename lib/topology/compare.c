// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What a guest's kernel shows, held against what was asked. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "topology/topology.h"

#define IDS (UINT16_MAX + 1u)

/* Which numbers were met: ids are any uint16, and a guest may send a full table often. */
struct set {
	uint8_t bits[IDS / 8];
	uint32_t count;
};

static void meet(struct set *set, uint16_t id)
{
	const uint8_t bit = (uint8_t)(1u << (id % 8));
	set->count += !(set->bits[id / 8] & bit);
	set->bits[id / 8] |= bit;
}

enum field { NODE, PACKAGE, LLC, CORE };

static uint16_t id_of(const struct avd_topology_cpu *cpu, enum field field)
{
	switch (field) {
	case NODE:
		return cpu->node;
	case PACKAGE:
		return cpu->package;
	case LLC:
		return cpu->llc;
	default:
		return cpu->core;
	}
}

static uint32_t distinct(const struct avd_topology_cpu *cpus, size_t count, enum field field)
{
	struct set set = {.count = 0};
	for (size_t i = 0; i < count; i++) {
		const uint16_t id = id_of(&cpus[i], field);
		if (id != AVD_TOPOLOGY_UNKNOWN)
			meet(&set, id);
	}
	return set.count;
}

void avd__topology_count(const struct avd_topology_cpu *cpus, size_t count,
			 struct avd__topology_counts *ret)
{
	uint32_t threads = 0;
	for (size_t i = 0; i < count; i++) {
		if (cpus[i].thread >= threads)
			threads = cpus[i].thread + 1u;
	}
	*ret = (struct avd__topology_counts){
		.cpus = (uint32_t)count,
		.nodes = distinct(cpus, count, NODE),
		.packages = distinct(cpus, count, PACKAGE),
		.llcs = distinct(cpus, count, LLC),
		.cores = distinct(cpus, count, CORE),
		.threads = threads,
	};
}

static int tell(char *why, size_t size, uint32_t asked, const char *what, uint32_t seen)
{
	snprintf(why, size, "asked for %" PRIu32 " %s%s, the guest sees %" PRIu32, asked, what,
		 asked == 1 ? "" : "s", seen);
	return 1;
}

uint32_t avd__topology_cores(const struct avd__topology *topology)
{
	uint32_t cores = 0;
	for (uint32_t llc = 0; llc < topology->llcs; llc++)
		cores += topology->cores[llc];
	return cores;
}

static int counts_differ(const struct avd__topology *asked, const struct avd__topology_counts *seen,
			 char *why, size_t size)
{
	if (seen->cpus != asked->cpus) {
		snprintf(why, size, "asked for %" PRIu32 " CPU%s, the guest has %" PRIu32 " online",
			 asked->cpus, asked->cpus == 1 ? "" : "s", seen->cpus);
		return 1;
	}
	if (seen->nodes != asked->nodes)
		return tell(why, size, asked->nodes, "NUMA node", seen->nodes);
	if (seen->llcs != asked->llcs && (seen->llcs || asked->llcs > 1))
		return tell(why, size, asked->llcs, "LLC", seen->llcs);
	if (seen->threads != asked->threads)
		return tell(why, size, asked->threads, "thread", seen->threads);
	if (seen->cores != avd__topology_cores(asked))
		return tell(why, size, avd__topology_cores(asked), "core", seen->cores);
	return 0;
}

static uint32_t group(const struct avd__topology_cpu *place, enum field field)
{
	return field == NODE ? place->node : field == LLC ? place->llc : place->core;
}

/* A group is known by its lowest CPU, on both sides. */
static int neighbours_differ(const struct avd__topology *asked, const struct avd_topology_cpu *seen,
			     enum field field, const char *what, char *why, size_t size)
{
	struct avd__topology_cpu places[AVD__TOPOLOGY_CPUS_MAX];
	for (uint32_t cpu = 0; cpu < asked->cpus; cpu++) {
		uint32_t want = 0, have = 0;
		avd__topology_cpu(asked, cpu, &places[cpu]);
		while (group(&places[want], field) != group(&places[cpu], field))
			want++;
		while (id_of(&seen[have], field) != id_of(&seen[cpu], field))
			have++;
		if (want == have)
			continue;
		snprintf(why, size,
			 "asked for CPU %" PRIu32 " in the %s of CPU %" PRIu32
			 ", the guest sees it in that of CPU %" PRIu32,
			 cpu, what, want, have);
		return 1;
	}
	return 0;
}

int avd__topology_differs(const struct avd__topology *asked, const struct avd_topology_cpu *seen,
			  size_t count, char *why, size_t size)
{
	struct avd__topology_counts counts;
	avd__topology_count(seen, count, &counts);
	if (counts_differ(asked, &counts, why, size))
		return 1;
	for (uint32_t cpu = 0; cpu < asked->cpus; cpu++) {
		if (seen[cpu].cpu == cpu)
			continue;
		snprintf(why, size, "asked for CPU %" PRIu32 ", the guest has CPU %u in its place",
			 cpu, seen[cpu].cpu);
		return 1;
	}
	return neighbours_differ(asked, seen, NODE, "NUMA node", why, size) ||
	       (counts.llcs && neighbours_differ(asked, seen, LLC, "LLC", why, size)) ||
	       neighbours_differ(asked, seen, CORE, "core", why, size);
}

char *avd__topology_format(const struct avd__topology *topology, char *out, size_t size)
{
	int uneven = 0;
	for (uint32_t i = 1; i < topology->llcs; i++)
		uneven |= topology->cores[i] != topology->cores[0];
	size_t at = (size_t)snprintf(out, size, "%" PRIu32 "n%" PRIu32 "l%u", topology->nodes,
				     topology->llcs, topology->cores[0]);
	for (uint32_t i = 1; uneven && i < topology->llcs && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "+%u", topology->cores[i]);
	if (at < size)
		snprintf(out + at, size - at, "c%" PRIu32 "t", topology->threads);
	return out;
}
