/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_CELL_RECORDING_READ_H
#define AVD_LIB_CELL_RECORDING_READ_H

#include <attachverdict/stream.h>

#include "base/error.h"

/* The bytes that were read. */
struct avd__recording_sum {
	uint64_t bytes;
	uint32_t crc; /* CRC-32C */
};

/* Reads a whole recording; `path` is what to call it in a message, `fd` stays the caller's.
 * *ret_stream is finished, and has seen the cell frame; avd_stream_free(). -EBADMSG: it is no
 * recording; -EISDIR, -EFBIG, -ENOMEM; what reading fails with. */
int avd__recording_read(int fd, const char *path, avd_stream **ret_stream,
			struct avd__recording_sum *ret_sum, struct avd__error *error);

#endif
