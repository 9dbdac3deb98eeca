/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * One machine on its way from a choice to its end: what cells and the public machine API
 * have in common. The machine itself is one of the kinds behind machine/machine.h.
 */
#ifndef AVD_LIB_RUNNER_RUN_H
#define AVD_LIB_RUNNER_RUN_H

#include "machine/machine.h"
#include "runner/choose.h"

struct avd__kernel;

struct avd__run {
	struct avd__choice choice; /* ->ops NULL: not chosen yet */
	struct avd__machine *machine; /* NULL: not started, or released */
	uint64_t (*now)(void *userdata); /* NULL: the host's monotonic clock, ns */
	void *now_userdata;
	uint64_t started; /* by that clock */
	struct avd_machine_stats stats; /* ->size 0: never started; verdict_ns is the owner's */
	const struct avd__machine_sink *sink; /* of the step at hand */
};

/* What a caller appends to the kernel's command line; NULL is fine. At most `most` bytes, -E2BIG,
 * and no control characters, -EINVAL. */
int avd__run_check_kernel_args(const char *args, uint32_t most, struct avd__error *error);

/* The image that this kind boots, open: *ret_fd is the caller's to close. Of a bzImage its
 * vmlinux, which boots a second sooner under emulation, where the kind takes it and the payload
 * can be unpacked. */
int avd__run_open_kernel(const struct avd__run *run, struct avd__kernel *kernel, const char *path,
			 const char *cache_dir, const struct avd__log *log, int *ret_fd,
			 uint32_t *ret_format, uint32_t *ret_pvh, struct avd__error *error);

/* `spec`: all but the accelerator, which comes from the choice. */
int avd__run_start(struct avd__run *run, const struct avd__machine_spec *spec,
		   struct avd__error *error);
/* Polls readable when a step has work. */
int avd__run_fd(const struct avd__run *run);
/* 1: runs; 0: has ended, and *ret_end says how. A machine that can't be read has ended, too. */
int avd__run_step(struct avd__run *run, const struct avd__machine_sink *sink,
		  struct avd__machine_end *ret_end);
void avd__run_stop(struct avd__run *run, uint32_t cause);
uint64_t avd__run_cpu_ns(const struct avd__run *run);
uint64_t avd__run_wait_ns(const struct avd__run *run);
/* ns since the start, by the run's clock */
uint64_t avd__run_age(const struct avd__run *run);
/* Ends it if it runs; its statistics stay. */
void avd__run_release(struct avd__run *run);

/* Notes what the machine has cost; what only a living one tells stays as it was. */
void avd__run_update(struct avd__run *run);
/* Fresh figures for a caller: as avd_machine_get_stats(). */
int avd__run_get_stats(const struct avd__run *run, struct avd_machine_stats *stats);

#endif
