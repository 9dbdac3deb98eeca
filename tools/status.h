/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a run is doing, on stderr: on a terminal one line that is redrawn and cleared at the end;
 * with -v a line for each phase. Otherwise nothing.
 */
#ifndef ATTACHVERDICT_TOOLS_STATUS_H
#define ATTACHVERDICT_TOOLS_STATUS_H

#include <pthread.h>
#include <signal.h>
#include <stdint.h>

struct status {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	pthread_t thread;
	int have_thread, drawn, ending;
	int verbose;
	const char *phase; /* static text */
	const char *prefix; /* before the phase on a terminal; outlives the status */
	uint64_t started_ns, phase_ns;
	const volatile sig_atomic_t *interrupted;
};

/* `interrupted`: set once the user asked to stop; read while it is drawn. */
void status_start(struct status *status, int verbose, const char *prefix,
		  const volatile sig_atomic_t *interrupted);
/* A new phase; `text` is static. */
void status_phase(struct status *status, const char *text);
/* A line of its own above the status. Hostile bytes are escaped. */
void status_note(struct status *status, const char *text, size_t len);
/* Since the start, ns. */
uint64_t status_elapsed(struct status *status);
/* Clears the line. */
void status_end(struct status *status);

#endif
