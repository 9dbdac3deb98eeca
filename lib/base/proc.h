/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What /proc tells of threads. */
#ifndef AVD_LIB_BASE_PROC_H
#define AVD_LIB_BASE_PROC_H

#include <stdint.h>
#include <sys/types.h>

#define AVD__WAIT_UNKNOWN UINT64_MAX

/* Time, ns, for which a thread was ready to run but had no CPU, because others did or because
 * a cgroup's quota was used up: the second number of its schedstat (the kernel's
 * Documentation/scheduler/sched-stats.rst). tid 0: the sum over all threads of `pid`.
 * AVD__WAIT_UNKNOWN where the kernel does not count it, or there is no such thread. */
uint64_t avd__proc_wait_ns(pid_t pid, pid_t tid);

#endif
