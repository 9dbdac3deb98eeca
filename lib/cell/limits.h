/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Every default and bound of a cell, each with its reason. Those that a user can
 * change are named after their option in struct avd_cell_options.
 */
#ifndef AVD_LIB_CELL_LIMITS_H
#define AVD_LIB_CELL_LIMITS_H

#include <stdint.h>

#include "machine/machine.h"

#define AVD__MS UINT64_C(1000000) /* in ns */
#define AVD__SECOND UINT64_C(1000000000)
#define AVD__MIB (UINT64_C(1) << 20)

/* Two CPUs: the smallest machine in which a scheduler has to place tasks. */
#define AVD__CELL_TOPOLOGY "2"

/* Defaults grow with each CPU beyond these: under emulation one thread does the work of all. A
 * quiet boot took 3 s of CPU time with 2 CPUs, 9 with 32, 23 with 64, 63 with 128. */
#define AVD__CELL_CPUS_FEW 16u
#define AVD__CELL_TIMEOUT_CPU_MS UINT64_C(10000)
#define AVD__CELL_BOOT_TIMEOUT_CPU_MS UINT64_C(4000)
#define AVD__CELL_SILENCE_TIMEOUT_CPU_MS UINT64_C(1000)
/* A kernel of 7.3 sets 1 MiB aside for each CPU and takes as much again until it runs. */
#define AVD__CELL_MEMORY_MIN_CPU (UINT64_C(3) * AVD__MIB)
#define AVD__CELL_MEMORY_CPU (UINT64_C(8) * AVD__MIB)

/* `base` for a few CPUs, and `each` for each one more. */
static inline uint64_t avd__cell_for_cpus(uint64_t base, uint64_t each, uint32_t cpus)
{
	return cpus > AVD__CELL_CPUS_FEW ? base + each * (cpus - AVD__CELL_CPUS_FEW) : base;
}

/* A stock kernel, the unpacked init and a scheduler with its libraries need about 300 MiB. */
#define AVD__CELL_MEMORY (UINT64_C(1024) * AVD__MIB)
/* Below this a stock kernel runs out of memory while it unpacks its initramfs. */
#define AVD__CELL_MEMORY_MIN (UINT64_C(256) * AVD__MIB)
#define AVD__CELL_MEMORY_MAX (UINT64_C(1024) * 1024 * AVD__MIB) /* 1 TiB: a slip of the pen */
/* What the kernel itself takes: text, page structs, per-CPU areas; 96 MiB were enough. */
#define AVD__CELL_MEMORY_KERNEL (UINT64_C(128) * AVD__MIB)
/* On top of that the archive counts so many times: once as it was loaded, and what it unpacks to
 * may take half of the rest, because the root file system is a tmpfs (the kernel's
 * init/do_mounts.c, mm/shmem.c). 300 MiB failed with 770 MiB and unpacked with 1008 MiB. */
#define AVD__CELL_MEMORY_ARCHIVES 3u

/* The whole cell. Twenty times what the slowest healthy cell took under emulation. */
#define AVD__CELL_TIMEOUT_MS UINT64_C(600000)
/* A quiet boot takes 2 to 5 s of CPU time under emulation: room for a host 20 times slower. */
#define AVD__CELL_BOOT_TIMEOUT_MS UINT64_C(120000)
/* The guest's heartbeat comes each second, and a stalled scheduler is ejected by the kernel
 * after at most 30 s (kernel/sched/ext.c, SCX_WATCHDOG_MAX_TIMEOUT): twice that. */
#define AVD__CELL_SILENCE_TIMEOUT_MS UINT64_C(60000)
/* A boot keeps a CPU busy all the time; a kernel that waits for what never comes does not. */
#define AVD__CELL_IDLE_TIMEOUT_MS UINT64_C(60000)
/* How long a machine may take to end after `done` (CPU time), and after it was told to stop
 * (wall): both take well below a second. */
#define AVD__CELL_GRACE_MS UINT64_C(10000)
/* ... and in wall time after `done` so many times as long, on whatever host. */
#define AVD__CELL_GRACE_WALL_FACTOR 6u
/* Longer than this is a mistake in the unit. */
#define AVD__CELL_TIME_MAX_MS (UINT64_C(7) * 24 * 3600 * 1000)
/* A machine is idle if it wanted less than this share of one CPU. A kernel that waits for its
 * root device for ever (`rootwait`) looks every 5 ms, which takes 5 % of a CPU under emulation;
 * a boot wants 90 to 100 %. */
#define AVD__CELL_IDLE_PERMILLE 250u
/* ... of what was left of the time when it was ready to run but got no CPU; if more than this of
 * the whole was spent so, nothing is known of it. On a host with five processes for each CPU the
 * kernel above wakes 500 times a second and waits half of the time, in pieces of a millisecond. */
#define AVD__CELL_IDLE_WAIT_PERMILLE 750u
/* The same where the host's kernel does not tell waiting for a CPU from waiting for nothing: only
 * a machine whose CPUs are all halted, so that a busy host kills no healthy guest. */
#define AVD__CELL_IDLE_CPU_PERMILLE 3u
/* How often the watchdog reads the machine's CPU time, at most and at least. */
#define AVD__CELL_TICK (1000 * AVD__MS)
#define AVD__CELL_TICK_MIN (10 * AVD__MS)
/* A check that comes so much later than it was due: this process was stopped, or its caller did
 * not let it look. A crowded host alone delays a process that sleeps by less. */
#define AVD__CELL_LATE (5 * AVD__SECOND)

/* The gate in the guest: see the design, section 2. */
#define AVD__CELL_SETTLE_MS UINT64_C(100)
#define AVD__CELL_SETTLE_MAX_MS UINT64_C(60000)
#define AVD__CELL_BUDGET_CPU_MS UINT64_C(35000)
#define AVD__CELL_BUDGET_WALL_MS UINT64_C(120000)

/* Output kept per stream of the guest's programs. */
#define AVD__CELL_LOG_LIMIT (UINT64_C(4) * AVD__MIB)
/* All that a guest may send: many times what four full logs and a long kernel log need, and
 * still a file that one can mail. */
#define AVD__CELL_CHANNEL_LIMIT (UINT64_C(256) * AVD__MIB)
#define AVD__CELL_CHANNEL_LIMIT_MIN (UINT64_C(64) << 10)

/* The cell frame carries the arguments and a frame's payload ends at 1 MiB; ARG_MAX of a
 * default guest is 2 MiB. */
#define AVD__CELL_ARGS_MAX (UINT64_C(256) << 10)
#define AVD__CELL_INCLUDES_MAX 4096u
/* The kernel takes 2048 bytes (COMMAND_LINE_SIZE), the machine's own part included. */
#define AVD__CELL_KERNEL_ARGS_MAX 1024u

/* console.log under keep_dir: a guest can print for as long as it runs. */
#define AVD__CELL_CONSOLE_FILE_MAX (UINT64_C(64) * AVD__MIB)
/* Last bytes of the console in the end-cause frame. */
#define AVD__CELL_CONSOLE_TAIL 16384u
/* A console line's beginning, in which a panic or an oops is looked for. */
#define AVD__CELL_CONSOLE_LINE 256u

/* One line of what ended the cell, as long as the machines' own; evidence keeps as much. */
#define AVD__CELL_DETAIL AVD__END_DETAIL

#endif
