// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/bzimage.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"

#define SECTOR 512u
#define HEADER_AT 0x1f1u
/* The byte at 0x201, an offset of a jump at 0x200, says where the header ends. */
#define HEADER_END_BYTE 0x201u
#define HEADER_END_BASE 0x202u
/* setup_sects 0 means 4. */
#define SETUP_SECTORS_DEFAULT 4u
/* xloadflags and the 64-bit entry came with 2.12 (Linux 3.8). */
#define PROTOCOL_MIN 0x020cu
#define HEADER_MAGIC 0x53726448u /* "HdrS" */
/* The 64-bit entry, from the start of the loaded code. */
#define ENTRY_OFFSET 0x200u
/* Code goes above the first megabyte. */
#define LOAD_MIN 0x100000u
/* COMMAND_LINE_SIZE of an image that does not say. */
#define CMDLINE_DEFAULT 255u

static int fail_damaged(const struct avd__boot *boot, const char *what, struct avd__error *error)
{
	return avd__fail(error, EBADMSG, "kernel %s: %s, the image is damaged; copy it again",
			 boot->kernel_path, what);
}

static int read_exactly(const struct avd__boot *boot, uint64_t offset, void *into, size_t size,
			struct avd__error *error)
{
	const int64_t n = avd__pread_all(boot->kernel_fd, into, size, offset);
	if (n < 0)
		return avd__fail(error, (int)-n, "kernel %s: cannot be read: %s", boot->kernel_path,
				 strerror((int)-n));
	if ((uint64_t)n < size)
		return fail_damaged(boot, "ends too early", error);
	return 0;
}

/* The header as far as the image has it and we know it; the rest is zero. */
static int read_header(const struct avd__boot *boot, struct setup_header *ret_header,
		       struct avd__error *error)
{
	uint8_t head[HEADER_AT + sizeof(*ret_header)];
	int r = read_exactly(boot, 0, head, sizeof(head), error);
	if (r < 0)
		return r;
	size_t size = HEADER_END_BASE + head[HEADER_END_BYTE] - HEADER_AT;
	if (size > sizeof(*ret_header))
		size = sizeof(*ret_header);
	struct setup_header header = {0};
	memcpy(&header, head + HEADER_AT, size);
	if (header.boot_flag != 0xaa55 || header.header != HEADER_MAGIC)
		return fail_damaged(boot, "has no boot header", error);
	if (header.version < PROTOCOL_MIN || !(header.xloadflags & XLF_KERNEL_64))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: has no 64-bit entry (boot protocol %d.%02d); take an "
				 "x86_64 kernel of 3.8 or later",
				 boot->kernel_path, header.version >> 8, header.version & 0xff);
	*ret_header = header;
	return 0;
}

/* Where the preferred address does not do, the lowest aligned one does if it may be moved. */
static int choose_address(const struct avd__boot *boot, const struct setup_header *header,
			  uint64_t *ret_start, struct avd__error *error)
{
	const uint64_t limit =
		boot->low_bytes < AVD__BZIMAGE_MAPPED ? boot->low_bytes : AVD__BZIMAGE_MAPPED;
	const uint64_t align = header->kernel_alignment;
	const uint64_t need = header->init_size;
	if (!align || (align & (align - 1)))
		return fail_damaged(boot, "its alignment is no power of two", error);
	uint64_t start = header->pref_address;
	const bool movable = header->relocatable_kernel;
	if (movable && (start < LOAD_MIN || start > limit || need > limit - start || start % align))
		start = (LOAD_MIN + align - 1) & ~(align - 1);
	if (start < LOAD_MIN || start > limit || need > limit - start)
		return avd__fail(error, ENOMEM,
				 "kernel %s: unpacks itself in %u MiB at %#llx, and the machine "
				 "has %llu MiB there; give it more memory",
				 boot->kernel_path, header->init_size >> 20,
				 (unsigned long long)start, (unsigned long long)limit >> 20);
	*ret_start = start;
	return 0;
}

int avd__bzimage_load(const struct avd__boot *boot, struct setup_header *ret_header,
		      struct avd__bzimage_place *ret_place, struct avd__error *error)
{
	struct setup_header header;
	uint64_t start = 0;
	int r = read_header(boot, &header, error);
	if (r == 0)
		r = choose_address(boot, &header, &start, error);
	if (r < 0)
		return r;
	const uint64_t sectors = header.setup_sects ? header.setup_sects : SETUP_SECTORS_DEFAULT;
	const uint64_t size = (uint64_t)header.syssize * 16;
	if (size <= ENTRY_OFFSET || size > header.init_size)
		return fail_damaged(boot, "its code and the memory for it do not match", error);
	r = read_exactly(boot, (sectors + 1) * SECTOR, boot->memory + start, size, error);
	if (r < 0)
		return r;
	*ret_place = (struct avd__bzimage_place){
		.entry = start + ENTRY_OFFSET,
		.end = start + header.init_size,
		.initramfs_end = (uint64_t)header.initrd_addr_max + 1,
		.cmdline_max = header.cmdline_size ? header.cmdline_size : CMDLINE_DEFAULT,
	};
	header.code32_start = (uint32_t)start; /* below AVD__BZIMAGE_MAPPED */
	header.setup_data = 0; /* a list in memory that nobody made */
	header.vid_mode = 0xffff; /* normal */
	*ret_header = header;
	return 0;
}
