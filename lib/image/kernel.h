/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A kernel image opened for booting; the public description stands in attachverdict/kernel.h. */
#ifndef AVD_LIB_IMAGE_KERNEL_H
#define AVD_LIB_IMAGE_KERNEL_H

#include <attachverdict/kernel.h>

#include "base/error.h"
#include "base/util.h"

struct avd__kernel;

/* A kernel larger than this, or one that claims to unpack to more, is refused. */
#define AVD__KERNEL_IMAGE_MAX (UINT64_C(512) << 20)
#define AVD__KERNEL_VMLINUX_MAX (UINT64_C(2048) << 20)

int avd__kernel_open(const char *path, struct avd__kernel **ret_kernel, struct avd__error *error);
void avd__kernel_free(struct avd__kernel *kernel);
const struct avd_kernel_info *avd__kernel_info(const struct avd__kernel *kernel);

/* The uncompressed ELF vmlinux: the file itself, or the one in the cache
 * (cache_dir/vmlinux/<content key>), unpacked there first if needed. Safe when several processes
 * race; a torn or foreign cache file is noticed and replaced. *ret_fd is read-only and the caller's
 * to close. -ENOSPC and the like name the cache directory and how to choose another. */
int avd__kernel_vmlinux(struct avd__kernel *kernel, const char *cache_dir, int *ret_fd,
			struct avd__error *error);

#endif
