// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Which thread of which core in which package a vCPU is. Linux reads leaf 0x1F or 0xB, and of AMD
 * CPUs 0x8000001E besides (arch/x86/kernel/cpu/topology_{common,ext,amd}.c); the older leaves
 * agree.
 */
#include <errno.h>

#include "vmm/cpuid.h"

/* Level types of leaves 0xB and 0x1F. */
enum { LEVEL_NONE, LEVEL_THREADS, LEVEL_CORES };

#define FAMILY_ZEN 0x17u

static int extended_topology(struct avd__cpuid *cpuid, const struct avd__cpuid_cpu *cpu,
			     uint32_t function)
{
	const struct {
		uint32_t shift, cpus;
	} levels[] = {
		{cpu->bits.thread, cpu->topology->threads},
		{cpu->package_bits, cpu->node_cpus},
		{0, 0},
	};
	avd__cpuid_drop(cpuid, function);
	for (uint32_t i = 0; i <= LEVEL_CORES; i++) {
		struct kvm_cpuid_entry2 *entry = avd__cpuid_leaf(cpuid, function, i);
		if (!entry)
			return -ENOSPC;
		entry->eax = levels[i].shift;
		entry->ebx = levels[i].cpus;
		entry->ecx = i | (i < LEVEL_CORES ? i + 1 : LEVEL_NONE) << 8;
		entry->edx = cpu->at.apic_id;
	}
	return 0;
}

static void leaf_1(struct kvm_cpuid_entry2 *entry, const struct avd__cpuid_cpu *cpu)
{
	/* Eight bits each: Intel means how many ids the package has, AMD how many CPUs. */
	uint32_t count = cpu->amd ? cpu->node_cpus : 1u << cpu->package_bits;
	if (count > 255)
		count = 255;
	entry->ebx = (entry->ebx & 0xffff) | count << 16 | (cpu->at.apic_id & 0xff) << 24;
	entry->edx &= ~(1u << 28);
	if (cpu->node_cpus > 1)
		entry->edx |= 1u << 28; /* HTT: more than one CPU in the package */
}

static void amd_place(struct kvm_cpuid_entry2 *entry, const struct avd__cpuid_cpu *cpu)
{
	const uint32_t in_package = cpu->at.apic_id & ((1u << cpu->package_bits) - 1);
	entry->eax = cpu->at.apic_id;
	entry->ebx = (in_package >> cpu->bits.thread & 0xff) | (cpu->topology->threads - 1) << 8;
	/* One node a package. Of CPUs before Zen, Linux takes the LLC for the node of this leaf
	 * (and the NUMA node from the SRAT). */
	entry->ecx = cpu->family < FAMILY_ZEN ? cpu->at.llc & 0xff : cpu->at.node;
	entry->edx = 0;
}

static int amd_leaves(struct avd__cpuid *cpuid, const struct avd__cpuid_cpu *cpu)
{
	struct kvm_cpuid_entry2 *features = avd__cpuid_leaf(cpuid, 0x80000001, 0);
	struct kvm_cpuid_entry2 *sizes = avd__cpuid_leaf(cpuid, 0x80000008, 0);
	struct kvm_cpuid_entry2 *place = avd__cpuid_leaf(cpuid, 0x8000001e, 0);
	if (!features || !sizes || !place)
		return -ENOSPC;
	/* TopologyExtensions: leaves 0x8000001D and 0x8000001E are there; without it Linux reads
	 * not even 0xB. CmpLegacy goes with HTT. */
	features->ecx |= 1u << 22;
	features->ecx &= ~(1u << 1);
	if (cpu->node_cpus > 1)
		features->ecx |= 1u << 1;
	/* 15:12 ApicIdSize, 7:0 NC: CPUs in the package - 1. */
	sizes->ecx = (sizes->ecx & ~0xf0ffu) | cpu->package_bits << 12 | (cpu->node_cpus - 1);
	amd_place(place, cpu);
	/* Would be read before 0xB. It tells nothing more than that leaf and the caches do, except
	 * that Linux then makes a die of each LLC, which nobody asked for. */
	avd__cpuid_drop(cpuid, 0x80000026);
	return 0;
}

int avd__cpuid_place(struct avd__cpuid *cpuid, const struct avd__cpuid_cpu *cpu)
{
	leaf_1(avd__cpuid_find(cpuid, 1, 0), cpu);
	int r = extended_topology(cpuid, cpu, 0xb);
	if (r == 0 && avd__cpuid_find(cpuid, 0, 0)->eax >= 0x1f)
		r = extended_topology(cpuid, cpu, 0x1f);
	if (r == 0 && cpu->amd)
		r = amd_leaves(cpuid, cpu);
	return r;
}
