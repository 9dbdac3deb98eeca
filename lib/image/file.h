/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Host files that a user named: opened without blocking, read within their bounds. */
#ifndef AVD_LIB_IMAGE_FILE_H
#define AVD_LIB_IMAGE_FILE_H

#include <sys/stat.h>

#include "base/error.h"
#include "base/util.h"

/* Opens a regular file for reading; a FIFO or a device is refused without being opened,
 * so that nothing blocks and nothing is triggered. `what` names its part in the message ("kernel",
 * "program"). -EISDIR, -ENOENT, -EACCES, -EINVAL (a special file). */
int avd__file_open(const char *path, const char *what, int *ret_fd, struct stat *ret_stat,
		   struct avd__error *error);

/* Bytes that lie in memory (mem set) or in a file; reads past the end are errors. */
struct avd__source {
	const uint8_t *mem;
	int fd;
	uint64_t size;
};

/* 0, -EBADMSG (outside the source or cut off meanwhile) or the read's errno. */
int avd__source_read(const struct avd__source *source, uint64_t offset, void *bytes, size_t size);

/* A range of a source: in place if the source is memory, else a copy. */
struct avd__view {
	const uint8_t *data;
	size_t size;
	uint8_t *owned;
};

/* -EBADMSG outside the source, -E2BIG above `max`, -ENOMEM. */
int avd__view_get(const struct avd__source *source, uint64_t offset, uint64_t size, size_t max,
		  struct avd__view *ret_view);
void avd__view_free(struct avd__view *view);

/* Reads a whole small file. -EFBIG above `max`. *ret_bytes: free(); it ends with a NUL
 * that *ret_size does not count. */
int avd__file_read(int fd, size_t max, uint8_t **ret_bytes, size_t *ret_size);

#endif
