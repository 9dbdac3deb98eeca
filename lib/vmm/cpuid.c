// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/cpuid.h"

#include <string.h>

int avd__cpuid_supported(const struct avd__kvm_sys *sys, int kvm_fd, struct avd__cpuid *ret_cpuid,
			 struct avd__error *error)
{
	memset(ret_cpuid, 0, sizeof(*ret_cpuid));
	ret_cpuid->nent = AVD__CPUID_MAX;
	const int r = AVD__KVM_IOCTL(sys, kvm_fd, KVM_GET_SUPPORTED_CPUID, ret_cpuid, error);
	return r < 0 ? r : 0;
}

/* Bits of an APIC id that number `count` things. */
static uint32_t id_bits(uint32_t count)
{
	uint32_t bits = 0;
	while (bits < 31 && (1u << bits) < count)
		bits++;
	return bits;
}

static void extended_topology(struct kvm_cpuid_entry2 *entry, uint32_t index, uint32_t cpus)
{
	entry->edx = index; /* the x2APIC id */
	entry->ecx = entry->index;
	if (entry->index == 0) { /* threads: one a core */
		entry->eax = 0;
		entry->ebx = 1;
		entry->ecx |= 1u << 8;
	} else if (entry->index == 1) { /* cores */
		entry->eax = id_bits(cpus);
		entry->ebx = cpus;
		entry->ecx |= 2u << 8;
	} else {
		entry->eax = 0;
		entry->ebx = 0;
	}
}

void avd__cpuid_for(struct avd__cpuid *cpuid, uint32_t index, uint32_t cpus)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		switch (entry->function) {
		case 1:
			entry->ebx = (entry->ebx & 0xffff) | (cpus > 255 ? 255 : cpus) << 16 |
				     (index & 0xff) << 24;
			entry->ecx |= 1u << 31; /* a hypervisor is present */
			entry->ecx |= 1u << 24; /* the local APIC has a TSC deadline timer */
			entry->edx = cpus > 1 ? entry->edx | 1u << 28 : entry->edx & ~(1u << 28);
			break;
		case 4:
			if (entry->eax & 0x1f)
				entry->eax = (entry->eax & 0x3fff) | ((1u << id_bits(cpus)) - 1)
									     << 26;
			break;
		case 0xb:
		case 0x1f:
			extended_topology(entry, index, cpus);
			break;
		case 0x80000008:
			entry->ecx = (id_bits(cpus) << 12) | (cpus - 1);
			break;
		case 0x8000001e:
			entry->eax = index;
			entry->ebx = index & 0xff; /* one thread a core */
			entry->ecx = 0;
			break;
		default:
			break;
		}
	}
}
