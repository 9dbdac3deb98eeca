// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "vmm/acpi.h"
#include "vmm/boot.h"
#include "vmm/vm.h"
#include "vmm/vmm.h"

/* How much one step takes from each box, so that the caller's timers get their turn. */
#define STEP_BYTES (64u * 1024u)

/*
 * What pays, measured on stock kernels: no bus to scan, no controller to probe, no
 * crypto self-tests; the TSC is the clock. 8250.nr_uarts=1 keeps the kernel off the channel.
 */
#define KERNEL_ARGS                                                                           \
	"console=ttyS0 quiet panic=-1 reboot=k pci=off nokaslr mitigations=off tsc=reliable " \
	"no_timer_check i8042.noaux random.trust_cpu=on cryptomgr.notests=1 8250.nr_uarts=1 " \
	"rdinit=/init"

struct avd__machine {
	struct avd__vm *vm;
};

static int vmm_start(const struct avd__machine_spec *spec, struct avd__machine **ret_machine,
		     struct avd__error *error)
{
	if (spec->cpus < 1 || spec->cpus > AVD__VM_CPUS_MAX)
		return avd__fail(error, EINVAL, "the KVM machine has 1 to %u CPUs, not %u",
				 AVD__VM_CPUS_MAX, spec->cpus);
	struct avd__machine *machine = calloc(1, sizeof(*machine));
	char *cmdline = NULL;
	if (!machine || asprintf(&cmdline, "%s%s%s", KERNEL_ARGS, spec->kernel_args ? " " : "",
				 spec->kernel_args ? spec->kernel_args : "") < 0) {
		free(machine);
		return avd__fail(error, ENOMEM, "out of memory");
	}
	int r = avd__vm_new(&avd__kvm_system, spec->memory_bytes, spec->cpus, true, &machine->vm,
			    error);
	if (r == 0) {
		const struct avd__boot boot = {
			.memory = machine->vm->memory,
			.low_bytes = machine->vm->low_bytes,
			.high_bytes = machine->vm->high_bytes,
			.kernel_fd = spec->kernel_fd,
			.kernel_path = spec->kernel_path,
			.initramfs_fd = spec->initramfs_fd,
			.initramfs_bytes = spec->initramfs_bytes,
			.cmdline = cmdline,
		};
		uint32_t apic_ids[AVD__VM_CPUS_MAX];
		for (uint32_t i = 0; i < spec->cpus; i++)
			apic_ids[i] = i;
		uint64_t entry = 0;
		r = avd__boot_load(&boot, &entry, error);
		if (r == 0 &&
		    avd__acpi_build(boot.memory + AVD__ACPI_BASE, apic_ids, spec->cpus) < 0)
			r = avd__fail(error, ENOSPC, "no room for the ACPI tables of %u CPUs",
				      spec->cpus);
		if (r == 0)
			r = avd__vm_set_boot(machine->vm, entry, error);
		if (r == 0)
			r = avd__vm_start(machine->vm, error);
	}
	free(cmdline);
	if (r < 0) {
		avd__vm_free(machine->vm);
		free(machine);
		return r;
	}
	*ret_machine = machine;
	return 0;
}

static int vmm_fd(const struct avd__machine *machine)
{
	return machine->vm->event_fd;
}

static int vmm_step(struct avd__machine *machine, const struct avd__machine_sink *sink,
		    struct avd__machine_end *ret_end)
{
	struct avd__vm *vm = machine->vm;
	static const size_t piece = 4096;
	uint8_t bytes[4096];
	eventfd_t events;
	eventfd_read(vm->event_fd, &events);
	/* Looked at first: what the threads wrote before they ended is then in the boxes. */
	const bool over = atomic_load(&vm->stopping) && atomic_load(&vm->running) == 0;
	size_t n, console = 0, channel = 0;
	while (console < STEP_BYTES && (n = avd__outbox_take(&vm->console_box, bytes, piece)) > 0) {
		sink->console(sink->userdata, bytes, n);
		console += n;
	}
	while (channel < STEP_BYTES && (n = avd__outbox_take(&vm->channel_box, bytes, piece)) > 0) {
		if (sink->channel(sink->userdata, bytes, n) < 0)
			avd__vm_stop(vm, AVD_END_HOST_STOP,
				     "the caller takes no more of the channel");
		channel += n;
	}
	if (console >= STEP_BYTES || channel >= STEP_BYTES) {
		eventfd_write(vm->event_fd, 1); /* there may be more */
		return 1;
	}
	if (!over)
		return 1;
	avd__vm_join(vm);
	*ret_end = vm->end;
	return 0;
}

static void vmm_stop(struct avd__machine *machine, uint32_t cause)
{
	avd__vm_stop(machine->vm, cause, "");
}

static uint64_t vmm_cpu_ns(const struct avd__machine *machine)
{
	return avd__vm_cpu_ns(machine->vm);
}

static void vmm_free(struct avd__machine *machine)
{
	if (!machine)
		return;
	avd__vm_free(machine->vm);
	free(machine);
}

static int vmm_probe(const char *qemu, const char **ret_accel, struct avd__error *error)
{
	(void)qemu;
	const int r = avd__vmm_probe(&avd__kvm_system, error);
	if (r < 0)
		return r;
	*ret_accel = "kvm";
	return 0;
}

const struct avd__machine_ops avd__vmm_ops = {
	.name = "kvm",
	.probe = vmm_probe,
	.start = vmm_start,
	.fd = vmm_fd,
	.step = vmm_step,
	.stop = vmm_stop,
	.cpu_ns = vmm_cpu_ns,
	.free = vmm_free,
};
