// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Each allocation and each system call failing in turn; short and interrupted transfers. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run_suite.h"
#include "alloc_fail.h"
#include "image/initramfs.h"
#include "image/kernel.h"
#include "image_kit.h"
#include "newc_kit.h"
#include "sys_fail.h"

static char *dir;
static char image_path[4096], cache[4096], include_dir[4096];
static struct avd__buf vmlinux;
static struct avd__error error;
static const char *program; /* dynamically linked */

static void set_up(void)
{
	const struct kit_vmlinux what = {.release = KIT_RELEASE,
					 .pvh = true,
					 .btf = true,
					 .config = "CONFIG_SCHED_CLASS_EXT=y\n",
					 .padding = 20000};
	dir = kit_make_dir();
	snprintf(image_path, sizeof(image_path), "%s/vmlinuz", dir);
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	snprintf(include_dir, sizeof(include_dir), "%s/include", dir);
	vmlinux = kit_make_vmlinux(&what);
	struct avd__buf image = kit_make_bzimage(KIT_RELEASE, AVD__COMPRESSION_ZSTD, &vmlinux);
	kit_write(image_path, image.data, image.len);
	avd__buf_free(&image);
	ck_assert_int_eq(mkdir(include_dir, 0755), 0);
	ck_assert_int_eq(symlink("file", kit_path(include_dir, "link")), 0);
	kit_write(kit_path(include_dir, "file"), vmlinux.data, vmlinux.len);
	program = "/bin/sh";
}

static void tear_down(void)
{
	alloc_fail_at(0);
	sys_fail_at(0, 0);
	sys_short(0);
	avd__buf_free(&vmlinux);
	kit_remove_dir(dir);
}

static bool holds_vmlinux(int fd)
{
	struct avd__buf got = kit_read_fd(fd);
	const bool same = got.len >= vmlinux.len && !memcmp(got.data, vmlinux.data, vmlinux.len);
	avd__buf_free(&got);
	return same;
}

static int do_vmlinux(int *ret_fd)
{
	struct avd__kernel *kernel = NULL;
	int r = avd__kernel_open(image_path, &kernel, &error);
	if (r == 0)
		r = avd__kernel_vmlinux(kernel, cache, ret_fd, &error);
	avd__kernel_free(kernel);
	return r;
}

static int do_describe(int *ret_fd)
{
	struct avd_kernel_info info;
	(void)ret_fd;
	return avd_kernel_describe(image_path, &info, error.text, sizeof(error.text));
}

static int do_archive(int *ret_fd)
{
	struct avd__initramfs *archive = NULL;
	enum avd__program_kind kind;
	char *guest = NULL;
	uint64_t size = 0;
	int r = avd__initramfs_new(&archive, &error);
	if (r < 0)
		return r;
	r = avd__initramfs_add_bytes(archive, "/etc/made/up", 0644, "text", 4, &error);
	if (r == 0)
		r = avd__initramfs_add_path(archive, include_dir, "/opt/include", &error);
	if (r == 0)
		r = avd__initramfs_add_path(archive, include_dir, "/opt/include", &error);
	if (r == 0)
		r = avd__initramfs_add_program(archive, program, &kind, &guest, &error);
	if (r == 0)
		r = avd__initramfs_finish(archive, ret_fd, &size, &error);
	free(guest);
	avd__initramfs_free(archive);
	return r;
}

static const struct {
	const char *name;
	int (*run)(int *ret_fd);
} operations[] = {{"vmlinux", do_vmlinux}, {"describe", do_describe}, {"archive", do_archive}};
#define OPERATIONS ((int)AVD__ARRAY_SIZE(operations))

static void clear_cache(void)
{
	char *copy = strdup(cache);
	ck_assert_ptr_nonnull(copy);
	if (access(cache, F_OK) == 0)
		kit_remove_dir(copy);
	else
		free(copy);
}

static void check_result(int operation, int r, int *fd, unsigned int fds, unsigned int n)
{
	const char *name = operations[operation].name;
	if (r == 0 && *fd >= 0 && operation == 0)
		KIT_CHECK(holds_vmlinux(*fd), "%s, failure %u: wrong content", name, n);
	if (r == 0 && operation == 2) {
		struct newc_kit got = newc_open(*fd);
		KIT_CHECK(newc_find(&got, "opt/include/file"), "file");
		newc_close(&got);
		*fd = -1;
	}
	if (r < 0) {
		KIT_CHECK(*fd == -1, "%s, failure %u: an output", name, n);
		KIT_CHECK(error.text[0], "%s, failure %u: no message", name, n);
	}
	avd__close(fd);
	KIT_CHECK(kit_count_fds() == fds, "%s, failure %u: descriptors", name, n);
}

START_TEST(allocations)
{
	for (int warm = 0; warm < 2; warm++) {
		unsigned int n, failures = 0;
		for (n = 1;; n++) {
			int fd = -1;
			const unsigned int fds = kit_count_fds();
			if (!warm)
				clear_cache();
			memset(&error, 0, sizeof(error));
			alloc_fail_at(n);
			const int r = operations[_i].run(&fd);
			const bool done = alloc_count() < n;
			alloc_fail_at(0);
			KIT_CHECK(r == 0 || r == -ENOMEM, "%s, allocation %u: %d %s",
				  operations[_i].name, n, r, error.text);
			check_result(_i, r, &fd, fds, n);
			failures += r < 0;
			if (done)
				break;
		}
		ck_assert_uint_gt(n, 4);
		ck_assert_uint_gt(failures, 2);
	}
}
END_TEST

START_TEST(system_calls)
{
	static const int errors[] = {EIO, ENOSPC, EACCES, EMFILE, EINTR};
	for (size_t e = 0; e < AVD__ARRAY_SIZE(errors); e++) {
		for (unsigned int n = 1;; n++) {
			int fd = -1;
			const unsigned int fds = kit_count_fds();
			clear_cache();
			memset(&error, 0, sizeof(error));
			sys_fail_at(n, errors[e]);
			const int r = operations[_i].run(&fd);
			const bool done = sys_count() < n;
			sys_fail_at(0, 0);
			check_result(_i, r, &fd, fds, n);
			/* Nothing partial: what is there now serves the next one. */
			if (_i == 0) {
				KIT_CHECK(do_vmlinux(&fd) == 0, "after failure %u: %s", n,
					  error.text);
				KIT_CHECK(holds_vmlinux(fd), "after failure %u", n);
				avd__close(&fd);
				KIT_CHECK(kit_count_files(kit_path(cache, "vmlinux")) == 1,
					  "failure %u leaves a file", n);
			}
			if (done) {
				ck_assert_int_eq(r, 0);
				break;
			}
		}
	}
}
END_TEST

START_TEST(short_and_interrupted)
{
	static const unsigned int sizes[] = {100, 4096, 65536};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(sizes); i++) {
		for (int variant = 0; variant < 2; variant++) {
			int fd = -1;
			const unsigned int fds = kit_count_fds();
			clear_cache();
			sys_short(sizes[i]);
			sys_no_sendfile(variant);
			sys_no_tmpfile(variant);
			const int r = operations[_i].run(&fd);
			sys_short(0);
			sys_no_sendfile(0);
			sys_no_tmpfile(0);
			ck_assert_msg(r == 0, "%s", error.text);
			check_result(_i, r, &fd, fds, sizes[i]);
		}
	}
}
END_TEST

/* The archive is the same, however the bytes came into it. */
START_TEST(same_archive_either_way)
{
	struct avd__buf got[2];
	for (int i = 0; i < 2; i++) {
		int fd = -1;
		sys_no_sendfile(i);
		ck_assert_msg(do_archive(&fd) == 0, "%s", error.text);
		got[i] = kit_read_fd(fd);
		close(fd);
	}
	ck_assert_uint_eq(got[0].len, got[1].len);
	ck_assert_mem_eq(got[0].data, got[1].data, got[0].len);
	avd__buf_free(&got[0]);
	avd__buf_free(&got[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-faults");
	TCase *tests = tcase_create("faults");
	tcase_set_timeout(tests, 300);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, allocations, 0, OPERATIONS);
	tcase_add_loop_test(tests, system_calls, 0, OPERATIONS);
	tcase_add_loop_test(tests, short_and_interrupted, 0, OPERATIONS);
	tcase_add_test(tests, same_archive_either_way);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
