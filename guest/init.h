/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The guest's PID 1: one thread, one loop. Each phase is a function that turns the loop
 * until it has its answer; nothing in a turn waits for another process.
 */
#ifndef AVD_GUEST_INIT_H
#define AVD_GUEST_INIT_H

#include "budget.h"
#include "channel.h"
#include "child.h"
#include "config.h"
#include "gate.h"
#include "kmsg.h"
#include "logs.h"
#include "probe.h"
#include "programs.h"
#include "scx.h"

struct avd__init {
	struct avd__config config;
	struct avd__channel channel;
	uint32_t slowness; /* permille */
	enum avd_phase phase;
	struct avd__kmsg kmsg;
	struct avd__facts facts;
	struct avd__scx scx;
	struct avd__gate gate;
	struct avd__child scheduler, payload;
	struct avd__probe probe;
	struct avd__programs programs;
	struct avd__output outputs[4]; /* scheduler's, then payload's */
	int cpu_stat, cgroup_events; /* of the scheduler's cgroup, or -1 */
	int payload_events; /* cgroup.events of the payload's, or -1 */
	int sysrq;
	uint64_t heartbeat_at; /* when the next one is due */
	/* enable_seq, time, and its CPU time, at the scheduler's start */
	uint64_t seq_before, started_at, cpu_before;
	bool attached; /* scheduler-attached was sent */
	bool switch_all; /* as it attached: it schedules the tasks of the normal policy, too */
	bool gone; /* scheduler-exit was sent */
	uint64_t phase_at, gone_at; /* when the phase began; when it was first seen to be gone */
};

/* One turn of the loop: waits up to `ns` for something to happen, and does what is due. */
void avd__turn(struct avd__init *init, uint64_t ns);
/* Turns until the output of dead children and the kernel log are read, for a bounded time. */
void avd__drain(struct avd__init *init);
void avd__enter_phase(struct avd__init *init, enum avd_phase phase);
/* Says why on channel and console, then ends the machine. */
_Noreturn void avd__fatal(struct avd__init *init, const char *reason);

/* start.c: everything that is forked is forked here, held. */
void avd__start_prepare(struct avd__init *init);
void avd__start_scheduler(struct avd__init *init);
/* CPU time of the scheduler and all its descendants. */
uint64_t avd__scheduler_cpu_ns(const struct avd__init *init);
/* Is any process of the scheduler's left, its own one or another? */
bool avd__scheduler_left_some(const struct avd__init *init);
/* Has the payload, which is gone, left any process? */
bool avd__payload_left_some(const struct avd__init *init);

/* outcome.c: the gate, and the frame that says how it went. True: attached. */
bool avd__outcome(struct avd__init *init);
/* The frame for a scheduler that can't even be started here. */
void avd__outcome_refuse(struct avd__init *init, uint32_t code, const struct avd__scx_reading *scx,
			 const char *why);

/* watch.c: after the attach. Is the scheduler still there? Sends scheduler-exit when not. */
bool avd__watch(struct avd__init *init);

/* ejection.c: scheduler-exit with what the kernel said, and its dump before. `phase_ns`: since
 * the phase began. */
void avd__tell_exit(struct avd__init *init, uint32_t code, uint64_t phase_ns,
		    const struct avd__text *reason);

/* dispatch.c, payload.c, teardown.c */
void avd__dispatch(struct avd__init *init);
void avd__payload(struct avd__init *init);
void avd__teardown(struct avd__init *init);

#endif
