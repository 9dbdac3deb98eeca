/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The real-mode header of an x86 kernel image (Documentation/arch/x86/boot.rst). */
#ifndef AVD_LIB_IMAGE_BZIMAGE_H
#define AVD_LIB_IMAGE_BZIMAGE_H

#include "base/error.h"
#include "image/file.h"
#include "image/unpack.h"

struct avd__bzimage {
	uint16_t protocol; /* 0x020f is 2.15 */
	char release[128]; /* empty if the header has none */
	uint64_t payload_offset; /* from the start of the file */
	uint64_t payload_size; /* without the size that stands behind it */
	uint64_t unpacked_size; /* what the image claims */
	enum avd__compression compression;
};

/* Whether the bytes begin like an x86 boot image (the "HdrS" magic). */
bool avd__bzimage_is(const uint8_t *head, size_t size);

/* Reads the header and checks that all that it speaks of is in the file.
 * -EBADMSG: truncated or damaged; -ENOEXEC: not for x86_64. With an unpacked_size of 0 it is packed
 * in a way that is not supported: it can be booted, but not looked into. */
int avd__bzimage_parse(const struct avd__source *image, const char *path,
		       struct avd__bzimage *ret_bzimage, struct avd__error *error);

#endif
