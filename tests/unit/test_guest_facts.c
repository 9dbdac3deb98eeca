// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Kernel records and lines of output to reason codes. The lines are real ones. */
#include <attachverdict/verdict.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_probe.h"
#include "facts.h"
#include "reason.h"
#include "run_suite.h"

static void kernel(struct avd__facts *facts, const char *bytes, bool want)
{
	struct avd__kmsg_record record;
	ck_assert(avd__kmsg_parse(bytes, strlen(bytes), &record));
	ck_assert_msg(avd__facts_kernel(facts, &record) == want, "%s", bytes);
}

static void output(struct avd__facts *facts, const char *text)
{
	avd__facts_output(facts, AVD_STREAM_SCHEDULER_STDERR, text, strlen(text));
}

static void check_line(const struct avd__line *line, const char *want)
{
	ck_assert_uint_eq(line->len, strlen(want));
	ck_assert_mem_eq(line->text, want, line->len);
}

START_TEST(record)
{
	static const char bytes[] = "12,346,2673693,-,caller=T1;a text; with \\x0a more\n"
				    " SUBSYSTEM=cpu\n DEVICE=+x\n";
	struct avd__kmsg_record r;

	ck_assert(avd__kmsg_parse(bytes, sizeof(bytes) - 1, &r));
	ck_assert_uint_eq(r.level, 4);
	ck_assert_uint_eq(r.facility, 1);
	ck_assert_uint_eq(r.seq, 346);
	ck_assert_uint_eq(r.time_us, 2673693);
	ck_assert_uint_eq(r.len, strlen("a text; with \\x0a more"));
	ck_assert(avd__kmsg_parse("6,1,2,-;", 8, &r));
	ck_assert_uint_eq(r.len, 0);
	ck_assert(avd__kmsg_parse("6,1,2,-;no end", 14, &r));
	ck_assert_uint_eq(r.len, 6);
}
END_TEST

START_TEST(no_record)
{
	static const char *const bad[] = {"",
					  ";",
					  "6",
					  "6,",
					  "6,1",
					  "6,1,2",
					  "6,1,2,-",
					  ",1,2,-;x",
					  "x,1,2,-;",
					  "6,,2,-;x",
					  "6,1,;x",
					  "-6,1,2,-;x",
					  "6 ,1,2,-;x",
					  "6,1,2;x",
					  "4294967296,1,2,-;x",
					  "6,18446744073709551616,2,-;x"};
	struct avd__kmsg_record r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!avd__kmsg_parse(bad[i], strlen(bad[i]), &r), "%s", bad[i]);
	/* cut at each byte: no read beyond the end (seen by the sanitizers) */
	static const char whole[] = "6,350,2748748,-;text\n";
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *copy = malloc(n ? n : 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, whole, n);
		ck_assert_int_eq(avd__kmsg_parse(copy, n, &r), n >= 16);
		free(copy);
	}
}
END_TEST

#define BACKTRACE "bpf__sched_ext_ops_enqueue+0x50/0xad\nbpf_trampoline_1+0x3/0x4\n"

START_TEST(ejection)
{
	struct avd__facts facts = {0};

	kernel(&facts, "6,350,1,-;sched_ext: BPF scheduler \"eject\" enabled\n", true);
	ck_assert_uint_eq(facts.kernel.enabled, 1);
	kernel(&facts, "3,351,1,-;sched_ext: BPF scheduler \"eject\" disabled (scx_bpf_error)\n",
	       true);
	kernel(&facts, "3,352,1,-;sched_ext: eject: eject: broken (on purpose)\n", true);
	kernel(&facts, "3,353,1,-;   bpf__sched_ext_ops_enqueue+0x50/0xad\n", false);
	kernel(&facts, "3,353,1,-; ? of_another_trace+0x50/0xad\n", false);
	kernel(&facts, "11,353,1,-;   of_user_space+0x50/0xad\n", false);
	kernel(&facts, "3,353,1,-;   bpf_trampoline_1+0x3/0x4\n", false);
	ck_assert_uint_eq(facts.kernel.backtrace_len, strlen(BACKTRACE));
	ck_assert_mem_eq(facts.kernel.backtrace, BACKTRACE, facts.kernel.backtrace_len);
	kernel(&facts, "3,354,1,-;sched_ext: eject: a second line\n", true);
	ck_assert_uint_eq(facts.kernel.disabled, 1);
	ck_assert_uint_eq(facts.kernel.kind, 1025);
	check_line(&facts.kernel.name, "eject");
	check_line(&facts.kernel.reason, "scx_bpf_error");
	check_line(&facts.kernel.message, "eject: broken (on purpose)");
	ck_assert(!facts.kernel.init_failed);
	ck_assert_uint_eq(avd__classify_not_attached(&facts, true), AVD_REASON_EJECTED_AT_ATTACH);
}
END_TEST

START_TEST(backtraces_are_bounded)
{
	struct avd__facts facts = {0};

	/* Without an ejection there is nothing to trace. */
	kernel(&facts, "3,1,1,-;   early+0x1/0x2\n", false);
	ck_assert_uint_eq(facts.kernel.backtrace_len, 0);
	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	for (int i = 0; i < 1000; i++)
		kernel(&facts, "3,1,1,-;   again+0x1/0x2\n", false);
	ck_assert_uint_le(facts.kernel.backtrace_len, AVD__BACKTRACE_MAX);
	ck_assert_uint_gt(facts.kernel.backtrace_len, AVD__BACKTRACE_MAX - 32);
	ck_assert_int_eq(facts.kernel.backtrace[facts.kernel.backtrace_len - 1], '\n');
	/* The next one starts anew. */
	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	ck_assert_uint_eq(facts.kernel.backtrace_len, 0);
}
END_TEST

/* The probe's record is taken once, and completes what the log said. */
START_TEST(the_probe_knows_the_exit_code)
{
	static struct avd__exit_record told;
	struct avd__exit_probe probe = {.record = &told}, none = {0};
	struct avd__facts facts = {0};

	ck_assert(!avd__exit_probe_pump(&none, &facts));
	ck_assert(!avd__exit_probe_pump(&probe, &facts));
	ck_assert(!facts.kernel.probed);
	told = (struct avd__exit_record){.count = 1,
					 .kind = 66,
					 .exit_code = INT64_C(1) << 48,
					 .reason = "unregistered from the main kernel",
					 .message = "cpu 1 going offline"};
	ck_assert(avd__exit_probe_pump(&probe, &facts));
	ck_assert(!avd__exit_probe_pump(&probe, &facts));
	ck_assert(facts.kernel.probed);
	ck_assert_uint_eq(facts.kernel.disabled, 1);
	ck_assert_uint_eq(facts.kernel.kind, 66);
	ck_assert_int_eq(facts.kernel.exit_code, INT64_C(1) << 48);
	check_line(&facts.kernel.message, "cpu 1 going offline");
	/* Strings that fill their arrays have no end. */
	memset(told.reason, 'r', sizeof(told.reason));
	memset(told.message, 'm', sizeof(told.message));
	told.count = 2;
	ck_assert(avd__exit_probe_pump(&probe, &facts));
	ck_assert_uint_eq(facts.kernel.reason.len, sizeof(told.reason));
	ck_assert_uint_eq(facts.kernel.message.len, AVD__LINE_MAX);
	snprintf(told.message, sizeof(told.message), "ops.init() failed (-95)");
	told.count = 3;
	ck_assert(avd__exit_probe_pump(&probe, &facts));
	ck_assert(facts.kernel.init_failed);
}
END_TEST

START_TEST(init_failed)
{
	struct avd__facts facts = {0};

	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	kernel(&facts, "3,2,1,-;sched_ext: x: ops.init() failed (-95)\n", true);
	ck_assert_uint_eq(facts.kernel.kind, 1024);
	ck_assert(facts.kernel.init_failed);
	ck_assert_uint_eq(avd__classify_not_attached(&facts, true), AVD_REASON_INIT_FAILED);
	const struct avd__exit exit = {.status = 1};
	ck_assert_uint_eq(avd__classify_death(&facts, &exit), AVD_REASON_INIT_FAILED);

	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));
	avd__reason_kernel(&reason, &facts.kernel);
	ck_assert_str_eq(text, "; the kernel disabled scheduler \"x\": \"runtime error\": "
			       "\"ops.init() failed (-95)\"");
}
END_TEST

/* A loader that tries again: the end of its second scheduler is not that of its first. */
START_TEST(the_last_end_counts)
{
	struct avd__facts facts = {0};

	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	kernel(&facts, "3,2,1,-;sched_ext: x: ops.init() failed (-95)\n", true);
	kernel(&facts, "6,3,1,-;sched_ext: BPF scheduler \"y\" enabled\n", true);
	kernel(&facts, "3,4,1,-;sched_ext: BPF scheduler \"y\" disabled (runtime error)\n", true);
	kernel(&facts, "3,5,1,-;sched_ext: y: non-existent DSQ 0xdead\n", true);
	ck_assert(!facts.kernel.init_failed);
	ck_assert_uint_eq(avd__classify_not_attached(&facts, true), AVD_REASON_EJECTED_AT_ATTACH);
	/* The same, told by the probe. */
	struct avd__exit_record ended = {.kind = 1024, .message = "ops.init() failed (-95)"};
	avd__facts_exit(&facts, &ended);
	ck_assert(facts.kernel.init_failed);
	snprintf(ended.message, sizeof(ended.message), "non-existent DSQ 0xdead");
	avd__facts_exit(&facts, &ended);
	ck_assert(!facts.kernel.init_failed);
}
END_TEST

START_TEST(an_attach_makes_a_new_start)
{
	struct avd__facts facts = {0};
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	output(&facts, "libbpf: prog 'a': BPF program load failed: Permission denied\n"
		       "trying without\nhalf a li");
	const struct avd__exit_record ended = {.kind = 66, .exit_code = 7};
	avd__facts_exit(&facts, &ended);
	avd__facts_attached(&facts);
	ck_assert_uint_eq(facts.kernel.disabled, 0);
	ck_assert_uint_eq(facts.kernel.kind, 0);
	ck_assert_int_eq(facts.kernel.exit_code, 0);
	ck_assert(!facts.kernel.probed);
	/* What it printed last still is that. */
	avd__reason_output(&reason, &facts.output);
	ck_assert_str_eq(text, "; last output: \"trying without\"");
	output(&facts, "ne\n");
	check_line(&facts.output.last, "half a line");
}
END_TEST

START_TEST(kinds)
{
	static const struct {
		const char *words;
		uint64_t kind;
	} known[] = {
		{"unregistered from user space", 64},
		{"unregistered from BPF", 65},
		{"unregistered from the main kernel", 66},
		{"disabled by sysrq-S", 67},
		{"runtime error", 1024},
		{"scx_bpf_error", 1025},
		{"runnable task stall", 1026},
		{"a word of the future", 0},
		{"", 0},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct avd__facts facts = {0};
		char bytes[128];
		snprintf(bytes, sizeof(bytes),
			 "6,1,1,-;sched_ext: BPF scheduler \"a_b.c\" disabled (%s)\n",
			 known[i].words);
		kernel(&facts, bytes, true);
		ck_assert_uint_eq(facts.kernel.kind, known[i].kind);
		ck_assert_uint_eq(facts.kernel.disabled, 1);
		check_line(&facts.kernel.reason, known[i].words);
	}
}
END_TEST

/* User space writes to /dev/kmsg what it likes, but never as the kernel (facility 0). */
START_TEST(imitations)
{
	struct avd__facts facts = {0};

	kernel(&facts, "11,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", false);
	kernel(&facts, "14,1,1,-;sched_ext: BPF scheduler \"x\" enabled\n", false);
	kernel(&facts, "6,1,1,-; sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", false);
	kernel(&facts, "6,1,1,-;sched_ext: x: ops.init() failed (-95)\n", true);
	ck_assert_uint_eq(facts.kernel.disabled, 0);
	ck_assert_uint_eq(facts.kernel.enabled, 0);
	ck_assert(!facts.kernel.init_failed);
	/* A message of another scheduler's name is none of the last one's. */
	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	kernel(&facts, "3,1,1,-;sched_ext: xy: ops.init() failed (-95)\n", true);
	ck_assert_uint_eq(facts.kernel.message.len, 0);
	/* A scheduler that detached by itself was not thrown out. */
	kernel(&facts,
	       "6,1,1,-;sched_ext: BPF scheduler \"x\" disabled (unregistered from user space)\n",
	       true);
	const struct avd__exit exit = {.status = 0};
	ck_assert_uint_eq(avd__classify_death(&facts, &exit), AVD_REASON_EXITED);
}
END_TEST

#define REJECTED                                                                         \
	"libbpf: prog 'reject_enqueue': BPF program load failed: Permission denied\n"    \
	"libbpf: prog 'reject_enqueue': -- BEGIN PROG LOAD LOG --\n"                     \
	"0: R1=ctx() R10=fp0\n"                                                          \
	"; x = extern (func ksym) 'f': not found in kernel or module BTFs @ a.bpf.c:1\n" \
	"9: (79) r1 = *(u64 *)(r0 +0)\n"                                                 \
	"R0 invalid mem access 'map_value_or_null'\n"
#define PROCESSED                                                                               \
	"processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 " \
	"mark_read 0\n"                                                                         \
	"-- END PROG LOAD LOG --\n"                                                             \
	"libbpf: prog 'reject_enqueue': failed to load: -13\n"                                  \
	"libbpf: failed to load object 'reject'\n"                                              \
	"cannot load the BPF object: Permission denied\n"

/* A log that was asked for, of a program that was accepted. */
#define ACCEPTED                                                                  \
	"libbpf: prog 'good_enqueue': -- BEGIN PROG LOAD LOG --\n"                \
	"0: R1=ctx() R10=fp0\n"                                                   \
	"9: (95) exit\n"                                                          \
	"processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 " \
	"peak_states 0 mark_read 0\n"                                             \
	"-- END PROG LOAD LOG --\n"

static const struct {
	const char *output;
	uint32_t code;
	const char *quote;
} outputs[] = {
	{ACCEPTED "cannot attach struct_ops ops: Argument list too long\n", AVD_REASON_EXITED,
	 "; last output: \"cannot attach struct_ops ops: Argument list too long\""},
	{ACCEPTED, AVD_REASON_EXITED, ""},
	{ACCEPTED REJECTED PROCESSED, AVD_REASON_VERIFIER_REJECTED,
	 "; the verifier rejected program \"reject_enqueue\": \"R0 invalid mem access "
	 "'map_value_or_null'\""},
	/* Without a log of its own it does not get the one before. */
	{ACCEPTED "libbpf: prog 'second': BPF program load failed: Operation not permitted\n",
	 AVD_REASON_VERIFIER_REJECTED,
	 "; output: \"libbpf: prog 'second': BPF program load failed: Operation not permitted\""},
	/* The loader's own words come after libbpf's and take nothing away. */
	{REJECTED PROCESSED "Error: BPF program load failed\n", AVD_REASON_VERIFIER_REJECTED,
	 "; the verifier rejected program \"reject_enqueue\": \"R0 invalid mem access "
	 "'map_value_or_null'\""},
	{REJECTED PROCESSED, AVD_REASON_VERIFIER_REJECTED,
	 "; the verifier rejected program \"reject_enqueue\": \"R0 invalid mem access "
	 "'map_value_or_null'\""},
	/* what is counted at level 4 is not what is wrong */
	{REJECTED "verification time 93 usec\nstack depth 8+0+0\ninsns processed 9+0\n"
		  "subprog 1 enqueue stack 8\n" PROCESSED,
	 AVD_REASON_VERIFIER_REJECTED,
	 "; the verifier rejected program \"reject_enqueue\": \"R0 invalid mem access "
	 "'map_value_or_null'\""},
	/* 7.3 explains itself after it has said what is wrong */
	{REJECTED "\nVerification failed: Register Type Safety: Invalid dereference\n\nReason:\n"
		  "  R0 may be NULL here\n\nSuggestion:\n  Add a NULL check.\n\n" PROCESSED,
	 AVD_REASON_VERIFIER_REJECTED,
	 "; the verifier rejected program \"reject_enqueue\": \"R0 invalid mem access "
	 "'map_value_or_null'\""},
	{"libbpf: extern (func ksym) 'scx_bpf_no': not found in kernel or module BTFs\n"
	 "libbpf: failed to load object 'x'\ncannot load: Invalid argument\n",
	 AVD_REASON_MISSING_KFUNC,
	 "; output: \"libbpf: extern (func ksym) 'scx_bpf_no': not found in kernel or module "
	 "BTFs\""},
	{"libbpf: struct_ops init_kern ops: Cannot find member no_such in kernel BTF\n"
	 "libbpf: failed to load object 'x'\n",
	 AVD_REASON_MISSING_MEMBER,
	 "; output: \"libbpf: struct_ops init_kern ops: Cannot find member no_such in kernel "
	 "BTF\""},
	{"cannot attach fifo_ops: Device or resource busy\n", AVD_REASON_BUSY,
	 "; output: \"cannot attach fifo_ops: Device or resource busy\""},
	{"failed to attach struct_ops: -16\n", AVD_REASON_BUSY,
	 "; output: \"failed to attach struct_ops: -16\""},
	{"lowest temperature: -16 degrees\n", AVD_REASON_EXITED,
	 "; last output: \"lowest temperature: -16 degrees\""},
	{"cannot read \xff\"\\\x1b[31m\n", AVD_REASON_EXITED,
	 "; last output: \"cannot read \\xff\\x22\\x5c\\x1b[31m\""},
	{"no end of line", AVD_REASON_EXITED, "; last output: \"no end of line\""},
	{"\n\n", AVD_REASON_EXITED, ""},
	{"", AVD_REASON_EXITED, ""},
	/* the last trouble counts */
	{REJECTED PROCESSED "retrying\ncannot attach ops: Device or resource busy\n",
	 AVD_REASON_BUSY, "; output: \"cannot attach ops: Device or resource busy\""},
};

START_TEST(output_in_any_slices)
{
	const char *text = outputs[_i].output;
	const size_t size = strlen(text);
	const struct avd__exit exit = {.status = 1};

	for (size_t cut = 0; cut <= size; cut++) {
		struct avd__facts facts = {0};
		char reason_text[AVD__REASON_MAX];
		struct avd__text reason = avd__text_on(reason_text, sizeof(reason_text));
		avd__facts_output(&facts, AVD_STREAM_SCHEDULER_STDERR, text, cut);
		avd__facts_output(&facts, AVD_STREAM_SCHEDULER_STDERR, text + cut, size - cut);
		avd__facts_output_end(&facts);
		ck_assert_uint_eq(avd__classify_death(&facts, &exit), outputs[_i].code);
		avd__reason_output(&reason, &facts.output);
		ck_assert_str_eq(reason_text, outputs[_i].quote);
	}
}
END_TEST

START_TEST(output_precedence)
{
	struct avd__facts facts = {0};
	static const char out[] = "hello\n", late[] = "bye\n";

	avd__facts_output(&facts, AVD_STREAM_SCHEDULER_STDOUT, out, strlen(out));
	check_line(&facts.output.last, "hello");
	output(&facts, "error!\n");
	avd__facts_output(&facts, AVD_STREAM_SCHEDULER_STDOUT, late, strlen(late));
	check_line(&facts.output.last, "error!"); /* standard error tells more */
	/* an endless line is cut, the next one is whole again */
	char longer[4 * AVD__LINE_MAX];
	memset(longer, 'x', sizeof(longer));
	avd__facts_output(&facts, AVD_STREAM_SCHEDULER_STDERR, longer, sizeof(longer));
	avd__facts_output(&facts, AVD_STREAM_SCHEDULER_STDERR, longer, sizeof(longer));
	output(&facts, "\n");
	ck_assert_uint_eq(facts.output.last.len, AVD__LINE_MAX);
	output(&facts, "whole\n");
	check_line(&facts.output.last, "whole");
}
END_TEST

START_TEST(ends_of_a_process)
{
	struct avd__facts facts = {0};
	const struct {
		struct avd__exit exit;
		uint32_t plain, rejected;
	} ends[] = {
		{{.exec_failed = true, .status = 127, .error = 2},
		 AVD_REASON_EXEC_FAILED,
		 AVD_REASON_EXEC_FAILED},
		{{.status = 0}, AVD_REASON_EXITED, AVD_REASON_EXITED},
		{{.status = 3}, AVD_REASON_EXITED, AVD_REASON_VERIFIER_REJECTED},
		{{.status = -1, .signal = SIGKILL},
		 AVD_REASON_KILLED_BY_SIGNAL,
		 AVD_REASON_KILLED_BY_SIGNAL},
		{{.status = -1, .signal = SIGABRT},
		 AVD_REASON_KILLED_BY_SIGNAL,
		 AVD_REASON_VERIFIER_REJECTED},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		ck_assert_uint_eq(avd__classify_death(&facts, &ends[i].exit), ends[i].plain);
	output(&facts, REJECTED PROCESSED);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		ck_assert_uint_eq(avd__classify_death(&facts, &ends[i].exit), ends[i].rejected);
	/* what the kernel said beats what was printed */
	kernel(&facts, "3,1,1,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n", true);
	ck_assert_uint_eq(avd__classify_death(&facts, &ends[2].exit), AVD_REASON_EJECTED_AT_ATTACH);
	/* alive: words of libbpf explain, but only "busy" is a kernel's answer */
	struct avd__facts alive = {0};
	output(&alive, REJECTED PROCESSED);
	ck_assert_uint_eq(avd__classify_not_attached(&alive, false), AVD_REASON_TIMEOUT);
	output(&alive, "attach: EBUSY\n");
	ck_assert_uint_eq(avd__classify_not_attached(&alive, false), AVD_REASON_BUSY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-facts");
	TCase *tc = tcase_create("facts");
	tcase_add_test(tc, record);
	tcase_add_test(tc, no_record);
	tcase_add_test(tc, ejection);
	tcase_add_test(tc, backtraces_are_bounded);
	tcase_add_test(tc, the_probe_knows_the_exit_code);
	tcase_add_test(tc, init_failed);
	tcase_add_test(tc, the_last_end_counts);
	tcase_add_test(tc, an_attach_makes_a_new_start);
	tcase_add_test(tc, kinds);
	tcase_add_test(tc, imitations);
	tcase_add_loop_test(tc, output_in_any_slices, 0, sizeof(outputs) / sizeof(outputs[0]));
	tcase_add_test(tc, output_precedence);
	tcase_add_test(tc, ends_of_a_process);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
