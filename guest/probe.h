/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Tasks of policy SCHED_EXT, one pinned to each CPU and some free ones, that show whether
 * the scheduler lets them run: each counts the times it came back from giving the CPU away.
 */
#ifndef AVD_GUEST_PROBE_H
#define AVD_GUEST_PROBE_H

#include "child.h"

/* The kernel's own limit for x86 is 8192; topologies of the field end at 252. */
#define AVD__CPUS_MAX 1024u
#define AVD__PROBE_FREE_TASKS 2u
/* Often enough that it was not only the last slice of the scheduler before. */
#define AVD__PROBE_ROUNDS 20u

struct avd__probe_shared;

struct avd__probe {
	struct avd__child child; /* parent of the tasks; pid 0: there is no probe */
	struct avd__probe_shared *shared;
	uint32_t cpus; /* online */
	uint16_t cpu[AVD__CPUS_MAX]; /* their numbers */
};

/* The numbers of the online CPUs. */
void avd__probe_cpus(struct avd__probe *probe);
/* 0, or -1 with the reason in `why`. */
int avd__probe_fork(struct avd__probe *probe, struct avd__text *why);
/* How many tasks wait for the start, of how many. */
bool avd__probe_ready(const struct avd__probe *probe);
void avd__probe_go(struct avd__probe *probe);
/* Is the pinned task of the probe's CPU `index` done? Index cpus and on: the free ones. */
bool avd__probe_done(const struct avd__probe *probe, uint32_t index);
/* errno if the task could not be set up. */
int avd__probe_error(const struct avd__probe *probe, uint32_t index);

#endif
