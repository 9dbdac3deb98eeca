/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The dispatch probe's tasks themselves, and what they share with init. */
#ifndef AVD_GUEST_PROBE_TASK_H
#define AVD_GUEST_PROBE_TASK_H

#include <sched.h>
#include <stdatomic.h>

#include "probe.h"

#define AVD__DISPATCH_FULL 2u /* in the cell frame */
#define AVD__CPU_SETS ((AVD__CPUS_MAX + CPU_SETSIZE - 1) / CPU_SETSIZE)

#define AVD__PROBE_GO_PARTIAL 1u /* the scheduler has only those that ask for it */
#define AVD__PROBE_GO_ALL 2u

/* Written by the tasks: init believes nothing of it but whether a number is large enough. */
struct avd__probe_shared {
	_Atomic uint32_t go; /* 0, or one of AVD__PROBE_GO_* */
	_Atomic uint32_t ready;
	_Atomic uint32_t turn[AVD__PROBE_WAKERS_MAX / 2]; /* of a pair of wakers */
	struct {
		_Atomic uint32_t rounds;
		_Atomic int32_t error;
	} task[AVD__PROBE_TASKS_MAX];
};

void avd__futex_wait(_Atomic uint32_t *word, uint32_t value);
void avd__futex_wake(_Atomic uint32_t *word, int count);

/* The life of one task. */
_Noreturn void avd__probe_task(const struct avd__probe *probe, uint32_t task);

#endif
