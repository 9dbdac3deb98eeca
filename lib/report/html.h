/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The HTML report: a page (html/page.*) with the data of the results in it. */
#ifndef AVD_LIB_REPORT_HTML_H
#define AVD_LIB_REPORT_HTML_H

#include <attachverdict/report.h>

#include "base/buf.h"

/* The page: what goes before the results, between them and the details, between these and the
 * doubts, and behind. */
extern const unsigned char avd__html_before[], avd__html_between[], avd__html_to_doubts[],
	avd__html_after[];
extern const size_t avd__html_before_size, avd__html_between_size, avd__html_to_doubts_size,
	avd__html_after_size;

/* Appends a JSON text so that it can stand in a <script>: whatever is in its strings, the HTML
 * parser sees no markup. A JSON parser reads the same values from it. */
void avd__html_json(struct avd__buf *out, const char *json, size_t size);

/* What the recordings don't prove: members "INDEX": WHY, and how many nobody looked at. */
struct avd__html_doubts {
	struct avd__buf contradicted, unreadable;
	size_t unchecked;
};

/* html_details.c: {"left_out", "why", "cells"}, and what it found in doubt; `limit`: bytes that
 * "cells" and the reasons of the doubts may take together, 0: no recording is looked at. */
void avd__html_details(struct avd__buf *out, struct avd__html_doubts *doubts,
		       const avd_results *results, uint64_t limit);
/* {"contradicted", "unreadable", "unchecked"} */
void avd__html_put_doubts(struct avd__buf *out, const struct avd__html_doubts *doubts);
void avd__html_doubts_free(struct avd__html_doubts *doubts);

#endif
