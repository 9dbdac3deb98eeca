/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The verifier's statistics of what the scheduler loads, as program frames: from a BPF probe
 * (program_probe.bpf.c), or without it from what the kernel keeps of each program that is
 * there to be found. Information, never evidence: whatever goes wrong here is a line in
 * init's log and changes nothing else.
 */
#ifndef AVD_GUEST_PROGRAMS_H
#define AVD_GUEST_PROGRAMS_H

#include "channel.h"
#include "exit_probe.h"
#include "ring.h"

struct bpf_object;

struct avd__programs {
	struct avd__ring ring;
	struct avd__exit_probe exit; /* lies in the same object */
	struct bpf_object *object; /* with its maps and links, for as long as init lives */
	bool polling; /* there is no probe */
	uint32_t last_id; /* polling: of the last program that was seen */
	uint32_t told, lost;
};

/* Before the scheduler is released. `cgroup` is its directory: only loads from there count.
 * Takes some hundred milliseconds on an emulated machine. */
void avd__programs_watch(struct avd__programs *programs, struct avd__channel *channel,
			 const char *cgroup);
/* Sends what is new, a bounded part. Returns whether there was something. */
bool avd__programs_pump(struct avd__programs *programs, struct avd__channel *channel);
/* Says what could not be told. Once, at the end. */
void avd__programs_end(const struct avd__programs *programs, struct avd__channel *channel);

#endif
