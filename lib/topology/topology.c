// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "topology/topology.h"

static uint32_t id_bits(uint32_t count)
{
	uint32_t bits = 0;
	while (bits < 31 && (1u << bits) < count)
		bits++;
	return bits;
}

void avd__topology_flat(uint32_t cpus, struct avd__topology *ret_topology)
{
	*ret_topology = (struct avd__topology){.nodes = 1,
					       .llcs = 1,
					       .node_llcs = 1,
					       .threads = 1,
					       .cpus = cpus,
					       .cores = {(uint16_t)cpus}};
}

void avd__topology_bits(const struct avd__topology *topology, struct avd__topology_bits *ret_bits)
{
	uint32_t cores = 1;
	for (uint32_t llc = 0; llc < topology->llcs; llc++) {
		if (topology->cores[llc] > cores)
			cores = topology->cores[llc];
	}
	*ret_bits = (struct avd__topology_bits){
		.thread = id_bits(topology->threads),
		.core = id_bits(cores),
		.llc = id_bits(topology->node_llcs),
		.node = id_bits(topology->nodes),
	};
}

void avd__topology_cpu(const struct avd__topology *topology, uint32_t cpu,
		       struct avd__topology_cpu *ret_cpu)
{
	struct avd__topology_bits bits;
	const uint32_t core = cpu / topology->threads;
	uint32_t llc = 0, first = 0; /* core of this LLC */
	while (core - first >= topology->cores[llc])
		first += topology->cores[llc++];
	avd__topology_bits(topology, &bits);
	*ret_cpu = (struct avd__topology_cpu){
		.node = llc / topology->node_llcs,
		.llc = llc,
		.core = core,
		.thread = cpu % topology->threads,
	};
	ret_cpu->apic_id = ret_cpu->thread | (core - first) << bits.thread |
			   (llc % topology->node_llcs) << (bits.thread + bits.core) |
			   ret_cpu->node << (bits.thread + bits.core + bits.llc);
}

uint32_t avd__topology_node_cpus(const struct avd__topology *topology, uint32_t node)
{
	uint32_t cores = 0;
	for (uint32_t llc = 0; llc < topology->node_llcs; llc++)
		cores += topology->cores[node * topology->node_llcs + llc];
	return cores * topology->threads;
}

uint32_t avd__topology_max_apic_id(const struct avd__topology *topology)
{
	struct avd__topology_cpu last;
	avd__topology_cpu(topology, topology->cpus - 1, &last);
	return last.apic_id;
}
