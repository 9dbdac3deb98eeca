/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The gate: is this scheduler attached? A pure function of the readings that it is fed; it
 * reads nothing itself (scx.c, child.c and budget.c do).
 *
 * Proof is all of: the process was alive before and after the reading, the state is
 * `enabled`, the name of the ops is not empty, enable_seq is past its value before the
 * start. Attached is a proof that held through the settling time, with the same ops and the
 * same enable_seq in every reading of it.
 */
#ifndef AVD_GUEST_GATE_H
#define AVD_GUEST_GATE_H

#include <stdbool.h>
#include <stdint.h>

#define AVD__OPS_NAME_MAX 128u /* SCX_OPS_NAME_LEN of include/linux/sched/ext.h */

/* /sys/kernel/sched_ext/state; the names are scx_enable_state_str[] of kernel/sched/ext.c */
enum avd__scx_state {
	AVD__SCX_UNKNOWN, /* unreadable, or a word from a future kernel */
	AVD__SCX_DISABLED,
	AVD__SCX_ENABLING,
	AVD__SCX_ENABLED,
	AVD__SCX_DISABLING,
};

const char *avd__scx_state_name(enum avd__scx_state state);
enum avd__scx_state avd__scx_state_of(const char *name);

struct avd__scx_reading {
	enum avd__scx_state state;
	bool ops_there; /* root/ops exists */
	uint32_t switch_all;
	uint64_t enable_seq;
	char ops[AVD__OPS_NAME_MAX]; /* its content without line end, NUL-terminated */
};

struct avd__gate_reading {
	uint64_t now; /* ns, guest time */
	bool alive_before, alive_after; /* by the pidfd, around the reading of scx */
	bool kernel_disabled; /* the kernel log said since the start that it disabled a scheduler */
	bool budget_used_up;
	struct avd__scx_reading scx;
};

enum avd__gate_decision {
	AVD__GATE_WAIT = 0,
	AVD__GATE_ATTACHED,
	AVD__GATE_DIED,
	AVD__GATE_EJECTED, /* alive, but the kernel threw its scheduler out (or ops.init failed) */
	AVD__GATE_TIMEOUT, /* alive, and never (or no more) attached when the budget was used up */
};

/* A host that lets the guest sleep can make 100 ms pass between two readings: the settling
 * time also asks for this many readings. */
#define AVD__GATE_SETTLE_READINGS 10u
/* After an ejection, how long a loader has to notice and end (or to attach anew): those of
 * the field look once a second. Without it, DIED or NOT_ATTACHED would be a matter of luck. */
#define AVD__GATE_EJECT_GRACE UINT64_C(3000000000)

struct avd__gate {
	uint64_t seq_before;
	uint64_t settle_ns;
	bool settling;
	uint32_t settle_readings;
	uint64_t proof_at; /* first reading of the present settling time */
	uint64_t proof_seq;
	char proof_ops[AVD__OPS_NAME_MAX];
	uint32_t proofs_lost; /* settling times that did not hold */
	uint64_t gone_since; /* 0: not */
};

void avd__gate_init(struct avd__gate *gate, uint64_t seq_before, uint64_t settle_ns);
enum avd__gate_decision avd__gate_feed(struct avd__gate *gate,
				       const struct avd__gate_reading *reading);

/* After the attach: does this reading still show the scheduler that the gate saw? */
bool avd__gate_still(const struct avd__gate *gate, const struct avd__scx_reading *scx);

#endif
