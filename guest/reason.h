/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The text of a failure's reason: the design's fixed part, then the words of those involved. */
#ifndef AVD_GUEST_REASON_H
#define AVD_GUEST_REASON_H

#include "facts.h"
#include "gate.h"

/* A verdict keeps 1 KiB of it. */
#define AVD__REASON_MAX 1000u

/* As avd_reason_code_name() of the library, which the guest does not link. */
const char *avd__reason_name(uint32_t code);

/* cause=... state=... ops=... enable_seq=A->B wall_ms=N cpu_ms=N */
void avd__reason_head(struct avd__text *text, uint32_t code, const struct avd__scx_reading *scx,
		      uint64_t seq_before, uint64_t wall_ns, uint64_t cpu_ns);
/* What the kernel said when it disabled the scheduler. Nothing if it did not. */
void avd__reason_kernel(struct avd__text *text, const struct avd__kernel_facts *kernel);
/* The most telling line of the output. Nothing if there is none. */
void avd__reason_output(struct avd__text *text, const struct avd__output_facts *output);
/* "exit status 1", "killed by signal 9 (Killed)" */
void avd__reason_exit(struct avd__text *text, const struct avd__exit *exit);

#endif
