// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What is remembered of /dev/kvm: only what is whole, ours, and still holds. */
#include <attachverdict/attachverdict.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "run_suite.h"
#include "runner/answer.h"
#include "runner/choose.h"

#define KEY "0-1-2 6:82:2792:17.000000001 6.18 0.1.0"

static char dir[64], path[128];
static const struct avd__kvm_answer no = {.result = -ENOTSUP, .why = "it stops at shlx"};

static int entries(const char *name)
{
	int count = 0;
	DIR *d = opendir(name);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/avd-answer-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sub/kvm-answer", dir);
}

static void teardown(void)
{
	char sub[96];
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	unlink(path);
	rmdir(sub);
	snprintf(path, sizeof(path), "%s/kvm-answer", dir);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0); /* nothing else was left */
}

static void store(const struct avd__kvm_answer *answer)
{
	struct avd__error error = {0};
	const int r = avd__answer_store(path, KEY, answer, &error);
	ck_assert_msg(r == 0, "%s", error.text);
}

static int load(struct avd__kvm_answer *ret_answer)
{
	return avd__answer_load(path, KEY, ret_answer);
}

START_TEST(keeps_both_answers)
{
	const struct avd__kvm_answer yes = {.result = 0};
	struct avd__kvm_answer got;
	ck_assert_int_eq(load(&got), -ENOENT);
	store(&no);
	ck_assert_int_eq(load(&got), 0);
	ck_assert_int_eq(got.result, -ENOTSUP);
	ck_assert_str_eq(got.why, no.why);
	ck_assert(got.remembered);
	store(&yes);
	ck_assert_int_eq(load(&got), 0);
	ck_assert_int_eq(got.result, 0);
	ck_assert_str_eq(got.why, "");
}
END_TEST

START_TEST(stale_is_none)
{
	struct avd__kvm_answer got;
	store(&no);
	ck_assert_int_eq(avd__answer_load(path, KEY "1", &got), -ENOENT);
	ck_assert_int_eq(avd__answer_load(path, "1" KEY, &got), -ENOENT);
	ck_assert_int_eq(avd__answer_load(path, "", &got), -ENOENT);
}
END_TEST

static size_t read_all(char *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	const ssize_t n = read(fd, out, size);
	ck_assert_int_gt(n, 0);
	close(fd);
	return (size_t)n;
}

static void write_all(const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

START_TEST(torn_or_changed_is_none)
{
	char whole[2048], changed[2048];
	struct avd__kvm_answer got;
	store(&no);
	const size_t size = read_all(whole, sizeof(whole));
	for (size_t i = 0; i < size; i++) {
		write_all(whole, i);
		ck_assert_msg(load(&got) == -ENOENT, "cut at %zu", i);
		for (int bit = 0; bit < 8; bit++) {
			memcpy(changed, whole, size);
			changed[i] ^= (char)(1 << bit);
			write_all(changed, size);
			ck_assert_msg(load(&got) == -ENOENT, "bit %d of %zu", bit, i);
		}
	}
	memcpy(changed, whole, size);
	changed[size] = '\n';
	write_all(changed, size + 1);
	ck_assert_int_eq(load(&got), -ENOENT);
	write_all(whole, size);
	ck_assert_int_eq(load(&got), 0);
}
END_TEST

START_TEST(what_others_may_write_is_none)
{
	struct avd__kvm_answer got;
	char link[128];
	store(&no);
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(load(&got), -ENOENT);
	ck_assert_int_eq(chmod(path, 0602), 0);
	ck_assert_int_eq(load(&got), -ENOENT);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(load(&got), 0);
	snprintf(link, sizeof(link), "%s/kvm-answer", dir);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(avd__answer_load(link, KEY, &got), -ENOENT);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(mkfifo(link, 0600), 0); /* nobody waits for its other end */
	ck_assert_int_eq(avd__answer_load(link, KEY, &got), -ENOENT);
}
END_TEST

/* Writers and readers at once: a reader finds one whole answer or the other. */
START_TEST(many_processes_at_once)
{
	struct avd__kvm_answer got;
	store(&no);
	for (int i = 0; i < 4; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid)
			continue;
		const struct avd__kvm_answer mine = {.result = i % 2 ? 0 : -ENOTSUP};
		for (int n = 0; n < 500; n++) {
			if (avd__answer_store(path, KEY, &mine, NULL) < 0 || load(&got) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;
		ck_assert_int_ge(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(entries(path), 1); /* no temporary file is left */
	strcat(path, "/kvm-answer");
}
END_TEST

START_TEST(stands_where_it_should)
{
	char name[256];
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
	ck_assert_int_eq(setenv("XDG_CACHE_HOME", "/c", 1), 0);
	ck_assert_int_gt(avd_machine_answer_path(NULL, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "/run/user/7/attachverdict/kvm-answer");
	ck_assert_int_eq(avd_machine_answer_path("/x", name, sizeof(name)), 13);
	ck_assert_str_eq(name, "/x/kvm-answer");
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);
	ck_assert_int_eq(avd_machine_answer_path(NULL, NULL, 0), 27);
	avd_machine_answer_path(NULL, name, sizeof(name));
	ck_assert_str_eq(name, "/c/attachverdict/kvm-answer");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	ck_assert_int_eq(avd_machine_answer_path(NULL, name, sizeof(name)), -ENOENT);
}
END_TEST

/* Nothing is left of what could not be written, and what was there stays. */
START_TEST(can_not_be_stored)
{
	const struct avd__kvm_answer yes = {.result = 0};
	struct avd__error error = {0};
	struct avd__kvm_answer got;
	store(&no);
	for (unsigned int n = 1;; n++) {
		alloc_fail_at(n);
		const int r = avd__answer_store(path, KEY, &yes, &error);
		const bool hit = alloc_count() >= n;
		alloc_fail_at(0);
		ck_assert_int_eq(load(&got), 0);
		ck_assert_int_eq(got.result, r ? -ENOTSUP : 0);
		if (!hit) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_gt(n, 3);
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
	}
	ck_assert_int_eq(avd__answer_store("/dev/null/x/kvm-answer", KEY, &yes, &error), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(error.text, "/dev/null"));
	ck_assert_int_lt(avd__answer_store("/proc/kvm-answer", KEY, &yes, &error), 0);
	ck_assert_ptr_nonnull(strstr(error.text, "/proc/kvm-answer"));
}
END_TEST

/* The real device, if there is one: asked once, then remembered, unless it must be fresh. */
START_TEST(asks_once)
{
	struct avd__kvm_answer first, second;
	char key[512];
	avd__kvm_answer(dir, false, NULL, &first);
	ck_assert(!first.remembered);
	const bool kept = avd__answer_key(key, sizeof(key)) &&
			  (first.result == 0 || first.result == -ENOTSUP);
	ck_assert_int_eq(entries(dir), kept);
	avd__kvm_answer(dir, false, NULL, &second);
	ck_assert(second.remembered == kept);
	ck_assert_str_eq(second.why, first.why);
	avd__kvm_answer(dir, true, NULL, &second);
	ck_assert(!second.remembered);
}
END_TEST

/* On whatever host: the one answer about /dev/kvm decides for both kinds. */
START_TEST(chooses_and_says_why)
{
	static const struct avd__choice untouched = {.kind = 77};
	struct avd__choice choice = untouched;
	struct avd__error error = {0};
	struct avd__kvm_answer kvm;
	char qemu[128];
	avd__kvm_answer(dir, false, NULL, &kvm);
	const bool works = kvm.result == 0;
	ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0);
	ck_assert_int_eq(avd__choose(7, NULL, dir, false, NULL, &choice, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "machine=7"));
	ck_assert_int_eq(avd__choose(AVD_MACHINE_QEMU, "/nonexistent/qemu", dir, false, NULL,
				     &choice, &error),
			 -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.text, "/nonexistent/qemu"));
	int r = avd__choose(AVD_MACHINE_KVM, NULL, dir, false, NULL, &choice, &error);
	ck_assert_int_eq(r, kvm.result);
	if (works)
		ck_assert_str_eq(choice.reason, ""); /* it was asked for */
	r = avd__choose(AVD_MACHINE_AUTO, NULL, dir, false, NULL, &choice, &error);
	if (works) {
		ck_assert_uint_eq(choice.kind, AVD_MACHINE_KVM);
		ck_assert_ptr_nonnull(strstr(choice.reason, "auto: /dev/kvm runs"));
	} else {
		ck_assert_int_lt(r, 0);
		ck_assert_ptr_nonnull(strstr(error.text, "no machine to boot in"));
		ck_assert_ptr_nonnull(strstr(error.text, kvm.why));
		ck_assert_uint_eq(choice.kind, 77);
	}
	/* Something that answers as a QEMU does. */
	snprintf(qemu, sizeof(qemu), "%s/qemu-system-x86_64", dir);
	FILE *script = fopen(qemu, "w");
	ck_assert_ptr_nonnull(script);
	fputs("#!/bin/sh\necho QEMU emulator version 9.8.7\n", script);
	fclose(script);
	ck_assert_int_eq(chmod(qemu, 0700), 0);
	r = avd__choose(AVD_MACHINE_AUTO, qemu, dir, false, NULL, &choice, &error);
	ck_assert_msg(r == 0, "%s", error.text);
	ck_assert_uint_eq(choice.kind, AVD_MACHINE_QEMU);
	ck_assert_str_eq(choice.accel, works ? "kvm" : "tcg");
	ck_assert_str_eq(choice.reason, "a QEMU was named");
	ck_assert_int_eq(setenv("PATH", dir, 1), 0);
	ck_assert_int_eq(avd__choose(AVD_MACHINE_AUTO, NULL, dir, false, NULL, &choice, &error), 0);
	if (!works)
		ck_assert_ptr_nonnull(strstr(choice.reason, "auto, not kvm: "));
	unlink(qemu);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tc = tcase_create("answer");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, keeps_both_answers);
	tcase_add_test(tc, stale_is_none);
	tcase_add_test(tc, torn_or_changed_is_none);
	tcase_add_test(tc, what_others_may_write_is_none);
	tcase_add_test(tc, many_processes_at_once);
	tcase_add_test(tc, stands_where_it_should);
	tcase_add_test(tc, can_not_be_stored);
	tcase_add_test(tc, asks_once);
	tcase_add_test(tc, chooses_and_says_why);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
