/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The file that keeps a cell's bytes. It is written without a name, or under a
 * temporary one where the file system can't do without, and appears under its own
 * name whole or not at all; a file that had the name before stays until then.
 */
#ifndef AVD_LIB_CELL_RECORDING_H
#define AVD_LIB_CELL_RECORDING_H

#include "base/error.h"

struct avd__recording {
	int fd; /* -1: nothing to record, or it failed */
	int dir_fd;
	char *path; /* final name, absolute */
	char *dir;
	char *temp; /* name while it is being written, NULL: it has none (O_TMPFILE) */
	int failed; /* 0, or a negative errno: what `error` tells */
	struct avd__error error;
};

#define AVD__RECORDING_INIT            \
	{                              \
		.fd = -1, .dir_fd = -1 \
	}

/* Opens the spool beside `path`. -EISDIR, -EINVAL (`path` is a device, a pipe or a dangling
 * link), -ENOENT (no such directory), -EACCES, -ENOSPC ... */
int avd__recording_open(struct avd__recording *recording, const char *path,
			struct avd__error *error);
/* Appends. The first failure is returned, and kept: the spool is given up at once, its space is
 * freed, later calls do nothing, and avd__recording_commit() reports it. */
int avd__recording_write(struct avd__recording *recording, const void *bytes, size_t size);
/* Gives the recording its name. 0, also when there is nothing to record; or the first failure. */
int avd__recording_commit(struct avd__recording *recording, struct avd__error *error);
/* Releases everything; what was not committed is gone. */
void avd__recording_close(struct avd__recording *recording);

#endif
