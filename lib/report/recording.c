// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/report.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "sweep/result.h"

int avd_recording_read(const char *path, avd_stream **ret_stream, char *error, size_t error_size)
{
	struct avd__recording_sum ignored = {0};
	struct avd__error message = {{0}};
	int r = 0;
	if (!path || !*path || !ret_stream) {
		r = avd__fail(&message, EINVAL, "no recording was named");
	} else {
		/* Never waits for a file that is none. */
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		const int err = errno;
		r = fd < 0 ? avd__fail(&message, err, "cannot open the recording %s: %s", path,
				       strerror(err))
			   : avd__recording_read(fd, path, ret_stream, &ignored, &message);
		avd__close(&fd);
	}
	if (r < 0)
		avd__error_copy(&message, error, error ? error_size : 0);
	return r;
}

int avd_results_recording(const avd_results *results, size_t index, avd_stream **ret_stream,
			  char *error, size_t error_size)
{
	struct avd__recording_sum ignored;
	struct avd__error message = {{0}};
	const int r = avd__results_read_recording(results, index, ret_stream, &ignored, &message);
	if (r < 0)
		avd__error_copy(&message, error, error ? error_size : 0);
	return r;
}
