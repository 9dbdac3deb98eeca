// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/recording.h"
#include "run_suite.h"

static char dir[64], path[96];
static struct avd__recording recording;
static struct avd__error error;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/avd-recording-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cell.avd", dir);
	recording = (struct avd__recording)AVD__RECORDING_INIT;
	memset(&error, 0, sizeof(error));
}

static int count_entries(int remove)
{
	int count = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		count++;
		if (remove)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return count;
}

static void teardown(void)
{
	avd__recording_close(&recording);
	count_entries(1);
	rmdir(dir);
}

static void check_file(const char *name, const char *want)
{
	char have[64] = "";
	FILE *f = fopen(name, "r");
	ck_assert_ptr_nonnull(f);
	const size_t n = fread(have, 1, sizeof(have) - 1, f);
	fclose(f);
	ck_assert_uint_eq(n, strlen(want));
	ck_assert_str_eq(have, want);
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

/* A file system without O_TMPFILE: the named way, as after open_spool()'s fallback. */
static void use_named_spool(void)
{
	ck_assert_ptr_null(recording.temp);
	recording.temp = strdup(".cell.avd.0123.partial");
	close(recording.fd);
	recording.fd = openat(recording.dir_fd, recording.temp,
			      O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	ck_assert_int_ge(recording.fd, 0);
}

static void open_it(int named)
{
	ck_assert_int_eq(avd__recording_open(&recording, path, &error), 0);
	if (named)
		use_named_spool();
}

START_TEST(appears_whole)
{
	open_it(_i & 1);
	if (_i & 2)
		write_file(path, "an older one");
	const int before = (_i & 1) + (_i >> 1 & 1);
	ck_assert_int_eq(avd__recording_write(&recording, "abc", 3), 0);
	ck_assert_int_eq(avd__recording_write(&recording, "def", 3), 0);
	ck_assert_int_eq(count_entries(0), before);
	if (_i & 2)
		check_file(path, "an older one");
	ck_assert_int_eq(avd__recording_commit(&recording, &error), 0);
	check_file(path, "abcdef");
	ck_assert_int_eq(count_entries(0), 1);
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0644); /* the umask's, not mkstemp's */
}
END_TEST

START_TEST(not_committed_leaves_nothing)
{
	open_it(_i & 1);
	avd__recording_write(&recording, "abc", 3);
	avd__recording_close(&recording);
	ck_assert_int_eq(count_entries(0), 0);
}
END_TEST

START_TEST(full_disk)
{
	write_file(path, "an older one");
	open_it(_i & 1);
	ck_assert_int_eq(avd__recording_write(&recording, "abc", 3), 0);
	const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(full, 0);
	ck_assert_int_eq(dup2(full, recording.fd), recording.fd);
	close(full);
	ck_assert_int_eq(avd__recording_write(&recording, "def", 3), -ENOSPC);
	ck_assert_int_eq(count_entries(0), 1); /* the spool is gone at once */
	ck_assert_int_eq(avd__recording_write(&recording, "ghi", 3), 0); /* and stays so */
	ck_assert_int_eq(avd__recording_commit(&recording, &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.text, path));
	ck_assert_ptr_nonnull(strstr(error.text, "No space left"));
	check_file(path, "an older one");
}
END_TEST

START_TEST(directory_vanishes)
{
	open_it(_i & 1);
	avd__recording_write(&recording, "abc", 3);
	count_entries(1);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(avd__recording_commit(&recording, &error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.text, path));
	ck_assert_int_eq(mkdir(dir, 0700), 0); /* for teardown */
}
END_TEST

START_TEST(nothing_to_record)
{
	ck_assert_int_eq(avd__recording_write(&recording, "abc", 3), 0);
	ck_assert_int_eq(avd__recording_commit(&recording, &error), 0);
}
END_TEST

static void check_refused(const char *name, int want)
{
	const int r = avd__recording_open(&recording, name, &error);
	ck_assert_int_eq(r, want);
	ck_assert_msg(strstr(error.text, name), "%s", error.text);
	ck_assert_int_eq(recording.fd, -1);
}

START_TEST(refuses_what_is_no_file)
{
	char name[160];
	check_refused(dir, -EISDIR);
	check_refused("/dev/null", -EINVAL);
	snprintf(name, sizeof(name), "%s/none/cell.avd", dir);
	check_refused(name, -ENOENT);
	snprintf(name, sizeof(name), "%s/new/", dir);
	check_refused(name, -EISDIR);
	snprintf(name, sizeof(name), "%s/dangling", dir);
	ck_assert_int_eq(symlink("nowhere", name), 0);
	check_refused(name, -ENOENT);
	snprintf(name, sizeof(name), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	check_refused(name, -EINVAL);
}
END_TEST

START_TEST(link_is_followed)
{
	char name[160];
	snprintf(name, sizeof(name), "%s/link", dir);
	write_file(path, "an older one");
	ck_assert_int_eq(symlink("cell.avd", name), 0);
	ck_assert_int_eq(avd__recording_open(&recording, name, &error), 0);
	avd__recording_write(&recording, "new", 3);
	ck_assert_int_eq(avd__recording_commit(&recording, &error), 0);
	check_file(path, "new");
	struct stat st;
	ck_assert_int_eq(lstat(name, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

int main(void)
{
	umask(022);
	Suite *suite = suite_create("cell-recording");
	TCase *tc = tcase_create("recording");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, appears_whole, 0, 4);
	tcase_add_loop_test(tc, not_committed_leaves_nothing, 0, 2);
	tcase_add_loop_test(tc, full_disk, 0, 2);
	tcase_add_loop_test(tc, directory_vanishes, 0, 2);
	tcase_add_test(tc, nothing_to_record);
	tcase_add_test(tc, refuses_what_is_no_file);
	tcase_add_test(tc, link_is_followed);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
