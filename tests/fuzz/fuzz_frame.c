// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Bytes as a stream of frames, read as a reader on the host does. A fuzzer can't guess
 * a checksum, so a wrong one is put right in a copy and the frame looked at again.
 */
#include <string.h>

#include "codec/crc32c.h"
#include "codec/frame.h"
#include "codec/message.h"
#include "fuzz.h"

#define SIZE_MAX_FUZZED 65536u

static void check_sound(const uint8_t *bytes, size_t size, const struct avd__frame *frame)
{
	static uint8_t again[AVD__FRAME_MAX];
	struct avd_message message;
	FUZZ_CHECK(frame->size <= size);
	FUZZ_CHECK(frame->payload == bytes + AVD__FRAME_HEAD_SIZE);
	FUZZ_CHECK(frame->size == AVD__FRAME_HEAD_SIZE + frame->payload_size);
	memcpy(again + AVD__FRAME_HEAD_SIZE, frame->payload, frame->payload_size);
	FUZZ_CHECK(avd__frame_seal(again, frame->seq, frame->payload_size) == frame->size);
	FUZZ_CHECK(memcmp(again, bytes, frame->size) == 0);
	FUZZ_CHECK(avd__crc32c(0, bytes, frame->size) ==
		   avd__crc32c_portable(0, bytes, frame->size));
	(void)avd__message_decode(frame->payload, frame->payload_size, &message);
}

/* The frame at bytes[0..size), whose checksum is wrong: with the right one it is sound. */
static size_t mend(uint8_t *bytes, size_t size)
{
	struct avd__frame frame;
	const uint32_t length = (uint32_t)bytes[15] << 24 | (uint32_t)bytes[16] << 16 |
				(uint32_t)bytes[17] << 8 | bytes[18];
	const uint32_t seq = (uint32_t)bytes[5] << 24 | (uint32_t)bytes[6] << 16 |
			     (uint32_t)bytes[7] << 8 | bytes[8];
	FUZZ_CHECK(avd__frame_seal(bytes, seq, length) <= size);
	FUZZ_CHECK(avd__frame_decode(bytes, size, &frame) == AVD__FRAME_OK);
	FUZZ_CHECK(frame.seq == seq);
	check_sound(bytes, size, &frame);
	return frame.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size > SIZE_MAX_FUZZED)
		return 0;
	uint8_t *stream = malloc(size ? size : 1); /* exact: reading beyond shows */
	FUZZ_CHECK(stream);
	memcpy(stream, bytes, size);
	size_t at = 0;
	while (at < size) {
		struct avd__frame frame = {0};
		const size_t left = size - at;
		const enum avd__frame_status status = avd__frame_decode(stream + at, left, &frame);
		size_t step = 1;
		if (status == AVD__FRAME_OK) {
			check_sound(stream + at, left, &frame);
			step = frame.size;
		} else if (status == AVD__FRAME_BAD_CRC) {
			step = mend(stream + at, left);
		} else if (status == AVD__FRAME_NEED_MORE) {
			FUZZ_CHECK(frame.size > left && frame.size <= AVD__FRAME_MAX);
		}
		if (status != AVD__FRAME_OK && status != AVD__FRAME_BAD_CRC) {
			const size_t skip = avd__frame_scan(stream + at + 1, left - 1);
			FUZZ_CHECK(skip <= left - 1);
			step = 1 + skip;
		}
		at += step;
	}
	FUZZ_CHECK(at == size);
	free(stream);
	return 0;
}
