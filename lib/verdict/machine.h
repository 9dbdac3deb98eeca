/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The verdict's state machine: a constant table, so that a test can go through every
 * state and event. The outcome is a function of the state alone. What a frame is for
 * the machine (a gap, another boot's nonce, an attach without proof: all FAULT) is
 * decided before, in judge.c.
 */
#ifndef AVD_LIB_VERDICT_MACHINE_H
#define AVD_LIB_VERDICT_MACHINE_H

#include <attachverdict/verdict.h>
#include <stdint.h>

enum avd__state {
	AVD__STATE_NONE = 0, /* in the table: the event breaks the protocol */
	AVD__STATE_EMPTY, /* a recording that lacks its cell frame yet */
	AVD__STATE_SILENT, /* the guest has said nothing yet */
	AVD__STATE_BOOTED, /* hello of this boot */
	AVD__STATE_STARTED, /* scheduler-started */
	AVD__STATE_PROVEN, /* scheduler-attached: the gate has its proof */
	AVD__STATE_CONFIRMED, /* payload-starting after the proof */
	AVD__STATE_DONE, /* the guest's orderly last word */
	AVD__STATE_SPOILED, /* confirmed, then something broke: the result fails */
	AVD__STATE_CRASHED, /* init-failed before the confirmation */
	AVD__STATE_BROKEN, /* the sequence broke before the confirmation */
	AVD__STATE_NOT_ATTACHED,
	AVD__STATE_DIED,
	AVD__STATE_COUNT
};

enum avd__input {
	AVD__INPUT_CELL = 0,
	AVD__INPUT_HELLO, /* with this boot's nonce and protocol */
	AVD__INPUT_STARTED,
	AVD__INPUT_ATTACHED, /* with an ops name and an enable_seq that moved */
	AVD__INPUT_PAYLOAD_STARTING,
	AVD__INPUT_DISPATCH,
	AVD__INPUT_SCHEDULER_EXIT,
	AVD__INPUT_PAYLOAD_EXIT,
	AVD__INPUT_DONE,
	AVD__INPUT_DIED,
	AVD__INPUT_NOT_ATTACHED,
	AVD__INPUT_INIT_FAILED,
	AVD__INPUT_INFO, /* phase, logs, heartbeat, kinds from the future */
	AVD__INPUT_FAULT, /* broken bytes, sequence, frame or boot */
	AVD__INPUT_END, /* the stream's end, with or without the machine's end cause */
	AVD__INPUT_COUNT
};

/* The table's word: the next state, AVD__STATE_NONE for a breach of the protocol. */
enum avd__state avd__state_next(enum avd__state state, enum avd__input input);
enum avd_outcome avd__state_outcome(enum avd__state state);
const char *avd__state_name(enum avd__state state);
const char *avd__input_name(enum avd__input input);

struct avd__machine_state {
	enum avd__state state;
	avd_log_fn log; /* each change of state, level debug; may be NULL */
	void *userdata;
};

/* Takes one event. Returns 1 if the protocol allows it here; else 0, and the event has
 * counted as AVD__INPUT_FAULT. */
int avd__state_take(struct avd__machine_state *machine, enum avd__input input);

#endif
