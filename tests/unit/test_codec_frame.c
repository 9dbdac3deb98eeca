// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame.h"
#include "codec/message.h"
#include "run_suite.h"

static const uint8_t mark[5] = {0xd9, 0xd9, 0xf7, 0x83, 0x1a};

static size_t make_frame(uint8_t *bytes, uint32_t seq, size_t payload_size)
{
	for (size_t i = 0; i < payload_size; i++)
		bytes[AVD__FRAME_HEAD_SIZE + i] = (uint8_t)(i * 7 + 3);
	return avd__frame_seal(bytes, seq, payload_size);
}

/* What the layout says, byte by byte; the crc is that of an independent implementation. */
START_TEST(layout)
{
	static const uint8_t want[] = {0xd9, 0xd9, 0xf7, 0x83, 0x1a, 0x01, 0x02, 0x03,
				       0x04, 0x1a, 0xc9, 0x4b, 0x68, 0xca, 0x5a, 0x00,
				       0x00, 0x00, 0x03, 'a',  'b',  'c'};
	uint8_t bytes[sizeof(want)];
	memcpy(bytes + AVD__FRAME_HEAD_SIZE, "abc", 3);
	ck_assert_uint_eq(avd__frame_seal(bytes, 0x01020304, 3), sizeof(want));
	ck_assert_mem_eq(bytes, want, sizeof(want));
	struct avd__frame frame;
	ck_assert_int_eq(avd__frame_decode(bytes, sizeof(bytes), &frame), AVD__FRAME_OK);
	ck_assert_uint_eq(frame.seq, 0x01020304);
	ck_assert_ptr_eq(frame.payload, bytes + AVD__FRAME_HEAD_SIZE);
	ck_assert_uint_eq(frame.payload_size, 3);
	ck_assert_uint_eq(frame.size, sizeof(bytes));
}
END_TEST

START_TEST(largest_payload)
{
	uint8_t *bytes = malloc(AVD__FRAME_MAX);
	struct avd__frame frame;
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(make_frame(bytes, UINT32_MAX, AVD__FRAME_PAYLOAD_MAX), AVD__FRAME_MAX);
	ck_assert_int_eq(avd__frame_decode(bytes, AVD__FRAME_MAX, &frame), AVD__FRAME_OK);
	ck_assert_uint_eq(frame.payload_size, AVD__FRAME_PAYLOAD_MAX);
	ck_assert_int_eq(avd__frame_decode(bytes, AVD__FRAME_MAX - 1, &frame),
			 AVD__FRAME_NEED_MORE);
	ck_assert_uint_eq(frame.size, AVD__FRAME_MAX);
	ck_assert_uint_eq(avd__frame_seal(bytes, 0, AVD__FRAME_PAYLOAD_MAX + 1), 0);
	ck_assert_uint_eq(avd__frame_seal(bytes, 0, SIZE_MAX), 0);
	free(bytes);
}
END_TEST

START_TEST(every_truncation_needs_more)
{
	uint8_t bytes[AVD__FRAME_HEAD_SIZE + 40];
	const size_t size = make_frame(bytes, 5, 40);
	struct avd__frame frame;
	ck_assert_int_eq(avd__frame_decode(NULL, 0, &frame), AVD__FRAME_NEED_MORE);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *part = malloc(cut ? cut : 1); /* exact: reading beyond shows */
		ck_assert_ptr_nonnull(part);
		memcpy(part, bytes, cut);
		ck_assert_int_eq(avd__frame_decode(part, cut, &frame), AVD__FRAME_NEED_MORE);
		ck_assert_uint_eq(frame.size,
				  cut < AVD__FRAME_HEAD_SIZE ? AVD__FRAME_HEAD_SIZE : size);
		free(part);
	}
}
END_TEST

/* Every value of every byte, for each payload size up to 32: never a sound frame. */
START_TEST(every_wrong_byte_is_noticed)
{
	uint8_t bytes[AVD__FRAME_HEAD_SIZE + 32];
	struct avd__frame frame;
	unsigned int unnoticed = 0; /* an assertion for each would take most of the time */
	for (size_t payload_size = 0; payload_size <= 32; payload_size++) {
		const size_t size = make_frame(bytes, 0x10203, payload_size);
		for (size_t at = 0; at < size; at++) {
			for (unsigned int change = 1; change < 256; change++) {
				bytes[at] ^= (uint8_t)change;
				unnoticed +=
					avd__frame_decode(bytes, size, &frame) == AVD__FRAME_OK;
				bytes[at] ^= (uint8_t)change;
			}
		}
		ck_assert_uint_eq(unnoticed, 0);
		ck_assert_int_eq(avd__frame_decode(bytes, size, &frame), AVD__FRAME_OK);
	}
}
END_TEST

/* CRC-32C finds each burst of up to 32 bits; here in a frame of 4 KiB, at each byte. */
START_TEST(every_burst_is_noticed)
{
	static uint8_t bytes[AVD__FRAME_HEAD_SIZE + 4096];
	const size_t size = make_frame(bytes, 9, 4096);
	struct avd__frame frame;
	for (size_t at = 0; at + 4 <= size; at++) {
		uint8_t kept[4];
		memcpy(kept, bytes + at, 4);
		for (unsigned int i = 0; i < 4; i++)
			bytes[at + i] ^= (uint8_t)(0xff - 31 * i);
		ck_assert_int_ne(avd__frame_decode(bytes, size, &frame), AVD__FRAME_OK);
		memcpy(bytes + at, kept, 4);
	}
	ck_assert_int_eq(avd__frame_decode(bytes, size, &frame), AVD__FRAME_OK);
}
END_TEST

/* As its comment says it, without memchr. */
static size_t naive_scan(const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++) {
		size_t same = 0;
		while (same < sizeof(mark) && at + same < size && bytes[at + same] == mark[same])
			same++;
		if (same == sizeof(mark) || at + same == size)
			return at;
	}
	return size;
}

/* Bytes drawn from those of the mark, so that beginnings of it are everywhere. */
START_TEST(scan_finds_the_next_mark)
{
	static const uint8_t letters[] = {0xd9, 0xd9, 0xd9, 0xf7, 0x83, 0x1a, 0x00};
	uint8_t bytes[24];
	uint64_t x = 88172645463325252;
	unsigned int found = 0, wrong = 0;
	for (int round = 0; round < 200000; round++) {
		const size_t size = (size_t)(round % (int)(sizeof(bytes) + 1));
		for (size_t i = 0; i < size; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			bytes[i] = letters[x % sizeof(letters)];
			if (x >> 60 == 0 && i + 5 <= size) { /* now and then a whole one */
				memcpy(bytes + i, mark, 5);
				i += 4;
			}
		}
		const size_t want = naive_scan(bytes, size);
		found += want + 5 <= size;
		wrong += avd__frame_scan(bytes, size) != want;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_gt(found, 10000);
	ck_assert_uint_eq(avd__frame_scan(NULL, 0), 0);
}
END_TEST

START_TEST(message_frame_needs_its_room)
{
	const struct avd_message message = {.kind = AVD_MSG_HEARTBEAT, .time_ns = 5};
	uint8_t bytes[AVD__FRAME_HEAD_SIZE + 5];
	for (size_t size = 0; size < sizeof(bytes); size++) {
		uint8_t *part = malloc(size ? size : 1);
		ck_assert_ptr_nonnull(part);
		ck_assert_uint_eq(avd__message_frame(&message, 0, part, size), 0);
		free(part);
	}
	ck_assert_uint_eq(avd__message_frame(&message, 0, bytes, sizeof(bytes)), sizeof(bytes));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec-frame");
	TCase *tcase = tcase_create("frame");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120); /* valgrind is 30 times slower */
	tcase_add_test(tcase, layout);
	tcase_add_test(tcase, largest_payload);
	tcase_add_test(tcase, every_truncation_needs_more);
	tcase_add_test(tcase, every_wrong_byte_is_noticed);
	tcase_add_test(tcase, every_burst_is_noticed);
	tcase_add_test(tcase, scan_finds_the_next_mark);
	tcase_add_test(tcase, message_frame_needs_its_room);
	return run_suite(suite);
}
