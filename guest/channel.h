/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The channel: numbers messages, frames them, gives them to the carrier. */
#ifndef AVD_GUEST_CHANNEL_H
#define AVD_GUEST_CHANNEL_H

#include <attachverdict/message.h>

#include "carrier.h"

/* Bytes of output in one log frame: at a serial port's 0.4 MB/s one such frame holds up the
 * gate's readings for some 20 ms. */
#define AVD__LOG_CHUNK 8192u
/* The largest frame of this side: a chunk of output, or reasons and names, and their heads. */
#define AVD__GUEST_FRAME_MAX (AVD__LOG_CHUNK + 4096u)

struct avd__channel {
	struct avd__carrier carrier;
	uint32_t seq; /* of the next frame */
	bool broken; /* the host does not take bytes any more */
	uint8_t frame[AVD__GUEST_FRAME_MAX];
};

/* 0, or -1 with the reason in `why`. */
int avd__channel_open(struct avd__channel *channel, struct avd_str carrier, struct avd__text *why);
/* Sends with the time of now. Nothing is done once the channel is broken: the main loop looks
 * at that and ends the machine. */
void avd__channel_send(struct avd__channel *channel, struct avd_message *message);
/* The same from a signal handler that may have interrupted a send: it uses its own buffer. */
void avd__channel_send_from_crash(struct avd__channel *channel, struct avd_message *message);

/* Short forms of what is sent often. */
void avd__channel_phase(struct avd__channel *channel, enum avd_phase phase);
/* A line of init itself, as log frame. */
void avd__channel_note(struct avd__channel *channel, const char *fmt, ...) AVD_PRINTF(2, 3);
void avd__channel_init_failed(struct avd__channel *channel, const char *reason);

#endif
