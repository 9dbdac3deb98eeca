/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * When does the host give up on a machine? Pure: times come in as arguments.
 *
 * The rules measure what the machine did with the CPU time that it got, so that a
 * starved host does not kill a healthy guest, and a dead guest does not cost minutes:
 *
 *  boot     CPU time until the first frame
 *  silence  CPU time since the last frame (the guest's heartbeat comes each second)
 *  idle     wall time in which the machine neither wanted a CPU to speak of, nor sent a
 *           frame, nor printed; time in which it was ready to run but the host gave it no CPU
 *           does not count as time in which it could have run
 *  timeout  wall time of the whole cell
 *  grace    the same, much shorter, from the guest's `done` on, whatever it sends after it
 *
 * Time in which nobody could look at the machine counts as little: whoever stops this process,
 * such as a batch system that suspends a job, has most likely stopped the machine too.
 *
 * Several vCPUs burn CPU time faster than the wall clock runs, so the rules of CPU time
 * also want that much wall time to have passed.
 */
#ifndef AVD_LIB_CELL_WATCHDOG_H
#define AVD_LIB_CELL_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

enum avd__watchdog_rule {
	AVD__RULE_NONE = 0,
	AVD__RULE_BOOT = 1,
	AVD__RULE_SILENCE = 2,
	AVD__RULE_IDLE = 3,
	AVD__RULE_TIMEOUT = 4,
	AVD__RULE_GRACE = 5,
};

/* All in ns. */
struct avd__watchdog_limits {
	uint64_t boot_cpu;
	uint64_t silence_cpu;
	uint64_t idle_wall;
	uint64_t total_wall;
	uint64_t grace;
};

/* A moment: the host's monotonic clock, and what the machine had until then, ns. */
struct avd__moment {
	uint64_t wall;
	uint64_t cpu; /* CPU time */
	uint64_t wait; /* time without a CPU although it was ready to run, or AVD__WAIT_UNKNOWN */
};

struct avd__watchdog {
	struct avd__watchdog_limits limits;
	struct avd__moment start;
	struct avd__moment frame; /* of the last frame, or the start */
	struct avd__moment life; /* last sign of life: frame, console, CPU time used */
	uint64_t frames;
	int done;
};

void avd__watchdog_start(struct avd__watchdog *dog, const struct avd__watchdog_limits *limits,
			 struct avd__moment now);
/* A sound frame of the guest came; `done`: it was the `done` frame. */
void avd__watchdog_frame(struct avd__watchdog *dog, struct avd__moment now, int done);
void avd__watchdog_console(struct avd__watchdog *dog, struct avd__moment now);

/* The check that was due came later by so much: what the rules count begins later, too. */
void avd__watchdog_pause(struct avd__watchdog *dog, uint64_t lateness);

/* The rule that fires now, or NONE. */
enum avd__watchdog_rule avd__watchdog_check(struct avd__watchdog *dog, struct avd__moment now);

/* How long to wait until the next check, ns, when no event comes: never longer than a rule
 * could take to fire on a machine with `cpus` busy CPUs. */
uint64_t avd__watchdog_delay(const struct avd__watchdog *dog, struct avd__moment now,
			     uint32_t cpus);

/* One line: which rule fired, after how much of what, and the option that changes it.
 * `phase` is the name of the guest's last phase, NULL before any. Returns `out`. */
char *avd__watchdog_describe(const struct avd__watchdog *dog, enum avd__watchdog_rule rule,
			     struct avd__moment now, const char *phase, char *out, size_t size);

#endif
