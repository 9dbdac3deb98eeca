// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The frame reader: places, gaps, and sums of spans that overlap. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/crc32c.h"
#include "verdict/reader.h"
#include "verdict_kit.h"

#define NOISE (4u << 20)

static uint8_t *noise(uint64_t seed)
{
	uint8_t *const bytes = malloc(NOISE);
	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < NOISE; i += 8) {
		const uint64_t word = kit_random(&seed);
		memcpy(bytes + i, &word, 8);
	}
	return bytes;
}

START_TEST(span_sums_are_sums)
{
	uint64_t state = 77;
	uint8_t *const bytes = noise(1);
	struct avd__span_crc *const span = calloc(1, sizeof(*span));
	ck_assert_ptr_nonnull(span);
	size_t offset = 0;
	while (offset + AVD__SPAN_MAX < NOISE) {
		/* Sizes of every magnitude, the edges of blocks and the longest among them. */
		size_t size = kit_random(&state) >> (kit_random(&state) % 24 + 40);
		if (kit_random(&state) % 8 == 0)
			size = (size / AVD__SPAN_BLOCK + 1) * AVD__SPAN_BLOCK - offset % 512;
		if (kit_random(&state) % 64 == 0)
			size = AVD__SPAN_MAX;
		if (size > AVD__SPAN_MAX)
			size = AVD__SPAN_MAX;
		const uint32_t start = (uint32_t)kit_random(&state);
		const uint32_t want = avd__crc32c(start, bytes + offset, size);
		ck_assert_msg(avd__span_crc(span, start, offset, bytes + offset, size) == want,
			      "offset %zu, size %zu", offset, size);
		offset += kit_random(&state) % 1500;
		if (kit_random(&state) % 256 == 0)
			offset += 100000; /* a jump over what was never summed */
	}
	free(span);
	free(bytes);
}
END_TEST

START_TEST(a_span_far_into_a_stream)
{
	const uint64_t far = (UINT64_C(1) << 40) + 17;
	uint8_t *const bytes = noise(2);
	struct avd__span_crc *const span = calloc(1, sizeof(*span));
	ck_assert_ptr_nonnull(span);
	for (size_t at = 0; at < 5000; at += 13)
		ck_assert_uint_eq(avd__span_crc(span, 5, far + at, bytes + at, AVD__SPAN_MAX),
				  avd__crc32c(5, bytes + at, AVD__SPAN_MAX));
	free(span);
	free(bytes);
}
END_TEST

/* The reader's answer without slices, tricks and bounds: at each place try the frame. */
static size_t simple_read(const uint8_t *bytes, size_t size, size_t *places, size_t max)
{
	size_t count = 0;
	for (size_t at = 0; at < size;) {
		struct avd__frame frame;
		if (avd__frame_decode(bytes + at, size - at, &frame) == AVD__FRAME_OK) {
			ck_assert_uint_lt(count, max);
			places[count++] = at;
			at += frame.size;
		} else {
			at++;
		}
	}
	return count;
}

/* Heads, most of them false, with lengths of every magnitude, and sound frames among and
 * inside them. */
static size_t make_heads(uint8_t *out, size_t size, uint64_t seed)
{
	static const uint8_t head[AVD__FRAME_HEAD_SIZE] = {
		0xd9, 0xd9, 0xf7, 0x83, 0x1a, 0, 0, 0, 0, 0x1a, 0, 0, 0, 0, 0x5a, 0, 0, 0, 0};
	size_t len = 0;
	while (len + 4096 < size) {
		const uint32_t length =
			(uint32_t)(kit_random(&seed) >> (44 + kit_random(&seed) % 20));
		const size_t payload = kit_random(&seed) % 3000;
		memcpy(out + len, head, sizeof(head));
		switch (kit_random(&seed) % 4) {
		case 0: /* sound; its payload is whatever stood there, heads perhaps */
			len += avd__frame_seal(out + len, (uint32_t)len, payload);
			break;
		case 1:
			out[len] = (uint8_t)kit_random(&seed);
			len += 1;
			break;
		default:
			out[len + 16] = (uint8_t)(length >> 16);
			out[len + 17] = (uint8_t)(length >> 8);
			out[len + 18] = (uint8_t)length;
			len += sizeof(head) + kit_random(&seed) % 40;
		}
	}
	return len;
}

static void read_as_simple(const uint8_t *bytes, size_t size, size_t slice)
{
	static size_t places[65536];
	const size_t count = simple_read(bytes, size, places, 65536);
	struct avd__reader *const reader = calloc(1, sizeof(*reader));
	struct avd__reader_item item;
	size_t seen = 0, at = 0;
	uint64_t place = 0;
	ck_assert_ptr_nonnull(reader);
	for (;;) {
		const int r = avd__reader_next(reader, &item);
		ck_assert_int_ge(r, 0);
		if (r == 0 && at == size && reader->ended)
			break;
		if (r == 0 && at == size) {
			avd__reader_end(reader);
		} else if (r == 0) {
			const size_t n = slice < size - at ? slice : size - at;
			avd__reader_input(reader, bytes + at, n);
			at += n;
		}
		if (r == 0)
			continue;
		if (item.skipped) { /* gaps and frames follow one another without a hole */
			ck_assert_uint_eq(item.skipped_offset, place);
			place += item.skipped;
		}
		if (item.have_frame) {
			ck_assert_uint_eq(item.offset, place);
			ck_assert_uint_lt(seen, count);
			ck_assert_uint_eq(item.offset, places[seen]);
			ck_assert_mem_eq(item.frame.payload, bytes + place + AVD__FRAME_HEAD_SIZE,
					 item.frame.payload_size);
			ck_assert_uint_eq(item.frame.seq, (uint32_t)bytes[place + 5] << 24 |
								  (uint32_t)bytes[place + 6] << 16 |
								  (uint32_t)bytes[place + 7] << 8 |
								  bytes[place + 8]);
			place += item.frame.size;
			seen++;
		}
	}
	ck_assert_uint_eq(place, size);
	ck_assert_uint_eq(seen, count);
	ck_assert_uint_le(reader->carry_cap, AVD__READER_CARRY_MAX);
	avd__reader_free(reader);
	free(reader);
}

START_TEST(reads_as_the_simple_way_does)
{
	static const size_t slices[] = {1 << 20, 65536, 4096, 1000, 37};
	for (uint64_t seed = 1; seed <= 12; seed++) {
		const size_t size = 200000;
		uint8_t *const bytes = calloc(1, size);
		ck_assert_ptr_nonnull(bytes);
		const size_t len = make_heads(bytes, size, seed);
		for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
			read_as_simple(bytes, len, slices[i]);
		free(bytes);
	}
}
END_TEST

/* A log frame that carries a whole forged frame is payload, in place and after a loss. */
START_TEST(the_outer_frame_wins)
{
	static uint8_t bytes[4096];
	for (size_t stray = 0; stray < 3; stray++) {
		size_t places[4];
		memset(bytes, 'x', sizeof(bytes));
		uint8_t *const outer = bytes + stray;
		avd__frame_seal(outer + 100, 7, 50);
		const size_t size = stray + avd__frame_seal(outer, 3, 1000);
		ck_assert_uint_eq(simple_read(bytes, size, places, 4), 1);
		for (size_t slice = 1; slice < 200; slice += 13)
			read_as_simple(bytes, size, slice);
	}
}
END_TEST

START_TEST(the_longest_frame)
{
	uint8_t *const bytes = calloc(1, AVD__FRAME_MAX + 100);
	ck_assert_ptr_nonnull(bytes);
	const size_t size = avd__frame_seal(bytes, 1, AVD__FRAME_PAYLOAD_MAX);
	const size_t more = avd__frame_seal(bytes + size, 2, 10);
	read_as_simple(bytes, size + more, 1000);
	read_as_simple(bytes, size + more, SIZE_MAX);
	bytes[500000] ^= 1;
	read_as_simple(bytes, size + more, 1000);
	free(bytes);
}
END_TEST

KIT_MAIN(span_sums_are_sums, a_span_far_into_a_stream, reads_as_the_simple_way_does,
	 the_outer_frame_wins, the_longest_frame)
