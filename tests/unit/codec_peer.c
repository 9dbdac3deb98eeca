// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The codec's side of tests/python/codec_peer.py:
 *   codec-peer fields       the table of fields, a line each
 *   codec-peer recording    frames of every kind in every sample, as a CBOR Sequence
 *   codec-peer decode       a status for each line of hex on standard input
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame.h"
#include "codec_samples.h"

static int print_fields(void)
{
	static const char *const types[] = {"uint", "uint", "int", "int", "text", "bytes", "strv"};
	for (uint32_t number = 0; number < 1000; number++) {
		const struct avd__kind *kind = avd__kind_find(number);
		if (!kind)
			continue;
		printf("kind %s %" PRIu32 " %s\n", kind->name, number,
		       kind->known ? "known" : "reserved");
		for (size_t i = 0; i < kind->field_count; i++) {
			const struct avd__field *field = &kind->fields[i];
			printf("field %s %u %s %s %s %" PRId64 " %" PRIu64 "\n", kind->name,
			       field->key, field->name, types[field->type],
			       field->optional ? "optional" : "needed", field->min, field->max);
		}
	}
	return EXIT_SUCCESS;
}

static int print_recording(void)
{
	static uint8_t frame[AVD__FRAME_MAX];
	uint32_t seq = 0;
	for (int sample = 0; sample < SAMPLE_COUNT; sample++) {
		for (uint32_t kind = 0; (kind = sample_next_kind(kind));) {
			const struct avd_message message =
				sample_message(kind, (enum sample)sample);
			const size_t size =
				avd__message_frame(&message, seq++, frame, sizeof(frame));
			if (!size || fwrite(frame, 1, size, stdout) != size)
				return EXIT_FAILURE;
		}
	}
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Its value, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode_lines(void)
{
	static const char *const names[] = {"ok", "unknown-kind", "malformed", "invalid"};
	char *line = NULL;
	size_t capacity = 0;
	ssize_t len;
	while ((len = getline(&line, &capacity, stdin)) > 0) {
		/* decoded in place: two digits make a byte */
		uint8_t *bytes = (uint8_t *)line;
		const size_t size = (size_t)len / 2;
		for (size_t i = 0; i < size; i++) {
			const int high = hex_digit(line[2 * i]), low = hex_digit(line[2 * i + 1]);
			if (high < 0 || low < 0) {
				fprintf(stderr, "codec-peer: not a line of hex\n");
				free(line);
				return EXIT_FAILURE;
			}
			bytes[i] = (uint8_t)(high << 4 | low);
		}
		struct avd_message message;
		puts(names[avd__message_decode(bytes, size, &message)]);
	}
	free(line);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *command = argc == 2 ? argv[1] : "";
	if (strcmp(command, "fields") == 0)
		return print_fields();
	if (strcmp(command, "recording") == 0)
		return print_recording();
	if (strcmp(command, "decode") == 0)
		return decode_lines();
	fprintf(stderr, "usage: codec-peer fields|recording|decode\n");
	return 2;
}
