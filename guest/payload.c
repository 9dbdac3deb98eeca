// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "init.h"

#define INTERVAL (5 * AVD__NS_PER_MS)
/* From SIGTERM to SIGKILL, and from that to giving up. */
#define END_LIMIT AVD__NS_PER_S
/* A dead process counts as a member of its cgroup until its CPU has switched away from it for good,
 * which may be after it was reaped (kernel/cgroup/cgroup.c: cgroup_task_dead(), 6.19 and later). */
#define LEAVE_LIMIT (100 * AVD__NS_PER_MS)

static void wait_for_end(struct avd__init *init, uint64_t limit)
{
	const uint64_t start = avd__guest_now();

	while (!init->payload.reaped && avd__guest_now() - start < limit)
		avd__turn(init, INTERVAL);
}

static void end_payload(struct avd__init *init, const char *why)
{
	const uint64_t limit = avd__patience(END_LIMIT, init->slowness);

	avd__channel_note(&init->channel, "payload: ended by init: %s", why);
	avd__child_signal(&init->payload, SIGTERM);
	wait_for_end(init, limit);
	if (init->payload.reaped)
		return;
	avd__child_signal(&init->payload, SIGKILL);
	wait_for_end(init, limit);
}

static void wait_for_leave(struct avd__init *init)
{
	const uint64_t start = avd__guest_now();
	const uint64_t limit = avd__patience(LEAVE_LIMIT, init->slowness);

	while (avd__payload_left_some(init) && avd__guest_now() - start < limit)
		avd__turn(init, INTERVAL);
}

static void send_exit(struct avd__init *init, uint64_t wall_ns, enum avd_payload_end ended_by)
{
	const struct avd__exit *exit = &init->payload.exit;
	char text[256];
	struct avd__text reason = avd__text_on(text, sizeof(text));
	struct avd_message message = {
		.kind = AVD_MSG_PAYLOAD_EXIT,
		.u.payload_exit = {.exit_status = exit->exec_failed ? -1 : exit->status,
				   .signal = exit->signal,
				   .error = exit->error,
				   .wall_ns = wall_ns,
				   .ended_by = ended_by,
				   .left_some = avd__payload_left_some(init)}};

	if (exit->exec_failed) {
		if (strcmp(init->payload.failed_step, "execve"))
			avd__text_add(&reason, "%s: %s", init->payload.failed_step,
				      strerror((int)exit->error));
		else
			avd__explain_exec(&reason, init->config.payload[0], (int)exit->error);
	}
	message.u.payload_exit.reason = avd__text_str(&reason);
	avd__channel_send(&init->channel, &message);
}

void avd__payload(struct avd__init *init)
{
	if (!init->payload.pid || !avd__watch(init))
		return;
	avd__enter_phase(init, AVD_PHASE_PAYLOAD);
	const uint64_t limit_ms = init->config.cell.payload_ms;
	const uint64_t start = avd__guest_now();
	enum avd_payload_end ended_by = AVD_PAYLOAD_ENDED_ITSELF;
	avd__child_release(&init->payload);
	while (avd__child_alive(&init->payload)) {
		avd__turn(init, INTERVAL);
		if (!avd__watch(init)) {
			ended_by = AVD_PAYLOAD_SCHEDULER_GONE;
			end_payload(init, "the scheduler is gone");
			break;
		}
		if (limit_ms && (avd__guest_now() - start) / AVD__NS_PER_MS >= limit_ms) {
			ended_by = AVD_PAYLOAD_TIME_LIMIT;
			end_payload(init, "its time is over");
			break;
		}
	}
	const uint64_t took = avd__guest_now() - start;
	/* Bounded: a dead process whose tracer does not let it go is never reaped. */
	wait_for_end(init, avd__patience(END_LIMIT, init->slowness));
	wait_for_leave(init);
	avd__drain(init);
	send_exit(init, took, ended_by);
}
