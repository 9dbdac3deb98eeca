/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The results of a sweep: a directory with one index and a recording a cell. Every cell
 * of the plan is in it; one without a result counts as UNCONFIRMED (not-run, or lost with the
 * reason that somebody gave), never as absent.
 */
#ifndef ATTACHVERDICT_RESULTS_H
#define ATTACHVERDICT_RESULTS_H

#include <attachverdict/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct avd_results avd_results;

/* One cell. Everything it points to is the results'. Text is as in struct avd_verdict. */
struct avd_cell_result {
	const char *id;
	const char *kernel, *scheduler, *topology, *payload; /* names on the axes; payload "" */
	const char *command; /* runs this cell alone, for a shell */
	struct avd_expectation expect;
	uint32_t met; /* 1: it came to what was expected */
	uint32_t ran; /* 0: there is no result; what follows says so, and why if that is known */
	uint32_t outcome; /* enum avd_outcome */
	uint32_t reason_code; /* enum avd_reason_code */
	uint32_t result; /* enum avd_result */
	uint32_t result_code; /* enum avd_reason_code */
	uint32_t end_cause; /* enum avd_end_cause */
	uint32_t cpus;
	const char *reason; /* "" exactly when ATTACHED */
	const char *result_reason; /* "" exactly when passed */
	const char *recording; /* path below the directory; "" if there is none */
	uint64_t recording_bytes;
	uint64_t wall_ns; /* host: start of the machine to its end */
	uint64_t machine_cpu_ns; /* host CPU time of the machine */
	uint64_t ended_unix_ns;
	uint64_t digest; /* of what defines the cell */
};

struct avd_results_counts {
	size_t size; /* set by the caller */
	size_t cells; /* of the plan */
	size_t ran, met, unmet; /* unmet: ran, but came to something else */
	uint64_t plan_digest;
	uint64_t torn_bytes; /* at the end of the journal: a write that was cut short */
	size_t lost; /* of those that did not run: marked by avd_results_mark() */
	size_t unconfirmed; /* of the unmet ones: it is not known what they do */
};

/* Reads the directory's index. On failure writes one line to `error`. -ENOENT: no results are
 * there; -EBADMSG: the index is damaged; -ENOMEM. The caller ends it with avd_results_free().
 * Since 0.1. */
AVD_API int avd_results_open(const char *dir, avd_results **ret_results, char *error,
			     size_t error_size);
AVD_API void avd_results_free(avd_results *results); /* NULL is ignored */
/* -EINVAL: no size. Since 0.1. */
AVD_API int avd_results_count(const avd_results *results, struct avd_results_counts *ret_info);
/* In the plan's order. -ERANGE. Since 0.1. */
AVD_API int avd_results_get(const avd_results *results, size_t index,
			    struct avd_cell_result *ret_result);
/* The place of a cell by its id; -ENOENT. Since 0.1. */
AVD_API int avd_results_find(const avd_results *results, const char *id, size_t *ret_index);

/* Zero or NULL means the default, given in brackets. */
struct avd_mark_options {
	size_t size;
	const char *reason; /* why they have no result; required; cut if it is too long */
	/* As in struct avd_sweep_options: of the plan's cells those from `first` on, `count` of
	 * them [all]; of these every `shards`th, starting with number `shard` [all]. */
	size_t first, count;
	uint32_t shard, shards;
};

/*
 * Marks cells of the results in `dir` as lost: those of the asked ones that have no result, nor a
 * reason yet, come to UNCONFIRMED (lost) with this reason. They count as not run all the same:
 * a sweep that goes on in `dir` runs them, and in a merge a result beats a mark. On the disk
 * when it returns. *ret_marked (may be NULL): how many. -ENOENT: no results are there; a sweep
 * with AVD_SWEEP_NO_CELLS makes an empty directory; -EBUSY: a sweep writes there; -EINVAL; ...
 * with one line in `error`. Since 0.1.
 */
AVD_API int avd_results_mark(const char *dir, const struct avd_mark_options *options,
			     size_t *ret_marked, char *error, size_t error_size);

/* Called for a cell whose recording does not prove its result: what is wrong, one line. */
typedef void (*avd_contradiction_fn)(void *userdata, size_t index, const char *what);

/*
 * Judges the recording of each cell that has a result again. A contradiction is a recording that
 * is missing, can't be read, says that it is of another cell than the index gives it to, comes to
 * another verdict, or is not the one that the index was made from (its size and CRC-32C). One that
 * names no cell, for it was run alone, is held to topology and CPUs. `fn` may be NULL.
 * *ret_verified: results that were proved; with *ret_contradictions all that there are. -ENOMEM.
 * Since 0.1.
 */
AVD_API int avd_results_verify(const avd_results *results, avd_contradiction_fn fn, void *userdata,
			       size_t *ret_verified, size_t *ret_contradictions);

enum avd_merge_flags {
	/* Of two different results of a cell take the worse one: the one that is not as expected;
	 * else UNCONFIRMED, DIED, NOT_ATTACHED, ATTACHED, passed. Without it they are an error. */
	AVD_MERGE_WORST = 1u << 0,
};

/*
 * Merges the results of the same plan that stand in `dirs` into the new directory `into`, which
 * must not exist or be empty. Recordings are linked if they can be, else copied. Two results of
 * one cell from the same recording are one; a result beats a mark, of two marks the first stays.
 * -EXDEV: not the same plan, or not the same expectations; -EEXIST: two different results of one
 * cell, or `into` is not empty;
 * ... with one line in `error`; nothing is left of `into` then. Since 0.1.
 */
AVD_API int avd_results_merge(const char *const *dirs, size_t count, const char *into,
			      uint32_t flags, char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
