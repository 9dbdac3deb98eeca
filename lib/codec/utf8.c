// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "codec/item.h"

/* Length of the sequence at p[0..size), 0 if it is none. RFC 3629 section 4. */
static size_t sequence(const uint8_t *p, size_t size)
{
	uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte */
	size_t len;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0; /* else overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* else a surrogate */
	else if (p[0] == 0xf0)
		low = 0x90; /* else overlong */
	else if (p[0] == 0xf4)
		high = 0x8f; /* else beyond U+10FFFF */
	if (len > size || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool avd__utf8_valid(const char *text, size_t size)
{
	const uint8_t *p = (const uint8_t *)text;
	while (size) {
		uint64_t eight = 0;
		if (size >= sizeof(eight))
			memcpy(&eight, p, sizeof(eight));
		/* Most text is ASCII: eight bytes a step while it is. */
		const size_t len = size >= sizeof(eight) && !(eight & UINT64_C(0x8080808080808080))
					   ? sizeof(eight)
					   : sequence(p, size);
		if (!len)
			return false;
		p += len;
		size -= len;
	}
	return true;
}
