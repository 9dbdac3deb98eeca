/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a vCPU says of itself: all that KVM supports here, and its place in the topology.
 * Source: AMD64 APM volume 3 appendix E; Intel SDM volume 2, CPUID.
 */
#ifndef AVD_LIB_VMM_CPUID_H
#define AVD_LIB_VMM_CPUID_H

#include "vmm/kvm.h"

/* KVM knows fewer than a hundred leaves; it says E2BIG if this is too small. */
#define AVD__CPUID_MAX 256u

struct avd__cpuid {
	uint32_t nent;
	uint32_t padding;
	struct kvm_cpuid_entry2 entries[AVD__CPUID_MAX];
};

/* What KVM supports here. */
int avd__cpuid_supported(const struct avd__kvm_sys *sys, int kvm_fd, struct avd__cpuid *ret_cpuid,
			 struct avd__error *error);
/* Adapts it to CPU `index` of `cpus`: one package, one thread a core. */
void avd__cpuid_for(struct avd__cpuid *cpuid, uint32_t index, uint32_t cpus);

#endif
