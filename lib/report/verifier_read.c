// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A file into a verifier: a recording by its frames, anything else as text. */
#include <attachverdict/stream.h>
#include <attachverdict/verifier.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "report/verifier_table.h"

/* As for recordings (recording.c): a log of that size is 16 times the largest that anyone waits
 * for. */
#define READ_MAX (UINT64_C(1) << 30)
#define READ_CHUNK ((size_t)256 * 1024)

struct reader {
	avd_verifier *verifier;
	avd_stream *stream; /* NULL for a text */
	int started, error;
	int only_recordings;
	int fd; /* not owned if it is standard input */
	const char *name;
};

static void take_event(void *userdata, const struct avd_event *event)
{
	struct reader *reader = userdata;
	/* Faults of the sequence are the verdict's matter; what was said is said. */
	if (event->message && !reader->error)
		reader->error = avd_verifier_feed_message(reader->verifier, event->message);
}

/* Frames start with the tag 55799 and an array of three, D9 D9F7 83. */
static int is_recording(const uint8_t *bytes, size_t size)
{
	static const uint8_t head[] = {0xd9, 0xd9, 0xf7, 0x83};
	return size >= sizeof(head) && memcmp(bytes, head, sizeof(head)) == 0;
}

static int start(struct reader *reader, const uint8_t *bytes, size_t size)
{
	struct avd_stream_options options = AVD_OPTIONS_INIT(struct avd_stream_options);
	reader->started = 1;
	if (!is_recording(bytes, size))
		return reader->only_recordings ? -EBADMSG : 0;
	options.flags = AVD_STREAM_RECORDING;
	options.on_event = take_event;
	options.userdata = reader;
	return avd_stream_new(&options, &reader->stream);
}

static int take_bytes(struct reader *reader, const uint8_t *bytes, size_t size)
{
	int r = reader->started ? 0 : start(reader, bytes, size);
	if (r < 0)
		return r;
	if (!reader->stream)
		return avd_verifier_feed(reader->verifier, bytes, size);
	r = avd_stream_feed(reader->stream, bytes, size);
	return r < 0 ? r : reader->error;
}

static int read_all(struct reader *reader, struct avd__error *error)
{
	uint64_t total = 0;
	uint8_t *chunk = malloc(READ_CHUNK);
	int64_t n = chunk ? 1 : -ENOMEM;
	while (n > 0) {
		/* A whole chunk, so that the first one has a whole head if the file does. */
		n = avd__read_all(reader->fd, chunk, READ_CHUNK);
		total += n > 0 ? (uint64_t)n : 0;
		if (total > READ_MAX)
			n = -EFBIG;
		if (n > 0) {
			const int r = take_bytes(reader, chunk, (size_t)n);
			n = r < 0 ? r : n;
		}
	}
	free(chunk);
	if (n == 0 && reader->stream) {
		avd_stream_finish(reader->stream);
		n = reader->error;
	}
	if (n == 0)
		n = avd_verifier_finish(reader->verifier);
	if (n < 0)
		return avd__fail(error, (int)-n, "cannot read %s: %s", reader->name,
				 n == -EFBIG ? "it has more than 1 GiB; is it a recording or a log?"
				 : n == -EBADMSG ? "it is no recording"
						 : strerror((int)-n));
	return 0;
}

static int open_input(const char *path, struct reader *reader, struct avd__error *error)
{
	struct stat st;
	if (strcmp(path, "-") == 0) {
		reader->fd = STDIN_FILENO;
		reader->name = "standard input";
		return 0;
	}
	reader->name = path;
	reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (reader->fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "cannot open %s: %s; name a recording or a log", path,
				 strerror(err));
	}
	if (fstat(reader->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		avd__close(&reader->fd);
		return avd__fail(error, EISDIR, "%s is a directory; name the recording in it",
				 path);
	}
	return 0;
}

/* A new verifier of what the reader's input holds. */
static int fill(struct reader *reader, const struct avd_verifier_options *options,
		avd_verifier **ret_verifier, struct avd__error *error)
{
	int r = avd_verifier_new(options, &reader->verifier);
	if (r < 0)
		avd__fail(error, -r, "cannot read %s: %s", reader->name, strerror(-r));
	else
		r = read_all(reader, error);
	avd_stream_free(reader->stream);
	if (r < 0) {
		avd_verifier_free(reader->verifier);
		return r;
	}
	*ret_verifier = reader->verifier;
	return 0;
}

static int verifier_read(const char *path, const struct avd_verifier_options *options,
			 avd_verifier **ret_verifier, struct avd__error *error)
{
	struct reader reader = {.fd = -1};
	int r = open_input(path, &reader, error);
	if (r < 0)
		return r;
	r = fill(&reader, options, ret_verifier, error);
	if (reader.fd != STDIN_FILENO)
		avd__close(&reader.fd);
	return r;
}

int avd__verifier_read_recording(int fd, const char *name, avd_verifier **ret_verifier,
				 struct avd__error *error)
{
	struct reader reader = {.fd = fd, .name = name, .only_recordings = 1};
	return fill(&reader, NULL, ret_verifier, error);
}

int avd_verifier_read(const char *path, const struct avd_verifier_options *options,
		      avd_verifier **ret_verifier, char *error, size_t error_size)
{
	struct avd__error message = {{0}};
	const int r = path && *path && ret_verifier
			      ? verifier_read(path, options, ret_verifier, &message)
			      : avd__fail(&message, EINVAL, "no recording and no log was named");
	if (r < 0)
		avd__error_copy(&message, error, error ? error_size : 0);
	return r;
}
