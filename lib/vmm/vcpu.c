// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/vm.h"

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
	struct kvm_run *run = vcpu->run;
	if (run->mmio.is_write)
		avd__vm_mmio_write(vcpu->vm, run->mmio.phys_addr, run->mmio.len, run->mmio.data);
	else
		avd__vm_mmio_read(vcpu->vm, run->mmio.phys_addr, run->mmio.len, run->mmio.data);
}

static void handle_exit(struct avd__vcpu *vcpu)
{
	char what[80];
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
		snprintf(what, sizeof(what), "KVM's internal error %u%s",
			 vcpu->run->internal.suberror,
			 vcpu->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION
				 ? " (it can't emulate an instruction)"
				 : "");
		avd__vcpu_fail(vcpu, what);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(what, sizeof(what), "failed entry, hardware reason %#llx",
			 (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
		avd__vcpu_fail(vcpu, what);
		break;
	default:
		snprintf(what, sizeof(what), "unknown exit reason %u", vcpu->run->exit_reason);
		avd__vcpu_fail(vcpu, what);
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
	if (avd__vcpu_confine(vcpu) < 0) /* avd__vm_start() waits for it, and tells */
		atomic_store(&vm->stopping, true);
	else if (vcpu->index == 0) {
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
			/* Not strerror(), which may look for a translation in a file. */
			snprintf(what, sizeof(what), "KVM_RUN: %s", strerrordesc_np(-r));
			avd__vcpu_fail(vcpu, what);
			break;
		}
		count(vcpu, exit_kind(vcpu->run->exit_reason));
		handle_exit(vcpu);
	}
	atomic_store(&vcpu->tid, 0);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	atomic_store(&vcpu->cpu_ns,
		     (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec + 1);
	avd__lock(&vm->thread_lock);
	vcpu->live = false;
	avd__unlock(&vm->thread_lock);
	atomic_store(&vcpu->done, true);
	atomic_fetch_sub(&vm->running, 1);
	eventfd_write(vm->event_fd, 1); /* the last one lets step() see the end */
	return NULL;
}
