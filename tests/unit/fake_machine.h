/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A machine that follows a script, in a time of its own: each step() does one action, so a
 * cell that waits for minutes is tested in no time. After the last action the machine goes
 * on for ever, at the pace given, until it is stopped.
 */
#ifndef AVD_TESTS_FAKE_MACHINE_H
#define AVD_TESTS_FAKE_MACHINE_H

#include "cell/internal.h"

enum fake_kind { FAKE_CHANNEL, FAKE_CONSOLE, FAKE_TIME, FAKE_END, FAKE_ERROR };

struct fake_action {
	enum fake_kind kind;
	const void *bytes; /* CHANNEL, CONSOLE */
	size_t size;
	uint64_t wall, cpu; /* TIME */
	uint32_t cause; /* END: enum avd_end_cause; ERROR: errno */
};

struct fake_machine {
	struct fake_action actions[256];
	size_t count, at;
	uint64_t now, cpu; /* ns */
	uint64_t pace_wall, pace_cpu; /* added by each step after the script */
	unsigned int looks; /* the clock leaps by `leap` at this look at it from now on, 0: never */
	uint64_t leap;
	int quiet; /* after the script it has no work: only a timer wakes the cell */
	int stubborn; /* ignores stop() */
	int probe_error, start_error, prepare_error; /* errno */
	int cancel_in_prepare;
	int step_error; /* errno of each step */
	size_t steps;
	struct avd_machine_stats stats; /* ->valid, exits and memory: what it tells of itself */
	/* what the cell did */
	uint32_t stopped; /* cause given to stop() */
	int starts, frees;
};

extern const struct avd__machine_ops fake_ops;

/* One machine a test: reset at the start of each. */
extern struct fake_machine fake;
void fake_reset(void);

void fake_bytes(enum fake_kind kind, const void *bytes, size_t size); /* borrowed */
void fake_text(const char *text); /* on the console */
void fake_time(uint64_t wall, uint64_t cpu);
void fake_end(uint32_t cause);

/* A guest's frame, numbered in sequence; `message` NULL: of this kind with nothing to say. */
void fake_frame(uint32_t kind);
void fake_message(const struct avd_message *message);
/* hello ... payload-starting, dispatch, done, as a healthy guest sends them */
void fake_attach(void);
void fake_good(void);

/* Makes a cell with the fake machine under it, NULL: avd_cell_new() failed. */
avd_cell *fake_cell(const struct avd_cell_options *options);
struct avd_cell_options fake_options(void);

#endif
