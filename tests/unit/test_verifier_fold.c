// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Properties of the collapse, on real logs and on made ones of random loops. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run_suite.h"
#include "verifier_kit.h"

#define BEGIN "libbpf: prog 'a': -- BEGIN PROG LOAD LOG --\n"
#define LAST "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"
#define END "-- END PROG LOAD LOG --\n"

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Lines that a collapsed text stands for: its loops' own count at the outermost level. */
static uint64_t expanded_lines(const char *text)
{
	uint64_t lines = 0;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *comma = *line == '\\' || *line == '*' ? strstr(line, ", ") : NULL;
		if (comma)
			lines += strtoull(comma + 2, NULL, 10);
		else if (*line != '/' && *line != '|')
			lines++;
	}
	return lines;
}

static uint64_t count_lines(const char *text)
{
	uint64_t lines = 0;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* The three that hold for any log. Returns how many lines the collapsed text has. */
static uint64_t check_properties(const char *text, size_t size)
{
	avd_verifier *verifier = kit_feed(NULL, text, size, 0);
	const uint32_t count = avd_verifier_program_count(verifier);
	uint64_t all = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct avd_program p = kit_program(verifier, i);
		char *once = kit_collapsed(verifier, i);
		ck_assert_uint_eq(expanded_lines(once), p.log_lines);
		ck_assert_uint_eq(count_lines(once), p.collapsed_lines);
		struct kit_text framed = {0};
		kit_put(&framed, BEGIN, strlen(BEGIN));
		kit_put(&framed, once, strlen(once));
		kit_put(&framed, END, strlen(END));
		avd_verifier *again = kit_feed(NULL, framed.data, framed.size, 0);
		char *twice = kit_collapsed(again, 0);
		if (strcmp(twice, once) != 0) /* Check can't print long ones */
			ck_abort_msg("not idempotent:\n%.1500s\nbecame\n%.1500s", once, twice);
		ck_assert_uint_eq(kit_program(again, 0).verdict, p.verdict);
		all += p.collapsed_lines;
		free(twice);
		free(framed.data);
		free(once);
		avd_verifier_free(again);
	}
	avd_verifier_free(verifier);
	return all;
}

START_TEST(real_logs)
{
	static const char *const logs[] = {"reject-6.16", "reject-7.3", "bounds-6.16", "bounds-7.3",
					   "sample-level6-7.3"};
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		size_t size;
		char *text = kit_log(logs[i], &size);
		check_properties(text, size);
		free(text);
	}
}
END_TEST

/* A loop of `body` lines, `times` times, at instruction `at`; values count up. */
static void put_loop(struct kit_text *out, int at, int body, int times)
{
	for (int i = 0; i < times; i++) {
		for (int k = 0; k < body; k++)
			kit_printf(out, "%d: (07) r%d += %d  ; R%d_w=scalar(id=%d,umax=%d) R2=%d\n",
				   at + k, k % 10, k + 1, k % 10, i * body + k, i, i);
	}
}

START_TEST(strides)
{
	static const int bodies[] = {1, 2, 3, 10, 100, 1000};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct kit_text text = {0};
		kit_printf(&text, BEGIN "0: R1=ctx() R10=fp0\n");
		put_loop(&text, 1, bodies[i], 50);
		kit_printf(&text, "9999: (95) exit\n" LAST END);
		/* The walk's first and last line, the body with head and foot unless it is one
		 * line, the last line. */
		const uint64_t frame = bodies[i] == 1 ? 0 : 2;
		ck_assert_uint_eq(check_properties(text.data, text.size),
				  (uint64_t)bodies[i] + frame + 3);
		avd_verifier *verifier = kit_feed(NULL, text.data, text.size, 0);
		char *collapsed = kit_collapsed(verifier, 0);
		char want[100];
		snprintf(want, sizeof(want), "/ 50 times, %d lines each:\n| 1: ", bodies[i]);
		if (bodies[i] == 1)
			snprintf(want, sizeof(want), "* 50 times, 50 lines: 1: ");
		ck_assert_ptr_nonnull(strstr(collapsed, want));
		free(collapsed);
		avd_verifier_free(verifier);
		free(text.data);
	}
}
END_TEST

START_TEST(nested_loops)
{
	struct kit_text text = {0};
	kit_printf(&text, BEGIN "0: R1=ctx() R10=fp0\n");
	for (int i = 0; i < 20; i++) {
		kit_printf(&text, "1: (b7) r1 = 0 ; R1=%d\n", i);
		for (int k = 0; k < 7; k++) {
			put_loop(&text, 10, 3, 5);
			kit_printf(&text, "20: (05) goto pc-5\n");
		}
		kit_printf(&text, "30: (05) goto pc-29\n");
	}
	kit_printf(&text, "99: (95) exit\n" LAST END);
	check_properties(text.data, text.size);
	avd_verifier *verifier = kit_feed(NULL, text.data, text.size, 0);
	char *collapsed = kit_collapsed(verifier, 0);
	static const char *const want[] = {
		"/ 20 times, 114 lines each:\n", "| / 7 times, 16 lines each:\n",
		"| | / 5 times, 3 lines each:\n| | | 10: ", "\n\\ 20 times, 2280 lines\n"};
	for (size_t i = 0; i < 4; i++)
		ck_assert_msg(strstr(collapsed, want[i]) != NULL, "%s not in\n%s", want[i],
			      collapsed);
	ck_assert_uint_lt(count_lines(collapsed), 20);
	free(collapsed);
	avd_verifier_free(verifier);
	free(text.data);
}
END_TEST

START_TEST(other_values_are_the_same_other_types_are_not)
{
	static const struct {
		const char *a, *b;
		int same;
	} cases[] = {
		{"1: (07) r1 += 1 ; R1=1", "1: (07) r1 += 1 ; R1=scalar(umin=3)", 1},
		{"1: (07) r1 += 1 ; R1=P1", "1: (07) r1 += 1 ; R1_w=-2", 1},
		{"1: (07) r1 += 1 ; R1=1", "1: (07) r1 += 1 ; R1=ctx()", 0},
		{"1: (07) r1 += 1 ; R1=1", "1: (07) r1 += 2 ; R1=1", 0},
		{"1: (07) r1 += 1 ; R1=1", "2: (07) r1 += 1 ; R1=1", 0},
		{"1: (07) r1 += 1 ; R1=1", "1: (07) r1 += 1 ; frame1: R1=1", 0},
		{"1: R1=map_value(off=1)", "1: R1=map_value(off=2)", 1},
		{"1: R1=map_value(off=1)", "1: R1=map_value_or_null(id=2)", 0},
		{"from 1 to 5: R1=1", "from 1 to 5: R1=2", 1},
		{"from 1 to 5: R1=1", "from 1 to 6: R1=1", 0},
		{"; a(); @ f.c:1", "; a(); @ f.c:2", 0},
		{"9: (a6) if w1 < 0x4 goto pc+9 19: R0=scalar(id=1)",
		 "9: (a6) if w1 < 0x4 goto pc+9 19: R0=scalar(id=2)", 1},
		{"mark_precise: frame0: regs=r1 stack= before 2: (b4) w1 = 0",
		 "mark_precise: frame0: last_idx 3 first_idx 0 subseq_idx -1", 1},
		{"1: safe", "2: safe", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kit_text text = {0};
		kit_printf(&text, BEGIN "0: R1=ctx() R10=fp0\n%s\n%s\n" LAST END, cases[i].a,
			   cases[i].b);
		avd_verifier *verifier = kit_feed(NULL, text.data, text.size, 0);
		char *collapsed = kit_collapsed(verifier, 0);
		ck_assert_msg((strstr(collapsed, "* 2 times") != NULL) == cases[i].same,
			      "case %zu:\n%s", i, collapsed);
		free(collapsed);
		avd_verifier_free(verifier);
		free(text.data);
	}
}
END_TEST

START_TEST(the_failing_path_stays)
{
	struct kit_text text = {0}, tail = {0};
	kit_printf(&text, BEGIN "0: R1=ctx() R10=fp0\n");
	put_loop(&text, 1, 5, 1000);
	/* 32 steps, two lines of words, the last line */
	put_loop(&tail, 1, 5, 5);
	put_loop(&tail, 6, 7, 1);
	kit_printf(&tail, "R1 invalid mem access 'scalar'\nmore words\n" LAST);
	kit_put(&text, tail.data, tail.size);
	kit_printf(&text, END);
	ck_assert_uint_lt(check_properties(text.data, text.size), 60);
	avd_verifier *verifier = kit_feed(NULL, text.data, text.size, 0);
	char *collapsed = kit_collapsed(verifier, 0);
	ck_assert_uint_gt(strlen(collapsed), tail.size);
	ck_assert_str_eq(collapsed + strlen(collapsed) - tail.size, tail.data);
	ck_assert_ptr_nonnull(strstr(collapsed, "/ 1000 times, 5 lines each:\n"));
	const struct avd_program p = kit_program(verifier, 0);
	ck_assert_int_eq(p.failing_insn, 12);
	ck_assert_str_eq(p.message.data, "R1 invalid mem access 'scalar'; more words");
	free(collapsed);
	free(tail.data);
	free(text.data);
	avd_verifier_free(verifier);
}
END_TEST

/* A random tree of sequences and loops, of an alphabet so small that folds happen by accident. */
static void put_random(struct kit_text *out, uint64_t *state, int depth)
{
	const int parts = 1 + (int)(random_next(state) % 4);
	for (int i = 0; i < parts; i++) {
		const uint64_t what = random_next(state) % 4;
		if (what > 1 || depth == 0) {
			kit_printf(out, "%d: (07) r1 += 1 ; R1=%d\n", (int)(random_next(state) % 4),
				   (int)(random_next(state) % 1000));
			continue;
		}
		struct kit_text body = {0};
		put_random(&body, state, depth - 1);
		const uint64_t times = 1 + random_next(state) % 6;
		for (uint64_t k = 0; k < times; k++)
			kit_put(out, body.data, body.size);
		free(body.data);
	}
}

START_TEST(random_logs)
{
	uint64_t state = 42;
	for (int i = 0; i < 1500; i++) {
		struct kit_text text = {0};
		kit_printf(&text, BEGIN "0: R1=ctx() R10=fp0\n");
		put_random(&text, &state, 5);
		if (i % 2)
			kit_printf(&text, "R1 !read_ok\n");
		kit_printf(&text, LAST END);
		check_properties(text.data, text.size);
		free(text.data);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verifier-fold");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 240);
	tcase_add_test(all, real_logs);
	tcase_add_test(all, strides);
	tcase_add_test(all, nested_loops);
	tcase_add_test(all, other_values_are_the_same_other_types_are_not);
	tcase_add_test(all, the_failing_path_stays);
	tcase_add_test(all, random_logs);
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
