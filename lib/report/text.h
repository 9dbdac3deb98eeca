/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The parts of the text report. */
#ifndef AVD_LIB_REPORT_TEXT_H
#define AVD_LIB_REPORT_TEXT_H

#include <attachverdict/report.h>

#include "base/buf.h"
#include "verdict/evidence.h"

struct avd__text {
	struct avd__buf out;
	const struct avd__evidence *ev;
	const struct avd_verdict *verdict;
	int color, verbose;
};

/* Values stand in a column of their own. */
#define AVD__TEXT_LABEL_WIDTH 12

/* Foreground colours of ECMA-48, bold. */
#define AVD__TEXT_GREEN "\033[1;32m"
#define AVD__TEXT_YELLOW "\033[1;33m"
#define AVD__TEXT_RED "\033[1;31m"

/* A word of ours, in that colour if colours were asked for. */
void avd__text_colored(struct avd__text *text, const char *color, const char *word);
/* Starts a row: "  label       ". An empty label continues the row above. */
void avd__text_row(struct avd__text *text, const char *label);

/* refusal.c: "program 'x' insn 12: R1 invalid mem access 'scalar'", escaped. 1; 0 if the output
 * does not tell; -ENOMEM */
int avd__put_refusal(struct avd__buf *out, const struct avd__evidence *ev);

/* text_facts.c: what happened, a fact a row. */
void avd__text_facts(struct avd__text *text);
/* text_quotes.c: what the kernel, the scheduler and the console said, each line behind a bar, so
 * that nothing which the guest prints can be taken for ours. */
int avd__text_quotes(struct avd__text *text);
/* programs.c: how many, and with verbose each of them. */
void avd__text_programs(struct avd__text *text);

#endif
