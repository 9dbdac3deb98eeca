/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The shared libraries that a dynamically linked program needs to start, found as
 * ld.so(8) finds them (LD_LIBRARY_PATH and /etc/ld.so.preload apart, which the guest has not), and
 * placed in an archive at the paths where ld.so will look in the guest. The host's
 * /etc/ld.so.cache goes along as it is: ld.so checks nothing of it but its format, and
 * entries whose file the guest lacks are skipped.
 */
#ifndef AVD_LIB_IMAGE_CLOSURE_H
#define AVD_LIB_IMAGE_CLOSURE_H

#include "image/archive.h"
#include "image/elfdyn.h"

/* Adds interpreter and libraries of the program at `path` (absolute), which is in the
 * archive already. Takes the contents of *dyn over, also on failure. -ENOENT: one is missing. */
int avd__closure_add(struct avd__initramfs *archive, const char *path, struct avd__elf_dyn *dyn,
		     struct avd__error *error);

#endif
