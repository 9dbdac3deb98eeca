/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The cache of unpacked kernels: cache_dir/vmlinux/<key>, where key is the BLAKE2b-256 of
 * the image file. An entry is the ELF file followed by a trailer (key, size, CRC-64), by which a
 * torn or foreign file is told; whoever maps the ELF file never looks that far. An entry
 * comes under its name whole or not at all, and is never written to again.
 */
#ifndef AVD_LIB_IMAGE_CACHE_H
#define AVD_LIB_IMAGE_CACHE_H

#include "base/error.h"
#include "base/util.h"
#include "image/blake2b.h"

/* The least recently used entries beyond this go when a new one comes. One has about
 * 60 MB: this holds some thirty kernels. */
#define AVD__CACHE_VMLINUX_BYTES (UINT64_C(2048) << 20)

/* *ret_fd is read-only; *ret_size is the ELF file's, without the trailer. -ENOENT: no
 * sound entry (`error` is not set). */
int avd__cache_find(const char *cache_dir, const uint8_t key[AVD__BLAKE2B_SIZE], int *ret_fd,
		    uint64_t *ret_size, struct avd__error *error);

/* Stores an entry, replacing an unsound one; a sound one that another process has
 * stored meanwhile is as good. On failure nothing is left. -ENOSPC, -EDQUOT, -EACCES, -EROFS ...
 * name the directory and how to choose another. */
int avd__cache_store(const char *cache_dir, const uint8_t key[AVD__BLAKE2B_SIZE],
		     const uint8_t *vmlinux, size_t size, int *ret_fd, struct avd__error *error);

/* How the name of a file that is being written begins. */
#define AVD__CACHE_TEMP ".new-"

/* Removes temporary files of dead processes, and of the entries in `dir` the least recently used
 * ones until all have `max` bytes at most; not `keep`. Failures are left for the next time. */
void avd__cache_prune(const char *dir, const char *keep, uint64_t max);

#endif
