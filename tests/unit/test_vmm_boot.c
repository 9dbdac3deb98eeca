// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Where the KVM machine puts a bzImage, and what it makes of headers that lie. */
#include <asm/bootparam.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "run_suite.h"
#include "vmm/boot.h"

#define MEMORY (64u << 20)
/* Before and behind the memory: nobody may write there. */
#define GUARD (1u << 20)
#define SETUP_SECTORS 3u
#define CODE_BYTES 0x3000u
#define CODE_AT ((SETUP_SECTORS + 1) * 512)
#define INITRAMFS_BYTES 5000u

static uint8_t *memory;
static struct setup_header header;
static uint8_t file[CODE_AT + CODE_BYTES];

static void setup(void)
{
	/* A mapping: fresh memory costs nothing, however often. */
	uint8_t *mapped =
		mmap(NULL, MEMORY + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(mapped != MAP_FAILED);
	memory = mapped + GUARD;
	ck_assert_int_eq(mprotect(memory, MEMORY, PROT_READ | PROT_WRITE), 0);
	memset(file, 0, sizeof(file));
	for (size_t i = 0; i < CODE_BYTES; i++)
		file[CODE_AT + i] = (uint8_t)(i * 31 + 7);
	header = (struct setup_header){
		.setup_sects = SETUP_SECTORS,
		.syssize = CODE_BYTES / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb, /* to 0x202 + 0x6a: behind kernel_info_offset, the last field */
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH | KASLR_FLAG | KEEP_SEGMENTS,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 2u << 20,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G,
		.cmdline_size = 2047,
		.setup_data = 0x1234,
		.pref_address = 16u << 20,
		.init_size = 8u << 20,
		.kernel_info_offset = 0x77,
	};
}

static void teardown(void)
{
	munmap(memory - GUARD, MEMORY + 2 * GUARD);
}

static int file_of(const void *bytes, size_t size)
{
	const int fd = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(avd__write_all(fd, bytes, size), 0);
	return fd;
}

static struct avd__error error;

/* Loads the image with the header as it is now, cut to `size` bytes. */
static int load(size_t size, const char *cmdline, uint64_t *ret_entry)
{
	static uint8_t initramfs[INITRAMFS_BYTES];
	memset(initramfs, 'i', sizeof(initramfs));
	memcpy(file + 0x1f1, &header, sizeof(header));
	const int kernel_fd = file_of(file, size),
		  initramfs_fd = file_of(initramfs, sizeof(initramfs));
	const struct avd__boot boot = {
		.memory = memory,
		.low_bytes = MEMORY,
		.bzimage = true,
		.kernel_fd = kernel_fd,
		.kernel_path = "/boot/test",
		.initramfs_fd = initramfs_fd,
		.initramfs_bytes = sizeof(initramfs),
		.cmdline = cmdline,
	};
	error = (struct avd__error){0};
	const int r = avd__boot_load(&boot, ret_entry, &error);
	close(kernel_fd);
	close(initramfs_fd);
	ck_assert((r == 0) == (error.text[0] == '\0'));
	return r;
}

static const struct boot_params *params(void)
{
	return (const struct boot_params *)(const void *)(memory + AVD__BOOT_ZERO_PAGE);
}

static void loaded_at(uint64_t start)
{
	uint64_t entry = 0;
	const int r = load(sizeof(file), "quiet", &entry);
	ck_assert_msg(r == 0, "%s", error.text);
	ck_assert_uint_eq(entry, start + 0x200);
	ck_assert_mem_eq(memory + start, file + CODE_AT, CODE_BYTES);
	ck_assert_uint_eq(params()->hdr.code32_start, start);
}

START_TEST(it_stands_where_it_likes_to)
{
	loaded_at(16u << 20);
	const struct setup_header *hdr = &params()->hdr;
	/* The image's own words, but for what the loader has to say. */
	ck_assert_uint_eq(hdr->version, 0x020f);
	ck_assert_uint_eq(hdr->init_size, 8u << 20);
	ck_assert_uint_eq(hdr->kernel_info_offset, 0x77);
	ck_assert_uint_eq(hdr->type_of_loader, 0xff);
	ck_assert_uint_eq(hdr->loadflags, LOADED_HIGH);
	ck_assert_uint_eq(hdr->setup_data, 0);
	ck_assert_uint_eq(hdr->ramdisk_size, INITRAMFS_BYTES);
	ck_assert_uint_eq(hdr->ramdisk_image, MEMORY - 8192);
	ck_assert_uint_eq(memory[hdr->ramdisk_image], 'i');
	ck_assert_str_eq((const char *)memory + hdr->cmd_line_ptr, "quiet");
	ck_assert_uint_gt(params()->e820_entries, 0);
}
END_TEST

START_TEST(what_is_behind_the_header_is_no_field)
{
	header.jump = 0x66eb;
	loaded_at(16u << 20);
	ck_assert_uint_eq(params()->hdr.init_size, 8u << 20);
	ck_assert_uint_eq(params()->hdr.kernel_info_offset, 0);
}
END_TEST

START_TEST(it_moves_if_it_may)
{
	header.pref_address = 60u << 20; /* too little is left there */
	loaded_at(2u << 20);
	header.pref_address = (16u << 20) + 4096; /* not aligned */
	loaded_at(2u << 20);
	header.pref_address = UINT64_MAX - 4096;
	loaded_at(2u << 20);
	header.pref_address = 0; /* below the first megabyte */
	loaded_at(2u << 20);
	header.pref_address = 16u << 20;
	header.relocatable_kernel = 0;
	loaded_at(16u << 20);
}
END_TEST

START_TEST(the_initramfs_stays_below_its_limit)
{
	header.initrd_addr_max = (40u << 20) - 1;
	loaded_at(16u << 20);
	ck_assert_uint_eq(params()->hdr.ramdisk_image, (40u << 20) - 8192);
}
END_TEST

static void refused(int want, const char *text)
{
	uint64_t entry = 77;
	const int r = load(sizeof(file), "quiet", &entry);
	ck_assert_msg(r == want && strstr(error.text, text), "%d \"%s\" in \"%s\"", r, text,
		      error.text);
	ck_assert_uint_eq(entry, 77);
	teardown();
	setup();
}

START_TEST(headers_that_lie)
{
	header.boot_flag = 0;
	refused(-EBADMSG, "no boot header");
	header.version = 0x020b;
	refused(-ENOEXEC, "no 64-bit entry (boot protocol 2.11)");
	header.xloadflags = 0;
	refused(-ENOEXEC, "no 64-bit entry");
	header.jump = 0x00eb; /* a header that ends at 0x202: it has no version */
	refused(-EBADMSG, "no boot header");
	header.kernel_alignment = 0;
	refused(-EBADMSG, "alignment");
	header.kernel_alignment = 3 << 20;
	refused(-EBADMSG, "alignment");
	header.kernel_alignment = 1u << 31;
	refused(-ENOMEM, "more memory");
	header.init_size = UINT32_MAX;
	refused(-ENOMEM, "more memory");
	header.init_size = MEMORY;
	refused(-ENOMEM, "more memory");
	header.init_size = CODE_BYTES - 16;
	refused(-EBADMSG, "do not match");
	header.syssize = 0x20; /* ends where it is entered */
	refused(-EBADMSG, "do not match");
	header.syssize = UINT32_MAX;
	refused(-EBADMSG, "do not match");
	header.syssize = CODE_BYTES / 16 + 1;
	refused(-EBADMSG, "ends too early");
	header.setup_sects = 255;
	refused(-EBADMSG, "ends too early");
	header.setup_sects = 0; /* 4, so the code is short of a sector */
	refused(-EBADMSG, "ends too early");
	header.relocatable_kernel = 0;
	header.pref_address = UINT64_MAX;
	refused(-ENOMEM, "more memory");
	header.relocatable_kernel = 0;
	header.pref_address = 0x8000; /* in the boot parameters */
	refused(-ENOMEM, "more memory");
	header.initrd_addr_max = 4095;
	refused(-ENOMEM, "do not fit");
	header.cmdline_size = 4;
	refused(-E2BIG, "it may have 4");
}
END_TEST

START_TEST(a_cut_file_is_refused)
{
	uint64_t entry = 0;
	for (size_t size = 0; size < sizeof(file); size += size < 0x300 ? 1 : 977)
		ck_assert_int_eq(load(size, "quiet", &entry), -EBADMSG);
}
END_TEST

#define ROUNDS 3000

/* Any bytes for a header: it loads within the memory, or says why not. */
START_TEST(random_headers_are_bounded)
{
	static uint8_t bytes[sizeof(header)];
	uint64_t entry = 0;
	unsigned int loaded = 0, seed = 1;
	for (int round = 0; round < ROUNDS; round++) {
		teardown();
		setup();
		memcpy(bytes, &header, sizeof(bytes));
		for (int change = 0; change < 1 + round % 5; change++) {
			seed = seed * 1103515245 + 12345;
			bytes[seed / 65536 % sizeof(bytes)] = (uint8_t)(seed >> 8);
		}
		memcpy(&header, bytes, sizeof(bytes));
		loaded += load(sizeof(file), "quiet", &entry) == 0;
	}
	ck_assert_uint_gt(loaded, ROUNDS / 30);
	ck_assert_uint_lt(loaded, ROUNDS - ROUNDS / 30);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-boot");
	TCase *tc = tcase_create("bzimage");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_stands_where_it_likes_to);
	tcase_add_test(tc, what_is_behind_the_header_is_no_field);
	tcase_add_test(tc, it_moves_if_it_may);
	tcase_add_test(tc, the_initramfs_stays_below_its_limit);
	tcase_add_test(tc, headers_that_lie);
	tcase_add_test(tc, a_cut_file_is_refused);
	tcase_add_test(tc, random_headers_are_bounded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
