/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Verdict and evidence of a stream, for people and for programs.
 */
#ifndef ATTACHVERDICT_REPORT_H
#define ATTACHVERDICT_REPORT_H

#include <attachverdict/results.h>
#include <attachverdict/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avd_report_flags {
	AVD_REPORT_COLOR = 1u << 0, /* ANSI colours (text) */
	AVD_REPORT_VERBOSE = 1u << 1, /* all kept evidence, not only the telling part (text) */
};

/* The report as text: the first line is the verdict and its reason; then the
 * evidence. The guest's bytes are escaped. *ret_text ends with NUL: free it with
 * avd_free(). -ENOMEM. Since 0.1. */
AVD_API int avd_report_text(const avd_stream *stream, uint32_t flags, char **ret_text,
			    size_t *ret_size);
/* The report as one JSON object (RFC 8259). Names in it are stable. Since 0.1. */
AVD_API int avd_report_json(const avd_stream *stream, uint32_t flags, char **ret_text,
			    size_t *ret_size);

/* Reads the recording at `path` into a new stream, which is finished. On failure
 * writes one line to `error`. -ENOENT, -EISDIR, -EBADMSG: no recording (its first frame is not
 * a cell frame); -EFBIG. A damaged or truncated recording is no failure: its verdict says so. Since
 * 0.1. */
AVD_API int avd_recording_read(const char *path, avd_stream **ret_stream, char *error,
			       size_t error_size);

/* Reads the recording of the results' cell at `index` into a new stream, which is finished. On
 * failure writes one line to `error`. -ENOENT: the cell has none, or its file is gone; -ERANGE; the
 * others as of avd_recording_read(). No link is followed and nothing outside of the results'
 * directory is read, whatever their index says. The stream may differ from what the index says
 * of the cell: it is what the recording proves. Since 0.1. */
AVD_API int avd_results_recording(const avd_results *results, size_t index, avd_stream **ret_stream,
				  char *error, size_t error_size);

/* Of the results of a sweep. */
enum avd_results_format {
	AVD_FORMAT_TEXT = 0, /* a grid, and below it what is not as expected */
	AVD_FORMAT_JSON = 1, /* results.schema.json; names in it are stable */
	AVD_FORMAT_TAP = 2, /* TAP version 14 */
	AVD_FORMAT_KTAP = 3, /* as the kernel's tests print */
	AVD_FORMAT_JUNIT = 4, /* XML; a test suite a scheduler */
	AVD_FORMAT_MARKDOWN = 5, /* the grid, for the summary of a CI job */
};

/* The results in a format of enum avd_results_format. *ret_text ends with NUL: free it with
 * avd_free(). -EINVAL: no such format; -ENOMEM. Since 0.1. */
AVD_API int avd_results_print(const avd_results *results, uint32_t format, char **ret_text,
			      size_t *ret_size);

#ifdef __cplusplus
}
#endif

#endif
