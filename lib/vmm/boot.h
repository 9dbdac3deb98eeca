/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Puts a kernel, its initramfs, command line and boot parameters into guest memory, for the
 * 64-bit entry: an uncompressed kernel, or a bzImage that unpacks itself. Source:
 * Documentation/arch/x86/boot.rst ("64-bit Boot Protocol") and zero-page.rst of the kernel.
 */
#ifndef AVD_LIB_VMM_BOOT_H
#define AVD_LIB_VMM_BOOT_H

#include <stdbool.h>

#include "base/error.h"

/* Where things stand in low memory; all below the first megabyte but the kernel. */
#define AVD__BOOT_GDT 0x500u
#define AVD__BOOT_ZERO_PAGE 0x7000u
#define AVD__BOOT_STACK 0x8ff0u
#define AVD__BOOT_PML4 0x9000u
#define AVD__BOOT_PDPT 0xa000u
#define AVD__BOOT_PD 0xb000u
#define AVD__BOOT_CMDLINE 0x20000u
#define AVD__BOOT_CMDLINE_MAX 2048u /* COMMAND_LINE_SIZE of x86 */
#define AVD__BOOT_LOW_END 0x9fc00u

/* RAM below the hole for devices, and where what doesn't fit goes on. */
#define AVD__MEMORY_LOW_MAX UINT64_C(0xc0000000)
#define AVD__MEMORY_HIGH UINT64_C(0x100000000)

struct avd__boot {
	uint8_t *memory; /* guest RAM; guest physical address 0 at its start */
	uint64_t low_bytes; /* RAM from 0 on */
	uint64_t high_bytes; /* RAM from AVD__MEMORY_HIGH on, behind low_bytes in `memory` */
	bool window; /* there is one at AVD__WINDOW_ADDRESS */
	bool bzimage; /* not a vmlinux */
	int kernel_fd;
	const char *kernel_path; /* for messages */
	int initramfs_fd;
	uint64_t initramfs_bytes;
	const char *cmdline;
};

/* *ret_entry: the guest physical address to start at, with AVD__BOOT_ZERO_PAGE in RSI. */
int avd__boot_load(const struct avd__boot *boot, uint64_t *ret_entry, struct avd__error *error);

/* Writes the GDT and the page tables that the 64-bit entry wants: the first GiB mapped one
 * to one. Memory is that of the guest from its address 0 on. */
void avd__boot_tables(uint8_t *memory);

#endif
