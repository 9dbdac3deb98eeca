// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/results.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sweep/result.h"
#include "sweep/store.h"

struct avd_results {
	struct avd__table table;
	uint64_t torn;
	char *dir; /* as the caller named it, for messages */
	int dir_fd; /* stays the same directory, wherever the process goes */
};

int avd_results_open(const char *dir, avd_results **ret_results, char *error, size_t error_size)
{
	struct avd__error message = {0};
	avd_results *results = calloc(1, sizeof(*results));
	int r = 0;
	if (results) {
		results->dir_fd = -1;
		results->dir = strdup(dir);
	}
	if (!results || !results->dir)
		r = avd__fail(&message, ENOMEM, "out of memory");
	if (r == 0)
		r = avd__store_read(dir, &results->table, &results->dir_fd, &results->torn,
				    &message);
	if (r < 0) {
		avd_results_free(results);
		avd__error_copy(&message, error, error_size);
		return r;
	}
	*ret_results = results;
	return 0;
}

void avd_results_free(avd_results *results)
{
	if (!results)
		return;
	avd__table_free(&results->table);
	avd__close(&results->dir_fd);
	free(results->dir);
	free(results);
}

int avd_results_get(const avd_results *results, size_t index, struct avd_cell_result *ret_result)
{
	if (index >= results->table.count)
		return -ERANGE;
	*ret_result = avd__result_of(&results->table.rows[index]);
	return 0;
}

int avd_results_count(const avd_results *results, struct avd_results_counts *ret_info)
{
	struct avd_results_counts info = {
		.size = ret_info->size,
		.cells = results->table.count,
		.plan_digest = results->table.plan_digest,
		.torn_bytes = results->torn,
	};
	if (info.size < sizeof(info.size))
		return -EINVAL;
	for (size_t i = 0; i < results->table.count; i++) {
		const struct avd__row *row = &results->table.rows[i];
		const bool ran = avd__row_has_result(row);
		info.ran += ran;
		info.met += avd__row_met(row);
		info.unmet += ran && !avd__row_met(row);
		info.unconfirmed +=
			ran && !avd__row_met(row) && row->came.outcome == AVD_OUTCOME_UNCONFIRMED;
		info.lost += row->ran && row->came.result_code == AVD_REASON_LOST;
	}
	/* A newer program has members that are not known here; they stay as they are. */
	memcpy(ret_info, &info, info.size < sizeof(info) ? info.size : sizeof(info));
	return 0;
}

int avd_results_find(const avd_results *results, const char *id, size_t *ret_index)
{
	const int64_t at = avd__table_find(&results->table, id);
	if (at < 0)
		return (int)at;
	*ret_index = (size_t)at;
	return 0;
}

int avd__results_open_recording(const avd_results *results, size_t index, char *path_out,
				size_t path_size, struct avd__error *error)
{
	if (index >= results->table.count)
		return avd__fail(error, ERANGE, "%s: there is no cell %zu; the plan has %zu",
				 results->dir, index, results->table.count);
	const struct avd__row *row = &results->table.rows[index];
	const char *name = row->ran ? row->came.recording : "";
	if (!*name)
		return avd__fail(error, ENOENT, "%s: the cell %s has no recording", results->dir,
				 row->id);
	if (!avd__store_owns(name))
		return avd__fail(error, EBADMSG,
				 "%s: the index says that the recording of %s is '%s', which is no "
				 "file of its " AVD__STORE_CELLS "; don't trust this index",
				 results->dir, row->id, name);
	snprintf(path_out, path_size, "%s/%s", results->dir, name);
	int cells = openat(results->dir_fd, AVD__STORE_CELLS,
			   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const int fd = cells < 0
			       ? -1
			       : openat(cells, name + sizeof(AVD__STORE_CELLS),
					O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	const int code = errno;
	avd__close(&cells);
	return fd >= 0 ? fd
		       : avd__fail(error, code, "cannot open the recording %s: %s", path_out,
				   code == ELOOP ? "it is a symbolic link, which is not followed"
						 : strerror(code));
}

int avd__results_read_recording(const avd_results *results, size_t index, avd_stream **ret_stream,
				struct avd__recording_sum *ret_sum, struct avd__error *error)
{
	char path[AVD__ERROR_MAX / 2];
	int fd = avd__results_open_recording(results, index, path, sizeof(path), error);
	if (fd < 0)
		return fd;
	const int r = avd__recording_read(fd, path, ret_stream, ret_sum, error);
	avd__close(&fd);
	return r;
}

int avd__results_prove(const avd_results *results, size_t index, avd_stream **ret_stream,
		       struct avd__error *error)
{
	struct avd__recording_sum sum;
	struct avd__error what = {{0}};
	*ret_stream = NULL;
	int r = avd__results_read_recording(results, index, ret_stream, &sum, error);
	if (r < 0)
		return r;
	const struct avd__row *row = &results->table.rows[index];
	r = avd__row_prove(row, *ret_stream, &sum, &what);
	return r < 0 ? avd__fail(error, -r, "%s/%s: %s", results->dir, row->came.recording,
				 what.text)
		     : 0;
}
