/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What the kernel tells of threads, and of memory in use. */
#ifndef AVD_LIB_BASE_PROC_H
#define AVD_LIB_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AVD__WAIT_UNKNOWN UINT64_MAX

/* Time, ns, for which a thread was ready to run but had no CPU, because others did or because
 * a cgroup's quota was used up: the second number of its schedstat (the kernel's
 * Documentation/scheduler/sched-stats.rst). tid 0: the sum over all threads of `pid`.
 * AVD__WAIT_UNKNOWN where the kernel does not count it, or there is no such thread. */
uint64_t avd__proc_wait_ns(pid_t pid, pid_t tid);

/* Bytes of this process's mappings from `memory` on that are in memory (mincore(2)). The range need
 * not be aligned. 0 if it is not mapped. */
uint64_t avd__resident_bytes(const void *memory, size_t size);

/* Splits the memory that a process has to itself (Pss of /proc/PID/smaps) into that of the
 * smallest mapping which has at least `ram_bytes`, and the rest. False: it can't be told. */
bool avd__proc_memory(pid_t pid, uint64_t ram_bytes, uint64_t *ret_ram, uint64_t *ret_rest);

#endif
