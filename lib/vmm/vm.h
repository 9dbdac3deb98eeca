/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A virtual machine of KVM: memory, interrupt chips, devices, and a thread for each vCPU.
 * It knows nothing of kernels' files: machine.c fills the memory.
 */
#ifndef AVD_LIB_VMM_VM_H
#define AVD_LIB_VMM_VM_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "codec/window.h"
#include "machine/machine.h"
#include "vmm/i8042.h"
#include "vmm/ioapic.h"
#include "vmm/kvm.h"
#include "vmm/lock.h"
#include "vmm/outbox.h"
#include "vmm/power.h"
#include "vmm/rtc.h"
#include "vmm/sandbox.h"
#include "vmm/serial.h"
#include "vmm/window.h"

/* Why KVM_RUN came back to us; the order of avd_machine_stats. */
enum avd__exit {
	AVD__EXIT_IO,
	AVD__EXIT_MMIO,
	AVD__EXIT_HLT,
	AVD__EXIT_SHUTDOWN,
	AVD__EXIT_INTR,
	AVD__EXIT_OTHER,
	AVD__EXIT_COUNT,
};

struct avd__vcpu {
	struct avd__vm *vm;
	uint32_t index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started; /* to be joined; the owner's alone */
	bool live; /* may be kicked; under thread_lock */
	_Atomic bool done; /* its thread went all its way */
	int life_fd, end_fd; /* of a confined thread's pipe: its own end, and ours; else -1 */
	int confine_error;
	_Atomic pid_t tid; /* 0: not running */
	_Atomic uint64_t cpu_ns; /* of the thread, written as it ends */
	_Atomic uint64_t exits[AVD__EXIT_COUNT]; /* written by its thread alone */
};

struct avd__vm {
	const struct avd__kvm_sys *sys;
	int kvm_fd, vm_fd;
	size_t run_size;
	uint8_t *memory;
	uint64_t memory_bytes, low_bytes, high_bytes;
	struct avd__topology topology;
	uint32_t cpus; /* topology.cpus */
	bool irqchip;
	struct avd__vcpu *vcpus;
	/* Right before the first KVM_RUN of vCPU 0: time, 0: not yet; CPU time of its thread. */
	_Atomic uint64_t first_run_ns, first_run_cpu_ns;
	/* Devices; every access from any vCPU under the lock. */
	pthread_mutex_t device_lock;
	struct avd__serial console, channel;
	struct avd__i8042 i8042;
	struct avd__power power;
	struct avd__rtc rtc;
	struct avd__ioapic ioapic;
	struct avd__doorbell doorbell;
	struct avd__outbox console_box, channel_box;
	struct avd__window window; /* ->memory NULL: none */
	/* The end: the first cause stays. */
	int event_fd; /* something to step() */
	struct avd__sandbox *sandbox; /* NULL: none */
	int poll_fd; /* with a sandbox: event_fd and the ends of the threads; else -1 */
	sem_t confined; /* posted by each thread once it is, or can't be */
	pthread_mutex_t end_lock;
	bool ended;
	struct avd__machine_end end;
	pthread_mutex_t thread_lock;
	_Atomic uint32_t running; /* vCPU threads */
	_Atomic bool stopping;
};

/* Opens KVM and makes the machine with its memory (zero) and vCPUs (reset state). With
 * `irqchip` it has the interrupt chips that a kernel needs; without, HLT ends the
 * machine: what tiny guests want. On failure nothing is left. */
int avd__vm_new(const struct avd__kvm_sys *sys, uint64_t memory_bytes,
		const struct avd__topology *topology, bool irqchip, struct avd__vm **ret_vm,
		struct avd__error *error);
void avd__vm_free(struct avd__vm *vm);

/* Sets vCPU 0 to long mode at `entry`, as the 64-bit boot protocol wants it. */
int avd__vm_set_boot(struct avd__vm *vm, uint64_t entry, struct avd__error *error);

/* Gives the vCPU threads a sandbox (sandbox.h, which tells of `violation` and `without`, both 0 but
 * in tests). Before the start. confine.c. */
int avd__vm_confine(struct avd__vm *vm, uint32_t violation, size_t without,
		    struct avd__error *error);
/* Looks for threads that their sandbox killed, and ends the machine if there is one. */
void avd__vm_reap(struct avd__vm *vm);
/* Polls readable when there is something to take, or to reap. */
int avd__vm_fd(const struct avd__vm *vm);
/* Parts of avd__vm_free(), of a vCPU's thread and of avd__vm_start(). */
void avd__vm_free_confinement(struct avd__vm *vm);
int avd__vcpu_confine(struct avd__vcpu *vcpu);
int avd__vm_wait_confined(struct avd__vm *vm);

/* Starts the vCPU threads. */
int avd__vm_start(struct avd__vm *vm, struct avd__error *error);
/* Asks all vCPUs to stop; the first cause given wins. From any thread. */
void avd__vm_stop(struct avd__vm *vm, uint32_t cause, const char *detail);
/* Waits for the threads to end. */
void avd__vm_join(struct avd__vm *vm);
uint64_t avd__vm_cpu_ns(const struct avd__vm *vm);
/* Time for which vCPU threads were ready to run but had no CPU; AVD__WAIT_UNKNOWN (base/proc.h). */
uint64_t avd__vm_wait_ns(const struct avd__vm *vm);
/* stats.c: the exits, of all vCPUs; memory in use, as avd_machine_stats has it. */
void avd__vm_count_exits(const struct avd__vm *vm, struct avd_machine_stats *stats);
void avd__vm_memory(const struct avd__vm *vm, uint64_t *ret_ram, uint64_t *ret_overhead);

/* A vCPU's thread; vcpu.c. */
void *avd__vcpu_main(void *vcpu);
/* Ends the machine because this vCPU can't go on, with all that can be told of it; its own thread
 * only. vcpu_error.c. */
void avd__vcpu_fail(struct avd__vcpu *vcpu, const char *what);
/* What is on the machine's bus and where it leads; devices.c. On failure what was made is left to
 * avd__vm_free_devices(). */
int avd__vm_make_devices(struct avd__vm *vm, struct avd__error *error);
void avd__vm_free_devices(struct avd__vm *vm);
/* Adds the window: its memory at AVD__WINDOW_ADDRESS and its doorbell, which KVM itself turns into
 * an event: no exit to this process. Before the start. devices.c. */
int avd__vm_add_window(struct avd__vm *vm, struct avd__error *error);
/* Port I/O of a vCPU: `count` items of `width` bytes; ports.c. */
void avd__vm_port_write(struct avd__vm *vm, uint16_t port, uint32_t width, const uint8_t *data,
			uint32_t count);
void avd__vm_port_read(struct avd__vm *vm, uint16_t port, uint32_t width, uint8_t *data,
		       uint32_t count);

/* Access to what is no RAM; width: up to eight bytes. mmio.c */
void avd__vm_mmio_write(struct avd__vm *vm, uint64_t address, uint32_t width, const uint8_t *data);
void avd__vm_mmio_read(struct avd__vm *vm, uint64_t address, uint32_t width, uint8_t *data);
/* KVM's part of the chips, and whether KVM can have these CPUs; chips.c. Before the vCPUs. */
int avd__vm_make_chips(struct avd__vm *vm, struct avd__error *error);

/* Makes a vCPU leave KVM_RUN: sent to its thread alone, which keeps it blocked
 * outside of KVM_RUN, so no handler is needed and none is installed. */
int avd__vcpu_kick_signal(void);

#endif
