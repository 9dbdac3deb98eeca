// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Prints the vectors that our own encoder makes. They are committed: a difference
 * means that the format changed, which must not happen unnoticed.
 *   make-vectors messages|frames
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame.h"
#include "codec_samples.h"

/* Beyond it a line is no pleasure to look at; the unit tests cover larger ones. */
#define VECTOR_MAX 2048

static void print_head(const char *what)
{
	printf("# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later\n#\n"
	       "# %s made by make-vectors: NAME EXPECTATION HEX. After a change on purpose:\n"
	       "# ninja update-vectors.\n",
	       what);
}

static void print_vector(const char *name, const char *suffix, const char *expectation,
			 const uint8_t *bytes, size_t size)
{
	printf("%s-%s %s ", name, suffix, expectation);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static int print_messages(void)
{
	static uint8_t bytes[AVD__FRAME_PAYLOAD_MAX];
	print_head("Messages");
	for (uint32_t kind = 0; (kind = sample_next_kind(kind));) {
		for (int sample = 0; sample < SAMPLE_COUNT; sample++) {
			const struct avd_message message =
				sample_message(kind, (enum sample)sample);
			const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
			if (!size)
				return EXIT_FAILURE;
			if (size <= VECTOR_MAX)
				print_vector(avd_message_kind_name(kind),
					     sample_name((enum sample)sample), "ok", bytes, size);
		}
	}
	return EXIT_SUCCESS;
}

/* The frame itself, without its last byte, with a byte behind it, and with a bit wrong. */
static void print_frame(const char *name, uint32_t seq, const void *payload, size_t payload_size)
{
	uint8_t bytes[AVD__FRAME_HEAD_SIZE + VECTOR_MAX + 1];
	char need_more[32];
	memcpy(bytes + AVD__FRAME_HEAD_SIZE, payload, payload_size);
	const size_t size = avd__frame_seal(bytes, seq, payload_size);
	bytes[size] = 0xd9;
	snprintf(need_more, sizeof(need_more), "need-more:%zu", size);
	print_vector(name, "sound", "ok", bytes, size);
	print_vector(name, "and-more", "ok", bytes, size + 1);
	print_vector(name, "cut", need_more, bytes, size - 1);
	bytes[8] ^= 0x01; /* the lowest bit of seq */
	print_vector(name, "seq-changed", "bad-crc", bytes, size);
	bytes[8] ^= 0x01;
	if (payload_size) {
		bytes[AVD__FRAME_HEAD_SIZE + payload_size - 1] ^= 0x80;
		print_vector(name, "bit-flipped", "bad-crc", bytes, size);
	}
}

static int print_frames(void)
{
	uint8_t bytes[VECTOR_MAX];
	print_head("Frames");
	print_frame("empty", 0, "", 0);
	print_frame("one-byte", 1, "", 1);
	print_frame("largest-seq", UINT32_MAX, "payload", 7);
	print_frame("host-seq", AVD_HOST_SEQ_BASE, "payload", 7);
	print_frame("mark-inside", 2, "\xd9\xd9\xf7\x83\x1a\xd9\xd9\xf7\x83\x1a", 10);
	for (uint32_t kind = 0; (kind = sample_next_kind(kind));) {
		const struct avd_message message = sample_message(kind, SAMPLE_TYPICAL);
		const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
		if (!size)
			return EXIT_FAILURE;
		print_frame(avd_message_kind_name(kind), kind, bytes, size);
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int status = 2;
	if (argc == 2 && strcmp(argv[1], "messages") == 0)
		status = print_messages();
	else if (argc == 2 && strcmp(argv[1], "frames") == 0)
		status = print_frames();
	else
		fprintf(stderr, "usage: make-vectors messages|frames\n");
	return fflush(stdout) ? EXIT_FAILURE : status;
}
