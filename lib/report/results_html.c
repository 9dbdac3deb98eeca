// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/html.h"
#include "report/results.h"

void avd__results_html(struct avd__buf *out, const avd_results *results, uint64_t details_limit)
{
	struct avd__buf json = {0};
	struct avd__html_doubts doubts = {0};
	avd__buf_append(out, avd__html_before, avd__html_before_size);
	avd__results_json(&json, results);
	if (json.error)
		out->error = json.error;
	else
		avd__html_json(out, json.data, json.len);
	avd__buf_free(&json);
	avd__buf_append(out, avd__html_between, avd__html_between_size);
	avd__html_details(out, &doubts, results, details_limit);
	avd__buf_append(out, avd__html_to_doubts, avd__html_to_doubts_size);
	avd__html_put_doubts(out, &doubts);
	avd__html_doubts_free(&doubts);
	avd__buf_append(out, avd__html_after, avd__html_after_size);
}
