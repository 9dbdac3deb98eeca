// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The cache of unpacked kernels: races, damage, no room. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../run_suite.h"
#include "image/cache.h"
#include "image/kernel.h"
#include "image_kit.h"

#define RACERS 8

static char *dir;
static const char *image_path;
static char cache[4096];
static char entry[4096]; /* the one entry's path, once it is there */
static struct avd__buf vmlinux;
static struct avd__error error;

static void set_up(void)
{
	const struct kit_vmlinux what = {.release = KIT_RELEASE,
					 .pvh = true,
					 .btf = true,
					 .btf_sched_ext = true,
					 .padding = 300000};
	static char path[4096];
	uint8_t key[AVD__BLAKE2B_SIZE];
	dir = kit_make_dir();
	snprintf(path, sizeof(path), "%s/vmlinuz", dir);
	snprintf(cache, sizeof(cache), "%s/deep/cache", dir);
	image_path = path;
	vmlinux = kit_make_vmlinux(&what);
	struct avd__buf image = kit_make_bzimage(KIT_RELEASE, AVD__COMPRESSION_LZ4, &vmlinux);
	kit_write(image_path, image.data, image.len);
	avd__blake2b(image.data, image.len, key);
	int n = snprintf(entry, sizeof(entry), "%s/vmlinux/", cache);
	for (size_t i = 0; i < sizeof(key); i++)
		n += snprintf(entry + n, sizeof(entry) - (size_t)n, "%02x", key[i]);
	avd__buf_free(&image);
	memset(&error, 0, sizeof(error));
}

static void tear_down(void)
{
	avd__buf_free(&vmlinux);
	kit_remove_dir(dir);
}

static int get_vmlinux(const char *cache_dir, int *ret_fd)
{
	struct avd__kernel *kernel = NULL;
	int r = avd__kernel_open(image_path, &kernel, &error);
	if (r == 0) {
		r = avd__kernel_vmlinux(kernel, cache_dir, ret_fd, &error);
		if (r == 0 && avd__kernel_info(kernel)->sched_ext != AVD_YES)
			r = -EPROTO;
	}
	avd__kernel_free(kernel);
	return r;
}

static bool is_vmlinux(int fd)
{
	struct avd__buf got = kit_read_fd(fd);
	const bool same = got.len > vmlinux.len && !memcmp(got.data, vmlinux.data, vmlinux.len);
	avd__buf_free(&got);
	return same;
}

/* Gets the vmlinux and checks it and that the cache holds nothing else. */
static void check_get(void)
{
	int fd = -1;
	const unsigned int fds = kit_count_fds();
	ck_assert_msg(get_vmlinux(cache, &fd) == 0, "%s", error.text);
	ck_assert(is_vmlinux(fd));
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	ck_assert_uint_eq(kit_count_fds(), fds);
	ck_assert_int_eq(access(entry, R_OK), 0);
	ck_assert_uint_eq(kit_count_files(kit_path(cache, "vmlinux")), 1);
}

START_TEST(cold_then_warm)
{
	struct stat cold, warm;
	check_get();
	ck_assert_int_eq(stat(entry, &cold), 0);
	ck_assert_uint_eq(cold.st_mode & 07777, 0600);
	check_get();
	ck_assert_int_eq(stat(entry, &warm), 0);
	ck_assert_uint_eq(cold.st_ino, warm.st_ino);
	ck_assert_int_eq(cold.st_mtim.tv_sec, warm.st_mtim.tv_sec);
	ck_assert_int_eq(cold.st_mtim.tv_nsec, warm.st_mtim.tv_nsec);
}
END_TEST

START_TEST(default_directory)
{
	int fd = -1;
	ck_assert_int_eq(setenv("XDG_CACHE_HOME", dir, 1), 0);
	ck_assert_int_eq(get_vmlinux(NULL, &fd), 0);
	close(fd);
	ck_assert_uint_eq(kit_count_files(kit_path(dir, "attachverdict/vmlinux")), 1);
}
END_TEST

START_TEST(vmlinux_needs_no_cache)
{
	int fd = -1;
	kit_write(image_path, vmlinux.data, vmlinux.len);
	ck_assert_msg(get_vmlinux(cache, &fd) == 0, "%s", error.text);
	struct avd__buf got = kit_read_fd(fd);
	ck_assert_uint_eq(got.len, vmlinux.len);
	ck_assert_mem_eq(got.data, vmlinux.data, vmlinux.len);
	avd__buf_free(&got);
	close(fd);
	ck_assert_int_lt(access(cache, F_OK), 0);
}
END_TEST

/* An entry that is cut or changed anywhere is replaced by a sound one. */
START_TEST(torn_entries_are_replaced)
{
	struct stat st;
	check_get();
	ck_assert_int_eq(stat(entry, &st), 0);
	const off_t cuts[] = {
		0, 1, 63, 64, st.st_size / 2, st.st_size - 64, st.st_size - 1, st.st_size + 1};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(cuts); i++) {
		ck_assert_int_eq(truncate(entry, cuts[i]), 0);
		check_get();
	}
	const off_t places[] = {0,
				4096,
				st.st_size / 2,
				st.st_size - 65,
				st.st_size - 64,
				st.st_size - 40,
				st.st_size - 12,
				st.st_size - 1};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(places); i++) {
		uint8_t byte;
		const int fd = open(entry, O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(pread(fd, &byte, 1, places[i]), 1);
		byte ^= 0x40;
		ck_assert_int_eq(pwrite(fd, &byte, 1, places[i]), 1);
		close(fd);
		check_get();
	}
}
END_TEST

START_TEST(foreign_entries)
{
	int fd = -1;
	/* A link to elsewhere is not followed, and what it names stays as it is. */
	check_get();
	ck_assert_int_eq(rename(entry, kit_path(dir, "elsewhere")), 0);
	ck_assert_int_eq(symlink(kit_path(dir, "elsewhere"), entry), 0);
	check_get();
	struct stat st;
	ck_assert_int_eq(lstat(entry, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	/* A FIFO must not block. */
	ck_assert_int_eq(unlink(entry), 0);
	ck_assert_int_eq(mkfifo(entry, 0600), 0);
	check_get();
	/* A directory is not ours to remove. */
	ck_assert_int_eq(unlink(entry), 0);
	ck_assert_int_eq(mkdir(entry, 0700), 0);
	ck_assert_int_eq(get_vmlinux(cache, &fd), -EISDIR);
	kit_check_message(error.text, cache);
	ck_assert_uint_eq(kit_count_files(kit_path(cache, "vmlinux")), 1);
	/* Another kernel's entry under this name is told by its key. */
	ck_assert_int_eq(rmdir(entry), 0);
	uint8_t other[AVD__BLAKE2B_SIZE] = {1};
	ck_assert_int_eq(avd__cache_store(cache, other, (const uint8_t *)"other", 5, &fd, &error),
			 0);
	close(fd);
	char other_path[sizeof(entry) + 128];
	snprintf(other_path, sizeof(other_path), "%s/vmlinux/01%062d", cache, 0);
	ck_assert_int_eq(rename(other_path, entry), 0);
	check_get();
}
END_TEST

/* Another user's file may be changed by that user at any time. */
START_TEST(entry_of_another_user)
{
	struct stat st;
	if (geteuid() != 0) {
		printf("entry_of_another_user: not run, it takes root to make one\n");
		return;
	}
	check_get();
	ck_assert_int_eq(chown(entry, 65534, 65534), 0);
	check_get();
	ck_assert_int_eq(stat(entry, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
}
END_TEST

/* Eight processes at once on a cold cache, or on a torn one: all get the kernel, one file stays. */
START_TEST(race)
{
	pid_t racers[RACERS];
	int start[2];
	if (_i) {
		check_get();
		ck_assert_int_eq(truncate(entry, 1000), 0);
	}
	ck_assert_int_eq(pipe2(start, O_CLOEXEC), 0);
	for (int i = 0; i < RACERS; i++) {
		racers[i] = fork();
		ck_assert_int_ge(racers[i], 0);
		if (racers[i] == 0) {
			char byte;
			int fd = -1;
			close(start[1]);
			if (read(start[0], &byte, 1) != 0) /* until the parent closes its end */
				_exit(2);
			_exit(get_vmlinux(cache, &fd) == 0 && is_vmlinux(fd) ? 0 : 1);
		}
	}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(kit_wait(racers[i]), 0);
	check_get();
}
END_TEST

static void check_no_room(int r, const char *cache_dir)
{
	ck_assert_msg(r == -ENOSPC || r == -EFBIG, "%d %s", r, error.text);
	kit_check_message(error.text, cache_dir);
	ck_assert_ptr_nonnull(strstr(error.text, "--cache-dir"));
	ck_assert_ptr_nonnull(strstr(error.text, "XDG_CACHE_HOME"));
	ck_assert_uint_eq(kit_count_files(kit_path(cache_dir, "vmlinux")), 0);
}

START_TEST(file_size_limit)
{
	const struct rlimit limit = {100000, 100000};
	int fd = -7;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	const int r = get_vmlinux(cache, &fd);
	check_no_room(r, cache);
	ck_assert_int_eq(fd, -7);
}
END_TEST

static int no_room_child(void)
{
	int fd = -1;
	if (avd__mkdirs(cache, NULL) < 0 || mount("none", cache, "tmpfs", 0, "size=128k") < 0)
		return KIT_SKIP;
	const int r = get_vmlinux(cache, &fd);
	if (r != -ENOSPC || kit_count_files(kit_path(cache, "vmlinux")) != 0)
		return 1;
	check_no_room(r, cache);
	/* A little later there is room. */
	if (mount("none", cache, "tmpfs", MS_REMOUNT, "size=4m") < 0)
		return KIT_SKIP;
	check_get();
	return 0;
}

START_TEST(no_room)
{
	static const char *const nothing[] = {NULL};
	const int status = kit_in_namespace(nothing, no_room_child);
	if (status == KIT_SKIP)
		printf("no_room: not run, a mount namespace is not permitted here\n");
	else
		ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(not_writable)
{
	int fd = -1;
	const char *file = kit_path(dir, "file");
	kit_write(file, "x", 1);
	ck_assert_int_eq(get_vmlinux(file, &fd), -ENOTDIR);
	kit_check_message(error.text, file);
	ck_assert_ptr_nonnull(strstr(error.text, "--cache-dir"));
	const char *closed = kit_path(dir, "closed");
	ck_assert_int_eq(mkdir(closed, 0555), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(get_vmlinux(closed, &fd), -EACCES);
	kit_check_message(error.text, closed);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(fd, -1);
}
END_TEST

static void make_file(const char *path, size_t size, time_t age)
{
	const struct timespec times[2] = {{.tv_sec = time(NULL) - age},
					  {.tv_sec = time(NULL) - age}};
	kit_write(path, "", 0);
	ck_assert_int_eq(truncate(path, (off_t)size), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(pruning)
{
	char path[8192];
	static const struct {
		char digit;
		time_t age;
		bool stays;
	} files[] = {{'a', 50, false},
		     {'b', 10, true},
		     {'c', 40, false},
		     {'d', 20, true},
		     {'e', 999, true /* the one to keep */}};
	char names[5][65];
	for (size_t i = 0; i < 5; i++) {
		memset(names[i], files[i].digit, 64);
		names[i][64] = '\0';
		make_file(kit_path(dir, names[i]), 1000, files[i].age);
	}
	make_file(kit_path(dir, "notes"), 5000, 5000);
	make_file(kit_path(dir, ".new-old"), 5000, 7200);
	make_file(kit_path(dir, ".new-now"), 5000, 10);
	avd__cache_prune(dir, names[4], 3000);
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		ck_assert_msg((access(path, F_OK) == 0) == files[i].stays, "%c", files[i].digit);
	}
	ck_assert_int_eq(access(kit_path(dir, "notes"), F_OK), 0);
	ck_assert_int_eq(access(kit_path(dir, ".new-now"), F_OK), 0);
	ck_assert_int_lt(access(kit_path(dir, ".new-old"), F_OK), 0);
	avd__cache_prune(kit_path(dir, "none"), names[4], 3000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-cache");
	TCase *tests = tcase_create("cache");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, cold_then_warm);
	tcase_add_test(tests, default_directory);
	tcase_add_test(tests, vmlinux_needs_no_cache);
	tcase_add_test(tests, torn_entries_are_replaced);
	tcase_add_test(tests, foreign_entries);
	tcase_add_test(tests, entry_of_another_user);
	tcase_add_loop_test(tests, race, 0, 2);
	tcase_add_test(tests, file_size_limit);
	tcase_add_test(tests, no_room);
	tcase_add_test(tests, not_writable);
	tcase_add_test(tests, pruning);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
