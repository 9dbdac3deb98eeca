/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Files that are no x86 kernel image: what they are instead, and what to do. */
#ifndef AVD_LIB_IMAGE_FOREIGN_H
#define AVD_LIB_IMAGE_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* As many first bytes of a file as it takes to tell. */
#define AVD__FOREIGN_HEAD 1024u

/* Always an error: -EBADMSG for an empty file, else -ENOEXEC. */
int avd__foreign_fail(const char *path, const uint8_t *head, size_t size, struct avd__error *error);

#endif
