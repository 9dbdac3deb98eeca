// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Can this /dev/kvm run a stock kernel? There are some that open, create machines and then
 * stop at the first instruction that their emulator lacks, so the probe runs a few which
 * kernels need, in long mode, in a tiny guest.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/cpuid.h"
#include "vmm/vm.h"
#include "vmm/vmm.h"

#define PROBE_MEMORY (2u << 20)
#define PROBE_ENTRY 0x10000u
#define PROBE_SCRATCH 0x11000u
/* The guest runs a dozen instructions; a host that needs longer than this for them is of no use. */
#define PROBE_MS 2000

struct code {
	uint8_t bytes[128];
	size_t len;
	/* Where an instruction that a KVM was seen to lack begins, or the next part. */
	struct {
		size_t at;
		const char *name;
	} marks[16];
	size_t marks_len;
};

/* What follows is `name`. */
static void mark(struct code *code, const char *name)
{
	code->marks[code->marks_len].at = code->len;
	code->marks[code->marks_len++].name = name;
}

static void emit(struct code *code, const void *bytes, size_t size)
{
	memcpy(code->bytes + code->len, bytes, size);
	code->len += size;
}
#define EMIT(code, ...)                                         \
	do {                                                    \
		static const uint8_t emitted[] = {__VA_ARGS__}; \
		emit(code, emitted, sizeof(emitted));           \
	} while (0)

static bool has(const struct avd__cpuid *cpuid, uint32_t leaf, char reg, int bit)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
		if (e->function == leaf && e->index == 0)
			return ((reg == 'b' ? e->ebx : e->ecx) >> bit) & 1;
	}
	return false;
}

/* Only what this KVM says it has: a kernel would not use the rest either. */
static void assemble(struct code *code, const struct avd__cpuid *cpuid)
{
	const bool xsave = has(cpuid, 1, 'c', 26);
	mark(code, "a plain instruction");
	EMIT(code, 0xbf, 0x00, 0x10, 0x01, 0x00); /* mov edi, PROBE_SCRATCH */
	EMIT(code, 0x31, 0xc0, 0x31, 0xd2, 0x31, 0xdb); /* xor eax, eax; edx, edx; ebx, ebx */
	EMIT(code, 0xb9, 0x04, 0x00, 0x00, 0x00); /* mov ecx, 4 */
	if (has(cpuid, 7, 'b', 8)) { /* BMI2 */
		mark(code, "shlx");
		EMIT(code, 0xc4, 0xe2, 0xf1, 0xf7, 0xc0); /* shlx rax, rax, rcx */
	}
	if (has(cpuid, 1, 'c', 13)) { /* CX16 */
		mark(code, "cmpxchg16b");
		EMIT(code, 0xf0, 0x48, 0x0f, 0xc7, 0x0f); /* lock cmpxchg16b [rdi] */
	}
	mark(code, "a move to CR4");
	EMIT(code, 0x0f, 0x20, 0xe0); /* mov rax, cr4 */
	if (xsave)
		EMIT(code, 0x0d, 0x00, 0x06, 0x04,
		     0x00); /* or eax, OSFXSR | OSXMMEXCPT | OSXSAVE */
	else
		EMIT(code, 0x0d, 0x00, 0x06, 0x00, 0x00); /* or eax, OSFXSR | OSXMMEXCPT */
	EMIT(code, 0x0f, 0x22, 0xe0); /* mov cr4, rax */
	mark(code, "fxsave, fxrstor or pxor");
	EMIT(code, 0x0f, 0xae, 0x07); /* fxsave [rdi] */
	EMIT(code, 0x0f, 0xae, 0x0f); /* fxrstor [rdi] */
	EMIT(code, 0x66, 0x0f, 0xef, 0xc0); /* pxor xmm0, xmm0 */
	if (xsave) {
		EMIT(code, 0xb8, 0x03, 0x00, 0x00, 0x00, 0x31, 0xd2, 0x31,
		     0xc9); /* mov eax, 3; xor edx, edx; xor ecx, ecx */
		mark(code, "xsetbv");
		EMIT(code, 0x0f, 0x01, 0xd1); /* xsetbv */
		EMIT(code, 0x81, 0xc7, 0x00, 0x04, 0x00, 0x00); /* add edi, 1024: untouched, zero */
		mark(code, "xrstor");
		EMIT(code, 0x48, 0x0f, 0xae, 0x2f); /* xrstor64 [rdi] */
	}
	mark(code, "a port");
	EMIT(code, 0xb0, 0xfe, 0xe6, 0x64); /* mov al, 0xfe; out 0x64, al: a reset, the proof */
	EMIT(code, 0xf4); /* hlt */
}

static const char *stopped_at(const struct avd__vm *vm, const struct code *code)
{
	struct kvm_regs regs = {0};
	const char *name = code->marks[0].name;
	vm->sys->ioctl(vm->sys->userdata, vm->vcpus[0].fd, KVM_GET_REGS, &regs);
	for (size_t i = 0; i < code->marks_len; i++) {
		if (regs.rip >= PROBE_ENTRY + code->marks[i].at)
			name = code->marks[i].name;
	}
	return name;
}

static int run(struct avd__vm *vm, const struct code *code, struct avd__error *error)
{
	struct pollfd polled = {.fd = vm->event_fd, .events = POLLIN};
	const uint64_t end = avd__now_ns() + PROBE_MS * UINT64_C(1000000);
	int r = avd__vm_start(vm, error);
	if (r < 0)
		return r;
	while (atomic_load(&vm->running) && avd__now_ns() < end)
		poll(&polled, 1, 10);
	avd__vm_stop(vm, AVD_END_WATCHDOG, "");
	avd__vm_join(vm);
	if (vm->end.cause == AVD_END_GUEST_RESET)
		return 0;
	if (vm->end.cause == AVD_END_WATCHDOG) /* or the host is that busy */
		return avd__fail(error, ETIMEDOUT,
				 "/dev/kvm does not get through a dozen instructions within %d ms",
				 PROBE_MS);
	return avd__fail(error, ENOTSUP, "/dev/kvm can't run a stock kernel: it %s at %s",
			 vm->end.cause == AVD_END_VCPU_ERROR ? "stops" : "resets",
			 stopped_at(vm, code));
}

int avd__vmm_probe(const struct avd__kvm_sys *sys, struct avd__error *error)
{
	struct avd__vm *vm;
	struct avd__topology one;
	avd__topology_flat(1, &one);
	/* With interrupt chips: what a kernel, and QEMU, want first of a KVM; some lack them. */
	int r = avd__vm_new(sys, PROBE_MEMORY, &one, true, &vm, error);
	if (r < 0)
		return r;
	struct code code = {0};
	struct avd__cpuid *cpuid = malloc(sizeof(*cpuid));
	r = cpuid ? avd__cpuid_supported(sys, vm->kvm_fd, cpuid, error)
		  : avd__fail(error, ENOMEM, "out of memory");
	if (r == 0) {
		assemble(&code, cpuid);
		memcpy(vm->memory + PROBE_ENTRY, code.bytes, code.len);
		avd__boot_tables(vm->memory);
		r = avd__vm_set_boot(vm, PROBE_ENTRY, error);
	}
	free(cpuid);
	if (r == 0)
		r = run(vm, &code, error);
	avd__vm_free(vm);
	return r;
}
