// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A sound stream, damaged in every place: never ATTACHED that was not. */
#include <check.h>
#include <string.h>

#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING

static struct kit whole;
static uint8_t bytes[KIT_BYTES_MAX + 64];

static size_t end_of(const struct kit *kit, uint32_t kind)
{
	for (size_t i = 0; i < kit->count; i++) {
		if (kit->kinds[i] == kind)
			return kit->at[i + 1];
	}
	ck_abort_msg("no such frame");
	return 0;
}

/* Damage that starts at `at`. */
static void check_attached(const struct kit *kit, size_t size, size_t at, const char *what)
{
	const struct avd_verdict v = kit_judge_bytes(bytes, size, kit->flags, 0);
	const size_t confirmed = end_of(kit, AVD_MSG_PAYLOAD_STARTING);
	ck_assert_msg(v.result == AVD_RESULT_FAILED, "%s at %zu: passed", what, at);
	if (at < confirmed)
		ck_assert_msg(v.outcome == AVD_OUTCOME_UNCONFIRMED &&
				      v.reason_code == AVD_REASON_CHANNEL_CORRUPT,
			      "%s at %zu: %s, %s", what, at, avd_outcome_name(v.outcome),
			      avd_reason_code_name(v.reason_code));
	else
		ck_assert_msg(v.outcome == AVD_OUTCOME_ATTACHED, "%s at %zu: %s", what, at,
			      v.reason);
}

START_TEST(each_byte_of_an_attached_stream)
{
	uint64_t state = 4711;
	for (int recording = 0; recording < 2; recording++) {
		kit_pass(&whole, recording ? RECORDING : 0);
		for (size_t at = 0; at < whole.size; at++) {
			for (int i = 0; i < 8 + 4; i++) {
				memcpy(bytes, whole.bytes, whole.size);
				if (i < 8)
					bytes[at] ^= (uint8_t)(1u << i);
				else
					bytes[at] ^= (uint8_t)(1 + kit_random(&state) % 255);
				check_attached(&whole, whole.size, at, "flip");
			}
		}
	}
}
END_TEST

START_TEST(each_byte_left_out_or_doubled)
{
	for (int recording = 0; recording < 2; recording++) {
		kit_pass(&whole, recording ? RECORDING : 0);
		for (size_t at = 0; at < whole.size; at++) {
			if (at + 1 < whole.size || recording) {
				memcpy(bytes, whole.bytes, at);
				memcpy(bytes + at, whole.bytes + at + 1, whole.size - at - 1);
				check_attached(&whole, whole.size - 1, at, "left out");
			}
			memcpy(bytes, whole.bytes, at + 1);
			memcpy(bytes + at + 1, whole.bytes + at, whole.size - at);
			check_attached(&whole, whole.size + 1, at + 1, "doubled");
		}
	}
}
END_TEST

START_TEST(several_bytes_at_random)
{
	uint64_t state = 815;
	kit_pass(&whole, RECORDING);
	for (int round = 0; round < 20000; round++) {
		size_t first = whole.size;
		memcpy(bytes, whole.bytes, whole.size);
		for (uint64_t n = 1 + kit_random(&state) % 6; n; n--) {
			const size_t at = kit_random(&state) % whole.size;
			const size_t burst = 1 + kit_random(&state) % 8;
			for (size_t i = at; i < whole.size && i < at + burst; i++)
				bytes[i] = (uint8_t)kit_random(&state);
		}
		for (size_t i = whole.size; i-- > 0;) {
			if (bytes[i] != whole.bytes[i])
				first = i;
		}
		if (first < whole.size)
			check_attached(&whole, whole.size, first, "burst");
	}
}
END_TEST

/* A DIED or NOT_ATTACHED stands unless its own frame is hit. */
START_TEST(each_byte_of_a_failed_stream)
{
	static const uint32_t kinds[] = {AVD_MSG_SCHEDULER_DIED, AVD_MSG_SCHEDULER_NOT_ATTACHED};
	for (int i = 0; i < 2; i++) {
		kit_start(&whole, RECORDING);
		kit_boot(&whole);
		kit_add(&whole, kinds[i]);
		const size_t end = whole.size;
		const size_t start = whole.at[whole.count - 1];
		kit_add(&whole, AVD_MSG_DONE);
		kit_end(&whole, AVD_END_GUEST_RESET, 0, "");
		for (size_t at = 0; at < whole.size; at++) {
			for (int bit = 0; bit < 8; bit++) {
				memcpy(bytes, whole.bytes, whole.size);
				bytes[at] ^= (uint8_t)(1u << bit);
				const struct avd_verdict v =
					kit_judge_bytes(bytes, whole.size, RECORDING, 0);
				const uint32_t want = at >= start && at < end
							      ? AVD_OUTCOME_UNCONFIRMED
						      : i == 0 ? AVD_OUTCOME_DIED
							       : AVD_OUTCOME_NOT_ATTACHED;
				ck_assert_msg(v.outcome == want, "bit %d of byte %zu: %s", bit, at,
					      avd_outcome_name(v.outcome));
			}
		}
	}
}
END_TEST

static size_t put_frame(size_t len, size_t i)
{
	memcpy(bytes + len, whole.bytes + whole.at[i], whole.at[i + 1] - whole.at[i]);
	return len + whole.at[i + 1] - whole.at[i];
}

/* Whole frames, moved as they are: their numbers tell. */
START_TEST(each_frame_left_out_doubled_or_swapped)
{
	kit_pass(&whole, RECORDING);
	for (size_t i = 0; i < whole.count; i++) {
		size_t size = 0;
		for (size_t j = 0; j < whole.count; j++) {
			if (j != i)
				size = put_frame(size, j);
		}
		const size_t last = whole.count - 1;
		struct avd_verdict v = kit_judge_bytes(bytes, size, RECORDING, 0);
		ck_assert_uint_eq(v.result, AVD_RESULT_FAILED);
		ck_assert_int_eq(v.outcome == AVD_OUTCOME_ATTACHED,
				 whole.at[i] >= end_of(&whole, AVD_MSG_PAYLOAD_STARTING));
		ck_assert_int_eq(v.result_code == AVD_REASON_TRUNCATED, i == last);
		for (size_t to = 0; to <= whole.count; to++) {
			size = 0;
			for (size_t j = 0; j <= whole.count; j++) {
				if (j == to)
					size = put_frame(size, i);
				if (j < whole.count)
					size = put_frame(size, j);
			}
			v = kit_judge_bytes(bytes, size, RECORDING, 0);
			ck_assert_msg(v.result == AVD_RESULT_FAILED, "frame %zu again before %zu",
				      i, to);
			/* The second of two payload-starting comes after the confirmation. */
			const int second = to == i && whole.kinds[i] == AVD_MSG_PAYLOAD_STARTING;
			if (whole.at[to] < end_of(&whole, AVD_MSG_PAYLOAD_STARTING) && !second)
				ck_assert_uint_eq(v.outcome, AVD_OUTCOME_UNCONFIRMED);
		}
		for (size_t other = i + 1; other < whole.count; other++) {
			size = 0;
			for (size_t j = 0; j < whole.count; j++)
				size = put_frame(size, j == i ? other : j == other ? i : j);
			check_attached(&whole, size, whole.at[i], "swapped");
		}
	}
}
END_TEST

KIT_MAIN(each_byte_of_an_attached_stream, each_byte_left_out_or_doubled, several_bytes_at_random,
	 each_byte_of_a_failed_stream, each_frame_left_out_doubled_or_swapped)
