/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Machines: virtual machines that boot a kernel, step by step, with the caller's own loop; which
 * kinds there are, whether they can be used here, and what one cost. A cell stands on these, and
 * they are useful without a scheduler: any kernel with any initramfs.
 *
 *	avd_machine_new -> avd_machine_start -> avd_machine_step until it answers 0, whenever
 *	avd_machine_fd polls readable -> avd_machine_get_end, avd_machine_get_stats ->
 *avd_machine_free
 *
 * Many machines may run in one process, one loop or many threads. One handle is used by one
 * thread at a time; avd_machine_stop() may be called by any.
 */
#ifndef ATTACHVERDICT_MACHINE_H
#define ATTACHVERDICT_MACHINE_H

#include <attachverdict/message.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avd_machine_kind {
	AVD_MACHINE_AUTO = 0,
	AVD_MACHINE_QEMU = 1,
	AVD_MACHINE_KVM = 2,
};

/* What carries the channel out of the guest. */
enum avd_carrier {
	AVD_CARRIER_AUTO = 0, /* cell: the window where the machine has one; machine: serial */
	AVD_CARRIER_SERIAL = 1, /* the second serial port: slow, works with every kernel */
	AVD_CARRIER_WINDOW = 2, /* shared memory; the guest falls back to serial if it must */
};

/* Whether the machine is confined to what it needs of the host's kernel. */
enum avd_sandbox_mode {
	AVD_SANDBOX_AUTO = 0, /* where it can be had: a host may have no seccomp */
	AVD_SANDBOX_OFF = 1, /* to debug */
};

/* Fixed layout; unused bytes are zero. */
struct avd_machine_info {
	uint32_t kind; /* enum avd_machine_kind: the one that would be, or is, used, never AUTO */
	uint32_t version[3]; /* of the program that runs it: major, minor, micro; zero: none */
	char accel[16]; /* how it runs the guest's instructions: "kvm", "tcg" (emulation) */
	char program[256]; /* absolute path of that program; empty: the library itself */
	char note[256]; /* one line worth knowing (why this kind), or empty */
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
 * by trying, within seconds; starts no kernel. Always tries afresh, and remembers for others what
 * /dev/kvm can do (avd_machine_answer_path()). `qemu`: its path, NULL: the one in
 * $PATH. On failure writes one line with what is missing and the remedy to `error`
 * (if error_size > 0). -EINVAL: no such kind; -ENOENT, -EACCES: it can't be used;
 * -ENOTSUP: this library does not have that machine. Thread-safe. Since 0.1. */
AVD_API int avd_machine_probe(uint32_t kind, const char *qemu, struct avd_machine_info *ret_info,
			      char *error, size_t error_size);

/* Like snprintf(): writes the path of the file in which it is remembered, for one boot of this
 * host, whether /dev/kvm can run a kernel, and returns the length that it needs. cache_dir: as a
 * cell has it, or NULL: $XDG_RUNTIME_DIR/attachverdict if that variable is set, else the user's
 * cache directory. -ENOENT: none of these; -ENOMEM. Thread-safe. Since 0.1. */
AVD_API int avd_machine_answer_path(const char *cache_dir, char *buffer, size_t size);

typedef struct avd_machine avd_machine;

enum avd_machine_flags {
	/* kernel_args is the kernel's whole command line. Without it, it comes after what makes a
	 * boot quick and keeps console and channel apart: "console=ttyS0 panic=-1 quiet ...". */
	AVD_MACHINE_ARGS_ONLY = 1u << 0,
	/* initramfs_fd is set; it is a member that may be 0. */
	AVD_MACHINE_INITRAMFS_FD = 1u << 1,
};

/* Zero or NULL always means the default, given in brackets. Strings are copied, and relative
 * paths are made absolute, by avd_machine_new(). */
struct avd_machine_options {
	size_t size;
	const char *kernel; /* path of a bzImage or vmlinux for x86_64; required */
	/* The initramfs, exactly one of the four: */
	const char *initramfs; /* path of a regular file, as the kernel takes it */
	const char *init; /* a program: packed as /init with its interpreter and libraries */
	const void *initramfs_data; /* borrowed until avd_machine_start() has returned */
	size_t initramfs_size; /* bytes of initramfs_data */
	const char *kernel_args; /* of the kernel's command line [none] */
	const char *topology; /* CPUs: as a cell has it ["1"] */
	const char *qemu; /* QEMU's path ["qemu-system-x86_64" in $PATH]; one chooses that kind */
	const char *cache_dir; /* [$XDG_CACHE_HOME/attachverdict or ~/.cache/attachverdict] */
	uint64_t memory_bytes; /* whole MiB, at least 64 [512 MiB] */
	uint32_t machine; /* enum avd_machine_kind */
	uint32_t carrier; /* enum avd_carrier [serial: what is written to the UART at 0x2f8].
			     WINDOW: also a ring in shared memory, as lib/codec/window.h has it */
	uint32_t flags; /* enum avd_machine_flags */
	uint32_t sandbox; /* enum avd_sandbox_mode */
	uint32_t reserved; /* zero */
	int32_t initramfs_fd; /* regular file or memfd, read from its start; borrowed as above */
	/*
	 * Callbacks run inside avd_machine_start() and avd_machine_step(), on their thread (log: on
	 * any). They may stop the machine, but not step or free it. Bytes are valid during the call
	 * only, hostile, and cut anywhere. Any may be NULL.
	 */
	void *userdata;
	void (*on_console)(void *userdata, const void *bytes, size_t size); /* first UART */
	/* Negative: takes no more, the machine is stopped, nothing more is delivered. */
	int (*on_channel)(void *userdata, const void *bytes, size_t size);
	avd_log_fn log; /* progress of the library itself */
};

/* What a machine is doing. */
enum avd_machine_state {
	AVD_MACHINE_NEW = 0,
	AVD_MACHINE_RUNNING = 1,
	AVD_MACHINE_ENDED = 2, /* avd_machine_get_end() says how */
	AVD_MACHINE_FAILED = 3, /* could not be started; see the error */
};

/* How a machine ended. Fixed layout; unused bytes are zero. */
struct avd_machine_end {
	uint32_t cause; /* enum avd_end_cause */
	uint32_t reserved[15];
	char detail[1024]; /* one line, may be empty: the signal, QEMU's last words, registers */
};

/* Checks and copies the options; touches no file. -EINVAL, -E2BIG, -ENOMEM, -EMFILE; the reason
 * goes to `error` as one line (if error_size > 0). Since 0.1. */
AVD_API int avd_machine_new(const struct avd_machine_options *options, avd_machine **ret_machine,
			    char *error, size_t error_size);
/* Stops what runs and releases everything: no process, file or thread is left. Waits for the end
 * of a process that does not die at once. NULL is ignored. Since 0.1. */
AVD_API void avd_machine_free(avd_machine *machine);

/* Chooses the kind, reads the kernel, starts the machine. Blocks for as long as that takes (below
 * a second with a warm cache). On failure the machine is FAILED, avd_machine_error() says why in
 * one line that names the file and the remedy, and nothing is left behind: -ENOENT, -EISDIR,
 * -EACCES, -ENOEXEC (not a kernel or program of this architecture), -EBADMSG (damaged),
 * -ENOMEM, -ECANCELED (stopped before) ... -EINVAL: started before, or what was asked can't
 * work. Since 0.1. */
AVD_API int avd_machine_start(avd_machine *machine);
/* A file descriptor that polls readable when avd_machine_step() has work; owned by the machine,
 * valid from avd_machine_start() on; -EINVAL before. There is no time limit in a machine: that is
 * the caller's loop's. Since 0.1. */
AVD_API int avd_machine_fd(const avd_machine *machine);
/* Does what can be done without blocking, a bounded amount. 1: still running; 0: ended, every byte
 * was delivered, avd_machine_get_end() says how; again 0 after that. -EINVAL: not started, or
 * failed. Since 0.1. */
AVD_API int avd_machine_step(avd_machine *machine);
/* Asks the machine to end. Before the start: avd_machine_start() fails with -ECANCELED. Later: it
 * is stopped by a following step, at once and without the guest's help, with the end cause
 * host-stop, unless it ended by itself first. Thread-safe and async-signal-safe, as long as nobody
 * frees the machine. Since 0.1. */
AVD_API void avd_machine_stop(avd_machine *machine);

AVD_API uint32_t avd_machine_state(const avd_machine *machine); /* enum avd_machine_state. Since
								   0.1. */
/* Message of the last error, "" if none; owned by the machine. Since 0.1. */
AVD_API const char *avd_machine_error(const avd_machine *machine);
/* How it ended. -EINVAL: it has not. Since 0.1. */
AVD_API int avd_machine_get_end(const avd_machine *machine, struct avd_machine_end *ret_end);
/* Which kind it is and why (note). -EINVAL: not started. Since 0.1. */
AVD_API int avd_machine_get_info(const avd_machine *machine, struct avd_machine_info *ret_info);
/* What it cost so far, or in all. `stats`: size set by the caller; a smaller one gets the members
 * that it has. -EINVAL: not started, or the size is not set. Since 0.1. */
AVD_API int avd_machine_get_stats(const avd_machine *machine, struct avd_machine_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
