// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/report.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "verdict/evidence.h"

/* A cell records at most 256 MiB of its guest (lib/cell/limits.h). Four times that leaves room
 * for other recorders and still ends the reading of a file that is something else altogether. */
#define RECORDING_MAX (UINT64_C(1) << 30)
/* What is read at a time: large enough to be quick, small enough to allocate without thought. */
#define RECORDING_CHUNK ((size_t)256 * 1024)
/* The cell frame comes first and fits here (a frame's payload is at most 1 MiB). */
#define RECORDING_FIRST_FRAME_MAX (UINT64_C(2) << 20)

static int not_a_recording(const char *path, const char *what, struct avd__error *error)
{
	return avd__fail(error, EBADMSG,
			 "%s is no recording: %s; name a file that `attachverdict run --record` "
			 "wrote",
			 path, what);
}

/* Opens a regular file, without ever waiting for one that is not. */
static int open_recording(const char *path, struct avd__error *error)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "cannot open the recording %s: %s", path,
				 strerror(err));
	}
	int r = 0;
	if (fstat(fd, &st) < 0) {
		const int err = errno;
		r = avd__fail(error, err, "cannot look at the recording %s: %s", path,
			      strerror(err));
	} else if (S_ISDIR(st.st_mode)) {
		r = avd__fail(error, EISDIR, "%s is a directory; name the recording in it", path);
	} else if (!S_ISREG(st.st_mode)) {
		r = not_a_recording(path, "not a regular file", error);
	} else if ((uint64_t)st.st_size > RECORDING_MAX) {
		r = avd__fail(error, EFBIG,
			      "%s has %lld bytes, a recording has at most %llu; is it one?", path,
			      (long long)st.st_size, (unsigned long long)RECORDING_MAX);
	}
	if (r < 0) {
		avd__close(&fd);
		return r;
	}
	return fd;
}

static int feed_file(int fd, const char *path, avd_stream *stream, uint8_t *chunk,
		     struct avd__error *error)
{
	uint64_t offset = 0;
	for (;;) {
		const int64_t n = avd__pread_all(fd, chunk, RECORDING_CHUNK, offset);
		if (n < 0)
			return avd__fail(error, (int)-n, "cannot read the recording %s: %s", path,
					 strerror((int)-n));
		if (n == 0)
			break;
		const int r = avd_stream_feed(stream, chunk, (size_t)n);
		if (r < 0)
			return avd__fail(error, -r, "cannot judge the recording %s: %s", path,
					 strerror(-r));
		offset += (uint64_t)n;
		if (offset > RECORDING_MAX) /* it grows while it is read */
			return avd__fail(error, EFBIG, "%s grows beyond %llu bytes; is it one?",
					 path, (unsigned long long)RECORDING_MAX);
		if (offset > RECORDING_FIRST_FRAME_MAX && !avd__stream_evidence(stream)->have_cell)
			break;
	}
	avd_stream_finish(stream);
	if (offset == 0)
		return not_a_recording(path, "it is empty", error);
	if (!avd__stream_evidence(stream)->have_cell)
		return not_a_recording(path, "its first frame does not say what was asked", error);
	return 0;
}

static int recording_read(const char *path, avd_stream **ret_stream, struct avd__error *error)
{
	int fd = open_recording(path, error);
	if (fd < 0)
		return fd;

	struct avd_stream_options options = AVD_OPTIONS_INIT(struct avd_stream_options);
	options.flags = AVD_STREAM_RECORDING;
	avd_stream *stream = NULL;
	uint8_t *chunk = malloc(RECORDING_CHUNK);
	int r = chunk ? avd_stream_new(&options, &stream) : -ENOMEM;
	if (r < 0)
		avd__fail(error, -r, "cannot read the recording %s: %s", path, strerror(-r));
	else
		r = feed_file(fd, path, stream, chunk, error);
	free(chunk);
	avd__close(&fd);
	if (r < 0) {
		avd_stream_free(stream);
		return r;
	}
	*ret_stream = stream;
	return 0;
}

int avd_recording_read(const char *path, avd_stream **ret_stream, char *error, size_t error_size)
{
	struct avd__error message = {{0}};
	const int r = path && *path && ret_stream
			      ? recording_read(path, ret_stream, &message)
			      : avd__fail(&message, EINVAL, "no recording was named");
	if (r < 0)
		avd__error_copy(&message, error, error ? error_size : 0);
	return r;
}
