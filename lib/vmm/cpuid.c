// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/cpuid.h"

#include <errno.h>
#include <string.h>

/* The leaves that say where a CPU stands must be within what the vendor's highest one allows. */
#define BASIC_MIN 0xbu
#define EXTENDED_MIN 0x8000001eu

#define KVM_FEATURES_LEAF 0x40000001u

int avd__cpuid_supported(const struct avd__kvm_sys *sys, int kvm_fd, struct avd__cpuid *ret_cpuid,
			 struct avd__error *error)
{
	memset(ret_cpuid, 0, sizeof(*ret_cpuid));
	ret_cpuid->nent = AVD__CPUID_MAX;
	const int r = AVD__KVM_IOCTL(sys, kvm_fd, KVM_GET_SUPPORTED_CPUID, ret_cpuid, error);
	return r < 0 ? r : 0;
}

struct kvm_cpuid_entry2 *avd__cpuid_find(struct avd__cpuid *cpuid, uint32_t function,
					 uint32_t index)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		if (entry->function == function && entry->index == index)
			return entry;
	}
	return NULL;
}

static bool has_index(uint32_t function)
{
	return function == 4 || function == 0xb || function == 0x1f || function == 0x8000001d;
}

struct kvm_cpuid_entry2 *avd__cpuid_leaf(struct avd__cpuid *cpuid, uint32_t function,
					 uint32_t index)
{
	struct kvm_cpuid_entry2 *entry = avd__cpuid_find(cpuid, function, index);
	if (entry || cpuid->nent == AVD__CPUID_MAX)
		return entry;
	entry = &cpuid->entries[cpuid->nent++];
	*entry = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
		.flags = has_index(function) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
	return entry;
}

void avd__cpuid_drop(struct avd__cpuid *cpuid, uint32_t function)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function != function)
			cpuid->entries[kept++] = cpuid->entries[i];
	}
	cpuid->nent = kept;
}

static bool is_amd(const struct kvm_cpuid_entry2 *vendor)
{
	char name[12];
	memcpy(name, &vendor->ebx, 4);
	memcpy(name + 4, &vendor->edx, 4);
	memcpy(name + 8, &vendor->ecx, 4);
	return memcmp(name, "AuthenticAMD", 12) == 0 || memcmp(name, "HygonGenuine", 12) == 0;
}

/* Would a kernel that takes APIC ids which differ only in the lowest three bits for one LLC be
 * right? */
static bool llc_is_eight(const struct avd__topology *topology)
{
	struct avd__topology_cpu last, cpu;
	avd__topology_cpu(topology, 0, &last);
	for (uint32_t i = 1; i < topology->cpus; i++) {
		avd__topology_cpu(topology, i, &cpu);
		if ((cpu.apic_id >> 3 == last.apic_id >> 3) != (cpu.llc == last.llc))
			return false;
		last = cpu;
	}
	return true;
}

/*
 * Of Zen 1 and Hygon's, Linux does not read the LLC but takes it for eight APIC ids
 * (arch/x86/kernel/cpu/cacheinfo.c). Where this is wrong, the CPU calls itself the next model,
 * Zen 2, of which it reads the leaf.
 */
static void make_readable(struct avd__cpuid *cpuid, const struct avd__topology *topology,
			  struct kvm_cpuid_entry2 *vendor, struct kvm_cpuid_entry2 *version)
{
	const uint32_t family = (version->eax >> 8 & 0xf) + (version->eax >> 20 & 0xff);
	const uint32_t model = (version->eax >> 4 & 0xf) | (version->eax >> 12 & 0xf0);
	const bool hygon = memcmp(&vendor->ebx, "Hygo", 4) == 0;
	if (!(hygon || (family == 0x17 && model <= 0x1f)) || llc_is_eight(topology))
		return;
	version->eax = 0x00830f10; /* family 0x17, model 0x31 */
	struct kvm_cpuid_entry2 *names[] = {vendor, avd__cpuid_find(cpuid, 0x80000000, 0)};
	for (size_t i = 0; i < 2; i++) {
		memcpy(&names[i]->ebx, "Auth", 4);
		memcpy(&names[i]->edx, "enti", 4);
		memcpy(&names[i]->ecx, "cAMD", 4);
	}
}

int avd__cpuid_for(struct avd__cpuid *cpuid, const struct avd__topology *topology, uint32_t index)
{
	struct kvm_cpuid_entry2 *vendor = avd__cpuid_leaf(cpuid, 0, 0);
	struct kvm_cpuid_entry2 *version = avd__cpuid_leaf(cpuid, 1, 0);
	struct kvm_cpuid_entry2 *extended = avd__cpuid_leaf(cpuid, 0x80000000, 0);
	struct kvm_cpuid_entry2 *kvm = avd__cpuid_find(cpuid, KVM_FEATURES_LEAF, 0);
	if (!vendor || !version || !extended)
		return -ENOSPC;
	struct avd__cpuid_cpu cpu = {.topology = topology, .amd = is_amd(vendor)};
	avd__topology_bits(topology, &cpu.bits);
	avd__topology_cpu(topology, index, &cpu.at);
	cpu.node_cpus = avd__topology_node_cpus(topology, cpu.at.node);
	cpu.llc_bits = cpu.bits.thread + cpu.bits.core;
	cpu.package_bits = cpu.llc_bits + cpu.bits.llc;

	if (vendor->eax < BASIC_MIN)
		vendor->eax = BASIC_MIN;
	if (cpu.amd && extended->eax < EXTENDED_MIN)
		extended->eax = EXTENDED_MIN;
	if (cpu.amd)
		make_readable(cpuid, topology, vendor, version);
	cpu.family = (version->eax >> 8 & 0xf) + (version->eax >> 20 & 0xff);
	version->ecx |= 1u << 31; /* a hypervisor is present */
	version->ecx |= 1u << 24; /* the local APIC has a TSC deadline timer */
	version->ecx |= 1u << 21; /* and an x2APIC mode */
	/* KVM_FEATURE_MSI_EXT_DEST_ID: our IO-APIC takes destinations of 15 bits. */
	if (kvm)
		kvm->eax |= 1u << 15;
	const int r = avd__cpuid_caches(cpuid, &cpu);
	return r < 0 ? r : avd__cpuid_place(cpuid, &cpu);
}
