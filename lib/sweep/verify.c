// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Whether the recordings still prove what the index says. */
#include <attachverdict/results.h>
#include <errno.h>

#include "sweep/result.h"

int avd_results_verify(const avd_results *results, avd_contradiction_fn fn, void *userdata,
		       size_t *ret_verified, size_t *ret_contradictions)
{
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	size_t verified = 0, contradictions = 0;
	int r = avd_results_count(results, &counts);
	for (size_t i = 0; r == 0 && i < counts.cells; i++) {
		struct avd__error error = {{0}};
		struct avd_cell_result cell;
		avd_results_get(results, i, &cell);
		if (!cell.ran) /* nothing is claimed */
			continue;
		avd_stream *stream;
		const int found = avd__results_prove(results, i, &stream, &error);
		avd_stream_free(stream);
		if (found == -ENOMEM)
			return found;
		verified += found == 0;
		contradictions += found < 0;
		if (found < 0 && fn)
			fn(userdata, i, error.text);
	}
	if (r < 0)
		return r;
	*ret_verified = verified;
	*ret_contradictions = contradictions;
	return 0;
}
