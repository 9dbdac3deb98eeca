/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* One line of a verifier's log: what kind it is, and its parts. */
#ifndef AVD_LIB_VERIFIER_LINE_H
#define AVD_LIB_VERIFIER_LINE_H

#include <attachverdict/verifier.h>

/* Of a line, what is looked at and kept. The kernel writes in pieces of at most 1 KiB
 * (BPF_VERIFIER_TMP_LOG_SIZE), a full state of 11 registers and 64 stack slots has some 6 KiB. */
#define AVD__LINE_MAX ((size_t)16384)

/* Fills kind, insn, to and the parts of `line` from its text. Lines that only their place tells
 * apart (AVD_LINE_REPORT) are AVD_LINE_MESSAGE here. */
void avd__line_classify(struct avd_verifier_line *line);

/* A number that two lines have in common if they are the same step of a loop: see
 * avd_verifier_collapsed(). Never 0. */
uint64_t avd__line_shape(const struct avd_verifier_line *line);

/* -- small scanners, shared with the statistics -- */

/* Takes `word` off the front. */
int avd__take(struct avd_str *text, const char *word);
/* Takes a decimal number off the front; one too large for an int64 is refused. */
int avd__take_number(struct avd_str *text, uint64_t *ret_number);
int avd__starts_with(struct avd_str text, const char *word);
int avd__ends_with(struct avd_str text, const char *word);
/* Offset of the first occurrence, or SIZE_MAX. */
size_t avd__find(struct avd_str text, const char *word);
struct avd_str avd__skip(struct avd_str text, size_t count);
struct avd_str avd__trim(struct avd_str text); /* blanks at both ends */

#endif
