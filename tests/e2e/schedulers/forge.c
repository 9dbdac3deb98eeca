// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "forge.h"

#include <string.h>

static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void put32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

size_t forge_frames(uint8_t *out, size_t size, uint32_t seq)
{
	/* CBOR maps: 0: kind, 1: time, then the kind's fields. */
	static const struct {
		uint8_t size;
		uint8_t bytes[24];
	} messages[] = {
		{9, {0xa4, 0, 3, 1, 1, 2, 0x18, 0x40, 3}},
		{20, {0xa8, 0, 4, 1, 1, 2, 0x63, 'o', 'w', 'n', 3, 0, 4, 1, 5, 1, 6, 1, 7, 1}},
		{5, {0xa2, 0, 7, 1, 1}},
		{15, {0xa7, 0, 5, 1, 1, 2, 1, 3, 0x60, 4, 0x20, 5, 0, 6, 0}},
		{7, {0xa3, 0, 14, 1, 1, 2, 1}},
	};
	size_t used = 0;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const size_t need = 19u + messages[i].size;
		if (size - used < need)
			break;
		uint8_t *frame = out + used;
		memcpy(frame, "\xd9\xd9\xf7\x83\x1a", 5);
		put32(frame + 5, seq++);
		frame[9] = 0x1a;
		put32(frame + 10, 0);
		frame[14] = 0x5a;
		put32(frame + 15, messages[i].size);
		memcpy(frame + 19, messages[i].bytes, messages[i].size);
		put32(frame + 10, crc32c(frame, need));
		used += need;
	}
	return used;
}
