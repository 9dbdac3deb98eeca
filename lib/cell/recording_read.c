// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/recording_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "codec/crc32c.h"
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

/* A regular file, and not too large. */
static int check_file(int fd, const char *path, struct avd__error *error)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		const int err = errno;
		return avd__fail(error, err, "cannot look at the recording %s: %s", path,
				 strerror(err));
	}
	if (S_ISDIR(st.st_mode))
		return avd__fail(error, EISDIR, "%s is a directory; name the recording in it",
				 path);
	if (!S_ISREG(st.st_mode))
		return avd__fail(error, EBADMSG,
				 "%s is no recording: not a regular file; name one that "
				 "`attachverdict run --record` wrote, or pipe it into "
				 "`attachverdict replay -`",
				 path);
	if ((uint64_t)st.st_size > RECORDING_MAX)
		return avd__fail(error, EFBIG,
				 "%s has %lld bytes, a recording has at most %llu; is it one?",
				 path, (long long)st.st_size, (unsigned long long)RECORDING_MAX);
	return 0;
}

static int feed_file(int fd, const char *path, avd_stream *stream, uint8_t *chunk,
		     struct avd__recording_sum *sum, struct avd__error *error)
{
	for (;;) {
		const int64_t n = avd__pread_all(fd, chunk, RECORDING_CHUNK, sum->bytes);
		if (n < 0)
			return avd__fail(error, (int)-n, "cannot read the recording %s: %s", path,
					 strerror((int)-n));
		if (n == 0)
			break;
		const int r = avd_stream_feed(stream, chunk, (size_t)n);
		if (r < 0)
			return avd__fail(error, -r, "cannot judge the recording %s: %s", path,
					 strerror(-r));
		sum->bytes += (uint64_t)n;
		sum->crc = avd__crc32c(sum->crc, chunk, (size_t)n);
		if (sum->bytes > RECORDING_MAX) /* it grows while it is read */
			return avd__fail(error, EFBIG, "%s grows beyond %llu bytes; is it one?",
					 path, (unsigned long long)RECORDING_MAX);
		if (sum->bytes > RECORDING_FIRST_FRAME_MAX &&
		    !avd__stream_evidence(stream)->have_cell)
			break;
	}
	avd_stream_finish(stream);
	if (sum->bytes == 0)
		return not_a_recording(path, "it is empty", error);
	if (!avd__stream_evidence(stream)->have_cell)
		return not_a_recording(path, "its first frame does not say what was asked", error);
	return 0;
}

int avd__recording_read(int fd, const char *path, avd_stream **ret_stream,
			struct avd__recording_sum *ret_sum, struct avd__error *error)
{
	struct avd_stream_options options = AVD_OPTIONS_INIT(struct avd_stream_options);
	options.flags = AVD_STREAM_RECORDING;
	struct avd__recording_sum sum = {0};
	avd_stream *stream = NULL;
	uint8_t *chunk = NULL;
	int r = check_file(fd, path, error);
	if (r == 0) {
		chunk = malloc(RECORDING_CHUNK);
		r = chunk ? avd_stream_new(&options, &stream) : -ENOMEM;
		if (r < 0)
			avd__fail(error, -r, "cannot read the recording %s: %s", path,
				  strerror(-r));
	}
	if (r == 0)
		r = feed_file(fd, path, stream, chunk, &sum, error);
	free(chunk);
	if (r < 0) {
		avd_stream_free(stream);
		return r;
	}
	*ret_stream = stream;
	*ret_sum = sum;
	return 0;
}
