/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The kept end of an output, cut into lines for a reader. */
#ifndef AVD_LIB_REPORT_LINES_H
#define AVD_LIB_REPORT_LINES_H

#include "verdict/evidence.h"

struct avd__lines {
	char *bytes; /* owned */
	struct avd_str *line; /* owned; views into bytes, without line ends, empty ones left out */
	size_t count;
};

/* Line ends are \n, \r\n and \r. What is left of a first line whose start was not kept is left
 * out, unless nothing else is there. -ENOMEM. */
int avd__lines_load(struct avd__lines *lines, const struct avd__tail *tail);
void avd__lines_free(struct avd__lines *lines);

#endif
