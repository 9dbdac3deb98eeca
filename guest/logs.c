// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "logs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A pipe holds 64 KiB: what a flood beyond the limit may cost a turn of the loop. */
#define DISCARDS 8

void avd__output_init(struct avd__output *output, uint32_t stream, int fd, uint64_t limit)
{
	output->fd = fd;
	output->stream = stream;
	output->limit = limit;
	output->sent = output->dropped = 0;
	output->tail_at = output->tail_len = 0;
}

static void send(const struct avd__output *output, struct avd__channel *channel,
		 const uint8_t *bytes, size_t size)
{
	struct avd_message message = {.kind = AVD_MSG_LOG,
				      .u.log = {.stream = output->stream,
						.bytes = {.data = bytes, .len = size},
						.dropped = output->dropped}};
	avd__channel_send(channel, &message);
}

static void keep(struct avd__output *output, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		output->tail[output->tail_at] = bytes[i];
		output->tail_at = (output->tail_at + 1) % AVD__LOG_TAIL;
		if (output->tail_len < AVD__LOG_TAIL)
			output->tail_len++;
		else
			output->dropped++;
	}
}

bool avd__output_pump(struct avd__output *output, struct avd__channel *channel, avd__output_fn fn,
		      void *userdata)
{
	static uint8_t bytes[AVD__LOG_CHUNK];
	bool some = false;

	for (int i = 0; i < DISCARDS && output->fd >= 0; i++) {
		const ssize_t n = read(output->fd, bytes, sizeof(bytes));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return some;
		if (n <= 0) {
			close(output->fd);
			output->fd = -1;
			return some;
		}
		some = true;
		fn(userdata, output->stream, bytes, (size_t)n);
		const uint64_t room = output->limit - output->sent;
		const size_t now = (uint64_t)n < room ? (size_t)n : (size_t)room;
		if (now)
			send(output, channel, bytes, now);
		output->sent += now;
		keep(output, bytes + now, (size_t)n - now);
		if (now) /* sending takes time, and others want their turn */
			return true;
	}
	return some;
}

void avd__output_flush(struct avd__output *output, struct avd__channel *channel)
{
	size_t at = (output->tail_at + AVD__LOG_TAIL - output->tail_len) % AVD__LOG_TAIL;
	uint8_t bytes[AVD__LOG_CHUNK];

	while (output->tail_len) {
		size_t n = 0;
		while (n < sizeof(bytes) && output->tail_len) {
			bytes[n++] = output->tail[at];
			at = (at + 1) % AVD__LOG_TAIL;
			output->tail_len--;
		}
		send(output, channel, bytes, n);
	}
}
