/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Checksums of overlapping spans of one stream, each byte summed only once.
 *
 * A reader that has lost its place meets marks that are none. Each may claim a
 * megabyte, and one may stand every few bytes: summing every claim by itself costs a
 * megabyte for a few bytes of input. CRCs are linear, so the sum of a span follows from
 * the sums up to its two ends; those are kept for each block of the stream.
 */
#ifndef AVD_LIB_VERDICT_SPAN_CRC_H
#define AVD_LIB_VERDICT_SPAN_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Bytes summed one by one at each end of a span: small, so that a false mark is cheap. */
#define AVD__SPAN_BLOCK 512u
/* A span covers at most so many blocks: a frame's maximum, and a part of a block at each end. */
#define AVD__SPAN_RING 4096u
#define AVD__SPAN_MAX ((size_t)(AVD__SPAN_RING - 2) * AVD__SPAN_BLOCK)

struct avd__span_crc {
	uint64_t first, end; /* block numbers: sums[] is known for [first, end] if end > 0 */
	uint32_t sums[AVD__SPAN_RING]; /* CRC of all from block `first` to the block's start */
	uint32_t low[64], high[64]; /* x^(8 * BLOCK * n) and x^(8 * BLOCK * 64 * n) mod P */
	int ready;
};

/* CRC-32C of bytes[0..size), which stand at `offset` in the stream, continued from
 * `crc`: equals avd__crc32c(crc, bytes, size). size <= AVD__SPAN_MAX. Calls must come
 * with non-decreasing offsets; the bytes at an offset must be the same in each call. */
uint32_t avd__span_crc(struct avd__span_crc *span, uint32_t crc, uint64_t offset,
		       const uint8_t *bytes, size_t size);

#endif
