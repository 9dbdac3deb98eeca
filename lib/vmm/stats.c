// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What a machine has cost so far. */
#include "base/proc.h"
#include "vmm/vm.h"

void avd__vm_count_exits(const struct avd__vm *vm, struct avd_machine_stats *stats)
{
	uint64_t *const sums[AVD__EXIT_COUNT] = {
		[AVD__EXIT_IO] = &stats->exits_io,
		[AVD__EXIT_MMIO] = &stats->exits_mmio,
		[AVD__EXIT_HLT] = &stats->exits_hlt,
		[AVD__EXIT_SHUTDOWN] = &stats->exits_shutdown,
		[AVD__EXIT_INTR] = &stats->exits_intr,
		[AVD__EXIT_OTHER] = &stats->exits_other,
	};
	stats->exits = 0;
	for (int why = 0; why < AVD__EXIT_COUNT; why++)
		*sums[why] = 0;
	for (uint32_t i = 0; i < vm->cpus; i++) {
		for (int why = 0; why < AVD__EXIT_COUNT; why++) {
			const uint64_t n = atomic_load_explicit(&vm->vcpus[i].exits[why],
								memory_order_relaxed);
			*sums[why] += n;
			stats->exits += n;
		}
	}
	stats->valid |= AVD_STAT_EXITS;
}

static uint64_t stack_bytes(const struct avd__vcpu *vcpu)
{
	pthread_attr_t attributes;
	void *stack;
	size_t size;
	if (!vcpu->started || pthread_getattr_np(vcpu->thread, &attributes) != 0)
		return 0;
	const int r = pthread_attr_getstack(&attributes, &stack, &size);
	pthread_attr_destroy(&attributes);
	return r == 0 ? avd__resident_bytes(stack, size) : 0;
}

void avd__vm_memory(const struct avd__vm *vm, uint64_t *ret_ram, uint64_t *ret_overhead)
{
	uint64_t sum = sizeof(*vm);
	*ret_ram = avd__resident_bytes(vm->memory, vm->memory_bytes);
	if (vm->window.memory)
		sum += avd__resident_bytes(vm->window.memory, AVD__WINDOW_SIZE);
	sum += avd__resident_bytes(vm->console_box.bytes, AVD__OUTBOX_SIZE);
	sum += avd__resident_bytes(vm->channel_box.bytes, AVD__OUTBOX_SIZE);
	/* The shared pages are the kernel's: mincore() would not tell them. */
	for (uint32_t i = 0; i < vm->cpus; i++)
		sum += sizeof(vm->vcpus[i]) + vm->run_size + stack_bytes(&vm->vcpus[i]);
	*ret_overhead = sum;
}
