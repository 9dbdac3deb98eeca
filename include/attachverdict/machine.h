/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The machines that a cell can run in, and whether they can be used here.
 */
#ifndef ATTACHVERDICT_MACHINE_H
#define ATTACHVERDICT_MACHINE_H

#include <attachverdict/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avd_machine_kind {
	AVD_MACHINE_AUTO = 0,
	AVD_MACHINE_QEMU = 1,
	AVD_MACHINE_KVM = 2,
};

/* Fixed layout; unused bytes are zero. */
struct avd_machine_info {
	uint32_t kind; /* enum avd_machine_kind: the one that a cell would use, never AUTO */
	uint32_t version[3]; /* of the program that runs it: major, minor, micro; zero: none */
	char accel[16]; /* how it runs the guest's instructions: "kvm", "tcg" (emulation) */
	char program[256]; /* absolute path of that program; empty: the library itself */
	char note[256]; /* one line worth knowing, or empty */
	char sandbox[16]; /* what confines it: "seccomp"; "none": nothing can be had here */
	uint64_t reserved[6];
};

/* Bits of avd_machine_stats.valid: which members are known. */
enum avd_machine_stat {
	AVD_STAT_EXITS = 1u << 0, /* exits and all exits_* */
	AVD_STAT_FIRST_INSTRUCTION = 1u << 1,
	AVD_STAT_START_CPU = 1u << 2,
	AVD_STAT_INIT = 1u << 3,
	AVD_STAT_VERDICT = 1u << 4,
	AVD_STAT_CPU = 1u << 5,
	AVD_STAT_MEMORY = 1u << 6, /* ram_resident_bytes and overhead_bytes */
};

/*
 * What a machine cost, one struct for all kinds. A member whose bit is not in `valid` is zero and
 * means "not known": QEMU does not tell its exits. Times count from the start: the moment when
 * kernel and initramfs are open and the machine is about to be made; host's monotonic clock.
 */
struct avd_machine_stats {
	size_t size; /* sizeof(struct avd_machine_stats), by the caller */
	uint32_t valid; /* enum avd_machine_stat */
	uint32_t cpus; /* vCPUs; always known */
	uint64_t memory_bytes; /* guest RAM that was asked for; always known */
	/* Returns of KVM_RUN to this process, of all vCPUs, by the KVM_EXIT_* of the kernel's
	 * Documentation/virt/kvm/api.rst. What the kernel handles itself is not among them. */
	uint64_t exits; /* the sum of those below */
	uint64_t exits_io; /* KVM_EXIT_IO: ports */
	uint64_t exits_mmio; /* KVM_EXIT_MMIO */
	uint64_t exits_hlt; /* KVM_EXIT_HLT: a CPU halted for good */
	uint64_t exits_shutdown; /* KVM_EXIT_SHUTDOWN: triple fault */
	uint64_t exits_intr; /* EINTR, KVM_EXIT_INTR: told to stop, or a signal */
	uint64_t exits_other;
	/* ns to the guest's first instruction. KVM: to right before the first KVM_RUN of vCPU 0.
	 * QEMU: until a step saw its event RESUME, which comes after it let the CPUs run, so at
	 * most this long. */
	uint64_t first_instruction_ns;
	/* Host CPU time until then, ns: of the calling thread while it started the machine, and of
	 * the machine's own threads or process. */
	uint64_t start_cpu_ns;
	uint64_t init_ns; /* to the first byte on the channel */
	/* to the frame that decided the outcome; of a cell alone, and only if one did */
	uint64_t verdict_ns;
	uint64_t cpu_ns; /* host CPU time of the machine's threads or process so far */
	/*
	 * Memory in use by user space, when last measured: at the first byte on the channel, and
	 * whenever statistics are asked for while it runs. Not in it: the kernel's own, such as
	 * KVM's page tables. KVM: pages of guest RAM that mincore(2) finds; beyond it those of
	 * the window, the buffers, the vCPUs' shared pages and threads' stacks. QEMU: Pss of the
	 * mapping of guest RAM, and of all its other ones, in /proc/PID/smaps.
	 */
	uint64_t ram_resident_bytes;
	uint64_t overhead_bytes;
};

/* "auto", "qemu", "kvm"; "unknown" for other values. Static storage. Thread-safe. Since 0.1. */
AVD_API const char *avd_machine_kind_name(uint32_t kind);

/* Says whether a cell with these options could run here, and how, by looking and
 * by trying, within seconds; starts no kernel. `qemu`: its path, NULL: the one in
 * $PATH. On failure writes one line with what is missing and the remedy to `error`
 * (if error_size > 0). -EINVAL: no such kind; -ENOENT, -EACCES: it can't be used;
 * -ENOTSUP: this library does not have that machine. Thread-safe. Since 0.1. */
AVD_API int avd_machine_probe(uint32_t kind, const char *qemu, struct avd_machine_info *ret_info,
			      char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
