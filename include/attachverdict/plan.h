/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A plan: which cells a sweep runs. It is made of axes (kernels, schedulers, topologies,
 * payloads) whose product is filtered by rules; each cell has an id that stays the same
 * wherever and whenever the same plan is made.
 */
#ifndef ATTACHVERDICT_PLAN_H
#define ATTACHVERDICT_PLAN_H

#include <attachverdict/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct avd_plan avd_plan;

/* The most cells a plan may have. */
#define AVD_PLAN_CELLS_MAX 1000000u

enum avd_rule_kind {
	AVD_RULE_INCLUDE = 1, /* once there is one, a cell must match one of these */
	AVD_RULE_EXCLUDE = 2, /* a cell that matches is dropped */
	AVD_RULE_EXPECT = 3, /* what a cell that matches must come to; the last match counts */
};

/* What a cell must come to. */
struct avd_expectation {
	uint32_t any_outcome; /* 1: the result alone counts */
	uint32_t outcome; /* enum avd_outcome */
	uint32_t result; /* enum avd_result */
	uint32_t code; /* enum avd_reason_code of the result, NONE: any */
};

/* One cell of a plan. Everything it points to is the plan's. */
struct avd_plan_cell {
	const char *id; /* "KERNEL/SCHEDULER/TOPOLOGY[/PAYLOAD]", of the axes' names */
	const char *kernel_name; /* as the axes name them: */
	const char *scheduler_name;
	const char *topology;
	const char *payload_name; /* "" without a payload */
	const char *kernel; /* path */
	const char *const *scheduler; /* argv, scheduler_count words, and NULL behind them */
	size_t scheduler_count;
	const char *const *payload; /* the same; NULL without one */
	size_t payload_count;
	struct avd_expectation expect;
	uint32_t cpus;
	uint32_t reserved;
	uint64_t memory_bytes;
	/* Of all that defines the cell, with the bytes of the kernel, the programs and the
	 * includes; not those of shared libraries that a program brings along. */
	uint64_t digest;
};

/* An empty plan. -ENOMEM. The caller ends it with avd_plan_free(). Since 0.1. */
AVD_API int avd_plan_new(avd_plan **ret_plan);
AVD_API void avd_plan_free(avd_plan *plan); /* NULL is ignored */
/* The message of the last error, "" if none; the plan's. Since 0.1. */
AVD_API const char *avd_plan_error(const avd_plan *plan);

/*
 * Adds what the file at `path` says; attachverdict-sweep(5) describes it. Relative paths
 * in it are relative to its directory. -ENOENT, -EACCES, -EISDIR; -EINVAL: the message has file
 * and line, and the plan is of no more use. Since 0.1.
 */
AVD_API int avd_plan_load(avd_plan *plan, const char *path);

/*
 * One value more on an axis. `name` stands in ids; it may be NULL, and is then made of the value.
 * Names are 1 to 64 of the characters A-Z a-z 0-9 . _ + -, and no two values of an axis have the
 * same. Strings are copied. -EINVAL with a message. Since 0.1.
 *
 * kernel: a path; or a release or its beginning ("7.3"), for the newest such kernel of
 * avd_kernel_list(); or "default". None: avd_kernel_default().
 */
AVD_API int avd_plan_add_kernel(avd_plan *plan, const char *name, const char *kernel);
/* argv as in avd_cell_options; at least one scheduler is needed. Since 0.1. */
AVD_API int avd_plan_add_scheduler(avd_plan *plan, const char *name, const char *const *argv,
				   size_t count);
/* As in avd_cell_options; it names itself. None: that of a cell. Since 0.1. */
AVD_API int avd_plan_add_topology(avd_plan *plan, const char *topology);
/* None: cells without a payload. Since 0.1. */
AVD_API int avd_plan_add_payload(avd_plan *plan, const char *name, const char *const *argv,
				 size_t count);

/*
 * A rule. `match`: AXIS=PATTERN, several joined by commas, all of which must match;
 * AXIS is kernel, scheduler, topology, payload or id, PATTERN is for the name, as in a shell
 * (fnmatch(3)). `expect`, for EXPECT alone: "passed" (what every cell must without a rule),
 * "failed" (a verdict that is not UNCONFIRMED), an outcome ("DIED"), an outcome and a reason
 * code ("DIED/verifier-rejected", "ATTACHED/ejected"); "ATTACHED" alone means passed.
 * -EINVAL. Since 0.1.
 */
AVD_API int avd_plan_add_rule(avd_plan *plan, uint32_t kind, const char *match, const char *expect);

/*
 * A setting of all cells, by the name and in the form of the command line's option without its
 * dashes: "memory", "512M"; "timeout", "90s"; "include" may be set several times, others are
 * replaced. -EINVAL: no such setting, or not its form. Since 0.1.
 */
AVD_API int avd_plan_set(avd_plan *plan, const char *name, const char *value);

/*
 * Makes the cells; the plan takes nothing more then. -EINVAL: no scheduler, an unknown kernel
 * file, two schedulers of one name, a rule that matches no cell (a slip of the pen would else
 * go unseen) ...; -E2BIG: more than AVD_PLAN_CELLS_MAX cells. Reads kernels, programs and includes,
 * for the digests. After a failure the plan is of no more use. Since 0.1.
 */
AVD_API int avd_plan_finish(avd_plan *plan);

/* Of a finished plan, else 0. Since 0.1. */
AVD_API size_t avd_plan_count(const avd_plan *plan);
/* Cells are ordered by scheduler, then kernel, topology, payload. -ERANGE. Since 0.1. */
AVD_API int avd_plan_get(const avd_plan *plan, size_t index, struct avd_plan_cell *ret_cell);
/* Digest of the whole plan: equal for equal plans, on every machine. Since 0.1. */
AVD_API uint64_t avd_plan_digest(const avd_plan *plan);

/* Whether a verdict is what was expected: 1 or 0. Since 0.1. */
AVD_API int avd_expectation_met(const struct avd_expectation *expect,
				const struct avd_verdict *verdict);
/* "passed", "DIED/verifier-rejected" ... like snprintf. Since 0.1. */
AVD_API int avd_expectation_print(const struct avd_expectation *expect, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
