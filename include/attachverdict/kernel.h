/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Kernel images: what they are, and which ones this user has.
 */
#ifndef ATTACHVERDICT_KERNEL_H
#define ATTACHVERDICT_KERNEL_H

#include <attachverdict/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avd_tristate { AVD_UNKNOWN = 0, AVD_NO = 1, AVD_YES = 2 };

enum avd_kernel_format {
	AVD_KERNEL_BZIMAGE = 1,
	AVD_KERNEL_VMLINUX = 2,
};

/* Fixed layout; unused bytes are zero. */
struct avd_kernel_info {
	uint32_t format; /* enum avd_kernel_format */
	uint32_t sched_ext; /* enum avd_tristate */
	uint32_t btf; /* enum avd_tristate */
	uint32_t pvh; /* enum avd_tristate: has the PVH entry note */
	uint64_t image_bytes; /* of the file */
	uint64_t vmlinux_bytes; /* uncompressed, 0 if not known */
	char release[128]; /* as utsname.release, empty if not known */
	char compression[16]; /* "zstd", "xz", "gzip", "lz4", "none" ...; "unknown" */
	char config_source[16]; /* where sched_ext was read: "ikconfig", "config", "btf", "" */
	uint64_t reserved[8];
};

/* Reads the image at `path`. On failure writes one line that names the file and
 * the remedy to `error` (if error_size > 0). -ENOENT, -EACCES, -EISDIR;
 * -ENOEXEC: not an x86_64 Linux kernel; -EBADMSG: truncated or damaged.
 * Thread-safe. Since 0.1. */
AVD_API int avd_kernel_describe(const char *path, struct avd_kernel_info *ret_info, char *error,
				size_t error_size);

/* Called for each kernel found; nonzero ends the walk and is returned. */
typedef int (*avd_kernel_fn)(void *userdata, const char *path, const char *origin);

/* Walks the running kernel's image ("running"), those of /boot and
 * /usr/lib/modules ("installed") and the fetched ones under cache_dir/kernels
 * ("fetched", newest release first). cache_dir NULL: the default cache. Since 0.1. */
AVD_API int avd_kernel_list(const char *cache_dir, avd_kernel_fn fn, void *userdata);

/* The kernel to use when none was named: the running one if it has sched_ext and
 * can be read, else the newest fetched one with sched_ext. -ENOENT with a line in `error`
 * that names the command to fetch one. *ret_path: free it with avd_free(). Since 0.1. */
AVD_API int avd_kernel_default(const char *cache_dir, char **ret_path, char *error,
			       size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
