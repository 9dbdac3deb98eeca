/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Decompression of a kernel's payload, bounded by the room that the caller gives. */
#ifndef AVD_LIB_IMAGE_UNPACK_H
#define AVD_LIB_IMAGE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum avd__compression {
	AVD__COMPRESSION_UNKNOWN = 0,
	AVD__COMPRESSION_NONE,
	AVD__COMPRESSION_ZSTD,
	AVD__COMPRESSION_XZ,
	AVD__COMPRESSION_GZIP,
	AVD__COMPRESSION_LZ4, /* the legacy format, as scripts/Makefile.lib has it */
	AVD__COMPRESSION_LZMA,
	AVD__COMPRESSION_LZO, /* told, not unpacked */
	AVD__COMPRESSION_BZIP2, /* told, not unpacked */
};

/* By the magic bytes, as the kernel's lib/decompress.c does. */
enum avd__compression avd__compression_detect(const uint8_t *bytes, size_t size);
const char *avd__compression_name(enum avd__compression compression);

/* Unpacks the whole of `in`. 0, -EBADMSG (damaged or cut off), -EFBIG (more than
 * out_size bytes), -ENOMEM, -EOPNOTSUPP. */
int avd__unpack(enum avd__compression compression, const uint8_t *in, size_t in_size, uint8_t *out,
		size_t out_size, size_t *ret_size);

#endif
