// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Whether /dev/kvm can run a stock kernel. There are software-only ones that open, make machines
 * and then stop at the first instruction that they don't know; so the answer comes from running,
 * in a tiny guest in 64-bit mode, instructions that stock kernels use early: those that such a
 * KVM was seen to stop at. Takes a few milliseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "qemu/find.h"

/* The guest's memory: page tables, code, a place for XRSTOR and CMPXCHG16B to work on. */
#define PML4 0x1000u
#define PDPT 0x2000u
#define PD 0x5000u
#define CODE 0x3000u
#define DATA 0x4000u /* aligned to 64; zero: an XSAVE area in its initial state */
#define GUEST_BYTES 0x6000u
/* Where KVM keeps its own pages on Intel: anywhere outside the guest's. */
#define TSS_ADDRESS 0xfffbd000u

#define CPUID_MAX 256u
/* A sound KVM leaves the guest once, at its OUT. EINTR and EAGAIN aside. */
#define RUNS_MAX 64

#define PROOF_PORT 0x10u
#define PROOF 0xa5u

struct probe {
	int kvm_fd, vm_fd, vcpu_fd;
	unsigned char *memory;
	struct kvm_run *run;
	size_t run_size;
	struct kvm_cpuid2 *cpuid;
	unsigned char *code; /* next byte */
	const char *failed; /* what did not work */
};

static void emit(struct probe *probe, const char *bytes, size_t size)
{
	memcpy(probe->code, bytes, size);
	probe->code += size;
}
#define EMIT(probe, bytes) emit(probe, bytes, sizeof(bytes) - 1)

static bool has(const struct probe *probe, uint32_t leaf, char reg, int bit)
{
	for (uint32_t i = 0; i < probe->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &probe->cpuid->entries[i];
		if (e->function == leaf && e->index == 0)
			return ((reg == 'b' ? e->ebx : e->ecx) >> bit) & 1;
	}
	return false;
}

/* Only what this KVM says it has: an older CPU is no worse a machine. */
static void assemble(struct probe *probe)
{
	probe->code = probe->memory + CODE;
	EMIT(probe, "\xbf\x00\x40\x00\x00"); /* mov edi, DATA */
	EMIT(probe, "\x31\xc0\x31\xd2\x31\xdb"); /* xor eax, eax; edx; ebx */
	EMIT(probe, "\xb9\x04\x00\x00\x00"); /* mov ecx, 4 */
	if (has(probe, 7, 'b', 8)) /* BMI2 */
		EMIT(probe, "\xc4\xe2\xf1\xf7\xc0"); /* shlx rax, rax, rcx */
	if (has(probe, 1, 'c', 13)) /* CX16 */
		EMIT(probe, "\xf0\x48\x0f\xc7\x0f"); /* lock cmpxchg16b [rdi] */
	if (has(probe, 1, 'c', 26)) { /* XSAVE; CR4 allows it from the start */
		EMIT(probe, "\xb8\x03\x00\x00\x00\x31\xd2\x31\xc9"); /* eax = 3, edx = ecx = 0 */
		EMIT(probe, "\x0f\x01\xd1"); /* xsetbv */
		EMIT(probe, "\x48\x0f\xae\x2f"); /* xrstor64 [rdi] */
	}
	EMIT(probe, "\xb0\xa5\xe6\x10"); /* mov al, PROOF; out PROOF_PORT, al */
	EMIT(probe, "\xf4"); /* hlt */
}

static bool open_vm(struct probe *probe)
{
	probe->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (probe->kvm_fd < 0) {
		probe->failed = strerrordesc_np(errno);
		return false;
	}
	if (ioctl(probe->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
		probe->failed = "it speaks another protocol";
		return false;
	}
	probe->vm_fd = ioctl(probe->kvm_fd, KVM_CREATE_VM, 0UL);
	const int run_size = ioctl(probe->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (probe->vm_fd < 0 || run_size < (int)sizeof(struct kvm_run)) {
		probe->failed = "it can't make a machine";
		return false;
	}
	ioctl(probe->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)TSS_ADDRESS); /* Intel needs it */
	probe->memory =
		mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe->memory == MAP_FAILED) {
		probe->failed = "out of memory";
		return false;
	}
	const struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_BYTES, .userspace_addr = (uintptr_t)probe->memory};
	/* QEMU's first demand of a KVM; some lack it. */
	if (ioctl(probe->vm_fd, KVM_CREATE_IRQCHIP, 0UL) < 0 ||
	    ioctl(probe->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
		probe->failed = "it can't make a PC";
		return false;
	}
	probe->vcpu_fd = ioctl(probe->vm_fd, KVM_CREATE_VCPU, 0UL);
	if (probe->vcpu_fd < 0) {
		probe->failed = "it can't make a CPU";
		return false;
	}
	probe->run_size = (size_t)run_size;
	probe->run =
		mmap(NULL, probe->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, probe->vcpu_fd, 0);
	if (probe->run == MAP_FAILED)
		probe->failed = "it can't share a CPU's state";
	return !probe->failed;
}

/* 64-bit mode as a kernel finds it: flat segments, identical addresses. */
static bool set_state(struct probe *probe)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rip = CODE, .rflags = 2};
	const uint64_t pml4e = PDPT | 3, pdpte = PD | 3, pde = 0x83; /* the first 2 MiB */

	probe->cpuid =
		calloc(1, sizeof(*probe->cpuid) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2));
	probe->failed = "it can't set up a CPU";
	if (!probe->cpuid)
		return false;
	probe->cpuid->nent = CPUID_MAX;
	if (ioctl(probe->kvm_fd, KVM_GET_SUPPORTED_CPUID, probe->cpuid) < 0 ||
	    ioctl(probe->vcpu_fd, KVM_SET_CPUID2, probe->cpuid) < 0 ||
	    ioctl(probe->vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return false;
	memcpy(probe->memory + PML4, &pml4e, sizeof(pml4e));
	memcpy(probe->memory + PDPT, &pdpte, sizeof(pdpte));
	memcpy(probe->memory + PD, &pde, sizeof(pde));
	sregs.cr3 = PML4;
	sregs.cr4 |= 1u << 5 | 1u << 9 | 1u << 10; /* PAE, OSFXSR, OSXMMEXCPT */
	if (has(probe, 1, 'c', 26))
		sregs.cr4 |= 1u << 18; /* OSXSAVE */
	sregs.cr0 |= 1u << 31 | 1u << 0; /* PG, PE */
	sregs.efer |= 1u << 8 | 1u << 10; /* LME, LMA */
	const struct kvm_segment code = {
		.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	const struct kvm_segment data = {
		.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	if (ioctl(probe->vcpu_fd, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(probe->vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return false;
	probe->failed = NULL;
	return true;
}

static bool run(struct probe *probe)
{
	for (int i = 0; i < RUNS_MAX; i++) {
		if (ioctl(probe->vcpu_fd, KVM_RUN, 0UL) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			break;
		}
		const unsigned char *io = (unsigned char *)probe->run;
		if (probe->run->exit_reason == KVM_EXIT_IO && probe->run->io.port == PROOF_PORT)
			return io[probe->run->io.data_offset] == PROOF;
		break;
	}
	probe->failed = "it stops at instructions that stock kernels use";
	return false;
}

const char *avd__qemu_choose_accel(char *why, size_t why_size)
{
	struct probe probe = {
		.kvm_fd = -1, .vm_fd = -1, .vcpu_fd = -1, .memory = MAP_FAILED, .run = MAP_FAILED};
	bool ok = open_vm(&probe) && set_state(&probe);
	if (ok) {
		assemble(&probe);
		ok = run(&probe);
	}
	if (probe.run != MAP_FAILED)
		munmap(probe.run, probe.run_size);
	avd__close(&probe.vcpu_fd);
	avd__close(&probe.vm_fd);
	avd__close(&probe.kvm_fd);
	if (probe.memory != MAP_FAILED)
		munmap(probe.memory, GUEST_BYTES);
	free(probe.cpuid);
	if (ok)
		snprintf(why, why_size, "/dev/kvm runs a stock kernel's instructions");
	else
		snprintf(why, why_size, "no /dev/kvm for a stock kernel: %s", probe.failed);
	return ok ? "kvm" : "tcg";
}
