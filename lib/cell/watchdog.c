// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/watchdog.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/proc.h"
#include "cell/limits.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t since(uint64_t now, uint64_t then)
{
	/* CPU time is summed over threads that come and go, and may step back a little. */
	return now > then ? now - then : 0;
}

void avd__watchdog_start(struct avd__watchdog *dog, const struct avd__watchdog_limits *limits,
			 struct avd__moment now)
{
	*dog = (struct avd__watchdog){
		.limits = *limits,
		.start = now,
		.frame = now,
		.life = now,
	};
}

void avd__watchdog_frame(struct avd__watchdog *dog, struct avd__moment now, int done)
{
	if (dog->done) /* what comes after `done` does not put off the end */
		return;
	dog->frames++;
	dog->frame = now;
	dog->life = now;
	dog->done = done;
}

void avd__watchdog_console(struct avd__watchdog *dog, struct avd__moment now)
{
	dog->life = now;
}

void avd__watchdog_pause(struct avd__watchdog *dog, uint64_t lateness)
{
	dog->start.wall += lateness;
	dog->frame.wall += lateness;
	dog->life.wall += lateness;
}

/* Whether the machine did as good as nothing since its last sign of life. */
static int stands_still(const struct avd__watchdog *dog, struct avd__moment now, uint64_t window)
{
	const uint64_t used = since(now.cpu, dog->life.cpu);
	if (now.wait == AVD__WAIT_UNKNOWN || dog->life.wait == AVD__WAIT_UNKNOWN)
		return used <= window / 1000 * AVD__CELL_IDLE_CPU_PERMILLE;
	const uint64_t waited = since(now.wait, dog->life.wait);
	if (waited > window / 1000 * AVD__CELL_IDLE_WAIT_PERMILLE)
		return 0;
	/* While it waits it can't run, and while it sleeps it does not want to: what it used in the
	 * rest of the time is what it would use of a CPU of its own. */
	return used <= (window - waited) / 1000 * AVD__CELL_IDLE_PERMILLE;
}

static uint64_t idle_limit(const struct avd__watchdog *dog)
{
	return dog->done ? min_u64(dog->limits.grace, dog->limits.idle_wall)
			 : dog->limits.idle_wall;
}

static uint64_t grace_wall(const struct avd__watchdog *dog)
{
	return dog->limits.grace * AVD__CELL_GRACE_WALL_FACTOR;
}

/* The limit on CPU time without a frame that holds now, and its rule. */
static uint64_t quiet_limit(const struct avd__watchdog *dog, enum avd__watchdog_rule *ret_rule)
{
	if (dog->done) {
		*ret_rule = AVD__RULE_GRACE;
		return min_u64(dog->limits.grace, dog->limits.silence_cpu);
	}
	*ret_rule = dog->frames ? AVD__RULE_SILENCE : AVD__RULE_BOOT;
	return dog->frames ? dog->limits.silence_cpu : dog->limits.boot_cpu;
}

enum avd__watchdog_rule avd__watchdog_check(struct avd__watchdog *dog, struct avd__moment now)
{
	enum avd__watchdog_rule quiet_rule;
	const uint64_t quiet = quiet_limit(dog, &quiet_rule);
	if (since(now.cpu, dog->frame.cpu) >= quiet && since(now.wall, dog->frame.wall) >= quiet)
		return quiet_rule;
	if (dog->done && since(now.wall, dog->frame.wall) >= grace_wall(dog))
		return AVD__RULE_GRACE;

	const uint64_t idle = idle_limit(dog);
	if (!stands_still(dog, now, idle))
		dog->life = now;
	else if (since(now.wall, dog->life.wall) >= idle)
		return dog->done ? AVD__RULE_GRACE : AVD__RULE_IDLE;

	if (since(now.wall, dog->start.wall) >= dog->limits.total_wall)
		return AVD__RULE_TIMEOUT;
	return AVD__RULE_NONE;
}

uint64_t avd__watchdog_delay(const struct avd__watchdog *dog, struct avd__moment now, uint32_t cpus)
{
	enum avd__watchdog_rule rule;
	const uint64_t quiet = quiet_limit(dog, &rule);
	const uint64_t cpu_left = since(dog->frame.cpu + quiet, now.cpu);
	const uint64_t quiet_wall_left = since(dog->frame.wall + quiet, now.wall);
	/* The CPU rule needs both: no sooner than the later of the two. */
	uint64_t quiet_left = cpu_left / (cpus + 1);
	if (quiet_left < quiet_wall_left)
		quiet_left = quiet_wall_left;
	uint64_t delay = AVD__CELL_TICK;
	delay = min_u64(delay, quiet_left);
	delay = min_u64(delay, since(dog->life.wall + idle_limit(dog), now.wall));
	if (dog->done)
		delay = min_u64(delay, since(dog->frame.wall + grace_wall(dog), now.wall));
	delay = min_u64(delay, since(dog->start.wall + dog->limits.total_wall, now.wall));
	return delay < AVD__CELL_TICK_MIN ? AVD__CELL_TICK_MIN : delay;
}

/* Seconds with one digit, as integers. */
#define SECONDS "%" PRIu64 ".%" PRIu64 " s"
#define SECONDS_OF(ns) (ns) / AVD__SECOND, (ns) / (AVD__SECOND / 10) % 10

char *avd__watchdog_describe(const struct avd__watchdog *dog, enum avd__watchdog_rule rule,
			     struct avd__moment now, const char *phase, char *out, size_t size)
{
	const uint64_t cpu = since(now.cpu, dog->frame.cpu);
	const uint64_t wall = since(now.wall, dog->frame.wall);
	char where[64];
	if (phase)
		snprintf(where, sizeof(where), "last phase %s", phase);
	else
		snprintf(where, sizeof(where), "no phase reached");
	switch (rule) {
	case AVD__RULE_BOOT:
		snprintf(out, size,
			 "no frame from the guest after " SECONDS " of machine CPU time (" SECONDS
			 " wall) since the start: boot_timeout_ms=%" PRIu64 "; %s",
			 SECONDS_OF(cpu), SECONDS_OF(wall), dog->limits.boot_cpu / AVD__MS, where);
		break;
	case AVD__RULE_SILENCE:
		snprintf(out, size,
			 "no frame for " SECONDS " of machine CPU time (" SECONDS
			 " wall): silence_timeout_ms=%" PRIu64 "; %s",
			 SECONDS_OF(cpu), SECONDS_OF(wall), dog->limits.silence_cpu / AVD__MS,
			 where);
		break;
	case AVD__RULE_IDLE:
		snprintf(out, size,
			 "the machine was idle, without a frame or console output, for " SECONDS
			 " wall: idle_timeout_ms=%" PRIu64 "; %s",
			 SECONDS_OF(since(now.wall, dog->life.wall)),
			 dog->limits.idle_wall / AVD__MS, where);
		break;
	case AVD__RULE_TIMEOUT:
		snprintf(out, size,
			 "the cell took longer than " SECONDS " wall (" SECONDS
			 " of machine CPU time): timeout_ms=%" PRIu64 "; %s",
			 SECONDS_OF(since(now.wall, dog->start.wall)),
			 SECONDS_OF(since(now.cpu, dog->start.cpu)),
			 dog->limits.total_wall / AVD__MS, where);
		break;
	case AVD__RULE_GRACE:
		snprintf(out, size,
			 "the machine still ran " SECONDS " wall (" SECONDS
			 " of its CPU time) after the guest said that it was done, which should "
			 "take "
			 "less than %" PRIu64 " ms; %s",
			 SECONDS_OF(wall), SECONDS_OF(cpu), dog->limits.grace / AVD__MS, where);
		break;
	case AVD__RULE_NONE:
		snprintf(out, size, "no rule");
		break;
	}
	return out;
}
