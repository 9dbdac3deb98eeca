/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Tasks that show whether the scheduler lets them run: one pinned to each CPU, and others.
 * Each counts the times it came back from giving the CPU away, and only while it is one of
 * sched_ext's.
 */
#ifndef AVD_GUEST_PROBE_H
#define AVD_GUEST_PROBE_H

#include "child.h"

/* The kernel's own limit for x86 is 8192; topologies of the field end at 252. */
#define AVD__CPUS_MAX 1024u

/* What a task does, in the order of the tasks' numbers. */
enum avd__probe_role {
	AVD__PROBE_PINNED, /* one for each CPU: sleeps and yields in turn */
	AVD__PROBE_FREE, /* the same on any CPU */
	AVD__PROBE_WAKER, /* in pairs: each wakes the other one and waits for it */
	AVD__PROBE_WALKER, /* goes from CPU to CPU by sched_setaffinity() */
	AVD__PROBE_NORMAL, /* as FREE, of the normal policy: the scheduler's if it switches all */
	AVD__PROBE_ROLES
};

#define AVD__PROBE_FREE_QUICK 2u
/* Full: two for each CPU, so that queues form; more would only take longer. */
#define AVD__PROBE_FREE_FULL_MIN 4u
#define AVD__PROBE_FREE_FULL_MAX 64u
#define AVD__PROBE_WAKERS_MAX 32u /* full: two for each CPU, up to this */
#define AVD__PROBE_WALKERS 2u
#define AVD__PROBE_NORMALS 2u
#define AVD__PROBE_TASKS_MAX                                                                     \
	(AVD__CPUS_MAX + AVD__PROBE_FREE_FULL_MAX + AVD__PROBE_WAKERS_MAX + AVD__PROBE_WALKERS + \
	 AVD__PROBE_NORMALS)

/* Often enough that it was not only the last slice of the scheduler before. */
#define AVD__PROBE_ROUNDS_QUICK 20u
/* Half a second of sleeping at least: a scheduler that loses a task now and then shows. */
#define AVD__PROBE_ROUNDS_FULL 500u

struct avd__probe_shared;

struct avd__probe {
	struct avd__child child; /* parent of the tasks; pid 0: there is no probe */
	struct avd__probe_shared *shared;
	uint32_t cpus; /* online */
	uint16_t cpu[AVD__CPUS_MAX]; /* their numbers */
	uint32_t count[AVD__PROBE_ROLES], tasks; /* how many of each role, and in all */
	uint32_t rounds; /* that a task has to do */
};

/* The numbers of the online CPUs. */
void avd__probe_cpus(struct avd__probe *probe);
/* `mode`: the cell frame's dispatch, 1 or 2. 0, or -1 with the reason in `why`. */
int avd__probe_fork(struct avd__probe *probe, uint32_t mode, struct avd__text *why);
/* Do all tasks wait for the start? */
bool avd__probe_ready(const struct avd__probe *probe);
/* `switch_all`: the scheduler takes tasks of the normal policy, too. */
void avd__probe_go(struct avd__probe *probe, bool switch_all);

enum avd__probe_role avd__probe_role(const struct avd__probe *probe, uint32_t task);
/* What the task has to do, and has done so far. The pinned task of the probe's i-th CPU is
 * task i. */
uint32_t avd__probe_rounds_due(const struct avd__probe *probe, uint32_t task);
uint32_t avd__probe_rounds(const struct avd__probe *probe, uint32_t task);
/* Why a task gave up: an errno, AVD__PROBE_OUTSIDE, or 0. */
int avd__probe_error(const struct avd__probe *probe, uint32_t task);
#define AVD__PROBE_OUTSIDE (-1) /* it ran, but not as a task of sched_ext */

#endif
