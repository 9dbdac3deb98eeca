// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The guest's texts: how a reason begins, lists, quotes and their bounds. */
#include <attachverdict/verdict.h>
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "reason.h"
#include "run_suite.h"

START_TEST(head_of_a_reason)
{
	struct avd__scx_reading scx = {
		.state = AVD__SCX_ENABLED, .ops_there = true, .enable_seq = 4, .ops = "a\"b"};
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	avd__reason_head(&reason, AVD_REASON_TIMEOUT, &scx, 3, 1999999, 42000000);
	ck_assert_str_eq(text, "cause=timeout state=enabled ops=\"a\\x22b\" enable_seq=3->4 "
			       "wall_ms=1 cpu_ms=42");
	scx = (struct avd__scx_reading){.state = AVD__SCX_DISABLED};
	reason = avd__text_on(text, sizeof(text));
	avd__reason_head(&reason, AVD_REASON_EXITED, &scx, 0, 0, 0);
	ck_assert_str_eq(text, "cause=exited state=disabled ops=missing enable_seq=0->0 wall_ms=0 "
			       "cpu_ms=0");
	scx.ops_there = true;
	reason = avd__text_on(text, sizeof(text));
	avd__reason_head(&reason, AVD_REASON_EXITED, &scx, 0, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "ops=empty"));
	reason = avd__text_on(text, sizeof(text));
	avd__reason_exit(&reason, &(struct avd__exit){.status = -1, .signal = SIGKILL});
	ck_assert_str_eq(text, "; killed by signal 9 (Killed)");
}
END_TEST

/* The guest keeps its own names, as it does not link the library. */
START_TEST(names_are_the_librarys)
{
	static const uint32_t codes[] = {
		AVD_REASON_EXEC_FAILED,	      AVD_REASON_EXITED,	AVD_REASON_KILLED_BY_SIGNAL,
		AVD_REASON_VERIFIER_REJECTED, AVD_REASON_MISSING_KFUNC, AVD_REASON_MISSING_MEMBER,
		AVD_REASON_NO_SCHED_EXT,      AVD_REASON_BUSY,		AVD_REASON_INIT_FAILED,
		AVD_REASON_EJECTED_AT_ATTACH, AVD_REASON_TIMEOUT,
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		ck_assert_str_eq(avd__reason_name(codes[i]), avd_reason_code_name(codes[i]));
}
END_TEST

/* Whatever the size of the buffer: ended, within it, and a quote that is cut is closed. */
START_TEST(lists_of_cpus_are_folded)
{
	static const struct {
		uint16_t cpus[8];
		uint32_t count;
		const char *want;
	} cases[] = {
		{{2}, 1, "CPU 2"},
		{{0, 1}, 2, "CPUs 0-1"},
		{{0, 1, 2, 3, 7}, 5, "CPUs 0-3,7"},
		{{0, 2, 4}, 3, "CPUs 0,2,4"},
		{{5, 250, 251}, 3, "CPUs 5,250-251"},
	};
	char data[64], small[9];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct avd__text text = avd__text_on(data, sizeof(data));
		avd__text_cpus(&text, cases[i].cpus, cases[i].count);
		ck_assert_str_eq(data, cases[i].want);
	}
	struct avd__text text = avd__text_on(small, sizeof(small));
	avd__text_cpus(&text, cases[2].cpus, cases[2].count);
	ck_assert_str_eq(small, "CPUs 0-3");
}
END_TEST

START_TEST(text_is_bounded)
{
	char text[64];

	for (size_t size = 1; size <= sizeof(text); size++) {
		memset(text, 'Z', sizeof(text));
		struct avd__text out = avd__text_on(text, size);
		avd__text_add(&out, "ab%dcd", 12345);
		avd__text_quote(&out, "\x01\x02\x03 some \" more", 16);
		ck_assert_uint_lt(out.len, size);
		ck_assert_uint_eq(strlen(text), out.len);
		if (size < sizeof(text))
			ck_assert_int_eq(text[size], 'Z');
		if (out.len > 11 && size > 18)
			ck_assert_int_eq(text[out.len - 1], '"');
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-text");
	TCase *tc = tcase_create("text");
	tcase_add_test(tc, head_of_a_reason);
	tcase_add_test(tc, names_are_the_librarys);
	tcase_add_test(tc, lists_of_cpus_are_folded);
	tcase_add_test(tc, text_is_bounded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
