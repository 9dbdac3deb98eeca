// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verdict/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/crc32c.h"

/* Where the head keeps what frame.h describes. */
enum { SEQ_AT = 5, CRC_AT = 10, LENGTH_AT = 15 };
/* Frames up to this size are summed whole at each try: as cheap as the ends of a span. */
#define SMALL_FRAME (2u * AVD__SPAN_BLOCK)
/* First size of the carry buffer: most frames fit. */
#define CARRY_FIRST 8192u

void avd__reader_free(struct avd__reader *reader)
{
	free(reader->carry);
	memset(reader, 0, sizeof(*reader));
}

void avd__reader_input(struct avd__reader *reader, const void *bytes, size_t size)
{
	reader->in = bytes;
	reader->in_size = size;
}

void avd__reader_end(struct avd__reader *reader)
{
	reader->ended = 1;
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Moves `size` bytes of the input behind what is carried. */
static int carry_more(struct avd__reader *reader, size_t size)
{
	if (size == 0)
		return 0;
	const size_t need = reader->carry_size + size; /* at most AVD__FRAME_MAX */
	if (reader->carry_start + need > reader->carry_cap) {
		/* Moving pays off only when at least as much was consumed since the last move. */
		if (reader->carry_start >= reader->carry_size && need <= reader->carry_cap) {
			memcpy(reader->carry, reader->carry + reader->carry_start,
			       reader->carry_size);
		} else {
			size_t cap = reader->carry_cap ? reader->carry_cap : CARRY_FIRST;
			while (cap < 2 * need && cap < AVD__READER_CARRY_MAX)
				cap *= 2;
			if (cap > AVD__READER_CARRY_MAX)
				cap = AVD__READER_CARRY_MAX;
			uint8_t *const carry = malloc(cap);
			if (!carry)
				return -ENOMEM;
			if (reader->carry_size)
				memcpy(carry, reader->carry + reader->carry_start,
				       reader->carry_size);
			free(reader->carry);
			reader->carry = carry;
			reader->carry_cap = cap;
		}
		reader->carry_start = 0;
	}
	memcpy(reader->carry + reader->carry_start + reader->carry_size, reader->in, size);
	reader->carry_size += size;
	reader->in += size;
	reader->in_size -= size;
	return 0;
}

static void consume(struct avd__reader *reader, size_t size)
{
	if (reader->carry_size) {
		reader->carry_start += size;
		reader->carry_size -= size;
		if (reader->carry_size == 0)
			reader->carry_start = 0;
	} else if (size) {
		reader->in += size;
		reader->in_size -= size;
	}
	reader->offset += size;
}

/* As avd__frame_decode(), but with a bounded price for claims that overlap. */
static enum avd__frame_status judge(struct avd__reader *reader, const uint8_t *bytes, size_t size,
				    struct avd__frame *ret_frame)
{
	const size_t head_size = size < AVD__FRAME_HEAD_SIZE ? size : AVD__FRAME_HEAD_SIZE;
	enum avd__frame_status status = avd__frame_decode(bytes, head_size, ret_frame);
	if (status != AVD__FRAME_NEED_MORE || ret_frame->size > size)
		return status;
	const size_t frame_size = ret_frame->size;
	if (frame_size <= SMALL_FRAME)
		return avd__frame_decode(bytes, frame_size, ret_frame);
	if (reader->offset >= reader->summed_until) {
		status = avd__frame_decode(bytes, frame_size, ret_frame);
		if (status != AVD__FRAME_OK)
			reader->summed_until = reader->offset + frame_size;
		return status;
	}
	uint8_t head[AVD__FRAME_HEAD_SIZE];
	memcpy(head, bytes, sizeof(head));
	memset(head + CRC_AT, 0, 4);
	const uint32_t crc = avd__span_crc(&reader->span, avd__crc32c(0, head, sizeof(head)),
					   reader->offset + sizeof(head), bytes + sizeof(head),
					   frame_size - sizeof(head));
	if (reader->summed_until < reader->offset + frame_size)
		reader->summed_until = reader->offset + frame_size;
	if (crc != load_be32(bytes + CRC_AT))
		return AVD__FRAME_BAD_CRC;
	ret_frame->seq = load_be32(bytes + SEQ_AT);
	ret_frame->payload = bytes + sizeof(head);
	ret_frame->payload_size = (uint32_t)(frame_size - sizeof(head));
	ret_frame->size = frame_size;
	return AVD__FRAME_OK;
}

/* Passes over bytes that are no frame. */
static void skip(struct avd__reader *reader, const uint8_t *bytes, size_t size,
		 enum avd__frame_status why)
{
	if (!reader->lost) {
		reader->lost = 1;
		reader->gap_offset = reader->offset;
		reader->gap_why = why;
	}
	const uint64_t kept = reader->offset - reader->gap_offset;
	if (kept < sizeof(reader->gap_head)) {
		const size_t room = sizeof(reader->gap_head) - (size_t)kept;
		memcpy(reader->gap_head + kept, bytes, size < room ? size : room);
	}
	consume(reader, size);
}

/* Whether the gap is nothing but the start of a frame that claims more than is there. */
static int gap_is_torn(const struct avd__reader *reader, uint64_t gap_size)
{
	struct avd__frame frame;
	const size_t kept =
		gap_size < AVD__FRAME_HEAD_SIZE ? (size_t)gap_size : AVD__FRAME_HEAD_SIZE;
	return avd__frame_decode(reader->gap_head, kept, &frame) == AVD__FRAME_NEED_MORE &&
	       frame.size > gap_size;
}

static void finish_gap(struct avd__reader *reader, struct avd__reader_item *item)
{
	if (!reader->lost)
		return;
	reader->lost = 0;
	item->skipped = reader->offset - reader->gap_offset;
	item->skipped_offset = reader->gap_offset;
	item->why = reader->gap_why;
	item->torn = gap_is_torn(reader, item->skipped);
}

int avd__reader_next(struct avd__reader *reader, struct avd__reader_item *ret_item)
{
	consume(reader, reader->frame_size);
	reader->frame_size = 0;
	*ret_item = (struct avd__reader_item){0};
	for (;;) {
		const int carried = reader->carry_size > 0;
		const uint8_t *const bytes =
			carried ? reader->carry + reader->carry_start : reader->in;
		const size_t size = carried ? reader->carry_size : reader->in_size;
		if (size == 0) {
			if (!reader->ended)
				return 0;
			finish_gap(reader, ret_item);
			return ret_item->skipped > 0;
		}
		enum avd__frame_status status = judge(reader, bytes, size, &ret_item->frame);
		if (status == AVD__FRAME_NEED_MORE) {
			const size_t want = ret_item->frame.size - size;
			const size_t more = want < reader->in_size ? want : reader->in_size;
			if (carried && more) {
				if (carry_more(reader, more) < 0)
					return -ENOMEM;
				continue;
			}
			if (!reader->ended)
				return carried ? 0 : carry_more(reader, size);
		}
		if (status == AVD__FRAME_OK) {
			finish_gap(reader, ret_item);
			ret_item->have_frame = 1;
			ret_item->offset = reader->offset;
			reader->frame_size = ret_item->frame.size;
			return 1;
		}
		skip(reader, bytes, 1 + avd__frame_scan(bytes + 1, size - 1), status);
	}
}
