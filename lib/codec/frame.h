/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The frame around a message: 55799([ seq, crc, payload ]) at fixed width,
 *
 *     D9 D9F7 | 83 | 1A seq(4) | 1A crc(4) | 5A length(4) | payload
 *
 * so a stream of frames is a CBOR Sequence (RFC 8742) that any CBOR tool reads.
 * The crc is CRC-32C over the whole frame with its own four bytes taken as zero.
 * No I/O, no allocation, no recursion; shared by host and guest.
 */
#ifndef AVD_LIB_CODEC_FRAME_H
#define AVD_LIB_CODEC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define AVD__FRAME_HEAD_SIZE 19u
/* A frame that claims more is broken: it bounds what a reader must keep. */
#define AVD__FRAME_PAYLOAD_MAX (UINT32_C(1) << 20)
#define AVD__FRAME_MAX (AVD__FRAME_HEAD_SIZE + AVD__FRAME_PAYLOAD_MAX)

struct avd__frame {
	uint32_t seq;
	const uint8_t *payload; /* inside the bytes that were decoded */
	uint32_t payload_size;
	size_t size; /* head and payload */
};

enum avd__frame_status {
	AVD__FRAME_OK = 0,
	AVD__FRAME_NEED_MORE =
		1, /* ret->size: how many bytes the frame needs in all, as far as known */
	AVD__FRAME_BAD_MARK = 2, /* these bytes don't start a frame */
	AVD__FRAME_BAD_LENGTH = 3,
	AVD__FRAME_BAD_CRC = 4,
};

/* Looks at the frame that starts at bytes[0]. */
enum avd__frame_status avd__frame_decode(const uint8_t *bytes, size_t size,
					 struct avd__frame *ret_frame);

/* Where the mark D9 D9 F7 83 1A next starts at or after bytes[0]: its offset, or the
 * offset of a possible start of it at the very end, or `size` if there is none. */
size_t avd__frame_scan(const uint8_t *bytes, size_t size);

/* Puts the head in front of a payload that already stands at
 * out + AVD__FRAME_HEAD_SIZE. Returns the frame's size, 0 if payload_size is too large. */
size_t avd__frame_seal(uint8_t *out, uint32_t seq, size_t payload_size);

#endif
