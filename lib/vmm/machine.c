// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/kernel.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "vmm/acpi.h"
#include "vmm/boot.h"
#include "vmm/numa.h"
#include "vmm/vm.h"
#include "vmm/vmm.h"

/* How much one step takes from each box, so that the caller's timers get their turn. */
#define STEP_BYTES (64u * 1024u)

/*
 * What pays, measured on stock kernels: no bus to scan, no controller to probe, no
 * crypto self-tests; the TSC is the clock. 8250.nr_uarts=1 reserve=0x2f8,8 keeps the kernel off the
 * channel.
 */
#define KERNEL_ARGS                                                                           \
	"console=ttyS0 quiet panic=-1 reboot=k pci=off nokaslr mitigations=off tsc=reliable " \
	"no_timer_check i8042.noaux random.trust_cpu=on cryptomgr.notests=1 8250.nr_uarts=1 " \
	"rdinit=/init"

struct avd__machine {
	struct avd__vm *vm;
	uint64_t start_ns, start_cpu_ns; /* when start() began; what it took of its thread */
};

/* Kernel, initramfs, tables and the first vCPU's registers. */
static int load(const struct avd__machine_spec *spec, const char *cmdline, struct avd__vm *vm,
		struct avd__error *error)
{
	const struct avd__boot boot = {
		.memory = vm->memory,
		.low_bytes = vm->low_bytes,
		.high_bytes = vm->high_bytes,
		.window = vm->window.memory != NULL,
		.bzimage = spec->kernel_format == AVD_KERNEL_BZIMAGE,
		.kernel_fd = spec->kernel_fd,
		.kernel_path = spec->kernel_path,
		.initramfs_fd = spec->initramfs_fd,
		.initramfs_bytes = spec->initramfs_bytes,
		.cmdline = cmdline,
	};
	const struct avd__acpi tables = {.topology = &vm->topology,
					 .low_bytes = vm->low_bytes,
					 .high_bytes = vm->high_bytes};
	uint64_t entry = 0;
	const int r = avd__boot_load(&boot, &entry, error);
	if (r < 0)
		return r;
	if (avd__acpi_build(vm->memory + AVD__ACPI_BASE, &tables) < 0)
		return avd__fail(error, ENOSPC, "no room for the ACPI tables of %u CPUs",
				 spec->cpus);
	return avd__vm_set_boot(vm, entry, error);
}

static int confine(struct avd__vm *vm, const struct avd__log *log, struct avd__error *error)
{
	const char *missing = avd__sandbox_missing();
	if (!missing)
		return avd__vm_confine(vm, 0, 0, error);
	avd__log(log, AVD_LOG_WARNING, "the machine runs without a sandbox: %s", missing);
	return 0;
}

static int check(const struct avd__machine_spec *spec, struct avd__error *error)
{
	if (spec->cpus < 1 || spec->cpus > AVD__TOPOLOGY_CPUS_MAX)
		return avd__fail(error, EINVAL, "the KVM machine has 1 to %u CPUs, not %u",
				 AVD__TOPOLOGY_CPUS_MAX, spec->cpus);
	if (spec->topology && spec->memory_bytes / spec->topology->nodes < AVD__NUMA_NODE_MIN)
		return avd__fail(
			error, EINVAL,
			"%llu MiB are too little for %u NUMA nodes of at least %llu MiB each; "
			"give the machine more memory",
			(unsigned long long)spec->memory_bytes >> 20, spec->topology->nodes,
			(unsigned long long)AVD__NUMA_NODE_MIN >> 20);
	return 0;
}

static int vmm_start(const struct avd__machine_spec *spec, struct avd__machine **ret_machine,
		     struct avd__error *error)
{
	const uint64_t start_ns = avd__now_ns(), cpu_ns = avd__thread_cpu_ns();
	struct avd__topology flat;
	int r = check(spec, error);
	if (r < 0)
		return r;
	avd__topology_flat(spec->cpus, &flat);
	struct avd__machine *machine = calloc(1, sizeof(*machine));
	char *cmdline = NULL;
	if (!machine || asprintf(&cmdline, "%s%s%s", spec->args_only ? "" : KERNEL_ARGS,
				 spec->kernel_args && !spec->args_only ? " " : "",
				 spec->kernel_args ? spec->kernel_args : "") < 0) {
		free(machine);
		return avd__fail(error, ENOMEM, "out of memory");
	}
	r = avd__vm_new(&avd__kvm_system, spec->memory_bytes,
			spec->topology ? spec->topology : &flat, true, &machine->vm, error);
	if (r == 0 && !spec->serial)
		r = avd__vm_add_window(machine->vm, error);
	if (r == 0)
		r = load(spec, cmdline, machine->vm, error);
	if (r == 0 && spec->sandbox)
		r = confine(machine->vm, &spec->log, error);
	if (r == 0)
		r = avd__vm_start(machine->vm, error);
	free(cmdline);
	if (r < 0) {
		avd__vm_free(machine->vm);
		free(machine);
		return r;
	}
	machine->start_ns = start_ns;
	machine->start_cpu_ns = avd__thread_cpu_ns() - cpu_ns;
	*ret_machine = machine;
	return 0;
}

static int vmm_fd(const struct avd__machine *machine)
{
	return avd__vm_fd(machine->vm);
}

/* Passes on what a source holds, up to STEP_BYTES; true if there may be more. */
static bool drain_console(struct avd__vm *vm, const struct avd__machine_sink *sink)
{
	static const size_t piece = 4096;
	uint8_t bytes[4096];
	size_t n, done = 0;
	while (done < STEP_BYTES && (n = avd__outbox_take(&vm->console_box, bytes, piece)) > 0) {
		sink->console(sink->userdata, bytes, n);
		done += n;
	}
	return done >= STEP_BYTES;
}

static size_t take_channel(struct avd__vm *vm, void *bytes, size_t size)
{
	/* The second UART speaks too if the guest can't use the window. */
	const size_t n = avd__outbox_take(&vm->channel_box, bytes, size);
	return n || !vm->window.memory ? n : avd__window_take(&vm->window, bytes, size);
}

static bool drain_channel(struct avd__vm *vm, const struct avd__machine_sink *sink)
{
	static const size_t piece = 32768;
	uint8_t bytes[32768];
	size_t n, done = 0;
	while (done < STEP_BYTES && (n = take_channel(vm, bytes, piece)) > 0) {
		if (sink->channel(sink->userdata, bytes, n) < 0)
			avd__vm_stop(vm, AVD_END_HOST_STOP,
				     "the caller takes no more of the channel");
		done += n;
	}
	return done >= STEP_BYTES;
}

static int vmm_step(struct avd__machine *machine, const struct avd__machine_sink *sink,
		    struct avd__machine_end *ret_end)
{
	struct avd__vm *vm = machine->vm;
	eventfd_t events;
	eventfd_read(vm->event_fd, &events);
	avd__vm_reap(vm);
	/* Looked at first: what the threads wrote before they ended is then there to be taken. */
	const bool over = atomic_load(&vm->stopping) && atomic_load(&vm->running) == 0;
	const bool more_console = drain_console(vm, sink);
	const bool more_channel = drain_channel(vm, sink);
	if (vm->window.broken)
		avd__vm_stop(vm, AVD_END_VCPU_ERROR, AVD__WINDOW_BROKEN);
	if (more_console || more_channel) {
		eventfd_write(vm->event_fd, 1);
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

static uint64_t vmm_wait_ns(const struct avd__machine *machine)
{
	return avd__vm_wait_ns(machine->vm);
}

static void vmm_stats(const struct avd__machine *machine, struct avd_machine_stats *stats)
{
	const struct avd__vm *vm = machine->vm;
	const uint64_t first = atomic_load(&vm->first_run_ns);
	avd__vm_count_exits(vm, stats);
	if (!first)
		return;
	stats->first_instruction_ns = first - machine->start_ns;
	stats->start_cpu_ns = machine->start_cpu_ns + atomic_load(&vm->first_run_cpu_ns);
	stats->valid |= AVD_STAT_FIRST_INSTRUCTION | AVD_STAT_START_CPU;
}

static bool vmm_memory(const struct avd__machine *machine, uint64_t *ret_ram,
		       uint64_t *ret_overhead)
{
	avd__vm_memory(machine->vm, ret_ram, ret_overhead);
	return true;
}

static const char *vmm_sandbox(const struct avd__machine *machine)
{
	return machine->vm->sandbox ? "seccomp" : "none";
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
	.any_vmlinux = true,
	.has_window = true,
	.probe = vmm_probe,
	.start = vmm_start,
	.fd = vmm_fd,
	.step = vmm_step,
	.stop = vmm_stop,
	.cpu_ns = vmm_cpu_ns,
	.wait_ns = vmm_wait_ns,
	.stats = vmm_stats,
	.memory = vmm_memory,
	.sandbox = vmm_sandbox,
	.free = vmm_free,
};
