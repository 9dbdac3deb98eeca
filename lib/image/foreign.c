// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/foreign.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "image/unpack.h"

static bool has(const uint8_t *head, size_t size, size_t at, const void *magic, size_t len)
{
	return at + len <= size && !memcmp(head + at, magic, len);
}

static bool is_text(const uint8_t *head, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const uint8_t c = head[i];
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7f)
			return false;
	}
	return true;
}

int avd__foreign_fail(const char *path, const uint8_t *head, size_t size, struct avd__error *error)
{
	if (size == 0)
		return avd__fail(error, EBADMSG, "kernel %s: is an empty file; copy it again",
				 path);
	/* Documentation/arch/arm64/booting.rst and arch/riscv/boot-image-header.rst */
	if (has(head, size, 56, "ARM\x64", 4))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: is an aarch64 kernel; take an x86_64 kernel", path);
	if (has(head, size, 56, "RSC\x05", 4))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: is a riscv kernel; take an x86_64 kernel", path);
	/* drivers/firmware/efi/libstub/zboot-header.S */
	if (has(head, size, 0, "MZ", 2) && has(head, size, 4, "zimg", 4))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: is a compressed EFI image (zboot) of another "
				 "architecture; take an x86_64 kernel",
				 path);
	if (has(head, size, 0, "MZ", 2))
		return avd__fail(
			error, ENOEXEC,
			"kernel %s: is an EFI program without a Linux boot header; if it "
			"is a unified kernel image, take the kernel out: objcopy -O binary "
			"--only-section=.linux FILE vmlinuz",
			path);
	const enum avd__compression compression = avd__compression_detect(head, size);
	if (compression != AVD__COMPRESSION_UNKNOWN && compression != AVD__COMPRESSION_NONE)
		return avd__fail(error, ENOEXEC,
				 "kernel %s: is a file compressed with %s, not a kernel image; "
				 "unpack it first",
				 path, avd__compression_name(compression));
	if (is_text(head, size))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: is a text file, not a kernel; name a vmlinuz, bzImage "
				 "or vmlinux",
				 path);
	return avd__fail(error, ENOEXEC,
			 "kernel %s: is not an x86_64 kernel image (no \"HdrS\" header, not ELF); "
			 "name a vmlinuz, bzImage or vmlinux",
			 path);
}
