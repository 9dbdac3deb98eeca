// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Mutations of a stream of frames that keep checksums right: without it every change is
 * noticed at the checksum, and nothing behind it is ever reached. For libFuzzer only.
 */
#include <string.h>

#include "codec/frame.h"
#include "codec/message.h"
#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed);

#define FRAMES_MAX 64u

struct frames {
	size_t at[FRAMES_MAX], size[FRAMES_MAX];
	size_t count;
};

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Whole frames, one behind the other, with a right checksum or not. */
static struct frames find_frames(const uint8_t *bytes, size_t size)
{
	struct frames frames = {.count = 0};
	for (size_t at = 0; at < size && frames.count < FRAMES_MAX;) {
		struct avd__frame frame;
		const enum avd__frame_status status =
			avd__frame_decode(bytes + at, size - at, &frame);
		if (status != AVD__FRAME_OK && status != AVD__FRAME_BAD_CRC) {
			at += 1 + avd__frame_scan(bytes + at + 1, size - at - 1);
			continue;
		}
		frames.at[frames.count] = at;
		frames.size[frames.count] = AVD__FRAME_HEAD_SIZE + load_be32(bytes + at + 15);
		at += frames.size[frames.count++];
	}
	return frames;
}

static void seal(uint8_t *bytes, const struct frames *frames, size_t i, uint32_t seq)
{
	avd__frame_seal(bytes + frames->at[i], seq, frames->size[i] - AVD__FRAME_HEAD_SIZE);
}

static void seal_all(uint8_t *bytes, size_t size, bool renumber)
{
	const struct frames frames = find_frames(bytes, size);
	uint32_t next = 0;
	for (size_t i = 0; i < frames.count; i++) {
		uint32_t seq = load_be32(bytes + frames.at[i] + 5);
		if (renumber && seq < AVD_HOST_SEQ_BASE)
			seq = next++;
		seal(bytes, &frames, i, seq);
	}
}

/* Replaces bytes[at..at+old) by `new` bytes that the caller fills in. 0: no room. */
static size_t resize(uint8_t *bytes, size_t size, size_t max_size, size_t at, size_t old,
		     size_t new)
{
	if (size - old + new > max_size)
		return 0;
	memmove(bytes + at + new, bytes + at + old, size - at - old);
	return size - old + new;
}

/* A frame's payload changed and its length with it. */
static size_t change_payload(uint8_t *bytes, size_t size, size_t max_size, size_t at,
			     size_t frame_size)
{
	static uint8_t payload[8192];
	const size_t old = frame_size - AVD__FRAME_HEAD_SIZE;
	const uint32_t seq = load_be32(bytes + at + 5);
	if (old > sizeof(payload) / 2)
		return size;
	memcpy(payload, bytes + at + AVD__FRAME_HEAD_SIZE, old);
	const size_t new = LLVMFuzzerMutate(payload, old, old + 64);
	const size_t now = resize(bytes, size, max_size, at + AVD__FRAME_HEAD_SIZE, old, new);
	if (!now)
		return size;
	memcpy(bytes + at + AVD__FRAME_HEAD_SIZE, payload, new);
	avd__frame_seal(bytes + at, seq, new);
	return now;
}

/* Frame `from` removed, or put once more before frame `to`. */
static size_t move_frame(uint8_t *bytes, size_t size, size_t max_size, const struct frames *frames,
			 size_t from, size_t to, bool keep)
{
	static uint8_t frame[8192];
	const size_t frame_size = frames->size[from];
	if (frame_size > sizeof(frame))
		return size;
	memcpy(frame, bytes + frames->at[from], frame_size);
	if (!keep)
		return resize(bytes, size, max_size, frames->at[from], frame_size, 0);
	const size_t now = resize(bytes, size, max_size, frames->at[to], 0, frame_size);
	if (!now)
		return size;
	memcpy(bytes + frames->at[to], frame, frame_size);
	return now;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed)
{
	const struct frames frames = find_frames(bytes, size);
	const unsigned int what = frames.count ? seed % 8 : 0;
	const size_t one = frames.count ? (seed >> 3) % frames.count : 0;
	const size_t other = frames.count ? (seed >> 13) % frames.count : 0;
	switch (what) {
	case 0: /* anything, which mostly breaks the stream */
		return LLVMFuzzerMutate(bytes, size, max_size);
	case 1:
		size = LLVMFuzzerMutate(bytes, size, max_size);
		seal_all(bytes, size, false);
		return size;
	case 2:
	case 3:
	case 4:
		return change_payload(bytes, size, max_size, frames.at[one], frames.size[one]);
	case 5:
		seal(bytes, &frames, one, seed >> 3);
		return size;
	default:
		size = move_frame(bytes, size, max_size, &frames, one, other, what == 6);
		if (seed >> 31)
			seal_all(bytes, size, true);
		return size;
	}
}
