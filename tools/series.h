/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* `run --repeat`: what the runs of one cell came to, told as they end and summed up. */
#ifndef ATTACHVERDICT_TOOLS_SERIES_H
#define ATTACHVERDICT_TOOLS_SERIES_H

#include "cli.h"

/* Reason codes are small numbers; one beyond is counted under the last. */
#define SERIES_CODES 64u
#define SERIES_OUTCOMES 4u

struct series {
	uint32_t asked, done, passed;
	uint32_t format; /* enum cli_format */
	int verbose; /* text: each report, not only the first of each kind */
	uint32_t outcomes[SERIES_OUTCOMES], reason_codes[SERIES_CODES], result_codes[SERIES_CODES];
	uint32_t first_failed; /* number of the run, 0: none */
	uint64_t shortest_ns, longest_ns, total_ns;
};

void series_begin(struct series *series, uint32_t asked, uint32_t format, int verbose);
/* A run that came to a verdict. `recording`: its path, or NULL. 0, or CLI_NOT_TRIED after a
 * line: the report could not be made. */
int series_add(struct series *series, const avd_stream *stream, uint64_t wall_ns,
	       const char *recording);
/* Sums up. Returns the exit code: passed only if all that were asked for did. */
int series_end(const struct series *series);

#endif
