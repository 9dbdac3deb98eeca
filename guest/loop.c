// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <poll.h>
#include <stdio.h>

#include "clock.h"
#include "init.h"
#include "power.h"

#define HEARTBEAT AVD__NS_PER_S
/* How long the last words of a dead child are waited for. A grandchild that keeps the pipe
 * open and writes on must not hold up the verdict. */
#define DRAIN_LIMIT (500 * AVD__NS_PER_MS)

void avd__fatal(struct avd__init *init, const char *reason)
{
	avd__channel_init_failed(&init->channel, reason);
	avd__console(reason);
	avd__power_off();
}

void avd__enter_phase(struct avd__init *init, enum avd_phase phase)
{
	init->phase = phase;
	init->phase_at = avd__guest_now();
	avd__channel_phase(&init->channel, phase);
}

static void heartbeat(struct avd__init *init)
{
	struct avd_message message = {.kind = AVD_MSG_HEARTBEAT};
	const uint64_t now = avd__guest_now();

	if (now < init->heartbeat_at)
		return;
	avd__channel_send(&init->channel, &message);
	init->heartbeat_at = now + HEARTBEAT;
}

static void take_output(void *userdata, uint32_t stream, const void *bytes, size_t size)
{
	struct avd__init *init = userdata;

	if (stream == AVD_STREAM_SCHEDULER_STDOUT || stream == AVD_STREAM_SCHEDULER_STDERR)
		avd__facts_output(&init->facts, stream, bytes, size);
}

static bool pump(struct avd__init *init)
{
	bool some = avd__kmsg_pump(&init->kmsg, &init->channel, &init->facts);

	for (size_t i = 0; i < 4; i++)
		some |= avd__output_pump(&init->outputs[i], &init->channel, take_output, init);
	some |= avd__programs_pump(&init->programs, &init->channel);
	some |= avd__exit_probe_pump(&init->programs.exit, &init->facts);
	return some;
}

void avd__turn(struct avd__init *init, uint64_t ns)
{
	struct avd__child *const children[] = {&init->scheduler, &init->payload,
					       &init->probe.child};
	struct pollfd fds[1 + 4 + 3];
	nfds_t count = 0;

	fds[count++] = (struct pollfd){.fd = init->kmsg.fd, .events = POLLIN};
	for (size_t i = 0; i < 4; i++)
		fds[count++] = (struct pollfd){.fd = init->outputs[i].fd, .events = POLLIN};
	for (size_t i = 0; i < 3; i++)
		if (children[i]->pid && !children[i]->reaped)
			fds[count++] = (struct pollfd){.fd = children[i]->pidfd, .events = POLLIN};
	const struct timespec timeout = {.tv_sec = (time_t)(ns / AVD__NS_PER_S),
					 .tv_nsec = (long)(ns % AVD__NS_PER_S)};
	ppoll(fds, count, &timeout, NULL);
	avd__reap_orphans(children, 3);
	pump(init);
	heartbeat(init);
	if (init->channel.broken) {
		avd__console("the host takes no more bytes from the channel");
		avd__power_off();
	}
}

void avd__drain(struct avd__init *init)
{
	const uint64_t start = avd__guest_now();

	while (pump(init) && avd__guest_now() - start < DRAIN_LIMIT)
		heartbeat(init);
	avd__facts_output_end(&init->facts);
}
