/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_SWEEP_RESULT_H
#define AVD_LIB_SWEEP_RESULT_H

#include <attachverdict/results.h>
#include <stdbool.h>

#include "base/buf.h"
#include "cell/recording_read.h"
#include "sweep/table.h"

/* What a cell came to that has no result, for this cause; `reason` is as in the row. */
struct avd__came avd__came_without(uint32_t code, const char *reason);
/* Whether the row has a result, and it is the expected one. */
bool avd__row_met(const struct avd__row *row);
/* A row as callers see it. */
struct avd_cell_result avd__result_of(const struct avd__row *row);

/* Whether both came to the same outcome and result, by their codes: another release may word a
 * reason better. */
bool avd__same_verdict(const struct avd_cell_result *a, const struct avd_cell_result *b);
/* "ATTACHED", "DIED (exited)" */
void avd__put_outcome(struct avd__buf *out, const struct avd_cell_result *cell);

/* results.c */

/* Opens the recording of the cell at `index` for reading, without waiting for a file that is none;
 * *path_out (path_size bytes) is what to call it in a message. Its name is the index's and hostile:
 * no link is followed, and nothing outside of the directory is opened. The descriptor, or -ENOENT:
 * the cell has none; -ERANGE; -EBADMSG: a name that no recording has; what openat() fails with. */
int avd__results_open_recording(const avd_results *results, size_t index, char *path_out,
				size_t path_size, struct avd__error *error);
/* Opens and reads that recording. -ENOENT ... as above; -EBADMSG: it is no recording; ... */
int avd__results_read_recording(const avd_results *results, size_t index, avd_stream **ret_stream,
				struct avd__recording_sum *ret_sum, struct avd__error *error);
/* Whether the recording of the cell at `index`, which has a result, proves what the index says: it
 * is of that cell, comes to the same, and is the very file that was indexed. 0, or a negative errno
 * with what is wrong. *ret_stream: the recording, also where it contradicts the index; NULL if it
 * can't be read; avd_stream_free(). */
int avd__results_prove(const avd_results *results, size_t index, avd_stream **ret_stream,
		       struct avd__error *error);
/* judge.c: the same of a recording that was read, and its row. */
int avd__row_prove(const struct avd__row *row, const avd_stream *stream,
		   const struct avd__recording_sum *sum, struct avd__error *error);

#endif
