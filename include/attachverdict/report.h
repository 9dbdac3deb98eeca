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
	AVD_FORMAT_HTML = 6, /* one page for a browser that needs nothing else; with details */
	/* The CSV of the kernel's veristat (tools/testing/selftests/bpf/veristat.c): what the
	 * verifier made of the programs of all cells, read from their recordings. The cell's id
	 * stands for the file's name; 0 for a figure that is not known. */
	AVD_FORMAT_VERISTAT = 7,
};

/* Of AVD_FORMAT_HTML's details when the options have no limit. 10,000 cells take 32 MiB (7 real
 * recordings in turn); a page of this size is nothing that a browser or a CI job minds. */
#define AVD_DETAILS_LIMIT_DEFAULT (UINT64_C(48) << 20)

enum avd_print_flags {
	AVD_PRINT_NO_DETAILS = 1u << 0, /* reads no recording */
};

/* The first member is the struct's size; see base.h. */
struct avd_print_options {
	size_t size;
	uint32_t flags; /* enum avd_print_flags */
	uint32_t reserved;
	/* AVD_FORMAT_HTML: bytes that the details of cells, taken from their recordings, may take
	 * in the page; 0: AVD_DETAILS_LIMIT_DEFAULT. Cells that are not as expected come first;
	 * what is left out is said in the page. */
	uint64_t details_limit;
	/* Called once if something is left out that the format has no words for:
	 * AVD_FORMAT_VERISTAT's cells without a row, how many and why the first. */
	avd_log_fn log;
	void *userdata;
};

/* The results in a format of enum avd_results_format. `options` may be NULL. *ret_text ends with
 * NUL: free it with avd_free(). A recording that can't be read is said so in what is printed, and
 * is no failure. -EINVAL: no such format, or bad options; -E2BIG: options of a newer version;
 * -ENOMEM. Since 0.1. */
AVD_API int avd_results_print(const avd_results *results, uint32_t format,
			      const struct avd_print_options *options, char **ret_text,
			      size_t *ret_size);
/* The same into a file, which appears whole under its name or not at all; one that had the name
 * stays until then. On failure writes one line to `error`; what avd_results_print() returns, or
 * -ENOENT (no such directory), -EISDIR, -EINVAL (a device or a pipe), -EACCES, -ENOSPC ...
 * Since 0.1. */
AVD_API int avd_results_write(const avd_results *results, uint32_t format,
			      const struct avd_print_options *options, const char *path,
			      char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
