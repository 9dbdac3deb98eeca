// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * What the verifier made of the programs of all cells, as the kernel's veristat writes it
 * (tools/testing/selftests/bpf/veristat.c, -o csv). The cell's id stands for the object file, so
 * `veristat -C` compares two sweeps. A cell without a row is counted: nothing is silently absent.
 */
#include <attachverdict/report.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/util.h"
#include "report/results.h"
#include "report/verifier_table.h"
#include "sweep/result.h"

/* Rows of one cell; `error` says why there are none. */
static size_t put_cell(struct avd__buf *out, const avd_results *results, size_t index,
		       struct avd__error *error)
{
	const char *id = avd__results_cell(results, index).id;
	char path[AVD__ERROR_MAX / 2];
	avd_verifier *verifier;
	struct stat st;
	int fd = avd__results_open_recording(results, index, path, sizeof(path), error);
	if (fd < 0)
		return 0;
	int r = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)
			? avd__fail(error, EBADMSG, "%s: not a regular file", path)
			: avd__verifier_read_recording(fd, path, &verifier, error);
	avd__close(&fd);
	if (r < 0) {
		if (r == -ENOMEM)
			out->error = r;
		return 0;
	}
	const size_t rows = avd__put_csv_rows(out, verifier, id);
	avd_verifier_free(verifier);
	if (!rows)
		avd__fail(error, ENOENT, "%s: no program of it was verified", path);
	return rows;
}

void avd__results_veristat(struct avd__buf *out, const avd_results *results, avd_log_fn log,
			   void *userdata)
{
	const size_t cells = avd__results_counts(results).cells;
	struct avd__error first = {{0}}, note;
	size_t left_out = 0;
	avd__put_csv_head(out);
	for (size_t i = 0; i < cells && !out->error; i++) {
		struct avd__error why = {{0}};
		if (put_cell(out, results, i, &why))
			continue;
		if (!left_out++)
			first = why;
	}
	if (!left_out || !log || out->error)
		return;
	avd__fail(&note, ENOENT,
		  "%zu of %zu cells left out, having no verified program; the first: %s", left_out,
		  cells, first.text);
	log(userdata, AVD_LOG_WARNING, note.text);
}
