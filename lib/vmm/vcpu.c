// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/vm.h"

/* Bytes of code to show in an error. */
#define CODE_BYTES 8u

static void port_exit(struct avd__vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)vcpu->run + run->io.data_offset;
	if (run->io.direction == KVM_EXIT_IO_OUT)
		avd__vm_port_write(vcpu->vm, run->io.port, run->io.size, data, run->io.count);
	else
		avd__vm_port_read(vcpu->vm, run->io.port, run->io.size, data, run->io.count);
}

static void mmio_exit(struct avd__vcpu *vcpu)
{
	if (!vcpu->run->mmio.is_write)
		memset(vcpu->run->mmio.data, 0xff, sizeof(vcpu->run->mmio.data));
}

/* What stopped it, where, and the bytes there: enough to look the instruction up. */
static void error_exit(struct avd__vcpu *vcpu, const char *what)
{
	struct avd__vm *vm = vcpu->vm;
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs = {0};
	char code[3 * CODE_BYTES + 1] = "";
	char detail[sizeof(vm->end.detail)];
	vm->sys->ioctl(vm->sys->userdata, vcpu->fd, KVM_GET_REGS, &regs);
	vm->sys->ioctl(vm->sys->userdata, vcpu->fd, KVM_GET_SREGS, &sregs);
	struct kvm_translation where = {.linear_address = sregs.cs.base + regs.rip};
	vm->sys->ioctl(vm->sys->userdata, vcpu->fd, KVM_TRANSLATE, &where);
	if (where.valid && where.physical_address < vm->low_bytes - CODE_BYTES) {
		for (uint32_t i = 0; i < CODE_BYTES; i++)
			snprintf(code + 3 * (size_t)i, 4, " %02x",
				 vm->memory[where.physical_address + i]);
	}
	snprintf(detail, sizeof(detail), "vCPU %u: %s at rip %#llx (cr0 %#llx, cr3 %#llx), code%s",
		 vcpu->index, what, (unsigned long long)regs.rip, (unsigned long long)sregs.cr0,
		 (unsigned long long)sregs.cr3, code);
	avd__vm_stop(vm, AVD_END_VCPU_ERROR, detail);
}

static void handle_exit(struct avd__vcpu *vcpu)
{
	char what[64];
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		port_exit(vcpu);
		break;
	case KVM_EXIT_MMIO:
		mmio_exit(vcpu);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_HLT: /* only without interrupt chips: nothing can wake it */
		avd__vm_stop(vcpu->vm, AVD_END_GUEST_SHUTDOWN, "halted for good");
		break;
	case KVM_EXIT_SHUTDOWN:
		avd__vm_stop(vcpu->vm, AVD_END_TRIPLE_FAULT, "");
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(what, sizeof(what), "KVM's internal error %u",
			 vcpu->run->internal.suberror);
		error_exit(vcpu, what);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(what, sizeof(what), "failed entry, hardware reason %#llx",
			 (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
		error_exit(vcpu, what);
		break;
	default:
		snprintf(what, sizeof(what), "unknown exit reason %u", vcpu->run->exit_reason);
		error_exit(vcpu, what);
		break;
	}
}

static void count(struct avd__vcpu *vcpu, enum avd__exit why)
{
	/* One writer: no need for a locked addition. */
	_Atomic uint64_t *counter = &vcpu->exits[why];
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static enum avd__exit exit_kind(uint32_t reason)
{
	switch (reason) {
	case KVM_EXIT_IO:
		return AVD__EXIT_IO;
	case KVM_EXIT_MMIO:
		return AVD__EXIT_MMIO;
	case KVM_EXIT_HLT:
		return AVD__EXIT_HLT;
	case KVM_EXIT_SHUTDOWN:
		return AVD__EXIT_SHUTDOWN;
	case KVM_EXIT_INTR:
		return AVD__EXIT_INTR;
	default:
		return AVD__EXIT_OTHER;
	}
}

void *avd__vcpu_main(void *argument)
{
	struct avd__vcpu *vcpu = argument;
	struct avd__vm *vm = vcpu->vm;
	struct timespec used;
	atomic_store(&vcpu->tid, gettid());
	if (vcpu->index == 0) {
		atomic_store(&vm->first_run_cpu_ns, avd__thread_cpu_ns());
		atomic_store(&vm->first_run_ns, avd__now_ns());
	}
	while (!atomic_load(&vm->stopping)) {
		const int r = vm->sys->ioctl(vm->sys->userdata, vcpu->fd, KVM_RUN, NULL);
		if (r == -EINTR || r == -EAGAIN) { /* kicked; a CPU that waits for its start-up */
			count(vcpu, AVD__EXIT_INTR);
			continue;
		}
		if (r < 0) {
			char what[64];
			snprintf(what, sizeof(what), "KVM_RUN: %s", strerror(-r));
			error_exit(vcpu, what);
			break;
		}
		count(vcpu, exit_kind(vcpu->run->exit_reason));
		handle_exit(vcpu);
	}
	atomic_store(&vcpu->tid, 0);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	atomic_store(&vcpu->cpu_ns,
		     (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec + 1);
	pthread_mutex_lock(&vm->thread_lock);
	vcpu->live = false;
	pthread_mutex_unlock(&vm->thread_lock);
	atomic_fetch_sub(&vm->running, 1);
	eventfd_write(vm->event_fd, 1); /* the last one lets step() see the end */
	return NULL;
}
