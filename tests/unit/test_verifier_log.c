// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Reading logs. verifier_logs/ has what real kernels said, in cells under 6.16.12, 7.2.13 and
 * 7.3.4, through libbpf 1.4.6: reject-* of examples/schedulers/reject at level 1, bounds-* of two
 * programs of which the second indexes a map's value too far, sample-level6-* of one with a loop in
 * a loop and of one that reads its stack at an unknown place, at level 2 with statistics.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run_suite.h"
#include "verifier_kit.h"

#define FIGURE(p, name) ((p).figures[AVD_FIGURE_##name])
#define IS_FROM_LOG(p, name) ck_assert_uint_eq((p).sources[AVD_FIGURE_##name], AVD_FIGURE_FROM_LOG)

static const char *const logs[] = {"reject-6.16", "reject-7.2", "reject-7.3",
				   "bounds-6.16", "bounds-7.3", "sample-level6-7.3"};
#define LOG_COUNT (sizeof(logs) / sizeof(logs[0]))

static avd_verifier *read_text(const char *text)
{
	return kit_feed(NULL, text, strlen(text), 0);
}

static avd_verifier *read_log(const char *name)
{
	size_t size;
	char *text = kit_log(name, &size);
	avd_verifier *verifier = kit_feed(NULL, text, size, 0);
	free(text);
	return verifier;
}

START_TEST(a_rejected_program)
{
	for (size_t i = 0; i < 3; i++) {
		avd_verifier *verifier = read_log(logs[i]);
		ck_assert_uint_eq(avd_verifier_program_count(verifier), 1);
		const struct avd_program p = kit_program(verifier, 0);
		ck_assert_str_eq(p.name.data, "reject_enqueue");
		ck_assert_uint_eq(p.verdict, AVD_PROGRAM_FAILURE);
		ck_assert_int_eq(p.error, EACCES);
		ck_assert_int_eq(p.failing_insn, 9);
		ck_assert_str_eq(p.failing_code.data, "(79) r1 = *(u64 *)(r0 +0)");
		ck_assert_str_eq(p.message.data, "R0 invalid mem access 'map_value_or_null'");
		ck_assert_ptr_nonnull(strstr(p.failing_source.data, "*count += 1;"));
		ck_assert_ptr_nonnull(strstr(p.failing_source.data, "@ reject.bpf.c:20"));
		ck_assert_uint_eq(p.flags, AVD_PROGRAM_HAS_LOG);
		ck_assert_uint_eq(FIGURE(p, PROCESSED_INSNS), 9);
		IS_FROM_LOG(p, PROCESSED_INSNS);
		IS_FROM_LOG(p, TOTAL_STATES);
		ck_assert_uint_eq(p.sources[AVD_FIGURE_TIME_NS], AVD_FIGURE_NONE);
		ck_assert_uint_eq(p.log_insns, 9);
		avd_verifier_free(verifier);
	}
}
END_TEST

START_TEST(several_programs_and_two_lines_of_words)
{
	for (size_t i = 3; i < 5; i++) {
		avd_verifier *verifier = read_log(logs[i]);
		ck_assert_uint_eq(avd_verifier_program_count(verifier), 2);
		struct avd_program p = kit_program(verifier, 0);
		ck_assert_str_eq(p.name.data, "sample_enqueue");
		ck_assert_uint_eq(p.verdict, AVD_PROGRAM_SUCCESS);
		ck_assert_int_eq(p.failing_insn, -1);
		ck_assert_uint_eq(FIGURE(p, PROCESSED_INSNS), 295);
		p = kit_program(verifier, 1);
		ck_assert_str_eq(p.name.data, "sample_running");
		ck_assert_uint_eq(p.verdict, AVD_PROGRAM_FAILURE);
		ck_assert_int_eq(p.failing_insn, 31);
		ck_assert_str_eq(p.message.data,
				 "invalid access to map value, value_size=8 off=120 size=8; R0 max "
				 "value is outside of the allowed memory range");
		avd_verifier_free(verifier);
	}
}
END_TEST

START_TEST(statistics_of_level_4)
{
	avd_verifier *verifier = read_log("sample-level6-7.3");
	struct avd_program p = kit_program(verifier, 0);
	ck_assert_uint_eq(FIGURE(p, PROCESSED_INSNS), 295);
	ck_assert_uint_eq(FIGURE(p, TOTAL_STATES), 10);
	ck_assert_uint_eq(FIGURE(p, PEAK_STATES), 10);
	ck_assert_uint_eq(FIGURE(p, MAX_STATES_PER_INSN), 1);
	ck_assert_uint_eq(FIGURE(p, TIME_NS), 201710000);
	ck_assert_uint_eq(FIGURE(p, STACK_DEPTH), 0);
	IS_FROM_LOG(p, STACK_DEPTH);
	ck_assert_uint_eq(p.verdict, AVD_PROGRAM_SUCCESS);
	/* The tables before the walk are not counted: each instruction of the walk is. */
	ck_assert_uint_eq(p.log_insns, 295);
	ck_assert_uint_lt(p.collapsed_lines, p.log_lines / 4);
	p = kit_program(verifier, 1);
	ck_assert_uint_eq(FIGURE(p, STACK_DEPTH), 72);
	ck_assert_str_eq(p.message.data, "invalid unbounded variable-offset read from stack R2");
	avd_verifier_free(verifier);
}
END_TEST

START_TEST(stack_depths_of_each_kernel)
{
	static const struct {
		const char *text;
		uint64_t depth;
	} cases[] = {
		{"stack depth 8+16+0\n", 24},
		{"stack depth 8+16+0 max 16\n", 24},
		{"stack depth max 24\nsubprog 0 (a) main insns_self 1 insns_total 2 stack 24\n"
		 "subprog 1 (a stack 5) static insns_self 1 insns_total 2 stack 8\n",
		 32},
	};
	for (size_t i = 0; i < 3; i++) {
		struct kit_text text = {0};
		kit_printf(&text,
			   "0: R1=ctx() R10=fp0\n0: (95) exit\n%sprocessed 1 insns (limit 1)\n",
			   cases[i].text);
		avd_verifier *verifier = read_text(text.data);
		const struct avd_program p = kit_program(verifier, 0);
		ck_assert_uint_eq(FIGURE(p, STACK_DEPTH), cases[i].depth);
		ck_assert_uint_eq(p.verdict, AVD_PROGRAM_SUCCESS);
		avd_verifier_free(verifier);
		free(text.data);
	}
}
END_TEST

START_TEST(slices_make_no_difference)
{
	static const size_t slices[] = {1, 2, 3, 7, 64, 1021};
	for (size_t i = 0; i < LOG_COUNT; i++) {
		size_t size;
		char *text = kit_log(logs[i], &size);
		avd_verifier *verifier = kit_feed(NULL, text, size, 0);
		char *whole = kit_all(verifier);
		avd_verifier_free(verifier);
		for (size_t k = 0; k < sizeof(slices) / sizeof(slices[0]); k++) {
			verifier = kit_feed(NULL, text, size, slices[k]);
			char *sliced = kit_all(verifier);
			ck_assert_str_eq(sliced, whole);
			free(sliced);
			avd_verifier_free(verifier);
		}
		free(whole);
		free(text);
	}
}
END_TEST

START_TEST(each_split_in_two)
{
	size_t size;
	char *text = kit_log("reject-7.3", &size);
	avd_verifier *verifier = kit_feed(NULL, text, size, 0);
	char *whole = kit_all(verifier);
	avd_verifier_free(verifier);
	for (size_t at = 0; at <= size; at++) {
		ck_assert_int_eq(avd_verifier_new(NULL, &verifier), 0);
		ck_assert_int_eq(avd_verifier_feed(verifier, text, at), 0);
		ck_assert_int_eq(avd_verifier_feed(verifier, text + at, size - at), 0);
		ck_assert_int_eq(avd_verifier_finish(verifier), 0);
		char *split = kit_all(verifier);
		ck_assert_str_eq(split, whole);
		free(split);
		avd_verifier_free(verifier);
	}
	free(whole);
	free(text);
}
END_TEST

START_TEST(raw_is_what_came)
{
	for (size_t i = 0; i < LOG_COUNT; i++) {
		size_t size;
		struct kit_text raw = {0};
		char *text = kit_log(logs[i], &size);
		struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
		options.on_raw = kit_put;
		options.userdata = &raw;
		avd_verifier_free(kit_feed(&options, text, size, 13));
		/* From one frame line to the other; twice the same. */
		const char *begin = strstr(raw.data, "-- BEGIN");
		ck_assert_ptr_nonnull(begin);
		const char *end = strstr(raw.data, "-- END PROG LOAD LOG --\n");
		ck_assert_ptr_nonnull(end);
		const char *original = strstr(text, "-- BEGIN");
		ck_assert_int_eq(memcmp(begin, original, (size_t)(end - begin)), 0);
		struct kit_text again = {0};
		options.userdata = &again;
		avd_verifier_free(kit_feed(&options, raw.data, raw.size, 0));
		ck_assert_str_eq(again.data, raw.data);
		free(again.data);
		free(raw.data);
		free(text);
	}
}
END_TEST

struct seen {
	unsigned int kinds[AVD_LINE_MESSAGE + 1];
	unsigned int checked;
};

static int is(struct avd_str text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.data, want, text.len) == 0;
}

static void look(void *userdata, const struct avd_verifier_line *line)
{
	struct seen *seen = userdata;
	ck_assert_uint_ge(line->kind, AVD_LINE_BLANK);
	ck_assert_uint_le(line->kind, AVD_LINE_MESSAGE);
	seen->kinds[line->kind]++;
	if (line->kind == AVD_LINE_SOURCE && line->source_line == 50) {
		ck_assert(is(line->source, "*cell += table[key];"));
		ck_assert(is(line->file, "sample.bpf.c"));
		seen->checked |= 1;
	}
	if (line->kind == AVD_LINE_BRANCH && line->insn == 37 && line->to == 40) {
		ck_assert(is(line->state, "R0=0xf4240 R10=fp0"));
		seen->checked |= 2;
	}
	if (line->kind == AVD_LINE_INSN && line->insn == 33 && line->program == 0 &&
	    line->state.len) {
		struct avd_verifier_reg reg = {0};
		struct avd_str state = line->state;
		ck_assert(is(line->code, "(25) if r1 > 0x3 goto pc+1"));
		ck_assert_int_eq(avd_verifier_state_next(&state, &reg), 1);
		ck_assert_uint_eq(reg.frame, 1);
		ck_assert(is(reg.name, "R1"));
		seen->checked |= 4;
	}
}

START_TEST(lines_and_their_parts)
{
	struct seen seen = {0};
	size_t size;
	char *text = kit_log("sample-level6-7.3", &size);
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	options.on_line = look;
	options.userdata = &seen;
	avd_verifier_free(kit_feed(&options, text, size, 0));
	free(text);
	ck_assert_uint_eq(seen.checked & 3, 3);
	for (unsigned int kind = AVD_LINE_BLANK; kind <= AVD_LINE_STATS; kind++) {
		if (kind != AVD_LINE_PRUNED)
			ck_assert_msg(seen.kinds[kind] > 0, "no line of kind %u", kind);
	}
	/* the words on the error; and "R2 is not a scalar", which the analysis before the walk says
	 */
	ck_assert_uint_eq(seen.kinds[AVD_LINE_MESSAGE], 2);
}
END_TEST

START_TEST(registers_of_a_state)
{
	static const char text[] = "R0_w=scalar(id=1,var_off=(0x0; 0xff)) R10=fp0 fp-8=mmmm???? "
				   "frame1: R1=P5 refs=2,3 cb";
	static const struct {
		uint32_t frame;
		const char *name, *value;
	} want[] = {
		{0, "R0", "scalar(id=1,var_off=(0x0; 0xff))"},
		{0, "R10", "fp0"},
		{0, "fp-8", "mmmm????"},
		{1, "R1", "P5"},
		{1, "refs", "2,3"},
		{1, "cb", ""},
	};
	struct avd_str state = {text, sizeof(text) - 1};
	struct avd_verifier_reg reg = {0};
	for (size_t i = 0; i < 6; i++) {
		ck_assert_int_eq(avd_verifier_state_next(&state, &reg), 1);
		ck_assert_uint_eq(reg.frame, want[i].frame);
		ck_assert(is(reg.name, want[i].name));
		ck_assert(is(reg.value, want[i].value));
	}
	ck_assert_int_eq(avd_verifier_state_next(&state, &reg), 0);
}
END_TEST

START_TEST(a_log_alone)
{
	avd_verifier *verifier = read_text(
		"PROCESSING a.bpf.o/first, DURATION US: 12, VERDICT: success, VERIFIER LOG:\n"
		"0: R1=ctx() R10=fp0\n0: (b7) r0 = 0 ; R0=0\n1: (95) exit\n"
		"verification time 12 usec\nprocessed 2 insns (limit 1000000) total_states 0\n"
		"\nsome words\n"
		"0: R1=ctx() R10=fp0\n0: (79) r1 = *(u64 *)(r9 +0)\nR9 !read_ok\n"
		"processed 1 insns (limit 1000000)\n");
	ck_assert_uint_eq(avd_verifier_program_count(verifier), 2);
	struct avd_program p = kit_program(verifier, 0);
	ck_assert_str_eq(p.name.data, "first");
	ck_assert_uint_eq(p.verdict, AVD_PROGRAM_SUCCESS);
	ck_assert_uint_eq(FIGURE(p, TIME_NS), 12000);
	p = kit_program(verifier, 1);
	ck_assert_str_eq(p.name.data, "");
	ck_assert_uint_eq(p.verdict, AVD_PROGRAM_FAILURE);
	ck_assert_str_eq(p.message.data, "R9 !read_ok");
	ck_assert_int_eq(p.failing_insn, 0);
	avd_verifier_free(verifier);
}
END_TEST

START_TEST(a_log_whose_start_was_lost)
{
	avd_verifier *verifier =
		read_text("er *)(r10 -8)\n12: (79) r1 = *(u64 *)(r9 +0)\nR9 !read_ok\n"
			  "processed 1 insns (limit 1000000)\n-- END PROG LOAD LOG --\n"
			  "libbpf: prog 'x': failed to load: -13\n"
			  "13: (79) r1 = *(u64 *)(r9 +0)\nR8 !read_ok\n"
			  "libbpf: prog 'y': failed to load: -22\n");
	ck_assert_uint_eq(avd_verifier_program_count(verifier), 2);
	struct avd_program p = kit_program(verifier, 0);
	ck_assert_str_eq(p.name.data, "x");
	ck_assert_int_eq(p.error, EACCES);
	ck_assert_int_eq(p.failing_insn, 12);
	ck_assert_str_eq(p.message.data, "R9 !read_ok");
	p = kit_program(verifier, 1);
	ck_assert_str_eq(p.name.data, "y");
	ck_assert_uint_eq(p.flags, AVD_PROGRAM_HAS_LOG | AVD_PROGRAM_HEAD_MISSING |
					   AVD_PROGRAM_TAIL_MISSING | AVD_PROGRAM_UNFINISHED);
	avd_verifier_free(verifier);
}
END_TEST

#define BEGIN(name) "libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n"
#define END "-- END PROG LOAD LOG --\n"
#define WALK "0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n"
#define LAST "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"

START_TEST(odd_frames)
{
	static const struct {
		const char *text;
		uint32_t count, verdict, flags; /* of the first program */
	} cases[] = {
		/* no end */
		{BEGIN("a") WALK LAST, 1, AVD_PROGRAM_SUCCESS, AVD_PROGRAM_UNFINISHED},
		{BEGIN("a") WALK, 1, AVD_PROGRAM_UNKNOWN,
		 AVD_PROGRAM_UNFINISHED | AVD_PROGRAM_TAIL_MISSING},
		/* one in another */
		{BEGIN("a") WALK BEGIN("b") WALK LAST END, 2, AVD_PROGRAM_UNKNOWN,
		 AVD_PROGRAM_UNFINISHED | AVD_PROGRAM_TAIL_MISSING},
		/* an end without a begin is nothing */
		{END BEGIN("a") WALK LAST END END, 1, AVD_PROGRAM_SUCCESS, 0},
		/* words of the frame quoted by source lines are source lines */
		{BEGIN("a") WALK "; " BEGIN("b") "; " END LAST END, 1, AVD_PROGRAM_SUCCESS, 0},
		/* the kernel kept the log's end */
		{BEGIN("a") "tions(x) R2=5\n12: (b7) r0 = 0\n" LAST END, 1, AVD_PROGRAM_SUCCESS,
		 AVD_PROGRAM_HEAD_MISSING},
		{BEGIN("a") "12: (b7) r0 = 0\n" LAST END, 1, AVD_PROGRAM_SUCCESS,
		 AVD_PROGRAM_HEAD_MISSING},
		/* a logger's own prefix */
		{"12:00:01 [WARN] " BEGIN("a") WALK LAST END, 1, AVD_PROGRAM_SUCCESS, 0},
		/* the failure is told in front, the log tells no error */
		{"libbpf: prog 'a': BPF program load failed: Permission denied\n" BEGIN("a")
			 WALK LAST END,
		 1, AVD_PROGRAM_FAILURE, 0},
		/* ... of another program */
		{"libbpf: prog 'b': BPF program load failed: Permission denied\n" BEGIN("a")
			 WALK LAST END,
		 1, AVD_PROGRAM_SUCCESS, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		avd_verifier *verifier = read_text(cases[i].text);
		ck_assert_uint_eq(avd_verifier_program_count(verifier), cases[i].count);
		const struct avd_program p = kit_program(verifier, 0);
		ck_assert_str_eq(p.name.data, "a");
		ck_assert_msg(p.verdict == cases[i].verdict, "case %zu: %u", i, p.verdict);
		ck_assert_msg(p.flags == (cases[i].flags | AVD_PROGRAM_HAS_LOG),
			      "case %zu: flags %x", i, p.flags);
		avd_verifier_free(verifier);
	}
}
END_TEST

START_TEST(wrong_use)
{
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	struct avd_program program;
	avd_verifier *verifier = NULL;
	options.flags = 1;
	ck_assert_int_eq(avd_verifier_new(&options, &verifier), -EINVAL);
	options.flags = 0;
	options.tail_lines = 1000000;
	ck_assert_int_eq(avd_verifier_new(&options, &verifier), -EINVAL);
	ck_assert_ptr_null(verifier);
	ck_assert_int_eq(avd_verifier_new(NULL, NULL), -EINVAL);
	ck_assert_int_eq(avd_verifier_new(NULL, &verifier), 0);
	ck_assert_int_eq(avd_verifier_collapsed(verifier, 0, kit_put, NULL), -EINVAL);
	ck_assert_int_eq(avd_verifier_feed(verifier, NULL, 1), -EINVAL);
	ck_assert_int_eq(avd_verifier_finish(verifier), 0);
	ck_assert_int_eq(avd_verifier_finish(verifier), 0);
	ck_assert_int_eq(avd_verifier_feed(verifier, "x", 1), -EINVAL);
	ck_assert_int_eq(avd_verifier_program(verifier, 0, sizeof(program), &program), -ENOENT);
	ck_assert_int_eq(avd_verifier_collapsed(verifier, 0, kit_put, NULL), -ENOENT);
	avd_verifier_free(verifier);
	avd_verifier_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verifier-log");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 120);
	tcase_add_test(all, a_rejected_program);
	tcase_add_test(all, several_programs_and_two_lines_of_words);
	tcase_add_test(all, statistics_of_level_4);
	tcase_add_test(all, stack_depths_of_each_kernel);
	tcase_add_test(all, slices_make_no_difference);
	tcase_add_test(all, each_split_in_two);
	tcase_add_test(all, raw_is_what_came);
	tcase_add_test(all, lines_and_their_parts);
	tcase_add_test(all, registers_of_a_state);
	tcase_add_test(all, a_log_alone);
	tcase_add_test(all, a_log_whose_start_was_lost);
	tcase_add_test(all, odd_frames);
	tcase_add_test(all, wrong_use);
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
