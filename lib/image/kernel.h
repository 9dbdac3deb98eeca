/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A kernel image opened for booting; the public description stands in attachverdict/kernel.h. */
#ifndef AVD_LIB_IMAGE_KERNEL_H
#define AVD_LIB_IMAGE_KERNEL_H

#include <attachverdict/kernel.h>

#include "base/error.h"
#include "base/util.h"

struct avd__kernel;

/* A larger image, or a vmlinux (given or unpacked) larger than the second, is refused. Images have
 * 10 to 40 MB; a vmlinux with debug information reaches 1 GB. */
#define AVD__KERNEL_IMAGE_MAX (UINT64_C(512) << 20)
#define AVD__KERNEL_VMLINUX_MAX (UINT64_C(2048) << 20)

/* Reads the image's header, quickly: nothing is unpacked. Errors as avd_kernel_describe() has them.
 */
int avd__kernel_open(const char *path, struct avd__kernel **ret_kernel, struct avd__error *error);
void avd__kernel_free(struct avd__kernel *kernel);
/* Of a bzImage, what only the unpacked kernel tells (sched_ext, btf, pvh, config_source) is unknown
 * until avd__kernel_vmlinux() or avd__kernel_inspect() has succeeded. */
const struct avd_kernel_info *avd__kernel_info(const struct avd__kernel *kernel);
/* Completes the info, unpacking in memory; avd__kernel_vmlinux() does it on the way. */
int avd__kernel_inspect(struct avd__kernel *kernel, struct avd__error *error);

/* The uncompressed ELF vmlinux: the file itself, or the one in the cache
 * (cache_dir/vmlinux/<content key>; NULL: the default cache), unpacked there first if needed. Bytes
 * may follow the ELF file's own. Safe when several processes
 * race; a torn or foreign cache file is noticed and replaced. *ret_fd is read-only and the caller's
 * to close. -ENOSPC and the like name the cache directory and how to choose another; -ENOTSUP: a
 * bzImage that is packed in a way that is not supported. */
int avd__kernel_vmlinux(struct avd__kernel *kernel, const char *cache_dir, int *ret_fd,
			struct avd__error *error);

#endif
