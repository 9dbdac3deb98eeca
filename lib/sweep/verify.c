// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Whether the recordings still prove what the index says. */
#include <attachverdict/results.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "sweep/result.h"
#include "sweep/store.h"

/* "DIED (exited)" */
static void words_of(char *out, size_t size, uint32_t outcome, uint32_t code)
{
	const int passed = code == AVD_REASON_NONE;
	snprintf(out, size, "%s%s%s%s", avd_outcome_name(outcome), passed ? "" : " (",
		 passed ? "" : avd_reason_code_name(code), passed ? "" : ")");
}

/* 0, or a negative errno with what is wrong in `error`. */
static int compare(const struct avd_cell_result *cell, uint32_t crc, const struct avd__came *found,
		   const char *path, struct avd__error *error)
{
	char index[80], recording[80];
	words_of(index, sizeof(index), cell->outcome, cell->result_code);
	words_of(recording, sizeof(recording), found->outcome, found->result_code);
	if (cell->recording_bytes != found->recording_bytes || crc != found->recording_crc)
		return avd__fail(error, EBADMSG,
				 "%s: it is not the recording that was judged, or was changed "
				 "since; the index says %s, this file %s",
				 path, index, recording);
	const struct avd_cell_result now =
		avd__result_of(&(struct avd__row){.ran = true, .came = *found});
	if (!avd__same_verdict(cell, &now) || cell->end_cause != now.end_cause)
		return avd__fail(error, EBADMSG, "%s: the index says %s, the recording proves %s",
				 path, index, recording);
	return 0;
}

static int verify(const avd_results *results, size_t index, struct avd__error *error)
{
	char path[AVD__ERROR_MAX / 2];
	struct avd__table texts = {0};
	struct avd__came found;
	struct avd_cell_result cell;
	int r = avd_results_get(results, index, &cell);
	if (r < 0)
		return r;
	int fd = avd__results_open_recording(results, index, path, sizeof(path), error);
	if (fd < 0)
		return fd;
	r = avd__judge_file(fd, path, &texts, &found, error);
	avd__close(&fd);
	if (r == 0)
		r = compare(&cell, avd__results_recording_crc(results, index), &found, path, error);
	avd__table_free(&texts);
	return r;
}

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
		const int found = verify(results, i, &error);
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
