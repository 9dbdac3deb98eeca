/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The kernel's own account of a scheduler's end, from the BPF probe. */
#ifndef AVD_GUEST_EXIT_PROBE_H
#define AVD_GUEST_EXIT_PROBE_H

#include "exit_record.h"
#include "facts.h"

struct avd__exit_probe {
	/* Shared with the kernel; NULL: there is no probe. */
	const struct avd__exit_record *record;
	uint32_t seen; /* its count when it was last taken */
};

/* Puts what is new into the facts. Returns whether there was something. */
bool avd__exit_probe_pump(struct avd__exit_probe *probe, struct avd__facts *facts);

#endif
