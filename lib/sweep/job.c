// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/job.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/util.h"
#include "cell/planned.h"

static void *run(void *argument)
{
	struct avd__job *job = argument;
	job->result = avd_cell_run(job->cell);
	atomic_store(&job->ended, true);
	eventfd_write(job->event_fd, 1);
	return NULL;
}

static int make_cell(const avd_plan *plan, const struct avd_sweep_options *sweep,
		     const char *record_path, size_t index, avd_cell **ret_cell,
		     struct avd__error *error)
{
	struct avd_cell_options options = plan->options;
	struct avd_plan_cell planned;
	avd_plan_get(plan, index, &planned);
	options.kernel = planned.kernel;
	options.scheduler = planned.scheduler;
	options.scheduler_count = planned.scheduler_count;
	options.payload = planned.payload;
	options.payload_count = planned.payload_count;
	options.topology = planned.topology;
	options.record_path = record_path;
	options.log = sweep->log;
	options.userdata = sweep->userdata;
	const int r = avd_cell_new(&options, ret_cell, error->text, sizeof(error->text));
	if (r < 0)
		return r;
	return avd__cell_set_planned(*ret_cell, planned.id, planned.digest) < 0
		       ? avd__fail(error, ENOMEM, "out of memory")
		       : 0;
}

static int record_path(struct avd__store *store, const struct avd__row *row, char **ret_path,
		       struct avd__error *error)
{
	char *name = NULL;
	int r = avd__store_recording(row, &name);
	if (r == 0)
		r = avd__store_drop_link(store, name);
	if (r == 0 && asprintf(ret_path, "%s/%s", store->path, name) < 0)
		r = -ENOMEM;
	if (r < 0)
		avd__fail(error, -r, "%s/%s: %s", store->dir, name ? name : "", strerror(-r));
	free(name);
	return r;
}

int avd__job_new(const avd_plan *plan, const struct avd_sweep_options *options,
		 struct avd__store *store, const struct avd__row *row, size_t index,
		 struct avd__job **ret_job, struct avd__error *error)
{
	struct avd__job *job = calloc(1, sizeof(*job));
	char *path = NULL;
	int r = job ? record_path(store, row, &path, error)
		    : avd__fail(error, ENOMEM, "out of memory");
	if (r == 0) {
		job->index = index;
		r = make_cell(plan, options, path, index, &job->cell, error);
		free(path);
	}
	if (r < 0) {
		avd__job_free(job);
		return r;
	}
	*ret_job = job;
	return 0;
}

int avd__job_start(struct avd__job *job, int event_fd)
{
	/* Signals are the caller's affair: the thread is born with all of them blocked. */
	sigset_t all, before;
	job->event_fd = event_fd;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int code = pthread_create(&job->thread, NULL, run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -code;
}

bool avd__job_has_ended(const struct avd__job *job)
{
	return atomic_load(&job->ended);
}

void avd__job_join(struct avd__job *job)
{
	pthread_join(job->thread, NULL);
}

void avd__job_free(struct avd__job *job)
{
	if (!job)
		return;
	avd_cell_free(job->cell);
	free(job);
}
