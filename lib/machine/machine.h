/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The seam between who runs a machine and the kinds of them. lib/qemu and lib/vmm implement
 * it; lib/runner is its only user. Headers only.
 */
#ifndef AVD_LIB_MACHINE_MACHINE_H
#define AVD_LIB_MACHINE_MACHINE_H

#include <attachverdict/cell.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/util.h"
#include "topology/topology.h"

/* The archive's name in keep_dir: the cell writes it, a machine's kept command line names it. */
#define AVD__KEEP_INITRAMFS "initramfs.cpio"

/* What to boot. All of it is borrowed until start() returns. */
struct avd__machine_spec {
	int kernel_fd; /* readable image */
	const char *kernel_path; /* for messages */
	uint32_t kernel_format; /* enum avd_kernel_format */
	uint32_t kernel_pvh; /* enum avd_tristate */
	int initramfs_fd; /* sealed memfd, from offset 0 to its size */
	uint64_t initramfs_bytes;
	uint32_t cpus;
	const struct avd__topology *topology; /* of as many CPUs; NULL: one LLC, one thread each */
	uint64_t memory_bytes;
	bool sandbox; /* if it can be had; without, it warns and starts all the same */
	bool serial; /* the channel through the second UART only, without a window */
	const char *kernel_args; /* appended to what the machine itself needs; may be NULL */
	bool args_only; /* kernel_args is all of the command line */
	const char *accel; /* of what probe() said, or better: "kvm", "tcg"; NULL: "tcg" */
	const char *qemu; /* program, NULL: search $PATH */
	const char *keep_dir; /* NULL, or where to leave the command line used */
	struct avd__log log;
};

/* What came out of the machine in one step. Called inside step() only. */
struct avd__machine_sink {
	void *userdata;
	void (*console)(void *userdata, const void *bytes, size_t size);
	int (*channel)(void *userdata, const void *bytes,
		       size_t size); /* negative: stop the machine */
};

/* As long as a verdict's reason may be, where it is quoted: a vCPU's registers fit. */
#define AVD__END_DETAIL AVD_VERDICT_REASON_MAX

struct avd__machine_end {
	uint32_t cause; /* enum avd_end_cause */
	/* One line, may be empty: QEMU's last words, the signal, a failed vCPU's registers. */
	char detail[AVD__END_DETAIL];
};

struct avd__machine; /* each implementation's own */

struct avd__machine_ops {
	const char *name; /* "qemu" */
	bool any_vmlinux; /* boots one without a PVH note, too */
	bool has_window; /* the carrier; else serial alone */
	/* 0: can run here, and *ret_accel names how at least ("tcg", "kvm"; static). -ENOENT and
	 * the like with a message that says what is missing and what to do. */
	int (*probe)(const char *qemu, const char **ret_accel, struct avd__error *error);
	/* Starts; on failure nothing is left. */
	int (*start)(const struct avd__machine_spec *spec, struct avd__machine **ret_machine,
		     struct avd__error *error);
	/* Polls readable when step() has work. */
	int (*fd)(const struct avd__machine *machine);
	/* Drains what is there. 1: runs; 0: has ended, every byte was delivered, *ret_end is set.
	 * Bounded work a call, so that timers of the caller get their turn. */
	int (*step)(struct avd__machine *machine, const struct avd__machine_sink *sink,
		    struct avd__machine_end *ret_end);
	/* Ends the machine with the cause given (watchdog, host-stop); step() then reports it. */
	void (*stop)(struct avd__machine *machine, uint32_t cause);
	/* Host CPU time that the guest and its runner used so far, ns. */
	uint64_t (*cpu_ns)(const struct avd__machine *machine);
	/* Time, ns, for which its threads were ready to run but got no CPU of the host's: tells a
	 * guest that waits from a host that is busy. AVD__WAIT_UNKNOWN (base/proc.h): can't be
	 * told. NULL: the same. */
	uint64_t (*wait_ns)(const struct avd__machine *machine);
	/* Sets what it knows of exits, first instruction and start_cpu_ns, with the bits in
	 * ->valid. NULL: knows nothing. */
	void (*stats)(const struct avd__machine *machine, struct avd_machine_stats *stats);
	/* Memory in use now, as avd_machine_stats has it; false: can't be told (it has ended).
	 * Takes milliseconds. NULL: the same. */
	bool (*memory)(const struct avd__machine *machine, uint64_t *ret_ram,
		       uint64_t *ret_overhead);
	/* What confines it: "seccomp", "none"; static. NULL: not known. */
	const char *(*sandbox)(const struct avd__machine *machine);
	void (*free)(struct avd__machine *machine); /* ends it if it runs; NULL is ignored */
};

#endif
