/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a vCPU says of itself: all that KVM supports here, and its place in the topology.
 * Source: AMD64 APM volume 3 appendix E; Intel SDM volume 2, CPUID.
 */
#ifndef AVD_LIB_VMM_CPUID_H
#define AVD_LIB_VMM_CPUID_H

#include "topology/topology.h"
#include "vmm/kvm.h"

/* KVM takes no more (KVM_MAX_CPUID_ENTRIES), and knows fewer than a hundred leaves. */
#define AVD__CPUID_MAX 256u

/* nent and padding are those of struct kvm_cpuid2, whose head this is. */
struct avd__cpuid {
	uint32_t nent;
	uint32_t padding;
	struct kvm_cpuid_entry2 entries[AVD__CPUID_MAX];
};

/* What KVM supports here. */
int avd__cpuid_supported(const struct avd__kvm_sys *sys, int kvm_fd, struct avd__cpuid *ret_cpuid,
			 struct avd__error *error);
/* Makes what KVM supports into what CPU `cpu` of the topology says. -ENOSPC: too many leaves. */
int avd__cpuid_for(struct avd__cpuid *cpuid, const struct avd__topology *topology, uint32_t cpu);

/* The rest is for the files that write the leaves. */

struct avd__cpuid_cpu {
	const struct avd__topology *topology;
	struct avd__topology_bits bits;
	struct avd__topology_cpu at;
	uint32_t node_cpus; /* in this CPU's node, which is its package */
	uint32_t llc_bits,
		package_bits; /* of an APIC id: below the LLC's and the package's number */
	uint32_t family;
	bool amd; /* or Hygon: leaves 0x8000001D and 0x8000001E; else leaf 4 */
};

/* NULL: not there. A leaf without an index has only index 0. */
struct kvm_cpuid_entry2 *avd__cpuid_find(struct avd__cpuid *cpuid, uint32_t function,
					 uint32_t index);
/* The same, made with zeros if it is not there; NULL: no room. */
struct kvm_cpuid_entry2 *avd__cpuid_leaf(struct avd__cpuid *cpuid, uint32_t function,
					 uint32_t index);
void avd__cpuid_drop(struct avd__cpuid *cpuid, uint32_t function);

/* The caches, leaf 4 or 0x8000001D: L1 and L2 of each core, L3 of each LLC. cpuid_cache.c. */
int avd__cpuid_caches(struct avd__cpuid *cpuid, const struct avd__cpuid_cpu *cpu);
/* Threads, cores, packages. cpuid_place.c. */
int avd__cpuid_place(struct avd__cpuid *cpuid, const struct avd__cpuid_cpu *cpu);

#endif
