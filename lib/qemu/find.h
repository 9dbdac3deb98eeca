/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_QEMU_FIND_H
#define AVD_LIB_QEMU_FIND_H

#include <stdbool.h>

#include "qemu/qemu.h"

struct avd__qemu {
	struct avd__qemu_info info;
};

/* A path, a name to be searched in $PATH, or NULL for qemu-system-x86_64 there. Runs it twice at
 * most, to read its version. -ENOENT, -EACCES, -EISDIR, -ENAMETOOLONG; -ENOEXEC: not a QEMU;
 * -ETIMEDOUT: it hangs. */
int avd__qemu_open(const char *path, struct avd__qemu *ret_qemu, struct avd__error *error);

#endif
