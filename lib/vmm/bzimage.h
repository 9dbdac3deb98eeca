/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A bzImage as it is, for kernels whose payload can't be unpacked here: it unpacks itself, which
 * takes the guest a second or so. Source: Documentation/arch/x86/boot.rst of the kernel.
 */
#ifndef AVD_LIB_VMM_BZIMAGE_H
#define AVD_LIB_VMM_BZIMAGE_H

#include <asm/bootparam.h>

#include "vmm/boot.h"

/* Its page tables map so much one to one (avd__boot_tables()); all that the image needs until it
 * has its own must lie there. */
#define AVD__BZIMAGE_MAPPED (UINT64_C(1) << 30)

struct avd__bzimage_place {
	uint64_t entry; /* of 64-bit code */
	uint64_t end; /* of what it needs while it unpacks itself */
	uint64_t initramfs_end; /* the initramfs has to end there or below */
	uint32_t cmdline_max; /* bytes, without the NUL */
};

/* Puts the protected-mode code at its place in memory and the image's own header into *ret_header,
 * for the caller to complete. Every field of the file's header is taken for hostile. -ENOEXEC: not
 * for this entry; -EBADMSG: damaged; -ENOMEM: the machine lacks the memory. */
int avd__bzimage_load(const struct avd__boot *boot, struct setup_header *ret_header,
		      struct avd__bzimage_place *ret_place, struct avd__error *error);

#endif
