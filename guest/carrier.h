/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What carries the channel's bytes out of the guest. One ops table for each carrier; the
 * channel knows no more than this.
 */
#ifndef AVD_GUEST_CARRIER_H
#define AVD_GUEST_CARRIER_H

#include "text.h"

struct avd__carrier {
	const struct avd__carrier_ops *ops;
	int fd; /* what the carrier keeps open, or -1 */
};

struct avd__carrier_ops {
	const char *name; /* as in the cell frame */
	/* 0, or -1 with the reason in `why`. */
	int (*open)(struct avd__carrier *carrier, struct avd__text *why);
	/* All bytes, or -1 when the host takes none for longer than the carrier's limit.
	 * Async-signal-safe: the crash handler writes too. */
	int (*write)(struct avd__carrier *carrier, const uint8_t *bytes, size_t size);
};

/* The second UART, driven through port I/O without any driver of the kernel. */
extern const struct avd__carrier_ops avd__carrier_serial;

/* Memory shared with the host. /dev and /sys are to be mounted. */
extern const struct avd__carrier_ops avd__carrier_window;

#endif
