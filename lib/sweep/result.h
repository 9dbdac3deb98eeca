/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_SWEEP_RESULT_H
#define AVD_LIB_SWEEP_RESULT_H

#include <attachverdict/results.h>
#include <stdbool.h>

#include "base/error.h"

struct avd__row;

/* A row as callers see it. */
struct avd_cell_result avd__result_of(const struct avd__row *row);

/* Whether both came to the same outcome and result, by their codes: another release may word a
 * reason better. */
bool avd__same_verdict(const struct avd_cell_result *a, const struct avd_cell_result *b);

/* Opens the recording of the cell at `index` for reading, without waiting for a file that is none;
 * *path_out (path_size bytes) is what to call it in a message. Its name is the index's and hostile:
 * no link is followed, and nothing outside of the directory is opened. The descriptor, or -ENOENT:
 * the cell has none; -ERANGE; -EBADMSG: a name that no recording has; what openat() fails with. */
int avd__results_open_recording(const avd_results *results, size_t index, char *path_out,
				size_t path_size, struct avd__error *error);
/* CRC-32C of the bytes of that recording when it was indexed; `index` is a cell's. */
uint32_t avd__results_recording_crc(const avd_results *results, size_t index);

#endif
