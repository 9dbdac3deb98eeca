/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A cell: one kernel x one scheduler command x one topology x one payload; one
 * boot, one verdict.
 */
#ifndef ATTACHVERDICT_CELL_H
#define ATTACHVERDICT_CELL_H

#include <attachverdict/machine.h>
#include <attachverdict/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct avd_cell avd_cell;

enum avd_dispatch_mode {
	AVD_DISPATCH_QUICK = 0,
	AVD_DISPATCH_OFF =
		1, /* the result can then not be PASSED on dispatch: it is not asked for */
	/* Longer, with more tasks that run anywhere, tasks that wake each other, that change their
	 * CPU, and normal ones where the scheduler takes all; each must make progress. */
	AVD_DISPATCH_FULL = 2,
};

/* Kernel's verifier log of a .bpf.o scheduler (BPF_LOG_LEVEL1, _LEVEL2, _STATS of
 * include/linux/bpf_verifier.h). Programs that load themselves print their own, if any. */
enum avd_verifier_log {
	AVD_VERIFIER_LOG_FAILURE = 0, /* level 1, and only of a program that is rejected */
	AVD_VERIFIER_LOG_BRANCHES = 1, /* each program's states at branches */
	AVD_VERIFIER_LOG_ALL = 2, /* and at each instruction: can take hundreds of MiB */
	AVD_VERIFIER_LOG_STATS = 4, /* each program's sums only */
};

/*
 * Zero or NULL always means the default, given in brackets. Strings are copied, and relative
 * paths are made absolute, by avd_cell_new().
 *
 * Programs (scheduler[0], payload[0]) sit in the guest at their absolute host paths, with
 * interpreter and libraries. A name without a slash is a file in the current directory, or else
 * looked for in $PATH. "guest:/PATH" is a program that is in the guest already: nothing is
 * looked for on the host.
 */
struct avd_cell_options {
	size_t size;
	const char *kernel; /* image path [avd_kernel_default()] */
	const char *const *scheduler; /* argv; [0]: a program or a .bpf.o; required */
	size_t scheduler_count;
	const char *const *payload; /* argv; [0]: a program [none] */
	size_t payload_count;
	/* "HOST[:GUEST]" files and directories to bring along, cut at the last ":/"; without
	 * GUEST they sit in the guest where they do on the host. */
	const char *const *includes;
	size_t include_count;
	/* CPUs: see attachverdict/topology.h. A machine whose guest then sees other ones fails the
	 * result (topology-mismatch) ["2"] */
	const char *topology;
	const char *cache_dir; /* [$XDG_CACHE_HOME/attachverdict or ~/.cache/attachverdict] */
	/* The recording [none]. It appears under its name, or takes an older one's place, when it
	 * is complete; a cancelled cell leaves none. A regular file; a link to one is followed. */
	const char *record_path;
	/* Existing directory for initramfs.cpio, console.log (at most 64 MiB), channel.bin and the
	 * machine's command line, mode 0600, replaced if there; also after a failed start [none] */
	const char *keep_dir;
	/* QEMU's path ["qemu-system-x86_64" in $PATH]; naming one chooses the machine qemu */
	const char *qemu;
	const char *kernel_args; /* appended to the kernel's command line [none] */
	uint64_t memory_bytes; /* whole MiB, at least 256; 3 MiB more for each CPU
				  beyond 16 [1 GiB, and 8 MiB for each of those] */
	/*
	 * The watchdog. What ends a guest is the CPU time that its machine used, so that a busy
	 * host kills no healthy one; no limit is longer than 7 days. A verdict's reason names the
	 * limit that ended a cell. For each CPU beyond 16 the defaults of the first three are
	 * longer: by 10 s, 4 s and 1 s.
	 */
	uint64_t timeout_ms; /* whole cell, host's wall clock [600 s] */
	uint64_t boot_timeout_ms; /* machine's CPU time, and wall, until the first frame [120 s] */
	uint64_t silence_timeout_ms; /* the same without a frame after that; one comes each
					second [60 s] */
	uint64_t idle_timeout_ms; /* wall time in which the machine sends nothing and wants less
				     than a quarter of a CPU, though it could have it [60 s] */
	uint64_t settle_ms; /* [100] guest time */
	uint64_t budget_cpu_ms; /* [35 000] scheduler's CPU time until the gate gives up */
	uint64_t budget_wall_ms; /* [120 000] wall guard of the same, guest time */
	uint64_t payload_timeout_ms; /* [none] */
	uint64_t log_limit; /* bytes of output kept per stream [4 MiB] */
	uint64_t channel_limit; /* bytes that the guest may send in all, at least 64 KiB; the
				   watchdog ends the cell there [256 MiB] */
	uint32_t machine; /* enum avd_machine_kind */
	uint32_t dispatch; /* enum avd_dispatch_mode */
	uint32_t carrier; /* enum avd_carrier */
	uint32_t sandbox; /* enum avd_sandbox_mode */
	/* Callbacks run inside avd_cell_start() and avd_cell_step(), on their thread (log: on any).
	 * They may cancel the cell, but not step or free it. */
	avd_event_fn on_event; /* each frame as it comes, the host's own included */
	avd_log_fn log; /* progress of the library itself */
	void *userdata; /* of on_event and log */
	void (*on_console)(void *userdata, const void *bytes, size_t size); /* raw console */
	/* Guest time in which each CPU and task must have made progress. [35 s; more on a slow
	 * machine: quick 5 s, full 30 s times the guest's slowness] */
	uint64_t dispatch_timeout_ms;
	/* Whether the verifier's statistics of each BPF program are taken: 0 yes, 1 no. It costs
	 * some 0.1 s of an emulated guest's boot. Without it, an ejection's exit code and dump are
	 * not known either. */
	uint32_t no_verifier_stats;
	uint32_t verifier_log; /* enum avd_verifier_log */
};

/* Sets the member that `attachverdict run` has the option --NAME for, from text as a command line
 * or a file has it: "boot-timeout" to "90s", "memory" to "2G", "machine" to "kvm"; "sandbox" is
 * auto or off. Lists (scheduler, payload, include), kernel, topology and the names of files that a
 * cell writes can't be set so. `options` is initialized; texts are borrowed, as if put in by hand.
 * -EINVAL: the name or the value, -E2BIG: not in a struct of that size; `error` (may be NULL) then
 * says what would be right and begins with the name, if it is known. Thread-safe. Since 0.1. */
AVD_API int avd_cell_options_set(struct avd_cell_options *options, const char *name,
				 const char *value, char *error, size_t error_size);

/* What the cell is doing. */
enum avd_cell_state {
	AVD_CELL_NEW = 0,
	AVD_CELL_RUNNING = 1,
	AVD_CELL_ENDED = 2, /* a verdict is there */
	AVD_CELL_FAILED = 3, /* could not be tried; see the error */
};

/* Checks and copies the options; touches no file. -EINVAL, -E2BIG, -ENOMEM, -EMFILE; the
 * reason goes to `error` as one line (if error_size > 0). Since 0.1. */
AVD_API int avd_cell_new(const struct avd_cell_options *options, avd_cell **ret_cell, char *error,
			 size_t error_size);
/* Stops what runs and releases everything: no process, file or thread is left. Of a running cell
 * no recording remains. NULL is ignored. Since 0.1. */
AVD_API void avd_cell_free(avd_cell *cell);

/* Reads the kernel, builds the initramfs, starts the machine. Blocks for as long
 * as that takes (below a second with a warm cache). On failure the cell is
 * FAILED, avd_cell_error() says why in one line that names the file and the remedy, and
 * nothing is left behind but what keep_dir got: -ENOENT, -EISDIR, -EACCES, -ENOEXEC (not a kernel
 * or program of this architecture), -EBADMSG (damaged), -EEXIST (two files for one guest path),
 * -ENOSPC, -ENOMEM, -ECANCELED ... -EINVAL: started before, or what was asked can't work. Since
 * 0.1. */
AVD_API int avd_cell_start(avd_cell *cell);
/* A file descriptor that polls readable when avd_cell_step() has work; owned by
 * the cell, valid from avd_cell_start() on; negative before. It includes the cell's own
 * timers. Since 0.1. */
AVD_API int avd_cell_fd(const avd_cell *cell);
/*
 * Does what can be done without blocking. 1: still running; 0: ended, a verdict is there. Negative:
 * look at avd_cell_state():
 *   FAILED  the cell could not go on (-ENOMEM ...) and has no verdict;
 *   ENDED   the verdict is there and stands, but the recording could not be written
 *           (-ENOSPC ...); avd_cell_error() names it, and no part of it is left.
 * An ended cell gives the same answer again. -EINVAL: not started. Since 0.1.
 */
AVD_API int avd_cell_step(avd_cell *cell);
/* start (if needed) and step until the end; answers like the one that ended it. Since 0.1. */
AVD_API int avd_cell_run(avd_cell *cell);
/* Asks the cell to end. Before the machine was started: avd_cell_start() fails with
 * -ECANCELED. Later the cell ends with the end cause host-stop and a verdict of what it had come
 * to. Thread-safe and async-signal-safe, as long as nobody frees the cell. Since 0.1. */
AVD_API void avd_cell_cancel(avd_cell *cell);

AVD_API uint32_t avd_cell_state(const avd_cell *cell); /* enum avd_cell_state. Since 0.1. */
/* Message of the last error, "" if none; owned by the cell. Since 0.1. */
AVD_API const char *avd_cell_error(const avd_cell *cell);
/* What the cell's machine cost so far, or in all. `stats`: size set by the caller; a smaller one
 * gets the members that it has. -EINVAL: the machine was not started, or the size is not set.
 * Since 0.1. */
AVD_API int avd_cell_get_stats(const avd_cell *cell, struct avd_machine_stats *stats);
/* The cell's stream: for avd_stream_verdict() and the reports. Owned by the cell;
 * NULL before avd_cell_start(). Since 0.1. */
AVD_API const avd_stream *avd_cell_stream(const avd_cell *cell);

#ifdef __cplusplus
}
#endif

#endif
