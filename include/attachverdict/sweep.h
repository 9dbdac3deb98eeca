/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Runs the cells of a plan, several at a time, into a directory of results. What has
 * ended is on the disk before its slot is used again, so a sweep that was killed goes on where
 * it was when it is started again.
 */
#ifndef ATTACHVERDICT_SWEEP_H
#define ATTACHVERDICT_SWEEP_H

#include <attachverdict/results.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct avd_sweep avd_sweep;

enum avd_sweep_flags {
	AVD_SWEEP_FAIL_FAST = 1u << 0, /* after a cell that is not as expected start none more */
	AVD_SWEEP_RERUN_FAILED = 1u << 1, /* run again what is there but not as expected */
	/* Run nothing: only makes the directory, with the plan in it, as others will merge into or
	 * mark. `first`, `count` and shards are not looked at. */
	AVD_SWEEP_NO_CELLS = 1u << 2,
};

/* Zero or NULL means the default, given in brackets. */
struct avd_sweep_options {
	size_t size;
	const char *dir; /* of the results; made if it is not there; required */
	uint32_t flags; /* enum avd_sweep_flags */
	/* Most cells at a time [as many as there are CPUs and memory for: a cell counts as many
	 * CPUs as its guest has, one if it is emulated by one thread; four fifths of the available
	 * memory are used] */
	uint32_t jobs;
	/* Of the plan's cells those from `first` on, `count` of them [all]; of these every
	 * `shards`th, starting with number `shard` (1 to shards) [all]. */
	size_t first, count;
	uint32_t shard, shards;
	/* Called inside avd_sweep_step(), on its thread: a cell starts (result NULL), has ended.
	 * May cancel the sweep, but not step or free it. */
	void (*on_cell)(void *userdata, size_t index, const struct avd_cell_result *result);
	avd_log_fn log; /* from any thread */
	void *userdata; /* of both */
};

struct avd_progress {
	size_t size; /* set by the caller */
	size_t cells; /* that this sweep is to run, done ones included */
	size_t done, running;
	size_t met, unmet; /* of the done ones; the rest could not be tried */
	size_t kept; /* of the done ones: results that were there before */
	size_t unconfirmed; /* of the unmet ones: it is not known what they do */
	size_t strangers; /* results that were there, of cells that this plan does not have: they
			     are out of the index, their recordings stay */
};

/* Opens the directory and takes over the results that stand there already. The plan must be
 * finished and outlive the sweep. -EINVAL: bad options; -EBUSY: another sweep writes there;
 * -EACCES, -ENOSPC ...; one line in `error`. The caller ends it with avd_sweep_free(). Since 0.1.
 */
AVD_API int avd_sweep_new(const avd_plan *plan, const struct avd_sweep_options *options,
			  avd_sweep **ret_sweep, char *error, size_t error_size);
/* Ends what runs, without results for it. NULL is ignored. Since 0.1. */
AVD_API void avd_sweep_free(avd_sweep *sweep);
/* Polls readable when avd_sweep_step() has work; the sweep's. Since 0.1. */
AVD_API int avd_sweep_fd(const avd_sweep *sweep);
/* Starts cells and takes the results of those that have ended. 1: still running; 0: all that was
 * to be run has ended, or was cancelled, or failed fast; the index is written. Negative: a result
 * could not be kept (-ENOSPC ...): avd_sweep_error(); nothing runs any more. Since 0.1. */
AVD_API int avd_sweep_step(avd_sweep *sweep);
/* Steps until the end. Since 0.1. */
AVD_API int avd_sweep_run(avd_sweep *sweep);
/* Ends it: running cells are stopped, without results. Thread-safe and async-signal-safe, as
 * long as nobody frees the sweep. Since 0.1. */
AVD_API void avd_sweep_cancel(avd_sweep *sweep);
/* Message of the last error, "" if none; the sweep's. Since 0.1. */
AVD_API const char *avd_sweep_error(const avd_sweep *sweep);
/* -EINVAL: no size. Since 0.1. */
AVD_API int avd_sweep_progress(const avd_sweep *sweep, struct avd_progress *ret_progress);

#ifdef __cplusplus
}
#endif

#endif
