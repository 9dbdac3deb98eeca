// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/boot.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "codec/window.h"
#include "vmm/acpi.h"
#include "vmm/bzimage.h"

#define PAGE_SIZE 4096u
/* A vmlinux has five or so; a file that claims more is damaged. */
#define SEGMENTS_MAX 64u
#define KERNEL_START 0x100000u

static int read_at(const struct avd__boot *boot, int fd, uint64_t offset, void *into, size_t size,
		   const char *what, struct avd__error *error)
{
	const int64_t n = avd__pread_all(fd, into, size, offset);
	if (n < 0)
		return avd__fail(error, (int)-n, "cannot read %s of %s: %s", what,
				 boot->kernel_path, strerror((int)-n));
	if ((uint64_t)n < size)
		return avd__fail(error, EBADMSG, "%s is truncated: its %s is not complete",
				 boot->kernel_path, what);
	return 0;
}

static int load_segment(const struct avd__boot *boot, const Elf64_Phdr *segment,
			struct avd__error *error)
{
	const uint64_t start = segment->p_paddr;
	if (segment->p_filesz > segment->p_memsz || start < KERNEL_START ||
	    start >= boot->low_bytes || segment->p_memsz > boot->low_bytes - start)
		return avd__fail(error, ENOMEM,
				 "%s needs memory at %#llx (%llu bytes) that the machine lacks; "
				 "give it more memory",
				 boot->kernel_path, (unsigned long long)start,
				 (unsigned long long)segment->p_memsz);
	/* Fresh memory is zero already, so .bss costs nothing. */
	return read_at(boot, boot->kernel_fd, segment->p_offset, boot->memory + start,
		       segment->p_filesz, "loadable segment", error);
}

static int load_kernel(const struct avd__boot *boot, uint64_t *ret_entry, uint64_t *ret_end,
		       struct avd__error *error)
{
	Elf64_Ehdr header;
	int r = read_at(boot, boot->kernel_fd, 0, &header, sizeof(header), "ELF header", error);
	if (r < 0)
		return r;
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
	    header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > SEGMENTS_MAX)
		return avd__fail(error, ENOEXEC, "%s is not an x86_64 vmlinux", boot->kernel_path);
	uint64_t end = 0;
	bool entry_loaded = false;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;
		r = read_at(boot, boot->kernel_fd, header.e_phoff + i * sizeof(segment), &segment,
			    sizeof(segment), "program header", error);
		if (r < 0)
			return r;
		if (segment.p_type != PT_LOAD)
			continue;
		r = load_segment(boot, &segment, error);
		if (r < 0)
			return r;
		if (segment.p_paddr + segment.p_memsz > end)
			end = segment.p_paddr + segment.p_memsz;
		entry_loaded |= header.e_entry >= segment.p_paddr &&
				header.e_entry - segment.p_paddr < segment.p_filesz;
	}
	if (!entry_loaded)
		return avd__fail(error, EBADMSG, "%s: its entry point lies in none of its segments",
				 boot->kernel_path);
	*ret_entry = header.e_entry;
	*ret_end = end;
	return 0;
}

/* As high as it goes, so that the kernel's own early allocations have room below. */
static int load_initramfs(const struct avd__boot *boot, const struct avd__bzimage_place *place,
			  uint64_t *ret_at, struct avd__error *error)
{
	const uint64_t size = boot->initramfs_bytes;
	const uint64_t top =
		place->initramfs_end < boot->low_bytes ? place->initramfs_end : boot->low_bytes;
	const uint64_t at = size <= top ? (top - size) & ~(PAGE_SIZE - 1ull) : 0;
	if (at < place->end)
		return avd__fail(error, ENOMEM,
				 "kernel and initramfs (%llu bytes) do not fit into %llu MiB; give "
				 "the machine more memory",
				 (unsigned long long)size,
				 (unsigned long long)boot->low_bytes >> 20);
	*ret_at = at;
	return read_at(boot, boot->initramfs_fd, 0, boot->memory + at, size, "initramfs", error);
}

static void add_e820(struct boot_params *params, uint64_t start, uint64_t end, uint32_t type)
{
	if (start >= end)
		return;
	params->e820_table[params->e820_entries++] =
		(struct boot_e820_entry){.addr = start, .size = end - start, .type = type};
}

#define E820_RAM 1u
#define E820_RESERVED 2u

/* The parts of the header that say who loaded the kernel, and what came along. */
static void fill_header(const struct avd__boot *boot, uint64_t initramfs_at,
			struct setup_header *header)
{
	header->type_of_loader = 0xff; /* without a number of its own */
	header->loadflags = LOADED_HIGH;
	header->cmd_line_ptr = AVD__BOOT_CMDLINE;
	header->ramdisk_image = (uint32_t)initramfs_at; /* below AVD__MEMORY_LOW_MAX */
	header->ramdisk_size = initramfs_at ? (uint32_t)boot->initramfs_bytes : 0;
}

static void write_zero_page(const struct avd__boot *boot, const struct setup_header *header)
{
	struct boot_params params = {.hdr = *header};
	params.acpi_rsdp_addr = AVD__ACPI_BASE;
	add_e820(&params, 0, AVD__BOOT_LOW_END, E820_RAM);
	add_e820(&params, AVD__ACPI_BASE, AVD__ACPI_BASE + AVD__ACPI_SIZE, E820_RESERVED);
	add_e820(&params, KERNEL_START, boot->low_bytes, E820_RAM);
	/* Reserved, not absent: /dev/mem lets init map what the kernel knows to be no RAM. */
	if (boot->window)
		add_e820(&params, AVD__WINDOW_ADDRESS, AVD__WINDOW_ADDRESS + AVD__WINDOW_SIZE,
			 E820_RESERVED);
	add_e820(&params, AVD__MEMORY_HIGH, AVD__MEMORY_HIGH + boot->high_bytes, E820_RAM);
	memcpy(boot->memory + AVD__BOOT_ZERO_PAGE, &params, sizeof(params));
}

/* The first GiB mapped one to one by 2 MiB pages; the kernel makes its own tables at once. */
void avd__boot_tables(uint8_t *memory)
{
	uint64_t *pml4 = (uint64_t *)(void *)(memory + AVD__BOOT_PML4);
	uint64_t *pdpt = (uint64_t *)(void *)(memory + AVD__BOOT_PDPT);
	uint64_t *pd = (uint64_t *)(void *)(memory + AVD__BOOT_PD);
	pml4[0] = AVD__BOOT_PDPT | 3; /* present, writable */
	pdpt[0] = AVD__BOOT_PD | 3;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | 0x83; /* a 2 MiB page */
	/* __BOOT_CS and __BOOT_DS at the selectors that the protocol names. */
	static const uint64_t gdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};
	memcpy(memory + AVD__BOOT_GDT, gdt, sizeof(gdt));
}

int avd__boot_load(const struct avd__boot *boot, uint64_t *ret_entry, struct avd__error *error)
{
	struct setup_header header = {
		.boot_flag = 0xaa55,
		.header = 0x53726448, /* "HdrS" */
		.version = 0x020f,
		.cmdline_size = AVD__BOOT_CMDLINE_MAX,
		.kernel_alignment = 0x1000000,
	};
	struct avd__bzimage_place place = {
		.initramfs_end = UINT64_MAX,
		.cmdline_max = AVD__BOOT_CMDLINE_MAX - 1,
	};
	uint64_t initramfs_at = 0;
	const size_t cmdline_len = strlen(boot->cmdline);
	int r = boot->bzimage ? avd__bzimage_load(boot, &header, &place, error)
			      : load_kernel(boot, &place.entry, &place.end, error);
	if (r < 0)
		return r;
	const uint32_t cmdline_max = place.cmdline_max < AVD__BOOT_CMDLINE_MAX
					     ? place.cmdline_max
					     : AVD__BOOT_CMDLINE_MAX - 1;
	if (cmdline_len > cmdline_max)
		return avd__fail(error, E2BIG,
				 "the kernel's command line has %zu bytes; it may have %u; shorten "
				 "the additional arguments",
				 cmdline_len, cmdline_max);
	if (boot->initramfs_fd >= 0)
		r = load_initramfs(boot, &place, &initramfs_at, error);
	if (r < 0)
		return r;
	memcpy(boot->memory + AVD__BOOT_CMDLINE, boot->cmdline, cmdline_len + 1);
	fill_header(boot, initramfs_at, &header);
	write_zero_page(boot, &header);
	avd__boot_tables(boot->memory);
	*ret_entry = place.entry;
	return 0;
}
