// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the recordings of cells say, packed for the page: one recording is open at a time, and what
 * stays of it is its compressed report. Each is held against the index, also where its report does
 * not fit. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "report/html.h"
#include "report/json_writer.h"
#include "report/results.h"
#include "sweep/result.h"

/* zlib's best takes twice the time of its default on these reports, for 1 % less. */
#define LEVEL Z_DEFAULT_COMPRESSION
/* The largest window and the usual memory (zlib.h); 16 more asks for gzip's header and trailer,
 * whose time stays 0: the same results make the same page. */
#define WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

struct packer {
	const avd_results *results;
	struct avd__buf *out; /* the member "cells" */
	struct avd__html_doubts *doubts;
	z_stream zlib;
	unsigned char *zipped;
	size_t zipped_size;
	uint64_t limit, used;
	size_t left_out;
};

static void put_base64(struct avd__buf *out, const unsigned char *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char piece[4 * 256];
	size_t used = 0;
	for (size_t at = 0; at < size; at += 3) {
		const unsigned int b1 = at + 1 < size ? bytes[at + 1] : 0;
		const unsigned int b2 = at + 2 < size ? bytes[at + 2] : 0;
		const unsigned int bits = (unsigned int)bytes[at] << 16 | b1 << 8 | b2;
		for (unsigned int shift = 24; shift > 0; shift -= 6)
			piece[used++] = digits[bits >> (shift - 6) & 63];
		if (size - at < 3) /* RFC 4648, 3.2 */
			memset(piece + used - (3 - (size - at)), '=', 3 - (size - at));
		if (used == sizeof(piece) || size - at <= 3) {
			avd__buf_append(out, piece, used);
			used = 0;
		}
	}
}

/* Compresses into packer->zipped; the size, or a negative errno. */
static int64_t zip(struct packer *packer, char *text, size_t size)
{
	z_stream *zlib = &packer->zlib;
	if (size > UINT_MAX || deflateReset(zlib) != Z_OK)
		return -E2BIG;
	const size_t most = deflateBound(zlib, size);
	if (most > UINT_MAX)
		return -E2BIG;
	if (most > packer->zipped_size) {
		unsigned char *zipped = realloc(packer->zipped, most);
		if (!zipped)
			return -ENOMEM;
		packer->zipped = zipped;
		packer->zipped_size = most;
	}
	zlib->next_in = (unsigned char *)text;
	zlib->avail_in = (unsigned int)size;
	zlib->next_out = packer->zipped;
	zlib->avail_out = (unsigned int)most;
	if (deflate(zlib, Z_FINISH) != Z_STREAM_END)
		return -EIO;
	return (int64_t)(most - zlib->avail_out);
}

/* A member "INDEX": VALUE more; false, and one more is left out, if it does not fit. */
static int fits(struct packer *packer, size_t size)
{
	if (size > packer->limit - packer->used) {
		packer->used = packer->limit; /* what comes later is not more important */
		packer->left_out++;
		return 0;
	}
	packer->used += size;
	return 1;
}

static void put_key(struct avd__buf *out, size_t index)
{
	avd__buf_printf(out, "%s\n\"%zu\": ", out->len && out->data[out->len - 1] != '{' ? "," : "",
			index);
}

/* Words that take more room than is left are not worth losing the doubt for: null. */
static void put_doubt(struct packer *packer, struct avd__buf *doubt, size_t index, const char *what)
{
	struct avd__buf text = {0};
	struct avd__json json = {.out = &text, .empty = 1};
	const size_t size = strlen(what);
	put_key(doubt, index);
	if (size > packer->limit - packer->used) {
		avd__buf_puts(doubt, "null");
		return;
	}
	packer->used += size;
	avd__json_cstring(&json, NULL, what);
	if (text.error)
		doubt->error = text.error;
	else
		avd__html_json(doubt, text.data, text.len);
	avd__buf_free(&text);
}

/* The details themselves, if they fit. */
static void put_report(struct packer *packer, size_t index, const avd_stream *stream)
{
	char *text = NULL;
	size_t size = 0;
	int64_t r = avd_report_json(stream, 0, &text, &size);
	if (r == 0)
		r = zip(packer, text, size);
	avd_free(text);
	if (r < 0) {
		packer->out->error = (int)r;
		return;
	}
	if (!fits(packer, ((size_t)r + 2) / 3 * 4))
		return;
	put_key(packer->out, index);
	avd__buf_puts(packer->out, "\"");
	put_base64(packer->out, packer->zipped, (size_t)r);
	avd__buf_puts(packer->out, "\"");
}

static void pack(struct packer *packer, size_t index, int recorded)
{
	struct avd__error error = {{0}};
	avd_stream *stream;
	if (!packer->limit) {
		packer->left_out += (size_t)recorded;
		packer->doubts->unchecked++;
		return;
	}
	const int r = avd__results_prove(packer->results, index, &stream, &error);
	if (r == -ENOMEM)
		packer->out->error = r;
	else if (r < 0)
		put_doubt(packer,
			  stream ? &packer->doubts->contradicted : &packer->doubts->unreadable,
			  index, error.text);
	/* What can be read is shown, also where it contradicts. */
	if (stream && packer->used >= packer->limit)
		packer->left_out++;
	else if (stream && r != -ENOMEM)
		put_report(packer, index, stream);
	avd_stream_free(stream);
}

/* Cells that are not as expected first: they are what a report is opened for. */
static void pack_all(struct packer *packer)
{
	const size_t cells = avd__results_counts(packer->results).cells;
	for (uint32_t met = 0; met <= 1; met++) {
		for (size_t i = 0; i < cells && !packer->out->error; i++) {
			const struct avd_cell_result cell = avd__results_cell(packer->results, i);
			/* A result without a recording is proved by nothing. */
			if (cell.met == met && (cell.ran || *cell.recording))
				pack(packer, i, *cell.recording != '\0');
		}
	}
}

void avd__html_details(struct avd__buf *out, struct avd__html_doubts *doubts,
		       const avd_results *results, uint64_t limit)
{
	struct packer packer = {.results = results, .out = out, .doubts = doubts, .limit = limit};
	if (deflateInit2(&packer.zlib, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		out->error = -ENOMEM;
		return;
	}
	avd__buf_puts(out, "{\"cells\": {");
	pack_all(&packer);
	avd__buf_printf(out, "},\n\"left_out\": %zu, \"why\": ", packer.left_out);
	if (!packer.left_out)
		avd__buf_puts(out, "null}");
	else if (!limit)
		avd__buf_puts(out, "\"details were not asked for\"}");
	else
		avd__buf_printf(out,
				"\"the details of all cells take more than %" PRIu64 " KiB; "
				"--details-limit raises that\"}",
				limit >> 10);
	deflateEnd(&packer.zlib);
	free(packer.zipped);
}

static void put_doubts(struct avd__buf *out, const char *name, const struct avd__buf *doubts)
{
	if (doubts->error)
		out->error = doubts->error;
	avd__buf_printf(out, "\"%s\": {", name);
	avd__buf_append(out, doubts->data, doubts->len);
	avd__buf_puts(out, "},\n");
}

void avd__html_put_doubts(struct avd__buf *out, const struct avd__html_doubts *doubts)
{
	avd__buf_puts(out, "{");
	put_doubts(out, "contradicted", &doubts->contradicted);
	put_doubts(out, "unreadable", &doubts->unreadable);
	avd__buf_printf(out, "\"unchecked\": %zu}", doubts->unchecked);
}

void avd__html_doubts_free(struct avd__html_doubts *doubts)
{
	avd__buf_free(&doubts->contradicted);
	avd__buf_free(&doubts->unreadable);
}
