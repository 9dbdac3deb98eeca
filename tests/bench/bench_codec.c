// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * How fast a stream of frames is read, as ratios to memcpy of the same bytes and to
 * libcbor's tree decoder (cbor_load) on them. Each round measures every way once, one
 * after the other, so that a noisy machine is noisy for all; the table has the medians.
 *
 *   AVD_BENCH_MIB (256), AVD_BENCH_ROUNDS (5): the stream's size and the rounds.
 */
#include <attachverdict/stream.h>
#include <cbor.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/frame.h"
#include "codec/message.h"

#define ROUNDS_MAX 101
/* What one read of a channel brings at most. */
#define FEED_BYTES 65536u

static const uint8_t nonce[AVD_NONCE_SIZE] = "0123456789abcdef";

struct stream {
	uint8_t *bytes;
	uint8_t *copy; /* memcpy's target */
	size_t size;
	uint64_t frames;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-codec: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint64_t from_env(const char *name, uint64_t standard, uint64_t max)
{
	const char *text = getenv(name);
	const unsigned long long value = text ? strtoull(text, NULL, 10) : standard;
	if (!value || value > max)
		die("AVD_BENCH_MIB or AVD_BENCH_ROUNDS makes no sense");
	return value;
}

/* A log message whose encoding has `payload_size` bytes: the kind that comes in masses. */
static size_t make_frame(uint8_t *out, uint32_t seq, size_t payload_size)
{
	static uint8_t text[65536];
	struct avd_message message = {
		.kind = AVD_MSG_LOG,
		.time_ns = UINT64_C(2250000000) + seq,
		.u.log = {.stream = AVD_STREAM_SCHEDULER_STDERR, .bytes = {text, payload_size}},
	};
	size_t size;
	if (payload_size > sizeof(text))
		die("payload too large");
	memset(text, 'x', sizeof(text));
	while ((size = avd__message_frame(&message, seq, out, AVD__FRAME_MAX)) >
	       AVD__FRAME_HEAD_SIZE + payload_size)
		message.u.log.bytes.len--;
	if (size != AVD__FRAME_HEAD_SIZE + payload_size)
		die("no message of that size");
	return size;
}

/* hello, then log frames. */
static struct stream make_stream(size_t target, size_t payload_size)
{
	const struct avd_message hello = {
		.kind = AVD_MSG_HELLO,
		.u.hello = {.protocol = AVD_PROTOCOL_VERSION, .nonce = {nonce, sizeof(nonce)}},
	};
	const size_t frame_size = AVD__FRAME_HEAD_SIZE + payload_size;
	struct stream stream = {.frames = 1};
	stream.bytes = malloc(target + AVD__FRAME_MAX);
	stream.copy = malloc(target + AVD__FRAME_MAX);
	uint8_t *frame = malloc(AVD__FRAME_MAX);
	if (!stream.bytes || !stream.copy || !frame)
		die("no memory");
	stream.size = avd__message_frame(&hello, 0, stream.bytes, AVD__FRAME_MAX);
	make_frame(frame, 0, payload_size);
	while (stream.size < target) {
		memcpy(stream.bytes + stream.size, frame, frame_size);
		avd__frame_seal(stream.bytes + stream.size, (uint32_t)stream.frames++,
				payload_size);
		stream.size += frame_size;
	}
	free(frame);
	memset(stream.copy, 1, stream.size); /* its pages are there before the first round */
	return stream;
}

/* -- the ways: each goes over the whole stream and returns how many frames it saw -- */

static uint64_t by_memcpy(const struct stream *stream)
{
	memcpy(stream->copy, stream->bytes, stream->size);
	__asm__ volatile("" : : "r"(stream->copy) : "memory"); /* it is read, says this */
	return stream->frames;
}

static uint64_t by_frames(const struct stream *stream)
{
	uint64_t frames = 0;
	for (size_t at = 0; at < stream->size; frames++) {
		struct avd__frame frame;
		if (avd__frame_decode(stream->bytes + at, stream->size - at, &frame))
			die("frame");
		at += frame.size;
	}
	return frames;
}

static uint64_t by_messages(const struct stream *stream)
{
	uint64_t frames = 0;
	for (size_t at = 0; at < stream->size; frames++) {
		struct avd__frame frame;
		struct avd_message message;
		if (avd__frame_decode(stream->bytes + at, stream->size - at, &frame) ||
		    avd__message_decode(frame.payload, frame.payload_size, &message))
			die("message");
		at += frame.size;
	}
	return frames;
}

static void count_frame(void *userdata, const struct avd_event *event)
{
	uint64_t *frames = userdata;
	*frames += event->type == AVD_EVENT_FRAME;
}

/* The whole way of a channel's bytes: frames, messages, sequence, evidence, verdict. */
static uint64_t by_feed(const struct stream *stream)
{
	uint64_t frames = 0;
	struct avd_verdict verdict;
	avd_stream *judge;
	const struct avd_stream_options options = {
		.size = sizeof(options),
		.nonce = nonce,
		.nonce_size = sizeof(nonce),
		.on_event = count_frame,
		.userdata = &frames,
	};
	if (avd_stream_new(&options, &judge))
		die("avd_stream_new");
	for (size_t at = 0; at < stream->size; at += FEED_BYTES) {
		const size_t left = stream->size - at;
		if (avd_stream_feed(judge, stream->bytes + at,
				    left < FEED_BYTES ? left : FEED_BYTES))
			die("avd_stream_feed");
	}
	if (avd_stream_finish(judge) || avd_stream_verdict(judge, &verdict))
		die("avd_stream_verdict");
	avd_stream_free(judge);
	return frames;
}

static cbor_item_t *load(const uint8_t *bytes, size_t size, size_t *ret_read)
{
	struct cbor_load_result result;
	cbor_item_t *item = cbor_load(bytes, size, &result);
	if (!item)
		die("cbor_load");
	*ret_read = result.read;
	return item;
}

static uint64_t tree(const struct stream *stream, bool messages)
{
	uint64_t frames = 0;
	for (size_t at = 0; at < stream->size; frames++) {
		size_t read, inner;
		cbor_item_t *item = load(stream->bytes + at, stream->size - at, &read);
		if (messages) {
			const uint8_t *payload = stream->bytes + at + AVD__FRAME_HEAD_SIZE;
			cbor_item_t *message = load(payload, read - AVD__FRAME_HEAD_SIZE, &inner);
			cbor_decref(&message);
		}
		cbor_decref(&item);
		at += read;
	}
	return frames;
}

static uint64_t by_tree_frames(const struct stream *stream)
{
	return tree(stream, false);
}

static uint64_t by_tree_messages(const struct stream *stream)
{
	return tree(stream, true);
}

enum way { MEMCPY, FRAMES, MESSAGES, FEED, TREE_FRAMES, TREE_MESSAGES, WAY_COUNT };

static uint64_t (*const ways[WAY_COUNT])(const struct stream *) = {
	[MEMCPY] = by_memcpy, [FRAMES] = by_frames,	      [MESSAGES] = by_messages,
	[FEED] = by_feed,     [TREE_FRAMES] = by_tree_frames, [TREE_MESSAGES] = by_tree_messages,
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void measure(size_t target, size_t payload_size, unsigned int rounds)
{
	static uint64_t times[WAY_COUNT][ROUNDS_MAX];
	double speed[WAY_COUNT];
	const unsigned int middle = rounds / 2;
	struct stream stream = make_stream(target, payload_size);
	for (unsigned int round = 0; round < rounds; round++) {
		for (int way = 0; way < WAY_COUNT; way++) {
			const uint64_t start = now_ns();
			if (ways[way](&stream) != stream.frames)
				die("lost a frame");
			times[way][round] = now_ns() - start;
		}
	}
	for (int way = 0; way < WAY_COUNT; way++) {
		qsort(times[way], rounds, sizeof(times[way][0]), by_value);
		speed[way] = (double)stream.size / (double)times[way][middle];
	}
	printf("%7zu |%7.2f%7.2f%7.2f%7.2f%7.3f%7.3f |%7.2f%7.2f%7.2f |%7.1f%7.1f\n", payload_size,
	       speed[MEMCPY], speed[FRAMES], speed[MESSAGES], speed[FEED], speed[TREE_FRAMES],
	       speed[TREE_MESSAGES], speed[FRAMES] / speed[MEMCPY], speed[MESSAGES] / speed[MEMCPY],
	       speed[FEED] / speed[MEMCPY], speed[FRAMES] / speed[TREE_FRAMES],
	       speed[MESSAGES] / speed[TREE_MESSAGES]);
	fflush(stdout);
	free(stream.bytes);
	free(stream.copy);
}

int main(void)
{
	static const size_t payload_sizes[] = {64, 512, 4096, 65536};
	const size_t mib = from_env("AVD_BENCH_MIB", 256, 4096);
	const unsigned int rounds = (unsigned int)from_env("AVD_BENCH_ROUNDS", 5, ROUNDS_MAX);
	printf("%zu MiB of frames, medians of %u rounds. frames: avd__frame_decode; messages:\n"
	       "and avd__message_decode; stream: avd_stream_feed; load-f, load-m: cbor_load of\n"
	       "the frames, and of the messages in them too.\n\n"
	       "        |                    GB/s                   |  ratio to memcpy     | ratio "
	       "to "
	       "cbor_load\n"
	       "payload | memcpy frames  mess. stream load-f load-m | frames  mess. stream | "
	       "frames  "
	       "mess.\n",
	       mib, rounds);
	for (size_t i = 0; i < sizeof(payload_sizes) / sizeof(payload_sizes[0]); i++)
		measure(mib << 20, payload_sizes[i], rounds);
	return EXIT_SUCCESS;
}
