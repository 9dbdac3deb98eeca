// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Kernel images: what they tell, and what damage and foreign files lead to. */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run_suite.h"
#include "image/kernel.h"
#include "image_kit.h"

static char *dir;
static char message[1024];
static struct avd_kernel_info info;

static void set_up(void)
{
	dir = kit_make_dir();
}

static void tear_down(void)
{
	kit_remove_dir(dir);
}

static int describe(const struct avd__buf *image, const char **ret_path)
{
	*ret_path = kit_path(dir, "vmlinuz");
	kit_write(*ret_path, image->data, image->len);
	memset(message, 0, sizeof(message));
	memset(&info, 0, sizeof(info));
	return avd_kernel_describe(*ret_path, &info, message, sizeof(message));
}

/* Refused with `want` and one line that names the file and holds `text`. */
static void refused(struct avd__buf image, int want, const char *text)
{
	const char *path;
	ck_assert_int_eq(describe(&image, &path), want);
	kit_check_message(message, path);
	ck_assert_msg(strstr(message, text), "\"%s\" in \"%s\"", text, message);
	avd__buf_free(&image);
}

static const struct {
	enum avd__compression compression;
	const char *name;
} compressions[] = {
	{AVD__COMPRESSION_ZSTD, "zstd"}, {AVD__COMPRESSION_XZ, "xz"},
	{AVD__COMPRESSION_GZIP, "gzip"}, {AVD__COMPRESSION_LZ4, "lz4"},
	{AVD__COMPRESSION_LZMA, "lzma"}, {AVD__COMPRESSION_NONE, "none"},
};
#define COMPRESSIONS ((int)(sizeof(compressions) / sizeof(compressions[0])))

START_TEST(bzimage_of_each_compression)
{
	const char *path;
	struct avd__buf image = kit_bzimage(compressions[_i].compression);
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	ck_assert_uint_eq(info.format, AVD_KERNEL_BZIMAGE);
	ck_assert_str_eq(info.compression, compressions[_i].name);
	ck_assert_str_eq(info.release, KIT_RELEASE);
	ck_assert_uint_eq(info.sched_ext, AVD_YES);
	ck_assert_str_eq(info.config_source, "btf");
	ck_assert_uint_eq(info.btf, AVD_YES);
	ck_assert_uint_eq(info.pvh, AVD_YES);
	ck_assert_uint_eq(info.image_bytes, image.len);
	ck_assert_uint_gt(info.vmlinux_bytes, 500);
	avd__buf_free(&image);
}
END_TEST

/* Several blocks of lz4, windows of zstd and xz. */
START_TEST(bzimage_beyond_one_block)
{
	const bool lz4 = compressions[_i].compression == AVD__COMPRESSION_LZ4; /* 8 MiB a block */
	const struct kit_vmlinux what = {
		.release = KIT_RELEASE, .pvh = true, .padding = (size_t)(lz4 ? 9 : 1) << 20};
	const char *path;
	struct avd__buf vmlinux = kit_make_vmlinux(&what);
	struct avd__buf image =
		kit_make_bzimage(KIT_RELEASE, compressions[_i].compression, &vmlinux);
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	ck_assert_uint_eq(info.vmlinux_bytes, vmlinux.len);
	avd__buf_free(&vmlinux);
	avd__buf_free(&image);
}
END_TEST

/* An image that is cut and damaged in place, which is quicker than writing it anew. */
static int open_image(const struct avd__buf *image, const char **ret_path)
{
	*ret_path = kit_path(dir, "vmlinuz");
	kit_write(*ret_path, image->data, image->len);
	const int fd = open(*ret_path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static int describe_again(const char *path)
{
	memset(message, 0, sizeof(message));
	return avd_kernel_describe(path, &info, message, sizeof(message));
}

/* The headers are alike for all compressions: gone through with the first one only. */
static size_t own_part(int i)
{
	return i == 0 ? 0 : KIT_PAYLOAD_AT;
}

/* Cut at any length, an image is refused, and told to be truncated once the header is there. */
START_TEST(truncated_anywhere)
{
	const char *path;
	struct avd__buf image = kit_bzimage(compressions[_i].compression);
	const int fd = open_image(&image, &path);
	for (size_t cut = image.len; cut-- > own_part(_i);) {
		KIT_CHECK(ftruncate(fd, (off_t)cut) == 0, "ftruncate");
		const int r = describe_again(path);
		KIT_CHECK(r == -EBADMSG || (r == -ENOEXEC && cut < 0x206), "cut at %zu: %d", cut,
			  r);
		kit_check_message(message, path);
		if (cut >= 0x206)
			KIT_CHECK(strstr(message, "is truncated") &&
					  strstr(message, "copy it again"),
				  "cut at %zu: %s", cut, message);
	}
	close(fd);
	avd__buf_free(&image);
}
END_TEST

/* One bit wrong anywhere: an error with a message, or what the bit does not matter for. */
START_TEST(one_bit_wrong)
{
	const char *path;
	struct avd__buf image = kit_bzimage(compressions[_i].compression);
	const int fd = open_image(&image, &path);
	unsigned int refused_count = 0;
	for (size_t at = own_part(_i); at < image.len; at++) {
		const char wrong = (char)(image.data[at] ^ 1 << (at + (size_t)_i) % 8);
		KIT_CHECK(pwrite(fd, &wrong, 1, (off_t)at) == 1, "pwrite");
		const int r = describe_again(path);
		KIT_CHECK(pwrite(fd, &image.data[at], 1, (off_t)at) == 1, "pwrite");
		if (r == 0) {
			KIT_CHECK(info.vmlinux_bytes <= AVD__KERNEL_VMLINUX_MAX, "size");
			KIT_CHECK(memchr(info.release, 0, sizeof(info.release)), "release");
			continue;
		}
		refused_count++;
		KIT_CHECK(r == -EBADMSG || r == -ENOEXEC, "byte %zu: %d %s", at, r, message);
		kit_check_message(message, path);
	}
	ck_assert_uint_gt(refused_count, 20);
	close(fd);
	avd__buf_free(&image);
}
END_TEST

START_TEST(claims_are_bounded)
{
	struct avd__buf image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	uint32_t offset, length;
	memcpy(&offset, image.data + 0x248, 4);
	memcpy(&length, image.data + 0x24c, 4);
	/* The size behind the payload: 4 GiB, nothing, one byte less than true. */
	const size_t at = 4 * 512 + offset + length - 4;
	uint32_t size;
	memcpy(&size, image.data + at, 4);
	kit_put32(&image, at, UINT32_MAX);
	struct avd__buf copy = {0};
	avd__buf_append(&copy, image.data, image.len);
	refused(copy, -EBADMSG, "claims to unpack to 4294967295 bytes");
	kit_put32(&image, at, size - 1);
	copy = (struct avd__buf){0};
	avd__buf_append(&copy, image.data, image.len);
	refused(copy, -EBADMSG, "damaged; copy it again");
	kit_put32(&image, at, size + 1);
	refused(image, -EBADMSG, "damaged; copy it again");
}
END_TEST

START_TEST(headers_of_other_kinds)
{
	struct avd__buf image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	kit_put16(&image, 0x206, 0x0207);
	refused(image, -ENOEXEC, "boot protocol 2.07");
	image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	kit_put16(&image, 0x236, 0x7e);
	refused(image, -ENOEXEC, "32-bit x86");
	image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	kit_put16(&image, 0x1fe, 0);
	refused(image, -EBADMSG, "0xaa55");
	image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	image.data[0x400] = '\x1b';
	refused(image, -EBADMSG, "release string");
	image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	kit_put32(&image, 0x24c, 4);
	refused(image, -EBADMSG, "names no payload");
}
END_TEST

/* They can be booted, so they are described as far as they can be looked into. */
static void only_boots(struct avd__buf image, const char *compression)
{
	const char *path;
	struct avd__kernel *kernel = NULL;
	struct avd__error error = {0};
	int fd = -1;
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	ck_assert_uint_eq(info.format, AVD_KERNEL_BZIMAGE);
	ck_assert_str_eq(info.release, KIT_RELEASE);
	ck_assert_str_eq(info.compression, compression);
	ck_assert_uint_eq(info.vmlinux_bytes, 0);
	ck_assert_uint_eq(info.sched_ext, AVD_UNKNOWN);
	ck_assert_uint_eq(info.pvh, AVD_UNKNOWN);
	ck_assert_int_eq(avd__kernel_open(path, &kernel, &error), 0);
	ck_assert_int_eq(avd__kernel_vmlinux(kernel, dir, &fd, &error), -ENOTSUP);
	ck_assert_msg(strstr(error.text, "not supported here"), "%s", error.text);
	ck_assert_int_eq(fd, -1);
	avd__kernel_free(kernel);
	avd__buf_free(&image);
}

START_TEST(payloads_that_only_the_kernel_can_unpack)
{
	only_boots(kit_bzimage(AVD__COMPRESSION_LZO), "lzo");
	only_boots(kit_bzimage(AVD__COMPRESSION_BZIP2), "bzip2");
	struct avd__buf image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	memset(image.data + KIT_PAYLOAD_AT, 'x', 16);
	only_boots(image, "unknown");
}
END_TEST

/* A payload that unpacks well to something that is no kernel. */
START_TEST(payload_is_no_kernel)
{
	struct avd__buf text = {0};
	for (int i = 0; i < 100; i++)
		avd__buf_puts(&text, "not a kernel ");
	refused(kit_make_bzimage(KIT_RELEASE, AVD__COMPRESSION_ZSTD, &text), -EBADMSG,
		"does not unpack to an ELF file");
	avd__buf_free(&text);
	const struct kit_vmlinux arm = {.release = KIT_RELEASE, .machine = EM_AARCH64};
	struct avd__buf vmlinux = kit_make_vmlinux(&arm);
	refused(kit_make_bzimage(KIT_RELEASE, AVD__COMPRESSION_XZ, &vmlinux), -ENOEXEC, "aarch64");
	avd__buf_free(&vmlinux);
}
END_TEST

START_TEST(vmlinux_files)
{
	struct kit_vmlinux what = {.release = "7.3.4-kit", .pvh = true, .btf = true};
	const char *path;
	struct avd__buf image = kit_make_vmlinux(&what);
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	ck_assert_uint_eq(info.format, AVD_KERNEL_VMLINUX);
	ck_assert_str_eq(info.release, "7.3.4-kit");
	ck_assert_str_eq(info.compression, "none");
	ck_assert_uint_eq(info.sched_ext, AVD_NO);
	ck_assert_str_eq(info.config_source, "btf");
	ck_assert_uint_eq(info.vmlinux_bytes, image.len);
	avd__buf_free(&image);

	what = (struct kit_vmlinux){.release = "7.3.4-kit", .type = ET_DYN};
	image = kit_make_vmlinux(&what);
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	ck_assert_uint_eq(info.sched_ext, AVD_UNKNOWN);
	ck_assert_str_eq(info.config_source, "");
	ck_assert_uint_eq(info.btf, AVD_NO);
	ck_assert_uint_eq(info.pvh, AVD_NO);
	avd__buf_free(&image);

	/* Without a section table the segments are looked through. */
	what = (struct kit_vmlinux){.release = "7.3.4-kit",
				    .no_sections = true,
				    .btf = true,
				    .config = "CONFIG_SCHED_CLASS_EXT=y\n"};
	image = kit_make_vmlinux(&what);
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	ck_assert_str_eq(info.release, "7.3.4-kit");
	ck_assert_uint_eq(info.btf, AVD_UNKNOWN);
	ck_assert_uint_eq(info.sched_ext, AVD_YES);
	ck_assert_str_eq(info.config_source, "ikconfig");
	avd__buf_free(&image);
}
END_TEST

START_TEST(vmlinux_truncated_anywhere)
{
	const struct kit_vmlinux what = {.release = KIT_RELEASE,
					 .pvh = true,
					 .btf = true,
					 .config = "CONFIG_SCHED_CLASS_EXT=y\n"};
	const char *path;
	struct avd__buf image = kit_make_vmlinux(&what);
	int fd = open_image(&image, &path);
	for (size_t cut = image.len; cut-- > 0;) {
		KIT_CHECK(ftruncate(fd, (off_t)cut) == 0, "ftruncate");
		const int r = describe_again(path);
		KIT_CHECK(r == -EBADMSG || (r == -ENOEXEC && cut < 4), "cut at %zu: %d", cut, r);
		kit_check_message(message, path);
	}
	close(fd);
	fd = open_image(&image, &path);
	for (size_t at = 0; at < image.len; at++) {
		const char wrong = (char)(image.data[at] ^ 1 << at % 8);
		KIT_CHECK(pwrite(fd, &wrong, 1, (off_t)at) == 1, "pwrite");
		const int r = describe_again(path);
		KIT_CHECK(pwrite(fd, &image.data[at], 1, (off_t)at) == 1, "pwrite");
		KIT_CHECK(r == 0 || r == -EBADMSG || r == -ENOEXEC, "byte %zu: %d", at, r);
		if (r < 0)
			kit_check_message(message, path);
	}
	close(fd);
	avd__buf_free(&image);
}
END_TEST

START_TEST(other_elf_files)
{
	struct kit_vmlinux what = {.release = KIT_RELEASE, .machine = EM_AARCH64};
	refused(kit_make_vmlinux(&what), -ENOEXEC, "ELF file for aarch64");
	what = (struct kit_vmlinux){.release = KIT_RELEASE, .machine = EM_386, .is32 = true};
	refused(kit_make_vmlinux(&what), -ENOEXEC, "32-bit x86");
	what = (struct kit_vmlinux){.release = KIT_RELEASE, .machine = EM_S390, .big_endian = true};
	refused(kit_make_vmlinux(&what), -ENOEXEC, "s390");
	what = (struct kit_vmlinux){.release = KIT_RELEASE, .type = ET_REL};
	refused(kit_make_vmlinux(&what), -ENOEXEC, "module");
	what = (struct kit_vmlinux){.release = KIT_RELEASE, .interp = true};
	refused(kit_make_vmlinux(&what), -ENOEXEC, "not a Linux kernel");
	what = (struct kit_vmlinux){.release = NULL};
	refused(kit_make_vmlinux(&what), -ENOEXEC, "not a Linux kernel");
}
END_TEST

static struct avd__buf make_bytes(size_t size, size_t at, const char *magic, size_t magic_size)
{
	struct avd__buf out = {0};
	for (size_t i = 0; i < size; i++)
		avd__buf_append(&out, "\x01", 1);
	memcpy(out.data + at, magic, magic_size);
	return out;
}

START_TEST(foreign_files)
{
	struct avd__buf text = {0};
	avd__buf_puts(&text, "#!/bin/sh\necho no kernel\n");
	refused(text, -ENOEXEC, "is a text file");
	refused((struct avd__buf){.data = NULL}, -EBADMSG, "empty");
	refused(make_bytes(2000, 56, "ARM\x64", 4), -ENOEXEC, "aarch64");
	refused(make_bytes(2000, 56, "RSC\x05", 4), -ENOEXEC, "riscv");
	refused(make_bytes(2000, 0, "MZ\0\0zimg", 8), -ENOEXEC, "zboot");
	refused(make_bytes(2000, 0, "MZ\x90", 3), -ENOEXEC, "unified kernel image");
	refused(make_bytes(2000, 0, "\x1f\x8b\x08", 3), -ENOEXEC, "compressed with gzip");
	refused(make_bytes(2000, 0, "\x28\xb5\x2f\xfd", 4), -ENOEXEC, "compressed with zstd");
	refused(make_bytes(2000, 0, "\x01", 1), -ENOEXEC, "not an x86_64 kernel image");
}
END_TEST

static void refused_path(const char *path, int want, const char *text)
{
	memset(message, 0, sizeof(message));
	ck_assert_int_eq(avd_kernel_describe(path, &info, message, sizeof(message)), want);
	kit_check_message(message, path);
	ck_assert_msg(strstr(message, text), "\"%s\" in \"%s\"", text, message);
}

START_TEST(paths_that_are_no_files)
{
	refused_path(dir, -EISDIR, "is a directory");
	refused_path(kit_path(dir, "none"), -ENOENT, "no such file");
	refused_path("/dev/zero", -EINVAL, "character device");
	/* Opening it would block for ever: nobody writes. */
	const char *fifo = kit_path(dir, "fifo");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	refused_path(fifo, -EINVAL, "FIFO");
	/* Cut to the caller's buffer, whatever its size. */
	char small[8] = "xxxxxxx";
	ck_assert_int_eq(avd_kernel_describe(dir, &info, small, sizeof(small)), -EISDIR);
	ck_assert_str_eq(small, "kernel ");
	ck_assert_int_eq(avd_kernel_describe(dir, &info, NULL, 0), -EISDIR);
	ck_assert_int_eq(avd_kernel_describe(NULL, &info, small, sizeof(small)), -EINVAL);
}
END_TEST

START_TEST(unreadable)
{
	struct avd__buf image = kit_bzimage(AVD__COMPRESSION_ZSTD);
	const char *path = kit_path(dir, "vmlinuz");
	kit_write(path, image.data, image.len);
	avd__buf_free(&image);
	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	refused_path(path, -EACCES, "may not be read by this user");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static uint32_t sched_ext_with(const char *ikconfig, const char *beside, const char *name)
{
	const struct kit_vmlinux what = {
		.release = KIT_RELEASE, .config = ikconfig, .btf = true, .btf_sched_ext = true};
	const char *path;
	struct avd__buf vmlinux = kit_make_vmlinux(&what);
	struct avd__buf image = kit_make_bzimage(KIT_RELEASE, AVD__COMPRESSION_ZSTD, &vmlinux);
	if (beside)
		kit_write(kit_path(dir, name), beside, strlen(beside));
	ck_assert_msg(describe(&image, &path) == 0, "%s", message);
	if (beside)
		ck_assert_int_eq(unlink(kit_path(dir, name)), 0);
	avd__buf_free(&vmlinux);
	avd__buf_free(&image);
	return info.sched_ext;
}

START_TEST(configurations)
{
	static const char yes[] = "CONFIG_A=y\nCONFIG_SCHED_CLASS_EXT=y\nCONFIG_B=y\n";
	static const char no[] = "# CONFIG_SCHED_CLASS_EXT is not set\nXCONFIG_SCHED_CLASS_EXT=y\n"
				 "CONFIG_SCHED_CLASS_EXT_MORE=y\nCONFIG_SCHED_CLASS_EXT=n\n";
	static const char name[] = "config-" KIT_RELEASE;
	ck_assert_uint_eq(sched_ext_with(yes, NULL, name), AVD_YES);
	ck_assert_str_eq(info.config_source, "ikconfig");
	ck_assert_uint_eq(sched_ext_with(no, yes, name), AVD_NO);
	ck_assert_str_eq(info.config_source, "ikconfig");
	ck_assert_uint_eq(sched_ext_with(NULL, no, name), AVD_NO);
	ck_assert_str_eq(info.config_source, "config");
	ck_assert_uint_eq(sched_ext_with(NULL, yes + 11, name), AVD_YES);
	ck_assert_str_eq(info.config_source, "config");
	/* Of another release: not this kernel's. */
	ck_assert_uint_eq(sched_ext_with(NULL, no, "config-6.1"), AVD_YES);
	ck_assert_str_eq(info.config_source, "btf");
}
END_TEST

START_TEST(damaged_ikconfig)
{
	const struct kit_vmlinux what = {.release = KIT_RELEASE,
					 .config = "CONFIG_SCHED_CLASS_EXT=y\n"};
	struct avd__buf image = kit_make_vmlinux(&what);
	char *end = memmem(image.data, image.len, "IKCFG_ED", 8);
	ck_assert_ptr_nonnull(end);
	end[-12] ^= 1;
	refused(image, -EBADMSG, "embedded configuration");
	image = kit_make_vmlinux(&what);
	end = memmem(image.data, image.len, "IKCFG_ED", 8);
	memcpy(end, "XXXXXXXX", 8);
	refused(image, -EBADMSG, "embedded configuration");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("image-kernel");
	TCase *tests = tcase_create("kernel");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, bzimage_of_each_compression, 0, COMPRESSIONS);
	tcase_add_loop_test(tests, bzimage_beyond_one_block, 0, COMPRESSIONS);
	tcase_add_loop_test(tests, truncated_anywhere, 0, COMPRESSIONS);
	tcase_add_loop_test(tests, one_bit_wrong, 0, COMPRESSIONS);
	tcase_add_test(tests, claims_are_bounded);
	tcase_add_test(tests, headers_of_other_kinds);
	tcase_add_test(tests, payloads_that_only_the_kernel_can_unpack);
	tcase_add_test(tests, payload_is_no_kernel);
	tcase_add_test(tests, vmlinux_files);
	tcase_add_test(tests, vmlinux_truncated_anywhere);
	tcase_add_test(tests, other_elf_files);
	tcase_add_test(tests, foreign_files);
	tcase_add_test(tests, paths_that_are_no_files);
	tcase_add_test(tests, unreadable);
	tcase_add_test(tests, configurations);
	tcase_add_test(tests, damaged_ikconfig);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
