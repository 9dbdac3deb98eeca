// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What of the machine's chips is KVM's own, and how many CPUs KVM lets it have. */
#include <errno.h>

#include "vmm/vm.h"

/* KVM keeps three pages of its own there, on hosts whose CPU lacks unrestricted guests. */
#define TSS_ADDRESS 0xfffbd000u
#define IDENTITY_MAP_ADDRESS 0xfffbc000u

/* Before KVM had these it had 255 CPUs, with ids as many. */
#define CPUS_MAX_ALWAYS 255u

static int limit(struct avd__vm *vm, unsigned long capability, uint32_t *ret_limit,
		 struct avd__error *error)
{
	const int r = AVD__KVM_IOCTL(vm->sys, vm->vm_fd, KVM_CHECK_EXTENSION,
				     (void *)(uintptr_t)capability, error);
	if (r >= 0)
		*ret_limit = r > 0 ? (uint32_t)r : CPUS_MAX_ALWAYS;
	return r;
}

static int check_cpus(struct avd__vm *vm, struct avd__error *error)
{
	const uint32_t highest = avd__topology_max_apic_id(&vm->topology);
	uint32_t cpus = 0, ids = 0;
	int r = limit(vm, KVM_CAP_MAX_VCPUS, &cpus, error);
	if (r >= 0)
		r = limit(vm, KVM_CAP_MAX_VCPU_ID, &ids, error);
	if (r < 0)
		return r;
	if (vm->cpus > cpus)
		return avd__fail(
			error, EINVAL,
			"KVM here runs machines of up to %u CPUs, not %u; make the topology "
			"smaller",
			cpus, vm->cpus);
	if (highest >= ids)
		return avd__fail(
			error, EINVAL,
			"the topology's highest APIC id is %u, KVM here takes ids below %u; "
			"make the LLCs more alike or fewer",
			highest, ids);
	return 0;
}

/* The local APICs are KVM's, the IO-APIC is ioapic.c; no 8259 and no 8254. Ids of 32 bits, and
 * 255 is no broadcast among them. */
static int make_apics(struct avd__vm *vm, struct avd__error *error)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP};
	struct kvm_enable_cap ids = {
		.cap = KVM_CAP_X2APIC_API,
		.args[0] = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
	};
	int r = avd__kvm_ioctl(vm->sys, vm->vm_fd, KVM_ENABLE_CAP, "KVM_CAP_SPLIT_IRQCHIP", &split,
			       error);
	if (r >= 0)
		r = avd__kvm_ioctl(vm->sys, vm->vm_fd, KVM_ENABLE_CAP, "KVM_CAP_X2APIC_API", &ids,
				   error);
	return r < 0 ? r : 0;
}

int avd__vm_make_chips(struct avd__vm *vm, struct avd__error *error)
{
	uint64_t identity_map = IDENTITY_MAP_ADDRESS;
	int r = check_cpus(vm, error);
	if (r >= 0)
		r = AVD__KVM_IOCTL(vm->sys, vm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map,
				   error);
	if (r >= 0)
		r = AVD__KVM_IOCTL(vm->sys, vm->vm_fd, KVM_SET_TSS_ADDR,
				   (void *)(uintptr_t)TSS_ADDRESS, error);
	if (r >= 0 && vm->irqchip)
		r = make_apics(vm, error);
	return r < 0 ? r : 0;
}
