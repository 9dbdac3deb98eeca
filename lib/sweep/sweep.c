// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/sweep.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/util.h"
#include "sweep/job.h"
#include "sweep/part.h"
#include "sweep/result.h"
#include "sweep/room.h"

/* A thread for each; a host has fewer CPUs by far. */
#define JOBS_MAX 1024u

struct avd_sweep {
	const avd_plan *plan;
	struct avd_sweep_options options;
	struct avd__error error;
	struct avd__store store;
	struct avd__table table;
	struct avd__room room;
	struct avd__job *jobs;
	uint8_t *chosen; /* by row: to be run by this sweep */
	size_t next; /* row to look at for the next start */
	struct avd_progress progress;
	int event_fd;
	_Atomic int cancelled;
	int stopping; /* start none more */
	int over; /* 1: the index is written */
	int broken; /* negative: results can't be kept */
};

static int is_mine(const struct avd_sweep_options *o, size_t index)
{
	const struct avd__part part = {o->first, o->count, o->shard, o->shards};
	return !(o->flags & AVD_SWEEP_NO_CELLS) && avd__part_has(&part, index);
}

static int check_options(struct avd_sweep *sweep, const struct avd_sweep_options *given,
			 struct avd__error *error)
{
	struct avd_sweep_options *o = &sweep->options;
	const int r = avd__options_take(o, sizeof(*o), given, sizeof(o->size), error);
	if (r < 0)
		return r;
	if (!avd_plan_count(sweep->plan))
		return avd__fail(error, EINVAL, "the plan is not finished");
	if (!o->dir || !*o->dir)
		return avd__fail(error, EINVAL, "no directory for the results was named");
	if (o->jobs > JOBS_MAX)
		return avd__fail(error, EINVAL, "%u jobs; at most %u", o->jobs, JOBS_MAX);
	const struct avd__part part = {o->first, o->count, o->shard, o->shards};
	return o->flags & AVD_SWEEP_NO_CELLS
		       ? 0
		       : avd__part_check(&part, avd_plan_count(sweep->plan), error);
}

static void count_done(struct avd_sweep *sweep, const struct avd_cell_result *result)
{
	sweep->progress.done++;
	sweep->progress.met += result->met;
	/* Without a recording it could not even be tried. */
	const int unmet = !result->met && *result->recording;
	sweep->progress.unmet += (size_t)unmet;
	sweep->progress.unconfirmed += unmet && result->outcome == AVD_OUTCOME_UNCONFIRMED;
}

/* Which rows are to be run, and which are done already. */
static int choose(struct avd_sweep *sweep)
{
	sweep->chosen = calloc(sweep->table.count, 1);
	if (!sweep->chosen)
		return -ENOMEM;
	sweep->progress.strangers = sweep->store.strangers;
	for (size_t i = 0; i < sweep->table.count; i++) {
		const struct avd_cell_result result = avd__result_of(&sweep->table.rows[i]);
		if (!is_mine(&sweep->options, i))
			continue;
		sweep->progress.cells++;
		if (result.ran &&
		    (result.met || !(sweep->options.flags & AVD_SWEEP_RERUN_FAILED))) {
			sweep->progress.kept++;
			count_done(sweep, &result);
		} else {
			sweep->chosen[i] = 1;
		}
	}
	return 0;
}

int avd_sweep_new(const avd_plan *plan, const struct avd_sweep_options *options,
		  avd_sweep **ret_sweep, char *error, size_t error_size)
{
	struct avd__error message = {0};
	avd_sweep *sweep = calloc(1, sizeof(*sweep));
	int r = sweep ? 0 : avd__fail(&message, ENOMEM, "out of memory");
	if (r == 0) {
		sweep->plan = plan;
		sweep->event_fd = -1;
		sweep->store = AVD__STORE_INIT;
		r = check_options(sweep, options, &message);
	}
	if (r == 0) {
		sweep->event_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* there is work */
		if (sweep->event_fd < 0)
			r = avd__fail(&message, errno, "no eventfd: %s", strerror(errno));
	}
	if (r == 0)
		r = avd__table_plan(&sweep->table, plan, &message);
	if (r == 0)
		r = avd__store_open(sweep->options.dir, &sweep->table, &sweep->store, &message);
	if (r == 0 && (r = choose(sweep)) < 0)
		avd__fail(&message, ENOMEM, "out of memory");
	if (r < 0) {
		avd_sweep_free(sweep);
		avd__error_copy(&message, error, error_size);
		return r;
	}
	avd__room_init(&sweep->room, sweep->options.jobs, plan->options.machine,
		       plan->options.qemu);
	*ret_sweep = sweep;
	return 0;
}

void avd_sweep_free(avd_sweep *sweep)
{
	if (!sweep)
		return;
	for (struct avd__job *job = sweep->jobs; job; job = job->next)
		avd_cell_cancel(job->cell);
	while (sweep->jobs) {
		struct avd__job *job = sweep->jobs;
		sweep->jobs = job->next;
		avd__job_join(job);
		avd__job_free(job);
	}
	avd__store_close(&sweep->store);
	avd__table_free(&sweep->table);
	free(sweep->chosen);
	avd__close(&sweep->event_fd);
	free(sweep);
}

int avd_sweep_fd(const avd_sweep *sweep)
{
	return sweep->event_fd;
}

const char *avd_sweep_error(const avd_sweep *sweep)
{
	return sweep->error.text;
}

void avd_sweep_cancel(avd_sweep *sweep)
{
	atomic_store(&sweep->cancelled, 1);
	eventfd_write(sweep->event_fd, 1);
}

int avd_sweep_progress(const avd_sweep *sweep, struct avd_progress *ret_progress)
{
	struct avd_progress progress = sweep->progress;
	progress.size = ret_progress->size;
	if (progress.size < sizeof(progress.size))
		return -EINVAL;
	memcpy(ret_progress, &progress,
	       progress.size < sizeof(progress) ? progress.size : sizeof(progress));
	return 0;
}

/* Sets what a row came to, in memory and on the disk, and tells the caller. */
static int settle(struct avd_sweep *sweep, size_t index, const struct avd__came *came)
{
	int r = avd__table_set(&sweep->table, index, came);
	if (r < 0)
		return avd__fail(&sweep->error, ENOMEM, "out of memory");
	r = avd__store_add(&sweep->store, index, came, &sweep->error);
	if (r < 0)
		return r;
	const struct avd_cell_result result = avd__result_of(&sweep->table.rows[index]);
	count_done(sweep, &result);
	if (!result.met && (sweep->options.flags & AVD_SWEEP_FAIL_FAST))
		sweep->stopping = 1;
	if (sweep->options.on_cell)
		sweep->options.on_cell(sweep->options.userdata, index, &result);
	return 0;
}

/* A cell that has no verdict: what its row says instead. */
static int settle_untried(struct avd_sweep *sweep, size_t index, const char *why)
{
	char reason[AVD_VERDICT_REASON_MAX];
	snprintf(reason, sizeof(reason), "could not be tried: %.900s", why);
	const struct avd__came came = avd__came_without(AVD_REASON_NOT_RUN, reason);
	return settle(sweep, index, &came);
}

/* The cell's new recording takes the place of the old one before its result is known: a sweep that
 * is killed between must not leave the old result beside the new recording. Without a result,
 * whichever recording is there is judged by the next one. */
static int forget(struct avd_sweep *sweep, size_t index)
{
	const struct avd__came came =
		avd__came_without(AVD_REASON_NOT_RUN, "it was being run again");
	if (!avd__row_has_result(&sweep->table.rows[index]))
		return 0;
	if (avd__table_set(&sweep->table, index, &came) < 0)
		return avd__fail(&sweep->error, ENOMEM, "out of memory");
	return avd__store_add(&sweep->store, index, &came, &sweep->error);
}

/* The recording alone says what a cell came to: what is kept is what was judged. */
static int harvest(struct avd_sweep *sweep, const struct avd__job *job)
{
	struct avd__came came;
	struct avd__error error = {0};
	char *name = NULL;
	const struct avd__row *row = &sweep->table.rows[job->index];
	const int cancelled = atomic_load(&sweep->cancelled);
	if (job->result < 0 && !cancelled)
		return settle_untried(sweep, job->index, avd_cell_error(job->cell));
	int r = avd__store_recording(row, &name);
	if (r < 0)
		return avd__fail(&sweep->error, ENOMEM, "out of memory");
	r = avd__store_judge(sweep->store.dir_fd, name, row, &sweep->table, &came, &error);
	/* Who ends the sweep may have ended its machines, too: a batch system signals each process
	 * of a job. That says nothing of the cell. */
	if (r == 0 && cancelled && came.result_code == AVD_REASON_MACHINE_ERROR) {
		unlinkat(sweep->store.dir_fd, name, 0);
		r = -ECANCELED;
	}
	free(name);
	if (r < 0 && cancelled) /* it will be run when the sweep goes on */
		return 0;
	return r < 0 ? settle_untried(sweep, job->index, error.text)
		     : settle(sweep, job->index, &came);
}

static void give_room(struct avd_sweep *sweep, size_t index)
{
	const uint32_t cpus = sweep->table.rows[index].cpus;
	avd__room_give(&sweep->room, cpus, avd__plan_memory(sweep->plan, cpus));
}

/* Joins the jobs that have ended. */
static int reap(struct avd_sweep *sweep)
{
	int r = 0;
	for (struct avd__job **at = &sweep->jobs; *at;) {
		struct avd__job *job = *at;
		if (!avd__job_has_ended(job)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		avd__job_join(job);
		give_room(sweep, job->index);
		sweep->progress.running--;
		if (r == 0)
			r = harvest(sweep, job);
		avd__job_free(job);
	}
	return r;
}

static int start_job(struct avd_sweep *sweep, size_t index)
{
	struct avd__error why = {{0}};
	struct avd__job *job = NULL;
	int r = forget(sweep, index);
	if (r < 0)
		return r;
	if (avd__job_new(sweep->plan, &sweep->options, &sweep->store, &sweep->table.rows[index],
			 index, &job, &why) < 0) {
		give_room(sweep, index);
		return settle_untried(sweep, index, why.text);
	}
	if (sweep->options.on_cell)
		sweep->options.on_cell(sweep->options.userdata, index, NULL);
	r = avd__job_start(job, sweep->event_fd);
	if (r < 0) {
		give_room(sweep, index);
		avd__job_free(job);
		return avd__fail(&sweep->error, -r, "cannot start a thread for a cell: %s",
				 strerror(-r));
	}
	job->next = sweep->jobs;
	sweep->jobs = job;
	sweep->progress.running++;
	return 0;
}

static int start_jobs(struct avd_sweep *sweep)
{
	int r = 0;
	while (r == 0 && !sweep->stopping && sweep->next < sweep->table.count) {
		const size_t index = sweep->next;
		if (sweep->chosen[index]) {
			const uint32_t cpus = sweep->table.rows[index].cpus;
			if (!avd__room_take(&sweep->room, cpus,
					    avd__plan_memory(sweep->plan, cpus)))
				break;
			r = start_job(sweep, index);
		}
		sweep->next++;
	}
	return r;
}

int avd_sweep_step(avd_sweep *sweep)
{
	eventfd_t events;
	if (sweep->over || (sweep->broken && !sweep->jobs))
		return sweep->broken;
	eventfd_read(sweep->event_fd, &events);
	if (atomic_load(&sweep->cancelled) && !sweep->stopping)
		sweep->stopping = 1;
	int r = reap(sweep);
	if (r == 0)
		r = start_jobs(sweep);
	if (r < 0 && !sweep->broken) {
		sweep->broken = r;
		sweep->stopping = 1;
	}
	if (sweep->broken || atomic_load(&sweep->cancelled)) {
		for (struct avd__job *job = sweep->jobs; job; job = job->next)
			avd_cell_cancel(job->cell);
	}
	if (sweep->jobs)
		return 1;
	if (!sweep->broken) {
		sweep->over = 1;
		r = avd__store_write(&sweep->store, &sweep->table, &sweep->error);
		if (r < 0)
			sweep->broken = r;
	}
	return sweep->broken;
}

int avd_sweep_run(avd_sweep *sweep)
{
	int r;
	while ((r = avd_sweep_step(sweep)) > 0) {
		struct pollfd event = {.fd = sweep->event_fd, .events = POLLIN};
		if (poll(&event, 1, -1) < 0 && errno != EINTR)
			return avd__fail(&sweep->error, errno, "poll: %s", strerror(errno));
	}
	return r;
}
