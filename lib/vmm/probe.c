// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Can this /dev/kvm run a stock kernel? There are some that open, create machines and then
 * stop at the first instruction that their emulator lacks, so the probe runs a few which
 * kernels need, in long mode, in a tiny guest.
 */
#include <cpuid.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "vmm/boot.h"
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
};

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

/* Only what the host's CPU has: a kernel would not use the rest either. */
static void assemble(struct code *code)
{
	unsigned int a, b, c, d;
	EMIT(code, 0xbf, 0x00, 0x10, 0x01, 0x00); /* mov edi, PROBE_SCRATCH */
	EMIT(code, 0x31, 0xc0, 0x31, 0xd2); /* xor eax, eax; xor edx, edx */
	if (__get_cpuid(1, &a, &b, &c, &d)) {
		if (c & 1u << 13)
			EMIT(code, 0xf0, 0x48, 0x0f, 0xc7, 0x0f); /* lock cmpxchg16b [rdi] */
		EMIT(code, 0x0f, 0x20, 0xe0); /* mov rax, cr4 */
		EMIT(code, 0x0d, 0x00, 0x06, 0x00, 0x00); /* or eax, OSFXSR | OSXMMEXCPT */
		EMIT(code, 0x0f, 0x22, 0xe0); /* mov cr4, rax */
		EMIT(code, 0x0f, 0xae, 0x07); /* fxsave [rdi] */
		EMIT(code, 0x0f, 0xae, 0x0f); /* fxrstor [rdi] */
		EMIT(code, 0x66, 0x0f, 0xef, 0xc0); /* pxor xmm0, xmm0 */
	}
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 8))
		EMIT(code, 0xc4, 0xe2, 0xf1, 0xf7, 0xc3); /* shlx rax, rbx, rcx */
	EMIT(code, 0xf4); /* hlt */
}

static int run(struct avd__vm *vm, struct avd__error *error)
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
	if (vm->end.cause == AVD_END_GUEST_SHUTDOWN)
		return 0;
	const char *why = vm->end.cause == AVD_END_VCPU_ERROR ? vm->end.detail
			  : vm->end.cause == AVD_END_WATCHDOG
				  ? "it does not get through a dozen instructions"
				  : "it resets at a plain instruction";
	/* Which instruction is enough: the registers come behind a semicolon. */
	return avd__fail(error, ENOTSUP,
			 "/dev/kvm can't run a stock kernel (%.*s); use the machine qemu, which "
			 "can emulate",
			 (int)strcspn(why, ";"), why);
}

int avd__vmm_probe(const struct avd__kvm_sys *sys, struct avd__error *error)
{
	struct avd__vm *vm;
	int r = avd__vm_new(sys, PROBE_MEMORY, 1, false, &vm, error);
	if (r < 0)
		return r;
	struct code code = {0};
	assemble(&code);
	memcpy(vm->memory + PROBE_ENTRY, code.bytes, code.len);
	avd__boot_tables(vm->memory);
	r = avd__vm_set_boot(vm, PROBE_ENTRY, error);
	if (r == 0)
		r = run(vm, error);
	avd__vm_free(vm);
	return r;
}
