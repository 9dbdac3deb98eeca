// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <signal.h>
#include <unistd.h>

#include "clock.h"
#include "init.h"

#define INTERVAL (2 * AVD__NS_PER_MS)
/* For the scheduler to end after each signal: detaching takes the kernel tens of
 * milliseconds, the field's schedulers look for signals once a second. */
#define SIGNAL_LIMIT (2 * AVD__NS_PER_S)
/* For the kernel to disable what is left of the scheduler: tens of milliseconds. */
#define DISABLE_LIMIT (AVD__NS_PER_S / 2)

/* The last look takes this long, and this many readings: a scheduler that was killed a moment
 * ago, together with the payload say, needs some milliseconds to be gone. */
#define LAST_LOOK (50 * AVD__NS_PER_MS)
#define LAST_READINGS 10

static bool is_there_to_the_end(struct avd__init *init)
{
	const uint64_t start = avd__guest_now();

	for (int i = 0; i < LAST_READINGS || avd__guest_now() - start < LAST_LOOK; i++) {
		if (!avd__watch(init))
			return false;
		avd__turn(init, INTERVAL);
	}
	return avd__watch(init);
}

static bool is_ended(struct avd__init *init)
{
	return !init->scheduler.pid || init->scheduler.reaped;
}

static bool is_disabled(struct avd__init *init)
{
	struct avd__scx_reading scx;

	if (init->scx.state < 0)
		return true;
	avd__scx_read(&init->scx, &scx);
	return scx.state == AVD__SCX_DISABLED;
}

static bool wait_for(struct avd__init *init, bool (*condition)(struct avd__init *init),
		     uint64_t limit)
{
	const uint64_t start = avd__guest_now();
	const uint64_t scaled = avd__patience(limit, init->slowness);

	while (!condition(init) && avd__guest_now() - start < scaled)
		avd__turn(init, INTERVAL);
	return condition(init);
}

static void end_scheduler(struct avd__init *init)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGKILL};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (is_ended(init))
			break;
		avd__child_signal(&init->scheduler, signals[i]);
		if (wait_for(init, is_ended, SIGNAL_LIMIT) && i)
			avd__channel_note(&init->channel,
					  "teardown: the scheduler ended on %s only",
					  signals[i] == SIGKILL ? "SIGKILL" : "SIGTERM");
	}
}

/* A loader can leave its scheduler enabled (a struct_ops map without a link), and a stalled
 * scheduler keeps its own loader from dying. SysRq-S ends both. */
static void disable_sched_ext(struct avd__init *init)
{
	if (wait_for(init, is_disabled, DISABLE_LIMIT))
		return;
	avd__channel_note(&init->channel, "teardown: the scheduler is still enabled: SysRq-S");
	if (init->sysrq < 0 || write(init->sysrq, "S", 1) < 0)
		return;
	wait_for(init, is_disabled, DISABLE_LIMIT);
	wait_for(init, is_ended, SIGNAL_LIMIT);
}

void avd__teardown(struct avd__init *init)
{
	const bool enabled = init->attached && is_there_to_the_end(init);
	struct avd_message message = {.kind = AVD_MSG_DONE, .u.done.enabled_at_end = enabled};

	avd__enter_phase(init, AVD_PHASE_TEARDOWN);
	end_scheduler(init);
	kill(-1, SIGKILL); /* everybody but PID 1: who went into the background, too */
	disable_sched_ext(init);
	avd__drain(init);
	for (size_t i = 0; i < 4; i++)
		avd__output_flush(&init->outputs[i], &init->channel);
	if (init->kmsg.left_out)
		avd__channel_note(&init->channel, "kernel log: %llu records left out",
				  (unsigned long long)init->kmsg.left_out);
	avd__programs_end(&init->programs, &init->channel);
	avd__channel_send(&init->channel, &message);
}
