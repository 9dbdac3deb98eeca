// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The caches of a vCPU. Sizes are the host's where KVM tells them, and those of an everyday CPU
 * where it does not (an emulated one may have no cache at all, and then the guest would see no
 * LLC). Who shares them is the topology's.
 */
#include <errno.h>

#include "vmm/cpuid.h"

enum { DATA = 1, INSTRUCTIONS = 2, UNIFIED = 3 };

/* One subleaf each, in this order; type 0 ends them. The layout of leaf 4 and of 0x8000001D is the
 * same: ways - 1 in EBX from bit 22 on, line size - 1 in its lowest bits, sets - 1 in ECX. */
static const struct cache {
	uint32_t type, level;
	uint32_t ways, sets; /* of lines of 64 bytes, if the host says nothing */
} caches[] = {
	{DATA, 1, 8, 64}, /* 32 KiB */
	{INSTRUCTIONS, 1, 8, 64},
	{UNIFIED, 2, 8, 1024}, /* 512 KiB */
	{UNIFIED, 3, 16, 16384}, /* 16 MiB */
};
#define LINE 64u
#define CACHES (sizeof(caches) / sizeof(caches[0]))
#define SUBLEAVES_MAX 16u /* more than any CPU has; ends the search */

/* EAX: 4:0 type, 7:5 level, 8 self-initializing, 9 fully associative, 25:14 how many APIC ids share
 * it - 1, 31:26 (leaf 4) how many ids of cores the package has - 1. */
static struct kvm_cpuid_entry2 described(struct avd__cpuid *cpuid, uint32_t function,
					 const struct cache *cache)
{
	for (uint32_t i = 0; i < SUBLEAVES_MAX; i++) {
		const struct kvm_cpuid_entry2 *entry = avd__cpuid_find(cpuid, function, i);
		if (!entry || !(entry->eax & 0x1f))
			break;
		if ((entry->eax & 0x1f) == cache->type && (entry->eax >> 5 & 7) == cache->level)
			return *entry;
	}
	return (struct kvm_cpuid_entry2){
		.function = function,
		.eax = cache->type | cache->level << 5 | 1u << 8,
		.ebx = (LINE - 1) | (cache->ways - 1) << 22,
		.ecx = cache->sets - 1,
	};
}

/* Linux asks this leaf whether an AMD CPU has an L3 at all. EDX: 31:18 size in 512 KiB, 15:12
 * associativity (8: 16 ways), 11:8 lines per tag, 7:0 line size. */
static int tell_l3(struct avd__cpuid *cpuid)
{
	struct kvm_cpuid_entry2 *entry = avd__cpuid_leaf(cpuid, 0x80000006, 0);
	if (!entry)
		return -ENOSPC;
	const struct cache *l3 = &caches[CACHES - 1];
	if (!entry->edx)
		entry->edx =
			l3->ways * l3->sets * LINE / (512u << 10) << 18 | 8u << 12 | 1u << 8 | LINE;
	return 0;
}

int avd__cpuid_caches(struct avd__cpuid *cpuid, const struct avd__cpuid_cpu *cpu)
{
	const uint32_t function = cpu->amd ? 0x8000001d : 4;
	struct kvm_cpuid_entry2 made[CACHES + 1] = {0}; /* the last one ends them */
	/* The field has six bits; Linux does not use it where leaf 0xB is. */
	const uint32_t core_bits = cpu->bits.core + cpu->bits.llc;
	const uint32_t cores = core_bits < 6 ? (1u << core_bits) - 1 : 0x3f;
	for (size_t i = 0; i < CACHES; i++) {
		const uint32_t shared = caches[i].level == 3 ? cpu->llc_bits : cpu->bits.thread;
		made[i] = described(cpuid, function, &caches[i]);
		/* Of AMD's, too, a power of two: who shares is told by a shift, and an LLC may have
		 * fewer cores than the APIC id has room for. */
		made[i].eax = (made[i].eax & 0x3ff) | ((1u << shared) - 1) << 14 |
			      (cpu->amd ? 0 : cores << 26);
	}
	avd__cpuid_drop(cpuid, function);
	for (uint32_t i = 0; i <= CACHES; i++) {
		struct kvm_cpuid_entry2 *entry = avd__cpuid_leaf(cpuid, function, i);
		if (!entry)
			return -ENOSPC;
		entry->eax = made[i].eax;
		entry->ebx = made[i].ebx;
		entry->ecx = made[i].ecx;
		entry->edx = made[i].edx;
	}
	return cpu->amd ? tell_l3(cpuid) : 0;
}
