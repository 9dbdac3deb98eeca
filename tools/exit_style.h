/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Exit statuses as those who call the command want them. */
#ifndef ATTACHVERDICT_TOOLS_EXIT_STYLE_H
#define ATTACHVERDICT_TOOLS_EXIT_STYLE_H

#include "cli.h"

enum exit_style {
	EXIT_STYLE_DEFAULT = 0, /* enum cli_exit */
	EXIT_STYLE_TAP, /* 255: could not be tried, as TAP's harnesses tell a bail-out */
	/* git-bisect(1): 125 for what can't be judged, UNCONFIRMED too; wrong usage ends the
	 * bisection, as any status from 128 on. */
	EXIT_STYLE_BISECT,
	/* tools/testing/selftests/kselftest.h: 4 is a skipped test. UNCONFIRMED is a failure: it
	 * was tried, and a skip would pass. */
	EXIT_STYLE_KSELFTEST,
};

/* The style that a command line asks for, before it is parsed: its errors have a status too. A
 * word that is no style is left for the parser to refuse. */
uint32_t exit_style_of(int argc, char **argv);
int exit_style_parse(const struct cli_command *command, const char *text, uint32_t *ret_style);
/* `code` is an enum cli_exit. All that is to be printed was: these flush stdout first, since that
 * it can't be written has a status of the style, too. */
int exit_style_status(uint32_t style, int code);
/* Of one cell or many: `ran` of them have a result; `unmet` are not as expected, `unconfirmed` of
 * these for no other reason than that nothing is known of them. */
int exit_style_of_cells(uint32_t style, int code, size_t ran, size_t unmet, size_t unconfirmed);

#endif
