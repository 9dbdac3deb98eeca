/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Programs and their figures in the three formats. */
#ifndef AVD_LIB_REPORT_VERIFIER_TABLE_H
#define AVD_LIB_REPORT_VERIFIER_TABLE_H

#include <attachverdict/verifier.h>

#include "base/buf.h"
#include "base/error.h"

/* programs.c: the name of a program by which libbpf tries out what the kernel can. */
int avd__is_trial_name(const char *name);
/* Whether a program is the scheduler's, and not one of those. */
int avd__is_listed(const struct avd_program *program);

/* "12", "1.234 ms", "5 KiB"? Numbers as they are; times in the unit that fits. */
void avd__put_figure(struct avd__buf *out, uint32_t figure, uint64_t value);

/* A cell of a CSV row: veristat knows no quotes, so a comma becomes ';'. */
void avd__put_csv(struct avd__buf *out, const char *text);
/* veristat's CSV: the line of names, and a row for each program that has a verdict, under
 * `file_name`. Returns how many rows. */
void avd__put_csv_head(struct avd__buf *out);
size_t avd__put_csv_rows(struct avd__buf *out, const avd_verifier *verifier, const char *file_name);

/* The columns of `veristat -o csv` that each of its versions reads; names as there. */
struct avd__csv_column {
	const char *name;
	uint32_t figure;
	uint32_t divisor; /* of our unit to veristat's */
};
#define AVD__CSV_COLUMNS 6u
extern const struct avd__csv_column avd__csv_columns[AVD__CSV_COLUMNS];

/* verifier_read.c: reads the recording `name` from fd, which stays the caller's, into a new
 * verifier. -EBADMSG: it is none; and as avd_verifier_read(). */
int avd__verifier_read_recording(int fd, const char *name, avd_verifier **ret_verifier,
				 struct avd__error *error);

int avd__verifier_json(const avd_verifier *verifier, struct avd__buf *out);

#endif
