// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "channel.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "codec/message.h"

int avd__channel_open(struct avd__channel *channel, struct avd_str carrier, struct avd__text *why)
{
	/* Serial works with every machine: it is what is left when the one asked for doesn't. The
	 * hello frame says which one it became. */
	static const struct avd__carrier_ops *const carriers[] = {&avd__carrier_window,
								  &avd__carrier_serial};
	const size_t count = sizeof(carriers) / sizeof(carriers[0]);
	size_t first = count - 1;

	channel->broken = true;
	for (size_t i = 0; i < count; i++)
		if (strlen(carriers[i]->name) == carrier.len &&
		    !memcmp(carriers[i]->name, carrier.data, carrier.len))
			first = i;
	for (size_t i = first; i < count; i++) {
		channel->carrier.ops = carriers[i];
		if (carriers[i]->open(&channel->carrier, why) == 0) {
			channel->broken = false;
			return 0;
		}
		avd__text_add(why, "; ");
	}
	return -1;
}

static void send(struct avd__channel *channel, struct avd_message *message, uint8_t *frame,
		 size_t frame_size)
{
	message->time_ns = avd__guest_now();
	const size_t size = avd__message_frame(message, channel->seq, frame, frame_size);
	/* A message that can't be encoded is a defect of init. Leaving it out in silence
	 * would hide that: the number is used up, so the host sees the gap. */
	channel->seq++;
	if (size && channel->carrier.ops->write(&channel->carrier, frame, size) < 0)
		channel->broken = true;
}

void avd__channel_send(struct avd__channel *channel, struct avd_message *message)
{
	if (!channel->broken)
		send(channel, message, channel->frame, sizeof(channel->frame));
}

void avd__channel_send_from_crash(struct avd__channel *channel, struct avd_message *message)
{
	static uint8_t frame[1024];

	if (!channel->broken)
		send(channel, message, frame, sizeof(frame));
}

void avd__channel_phase(struct avd__channel *channel, enum avd_phase phase)
{
	struct avd_message message = {.kind = AVD_MSG_PHASE, .u.phase.phase = phase};
	avd__channel_send(channel, &message);
}

void avd__channel_note(struct avd__channel *channel, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	const int n = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	size_t len = strlen(line);
	line[len++] = '\n';
	struct avd_message message = {
		.kind = AVD_MSG_LOG,
		.u.log = {.stream = AVD_STREAM_INIT,
			  .bytes = {.data = (const uint8_t *)line, .len = len}}};
	avd__channel_send(channel, &message);
}

void avd__channel_init_failed(struct avd__channel *channel, const char *reason)
{
	struct avd_message message = {
		.kind = AVD_MSG_INIT_FAILED,
		.u.init_failed = {.reason = {.data = reason, .len = strlen(reason)}}};
	avd__channel_send(channel, &message);
}
