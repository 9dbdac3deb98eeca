/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A newc cpio archive written straight into a memfd: no cpio program, no file on disk. */
#ifndef AVD_LIB_IMAGE_INITRAMFS_H
#define AVD_LIB_IMAGE_INITRAMFS_H

#include "base/error.h"
#include "base/util.h"

struct avd__initramfs;

/* All that an archive may hold; more is an error that names the file. */
#define AVD__INITRAMFS_MAX (UINT64_C(1024) << 20)

int avd__initramfs_new(struct avd__initramfs **ret_archive, struct avd__error *error);
void avd__initramfs_free(struct avd__initramfs *archive);

/*
 * For all additions: parents are made as needed, symlinks of the archive are followed as the
 * guest's kernel will follow them; a path twice with the same content is fine (permissions add
 * up), with another one -EEXIST. -EINVAL: a guest path that is not absolute, has "..", or lies
 * under /dev, /proc or /sys, which the guest mounts over. A failed addition leaves the archive
 * sound, perhaps with directories or symlinks more.
 */
int avd__initramfs_add_bytes(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
			     const void *bytes, size_t size, struct avd__error *error);
int avd__initramfs_add_dir(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
			   struct avd__error *error);
int avd__initramfs_add_symlink(struct avd__initramfs *archive, const char *guest_path,
			       const char *target, struct avd__error *error);
/* A file, or a directory with all in it, sorted by name: symlinks inside stay symlinks; sockets,
 * FIFOs and devices inside are left out, since they hold nothing that could be carried; named
 * themselves they are an error (-EINVAL). */
int avd__initramfs_add_path(struct avd__initramfs *archive, const char *host_path,
			    const char *guest_path, struct avd__error *error);

enum avd__program_kind {
	AVD__PROGRAM_ELF = 1, /* executable for x86_64, with interpreter and libraries if dynamic */
	AVD__PROGRAM_SCRIPT = 2, /* "#!": the interpreter and its libraries come along */
	AVD__PROGRAM_BPF = 3, /* BPF object: the guest's init loads it */
};

/* A program with all that it needs to start (PT_INTERP, DT_NEEDED, RPATH/RUNPATH with $ORIGIN,
 * ld.so.cache, default directories), each at its own host path; symlinks on the way are mirrored,
 * /etc/ld.so.cache goes along. Libraries that a program opens by itself (dlopen, NSS) and
 * modules of script languages do not: include those. guest path = the absolute
 * host path, returned in *ret_guest_path (free()). Errors name the file and the remedy: -ENOENT
 * (also a missing library, named), -EISDIR, -EACCES (not executable), -ENOEXEC (other architecture,
 * neither ELF nor script). */
int avd__initramfs_add_program(struct avd__initramfs *archive, const char *host_path,
			       enum avd__program_kind *ret_kind, char **ret_guest_path,
			       struct avd__error *error);

/* Writes the trailer and seals. *ret_fd belongs to the caller. */
int avd__initramfs_finish(struct avd__initramfs *archive, int *ret_fd, uint64_t *ret_size,
			  struct avd__error *error);

#endif
