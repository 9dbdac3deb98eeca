// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec/frame.h"

#include <stdbool.h>
#include <string.h>

#include "codec/crc32c.h"

/* Where the parts of the head stand. Fixed widths, so that a writer can put the
 * payload in place first and the head in front of it afterwards. */
enum {
	SEQ_AT = 5,
	CRC_MARK_AT = 9,
	CRC_AT = 10,
	LENGTH_MARK_AT = 14,
	LENGTH_AT = 15,
	MARK_SIZE = 5,
};

/* Tag 55799, array of three, uint32: what each frame starts with. */
static const uint8_t mark[MARK_SIZE] = {0xd9, 0xd9, 0xf7, 0x83, 0x1a};
#define CRC_MARK 0x1au /* uint32 */
#define LENGTH_MARK 0x5au /* byte string with a length of four bytes */

static uint32_t load_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void store_be32(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 24);
	bytes[1] = (uint8_t)(value >> 16);
	bytes[2] = (uint8_t)(value >> 8);
	bytes[3] = (uint8_t)value;
}

static uint32_t frame_crc(const uint8_t *frame, size_t payload_size)
{
	/* The crc's own bytes become zero in a register: four small stores into a copy of the
	 * head, read back as a word, would stall the CPU for as long as all the rest takes. */
	uint8_t head[AVD__FRAME_HEAD_SIZE];
	uint64_t word;
	memcpy(head, frame, 8);
	memcpy(&word, frame + 8, 8);
	word &= ~(UINT64_C(0xffffffff) << 8 * (CRC_AT - 8)); /* little-endian */
	memcpy(head + 8, &word, 8);
	memcpy(head + 16, frame + 16, AVD__FRAME_HEAD_SIZE - 16);
	return avd__crc32c_two(head, sizeof(head), frame + AVD__FRAME_HEAD_SIZE, payload_size);
}

/* Whether bytes[0..size) can be the start of a head: what is there of its fixed parts fits. */
static bool may_be_head(const uint8_t *bytes, size_t size)
{
	if (size && memcmp(bytes, mark, size < MARK_SIZE ? size : MARK_SIZE) != 0)
		return false;
	if (size > CRC_MARK_AT && bytes[CRC_MARK_AT] != CRC_MARK)
		return false;
	return size <= LENGTH_MARK_AT || bytes[LENGTH_MARK_AT] == LENGTH_MARK;
}

enum avd__frame_status avd__frame_decode(const uint8_t *bytes, size_t size,
					 struct avd__frame *ret_frame)
{
	if (!may_be_head(bytes, size))
		return AVD__FRAME_BAD_MARK;
	if (size < AVD__FRAME_HEAD_SIZE) {
		ret_frame->size = AVD__FRAME_HEAD_SIZE;
		return AVD__FRAME_NEED_MORE;
	}
	const uint32_t payload_size = load_be32(bytes + LENGTH_AT);
	if (payload_size > AVD__FRAME_PAYLOAD_MAX)
		return AVD__FRAME_BAD_LENGTH;
	const size_t frame_size = AVD__FRAME_HEAD_SIZE + payload_size;
	if (size < frame_size) {
		ret_frame->size = frame_size;
		return AVD__FRAME_NEED_MORE;
	}
	if (frame_crc(bytes, payload_size) != load_be32(bytes + CRC_AT))
		return AVD__FRAME_BAD_CRC;
	ret_frame->seq = load_be32(bytes + SEQ_AT);
	ret_frame->payload = bytes + AVD__FRAME_HEAD_SIZE;
	ret_frame->payload_size = payload_size;
	ret_frame->size = frame_size;
	return AVD__FRAME_OK;
}

size_t avd__frame_scan(const uint8_t *bytes, size_t size)
{
	size_t at = 0;
	while (at < size) {
		const uint8_t *found = memchr(bytes + at, mark[0], size - at);
		if (!found)
			return size;
		at = (size_t)(found - bytes);
		const size_t left = size - at;
		if (memcmp(found, mark, left < MARK_SIZE ? left : MARK_SIZE) == 0)
			return at;
		at++;
	}
	return size;
}

size_t avd__frame_seal(uint8_t *out, uint32_t seq, size_t payload_size)
{
	if (payload_size > AVD__FRAME_PAYLOAD_MAX)
		return 0;
	memcpy(out, mark, MARK_SIZE);
	store_be32(out + SEQ_AT, seq);
	out[CRC_MARK_AT] = CRC_MARK;
	out[LENGTH_MARK_AT] = LENGTH_MARK;
	store_be32(out + LENGTH_AT, (uint32_t)payload_size);
	store_be32(out + CRC_AT, frame_crc(out, payload_size));
	return AVD__FRAME_HEAD_SIZE + payload_size;
}
