/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A cell of a sweep, in a thread of its own: building an initramfs and starting a machine block. */
#ifndef AVD_LIB_SWEEP_JOB_H
#define AVD_LIB_SWEEP_JOB_H

#include <attachverdict/sweep.h>
#include <pthread.h>
#include <stdbool.h>

#include "sweep/store.h"

struct avd__job {
	size_t index; /* of its row */
	avd_cell *cell;
	pthread_t thread;
	int event_fd; /* the sweep's; written to when the job has ended */
	int result; /* of avd_cell_run(), once it has ended */
	_Atomic bool ended;
	struct avd__job *next;
};

/* Makes the cell of a row, whose recording goes to the store. A link that stands where the
 * recording will is taken away. *ret_job: avd__job_free(). */
int avd__job_new(const avd_plan *plan, const struct avd_sweep_options *options,
		 struct avd__store *store, const struct avd__row *row, size_t index,
		 struct avd__job **ret_job, struct avd__error *error);
/* The thread runs from here on; avd__job_join() before it is freed. */
int avd__job_start(struct avd__job *job, int event_fd);
/* Whether avd__job_join() won't block. */
bool avd__job_has_ended(const struct avd__job *job);
void avd__job_join(struct avd__job *job);
void avd__job_free(struct avd__job *job);

#endif
