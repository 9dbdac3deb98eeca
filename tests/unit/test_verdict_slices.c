// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* However the bytes are sliced: the same events, the same verdict, byte for byte. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "codec/crc32c.h"
#include "verdict/evidence.h"
#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING

static struct kit kit;

/* All that a stream told: a sum over its events, and the verdict. */
struct told {
	uint32_t sum;
	uint32_t count;
	struct avd_verdict verdict;
	uint64_t bytes, frames, gaps, faults, skipped;
};

static void on_event(void *userdata, const struct avd_event *event)
{
	struct told *const told = userdata;
	const uint64_t numbers[] = {event->type,
				    event->seq,
				    event->offset,
				    event->skipped,
				    event->message ? event->message->kind : UINT64_MAX,
				    event->message ? event->message->time_ns : UINT64_MAX};
	told->sum = avd__crc32c(told->sum, numbers, sizeof(numbers));
	if (event->detail)
		told->sum = avd__crc32c(told->sum, event->detail, strlen(event->detail));
	ck_assert_int_eq(event->detail == NULL, event->type == AVD_EVENT_FRAME);
	told->count++;
}

static void take(avd_stream *stream, const uint8_t *bytes, size_t size)
{
	/* A copy of its own for each slice, so that a sanitizer sees a byte too many, and none
	 * of the bytes outlive their call. */
	uint8_t *const copy = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, size);
	ck_assert_int_eq(avd_stream_feed(stream, copy, size), 0);
	memset(copy, 0xee, size);
	free(copy);
}

/* Fed as [0, first), then slices of `slice`, or the rest at once. */
static struct told tell(const uint8_t *bytes, size_t size, uint32_t flags, size_t first,
			size_t slice)
{
	struct told told;
	memset(&told, 0, sizeof(told));
	avd_stream *const stream = kit_stream(flags, on_event, &told);
	take(stream, bytes, first);
	for (size_t at = first; at < size;) {
		const size_t n = slice && slice < size - at ? slice : size - at;
		take(stream, bytes + at, n);
		at += n;
	}
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	ck_assert_int_eq(avd_stream_feed(stream, bytes, size), -EINVAL);
	ck_assert_int_eq(avd_stream_verdict(stream, &told.verdict), 0);
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	told.bytes = ev->bytes;
	told.frames = ev->frames;
	told.gaps = ev->gaps;
	told.faults = ev->faults;
	told.skipped = ev->skipped_bytes;
	avd_stream_free(stream);
	return told;
}

static void check_slices(const uint8_t *bytes, size_t size, uint32_t flags)
{
	const struct told whole = tell(bytes, size, flags, 0, 0);
	const struct told again = tell(bytes, size, flags, 0, 0);
	ck_assert_uint_eq(whole.bytes, size);
	ck_assert_mem_eq(&whole, &again, sizeof(whole));
	for (size_t first = 1; first < size; first++) {
		const struct told told = tell(bytes, size, flags, first, 0);
		ck_assert_msg(memcmp(&told, &whole, sizeof(told)) == 0, "cut at %zu of %zu", first,
			      size);
	}
	for (size_t slice = 1; slice < 48; slice++) {
		const struct told told = tell(bytes, size, flags, 0, slice);
		ck_assert_msg(memcmp(&told, &whole, sizeof(told)) == 0, "slices of %zu", slice);
	}
}

START_TEST(a_passing_cell)
{
	kit_pass(&kit, RECORDING);
	check_slices(kit.bytes, kit.size, RECORDING);
	ck_assert_uint_eq(tell(kit.bytes, kit.size, RECORDING, 0, 1).verdict.result,
			  AVD_RESULT_PASSED);
	kit_pass(&kit, 0);
	check_slices(kit.bytes, kit.size, 0);
}
END_TEST

START_TEST(failing_cells)
{
	static const uint32_t failures[] = {AVD_MSG_SCHEDULER_DIED, AVD_MSG_SCHEDULER_NOT_ATTACHED,
					    AVD_MSG_INIT_FAILED};
	for (size_t i = 0; i < 3; i++) {
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		kit_add(&kit, failures[i]);
		kit_end(&kit, AVD_END_GUEST_RESET, 0, "");
		check_slices(kit.bytes, kit.size, RECORDING);
	}
}
END_TEST

START_TEST(broken_streams)
{
	kit_start(&kit, RECORDING);
	kit_add_raw(&kit, "\xd9\xd9\xf7", 3);
	kit_boot(&kit);
	kit_add_raw(&kit, "\xd9\xd9\xf7\x83\x1a\x00\x00\x00\x00\x1a", 10);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit.bytes[kit.size - 3] ^= 4;
	kit_end(&kit, AVD_END_GUEST_RESET, 0, ""); /* not the last one */
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add_raw(&kit, "\xd9\xd9\xf7\x83\x1a\0\0\0\x09\x1a\0\0\0\0\x5a\0\0\x0f\0", 19);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	kit_end(&kit, AVD_END_GUEST_RESET, 0, "");
	check_slices(kit.bytes, kit.size, RECORDING);
	kit_add_raw(&kit, "\xd9\xd9", 2);
	check_slices(kit.bytes, kit.size, RECORDING);
}
END_TEST

/* Near-frames: whole frames, cut ones, flipped bits, marks and noise. */
static size_t make_noise(uint8_t *out, size_t size, uint64_t *state)
{
	kit_pass(&kit, RECORDING);
	size_t len = 0;
	while (len + 600 < size) {
		const size_t frame = kit_random(state) % kit.count;
		const size_t frame_size = kit.at[frame + 1] - kit.at[frame];
		size_t n = frame_size;
		memcpy(out + len, kit.bytes + kit.at[frame], n);
		switch (kit_random(state) % 6) {
		case 0:
			n = kit_random(state) % frame_size;
			break;
		case 1:
			out[len + kit_random(state) % n] ^= (uint8_t)(1u << kit_random(state) % 8);
			break;
		case 2: /* a length that reaches over what follows */
			out[len + 17] = (uint8_t)(kit_random(state) % 8);
			break;
		case 3:
			for (size_t i = 0; i < n; i++)
				out[len + i] = (uint8_t)kit_random(state);
			break;
		default:
			break;
		}
		len += n;
	}
	return len;
}

START_TEST(random_streams)
{
	static uint8_t bytes[8192];
	uint64_t state = 20261123;
	for (int round = 0; round < 300; round++) {
		const size_t size = make_noise(bytes, sizeof(bytes), &state);
		const uint32_t flags = round % 2 ? RECORDING : 0;
		const struct told whole = tell(bytes, size, flags, 0, 0);
		ck_assert_uint_gt(whole.frames, 0);
		ck_assert_uint_gt(whole.gaps, 0);
		ck_assert_uint_ne(whole.verdict.outcome, AVD_OUTCOME_ATTACHED);
		for (int i = 0; i < 6; i++) {
			const struct told told = tell(bytes, size, flags, kit_random(&state) % size,
						      kit_random(&state) % 300);
			ck_assert_mem_eq(&told, &whole, sizeof(told));
		}
	}
}
END_TEST

START_TEST(the_same_bytes_as_recorded_and_live)
{
	/* Live: the host's frame, then the channel in whatever pieces, then the host's frame. */
	kit_pass(&kit, RECORDING);
	const struct told replayed = tell(kit.bytes, kit.size, RECORDING, 0, 0);
	struct told live;
	memset(&live, 0, sizeof(live));
	avd_stream *const stream = kit_stream(RECORDING, on_event, &live);
	uint64_t state = 99;
	for (size_t at = 0; at < kit.size;) {
		struct avd_verdict v;
		size_t n = 1 + kit_random(&state) % 40;
		if (n > kit.size - at)
			n = kit.size - at;
		take(stream, kit.bytes + at, n);
		take(stream, kit.bytes, 0);
		ck_assert_int_eq(avd_stream_verdict(stream, &v), 0); /* asking changes nothing */
		ck_assert_uint_eq(v.result, AVD_RESULT_FAILED);
		at += n;
	}
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	ck_assert_int_eq(avd_stream_verdict(stream, &live.verdict), 0);
	avd_stream_free(stream);
	ck_assert_int_eq(avd_verdict_equal(&live.verdict, &replayed.verdict), 1);
	ck_assert_uint_eq(live.sum, replayed.sum);
	ck_assert_uint_eq(live.count, replayed.count);
}
END_TEST

KIT_MAIN(a_passing_cell, failing_cells, broken_streams, random_streams,
	 the_same_bytes_as_recorded_and_live)
