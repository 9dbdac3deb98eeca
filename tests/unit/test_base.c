// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/keep.h"
#include "base/proc.h"
#include "base/util.h"
#include "run_suite.h"

static void check_escape(const char *in, size_t size, const char *want)
{
	char out[128];
	const size_t len = avd__escape(out, sizeof(out), in, size);
	ck_assert_str_eq(out, want);
	ck_assert_uint_eq(len, strlen(want));
	struct avd__buf buf = {0};
	ck_assert_int_eq(avd__buf_escape(&buf, in, size), 0);
	ck_assert_str_eq(buf.data ? buf.data : "", want);
	avd__buf_free(&buf);
}

START_TEST(escape_hostile)
{
	check_escape("plain", 5, "plain");
	check_escape("", 0, "");
	check_escape("a\0b", 3, "a\\x00b");
	check_escape("\x1b[31m", 5, "\\x1b[31m");
	check_escape("l\n\t\r", 4, "l\\n\\t\\x0d");
	check_escape("\xc3\xa9", 2, "\xc3\xa9");
	check_escape("\xc3", 1, "\\xc3");
	check_escape("\xc0\x80", 2, "\\xc0\\x80"); /* overlong NUL */
	check_escape("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
	check_escape("\xc2\x9b", 2, "\\xc2\\x9b"); /* C1: CSI */
	check_escape("\xe2\x80\xae", 3, "\\xe2\\x80\\xae"); /* NOLINT: a right-to-left override */
	check_escape("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	check_escape("\x7f", 1, "\\x7f");
	check_escape("\xef\xbf\xbf", 3,
		     "\\xef\\xbf\\xbf"); /* a noncharacter: not XML's, not YAML's */
	check_escape("\xef\xbf\xbd", 3, "\xef\xbf\xbd");
}
END_TEST

START_TEST(durations_and_sizes)
{
	static const struct {
		const char *text;
		uint64_t ms, bytes; /* 0: refused */
	} cases[] = {
		{"500ms", 500, 0},
		{"60s", 60000, 0},
		{"2m", 120000, 0},
		{"2min", 120000, 0},
		{"1h", 3600000, 0},
		{"18446744073709551615ms", UINT64_MAX, 0},
		{"007s", 7000, 0},
		{"4K", 0, 4096},
		{"4KiB", 0, 4096},
		{"512M", 0, UINT64_C(512) << 20},
		{"512MiB", 0, UINT64_C(512) << 20},
		{"2G", 0, UINT64_C(2) << 30},
		{"17179869183GiB", 0, UINT64_C(17179869183) << 30},
		{"", 0, 0},
		{"60", 0, 0},
		{"s", 0, 0},
		{"0s", 0, 0},
		{"0G", 0, 0},
		{"-5s", 0, 0},
		{"+5s", 0, 0},
		{" 5s", 0, 0},
		{"5 s", 0, 0},
		{"5s ", 0, 0},
		{"1.5s", 0, 0},
		{"5x", 0, 0},
		{"0x5s", 0, 0},
		{"18446744073709551616ms", 0, 0},
		{"99999999999999999999s", 0, 0},
		{"18446744073709551615h", 0, 0},
		{"17179869184G", 0, 0},
		{"1T", 0, 0},
		{"1g", 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ms = 1, bytes = 1; /* untouched on failure */
		const int r = avd_parse_duration(cases[i].text, &ms);
		ck_assert_msg((r == 0) == !!cases[i].ms, "%s", cases[i].text);
		ck_assert_uint_eq(ms, cases[i].ms ? cases[i].ms : 1);
		const int s = avd_parse_size(cases[i].text, &bytes);
		ck_assert_msg((s == 0) == !!cases[i].bytes, "%s", cases[i].text);
		ck_assert_uint_eq(bytes, cases[i].bytes ? cases[i].bytes : 1);
	}
	uint64_t value;
	ck_assert_int_eq(avd_parse_size("17179869184G", &value), -ERANGE);
	ck_assert_int_eq(avd_parse_duration("99999999999999999999s", &value), -ERANGE);
	ck_assert_int_eq(avd_parse_duration("soon", &value), -EINVAL);
	ck_assert_int_eq(avd_parse_duration(NULL, &value), -EINVAL);
}
END_TEST

START_TEST(words)
{
	static const char *const three[] = {"auto", "", "qemu", "kvm", NULL};
	char list[32], tiny[8];
	uint32_t index = 9;
	ck_assert_int_eq(avd_parse_word("qemu", three, 5, &index, NULL, 0), 0);
	ck_assert_uint_eq(index, 2);
	static const char *const none[] = {"", "QEMU", "qem", "qemu ", NULL};
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(avd_parse_word(none[i], three, 5, &index, list, sizeof(list)),
				 -EINVAL);
		ck_assert_str_eq(list, "auto, qemu or kvm");
		ck_assert_uint_eq(index, 2);
	}
	ck_assert_int_eq(avd_parse_word("x", three, 5, &index, tiny, sizeof(tiny)), -EINVAL);
	ck_assert_str_eq(tiny, "auto, q");
	ck_assert_int_eq(avd_parse_word("x", three, 1, &index, list, sizeof(list)), -EINVAL);
	ck_assert_str_eq(list, "auto");
	ck_assert_int_eq(avd_parse_word("x", three, 0, &index, list, sizeof(list)), -EINVAL);
	ck_assert_str_eq(list, "");
	ck_assert_int_eq(avd_parse_word("x", three, 5, &index, list, 0), -EINVAL);
}
END_TEST

START_TEST(copies_are_kept)
{
	struct avd__keep keep;
	struct avd__error error = {0};
	char text[] = "text", cwd[4096], want[4200];
	const char *copy = text, *empty = "", *none = NULL, *path = "a/b", *root = "/a";
	const char *name = "qemu", *program = "./qemu";
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	avd__keep_init(&keep);
	ck_assert_int_eq(avd__keep_text(&keep, &copy, &error), 0);
	text[0] = 'X';
	ck_assert_str_eq(copy, "text");
	ck_assert_int_eq(avd__keep_text(&keep, &empty, &error), 0);
	ck_assert_ptr_null(empty);
	ck_assert_int_eq(avd__keep_path(&keep, &none, &error), 0);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(avd__keep_path(&keep, &root, &error), 0);
	ck_assert_str_eq(root, "/a");
	ck_assert_int_eq(avd__keep_path(&keep, &path, &error), 0);
	snprintf(want, sizeof(want), "%s/a/b", cwd);
	ck_assert_str_eq(path, want);
	ck_assert_int_eq(avd__keep_program(&keep, &name, &error), 0);
	ck_assert_str_eq(name, "qemu");
	ck_assert_int_eq(avd__keep_program(&keep, &program, &error), 0);
	snprintf(want, sizeof(want), "%s/./qemu", cwd);
	ck_assert_str_eq(program, want);
	for (int i = 0; i < 100; i++) { /* it grows */
		const char *more = "more";
		ck_assert_int_eq(avd__keep_text(&keep, &more, &error), 0);
	}
	ck_assert_int_eq(avd__keep_add(&keep, NULL, &error), -ENOMEM);
	free(keep.cwd);
	keep.cwd = NULL;
	path = "a/b";
	ck_assert_int_eq(avd__keep_path(&keep, &path, &error), -EINVAL);
	ck_assert_str_eq(error.text, "a/b: the current directory is gone; give an absolute path");
	avd__keep_free(&keep);
	ck_assert_uint_eq(keep.count, 0);
}
END_TEST

START_TEST(escape_cuts_at_a_whole_escape)
{
	char out[6];
	ck_assert_uint_eq(avd__escape(out, sizeof(out), "ab\x01", 3), 2);
	ck_assert_str_eq(out, "ab");
	ck_assert_uint_eq(avd__escape(out, 0, "ab", 2), 0);
}
END_TEST

START_TEST(error_is_escaped_and_bounded)
{
	struct avd__error error = {0};
	errno = EIO;
	ck_assert_int_eq(avd__fail(&error, ENOENT, "no \x1b%s", "file"), -ENOENT);
	ck_assert_int_eq(errno, EIO);
	ck_assert_str_eq(error.text, "no \\x1bfile");
	char longer[3000];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	avd__fail(&error, EINVAL, "%s", longer);
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
	char small[4];
	avd__error_copy(&error, small, sizeof(small));
	ck_assert_str_eq(small, "xxx");
	avd__error_copy(&error, NULL, 0);
	ck_assert_int_eq(avd__fail(NULL, EPERM, "nobody listens"), -EPERM);
}
END_TEST

struct options_now {
	size_t size;
	uint32_t a, b;
};
struct options_next {
	struct options_now now;
	uint64_t c;
};

START_TEST(options_of_other_releases)
{
	struct options_now known = {0};
	struct options_next next = {.now = {.size = sizeof(next), .a = 1, .b = 2}};
	ck_assert_int_eq(avd__options_copy(&known, sizeof(known), &next, sizeof(size_t)), 0);
	ck_assert_uint_eq(known.b, 2);
	next.c = 1;
	ck_assert_int_eq(avd__options_copy(&known, sizeof(known), &next, sizeof(size_t)), -E2BIG);
	struct options_now old = {.size = sizeof(size_t) + 4, .a = 7, .b = 9};
	memset(&known, 0, sizeof(known));
	ck_assert_int_eq(avd__options_copy(&known, sizeof(known), &old, sizeof(size_t)), 0);
	ck_assert_uint_eq(known.a, 7);
	ck_assert_uint_eq(known.b, 0);
	old.size = 3;
	ck_assert_int_eq(avd__options_copy(&known, sizeof(known), &old, sizeof(size_t)), -EINVAL);
	ck_assert_int_eq(avd__options_copy(&known, sizeof(known), NULL, 8), -EINVAL);
}
END_TEST

START_TEST(buf_grows_and_hands_over)
{
	struct avd__buf buf = {0};
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(avd__buf_printf(&buf, "%d,", i), 0);
	char *data;
	size_t len;
	ck_assert_int_eq(avd__buf_take(&buf, &data, &len), 0);
	ck_assert_uint_eq(len, strlen(data));
	ck_assert_mem_eq(data, "0,1,2,", 6);
	avd_free(data);
	ck_assert_ptr_null(buf.data);
	ck_assert_int_eq(avd__buf_append(&buf, "x", SIZE_MAX - 4), -ENOMEM);
	ck_assert_int_eq(avd__buf_puts(&buf, "later"), -ENOMEM); /* sticky */
	avd__buf_free(&buf);
}
END_TEST

START_TEST(cache_dir_order)
{
	char *path;
	ck_assert_int_eq(avd__cache_dir("/x", &path, NULL), 0);
	ck_assert_str_eq(path, "/x");
	free(path);
	setenv("XDG_CACHE_HOME", "/xdg", 1);
	setenv("HOME", "/home/u", 1);
	ck_assert_int_eq(avd__cache_dir(NULL, &path, NULL), 0);
	ck_assert_str_eq(path, "/xdg/attachverdict");
	free(path);
	setenv("XDG_CACHE_HOME", "relative", 1);
	ck_assert_int_eq(avd__cache_dir(NULL, &path, NULL), 0);
	ck_assert_str_eq(path, "/home/u/.cache/attachverdict");
	free(path);
	unsetenv("HOME");
	ck_assert_int_eq(avd__cache_dir(NULL, &path, NULL), -ENOENT);
}
END_TEST

/* Two on one CPU: one of them waits. Goes on until the count moves, which it must. */
START_TEST(waiting_for_a_cpu_is_counted)
{
	cpu_set_t all, one;
	if (access("/proc/self/schedstat", R_OK) < 0)
		return; /* this kernel does not count */
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++) {
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	}
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	const pid_t child = fork();
	if (child == 0) {
		for (;;)
			;
	}
	ck_assert_int_gt(child, 0);
	const uint64_t before = avd__proc_wait_ns(child, 0);
	ck_assert_uint_ne(before, AVD__WAIT_UNKNOWN);
	while (avd__proc_wait_ns(child, child) == before)
		;
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_uint_eq(avd__proc_wait_ns(child, 0), AVD__WAIT_UNKNOWN);
	ck_assert_uint_eq(avd__proc_wait_ns(getpid(), child), AVD__WAIT_UNKNOWN);
}
END_TEST

/* A pipe gives what its writer gave at a time; so many bytes are wanted. */
START_TEST(reads_go_on_to_the_end)
{
	char got[16] = "";
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		for (const char *at = "abcdefg"; *at; at++) {
			if (write(ends[1], at, 1) != 1)
				_exit(1);
			sched_yield();
		}
		_exit(0);
	}
	close(ends[1]);
	ck_assert_int_eq(avd__read_all(ends[0], got, 5), 5);
	ck_assert_str_eq(got, "abcde");
	ck_assert_int_eq(avd__read_all(ends[0], got, sizeof(got)), 2);
	ck_assert_int_eq(memcmp(got, "fgcde", 5), 0);
	ck_assert_int_eq(avd__read_all(ends[0], got, sizeof(got)), 0);
	ck_assert_int_eq(avd__pread_all(ends[0], got, 1, 0), -ESPIPE);
	close(ends[0]);
	ck_assert_int_eq(avd__read_all(ends[0], got, 1), -EBADF);
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tc = tcase_create("base");
	tcase_add_test(tc, escape_hostile);
	tcase_add_test(tc, escape_cuts_at_a_whole_escape);
	tcase_add_test(tc, durations_and_sizes);
	tcase_add_test(tc, words);
	tcase_add_test(tc, copies_are_kept);
	tcase_add_test(tc, error_is_escaped_and_bounded);
	tcase_add_test(tc, options_of_other_releases);
	tcase_add_test(tc, buf_grows_and_hands_over);
	tcase_add_test(tc, cache_dir_order);
	tcase_add_test(tc, waiting_for_a_cpu_is_counted);
	tcase_add_test(tc, reads_go_on_to_the_end);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
