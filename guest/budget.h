/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * How long the gate waits. What counts is the CPU time that the scheduler used; a wall guard
 * ends the wait for one that uses none. Both grow with the slowness of the machine.
 */
#ifndef AVD_GUEST_BUDGET_H
#define AVD_GUEST_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* Slowness in permille of a nominal machine. An emulated CPU is some 10 times slower than
 * the nominal one; beyond 30 a wrong measurement is likelier than such a machine. */
#define AVD__SLOWNESS_MIN 1000u
#define AVD__SLOWNESS_MAX 30000u
/* The wall guard stands for waiting, not for computing, and waiting does not take a slow CPU
 * so much longer: it grows three times at most. So a scheduler that never attaches gets its
 * reason from the guest before the host's own time limit is over. */
#define AVD__WALL_SLOWNESS_MAX 3000u
/* A step of the wall clock counts up to this much: when the host does not let the guest run,
 * the guest's clock leaps, and nobody in it had a chance. */
#define AVD__WALL_STEP_MAX UINT64_C(1000000000)

struct avd__budget {
	uint64_t cpu_limit, wall_limit; /* ns, scaled */
	uint64_t cpu, wall; /* ns, used */
	uint64_t last; /* guest time of the last step, 0: none */
};

uint32_t avd__slowness_clamp(uint64_t permille);
uint64_t avd__scale(uint64_t amount, uint32_t slowness_permille);

/* For waits on what mostly goes by the clock (a process that looks for signals once a
 * second) and a little by the CPU: twice as long on a machine that is 8 times slower. */
uint64_t avd__patience(uint64_t ns, uint32_t slowness_permille);

void avd__budget_init(struct avd__budget *budget, uint64_t cpu_ms, uint64_t wall_ms,
		      uint32_t slowness_permille);
/* Counts up to now. Returns whether it is used up; sticky. */
bool avd__budget_step(struct avd__budget *budget, uint64_t now, uint64_t cpu_ns);

/* Measures the slowness: a fixed computation against a nominal time. Takes about 4 ms on the
 * nominal machine, 30 ms on an emulated one. */
uint32_t avd__slowness_measure(void);

#endif
