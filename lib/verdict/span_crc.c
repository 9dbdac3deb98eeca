// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verdict/span_crc.h"

#include "codec/crc32c.h"

/* CRC-32C's polynomial, bits reflected: the highest bit stands for x^0. */
#define POLY UINT32_C(0x82f63b78)
#define ONE UINT32_C(0x80000000)

/* a * b modulo the polynomial. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (uint32_t bit = ONE; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLY : b >> 1;
	}
	return product;
}

static void prepare(struct avd__span_crc *span)
{
	uint32_t block = ONE >> 8; /* x^8: one zero byte */
	for (unsigned int n = 1; n < AVD__SPAN_BLOCK; n *= 2)
		block = multiply(block, block);
	span->low[0] = span->high[0] = ONE;
	for (unsigned int n = 1; n < 64; n++)
		span->low[n] = multiply(span->low[n - 1], block);
	const uint32_t many = multiply(span->low[63], block);
	for (unsigned int n = 1; n < 64; n++)
		span->high[n] = multiply(span->high[n - 1], many);
	span->ready = 1;
}

/* The sum of A followed by `blocks` blocks of B is shift(sum(A), blocks) ^ sum(B). */
static uint32_t shift(const struct avd__span_crc *span, uint32_t crc, uint64_t blocks)
{
	return multiply(multiply(span->low[blocks % 64], crc), span->high[blocks / 64]);
}

uint32_t avd__span_crc(struct avd__span_crc *span, uint32_t crc, uint64_t offset,
		       const uint8_t *bytes, size_t size)
{
	const uint64_t from = (offset + AVD__SPAN_BLOCK - 1) / AVD__SPAN_BLOCK;
	const uint64_t to = (offset + size) / AVD__SPAN_BLOCK;
	if (to <= from)
		return avd__crc32c(crc, bytes, size);
	if (!span->ready)
		prepare(span);
	if (span->end < from || span->first > from) { /* nothing known here: start afresh */
		span->first = span->end = from;
		span->sums[from % AVD__SPAN_RING] = 0;
	}
	const uint8_t *const base = bytes + (from * AVD__SPAN_BLOCK - offset);
	for (; span->end < to; span->end++)
		span->sums[(span->end + 1) % AVD__SPAN_RING] =
			avd__crc32c(span->sums[span->end % AVD__SPAN_RING],
				    base + (span->end - from) * AVD__SPAN_BLOCK, AVD__SPAN_BLOCK);
	crc = avd__crc32c(crc, bytes, (size_t)(base - bytes));
	crc = shift(span, crc ^ span->sums[from % AVD__SPAN_RING], to - from) ^
	      span->sums[to % AVD__SPAN_RING];
	const uint8_t *const tail = base + (to - from) * AVD__SPAN_BLOCK;
	return avd__crc32c(crc, tail, (size_t)(bytes + size - tail));
}
