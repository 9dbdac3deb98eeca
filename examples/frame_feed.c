// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The verdict of a channel that is not the library's: bytes come from a transport of one's own,
 * here standard input, be it a pipe, a socket, a virtio port or a file, in pieces of any size.
 * Prints each frame, and the outcome as soon as it is known.
 *
 *     cc frame_feed.c $(pkg-config --cflags --libs libattachverdict) -o frame_feed
 *     ./frame_feed recording <cell.avd
 *     ./frame_feed NONCE [END-CAUSE] <channel      NONCE: 32 hexadecimal digits, of the cell
 *
 * END-CAUSE is how the machine ended ("guest-shutdown", "triple-fault" ...), which the bytes of a
 * guest can't tell: whoever ran the machine knows. A recording has it in its last frame.
 *
 * Exit status: 0 passed, 1 failed with a verdict, 2 usage, 3 could not be read.
 */
#include <attachverdict/attachverdict.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct feed {
	avd_stream *stream;
	uint32_t outcome; /* as told so far */
};

/* Runs inside avd_stream_feed(), for each frame and for whatever is no frame. */
static void on_event(void *userdata, const struct avd_event *event)
{
	struct feed *feed = userdata;
	struct avd_verdict verdict;

	if (event->message)
		printf("%" PRIu64 ".%03u %s", event->message->time_ns / 1000000000,
		       (unsigned)(event->message->time_ns / 1000000 % 1000),
		       avd_message_kind_name(event->message->kind));
	else
		printf("at byte %" PRIu64 ":", event->offset);
	printf("%s%s\n", event->detail ? " FAULT " : "", event->detail ? event->detail : "");

	/* Told again if it changes: a death that is reported later beats even ATTACHED. */
	avd_stream_verdict(feed->stream, &verdict);
	if (verdict.outcome != feed->outcome) {
		feed->outcome = verdict.outcome;
		printf("known now: %s %s\n", avd_outcome_name(verdict.outcome), verdict.reason);
		fflush(stdout);
	}
}

static int parse_nonce(const char *text, uint8_t nonce[AVD_NONCE_SIZE])
{
	if (strlen(text) != 2 * AVD_NONCE_SIZE ||
	    strspn(text, "0123456789abcdefABCDEF") != 2 * AVD_NONCE_SIZE)
		return -1;
	for (size_t i = 0; i < AVD_NONCE_SIZE; i++) {
		const char digits[3] = {text[2 * i], text[2 * i + 1], 0};
		nonce[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return 0;
}

static int parse_cause(const char *name, uint32_t *ret_cause)
{
	for (uint32_t cause = AVD_END_UNKNOWN; cause <= AVD_END_MACHINE_KILLED; cause++) {
		if (strcmp(avd_end_cause_name(cause), name) == 0) {
			*ret_cause = cause;
			return 0;
		}
	}
	return -1;
}

/* Until the other side ends. 0 or a negative errno. */
static int read_all(int fd, avd_stream *stream)
{
	uint8_t bytes[4096];

	for (;;) {
		const ssize_t n = read(fd, bytes, sizeof(bytes));
		if (n == 0)
			return 0;
		if (n > 0) {
			const int r = avd_stream_feed(stream, bytes, (size_t)n);
			if (r < 0)
				return r;
		} else if (errno == EAGAIN) { /* a descriptor that does not block */
			struct pollfd ready = {fd, POLLIN, 0};
			poll(&ready, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

int main(int argc, char **argv)
{
	struct avd_stream_options options = AVD_OPTIONS_INIT(struct avd_stream_options);
	struct avd_message end = {0};
	struct feed feed = {0};
	uint8_t nonce[AVD_NONCE_SIZE];
	struct avd_verdict verdict = {0};
	char line[2048];

	end.kind = AVD_MSG_END_CAUSE;
	if (argc == 2 && strcmp(argv[1], "recording") == 0) {
		options.flags = AVD_STREAM_RECORDING;
	} else if (argc >= 2 && argc <= 3 && parse_nonce(argv[1], nonce) == 0 &&
		   (argc == 2 || parse_cause(argv[2], &end.u.end_cause.cause) == 0)) {
		options.nonce = nonce;
		options.nonce_size = sizeof(nonce);
	} else {
		fprintf(stderr, "usage: %s recording | NONCE [END-CAUSE]\n", argv[0]);
		return 2;
	}
	options.on_event = on_event;
	options.userdata = &feed;

	int r = avd_stream_new(&options, &feed.stream);
	if (r == 0)
		r = read_all(STDIN_FILENO, feed.stream);
	if (r == 0)
		r = argc == 3 ? avd_stream_end(feed.stream, &end) : avd_stream_finish(feed.stream);
	if (r == 0)
		r = avd_stream_verdict(feed.stream, &verdict);
	avd_stream_free(feed.stream);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-r));
		return 3;
	}
	avd_verdict_print(&verdict, line, sizeof(line));
	puts(line);
	return verdict.result == AVD_RESULT_PASSED ? 0 : 1;
}
