/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The kernel log: read for facts, and passed on as kernel-log frames. */
#ifndef AVD_GUEST_KMSG_H
#define AVD_GUEST_KMSG_H

#include "channel.h"
#include "facts.h"

struct avd__kmsg {
	int fd; /* -1: can't be read */
	bool started; /* init has begun: before that, only what is telling is passed on */
	uint64_t sent; /* bytes */
	uint64_t left_out; /* records over the limit, or lost because the ring was overwritten */
};

void avd__kmsg_open(struct avd__kmsg *kmsg);
/* Takes a bounded number of records. Returns whether there was one. */
bool avd__kmsg_pump(struct avd__kmsg *kmsg, struct avd__channel *channel, struct avd__facts *facts);
/* Takes what is there, a large but bounded number of records. */
void avd__kmsg_catch_up(struct avd__kmsg *kmsg, struct avd__channel *channel,
			struct avd__facts *facts);

#endif
