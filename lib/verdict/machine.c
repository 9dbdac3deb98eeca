// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verdict/machine.h"

#include <stdio.h>

#define S(name) AVD__STATE_##name
#define I(name) AVD__INPUT_##name

/* A sound failure frame counts in every state: precedence does not depend on the order. */
#define FAILURES [I(DIED)] = S(DIED), [I(NOT_ATTACHED)] = S(NOT_ATTACHED)
/* What holds in every state before the confirmation. A fault may have swallowed a failure
 * frame: there is no way back to ATTACHED from it. */
#define UNCONFIRMED FAILURES, [I(INIT_FAILED)] = S(CRASHED), [I(FAULT)] = S(BROKEN)
/* A fault or a crash of init after the confirmation leaves the outcome. */
#define CONFIRMED FAILURES, [I(INIT_FAILED)] = S(SPOILED), [I(FAULT)] = S(SPOILED)
/* States that nothing but a failure frame can leave. */
#define ALL_STAY(state)                                                                    \
	[I(CELL)] = (state), [I(HELLO)] = (state), [I(STARTED)] = (state),                 \
	[I(ATTACHED)] = (state), [I(PAYLOAD_STARTING)] = (state), [I(DISPATCH)] = (state), \
	[I(SCHEDULER_EXIT)] = (state), [I(PAYLOAD_EXIT)] = (state), [I(DONE)] = (state),   \
	[I(INIT_FAILED)] = (state), [I(INFO)] = (state), [I(FAULT)] = (state), [I(END)] = (state)

static const uint8_t next[AVD__STATE_COUNT][AVD__INPUT_COUNT] = {
	[S(EMPTY)] = {UNCONFIRMED, [I(CELL)] = S(SILENT), [I(END)] = S(EMPTY)},
	[S(SILENT)] = {UNCONFIRMED, [I(HELLO)] = S(BOOTED), [I(END)] = S(SILENT)},
	[S(BOOTED)] = {UNCONFIRMED, [I(STARTED)] = S(STARTED), [I(INFO)] = S(BOOTED),
		       [I(END)] = S(BOOTED)},
	[S(STARTED)] = {UNCONFIRMED, [I(ATTACHED)] = S(PROVEN), [I(INFO)] = S(STARTED),
			[I(END)] = S(STARTED)},
	/* Dispatch and ejection may be told on either side of payload-starting; they change the
	 * result only. */
	[S(PROVEN)] = {UNCONFIRMED, [I(PAYLOAD_STARTING)] = S(CONFIRMED), [I(DISPATCH)] = S(PROVEN),
		       [I(SCHEDULER_EXIT)] = S(PROVEN), [I(INFO)] = S(PROVEN),
		       [I(END)] = S(PROVEN)},
	[S(CONFIRMED)] = {CONFIRMED, [I(DISPATCH)] = S(CONFIRMED),
			  [I(SCHEDULER_EXIT)] = S(CONFIRMED), [I(PAYLOAD_EXIT)] = S(CONFIRMED),
			  [I(DONE)] = S(DONE), [I(INFO)] = S(CONFIRMED), [I(END)] = S(CONFIRMED)},
	/* Output that was still under way may follow; nothing that judges may. */
	[S(DONE)] = {CONFIRMED, [I(INFO)] = S(DONE), [I(END)] = S(DONE)},
	[S(SPOILED)] = {ALL_STAY(S(SPOILED)), FAILURES},
	[S(CRASHED)] = {UNCONFIRMED, [I(INFO)] = S(CRASHED), [I(END)] = S(CRASHED)},
	[S(BROKEN)] = {ALL_STAY(S(BROKEN)), FAILURES},
	[S(NOT_ATTACHED)] = {ALL_STAY(S(NOT_ATTACHED)), FAILURES},
	[S(DIED)] = {ALL_STAY(S(DIED)), [I(DIED)] = S(DIED), [I(NOT_ATTACHED)] = S(DIED)},
};

static const char *const state_names[AVD__STATE_COUNT] = {
	[S(NONE)] = "none",	      [S(EMPTY)] = "empty",	[S(SILENT)] = "silent",
	[S(BOOTED)] = "booted",	      [S(STARTED)] = "started", [S(PROVEN)] = "proven",
	[S(CONFIRMED)] = "confirmed", [S(DONE)] = "done",	[S(SPOILED)] = "spoiled",
	[S(CRASHED)] = "crashed",     [S(BROKEN)] = "broken",	[S(NOT_ATTACHED)] = "not-attached",
	[S(DIED)] = "died",
};

static const char *const input_names[AVD__INPUT_COUNT] = {
	[I(CELL)] = "cell",
	[I(HELLO)] = "hello",
	[I(STARTED)] = "scheduler-started",
	[I(ATTACHED)] = "scheduler-attached",
	[I(PAYLOAD_STARTING)] = "payload-starting",
	[I(DISPATCH)] = "dispatch",
	[I(SCHEDULER_EXIT)] = "scheduler-exit",
	[I(PAYLOAD_EXIT)] = "payload-exit",
	[I(DONE)] = "done",
	[I(DIED)] = "scheduler-died",
	[I(NOT_ATTACHED)] = "scheduler-not-attached",
	[I(INIT_FAILED)] = "init-failed",
	[I(INFO)] = "info",
	[I(FAULT)] = "fault",
	[I(END)] = "end",
};

enum avd__state avd__state_next(enum avd__state state, enum avd__input input)
{
	return (enum avd__state)next[state][input];
}

enum avd_outcome avd__state_outcome(enum avd__state state)
{
	switch (state) {
	case S(CONFIRMED):
	case S(DONE):
	case S(SPOILED):
		return AVD_OUTCOME_ATTACHED;
	case S(NOT_ATTACHED):
		return AVD_OUTCOME_NOT_ATTACHED;
	case S(DIED):
		return AVD_OUTCOME_DIED;
	default:
		return AVD_OUTCOME_UNCONFIRMED;
	}
}

const char *avd__state_name(enum avd__state state)
{
	return state_names[state];
}

const char *avd__input_name(enum avd__input input)
{
	return input_names[input];
}

static void set_state(struct avd__machine_state *machine, enum avd__state state,
		      enum avd__input why)
{
	if (state == machine->state)
		return;
	if (machine->log) {
		char text[96];
		snprintf(text, sizeof(text), "verdict: %s -> %s on %s",
			 avd__state_name(machine->state), avd__state_name(state),
			 avd__input_name(why));
		machine->log(machine->userdata, AVD_LOG_DEBUG, text);
	}
	machine->state = state;
}

int avd__state_take(struct avd__machine_state *machine, enum avd__input input)
{
	const enum avd__state to = avd__state_next(machine->state, input);
	if (to != AVD__STATE_NONE) {
		set_state(machine, to, input);
		return 1;
	}
	set_state(machine, avd__state_next(machine->state, AVD__INPUT_FAULT), input);
	return 0;
}
