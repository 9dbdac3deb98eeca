/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Bytes in any slices -> frames and gaps. What comes out depends on the bytes alone,
 * not on how they were sliced.
 *
 * A reader that has lost its place looks behind each false mark from the very next byte
 * on, so no claimed length can swallow a sound frame; of two sound frames of which one
 * lies inside the other the outer one wins, so that a frame forged inside a log frame's
 * payload stays payload. Each byte is summed a bounded number of times whatever the
 * marks claim (span_crc.h).
 */
#ifndef AVD_LIB_VERDICT_READER_H
#define AVD_LIB_VERDICT_READER_H

#include "codec/frame.h"
#include "verdict/span_crc.h"

/* What is carried over from one input to the next is less than one frame; twice that
 * is held so that moving it to the front costs a bounded number of copies a byte. */
#define AVD__READER_CARRY_MAX (2u * AVD__FRAME_MAX)

/* Bytes that are no frame, and after them a frame; either may be missing, not both. */
struct avd__reader_item {
	uint64_t skipped; /* 0: no gap */
	uint64_t skipped_offset;
	enum avd__frame_status why; /* what was wrong where the gap starts; NEED_MORE: cut off */
	int torn; /* the gap is the start of a frame whose rest is missing, and nothing else */
	int have_frame;
	uint64_t offset; /* of the frame in the stream */
	struct avd__frame frame; /* valid until the next call */
};

struct avd__reader {
	const uint8_t *in;
	size_t in_size;
	uint8_t *carry; /* bytes of earlier inputs: carry[carry_start..+carry_size) */
	size_t carry_cap, carry_start, carry_size;
	uint64_t offset; /* of the first byte that is not done with */
	uint64_t summed_until; /* before this offset spans overlap: use the span sums */
	size_t frame_size; /* of the frame that was handed out last: to be released */
	int ended;
	int lost;
	uint64_t gap_offset;
	enum avd__frame_status gap_why;
	uint8_t gap_head[AVD__FRAME_HEAD_SIZE]; /* first bytes of the gap */
	struct avd__span_crc span;
};

/* A zeroed struct is a new reader. */
void avd__reader_free(struct avd__reader *reader);
/* The next input; the one before must be used up. Borrowed until next() returned 0. */
void avd__reader_input(struct avd__reader *reader, const void *bytes, size_t size);
/* No input will follow: what is left is judged as it stands. */
void avd__reader_end(struct avd__reader *reader);
/* 1 and an item; 0: give more input (or, after the end, done); -ENOMEM: the rest of the
 * input is lost and the reader is of no more use. */
int avd__reader_next(struct avd__reader *reader, struct avd__reader_item *ret_item);

#endif
