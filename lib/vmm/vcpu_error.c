// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * What a vCPU that can't go on leaves behind: why, where, the bytes there and the registers. One
 * line, because it travels in the recording's end-cause frame.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/vm.h"

/* The longest x86 instruction. */
#define CODE_BYTES 15u
/* kvm_run has no more. */
#define DATA_MAX 16u

struct line {
	char text[sizeof(((struct avd__machine_end *)0)->detail)];
	size_t len;
};

static void AVD_PRINTF(2, 3) add(struct line *line, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const int n = vsnprintf(line->text + line->len, sizeof(line->text) - line->len, fmt, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n;
	if (line->len >= sizeof(line->text))
		line->len = sizeof(line->text) - 1;
}

/* Guest memory at a physical address, and how much of it follows there. */
static const uint8_t *guest_bytes(const struct avd__vm *vm, uint64_t address, uint64_t *ret_size)
{
	if (address < vm->low_bytes) {
		*ret_size = vm->low_bytes - address;
		return vm->memory + address;
	}
	if (address >= AVD__MEMORY_HIGH && address - AVD__MEMORY_HIGH < vm->high_bytes) {
		*ret_size = vm->high_bytes - (address - AVD__MEMORY_HIGH);
		return vm->memory + vm->low_bytes + (address - AVD__MEMORY_HIGH);
	}
	*ret_size = 0;
	return NULL;
}

static void add_bytes(struct line *line, const uint8_t *bytes, uint64_t count)
{
	for (uint64_t i = 0; i < count && i < CODE_BYTES; i++)
		add(line, " %02x", bytes[i]);
}

/* The bytes at rip: those that KVM fetched if it says so, else those that are there now. */
static void add_code(struct line *line, const struct avd__vcpu *vcpu, uint64_t linear)
{
	const struct avd__vm *vm = vcpu->vm;
	const struct kvm_run *run = vcpu->run;
	struct kvm_translation where = {.linear_address = linear};
	uint64_t size = 0;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
	    run->emulation_failure.suberror == KVM_INTERNAL_ERROR_EMULATION &&
	    run->emulation_failure.ndata >= 3 && run->emulation_failure.insn_size &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		add(line, ", code fetched by KVM");
		add_bytes(line, run->emulation_failure.insn_bytes,
			  run->emulation_failure.insn_size);
		return;
	}
	const int r = vm->sys->ioctl(vm->sys->userdata, vcpu->fd, KVM_TRANSLATE, &where);
	const uint8_t *bytes =
		r >= 0 && where.valid ? guest_bytes(vm, where.physical_address, &size) : NULL;
	if (r < 0)
		add(line, ", code unknown (KVM_TRANSLATE: %s)", strerrordesc_np(-r));
	else if (!where.valid)
		add(line, ", code unknown (rip is not mapped)");
	else if (!bytes)
		add(line, ", code unknown (rip maps to %#llx, which is no memory)",
		    where.physical_address);
	else
		add(line, ", code");
	add_bytes(line, bytes, size);
}

static void add_registers(struct line *line, const struct avd__vcpu *vcpu)
{
	const struct avd__kvm_sys *sys = vcpu->vm->sys;
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs = {0};
	struct kvm_vcpu_events events = {0};
	sys->ioctl(sys->userdata, vcpu->fd, KVM_GET_REGS, &regs);
	sys->ioctl(sys->userdata, vcpu->fd, KVM_GET_SREGS, &sregs);
	add(line, " at rip %#llx", regs.rip);
	add_code(line, vcpu, sregs.cs.base + regs.rip);
	add(line, "; cs %#x base %#llx rflags %#llx rsp %#llx", sregs.cs.selector, sregs.cs.base,
	    regs.rflags, regs.rsp);
	add(line, " cr0 %#llx cr2 %#llx cr3 %#llx cr4 %#llx efer %#llx", sregs.cr0, sregs.cr2,
	    sregs.cr3, sregs.cr4, sregs.efer);
	add(line, " rax %#llx rbx %#llx rcx %#llx rdx %#llx rsi %#llx rdi %#llx rbp %#llx",
	    regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp);
	if (sys->ioctl(sys->userdata, vcpu->fd, KVM_GET_VCPU_EVENTS, &events) < 0)
		return;
	if (events.exception.injected)
		add(line, ", exception %u injected", events.exception.nr);
	if (events.interrupt.injected)
		add(line, ", interrupt %u injected", events.interrupt.nr);
	if (events.interrupt.shadow)
		add(line, ", interrupt shadow %u", events.interrupt.shadow);
}

/* KVM's own words on the failure: which ones depends on its version, but they name the exit. */
static void add_data(struct line *line, const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR || !run->internal.ndata)
		return;
	add(line, "; KVM's data");
	for (uint32_t i = 0; i < run->internal.ndata && i < DATA_MAX; i++)
		add(line, " %#llx", run->internal.data[i]);
}

void avd__vcpu_fail(struct avd__vcpu *vcpu, const char *what)
{
	struct line line = {0};
	add(&line, "vCPU %u: %s", vcpu->index, what);
	add_registers(&line, vcpu);
	add_data(&line, vcpu->run);
	avd__vm_stop(vcpu->vm, AVD_END_VCPU_ERROR, line.text);
}
