// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Linked with --wrap for the allocator and for the checksum: every allocation fails in
 * turn, and hostile streams are read with bounded memory and bounded work.
 */
#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "codec/crc32c.h"
#include "codec/frame.h"
#include "verdict/evidence.h"
#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
uint32_t __real_avd__crc32c(uint32_t crc, const void *bytes, size_t size);
uint32_t __real_avd__crc32c_two(const void *first, size_t first_size, const void *second,
				size_t second_size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);
uint32_t __wrap_avd__crc32c(uint32_t crc, const void *bytes, size_t size);
uint32_t __wrap_avd__crc32c_two(const void *first, size_t first_size, const void *second,
				size_t second_size);

static int watching; /* only the library's calls count */
static long fail_at; /* the n-th allocation from now fails; 0: none */
static long allocations;
static size_t live, peak;
static uint64_t summed;

static int fails(void)
{
	if (!watching)
		return 0;
	allocations++;
	return fail_at && allocations == fail_at;
}

static void *got(void *memory)
{
	if (watching && memory) {
		live += malloc_usable_size(memory);
		if (live > peak)
			peak = live;
	}
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : got(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : got(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	if (fails())
		return NULL;
	if (watching && old)
		live -= malloc_usable_size(old);
	return got(__real_realloc(old, size));
}

void __wrap_free(void *memory)
{
	if (watching && memory)
		live -= malloc_usable_size(memory);
	__real_free(memory);
}

uint32_t __wrap_avd__crc32c(uint32_t crc, const void *bytes, size_t size)
{
	summed += size;
	return __real_avd__crc32c(crc, bytes, size);
}

uint32_t __wrap_avd__crc32c_two(const void *first, size_t first_size, const void *second,
				size_t second_size)
{
	summed += first_size + second_size;
	return __real_avd__crc32c_two(first, first_size, second, second_size);
}

static void count_from_zero(long nth)
{
	fail_at = nth;
	allocations = 0;
	live = peak = 0;
	summed = 0;
}

/* The library's calls, watched; Check allocates too, so no assertion stands inside. */
static int feed(avd_stream *stream, const void *bytes, size_t size)
{
	watching = 1;
	const int r = avd_stream_feed(stream, bytes, size);
	watching = 0;
	return r;
}

static void finish(avd_stream *stream)
{
	watching = 1;
	const int r = avd_stream_finish(stream);
	watching = 0;
	ck_assert_int_eq(r, 0);
}

static void release(avd_stream *stream)
{
	watching = 1;
	avd_stream_free(stream);
	watching = 0;
}

static int make(avd_stream **ret_stream)
{
	const struct avd_stream_options options = {.size = sizeof(options), .flags = RECORDING};
	watching = 1;
	const int r = avd_stream_new(&options, ret_stream);
	watching = 0;
	return r;
}

static struct kit kit;

/* Returns what the first failing call returned. */
static int judge_short_of_memory(long nth, size_t slice, struct avd_verdict *ret)
{
	avd_stream *stream = NULL;
	int first = 0;
	*ret = (struct avd_verdict){0};
	count_from_zero(nth);
	int r = make(&stream);
	if (r < 0) {
		ck_assert_ptr_null(stream);
		ck_assert_uint_eq(live, 0);
		return r;
	}
	for (size_t at = 0; at < kit.size; at += slice) {
		const size_t n = kit.size - at < slice ? kit.size - at : slice;
		r = feed(stream, kit.bytes + at, n);
		if (first) /* once bytes are lost nothing more is taken */
			ck_assert_int_eq(r, first);
		first = r;
	}
	finish(stream);
	ck_assert_int_eq(avd_stream_verdict(stream, ret), 0);
	release(stream);
	ck_assert_uint_eq(live, 0);
	return first;
}

START_TEST(every_allocation_fails_in_turn)
{
	static const size_t slices[] = {7, 100, KIT_BYTES_MAX};
	kit_pass(&kit, RECORDING);
	for (size_t i = 0; i < 3; i++) {
		struct avd_verdict sound, v;
		ck_assert_int_eq(judge_short_of_memory(0, slices[i], &sound), 0);
		ck_assert_uint_eq(sound.result, AVD_RESULT_PASSED);
		const long count = allocations;
		ck_assert_int_ge(count, 2);
		for (long nth = 1; nth <= count; nth++) {
			const int r = judge_short_of_memory(nth, slices[i], &v);
			ck_assert_int_eq(r, -ENOMEM);
			if (nth > 1)
				ck_assert_uint_eq(v.result, AVD_RESULT_FAILED);
		}
		ck_assert_int_eq(judge_short_of_memory(count + 1, slices[i], &v), 0);
		ck_assert_int_eq(avd_verdict_equal(&v, &sound), 1);
	}
}
END_TEST

START_TEST(lost_bytes_are_never_attached)
{
	struct avd_verdict v;
	kit_pass(&kit, RECORDING);
	/* The second allocation is the carry buffer, wanted at the first cut. */
	ck_assert_int_eq(judge_short_of_memory(2, 150, &v), -ENOMEM);
	ck_assert_uint_eq(v.outcome, AVD_OUTCOME_UNCONFIRMED);
	ck_assert_uint_eq(v.reason_code, AVD_REASON_CHANNEL_CORRUPT);
	ck_assert_ptr_nonnull(strstr(v.reason, "out of memory"));
}
END_TEST

/* 64 MiB, made block by block: never held at once. */
#define HOSTILE_BLOCK (1u << 20)
#define HOSTILE_BLOCKS 64u

static uint8_t block[HOSTILE_BLOCK];

static const uint8_t head[AVD__FRAME_HEAD_SIZE] = {0xd9, 0xd9, 0xf7, 0x83, 0x1a, 1, 2, 3, 4, 0x1a,
						   5,	 6,    7,    8,	   0x5a, 0, 0, 0, 0};

static void fill_random(uint64_t *state)
{
	for (size_t i = 0; i < sizeof(block); i += 8) {
		const uint64_t word = kit_random(state);
		memcpy(block + i, &word, 8);
	}
}

/* Marks as close as they can stand, each with a length that fits into a frame. */
static void put_heads(uint64_t *state, size_t step, uint32_t max_length)
{
	for (size_t i = 0; i + sizeof(head) <= sizeof(block); i += step) {
		const uint32_t length =
			max_length - (uint32_t)(kit_random(state) % (max_length / 8));
		memcpy(block + i, head, sizeof(head));
		block[i + 15] = (uint8_t)(length >> 24);
		block[i + 16] = (uint8_t)(length >> 16);
		block[i + 17] = (uint8_t)(length >> 8);
		block[i + 18] = (uint8_t)length;
	}
}

static void count_found(void *userdata, const struct avd_event *event)
{
	if (event->message && event->message->kind == AVD_MSG_SCHEDULER_NOT_ATTACHED)
		++*(unsigned int *)userdata;
}

/* A sound failure frame hides in every eighth block: each of them must be found. */
static void read_hostile(size_t step, uint32_t max_length, size_t slice)
{
	const struct avd_message failure = kit_message(AVD_MSG_SCHEDULER_NOT_ATTACHED);
	unsigned int found = 0;
	uint64_t state = 123 + step;
	avd_stream *const stream = kit_stream(0, count_found, &found);
	fill_random(&state);
	count_from_zero(0);
	for (unsigned int i = 0; i < HOSTILE_BLOCKS; i++) {
		if (step)
			put_heads(&state, step, max_length);
		if (i % 8 == 7) {
			kit_start(&kit, 0);
			kit_add_seq(&kit, &failure, i);
			memcpy(block + 700000, kit.bytes, kit.size);
		}
		for (size_t at = 0; at < sizeof(block); at += slice) {
			const size_t n = sizeof(block) - at < slice ? sizeof(block) - at : slice;
			ck_assert_int_eq(feed(stream, block + at, n), 0);
		}
		memset(block + 700000, 0, kit.size); /* once only */
	}
	finish(stream);
	ck_assert_uint_eq(found, HOSTILE_BLOCKS / 8);
	/* Beside the stream itself: the carry buffer, twice for the moment in which it grows. */
	ck_assert_uint_le(peak, 4 * (size_t)AVD__FRAME_MAX);
	/* For each mark up to two blocks and a head; for each byte a few sums at most. */
	const uint64_t size = (uint64_t)HOSTILE_BLOCKS * HOSTILE_BLOCK;
	const uint64_t marks = step ? size / step : 0;
	ck_assert_uint_le(summed, 4 * size + marks * (2 * 512 + 64));
	avd_stream_free(stream);
}

START_TEST(random_bytes_with_many_marks)
{
	read_hostile(4096, 1u << 20, 65536);
}
END_TEST

START_TEST(marks_side_by_side_that_claim_a_megabyte)
{
	read_hostile(19, 1u << 20, 65536);
}
END_TEST

START_TEST(marks_side_by_side_in_awkward_slices)
{
	read_hostile(19, 1u << 20, 1021);
}
END_TEST

START_TEST(marks_side_by_side_that_claim_little)
{
	read_hostile(19, 1000, 65536);
	read_hostile(23, 3000, 4096);
}
END_TEST

START_TEST(sound_frames_with_bad_heads_between)
{
	/* Each sound frame puts the reader back in place, each bad head takes it out again. */
	unsigned int found = 0;
	avd_stream *const stream = kit_stream(0, count_found, &found);
	uint8_t bad[AVD__FRAME_HEAD_SIZE];
	memcpy(bad, head, sizeof(bad));
	bad[16] = 0x0f;
	count_from_zero(0);
	uint64_t size = 0;
	for (uint32_t seq = 0; seq < 100000;) {
		kit_start(&kit, 0);
		kit.seq = seq;
		for (int i = 0; i < 50; i++) {
			kit_add(&kit, AVD_MSG_HEARTBEAT);
			kit_add_raw(&kit, bad, sizeof(bad));
		}
		seq = kit.seq;
		size += kit.size;
		ck_assert_int_eq(feed(stream, kit.bytes, kit.size), 0);
	}
	finish(stream);
	ck_assert_uint_eq(avd__stream_evidence(stream)->frames, 100000);
	/* The kit's own sums are in it: one a byte. */
	ck_assert_uint_le(summed, 6 * size + 100000 * (2 * 512 + 64));
	avd_stream_free(stream);
}
END_TEST

KIT_MAIN(every_allocation_fails_in_turn, lost_bytes_are_never_attached,
	 random_bytes_with_many_marks, marks_side_by_side_that_claim_a_megabyte,
	 marks_side_by_side_in_awkward_slices, marks_side_by_side_that_claim_little,
	 sound_frames_with_bad_heads_between)
