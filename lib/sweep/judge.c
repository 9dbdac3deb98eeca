// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A recording's verdict, and the few facts beside it that an index keeps; and what an index says,
 * against it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cell/recording_read.h"
#include "sweep/result.h"
#include "sweep/store.h"
#include "verdict/evidence.h"

static const char *keep(struct avd__table *table, const char *text)
{
	return avd__table_text(table, text, strlen(text));
}

/* What was asked in the recording, against the cell that it is said to be of. */
static int check_cell(const struct avd__row *row, const avd_stream *stream,
		      struct avd__error *error)
{
	const struct avd__evidence *evidence = avd__stream_evidence(stream);
	const char *topology = row->name[AVD__AXIS_TOPOLOGY];
	if (evidence->digest == row->digest)
		return 0;
	if (evidence->digest)
		return avd__fail(error, EBADMSG,
				 "it is of another cell: %s with the digest %016" PRIx64
				 ", not %s with %016" PRIx64 "; the files were mixed up, or the "
				 "cell was another then: run the cell again",
				 evidence->id, evidence->digest, row->id, row->digest);
	/* Of a cell that was run alone, or by a library that did not tell: all that has the same
	 * words on each machine. */
	if (evidence->cpus != row->cpus || strcmp(evidence->topology, topology) != 0)
		return avd__fail(error, EBADMSG,
				 "it is of another cell: with topology %s, %" PRIu32
				 " CPUs; %s has topology %s, %" PRIu32 " CPUs",
				 evidence->topology, evidence->cpus, row->id, topology, row->cpus);
	return 0;
}

static int came_of(const avd_stream *stream, const char *name, struct avd__table *table,
		   struct avd__came *came)
{
	const struct avd__evidence *evidence = avd__stream_evidence(stream);
	struct avd_verdict verdict;
	const int r = avd_stream_verdict(stream, &verdict);
	if (r < 0)
		return r;
	*came = (struct avd__came){
		.outcome = verdict.outcome,
		.reason_code = verdict.reason_code,
		.result = verdict.result,
		.result_code = verdict.result_code,
		.end_cause = verdict.end_cause,
		.reason = keep(table, verdict.reason),
		.result_reason = keep(table, verdict.result_reason),
		.recording = keep(table, name),
		.wall_ns = evidence->end_cause.wall_ns,
		.machine_cpu_ns = evidence->end_cause.machine_cpu_ns,
		.ended_unix_ns = evidence->started_unix_ns + evidence->end_cause.wall_ns,
	};
	return came->reason && came->result_reason && came->recording ? 0 : -ENOMEM;
}

int avd__store_judge(int dir_fd, const char *name, const struct avd__row *row,
		     struct avd__table *table, struct avd__came *ret_came, struct avd__error *error)
{
	struct avd__recording_sum sum;
	struct avd__came came;
	avd_stream *stream = NULL;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		const int code = errno;
		return avd__fail(error, code, "recording %s: %s", name, strerror(code));
	}
	int r = avd__recording_read(fd, name, &stream, &sum, error);
	avd__close(&fd);
	if (r < 0)
		return r;
	struct avd__error what = {{0}};
	r = row ? check_cell(row, stream, &what) : 0;
	if (r == 0 && (r = came_of(stream, name, table, &came)) < 0)
		snprintf(what.text, sizeof(what.text), "%s", strerror(-r));
	avd_stream_free(stream);
	if (r < 0)
		return avd__fail(error, -r, "recording %s: %s", name, what.text);
	came.recording_bytes = sum.bytes;
	came.recording_crc = sum.crc;
	*ret_came = came;
	return 0;
}

static int differs(const struct avd_cell_result *cell, const struct avd_verdict *verdict,
		   struct avd__error *error)
{
	struct avd_cell_result now = *cell;
	struct avd__buf text = {0};
	now.outcome = verdict->outcome;
	now.reason_code = verdict->reason_code;
	now.result = verdict->result;
	now.result_code = verdict->result_code;
	const bool same = avd__same_verdict(cell, &now);
	if (same && cell->end_cause == verdict->end_cause)
		return 0;
	avd__buf_puts(&text, "the index says ");
	avd__put_outcome(&text, cell);
	if (same)
		avd__buf_printf(&text, ", ended by %s", avd_end_cause_name(cell->end_cause));
	avd__buf_puts(&text, ", the recording proves ");
	avd__put_outcome(&text, &now);
	if (same)
		avd__buf_printf(&text, ", ended by %s", avd_end_cause_name(verdict->end_cause));
	const int r = text.error ? text.error
				 : avd__fail(error, EBADMSG,
					     "%s; one of them was changed: run the cell again",
					     text.data);
	avd__buf_free(&text);
	return r;
}

int avd__row_prove(const struct avd__row *row, const avd_stream *stream,
		   const struct avd__recording_sum *sum, struct avd__error *error)
{
	const struct avd_cell_result cell = avd__result_of(row);
	struct avd_verdict verdict;
	int r = avd_stream_verdict(stream, &verdict);
	if (r < 0)
		return avd__fail(error, -r, "the recording has no verdict: %s", strerror(-r));
	r = check_cell(row, stream, error);
	if (r == 0)
		r = differs(&cell, &verdict, error);
	if (r == 0 &&
	    (row->came.recording_bytes != sum->bytes || row->came.recording_crc != sum->crc))
		r = avd__fail(
			error, EBADMSG,
			"it is not the recording that was judged, or was changed since: %" PRIu64
			" bytes with checksum %08" PRIx32 " were indexed, %" PRIu64
			" with %08" PRIx32 " are there; run the cell again",
			row->came.recording_bytes, row->came.recording_crc, sum->bytes, sum->crc);
	return r;
}
