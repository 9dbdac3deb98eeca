// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The newc archive: what stands in it, and what it refuses. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run_suite.h"
#include "image/initramfs.h"
#include "image_kit.h"
#include "newc_kit.h"

static char *dir;
static struct avd__initramfs *archive;
static struct avd__error error;

static void set_up(void)
{
	dir = kit_make_dir();
	memset(&error, 0, sizeof(error));
	ck_assert_int_eq(avd__initramfs_new(&archive, &error), 0);
}

static void tear_down(void)
{
	avd__initramfs_free(archive);
	kit_remove_dir(dir);
}

static void add_text(const char *path, const char *text)
{
	ck_assert_msg(avd__initramfs_add_bytes(archive, path, 0644, text, strlen(text), &error) ==
			      0,
		      "%s", error.text);
}

static void refused(int got, int want, const char *path, const char *text)
{
	ck_assert_int_eq(got, want);
	kit_check_message(error.text, path);
	ck_assert_msg(strstr(error.text, text), "\"%s\" in \"%s\"", text, error.text);
}

static struct newc_kit finish(void)
{
	int fd = -1;
	uint64_t size = 0;
	struct stat st;
	ck_assert_msg(avd__initramfs_finish(archive, &fd, &size, &error) == 0, "%s", error.text);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, size);
	return newc_open(fd);
}

static void check_text(const struct newc_kit *got, const char *name, const char *text)
{
	const struct newc_file *file = newc_find(got, name);
	ck_assert_msg(file != NULL, "%s is there", name);
	ck_assert_uint_eq(file->size, strlen(text));
	ck_assert_mem_eq(file->data, text, strlen(text));
}

static uint32_t mode_of(const struct newc_kit *got, const char *name)
{
	const struct newc_file *file = newc_find(got, name);
	ck_assert_msg(file != NULL, "%s is there", name);
	return file->mode;
}

START_TEST(empty)
{
	struct newc_kit got = finish();
	ck_assert_uint_eq(got.count, 0);
	newc_close(&got);
}
END_TEST

START_TEST(files_and_parents)
{
	add_text("/a/b/c/file", "content");
	add_text("/a/b/other", "");
	add_text("//a/./b///spelt", "odd");
	ck_assert_int_eq(avd__initramfs_add_bytes(archive, "/init", 0755, "12345", 5, &error), 0);
	ck_assert_int_eq(avd__initramfs_add_dir(archive, "/a/b", 0700, &error), 0);
	ck_assert_int_eq(avd__initramfs_add_dir(archive, "/", 0700, &error), 0);
	struct newc_kit got = finish();
	ck_assert_uint_eq(got.count, 7);
	check_text(&got, "a/b/c/file", "content");
	check_text(&got, "a/b/other", "");
	check_text(&got, "a/b/spelt", "odd");
	ck_assert_uint_eq(mode_of(&got, "init"), S_IFREG | 0755);
	ck_assert_uint_eq(mode_of(&got, "a"), S_IFDIR | 0755);
	ck_assert_uint_eq(mode_of(&got, "a/b"), S_IFDIR | 0700); /* later, but asked for */
	newc_close(&got);
}
END_TEST

START_TEST(same_path_twice)
{
	add_text("/f", "content");
	add_text("/f", "content");
	ck_assert_int_eq(avd__initramfs_add_bytes(archive, "/f", 0755, "content", 7, &error), 0);
	refused(avd__initramfs_add_bytes(archive, "/f", 0644, "contenT", 7, &error), -EEXIST, "/f",
		"another guest path");
	refused(avd__initramfs_add_bytes(archive, "/f", 0644, "content2", 8, &error), -EEXIST, "/f",
		"another content");
	refused(avd__initramfs_add_dir(archive, "/f", 0755, &error), -EEXIST, "/f", "already");
	refused(avd__initramfs_add_symlink(archive, "/f", "content", &error), -EEXIST, "/f",
		"already");
	refused(avd__initramfs_add_bytes(archive, "/f/below", 0644, "", 0, &error), -ENOTDIR,
		"/f/below", "is a file there");
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/l", "f", &error), 0);
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/l", "f", &error), 0);
	refused(avd__initramfs_add_symlink(archive, "/l", "g", &error), -EEXIST, "/l", "already");
	const char *host = kit_path(dir, "file");
	kit_write(host, "content", 7);
	ck_assert_int_eq(avd__initramfs_add_path(archive, host, "/f", &error), 0);
	kit_write(host, "CONTENT", 7);
	refused(avd__initramfs_add_path(archive, host, "/f", &error), -EEXIST, host, "/f");
	struct newc_kit got = finish();
	ck_assert_uint_eq(got.count, 2);
	ck_assert_uint_eq(mode_of(&got, "f"), S_IFREG | 0755);
	newc_close(&got);
}
END_TEST

/* The archive's own symlinks lead where the guest's kernel will follow them. */
START_TEST(symlinks_are_followed)
{
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/lib64", "usr/lib64", &error), 0);
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/usr/abs", "/deep/er", &error), 0);
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/deep/er", "../up/./x", &error), 0);
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/loop", "loop", &error), 0);
	ck_assert_int_eq(avd__initramfs_add_symlink(archive, "/file", "lib64/target", &error), 0);
	add_text("/lib64/ld.so", "linker");
	add_text("/usr/lib64/ld.so", "linker");
	add_text("/usr/abs/there", "far");
	add_text("/file", "through the link");
	ck_assert_int_eq(avd__initramfs_add_dir(archive, "/lib64", 0711, &error), 0);
	refused(avd__initramfs_add_bytes(archive, "/loop/x", 0644, "", 0, &error), -ELOOP,
		"/loop/x", "symbolic links");
	struct newc_kit got = finish();
	check_text(&got, "lib64", "usr/lib64");
	check_text(&got, "usr/lib64/ld.so", "linker");
	check_text(&got, "up/x/there", "far");
	check_text(&got, "usr/lib64/target", "through the link");
	ck_assert_uint_eq(mode_of(&got, "usr/lib64"), S_IFDIR | 0711);
	ck_assert_uint_eq(mode_of(&got, "lib64"), S_IFLNK | 0777);
	newc_close(&got);
}
END_TEST

START_TEST(bad_guest_paths)
{
	char longer[PATH_MAX + 100];
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	refused(avd__initramfs_add_bytes(archive, longer, 0644, "", 0, &error), -ENAMETOOLONG,
		"/xxx", "too long");
	longer[300] = '\0'; /* one component above NAME_MAX */
	refused(avd__initramfs_add_bytes(archive, longer, 0644, "", 0, &error), -ENAMETOOLONG,
		"/xxx", "too long");
	static const char *const bad[] = {"relative", "", "/a/../b", "/..", "/a/.."};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(bad); i++)
		refused(avd__initramfs_add_bytes(archive, bad[i], 0644, "", 0, &error), -EINVAL,
			bad[i], "absolute");
	add_text("/a/..b/c..", "fine");
	refused(avd__initramfs_add_bytes(archive, "/", 0644, "", 0, &error), -EINVAL, "/",
		"root directory");
	refused(avd__initramfs_add_symlink(archive, "/l", "", &error), -EINVAL, "/l", "empty");
	static const char *const hidden[] = {"/dev/shm/sched", "/proc/x", "/sys/kernel/y"};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(hidden); i++)
		refused(avd__initramfs_add_bytes(archive, hidden[i], 0644, "", 0, &error), -EINVAL,
			hidden[i], "where the guest mounts");
	ck_assert_int_eq(avd__initramfs_add_dir(archive, "/dev", 0755, &error), 0);
	add_text("/device", "fine");
	struct newc_kit got = finish();
	ck_assert_ptr_nonnull(newc_find(&got, "a/..b/c.."));
	newc_close(&got);
}
END_TEST

/* As long as the kernel takes one: 2047 directories and a file. */
START_TEST(longest_path)
{
	char path[PATH_MAX + 2];
	int fd = -1;
	uint64_t size = 0;
	for (size_t i = 0; i < sizeof(path); i += 2)
		memcpy(path + i, "/x", 2);
	path[PATH_MAX] = '\0';
	refused(avd__initramfs_add_bytes(archive, path, 0644, "end", 3, &error), -ENAMETOOLONG,
		"/x/x/x", "too long");
	path[PATH_MAX - 2] = '\0';
	add_text(path, "end");
	ck_assert_int_eq(avd__initramfs_finish(archive, &fd, &size, &error), 0);
	struct avd__buf bytes = kit_read_fd(fd);
	ck_assert_ptr_nonnull(memmem(bytes.data, bytes.len, path + 1, strlen(path)));
	avd__buf_free(&bytes);
	close(fd);
}
END_TEST

static void make_tree(void)
{
	ck_assert_int_eq(mkdir(kit_path(dir, "t"), 0750), 0);
	ck_assert_int_eq(mkdir(kit_path(dir, "t/sub"), 0700), 0);
	ck_assert_int_eq(mkdir(kit_path(dir, "t/empty"), 0755), 0);
	kit_write(kit_path(dir, "t/b"), "bb", 2);
	kit_write(kit_path(dir, "t/a"), "a", 1);
	kit_write(kit_path(dir, "t/sub/c"), "ccc", 3);
	ck_assert_int_eq(chmod(kit_path(dir, "t/b"), 0755), 0);
	ck_assert_int_eq(symlink("/etc/passwd", kit_path(dir, "t/link")), 0);
	ck_assert_int_eq(symlink("sub", kit_path(dir, "t/dirlink")), 0);
	ck_assert_int_eq(symlink("nowhere", kit_path(dir, "t/dangling")), 0);
	ck_assert_int_eq(mkfifo(kit_path(dir, "t/fifo"), 0644), 0);
}

START_TEST(directory_trees)
{
	make_tree();
	ck_assert_msg(avd__initramfs_add_path(archive, kit_path(dir, "t"), "/opt/t", &error) == 0,
		      "%s", error.text);
	struct newc_kit got = finish();
	ck_assert_uint_eq(got.count, 10); /* opt, t, two directories, three files, three links */
	ck_assert_uint_eq(mode_of(&got, "opt/t"), S_IFDIR | 0750);
	ck_assert_uint_eq(mode_of(&got, "opt/t/sub"), S_IFDIR | 0700);
	ck_assert_uint_eq(mode_of(&got, "opt/t/empty"), S_IFDIR | 0755);
	ck_assert_uint_eq(mode_of(&got, "opt/t/b"), S_IFREG | 0755);
	check_text(&got, "opt/t/a", "a");
	check_text(&got, "opt/t/sub/c", "ccc");
	check_text(&got, "opt/t/link", "/etc/passwd");
	check_text(&got, "opt/t/dirlink", "sub");
	check_text(&got, "opt/t/dangling", "nowhere");
	ck_assert_ptr_null(newc_find(&got, "opt/t/fifo"));
	newc_close(&got);
}
END_TEST

/* Into the root, and a link as the argument itself, which is followed. */
START_TEST(directory_into_root)
{
	make_tree();
	ck_assert_int_eq(symlink("t", kit_path(dir, "alias")), 0);
	ck_assert_int_eq(avd__initramfs_add_path(archive, kit_path(dir, "alias"), "/", &error), 0);
	struct newc_kit got = finish();
	check_text(&got, "sub/c", "ccc");
	newc_close(&got);
}
END_TEST

START_TEST(paths_that_cannot_be_included)
{
	const char *none = kit_path(dir, "none");
	refused(avd__initramfs_add_path(archive, none, "/x", &error), -ENOENT, none,
		"no such file");
	const char *fifo = kit_path(dir, "fifo");
	ck_assert_int_eq(mkfifo(fifo, 0644), 0);
	refused(avd__initramfs_add_path(archive, fifo, "/x", &error), -EINVAL, fifo, "FIFO");
	refused(avd__initramfs_add_path(archive, "/dev/null", "/x", &error), -EINVAL, "/dev/null",
		"character device");
	kit_write(kit_path(dir, "file"), "x", 1);
	refused(avd__initramfs_add_path(archive, kit_path(dir, "file"), "x", &error), -EINVAL, "x",
		"absolute");
	struct newc_kit got = finish();
	ck_assert_uint_eq(got.count, 0);
	newc_close(&got);
}
END_TEST

START_TEST(too_deep)
{
	char path[PATH_MAX];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s/d", dir);
	for (int i = 0; i < 70; i++) {
		ck_assert_int_eq(mkdir(path, 0755), 0);
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/d");
	}
	const unsigned int fds = kit_count_fds();
	refused(avd__initramfs_add_path(archive, kit_path(dir, "d"), "/d", &error), -ELOOP, dir,
		"directories deep");
	ck_assert_uint_eq(kit_count_fds(), fds);
}
END_TEST

START_TEST(unreadable_inside)
{
	make_tree();
	ck_assert_int_eq(chmod(kit_path(dir, "t/sub/c"), 0), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(chmod(kit_path(dir, "t"), 0755), 0);
	ck_assert_int_eq(chmod(kit_path(dir, "t/sub"), 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	refused(avd__initramfs_add_path(archive, kit_path(dir, "t"), "/t", &error), -EACCES,
		kit_path(dir, "t/sub/c"), "cannot be read");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	struct newc_kit got = finish();
	check_text(&got, "t/a", "a");
	newc_close(&got);
}
END_TEST

START_TEST(size_limit)
{
	const char *big = kit_path(dir, "big");
	kit_write(big, "", 0);
	ck_assert_int_eq(truncate(big, (off_t)AVD__INITRAMFS_MAX), 0);
	refused(avd__initramfs_add_path(archive, big, "/big", &error), -EFBIG, "big",
		"include less");
	ck_assert_int_eq(truncate(big, (off_t)1 << 40), 0); /* more than the format can say */
	refused(avd__initramfs_add_path(archive, big, "/big", &error), -EFBIG, "big",
		"include less");
	add_text("/small", "fits");
	struct newc_kit got = finish();
	ck_assert_uint_eq(got.count, 1);
	newc_close(&got);
}
END_TEST

START_TEST(many_paths)
{
	char path[64];
	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/many/%d/file", i * 7919 % 3000);
		KIT_CHECK(avd__initramfs_add_bytes(archive, path, 0644, path, 8, &error) == 0, "%s",
			  error.text);
	}
	int fd = -1;
	uint64_t size = 0;
	ck_assert_int_eq(avd__initramfs_finish(archive, &fd, &size, &error), 0);
	close(fd);
	ck_assert_uint_gt(size, 3000 * 2 * 110);
}
END_TEST

/* Nobody changes it any more, by whichever way to the file. */
static void check_sealed(int fd)
{
	char path[64];
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & seals, seals);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const int again = open(path, O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		const int way = i ? again : fd;
		ck_assert_int_ge(way, 0);
		ck_assert_int_lt(pwrite(way, "x", 1, 0), 0);
		ck_assert_int_lt(ftruncate(way, 1), 0);
		ck_assert_int_lt(ftruncate(way, 1 << 30), 0);
		ck_assert_int_lt(fallocate(way, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 512),
				 0);
		ck_assert_ptr_eq(mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_SHARED, way, 0),
				 MAP_FAILED);
		void *seen = mmap(NULL, 512, PROT_READ, MAP_SHARED, way, 0);
		ck_assert_ptr_ne(seen, MAP_FAILED);
		ck_assert_int_lt(mprotect(seen, 512, PROT_READ | PROT_WRITE), 0);
		munmap(seen, 512);
	}
	close(again);
}

/* A page of it in a pipe, as the host's memory management may hold one at any moment. */
START_TEST(a_page_is_held)
{
	char name[PATH_MAX];
	int pipes[2], fd = -1;
	uint64_t size = 0;
	add_text("/a", "a");
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	for (int candidate = 3; candidate < pipes[0] && fd < 0; candidate++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", candidate);
		const ssize_t n = readlink(path, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		fd = strstr(name, "attachverdict-initramfs") ? candidate : -1;
	}
	off_t from = 0;
	ck_assert_int_eq(splice(fd, &from, pipes[1], NULL, 100, 0), 100);
	KIT_CHECK(avd__initramfs_finish(archive, &fd, &size, &error) == 0, "%s", error.text);
	check_sealed(fd);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

START_TEST(sealed_and_alike)
{
	int fds[2] = {-1, -1};
	uint64_t sizes[2] = {0};
	make_tree();
	for (int i = 0; i < 2; i++) {
		struct avd__initramfs *one;
		ck_assert_int_eq(avd__initramfs_new(&one, &error), 0);
		ck_assert_int_eq(avd__initramfs_add_path(one, kit_path(dir, "t"), "/opt/t", &error),
				 0);
		ck_assert_int_eq(avd__initramfs_finish(one, &fds[i], &sizes[i], &error), 0);
		avd__initramfs_free(one);
		/* Another time, another order in the directory. */
		ck_assert_int_eq(rename(kit_path(dir, "t/a"), kit_path(dir, "t/z")), 0);
		ck_assert_int_eq(rename(kit_path(dir, "t/z"), kit_path(dir, "t/a")), 0);
	}
	struct avd__buf first = kit_read_fd(fds[0]);
	struct avd__buf second = kit_read_fd(fds[1]);
	ck_assert_uint_eq(first.len, second.len);
	ck_assert_mem_eq(first.data, second.data, first.len);
	check_sealed(fds[0]);
	ck_assert_int_ne(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, 0);
	avd__buf_free(&first);
	avd__buf_free(&second);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-initramfs");
	TCase *tests = tcase_create("initramfs");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, empty);
	tcase_add_test(tests, files_and_parents);
	tcase_add_test(tests, same_path_twice);
	tcase_add_test(tests, symlinks_are_followed);
	tcase_add_test(tests, bad_guest_paths);
	tcase_add_test(tests, longest_path);
	tcase_add_test(tests, directory_trees);
	tcase_add_test(tests, directory_into_root);
	tcase_add_test(tests, paths_that_cannot_be_included);
	tcase_add_test(tests, too_deep);
	tcase_add_test(tests, unreadable_inside);
	tcase_add_test(tests, size_limit);
	tcase_add_test(tests, many_paths);
	tcase_add_test(tests, sealed_and_alike);
	tcase_add_test(tests, a_page_is_held);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
