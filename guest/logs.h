/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What children write, as log frames: up to a limit as it comes; beyond it only counted,
 * but the last part is kept and sent at the end, because that is where programs say why.
 * Always drained, so that a child never blocks on its output for long.
 */
#ifndef AVD_GUEST_LOGS_H
#define AVD_GUEST_LOGS_H

#include "channel.h"

#define AVD__LOG_TAIL 16384u

struct avd__output {
	int fd; /* read end of a pipe, non-blocking; -1: closed */
	uint32_t stream;
	uint64_t limit; /* bytes sent as they come */
	uint64_t sent, dropped;
	size_t tail_at, tail_len; /* ring */
	uint8_t tail[AVD__LOG_TAIL];
};

/* Called with all that is read, in order. */
typedef void (*avd__output_fn)(void *userdata, uint32_t stream, const void *bytes, size_t size);

void avd__output_init(struct avd__output *output, uint32_t stream, int fd, uint64_t limit);
/* Takes what is there, a bounded part. Returns whether there was something. */
bool avd__output_pump(struct avd__output *output, struct avd__channel *channel, avd__output_fn fn,
		      void *userdata);
/* Sends what is kept, and the count of what was dropped. Once, at the end. */
void avd__output_flush(struct avd__output *output, struct avd__channel *channel);

#endif
